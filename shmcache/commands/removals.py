"""Taking several elements out of a value in a cache that is full.

To remember many changes for the case of a crash takes memory, and a full cache has little of it.
One removal takes hardly any, and to make room is worth more than to vanish together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shmcache.arena import Arena
from shmcache.errors import OutOfMemory

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shmcache.arena import Transaction

__all__ = ["is_part_of_more", "remove_all", "remove_in_steps"]

_FIRST_STEP = 64


def is_part_of_more(arena: object) -> bool:
    """Whether it stands for a larger transaction, which must not be broken up."""
    return not isinstance(arena, Arena)


def remove_all(
    arena: object, remove: Callable[[Sequence[bytes]], int], names: Sequence[bytes]
) -> int:
    """Remove all names together, or one after the other if memory is short; how many there were.

    :raises OutOfMemory: even one is too much, or they are part of a larger transaction
    """
    try:
        return remove(names)
    except OutOfMemory:
        if len(names) == 1 or is_part_of_more(arena):
            raise
    return sum(remove((name,)) for name in names)


def remove_in_steps(
    arena: Arena, key: tuple[int, bytes], remove: Callable[[Transaction, int], int], event: str
) -> int:
    """Remove all that ``remove`` would, together, or if memory is short in steps; how many.

    :param remove: takes a transaction on the key and how many to remove at most, -1 for all;
        returns how many there were, fewer than it was asked for at the end
    :param event: what it is called in keyspace notifications
    :raises OutOfMemory: even one is too much, or they are part of a larger transaction
    """
    step, total = -1, 0
    while True:
        try:
            with arena.transaction((key,), event) as tx:
                removed = remove(tx, step)
        except OutOfMemory:
            if step == 1 or is_part_of_more(arena):
                raise
            step = _FIRST_STEP if step < 0 else step // 2
            continue
        total += removed
        if removed < step or step < 0:
            return total
