"""Commands on keys of any type, and on whole databases."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from shmcache.arena import EXPIRE_GT, EXPIRE_LT, EXPIRE_NX, EXPIRE_XX, POLICIES
from shmcache.commands.arguments import (
    database_index,
    database_number,
    expire_arguments,
    integer,
    require_databases,
)
from shmcache.commands.glob import compile_glob
from shmcache.commands.removals import remove_all
from shmcache.commands.replies import OK, CommandError, Reply, syntax_error
from shmcache.commands.scans import parse_scan_cursor, parse_scan_options

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shmcache.arena import Info
    from shmcache.commands.context import Context

__all__ = [
    "copy",
    "dbsize",
    "delete",
    "exists",
    "expire",
    "expireat",
    "expiretime",
    "flushall",
    "flushdb",
    "keys",
    "memory_usage",
    "move",
    "object_encoding",
    "object_freq",
    "object_idletime",
    "object_refcount",
    "persist",
    "pexpire",
    "pexpireat",
    "pexpiretime",
    "pttl",
    "randomkey",
    "rename",
    "renamenx",
    "scan",
    "swapdb",
    "time",
    "touch",
    "ttl",
    "type_",
]

_KEYS_SCAN_COUNT = 1000
"""How many keys KEYS asks the arena for at once."""


# ---- whether a key exists ------------------------------------------------------------------------


def delete(context: Context, args: Sequence[bytes]) -> Reply:
    """DEL key [key ...], and UNLINK: freeing memory never takes long enough to need a thread."""
    arena, db = context.arena, context.db
    if len(args) == 1:
        return int(arena.delete(db, args[0]))
    return remove_all(arena, partial(_delete_together, context), args)


def _delete_together(context: Context, keys: Sequence[bytes]) -> int:
    db = context.db
    with context.arena.transaction([(db, key) for key in keys]) as transaction:
        return sum(transaction.delete(db, key) for key in keys)


def exists(context: Context, args: Sequence[bytes]) -> Reply:
    """EXISTS key [key ...]; a key named twice counts twice."""
    arena, db = context.arena, context.db
    if len(args) == 1:
        return int(arena.describe(db, args[0]) is not None)
    keys = [(db, key) for key in args]
    return arena.read(keys, lambda view: sum(view.describe(db, key) is not None for key in args))


def touch(context: Context, args: Sequence[bytes]) -> Reply:
    """TOUCH key [key ...]. Access marks are hints, so the keys need not be seen at one instant."""
    arena, db = context.arena, context.db
    return sum(arena.describe(db, key, touch=True) is not None for key in args)


def type_(context: Context, args: Sequence[bytes]) -> Reply:
    """TYPE key."""
    info = context.arena.describe(context.db, args[0])
    return "none" if info is None else info.type


# ---- expiry --------------------------------------------------------------------------------------


def _expire(
    context: Context, args: Sequence[bytes], *, command: str, in_seconds: bool, absolute: bool
) -> Reply:
    base_ms = 0 if absolute else context.now_ms()
    when_ms, condition = expire_arguments(args[1:], base_ms, in_seconds=in_seconds, command=command)
    flags = (
        (EXPIRE_NX if condition.if_none else 0)
        | (EXPIRE_XX if condition.if_some else 0)
        | (EXPIRE_GT if condition.if_later else 0)
        | (EXPIRE_LT if condition.if_sooner else 0)
    )
    # A time that is not after 1970 is past like any other; to the arena 0 would mean "never".
    return int(context.arena.expire(context.db, args[0], max(when_ms, 1), flags) == 1)


def expire(context: Context, args: Sequence[bytes]) -> Reply:
    """EXPIRE key seconds [NX | XX | GT | LT]."""
    return _expire(context, args, command="expire", in_seconds=True, absolute=False)


def pexpire(context: Context, args: Sequence[bytes]) -> Reply:
    """PEXPIRE key milliseconds [NX | XX | GT | LT]."""
    return _expire(context, args, command="pexpire", in_seconds=False, absolute=False)


def expireat(context: Context, args: Sequence[bytes]) -> Reply:
    """EXPIREAT key unix-time-seconds [NX | XX | GT | LT]."""
    return _expire(context, args, command="expireat", in_seconds=True, absolute=True)


def pexpireat(context: Context, args: Sequence[bytes]) -> Reply:
    """PEXPIREAT key unix-time-milliseconds [NX | XX | GT | LT]."""
    return _expire(context, args, command="pexpireat", in_seconds=False, absolute=True)


def persist(context: Context, args: Sequence[bytes]) -> Reply:
    """PERSIST key."""
    return int(context.arena.expire(context.db, args[0], 0) == 1)


def _expiry(context: Context, key: bytes, reply: Callable[[int], int]) -> int:
    """-2 without such a key, -1 without a time of death, else what ``reply`` makes of it."""
    info = context.arena.describe(context.db, key)
    if info is None:
        return -2
    return reply(info.expire_ms) if info.expire_ms else -1


def _seconds(milliseconds: int) -> int:
    return (milliseconds + 500) // 1000


def ttl(context: Context, args: Sequence[bytes]) -> Reply:
    """TTL key."""
    return _expiry(context, args[0], lambda ms: _seconds(max(ms - context.now_ms(), 0)))


def pttl(context: Context, args: Sequence[bytes]) -> Reply:
    """PTTL key."""
    return _expiry(context, args[0], lambda ms: max(ms - context.now_ms(), 0))


def expiretime(context: Context, args: Sequence[bytes]) -> Reply:
    """EXPIRETIME key."""
    return _expiry(context, args[0], _seconds)


def pexpiretime(context: Context, args: Sequence[bytes]) -> Reply:
    """PEXPIRETIME key."""
    return _expiry(context, args[0], int)


# ---- moving keys about ---------------------------------------------------------------------------


def _no_such_key() -> CommandError:
    return CommandError("ERR no such key")


def _same_object() -> CommandError:
    return CommandError("ERR source and destination objects are the same")


def _rename(context: Context, source: bytes, target: bytes, *, replace: bool) -> bool:
    db = context.db
    with context.arena.transaction([(db, source), (db, target)]) as transaction:
        if transaction.describe(db, source) is None:
            raise _no_such_key()
        if source == target:
            return replace
        if not replace and transaction.describe(db, target) is not None:
            return False
        return transaction.rename(db, source, db, target)


def rename(context: Context, args: Sequence[bytes]) -> Reply:
    """RENAME key newkey."""
    _rename(context, args[0], args[1], replace=True)
    return OK


def renamenx(context: Context, args: Sequence[bytes]) -> Reply:
    """RENAMENX key newkey."""
    return int(_rename(context, args[0], args[1], replace=False))


def copy(context: Context, args: Sequence[bytes]) -> Reply:
    """COPY source destination [DB number] [REPLACE]."""
    source, target = args[0], args[1]
    target_db, replace = context.db, False
    position = 2
    while position < len(args):
        option = args[position].upper()
        if option == b"REPLACE":
            replace = True
        elif option == b"DB" and position + 1 < len(args):
            position += 1
            target_db = database_index(args[position])
        else:
            raise syntax_error()
        position += 1
    if target_db == context.db and source == target:
        raise _same_object()
    keys = [(context.db, source), (target_db, target)]
    with context.arena.transaction(keys) as transaction:
        return int(transaction.copy(context.db, source, target_db, target, replace) == 1)


def move(context: Context, args: Sequence[bytes]) -> Reply:
    """MOVE key db."""
    key, source_db, target_db = args[0], context.db, database_index(args[1])
    if target_db == source_db:
        raise _same_object()
    with context.arena.transaction([(source_db, key), (target_db, key)]) as transaction:
        taken = transaction.describe(target_db, key) is not None
        moved = not taken and transaction.rename(source_db, key, target_db, key)
    return int(moved)


# ---- looking through a database ------------------------------------------------------------------


def randomkey(context: Context, args: Sequence[bytes]) -> Reply:  # noqa: ARG001
    """RANDOMKEY."""
    return context.arena.random_key(context.db)


def keys(context: Context, args: Sequence[bytes]) -> Reply:
    """KEYS pattern."""
    fits = None if args[0] == b"*" else compile_glob(args[0])
    found: list[bytes] = []
    cursor = 0
    while True:
        cursor, batch = context.arena.scan(context.db, cursor, _KEYS_SCAN_COUNT)
        found += batch if fits is None else filter(fits, batch)
        if cursor == 0:
            return found


def scan(context: Context, args: Sequence[bytes]) -> Reply:
    """SCAN cursor [MATCH pattern] [COUNT count] [TYPE type]."""
    cursor = parse_scan_cursor(args[0])
    options = parse_scan_options(args[1:], of_keys=True)
    next_cursor, found = context.arena.scan(context.db, cursor, options.batch)
    if options.fits is not None:
        found = list(filter(options.fits, found))
    if options.type is not None:
        found = [key for key in found if _has_type(context, key, options.type)]
    return [b"%d" % next_cursor, found]


def _has_type(context: Context, key: bytes, wanted_type: str) -> bool:
    info = context.arena.describe(context.db, key)
    return info is not None and info.type == wanted_type


def dbsize(context: Context, args: Sequence[bytes]) -> Reply:  # noqa: ARG001
    """DBSIZE."""
    return context.arena.db_keys(context.db)


# ---- databases as a whole ------------------------------------------------------------------------


def _check_flush_mode(args: Sequence[bytes]) -> None:
    """Accept ASYNC and SYNC alike: a flush is one store, whatever the database holds."""
    if args and (len(args) > 1 or args[0].upper() not in {b"ASYNC", b"SYNC"}):
        raise syntax_error()


def flushdb(context: Context, args: Sequence[bytes]) -> Reply:
    """FLUSHDB [ASYNC | SYNC]."""
    _check_flush_mode(args)
    context.arena.flush_db(context.db)
    return OK


def flushall(context: Context, args: Sequence[bytes]) -> Reply:
    """FLUSHALL [ASYNC | SYNC]."""
    _check_flush_mode(args)
    context.arena.flush_db(-1)
    return OK


def swapdb(context: Context, args: Sequence[bytes]) -> Reply:
    """SWAPDB index1 index2."""
    first = database_number(args[0], "invalid first DB index")
    second = database_number(args[1], "invalid second DB index")
    require_databases(first, second)
    context.arena.swap_db(first, second)
    return OK


def time(context: Context, args: Sequence[bytes]) -> Reply:  # noqa: ARG001
    """TIME."""
    seconds, microseconds = divmod(context.now_us(), 1_000_000)
    return [b"%d" % seconds, b"%d" % microseconds]


# ---- what is known of a key ----------------------------------------------------------------------


def _policy_is_lfu(context: Context) -> bool:
    return POLICIES[context.arena.get_tuning().policy].endswith("-lfu")


def _describe(context: Context, args: Sequence[bytes]) -> Info | None:
    return context.arena.describe(context.db, args[0])


def object_encoding(context: Context, args: Sequence[bytes]) -> Reply:
    """OBJECT ENCODING key."""
    info = _describe(context, args)
    return None if info is None else info.encoding.encode()


def object_refcount(context: Context, args: Sequence[bytes]) -> Reply:
    """OBJECT REFCOUNT key: no value in the arena is shared."""
    return None if _describe(context, args) is None else 1


_SWITCHING = (
    "Please note that when switching between policies at runtime LRU and LFU data will take some "
    "time to adjust."
)


def object_freq(context: Context, args: Sequence[bytes]) -> Reply:
    """OBJECT FREQ key."""
    info = _describe(context, args)
    if info is None:
        return None
    if not _policy_is_lfu(context):
        raise CommandError(
            "ERR An LFU maxmemory policy is not selected, access frequency not tracked. "
            + _SWITCHING
        )
    return info.frequency


def object_idletime(context: Context, args: Sequence[bytes]) -> Reply:
    """OBJECT IDLETIME key, in seconds."""
    info = _describe(context, args)
    if info is None:
        return None
    if _policy_is_lfu(context):
        raise CommandError(
            "ERR An LFU maxmemory policy is selected, idle time not tracked. " + _SWITCHING
        )
    return info.idle_ms // 1000


def memory_usage(context: Context, args: Sequence[bytes]) -> Reply:
    """MEMORY USAGE key [SAMPLES count]; the arena knows exactly, so nothing is sampled."""
    position = 1
    while position < len(args):
        if args[position].upper() != b"SAMPLES" or position + 1 == len(args):
            raise syntax_error()
        if integer(args[position + 1]) < 0:
            raise syntax_error()
        position += 2
    info = _describe(context, args)
    return None if info is None else info.memory
