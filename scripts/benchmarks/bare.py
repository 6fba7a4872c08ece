"""An arena without a daemon: nothing but the engine takes part."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from shmcache.arena import POLICIES, Arena, min_data_bytes
from shmcache.arena.segments import attach_arena, create_segments, unlink_segments

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.terminal import Progress

__all__ = ["bare_arena", "smallest_that_fits"]

_PRECISION = 0.002  # of the arena's size, in the search for the smallest that fits


@contextmanager
def bare_arena(name: str, data_bytes: int, policy: str = "noeviction") -> Iterator[Arena]:
    """Create an arena of this size; remove it on exit."""
    create_segments(name, data_bytes).close()
    try:
        arena = attach_arena(name, writable=True)
        tuning = arena.get_tuning()
        arena.set_tuning(
            tuning._replace(maxmemory=0, policy=POLICIES.index(policy), reserve_permille=0)
        )
        yield arena
        arena.close()
    finally:
        unlink_segments(name)


def smallest_that_fits(
    name: str, guess: int, holds: Callable[[Arena], bool], progress: Progress
) -> int:
    """Size of the smallest data segment that holds something, by bisection.

    :param guess: bytes that it is near to
    :param holds: fills an empty arena and tells whether everything is in it
    """

    def fits(data_bytes: int) -> bool:
        with bare_arena(name, data_bytes) as arena:
            held = holds(arena)
        progress.step(f"{data_bytes / 2**20:.1f} MiB {'hold' if held else 'do not hold'} them")
        return held

    low, high = max(min_data_bytes(), guess * 9 // 10), guess * 11 // 10
    while not fits(high):
        low, high = high, high * 11 // 10
    while high - low > high * _PRECISION:
        middle = (low + high) // 2
        if fits(middle):
            high = middle
        else:
            low = middle
    return high
