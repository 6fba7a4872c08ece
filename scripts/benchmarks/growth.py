"""How the calls on a sorted set grow with its size. Part of the section types."""

from __future__ import annotations

import random
from contextlib import ExitStack
from functools import partial
from time import perf_counter_ns
from typing import TYPE_CHECKING

import shmcache
from benchmarks.bare import bare_arena
from benchmarks.loops import quiet
from benchmarks.rounds import interleaved, median_ratio, medians

if TYPE_CHECKING:
    from collections.abc import Callable

    import redis

    from benchmarks.report import Bench
    from support.terminal import Progress

__all__ = ["measure_growth"]

_SIZES = (50_000, 500_000, 5_000_000)
_BATCH = 1_000
_CALLS = 5_000
_RANGE = 10
_KEY = b"board"
_MEMBER = b"member:%09d"
_BYTES_EACH = 120  # generous

Contender = tuple[str, int]


def measure_growth(bench: Bench) -> None:
    """Compare ZADD, ZRANK and ZRANGE of 10 in a huge sorted set with those in a large one."""
    sizes = [size // 10 if bench.quick else size for size in _SIZES]
    contenders: dict[Contender, Callable[[], float]] = {}
    rounds = bench.rounds
    with ExitStack() as stack, bench.progress(len(sizes) * (1 + 3 * rounds)) as progress:
        for size in sizes:
            name = f"{bench.cache_name}-{size}"
            stack.enter_context(bare_arena(name, size * _BYTES_EACH + (16 << 20)))
            cache = stack.enter_context(shmcache.attach(name, writable=True))
            _fill(cache, size, progress)
            for command, measure in _MEASURES.items():
                contenders[command, size] = partial(measure, cache, size, random.Random(size))
        measured = interleaved(contenders, rounds, progress)
    for (command, size), nanoseconds in medians(measured).items():
        ratio = median_ratio(measured[command, size], measured[command, sizes[0]])
        bench.figure(f"{command} of {size:,} members", nanoseconds, "ns", f"{ratio:.2f} ×")
        if size == sizes[-1]:
            bench.target(f"grown-{command}", ratio)


def _fill(cache: redis.Redis, size: int, progress: Progress) -> None:
    order = list(range(size))
    random.Random(size).shuffle(order)
    for start in range(0, size, _BATCH):
        cache.zadd(_KEY, {_MEMBER % i: float(i) for i in order[start : start + _BATCH]})
    progress.step(f"a sorted set of {size:,}")


def _zadd(cache: redis.Redis, size: int, source: random.Random) -> float:
    """Add members that are new, anywhere; they are taken out again afterwards."""
    members = [b"new:%012d" % source.getrandbits(39) for _ in range(_CALLS)]
    pairs = [{member: source.random() * size} for member in members]
    add = cache.zadd
    with quiet():
        started = perf_counter_ns()
        for pair in pairs:
            add(_KEY, pair)
        taken = perf_counter_ns() - started
    cache.zrem(_KEY, *members)
    return taken / _CALLS


def _zrank(cache: redis.Redis, size: int, source: random.Random) -> float:
    members = [_MEMBER % source.randrange(size) for _ in range(_CALLS)]
    rank = cache.zrank
    with quiet():
        started = perf_counter_ns()
        for member in members:
            rank(_KEY, member)
        return (perf_counter_ns() - started) / _CALLS


def _zrange(cache: redis.Redis, size: int, source: random.Random) -> float:
    starts = [source.randrange(size - _RANGE) for _ in range(_CALLS)]
    members = cache.zrange
    with quiet():
        started = perf_counter_ns()
        for start in starts:
            members(_KEY, start, start + _RANGE - 1)
        return (perf_counter_ns() - started) / _CALLS


_MEASURES = {"zadd": _zadd, "zrank": _zrank, "zrange": _zrange}
