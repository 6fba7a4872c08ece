"""What an element of a large container costs beyond its bytes. Part of the section memory."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.bare import bare_arena, smallest_that_fits
from shmcache.arena import Arena, segment_sizes
from shmcache.errors import OutOfMemory

if TYPE_CHECKING:
    from benchmarks.report import Bench

__all__ = ["measure_elements"]

_ELEMENTS = 100_000  # of each container
_CONTAINERS = 10  # so that what every arena needs has the same weight as with a million keys
_BATCH = 100
_ELEMENT_BYTES = 16

Put = Callable[[Arena, bytes, Sequence[bytes]], object]


class _Kind(NamedTuple):
    """One type of container, and how a batch of elements gets into it."""

    name: str
    data_bytes: int
    put: Put


def _put_fields(arena: Arena, key: bytes, elements: Sequence[bytes]) -> None:
    # a value of its own for each field, as long as the field
    arena.hash_set(0, key, [word for element in elements for word in (element, element[::-1])])


def _put_scored(arena: Arena, key: bytes, elements: Sequence[bytes]) -> None:
    arena.zset_add_many(0, key, elements, [float(element[8:]) for element in elements])


_KINDS = (
    _Kind("hash", 2 * _ELEMENT_BYTES, _put_fields),
    _Kind("set", _ELEMENT_BYTES, lambda arena, key, elements: arena.set_add(0, key, elements)),
    _Kind("zset", _ELEMENT_BYTES, _put_scored),
    _Kind(
        "list",
        _ELEMENT_BYTES,
        lambda arena, key, elements: arena.list_push(0, key, elements, left=False),
    ),
)


def measure_elements(bench: Bench) -> None:
    """Find the smallest arena that holds some containers of 100,000 elements of 16 bytes."""
    containers = 2 if bench.quick else _CONTAINERS
    count = containers * _ELEMENTS
    for kind in _KINDS:
        holds = partial(_holds, kind=kind, containers=containers)
        with bench.progress(12) as progress:
            roomy = count * (kind.data_bytes + 200) + (8 << 20)
            with bare_arena(bench.cache_name, roomy) as arena:
                assert holds(arena), "a generous arena was too small"
                used = arena.statistics().used_bytes
            progress.step(f"{kind.name}: filled a roomy arena")
            smallest = smallest_that_fits(bench.cache_name, used, holds, progress)
        total = sum(segment_sizes(smallest))
        beyond = total / count - kind.data_bytes
        note = f"{containers} of {_ELEMENTS:,} in {total / 2**20:.1f} MiB, everything counted"
        bench.figure(f"{kind.name}, smallest arena", beyond, "bytes an element", note)
        bench.figure("  used blocks", used / count - kind.data_bytes, "bytes an element")
        bench.target(f"element-{kind.name}", beyond)


def _holds(arena: Arena, kind: _Kind, containers: int) -> bool:
    """Whether that many containers can be stored, their elements coming in no order."""
    order = list(range(_ELEMENTS))
    random.Random(1).shuffle(order)
    elements = [b"element:%08d" % number for number in order]
    try:
        for number in range(containers):
            key = b"%b:%d" % (kind.name.encode(), number)
            for start in range(0, _ELEMENTS, _BATCH):
                kind.put(arena, key, elements[start : start + _BATCH])
    except OutOfMemory:
        return False
    return arena.db_keys(0) == containers
