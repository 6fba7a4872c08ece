"""The hash commands, save those on the times of death of fields."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from shmcache.arena import PUT_KEEP_TTL, PUT_NX
from shmcache.commands import long_double
from shmcache.commands.arguments import INT64_MAX, INT64_MIN, integer, integer_or_none
from shmcache.commands.removals import remove_all
from shmcache.commands.replies import OK, CommandError, Reply, syntax_error, wrong_arity
from shmcache.commands.samples import check_repetitions, sample_size
from shmcache.commands.scans import is_given_whole, parse_scan_cursor, parse_scan_options
from shmcache.errors import ValueOverflow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shmcache.commands.context import Context

__all__ = [
    "hdel",
    "hexists",
    "hget",
    "hgetall",
    "hincrby",
    "hincrbyfloat",
    "hkeys",
    "hlen",
    "hmget",
    "hmset",
    "hrandfield",
    "hscan",
    "hset",
    "hsetnx",
    "hstrlen",
    "hvals",
]

# ---- fields --------------------------------------------------------------------------------------


def hset(context: Context, args: Sequence[bytes]) -> Reply:
    """HSET key field value [field value ...]."""
    if not len(args) % 2:
        raise wrong_arity("hset")
    return context.arena.hash_set(context.db, args[0], args[1:])


def hmset(context: Context, args: Sequence[bytes]) -> Reply:
    """HMSET key field value [field value ...]."""
    if not len(args) % 2:
        raise wrong_arity("hmset")
    context.arena.hash_set(context.db, args[0], args[1:])
    return OK


def hsetnx(context: Context, args: Sequence[bytes]) -> Reply:
    """HSETNX key field value."""
    return context.arena.hash_set(context.db, args[0], args[1:], PUT_NX)


def hget(context: Context, args: Sequence[bytes]) -> Reply:
    """HGET key field."""
    return context.arena.hash_get(context.db, args[0], args[1])


def hmget(context: Context, args: Sequence[bytes]) -> Reply:
    """HMGET key field [field ...]."""
    return context.arena.hash_get_many(context.db, args[0], args[1:])


def hdel(context: Context, args: Sequence[bytes]) -> Reply:
    """HDEL key field [field ...]."""
    arena = context.arena
    return remove_all(arena, partial(arena.hash_delete, context.db, args[0]), args[1:])


def hexists(context: Context, args: Sequence[bytes]) -> Reply:
    """HEXISTS key field."""
    # whether there is a time of death tells as much as the value, and is never long
    expiries = context.arena.hash_expiries(context.db, args[0], args[1:])
    return int(expiries is not None and expiries[0] is not None)


def hstrlen(context: Context, args: Sequence[bytes]) -> Reply:
    """HSTRLEN key field."""
    return len(context.arena.hash_get(context.db, args[0], args[1]) or b"")


# ---- the whole hash ------------------------------------------------------------------------------


def hlen(context: Context, args: Sequence[bytes]) -> Reply:
    """HLEN key: with the fields that have died and were not removed yet, as in Redis."""
    return context.arena.length(context.db, args[0], "hash")


def hgetall(context: Context, args: Sequence[bytes]) -> Reply:
    """HGETALL key."""
    flat = context.arena.hash_all(context.db, args[0])
    return flat if context.resp == 2 else dict(zip(flat[::2], flat[1::2], strict=True))


def hkeys(context: Context, args: Sequence[bytes]) -> Reply:
    """HKEYS key."""
    return context.arena.hash_fields(context.db, args[0])


def hvals(context: Context, args: Sequence[bytes]) -> Reply:
    """HVALS key."""
    return context.arena.hash_values(context.db, args[0])


def hrandfield(context: Context, args: Sequence[bytes]) -> Reply:
    """HRANDFIELD key [count [WITHVALUES]]."""
    arena, db, key = context.arena, context.db, args[0]
    if len(args) == 1:
        pair = arena.hash_random(db, key, 1, distinct=True)
        return pair[0] if pair else None
    count = sample_size(args[1])
    with_values = len(args) == 3 and args[2].upper() == b"WITHVALUES"
    if len(args) > 2 and not with_values:
        raise syntax_error()
    if with_values and abs(count) > INT64_MAX // 2:
        raise CommandError("ERR value is out of range")
    check_repetitions(arena.length(db, key, "hash"), count)
    flat = arena.hash_random(db, key, abs(count), distinct=count >= 0)
    if not with_values:
        return flat[::2]
    if context.resp == 2:
        return flat
    return [list(pair) for pair in zip(flat[::2], flat[1::2], strict=True)]


def hscan(context: Context, args: Sequence[bytes]) -> Reply:
    """HSCAN key cursor [MATCH pattern] [COUNT count] [NOVALUES]."""
    arena, db, key = context.arena, context.db, args[0]
    cursor = parse_scan_cursor(args[1])
    if len(args) > 2 and not arena.length(db, key, "hash"):
        return [b"0", []]  # whatever the options are
    options = parse_scan_options(args[2:], of_pairs=True)
    next_cursor, flat = arena.hash_scan(db, key, cursor, options.batch)
    if next_cursor and not cursor and is_given_whole(context, key):
        next_cursor, flat = 0, arena.hash_all(db, key)
    if options.fits is None:
        found = flat if options.values else flat[::2]
    else:
        found = []
        for name, value in zip(flat[::2], flat[1::2], strict=True):
            if options.fits(name):
                found += (name, value) if options.values else (name,)
    return [b"%d" % next_cursor, found]


# ---- numbers -------------------------------------------------------------------------------------


def hincrby(context: Context, args: Sequence[bytes]) -> Reply:
    """HINCRBY key field increment."""
    db, key, field = context.db, args[0], args[1]
    increment = integer(args[2])
    with context.arena.transaction([(db, key)], "hincrby") as transaction:
        value = transaction.hash_get(db, key, field)
        number = 0 if value is None else integer_or_none(value)
        if number is None:
            raise CommandError("ERR hash value is not an integer")
        number += increment
        if not INT64_MIN <= number <= INT64_MAX:
            raise ValueOverflow
        transaction.hash_set(db, key, [field, b"%d" % number], PUT_KEEP_TTL)
    return number


def hincrbyfloat(context: Context, args: Sequence[bytes]) -> Reply:
    """HINCRBYFLOAT key field increment."""
    db, key, field = context.db, args[0], args[1]
    increment = long_double.parse(args[2])
    if increment is None:
        raise CommandError("ERR value is not a valid float")
    if not increment.is_finite:
        raise CommandError("ERR value is NaN or Infinity")
    with context.arena.transaction([(db, key)], "hincrbyfloat") as transaction:
        value = transaction.hash_get(db, key, field)
        old = long_double.parse(b"0" if value is None else value)
        if old is None:
            raise CommandError("ERR hash value is not a float")
        total = long_double.add(old, increment)
        if total is None or not total.is_finite:
            raise CommandError("ERR increment would produce NaN or Infinity")
        text = long_double.to_text(total)
        transaction.hash_set(db, key, [field, text], PUT_KEEP_TTL)
    return text
