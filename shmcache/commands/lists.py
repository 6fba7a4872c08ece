"""The list commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shmcache.commands.arguments import integer, integer_from, integer_or_none
from shmcache.commands.removals import is_part_of_more
from shmcache.commands.replies import (
    NULL_ARRAY,
    OK,
    CommandError,
    Reply,
    not_an_integer,
    syntax_error,
    wrong_arity,
)
from shmcache.errors import OutOfMemory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shmcache.arena import Transaction
    from shmcache.commands.context import Context

__all__ = [
    "lindex",
    "llen",
    "lmove",
    "lmpop",
    "lmpop_line",
    "lpop",
    "lpush",
    "lpushx",
    "lrange",
    "lset",
    "ltrim",
    "rpop",
    "rpoplpush",
    "rpush",
    "rpushx",
    "sides_of_move",
    "take_from_first",
]

_SIDES = {b"LEFT": True, b"RIGHT": False}
"""Whether the word is the left side."""
_FEW = 16
"""So many elements are popped one by one; more are read first and then removed together."""


# ---- pushing -------------------------------------------------------------------------------------


def lpush(context: Context, args: Sequence[bytes]) -> Reply:
    """LPUSH key element [element ...]."""
    return context.arena.list_push(context.db, args[0], args[1:], left=True)


def rpush(context: Context, args: Sequence[bytes]) -> Reply:
    """RPUSH key element [element ...]."""
    return context.arena.list_push(context.db, args[0], args[1:], left=False)


def lpushx(context: Context, args: Sequence[bytes]) -> Reply:
    """LPUSHX key element [element ...]."""
    return context.arena.list_push(context.db, args[0], args[1:], left=True, must_exist=True)


def rpushx(context: Context, args: Sequence[bytes]) -> Reply:
    """RPUSHX key element [element ...]."""
    return context.arena.list_push(context.db, args[0], args[1:], left=False, must_exist=True)


# ---- popping -------------------------------------------------------------------------------------


def lpop(context: Context, args: Sequence[bytes]) -> Reply:
    """LPOP key [count]."""
    return _pop(context, args, "lpop", left=True)


def rpop(context: Context, args: Sequence[bytes]) -> Reply:
    """RPOP key [count]."""
    return _pop(context, args, "rpop", left=False)


def _pop(context: Context, args: Sequence[bytes], command: str, *, left: bool) -> Reply:
    if len(args) == 1:
        popped = context.arena.list_pop(context.db, args[0], 1, left=left)
        return popped[0] if popped else None
    if len(args) > 2:
        raise wrong_arity(command)
    count = integer_from(args[1], 0, complaint="value is out of range, must be positive")
    if count:
        return _take(context, args[0], count, left=left) or NULL_ARRAY
    return [] if context.arena.length(context.db, args[0], "list") else NULL_ARRAY


def _take(context: Context, key: bytes, count: int, *, left: bool) -> list[bytes]:
    """Elements off an end; one after the other if there is no memory to take them together."""
    arena, db = context.arena, context.db
    try:
        if count <= _FEW:
            return arena.list_pop(db, key, count, left=left)
        with arena.transaction([(db, key)], "lpop" if left else "rpop") as transaction:
            return _cut(transaction, db, key, count, left=left)
    except OutOfMemory:
        if is_part_of_more(arena):
            raise
    return _take_each(context, key, count, left=left)


def _take_each(context: Context, key: bytes, count: int, *, left: bool) -> list[bytes]:
    taken: list[bytes] = []
    while len(taken) < count:
        one = context.arena.list_pop(context.db, key, 1, left=left)
        if not one:
            break
        taken += one
    return taken


def _cut(transaction: Transaction, db: int, key: bytes, count: int, *, left: bool) -> list[bytes]:
    """Elements off an end, in the order in which they would be popped."""
    length = transaction.length(db, key, "list")
    count = min(count, length)
    if not count:
        return []
    first = 0 if left else length - count
    elements = transaction.list_range(db, key, first, first + count - 1)
    transaction.list_remove(db, key, first, count)
    return elements if left else elements[::-1]


def lmpop(context: Context, args: Sequence[bytes]) -> Reply:
    """LMPOP numkeys key [key ...] LEFT | RIGHT [COUNT count]."""
    keys, left, count = lmpop_line(args)
    found = take_from_first(context, keys, count, left=left)
    return NULL_ARRAY if found is None else list(found)


def lmpop_line(args: Sequence[bytes]) -> tuple[Sequence[bytes], bool, int]:
    """The keys of an LMPOP, whether it takes from the left, and how many elements at most.

    :raises CommandError: it makes no sense
    """
    number = integer_from(args[0], 1, complaint="numkeys should be greater than 0")
    keys, options = args[1 : 1 + number], args[1 + number :]
    side = _SIDES.get(options[0].upper()) if options else None
    if side is None:
        raise syntax_error()
    return keys, side, _lmpop_count(options[1:])


def take_from_first(
    context: Context, keys: Sequence[bytes], count: int, *, left: bool
) -> tuple[bytes, list[bytes]] | None:
    """Elements off an end of the first list that there is, and its key."""
    if len(keys) == 1:
        taken = _take(context, keys[0], count, left=left)
        return (keys[0], taken) if taken else None
    arena, db = context.arena, context.db
    try:
        named = "lpop" if left else "rpop"
        with arena.transaction([(db, key) for key in keys], named) as transaction:
            for key in keys:
                taken = _cut(transaction, db, key, count, left=left)
                if taken:
                    return key, taken
            return None
    except OutOfMemory:
        if is_part_of_more(arena):
            raise
    for key in keys:
        taken = _take_each(context, key, count, left=left)
        if taken:
            return key, taken
    return None


def _lmpop_count(words: Sequence[bytes]) -> int:
    if not words:
        return 1
    if words[0].upper() != b"COUNT" or len(words) == 1:
        raise syntax_error()
    count = integer_from(words[1], 1, complaint="count should be greater than 0")
    if len(words) > 2:
        raise syntax_error()
    return count


# ---- moving --------------------------------------------------------------------------------------


def lmove(context: Context, args: Sequence[bytes]) -> Reply:
    """LMOVE source destination LEFT | RIGHT LEFT | RIGHT."""
    from_left, to_left = sides_of_move(args)
    return _move(context, args[0], args[1], from_left=from_left, to_left=to_left)


def sides_of_move(args: Sequence[bytes]) -> tuple[bool, bool]:
    """Whether LMOVE's element is to leave and to arrive on the left.

    :raises CommandError: no sides
    """
    from_left, to_left = _SIDES.get(args[2].upper()), _SIDES.get(args[3].upper())
    if from_left is None or to_left is None:
        raise syntax_error()
    return from_left, to_left


def rpoplpush(context: Context, args: Sequence[bytes]) -> Reply:
    """RPOPLPUSH source destination."""
    return _move(context, args[0], args[1], from_left=False, to_left=True)


def _move(
    context: Context, source: bytes, destination: bytes, *, from_left: bool, to_left: bool
) -> Reply:
    db = context.db
    with context.arena.transaction([(db, source), (db, destination)]) as transaction:
        element = transaction.list_at(db, source, 0 if from_left else -1)
        if element is None:
            return None
        if source == destination and from_left == to_left:
            transaction.notify(db, source, "lpush" if to_left else "rpush")
            transaction.notify(db, source, "lpop" if from_left else "rpop")
            return element
        # pushed first, so that a list that is rotated never becomes empty, which would end its TTL
        transaction.list_push(db, destination, [element], left=to_left)
        transaction.list_pop(db, source, 1, left=from_left)
    return element


# ---- by index ------------------------------------------------------------------------------------


def llen(context: Context, args: Sequence[bytes]) -> Reply:
    """LLEN key."""
    return context.arena.length(context.db, args[0], "list")


def lindex(context: Context, args: Sequence[bytes]) -> Reply:
    """LINDEX key index."""
    index = integer_or_none(args[1])
    if index is None:
        # Redis looks at the key first
        if context.arena.length(context.db, args[0], "list"):
            raise not_an_integer()
        return None
    return context.arena.list_at(context.db, args[0], index)


def lrange(context: Context, args: Sequence[bytes]) -> Reply:
    """LRANGE key start stop."""
    return context.arena.list_range(context.db, args[0], integer(args[1]), integer(args[2]))


def lset(context: Context, args: Sequence[bytes]) -> Reply:
    """LSET key index element."""
    db, (key, word, element) = context.db, args
    with context.arena.transaction([(db, key)]) as transaction:
        length = transaction.length(db, key, "list")
        if not length:
            raise CommandError("ERR no such key")
        index = integer(word)
        index += length if index < 0 else 0
        if not 0 <= index < length:
            raise CommandError("ERR index out of range")
        transaction.list_replace(db, key, index, element)
    return OK


def ltrim(context: Context, args: Sequence[bytes]) -> Reply:
    """LTRIM key start stop."""
    arena, db, key = context.arena, context.db, args[0]
    start, stop = integer(args[1]), integer(args[2])
    try:
        with arena.transaction([(db, key)], "ltrim") as transaction:
            length = transaction.length(db, key, "list")
            before, behind = _outside(start, stop, length)
            # first what is behind, which does not move what is in front
            transaction.list_remove(db, key, length - behind, behind)
            transaction.list_remove(db, key, 0, before)
            if length and not before and not behind:
                transaction.notify(db, key, "ltrim")
            return OK
    except OutOfMemory:
        if is_part_of_more(arena):
            raise
    before, behind = _outside(start, stop, arena.length(db, key, "list"))
    _take_each(context, key, behind, left=False)
    _take_each(context, key, before, left=True)
    return OK


def _outside(start: int, stop: int, length: int) -> tuple[int, int]:
    """How many elements there are in front of a range, and how many behind it."""
    first = max(start + length, 0) if start < 0 else min(start, length)
    after = (stop + length if stop < 0 else min(stop, length - 1)) + 1
    return first, length - max(after, first)
