"""The list commands that look for elements."""

from __future__ import annotations

from itertools import groupby, islice
from typing import TYPE_CHECKING

from shmcache.commands.arguments import INT64_MAX, integer, integer_from
from shmcache.commands.removals import is_part_of_more
from shmcache.commands.replies import CommandError, Reply, syntax_error
from shmcache.errors import OutOfMemory

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from shmcache.arena import Reads, Transaction, View
    from shmcache.commands.context import Context

__all__ = ["linsert", "lpos", "lrem"]

_CHUNK = 512
"""So many elements are read at once: a find near the end of a long list must not cost all of it."""
_MOST_RUNS = 64
"""Elements in more places than this are removed by writing the list anew."""


def linsert(context: Context, args: Sequence[bytes]) -> Reply:
    """LINSERT key BEFORE | AFTER pivot element."""
    db, (key, where, pivot, element) = context.db, args
    where = where.upper()
    if where not in {b"BEFORE", b"AFTER"}:
        raise syntax_error()
    with context.arena.transaction([(db, key)]) as transaction:
        length = transaction.length(db, key, "list")
        index = next(_positions(transaction, db, key, pivot, length), None)
        if index is None:
            return -1 if length else 0
        return transaction.list_insert(db, key, index + (where == b"AFTER"), element)


def lrem(context: Context, args: Sequence[bytes]) -> Reply:
    """LREM key count element."""
    db, (key, word, element) = context.db, args
    count = integer(word)
    arena = context.arena
    try:
        with arena.transaction([(db, key)], "lrem") as transaction:
            length = transaction.length(db, key, "list")
            found = _positions(transaction, db, key, element, length, backward=count < 0)
            doomed = sorted(islice(found, min(abs(count) or length, length)))
            _remove_all(transaction, db, key, doomed)
            return len(doomed)
    except OutOfMemory:
        if is_part_of_more(arena):
            raise
    # one after the other is more than nothing
    removed = 0
    while (not count or removed < abs(count)) and _remove_one(context, key, element, count < 0):
        removed += 1
    return removed


def _remove_one(context: Context, key: bytes, element: bytes, last: bool) -> bool:
    """Remove the first element, or the last one, that is equal to one; whether there is any."""
    db = context.db
    with context.arena.transaction([(db, key)]) as transaction:
        length = transaction.length(db, key, "list")
        found = _positions(transaction, db, key, element, length, backward=last)
        index = next(found, None)
        if index is not None:
            transaction.list_remove(db, key, index, 1)
    return index is not None


def lpos(context: Context, args: Sequence[bytes]) -> Reply:
    """LPOS key element [RANK rank] [COUNT num-matches] [MAXLEN len]."""
    db, key, element = context.db, args[0], args[1]
    rank, count, limit = _lpos_options(args[2:])

    def work(view: View) -> Reply:
        length = view.length(db, key, "list")
        found = _positions(view, db, key, element, length, limit=limit, backward=rank < 0)
        matches = islice(found, abs(rank) - 1, None)
        return next(matches, None) if count is None else [*islice(matches, count or None)]

    return context.arena.read([(db, key)], work)


def _lpos_options(words: Sequence[bytes]) -> tuple[int, int | None, int]:
    """Rank, count (None: one match, not an array) and how many elements to compare (0: all)."""
    rank, count, limit = 1, None, 0
    for position in range(0, len(words), 2):
        option = words[position].upper()
        if position + 1 == len(words):
            raise syntax_error()
        value = words[position + 1]
        if option == b"RANK":
            rank = _rank(value)
        elif option == b"COUNT":
            count = integer_from(value, 0, complaint="COUNT can't be negative")
        elif option == b"MAXLEN":
            limit = integer_from(value, 0, complaint="MAXLEN can't be negative")
        else:
            raise syntax_error()
    return rank, count, limit


def _rank(word: bytes) -> int:
    rank = integer_from(word, -INT64_MAX)
    if rank == 0:
        raise CommandError(
            "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... "
            "or use negative to start from the end of the list"
        )
    return rank


def _positions(
    reads: Reads,
    db: int,
    key: bytes,
    element: bytes,
    length: int,
    *,
    limit: int = 0,
    backward: bool = False,
) -> Iterator[int]:
    """Where in a list of this length an element is, one position after the other.

    :param limit: look at no more elements than this; 0 means all
    """
    reach = min(limit or length, length)
    for done in range(0, reach, _CHUNK):
        size = min(_CHUNK, reach - done)
        first = length - done - size if backward else done
        chunk = reads.list_range(db, key, first, first + size - 1)
        here = _within(chunk, element)
        for index in reversed([*here]) if backward else here:
            yield first + index


def _within(chunk: list[bytes], element: bytes) -> Iterator[int]:
    index = -1
    for _ in range(chunk.count(element)):
        index = chunk.index(element, index + 1)
        yield index


def _remove_all(transaction: Transaction, db: int, key: bytes, positions: list[int]) -> None:
    """Remove the elements at these positions, which ascend."""
    runs = [
        (run[0], len(run))
        for run in (
            [position for _, position in group]
            for _, group in groupby(enumerate(positions), lambda pair: pair[1] - pair[0])
        )
    ]
    if len(runs) <= _MOST_RUNS:
        for first, count in reversed(runs):
            transaction.list_remove(db, key, first, count)
        return
    elements = transaction.list_range(db, key, 0, -1)
    for first, count in reversed(runs):
        del elements[first : first + count]
    info = transaction.describe(db, key)
    expire_ms = info.expire_ms if info else 0
    transaction.store(db, key, "list", elements, (), expire_ms)
