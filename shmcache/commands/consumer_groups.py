"""Consumer groups of streams: XGROUP, XREADGROUP, XACK."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shmcache.commands.arguments import integer
from shmcache.commands.removals import remove_all, remove_in_steps
from shmcache.commands.replies import (
    NULL_ARRAY,
    OK,
    CommandError,
    Reply,
    as_c_string,
    one_line,
)
from shmcache.commands.streams import entries_reply
from shmcache.commands.streams_ids import format_id, id_or_edge, next_id, strict_id
from shmcache.commands.streams_layout import (
    ENTRIES,
    GROUP,
    GROUPS,
    MAX_ID,
    NO_COUNT,
    OWNED,
    PENDING,
    group_key,
    number_prefix,
    pack_pending,
    short_id,
    unpack_fields,
    unpack_pending,
)
from shmcache.commands.streams_read import parse_read, streams_reply, wait_for_entries
from shmcache.commands.streams_store import BATCH, Consumer, Group, Stream, StreamWriter, signed
from shmcache.errors import WrongType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shmcache.arena import Transaction, View
    from shmcache.commands.context import Context
    from shmcache.commands.streams_read import ReadLine

__all__ = [
    "has_news",
    "no_group",
    "quoted",
    "xack",
    "xgroup_create",
    "xgroup_createconsumer",
    "xgroup_delconsumer",
    "xgroup_destroy",
    "xgroup_setid",
    "xreadgroup",
]


def quoted(name: bytes) -> str:
    """A name of the client's inside an error line."""
    return one_line(as_c_string(name))


def no_group(key: bytes, group: bytes) -> CommandError:
    """There is no such stream, or it has no such group."""
    return CommandError(f"NOGROUP No such key '{quoted(key)}' or consumer group '{quoted(group)}'")


# ---- XGROUP --------------------------------------------------------------------------------------


def _options(args: Sequence[bytes], subcommand: str, *, creating: bool) -> tuple[bool, int]:
    """MKSTREAM and ENTRIESREAD: whether to make a stream, and how many entries the group read."""
    make, read, position = False, NO_COUNT, 3
    while position < len(args):
        option = args[position].upper()
        if creating and option == b"MKSTREAM":
            make = True
            position += 1
        elif option == b"ENTRIESREAD" and position + 1 < len(args):
            read = integer(args[position + 1])
            if read < 0 and read != NO_COUNT:
                raise CommandError("ERR value for ENTRIESREAD must be positive or -1")
            position += 2
        else:
            raise _bad_subcommand(subcommand)
    return make, read


def _bad_subcommand(name: str) -> CommandError:
    return CommandError(
        f"ERR unknown subcommand or wrong number of arguments for '{name}'. Try XGROUP HELP."
    )


def _load(tx: Transaction, context: Context, key: bytes) -> StreamWriter:
    """The stream.

    :raises CommandError: there is none
    """
    stream = StreamWriter(tx, context.db, key)
    if not stream.load():
        raise CommandError(
            "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want"
            " to use the MKSTREAM option to create an empty stream automatically."
        )
    return stream


def _load_group(
    tx: Transaction, context: Context, key: bytes, name: bytes
) -> tuple[StreamWriter, Group]:
    """The stream and its group.

    :raises CommandError: there is none
    """
    stream = _load(tx, context, key)
    group = stream.group(name)
    if group is None:
        raise CommandError(
            f"NOGROUP No such consumer group '{quoted(name)}' for key name '{quoted(key)}'"
        )
    return stream, group


def xgroup_create(context: Context, args: Sequence[bytes]) -> Reply:
    """XGROUP CREATE key group id | $ [MKSTREAM] [ENTRIESREAD entries-read]."""
    make, read = _options(args, "CREATE", creating=True)
    key, name, word = args[:3]
    with context.arena.transaction(((context.db, key),), "xgroup-create") as tx:
        if make:
            stream = StreamWriter(tx, context.db, key)
            exists = stream.load()
        else:
            stream, exists = _load(tx, context, key), True
        if len(args) > 6:
            raise _bad_subcommand("CREATE")
        last = stream.last if word == b"$" else strict_id(word)
        if exists and stream.group(name) is not None:
            raise CommandError("BUSYGROUP Consumer Group name already exists")
        if not exists:
            stream.create()
        stream.create_group(name, last, read)
    return OK


def xgroup_setid(context: Context, args: Sequence[bytes]) -> Reply:
    """XGROUP SETID key group id | $ [ENTRIESREAD entries-read]."""
    _, read = _options(args, "SETID", creating=False)
    with context.arena.transaction(((context.db, args[0]),), "xgroup-setid") as tx:
        stream, group = _load_group(tx, context, args[0], args[1])
        if len(args) not in {3, 5}:
            raise _bad_subcommand("SETID")
        group.last = stream.last if args[2] == b"$" else id_or_edge(args[2])
        group.read = read
        stream.put_group(group)
    return OK


def xgroup_destroy(context: Context, args: Sequence[bytes]) -> Reply:
    """XGROUP DESTROY key group."""
    key, name = args
    found = 0

    def remove(tx: Transaction, most: int) -> int:
        nonlocal found
        stream = _load(tx, context, key)
        group = stream.group(name)
        if group is None:
            return 0
        found, removed = 1, 0
        if most < 0:
            stream.delete_all_pending(group)
        for consumer in stream.consumers(group):
            removed += stream.delete_pending(group, consumer, most - removed)
            if removed == most:
                return removed
            stream.delete_consumer(consumer)
        stream.delete_group(group)
        return removed

    remove_in_steps(context.arena, (context.db, key), remove, "xgroup-destroy")
    return found


def xgroup_createconsumer(context: Context, args: Sequence[bytes]) -> Reply:
    """XGROUP CREATECONSUMER key group consumer."""
    key, group_name, name = args
    with context.arena.transaction(((context.db, key),)) as tx:
        stream, group = _load_group(tx, context, key, group_name)
        if stream.consumer(group, name) is not None:
            return 0
        stream.create_consumer(group, name, context.now_ms())
    return 1


def xgroup_delconsumer(context: Context, args: Sequence[bytes]) -> Reply:
    """XGROUP DELCONSUMER key group consumer."""
    key, group_name, name = args

    def remove(tx: Transaction, most: int) -> int:
        stream, group = _load_group(tx, context, key, group_name)
        consumer = stream.consumer(group, name)
        if consumer is None:
            return 0
        removed = stream.delete_pending(group, consumer, most)
        if removed != most:
            stream.delete_consumer(consumer)
        return removed

    return remove_in_steps(context.arena, (context.db, key), remove, "xgroup-delconsumer")


# ---- XREADGROUP ----------------------------------------------------------------------------------


def xreadgroup(context: Context, args: Sequence[bytes]) -> Reply:
    """XREADGROUP GROUP group consumer [COUNT count] [BLOCK ms] [NOACK] STREAMS key ... id ..."""
    now_ms, db = context.now_ms(), context.db
    line = parse_read(args, grouped=True)
    served: list[tuple[bytes, Reply]] = []
    with context.arena.transaction([(db, key) for key in line.keys], "") as tx:
        wanted = [
            _check(StreamWriter(tx, db, key), line, word)
            for key, word in zip(line.keys, line.ids, strict=True)
        ]
        for stream, group, known in wanted:
            if served:  # the same key may have been served before
                group = stream.group(line.group) or group  # noqa: PLW2901
            reply = _serve(stream, group, line, known, now_ms)
            if reply is not None:
                served.append((stream.key, reply))
    if not served and line.block_ms is not None:
        return wait_for_entries(context, line, args, line.ids, grouped=True)
    return streams_reply(served, context.resp)


def has_news(context: Context, key: bytes, args: Sequence[bytes]) -> bool:
    """Whether an XREADGROUP of a stream's new entries would be answered, if only with an error.

    To try it would change the consumer.
    """
    db, group_name = context.db, parse_read(args, grouped=True).group

    def look(view: View) -> bool:
        try:
            stream = Stream(view, db, key)
            group = stream.group(group_name) if stream.load() else None
        except WrongType:
            return True
        if group is None:
            return True
        start = next_id(group.last)
        return start is not None and bool(view.tree_range(db, key, ENTRIES, start, MAX_ID, 1))

    return context.arena.read([(db, key)], look)


_NEW = MAX_ID
"""Stands for the ID ``>``, as it does in Redis."""


def _check(stream: StreamWriter, line: ReadLine, word: bytes) -> tuple[StreamWriter, Group, bytes]:
    """A stream, loaded, its group and the ID that was asked for.

    :raises CommandError: there is no such group, or that is no ID
    """
    group = stream.group(line.group) if stream.load() else None
    if group is None:
        raise CommandError(f"{no_group(stream.key, line.group)} in XREADGROUP with GROUP option")
    if word == b"$":
        raise CommandError(
            "ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history"
            " of this consumer by specifying a proper ID, or use the > ID to get new messages. The"
            " $ ID would just return an empty result set."
        )
    return stream, group, _NEW if word == b">" else strict_id(word)


def _serve(stream: StreamWriter, group: Group, line: ReadLine, known: bytes, now_ms: int) -> Reply:
    """What one stream has for the consumer; None leaves the stream out of the reply."""
    consumer = stream.consumer(group, line.consumer)
    if consumer is None:
        consumer = stream.create_consumer(group, line.consumer, now_ms)
    consumer.seen_ms = now_ms
    if known == _NEW:
        reply = _serve_new(stream, group, consumer, line, now_ms)
    else:
        reply = _serve_history(stream, group, consumer, known, line.count, now_ms)
    stream.put_consumer(consumer)
    return reply


def _serve_new(
    stream: StreamWriter, group: Group, consumer: Consumer, line: ReadLine, now_ms: int
) -> Reply:
    """Entries that the group was not delivered yet; None if there are none."""
    start = next_id(group.last)
    if start is None:
        return None
    db, key, tx = stream.db, stream.key, stream.tx
    entries = tx.tree_range(db, key, ENTRIES, start, MAX_ID, line.count)
    if not entries:
        return None
    _advance(stream, group, entries)
    if not line.noack:
        consumer.active_ms = now_ms
        _deliver(stream, group, consumer, entries, now_ms)
    return entries_reply(entries)


def _advance(stream: StreamWriter, group: Group, entries: list[tuple[bytes, bytes]]) -> None:
    """Let the group be where these entries end, and know how many it read if that can be told."""
    first = entries[0][0]
    if group.read != NO_COUNT and not stream.has_holes_from(first):
        group.read = signed(group.read + len(entries))
    else:
        for entry_id, _ in entries:
            if group.read != NO_COUNT and not stream.has_holes_from(entry_id):
                group.read = signed(group.read + 1)
            elif stream.added:
                group.read = stream.entries_up_to(entry_id)
    group.last = entries[-1][0]
    stream.put_group(group)


def _deliver(
    stream: StreamWriter,
    group: Group,
    consumer: Consumer,
    entries: list[tuple[bytes, bytes]],
    now_ms: int,
) -> None:
    """Let the consumer have to acknowledge these entries."""
    db, key, put = stream.db, stream.key, stream.tx.tree_put
    of_group, of_consumer = group.prefix, consumer.prefix
    value = pack_pending(consumer.number, now_ms, 1)
    # XGROUP SETID may have taken the group back to entries that are pending already
    again = stream.tx.tree_count(
        db,
        key,
        PENDING,
        of_group + short_id(entries[0][0]),
        of_group + short_id(entries[-1][0]),
    )
    for entry_id, _ in entries:
        name = short_id(entry_id)
        if again:
            entry = stream.pending_entry(group, entry_id)
            if entry is not None:
                stream.disown(entry_id, entry[0])
        put(db, key, PENDING, of_group + name, value)
        put(db, key, OWNED, of_consumer + name, b"")


def _serve_history(
    stream: StreamWriter, group: Group, consumer: Consumer, known: bytes, count: int, now_ms: int
) -> Reply:
    """What the consumer was delivered and has not acknowledged, behind the ID that it knows."""
    reply: list[Reply] = []
    start = next_id(known)
    assert start is not None
    batch = count if 0 < count < BATCH else BATCH
    for entry_id, (_, _, deliveries) in stream.owned(group, consumer, start, batch=batch):
        packed = stream.tx.tree_get(stream.db, stream.key, ENTRIES, entry_id)
        if packed is None:
            reply.append([format_id(entry_id), NULL_ARRAY])
        else:
            stream.put_pending(group, entry_id, consumer, now_ms, deliveries + 1)
            reply.append([format_id(entry_id), unpack_fields(packed)])
        if len(reply) == count:
            break
    return reply


# ---- XACK ----------------------------------------------------------------------------------------


def xack(context: Context, args: Sequence[bytes]) -> Reply:
    """XACK key group id [id ...]."""
    key, db, arena = args[0], context.db, context.arena
    try:
        wanted = [strict_id(word) for word in args[2:]]
    except CommandError:
        if arena.tree_get(db, key, GROUPS, group_key(args[1])) is None:
            return 0
        raise

    def acknowledge(ids: Sequence[bytes]) -> int:
        acknowledged = 0
        with arena.transaction(((db, key),), "") as tx:
            group = tx.tree_get(db, key, GROUPS, group_key(args[1]))
            if group is None:
                return 0
            prefix = number_prefix(GROUP.unpack(group)[0])
            for entry_id in ids:
                tail = short_id(entry_id)
                value = tx.tree_get(db, key, PENDING, prefix + tail)
                if value is not None:
                    owner = number_prefix(unpack_pending(value)[0])
                    tx.tree_remove(db, key, PENDING, prefix + tail)
                    tx.tree_remove(db, key, OWNED, owner + tail)
                    acknowledged += 1
        return acknowledged

    return remove_all(arena, acknowledge, wanted)
