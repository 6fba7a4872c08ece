"""The set commands."""

from __future__ import annotations

from functools import partial
from itertools import takewhile
from typing import TYPE_CHECKING

from shmcache.commands.arguments import INT64_MAX, integer_or_none
from shmcache.commands.removals import is_part_of_more, remove_all
from shmcache.commands.replies import CommandError, Reply, SetReply, syntax_error
from shmcache.commands.samples import check_repetitions, sample_size
from shmcache.commands.scans import is_given_whole, parse_scan_cursor, parse_scan_options
from shmcache.errors import OutOfMemory

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeAlias

    from shmcache.arena import Reads
    from shmcache.commands.context import Context

    Combine: TypeAlias = Callable[[Reads, int, Sequence[bytes]], list[bytes]]

__all__ = [
    "sadd",
    "scard",
    "sdiff",
    "sdiffstore",
    "sinter",
    "sintercard",
    "sinterstore",
    "sismember",
    "smembers",
    "smismember",
    "smove",
    "spop",
    "srandmember",
    "srem",
    "sscan",
    "sunion",
    "sunionstore",
]

# ---- members -------------------------------------------------------------------------------------


def sadd(context: Context, args: Sequence[bytes]) -> Reply:
    """SADD key member [member ...]."""
    return context.arena.set_add(context.db, args[0], args[1:])


def srem(context: Context, args: Sequence[bytes]) -> Reply:
    """SREM key member [member ...]."""
    arena = context.arena
    return remove_all(arena, partial(arena.set_remove, context.db, args[0]), args[1:])


def sismember(context: Context, args: Sequence[bytes]) -> Reply:
    """SISMEMBER key member."""
    return int(context.arena.set_has(context.db, args[0], args[1:])[0])


def smismember(context: Context, args: Sequence[bytes]) -> Reply:
    """SMISMEMBER key member [member ...]."""
    return [int(found) for found in context.arena.set_has(context.db, args[0], args[1:])]


def smove(context: Context, args: Sequence[bytes]) -> Reply:
    """SMOVE source destination member."""
    db, (source, target, member) = context.db, args
    with context.arena.transaction([(db, source), (db, target)]) as transaction:
        if transaction.describe(db, source) is None:
            return 0  # whatever the destination is
        found = transaction.set_has(db, source, [member])[0]
        transaction.length(db, target, "set")  # refuses another type
        if found and source != target:
            transaction.set_remove(db, source, [member])
            transaction.set_add(db, target, [member])
    return int(found)


# ---- the whole set -------------------------------------------------------------------------------


def scard(context: Context, args: Sequence[bytes]) -> Reply:
    """SCARD key."""
    return context.arena.length(context.db, args[0], "set")


def _as_set(context: Context, members: list[bytes]) -> Reply:
    return members if context.resp == 2 else SetReply(members)


def smembers(context: Context, args: Sequence[bytes]) -> Reply:
    """SMEMBERS key."""
    return _as_set(context, context.arena.set_members(context.db, args[0]))


def spop(context: Context, args: Sequence[bytes]) -> Reply:
    """SPOP key [count]."""
    if len(args) == 1:
        popped = context.arena.set_pop(context.db, args[0], 1)
        return popped[0] if popped else None
    if len(args) > 2:
        raise syntax_error()
    count = integer_or_none(args[1])
    if count is None or count < 0:
        raise CommandError("ERR value is out of range, must be positive")
    return _as_set(context, _pop(context, args[0], count))


def _pop(context: Context, key: bytes, count: int) -> list[bytes]:
    """Members at random; see ``removals`` for why they may go one after the other."""
    arena, db = context.arena, context.db
    try:
        return arena.set_pop(db, key, count)
    except OutOfMemory:
        if count == 1 or is_part_of_more(arena):
            raise
    several = takewhile(bool, (arena.set_pop(db, key, 1) for _ in range(count)))
    return [member for popped in several for member in popped]


def srandmember(context: Context, args: Sequence[bytes]) -> Reply:
    """SRANDMEMBER key [count]."""
    arena, db, key = context.arena, context.db, args[0]
    if len(args) == 1:
        chosen = arena.set_random(db, key, 1, distinct=True)
        return chosen[0] if chosen else None
    if len(args) > 2:
        raise syntax_error()
    count = sample_size(args[1])
    check_repetitions(arena.length(db, key, "set"), count)
    return arena.set_random(db, key, abs(count), distinct=count >= 0)


def sscan(context: Context, args: Sequence[bytes]) -> Reply:
    """SSCAN key cursor [MATCH pattern] [COUNT count]."""
    arena, db, key = context.arena, context.db, args[0]
    cursor = parse_scan_cursor(args[1])
    if len(args) > 2 and not arena.length(db, key, "set"):
        return [b"0", []]  # whatever the options are
    options = parse_scan_options(args[2:])
    next_cursor, found = arena.set_scan(db, key, cursor, options.batch)
    if next_cursor and not cursor and is_given_whole(context, key):
        next_cursor, found = 0, arena.set_members(db, key)
    if options.fits is not None:
        found = list(filter(options.fits, found))
    return [b"%d" % next_cursor, found]


# ---- several sets --------------------------------------------------------------------------------


def _intersection(reads: Reads, db: int, keys: Sequence[bytes]) -> list[bytes]:
    """Members that all sets have: the smallest one's, looked up in the others."""
    by_length = sorted(set(keys), key=lambda key: reads.length(db, key, "set"))
    members = reads.set_members(db, by_length[0])
    for key in by_length[1:]:
        if not members:
            break
        found = reads.set_has(db, key, members)
        members = [member for member, is_there in zip(members, found, strict=True) if is_there]
    return members


def _union(reads: Reads, db: int, keys: Sequence[bytes]) -> list[bytes]:
    """Members that any of the sets has."""
    members: dict[bytes, None] = {}
    for key in keys:
        members.update(dict.fromkeys(reads.set_members(db, key)))
    return list(members)


def _difference(reads: Reads, db: int, keys: Sequence[bytes]) -> list[bytes]:
    """Members of the first set that no other has.

    Each other set is asked for the members that are left, or read as a whole if it has fewer.
    """
    lengths = [reads.length(db, key, "set") for key in keys]  # refuses other types
    left = dict.fromkeys(reads.set_members(db, keys[0]))
    for key, length in zip(keys[1:], lengths[1:], strict=True):
        if not left:
            break
        if length < len(left):
            gone = reads.set_members(db, key)
        else:
            asked = list(left)
            found = reads.set_has(db, key, asked)
            gone = [member for member, is_there in zip(asked, found, strict=True) if is_there]
        for member in gone:
            left.pop(member, None)
    return list(left)


def _combined(context: Context, keys: Sequence[bytes], combine: Combine) -> list[bytes]:
    db = context.db
    return context.arena.read([(db, key) for key in keys], lambda view: combine(view, db, keys))


def _store(context: Context, args: Sequence[bytes], combine: Combine, command: str) -> Reply:
    db, target, keys = context.db, args[0], args[1:]
    with context.arena.transaction([(db, key) for key in args], command) as transaction:
        members = combine(transaction, db, keys)
        transaction.store(db, target, "set", members)
    return len(members)


def sinter(context: Context, args: Sequence[bytes]) -> Reply:
    """SINTER key [key ...]."""
    return _as_set(context, _combined(context, args, _intersection))


def sinterstore(context: Context, args: Sequence[bytes]) -> Reply:
    """SINTERSTORE destination key [key ...]."""
    return _store(context, args, _intersection, "sinterstore")


def sunion(context: Context, args: Sequence[bytes]) -> Reply:
    """SUNION key [key ...]."""
    return _as_set(context, _combined(context, args, _union))


def sunionstore(context: Context, args: Sequence[bytes]) -> Reply:
    """SUNIONSTORE destination key [key ...]."""
    return _store(context, args, _union, "sunionstore")


def sdiff(context: Context, args: Sequence[bytes]) -> Reply:
    """SDIFF key [key ...]."""
    return _as_set(context, _combined(context, args, _difference))


def sdiffstore(context: Context, args: Sequence[bytes]) -> Reply:
    """SDIFFSTORE destination key [key ...]."""
    return _store(context, args, _difference, "sdiffstore")


def sintercard(context: Context, args: Sequence[bytes]) -> Reply:
    """SINTERCARD numkeys key [key ...] [LIMIT limit]."""
    number = integer_or_none(args[0])
    if number is None or number < 1:
        raise CommandError("ERR numkeys should be greater than 0")
    if number > len(args) - 1:
        raise CommandError("ERR Number of keys can't be greater than number of args")
    keys, words = args[1 : number + 1], args[number + 1 :]
    limit = 0
    for position in range(0, len(words), 2):
        if words[position].upper() != b"LIMIT" or position + 1 == len(words):
            raise syntax_error()
        given = integer_or_none(words[position + 1])
        if given is None or not 0 <= given <= INT64_MAX:
            raise CommandError("ERR LIMIT can't be negative")
        limit = given
    common = len(_combined(context, keys, _intersection))
    return min(common, limit) if limit else common
