"""The string commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shmcache.arena import SET_APPENDED, SET_KEEP_TTL, SET_NX, SET_XX
from shmcache.commands import lcs as subsequence
from shmcache.commands import long_double
from shmcache.commands.arguments import (
    INT64_MIN,
    StringOptions,
    integer,
    parse_getex_options,
    parse_set_options,
    set_expire_ms,
)
from shmcache.commands.context import DEFAULT_MAX_BULK_BYTES
from shmcache.commands.replies import OK, CommandError, Reply, syntax_error, wrong_arity
from shmcache.errors import WrongType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shmcache.commands.context import Context

__all__ = [
    "append",
    "decr",
    "decrby",
    "get",
    "getdel",
    "getex",
    "getrange",
    "getset",
    "incr",
    "incrby",
    "incrbyfloat",
    "lcs",
    "mget",
    "mset",
    "msetnx",
    "psetex",
    "set_",
    "set_key_flags",
    "setex",
    "setnx",
    "setrange",
    "strlen",
]

_MAX_LCS_CELLS = 1 << 31
"""LCS keeps a bit for each pair of bytes. More than 256 MiB, some seconds' work, are refused with
what Redis says when it cannot have the memory for its table."""
_LEAST_LCS_SIDE = 512
"""A short string costs no less time than one of so many bytes."""


# ---- one value -----------------------------------------------------------------------------------


def get(context: Context, args: Sequence[bytes]) -> Reply:
    """GET key."""
    return context.arena.get(context.db, args[0])


def set_(context: Context, args: Sequence[bytes]) -> Reply:
    """SET key value [NX | XX] [GET] [EX | PX | EXAT | PXAT time | KEEPTTL]."""
    arena = context.arena
    if len(args) == 2:
        arena.set(context.db, args[0], args[1])
        return OK
    options = parse_set_options(args[2:])
    expire_ms = _expire_ms(context, options, "set")
    flags = (
        (SET_NX if options.if_missing else 0)
        | (SET_XX if options.if_exists else 0)
        | (SET_KEEP_TTL if options.keep else 0)
    )
    if options.return_old:
        return arena.set_get(context.db, args[0], args[1], expire_ms, flags)[1]
    return OK if arena.set(context.db, args[0], args[1], expire_ms, flags) else None


def set_key_flags(words: Sequence[bytes]) -> tuple[str, ...]:
    """What one call of SET does to its key, by COMMAND GETKEYSANDFLAGS' flags."""
    if any(word.upper() == b"GET" for word in words[3:]):
        return ("RW", "access", "update")
    return ("OW", "update")


def _expire_ms(context: Context, options: StringOptions, command: str) -> int:
    """The time of death that options ask for; 0 when they ask for none."""
    if options.time is None:
        return 0
    return set_expire_ms(
        context,
        options.time,
        in_seconds=options.in_seconds,
        absolute=options.absolute,
        command=command,
    )


def setnx(context: Context, args: Sequence[bytes]) -> Reply:
    """SETNX key value."""
    return int(context.arena.set(context.db, args[0], args[1], 0, SET_NX))


def setex(context: Context, args: Sequence[bytes]) -> Reply:
    """SETEX key seconds value."""
    expire_ms = set_expire_ms(context, args[1], in_seconds=True, absolute=False, command="setex")
    context.arena.set(context.db, args[0], args[2], expire_ms)
    return OK


def psetex(context: Context, args: Sequence[bytes]) -> Reply:
    """PSETEX key milliseconds value."""
    expire_ms = set_expire_ms(context, args[1], in_seconds=False, absolute=False, command="psetex")
    context.arena.set(context.db, args[0], args[2], expire_ms)
    return OK


def getset(context: Context, args: Sequence[bytes]) -> Reply:
    """GETSET key value."""
    return context.arena.set_get(context.db, args[0], args[1])[1]


def getdel(context: Context, args: Sequence[bytes]) -> Reply:
    """GETDEL key."""
    return context.arena.get_delete(context.db, args[0])


def getex(context: Context, args: Sequence[bytes]) -> Reply:
    """GETEX key [EX | PX | EXAT | PXAT time | PERSIST]."""
    options = parse_getex_options(args[1:])
    if options.time is None and not options.keep:
        return context.arena.get(context.db, args[0])
    with context.arena.transaction([(context.db, args[0])]) as transaction:
        value = transaction.get(context.db, args[0])
        if value is not None:
            expire_ms = _expire_ms(context, options, "getex")
            transaction.expire(context.db, args[0], expire_ms)
    return value


def strlen(context: Context, args: Sequence[bytes]) -> Reply:
    """STRLEN key."""
    info = context.arena.describe(context.db, args[0], touch=True)
    if info is None:
        return 0
    if info.type != "string":
        raise WrongType
    return info.value_bytes


# ---- parts of a value ----------------------------------------------------------------------------


def _check_length(context: Context, length: int) -> None:
    """Refuse to make a string longer than proto-max-bulk-len."""
    if length > context.max_bulk_bytes:
        raise CommandError("ERR string exceeds maximum allowed size (proto-max-bulk-len)")


def append(context: Context, args: Sequence[bytes]) -> Reply:
    """APPEND key value."""
    key, value = args
    if context.max_bulk_bytes >= DEFAULT_MAX_BULK_BYTES:
        return context.arena.append(context.db, key, value)
    with context.arena.transaction([(context.db, key)], "append") as transaction:
        old = transaction.get(context.db, key)
        if old is None:
            transaction.set(context.db, key, value)
            return len(value)
        _check_length(context, len(old) + len(value))
        transaction.set(context.db, key, old + value, 0, SET_KEEP_TTL | SET_APPENDED)
    return len(old) + len(value)


def getrange(context: Context, args: Sequence[bytes]) -> Reply:
    """GETRANGE key start end, and SUBSTR, its old name."""
    start, end = integer(args[1]), integer(args[2])
    return context.arena.get_range(context.db, args[0], start, end)


def setrange(context: Context, args: Sequence[bytes]) -> Reply:
    """SETRANGE key offset value."""
    key, offset, value = args[0], integer(args[1]), args[2]
    if offset < 0:
        raise CommandError("ERR offset is out of range")
    db = context.db
    with context.arena.transaction([(db, key)], "setrange") as transaction:
        info = transaction.describe(db, key)
        if info is not None and info.type != "string":
            raise WrongType
        length = 0 if info is None else info.value_bytes
        if not value:
            return length
        _check_length(context, offset + len(value))
        if not transaction.patch(db, key, offset, value):
            old = transaction.get(db, key) or b""
            new = b"".join((old[:offset].ljust(offset, b"\0"), value, old[offset + len(value) :]))
            transaction.set(db, key, new, 0, SET_KEEP_TTL | SET_APPENDED)
    return max(length, offset + len(value))


# ---- numbers -------------------------------------------------------------------------------------


def incr(context: Context, args: Sequence[bytes]) -> Reply:
    """INCR key."""
    return context.arena.incr(context.db, args[0], 1)


def decr(context: Context, args: Sequence[bytes]) -> Reply:
    """DECR key."""
    return context.arena.incr(context.db, args[0], -1)


def incrby(context: Context, args: Sequence[bytes]) -> Reply:
    """INCRBY key increment."""
    return context.arena.incr(context.db, args[0], integer(args[1]))


def decrby(context: Context, args: Sequence[bytes]) -> Reply:
    """DECRBY key decrement."""
    decrement = integer(args[1])
    if decrement == INT64_MIN:
        raise CommandError("ERR decrement would overflow")
    return context.arena.incr(context.db, args[0], -decrement)


def incrbyfloat(context: Context, args: Sequence[bytes]) -> Reply:
    """INCRBYFLOAT key increment."""
    key = args[0]
    with context.arena.transaction([(context.db, key)], "incrbyfloat") as transaction:
        value = transaction.get(context.db, key)
        old = long_double.parse(b"0" if value is None else value)
        increment = long_double.parse(args[1])
        if old is None or increment is None:
            raise CommandError("ERR value is not a valid float")
        total = long_double.add(old, increment)
        if total is None:
            raise CommandError("ERR increment would produce NaN or Infinity")
        text = long_double.to_text(total)
        transaction.set(context.db, key, text, 0, SET_KEEP_TTL)
    return text


# ---- several values ------------------------------------------------------------------------------


def mget(context: Context, args: Sequence[bytes]) -> Reply:
    """MGET key [key ...]."""
    return context.arena.get_many(context.db, args)


def _pairs(args: Sequence[bytes], command: str) -> list[tuple[bytes, bytes]]:
    if len(args) % 2:
        raise wrong_arity(command)
    return list(zip(args[::2], args[1::2], strict=True))


def mset(context: Context, args: Sequence[bytes]) -> Reply:
    """MSET key value [key value ...]."""
    db = context.db
    pairs = _pairs(args, "mset")
    with context.arena.transaction([(db, key) for key, _ in pairs]) as transaction:
        for key, value in pairs:
            transaction.set(db, key, value)
    return OK


def msetnx(context: Context, args: Sequence[bytes]) -> Reply:
    """MSETNX key value [key value ...]."""
    db = context.db
    pairs = _pairs(args, "msetnx")
    with context.arena.transaction([(db, key) for key, _ in pairs]) as transaction:
        if any(transaction.describe(db, key) for key, _ in pairs):
            return 0
        for key, value in pairs:
            transaction.set(db, key, value)
    return 1


# ---- LCS -----------------------------------------------------------------------------------------


def lcs(context: Context, args: Sequence[bytes]) -> Reply:
    """LCS key1 key2 [LEN] [IDX] [MINMATCHLEN length] [WITHMATCHLEN]."""
    a, b = _two_strings(context, args[0], args[1])
    asked, min_length = _lcs_options(args[2:])
    if {b"LEN", b"IDX"} <= asked:
        raise CommandError("ERR If you want both the length and indexes, please just use IDX.")
    if max(len(a), _LEAST_LCS_SIDE) * max(len(b), _LEAST_LCS_SIDE) > _MAX_LCS_CELLS:
        raise CommandError("ERR Insufficient memory, failed allocating transient memory for LCS")
    if b"LEN" in asked:
        return subsequence.common_length(a, b)
    if b"IDX" not in asked:
        return subsequence.common_subsequence(a, b)
    runs = subsequence.matches(a, b)
    with_length = b"WITHMATCHLEN" in asked
    return {
        b"matches": [_range_pair(run, with_length) for run in runs if run.length >= min_length],
        b"len": sum(run.length for run in runs),
    }


def _two_strings(context: Context, *keys: bytes) -> list[bytes]:
    """The values at one instant; missing ones are empty."""
    values = context.arena.get_many(context.db, keys)
    for key, value in zip(keys, values, strict=True):
        if value is None:
            info = context.arena.describe(context.db, key)
            if info is not None and info.type != "string":
                raise CommandError("ERR The specified keys must contain string values")
    return [value or b"" for value in values]


def _lcs_options(words: Sequence[bytes]) -> tuple[set[bytes], int]:
    asked = set[bytes]()
    min_length = 0
    position = 0
    while position < len(words):
        word = words[position].upper()
        if word == b"MINMATCHLEN" and position + 1 < len(words):
            position += 1
            min_length = integer(words[position])
        elif word in {b"LEN", b"IDX", b"WITHMATCHLEN"}:
            asked.add(word)
        else:
            raise syntax_error()
        position += 1
    return asked, min_length


def _range_pair(run: subsequence.Match, with_length: bool) -> Reply:
    ranges: list[Reply] = [
        [run.start_a, run.start_a + run.length - 1],
        [run.start_b, run.start_b + run.length - 1],
    ]
    return [*ranges, run.length] if with_length else ranges
