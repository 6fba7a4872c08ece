"""How the calls on a sorted set grow with its size. Part of the section types."""

from __future__ import annotations

import random
from contextlib import ExitStack
from functools import partial
from time import perf_counter_ns
from typing import TYPE_CHECKING

from benchmarks.bare import bare_arena
from benchmarks.loops import quiet
from benchmarks.rounds import interleaved, median_ratio, medians

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.report import Bench
    from shmcache.arena import Arena
    from support.terminal import Progress

__all__ = ["measure_growth"]

_SMALL, _LARGE = 50_000, 5_000_000
_BATCH = 1_000
_CALLS = 5_000
_RANGE = 10
_KEY = b"board"
_MEMBER = b"member:%09d"
_BYTES_EACH = 120  # generous

Contender = tuple[str, int]


def measure_growth(bench: Bench) -> None:
    """Compare ZADD, ZRANK and ZRANGE of 10 in a huge sorted set with those in a large one."""
    sizes = (_SMALL // 10, _LARGE // 10) if bench.quick else (_SMALL, _LARGE)
    contenders: dict[Contender, Callable[[], float]] = {}
    rounds = bench.rounds
    with ExitStack() as stack, bench.progress(len(sizes) * (1 + 3 * rounds)) as progress:
        for size in sizes:
            name = f"{bench.cache_name}-{size}"
            arena = stack.enter_context(bare_arena(name, size * _BYTES_EACH + (16 << 20)))
            _fill(arena, size, progress)
            for command, measure in _MEASURES.items():
                contenders[command, size] = partial(measure, arena, size, random.Random(size))
        measured = interleaved(contenders, rounds, progress)
    small, large = sizes
    for (command, size), nanoseconds in medians(measured).items():
        bench.figure(f"{command} of {size:,} members", nanoseconds, "ns")
        if size == large:
            ratio = median_ratio(measured[command, large], measured[command, small])
            bench.target(f"grown-{command}", ratio)


def _fill(arena: Arena, size: int, progress: Progress) -> None:
    order = list(range(size))
    random.Random(size).shuffle(order)
    for start in range(0, size, _BATCH):
        members = order[start : start + _BATCH]
        arena.zset_add_many(0, _KEY, [_MEMBER % i for i in members], [float(i) for i in members])
    progress.step(f"a sorted set of {size:,}")


def _zadd(arena: Arena, size: int, source: random.Random) -> float:
    """Add members that are new, anywhere; they are taken out again afterwards."""
    members = [b"new:%012d" % source.getrandbits(39) for _ in range(_CALLS)]
    scores = [source.random() * size for _ in members]
    add = arena.zset_add
    with quiet():
        started = perf_counter_ns()
        for member, score in zip(members, scores, strict=True):
            add(0, _KEY, member, score)
        taken = perf_counter_ns() - started
    arena.zset_remove(0, _KEY, members)
    return taken / _CALLS


def _zrank(arena: Arena, size: int, source: random.Random) -> float:
    members = [_MEMBER % source.randrange(size) for _ in range(_CALLS)]
    rank = arena.zset_rank
    with quiet():
        started = perf_counter_ns()
        for member in members:
            rank(0, _KEY, member)
        return (perf_counter_ns() - started) / _CALLS


def _zrange(arena: Arena, size: int, source: random.Random) -> float:
    starts = [source.randrange(size - _RANGE) for _ in range(_CALLS)]
    members = arena.zset_members
    with quiet():
        started = perf_counter_ns()
        for start in starts:
            members(0, _KEY, start, _RANGE)
        return (perf_counter_ns() - started) / _CALLS


_MEASURES = {"zadd": _zadd, "zrank": _zrank, "zrange": _zrange}
