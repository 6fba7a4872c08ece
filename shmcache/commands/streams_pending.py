"""Looking at what a stream's consumers have not acknowledged, and taking it over from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shmcache.commands.arguments import INT64_MAX, integer, integer_or_none
from shmcache.commands.consumer_groups import no_group
from shmcache.commands.replies import (
    NULL_ARRAY,
    CommandError,
    Reply,
    as_c_string,
    one_line,
    syntax_error,
)
from shmcache.commands.streams_ids import (
    format_id,
    id_or_none,
    interval_end,
    interval_start,
    strict_id,
)
from shmcache.commands.streams_layout import ENTRIES, MIN_ID, unpack_fields
from shmcache.commands.streams_store import Stream, StreamWriter

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from shmcache.arena import View
    from shmcache.commands.context import Context
    from shmcache.commands.streams_store import Consumer, Group, PendingEntry

__all__ = ["xautoclaim", "xclaim", "xpending"]


def _group_of(stream: Stream, name: bytes) -> Group:
    """The group.

    :raises CommandError: there is none
    """
    group = stream.group(name)
    if group is None:
        raise no_group(stream.key, name)
    return group


# ---- XPENDING ------------------------------------------------------------------------------------


def xpending(context: Context, args: Sequence[bytes]) -> Reply:
    """XPENDING key group [[IDLE min-idle-time] start end count [consumer]]."""
    key, name = args[0], args[1]
    listing = _Listing(args, context.now_ms()) if len(args) > 2 else None

    def read(view: View) -> Reply:
        stream = Stream(view, context.db, key)
        group = _group_of(stream, name)
        return _summary(stream, group) if listing is None else listing.of(stream, group)

    return context.arena.read(((context.db, key),), read)


def _summary(stream: Stream, group: Group) -> Reply:
    """How many, the first and the last, and how many of each consumer's."""
    last = stream.last_pending(group)
    if last is None:
        return [0, None, None, NULL_ARRAY]
    first, _ = next(stream.pending(group, batch=1))
    counts = [
        (consumer.name(group), stream.count_pending(consumer))
        for consumer in stream.consumers(group)
    ]
    return [
        stream.count_pending(group),
        format_id(first),
        format_id(last),
        [[name, b"%d" % count] for name, count in counts if count],
    ]


class _Listing:
    """XPENDING's longer form."""

    def __init__(self, args: Sequence[bytes], now_ms: int) -> None:
        if not 5 <= len(args) <= 8:
            raise syntax_error()
        self._now_ms, self._min_idle_ms, at = now_ms, 0, 2
        if args[2].upper() == b"IDLE":
            self._min_idle_ms = integer(args[3])
            at = 4
            if len(args) < 7:
                raise syntax_error()
        self._count = max(integer(args[at + 2]), 0)
        self._least = interval_start(args[at])
        self._most = interval_end(args[at + 1])
        self._consumer = args[at + 3] if at + 3 < len(args) else None

    def of(self, stream: Stream, group: Group) -> Reply:
        """ID, consumer, idle time and deliveries of each entry."""
        reply: list[Reply] = []
        if not self._count:
            return reply
        for entry_id, (owner, delivered_ms, deliveries) in self._entries(stream, group):
            idle_ms = self._now_ms - delivered_ms
            if self._min_idle_ms and idle_ms < self._min_idle_ms:
                continue
            name = stream.consumer_name(owner)
            reply.append([format_id(entry_id), name, max(idle_ms, 0), deliveries])
            if len(reply) == self._count:
                break
        return reply

    def _entries(self, stream: Stream, group: Group) -> Iterator[tuple[bytes, PendingEntry]]:
        if self._consumer is None:
            return stream.pending(group, self._least, self._most)
        consumer = stream.consumer(group, self._consumer)
        if consumer is None:
            return iter(())
        return stream.owned(group, consumer, self._least, self._most)


# ---- claiming ------------------------------------------------------------------------------------


class _Claim:
    """Taking entries over, for one consumer."""

    def __init__(
        self, stream: StreamWriter, group: Group, consumer: bytes, now_ms: int, *, just_id: bool
    ) -> None:
        self.reply: list[Reply] = []
        self._stream, self._group = stream, group
        self._now_ms, self._just_id = now_ms, just_id
        found = stream.consumer(group, consumer)
        if found is None:
            stream.load()
            found = stream.create_consumer(group, consumer, now_ms)
        self._consumer: Consumer = found
        self._consumer.seen_ms = now_ms

    def drop_if_deleted(self, entry_id: bytes, entry: PendingEntry | None) -> bytes | None:
        """An entry's packed fields. If it is not in the stream any more, nobody has to know it."""
        stream = self._stream
        packed = stream.tx.tree_get(stream.db, stream.key, ENTRIES, entry_id)
        if packed is None and entry is not None:
            stream.remove_pending(self._group, entry_id, entry[0])
        return packed

    def take(
        self, entry_id: bytes, packed: bytes, owner: int | None, delivered_ms: int, deliveries: int
    ) -> None:
        """Make an entry the consumer's.

        :param owner: the consumer whose it was
        """
        if owner is not None and owner != self._consumer.number:
            self._stream.disown(entry_id, owner)
        self._stream.put_pending(self._group, entry_id, self._consumer, delivered_ms, deliveries)
        self._consumer.active_ms = self._now_ms
        shown = format_id(entry_id)
        self.reply.append(shown if self._just_id else [shown, unpack_fields(packed)])

    def finish(self) -> None:
        """Write down what became of the consumer."""
        self._stream.put_consumer(self._consumer)


class _ClaimOptions:
    """What follows XCLAIM's IDs."""

    __slots__ = ("_now_ms", "delivered_ms", "deliveries", "force", "just_id", "last")

    def __init__(self, words: Sequence[bytes], now_ms: int) -> None:
        self._now_ms = now_ms
        self.delivered_ms = -1
        self.deliveries = -1
        self.force = self.just_id = False
        self.last = MIN_ID
        position = 0
        while position < len(words):
            position += self._option(words, position)
        if not 0 <= self.delivered_ms <= now_ms:
            self.delivered_ms = now_ms

    def _option(self, words: Sequence[bytes], position: int) -> int:
        """Take the option at ``position``; how many words that are."""
        option = words[position].upper()
        if option == b"FORCE":
            self.force = True
        elif option == b"JUSTID":
            self.just_id = True
        elif position + 1 < len(words) and option in _VALUES:
            self._value(option, words[position + 1])
            return 2
        else:
            word = one_line(as_c_string(words[position]))
            raise CommandError(f"ERR Unrecognized XCLAIM option '{word}'")
        return 1

    def _value(self, option: bytes, word: bytes) -> None:
        if option == b"LASTID":
            self.last = strict_id(word)
            return
        number = integer_or_none(word)
        if number is None:
            raise CommandError(f"ERR Invalid {option.decode()} option argument for XCLAIM")
        if option == b"RETRYCOUNT":
            self.deliveries = number
        else:
            self.delivered_ms = number if option == b"TIME" else self._now_ms - number


_VALUES = (b"IDLE", b"TIME", b"RETRYCOUNT", b"LASTID")


def _min_idle(word: bytes, command: str) -> int:
    number = integer_or_none(word)
    if number is None:
        raise CommandError(f"ERR Invalid min-idle-time argument for {command}")
    return max(number, 0)


def xclaim(context: Context, args: Sequence[bytes]) -> Reply:
    """XCLAIM key group consumer min-idle-time id [id ...] [options]."""
    key, db, now_ms = args[0], context.db, context.now_ms()
    with context.arena.transaction(((db, key),), "") as tx:
        stream = StreamWriter(tx, db, key)
        group = _group_of(stream, args[1])
        min_idle_ms = _min_idle(args[3], "XCLAIM")
        ids: list[bytes] = []
        for word in args[4:]:
            entry_id = id_or_none(word)
            if entry_id is None:
                break
            ids.append(entry_id)
        options = _ClaimOptions(args[4 + len(ids) :], now_ms)
        if options.last > group.last:
            group.last = options.last
            stream.put_group(group)
        claim = _Claim(stream, group, args[2], now_ms, just_id=options.just_id)
        for entry_id in ids:
            entry = stream.pending_entry(group, entry_id)
            packed = claim.drop_if_deleted(entry_id, entry)
            if packed is None or not _may_claim(entry, options, now_ms - min_idle_ms, min_idle_ms):
                continue
            owner, _, deliveries = entry or (None, 0, 1)
            if options.deliveries >= 0:
                deliveries = options.deliveries
            elif not options.just_id:
                deliveries += 1
            claim.take(entry_id, packed, owner, options.delivered_ms, deliveries)
        claim.finish()
    return claim.reply


def _may_claim(
    entry: PendingEntry | None, options: _ClaimOptions, latest_ms: int, min_idle_ms: int
) -> bool:
    if entry is None:
        return options.force
    return not min_idle_ms or entry[1] <= latest_ms


_AUTOCLAIM_COUNT = 100
_LOOKED_AT = 10
"""How many pending entries XAUTOCLAIM looks at for each that it may return."""
_MAX_AUTOCLAIM_COUNT = INT64_MAX // 16


def _autoclaim_options(words: Sequence[bytes]) -> tuple[int, bool]:
    """COUNT and JUSTID."""
    count, just_id, position = _AUTOCLAIM_COUNT, False, 0
    while position < len(words):
        option = words[position].upper()
        if option == b"COUNT" and position + 1 < len(words):
            position += 1
            number = integer_or_none(words[position])
            if number is None or not 1 <= number <= _MAX_AUTOCLAIM_COUNT:
                raise CommandError("ERR COUNT must be > 0")
            count = number
        elif option == b"JUSTID":
            just_id = True
        else:
            raise syntax_error()
        position += 1
    return count, just_id


def xautoclaim(context: Context, args: Sequence[bytes]) -> Reply:
    """XAUTOCLAIM key group consumer min-idle-time start [COUNT count] [JUSTID]."""
    min_idle_ms = _min_idle(args[3], "XAUTOCLAIM")
    start = interval_start(args[4])
    count, just_id = _autoclaim_options(args[5:])
    key, db, now_ms = args[0], context.db, context.now_ms()
    deleted: list[Reply] = []
    cursor, looked_at = MIN_ID, 0
    with context.arena.transaction(((db, key),), "") as tx:
        stream = StreamWriter(tx, db, key)
        group = _group_of(stream, args[1])
        claim = _Claim(stream, group, args[2], now_ms, just_id=just_id)
        for entry_id, entry in stream.pending(group, start):
            if len(claim.reply) + len(deleted) == count or looked_at == count * _LOOKED_AT:
                cursor = entry_id
                break
            looked_at += 1
            owner, delivered_ms, deliveries = entry
            packed = claim.drop_if_deleted(entry_id, entry)
            if packed is None:
                deleted.append(format_id(entry_id))
            elif not min_idle_ms or now_ms - delivered_ms >= min_idle_ms:
                claim.take(entry_id, packed, owner, now_ms, deliveries + (not just_id))
        claim.finish()
    return [format_id(cursor), claim.reply, deleted]
