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

__all__ = ["is_part_of_more", "remove_all"]


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
