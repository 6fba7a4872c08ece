"""DUMP and RESTORE, and the way between what lies in the arena and the formats' values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from shmcache.commands.arguments import integer
from shmcache.commands.replies import OK, CommandError, Reply, syntax_error
from shmcache.commands.streams_layout import ENTRIES, MAX_ID, MIN_ID, pack_fields, unpack_fields
from shmcache.commands.streams_store import Consumer, Stream, StreamWriter
from shmcache.errors import DamagedFile
from shmcache.persistence.payload import dump_value, has_valid_footer, load_value
from shmcache.persistence.values import (
    HashValue,
    ListValue,
    SetValue,
    SortedSetValue,
    StreamConsumer,
    StreamGroup,
    StreamPending,
    StreamValue,
    Value,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shmcache.arena import Transaction, View
    from shmcache.commands.context import Context
    from shmcache.commands.streams_store import Group

__all__ = ["dump", "read_value", "restore", "store_value"]

_MOST_FREQUENT: Final = 255


def read_value(view: View, db: int, key: bytes) -> tuple[Value, int] | None:
    """What a key holds and when it expires (Unix ms, 0: never); None if it is not there."""
    info = view.describe(db, key)
    if info is None:
        return None
    value: Value | None
    if info.type == "string":
        value = view.get(db, key)
    elif info.type == "list":
        value = ListValue(view.list_range(db, key, 0, -1))
    elif info.type == "set":
        value = SetValue(view.set_members(db, key))
    elif info.type == "hash":
        value = _read_hash(view, db, key)
    elif info.type == "zset":
        pairs = view.zset_range(db, key, 0, view.length(db, key, "zset"))
        value = SortedSetValue([member for member, _ in pairs], [score for _, score in pairs])
    else:
        value = _read_stream(view, db, key)
    return None if value is None else (value, info.expire_ms)


def _read_hash(view: View, db: int, key: bytes) -> HashValue | None:
    items = view.hash_all(db, key)
    if not items:
        return None
    fields = items[::2]
    known = view.hash_expiries(db, key, fields) or []
    expiries = {field: at for field, at in zip(fields, known, strict=False) if at}
    return HashValue(items, expiries)


def _read_stream(view: View, db: int, key: bytes) -> StreamValue | None:
    stream = Stream(view, db, key)
    if not stream.load():
        return None
    found = view.tree_range(db, key, ENTRIES, MIN_ID, MAX_ID)
    entries = [(entry_id, unpack_fields(packed)) for entry_id, packed in found]
    groups = [_read_group(stream, name, group) for name, group in stream.groups()]
    return StreamValue(entries, stream.last, stream.deleted, stream.added, groups)


def _read_group(stream: Stream, name: bytes, group: Group) -> StreamGroup:
    pending = [
        StreamPending(entry_id, delivered_ms, deliveries)
        for entry_id, (_, delivered_ms, deliveries) in stream.pending(group)
    ]
    consumers = [
        StreamConsumer(
            consumer.name(group),
            consumer.seen_ms,
            consumer.active_ms,
            [entry_id for entry_id, _ in stream.owned(group, consumer)],
        )
        for consumer in stream.consumers(group)
    ]
    return StreamGroup(name, group.last, group.read, pending, consumers)


def store_value(
    transaction: Transaction, db: int, key: bytes, value: Value, expire_ms: int = 0
) -> None:
    """Put a value where no key is.

    :param expire_ms: Unix milliseconds; 0: never
    :raises OutOfMemory: there is no room for it; let it end the transaction
    """
    if isinstance(value, bytes):
        transaction.set(db, key, value, expire_ms)
    elif isinstance(value, ListValue):
        transaction.store(db, key, "list", value.elements, (), expire_ms)
    elif isinstance(value, SetValue):
        transaction.store(db, key, "set", value.members, (), expire_ms)
    elif isinstance(value, SortedSetValue):
        transaction.store(db, key, "zset", value.members, value.scores, expire_ms)
    elif isinstance(value, HashValue):
        transaction.store(db, key, "hash", value.items, (), expire_ms)
        for field, at in value.expiries.items():
            transaction.hash_expire(db, key, field, at)
    else:
        _store_stream(StreamWriter(transaction, db, key), value)
        if expire_ms:
            transaction.expire(db, key, expire_ms)


def _store_stream(stream: StreamWriter, value: StreamValue) -> None:
    stream.last, stream.deleted = value.last_id, value.max_deleted_id
    stream.added = value.entries_added
    stream.create()
    put = stream.tx.tree_put
    for entry_id, items in value.entries:
        put(stream.db, stream.key, ENTRIES, entry_id, pack_fields(items))
    for group in value.groups:
        _store_group(stream, group)


def _store_group(stream: StreamWriter, value: StreamGroup) -> None:
    stream.create_group(value.name, value.last_id, value.entries_read)
    group = stream.group(value.name)
    assert group is not None, "it was created just now"
    owners: dict[bytes, Consumer] = {}
    for each in value.consumers:
        made = stream.create_consumer(group, each.name, each.seen_ms)
        consumer = Consumer(made.key, made.number, each.seen_ms, each.active_ms)
        stream.put_consumer(consumer)
        owners.update(dict.fromkeys(each.pending, consumer))
    for entry in value.pending:
        owner = owners[entry.entry_id]
        stream.put_pending(group, entry.entry_id, owner, entry.delivered_ms, entry.deliveries)


def dump(context: Context, args: Sequence[bytes]) -> Reply:
    """DUMP key."""
    db, key = context.db, args[0]
    found = context.arena.read(((db, key),), lambda view: read_value(view, db, key))
    return None if found is None else dump_value(found[0])


class _RestoreOptions(NamedTuple):
    """What stands behind RESTORE's payload."""

    replace: bool = False
    absolute: bool = False
    idle_s: int | None = None
    frequency: int | None = None


def _restore_options(words: Sequence[bytes]) -> _RestoreOptions:
    """:raises CommandError: Redis's words for what is wrong"""
    options = _RestoreOptions()
    position = 0
    while position < len(words):
        word, more = words[position].upper(), position + 1 < len(words)
        if word == b"REPLACE":
            options = options._replace(replace=True)
        elif word == b"ABSTTL":
            options = options._replace(absolute=True)
        elif word == b"IDLETIME" and more and options.frequency is None:
            position += 1
            idle_s = integer(words[position])
            if idle_s < 0:
                raise CommandError("ERR Invalid IDLETIME value, must be >= 0")
            options = options._replace(idle_s=idle_s)
        elif word == b"FREQ" and more and options.idle_s is None:
            position += 1
            frequency = integer(words[position])
            if not 0 <= frequency <= _MOST_FREQUENT:
                raise CommandError("ERR Invalid FREQ value, must be >= 0 and <= 255")
            options = options._replace(frequency=frequency)
        else:
            raise syntax_error()
        position += 1
    return options


def restore(context: Context, args: Sequence[bytes]) -> Reply:
    """RESTORE key ttl payload [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]."""
    options = _restore_options(args[3:])
    db, key = context.db, args[0]
    with context.arena.transaction([(db, key)], "restore") as transaction:
        if not options.replace and transaction.describe(db, key) is not None:
            raise CommandError("BUSYKEY Target key name already exists.")
        expire_ms = integer(args[1])
        if expire_ms < 0:
            raise CommandError("ERR Invalid TTL value, must be >= 0")
        value = _value_of(args[2])
        if expire_ms and not options.absolute:
            expire_ms += context.now_ms()
        lives = not expire_ms or expire_ms > context.now_ms()
        if options.replace:
            transaction.event("silent" if lives else None)
            transaction.delete(db, key)
            transaction.event("restore")
        if lives:
            store_value(transaction, db, key, value, expire_ms)
            if options.idle_s is not None or options.frequency is not None:
                idle_ms = -1 if options.idle_s is None else options.idle_s * 1000
                frequency = -1 if options.frequency is None else options.frequency
                transaction.set_access(db, key, idle_ms, frequency)
    return OK


def _value_of(payload: bytes) -> Value:
    """:raises CommandError: Redis's words for a payload that cannot be used"""
    if not has_valid_footer(payload):
        raise CommandError("ERR DUMP payload version or checksum are wrong")
    try:
        return load_value(payload)
    except DamagedFile as error:
        raise CommandError("ERR Bad data format") from error
