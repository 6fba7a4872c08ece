"""`allkeys-lru` against an exact LRU, on recorded traces.

A trace is replayed as cache-aside: a miss stores the value. The arena is sized to hold a share of
the trace's keys; how many it really held is measured, and an exact LRU of just that size is what it
is compared with.
"""

from __future__ import annotations

from statistics import mean
from typing import TYPE_CHECKING, NamedTuple

from shmcache.arena import Arena, min_data_bytes
from support.daemon import Daemon
from support.traces import (
    ATTRIBUTION,
    TRACES,
    exact_lru_bytes,
    exact_lru_hits,
    key_of,
    load_trace,
    size_of,
    traces_directory,
    zipf_sequence,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.report import Bench
    from support.terminal import Progress

__all__ = ["run"]

_SHARES = (5, 20)
_ONE_SIZE_BYTES = 1000
_CHUNKS = 40  # a replay pauses this often to see how much is held
_LOOKS = 10  # the last so many pauses count: by then the cache is full
_PROBES = 4
_PROBE_PRECISION = 0.005
_SAMPLE_VALUE = bytes(4000)
_QUICK_TRACES = ("web07", "web12")


class _Trace(NamedTuple):
    """A trace, ready to be replayed."""

    name: str
    accesses: Sequence[int]
    keys: list[bytes]
    """Key of each access."""
    distinct: int


class _Replayed(NamedTuple):
    """What came of a replay."""

    hits: int
    held_keys: float
    held_bytes: float
    """Values' bytes."""


def run(bench: Bench) -> None:
    """Replay each trace at each share of its keys, with one size and with each key's own."""
    directory = traces_directory()
    if directory is None:
        bench.leave_out("recorded traces (not here; SHMCACHE_TRACES names their directory)")
        traces = {"zipf": zipf_sequence(300_000)}
    else:
        names = _QUICK_TRACES if bench.quick else TRACES
        traces = {name: load_trace(directory / f"{name}.trace.xz") for name in names}
    with bench.progress(len(traces) * len(_SHARES) * 2) as progress:
        for name, accesses in traces.items():
            trace = _prepare(name, accesses)
            for share in _SHARES:
                for sizes in ("one", "own"):
                    progress.step(f"{name}, {share} % of its keys, {sizes} size", steps=0)
                    _measure(bench, trace, share, sizes, progress)
                    progress.step()
    if directory is not None:
        bench.figure("traces", len(traces), "", ATTRIBUTION)


def _prepare(name: str, accesses: Sequence[int]) -> _Trace:
    distinct = {number: key_of(number) for number in set(accesses)}
    return _Trace(name, accesses, [distinct[number] for number in accesses], len(distinct))


def _measure(bench: Bench, trace: _Trace, share: int, sizes: str, progress: Progress) -> None:
    wanted = trace.distinct * share // 100
    size_by_key = {
        key: _ONE_SIZE_BYTES if sizes == "one" else size_of(key) for key in set(trace.keys)
    }
    budget = wanted * mean(size_by_key.values())
    data_bytes = _arena_that_holds(bench, trace, size_by_key, budget, progress)
    with _daemon(bench, data_bytes) as daemon:
        replayed = _replay(daemon, trace, size_by_key)
    ratio = replayed.hits / len(trace.accesses)
    ideal = exact_lru_hits(trace.accesses, wanted) / len(trace.accesses)
    if sizes == "one":
        fair = exact_lru_hits(trace.accesses, round(replayed.held_keys)) / len(trace.accesses)
    else:
        by_number = {number: size_by_key[key_of(number)] for number in set(trace.accesses)}
        fair = exact_lru_bytes(trace.accesses, by_number, round(replayed.held_bytes))
        fair /= len(trace.accesses)
    held = f"{replayed.held_keys:,.0f} keys"
    if sizes == "own":
        held = f"{replayed.held_bytes / 1e6:.2f} MB"
    bench.figure(
        f"{trace.name}, {share} % of its keys, {sizes} size",
        100 * ratio,
        "% hits",
        f"exact LRU of the {held} it held {100 * fair:.2f}"
        + (f", of {wanted:,} keys {100 * ideal:.2f}" if sizes == "one" else ""),
    )
    if trace.name in TRACES:
        bench.target(f"lru-{trace.name}-{share}-{sizes}", 100 * (ratio - fair))


def _daemon(bench: Bench, data_bytes: int) -> Daemon:
    return Daemon(
        bench.cache_name,
        bench.directory,
        maxmemory=str(data_bytes),
        maxmemory_policy="allkeys-lru",
        save="",
    )


def _arena_that_holds(
    bench: Bench, trace: _Trace, size_by_key: dict[bytes, int], budget: float, progress: Progress
) -> int:
    """Size of an arena that holds `budget` bytes of this trace's values when it is full."""
    data_bytes = max(min_data_bytes(), int(budget * 1.2))
    for attempt in range(_PROBES):
        with _daemon(bench, data_bytes) as daemon:
            held = _fill(daemon, size_by_key)
        progress.step(f"{trace.name}: sizing the arena, attempt {attempt + 1}", steps=0)
        error = held / budget - 1
        if abs(error) < _PROBE_PRECISION:
            break
        data_bytes = max(min_data_bytes(), int(data_bytes - (held - budget)))
    return data_bytes


def _fill(daemon: Daemon, size_by_key: dict[bytes, int]) -> float:
    """Bytes of values held after every key was stored once."""
    put = daemon.attach().set
    for key, size in size_by_key.items():
        put(key, _SAMPLE_VALUE[:size])
    return _held(daemon.arena(), size_by_key)[1]


def _held(arena: Arena, size_by_key: dict[bytes, int]) -> tuple[int, int]:
    """How many keys are in the arena, and how many bytes their values have."""
    count = total = cursor = 0
    while True:
        cursor, keys = arena.scan(0, cursor, 1000)
        count += len(keys)
        total += sum(size_by_key[key] for key in keys)
        if cursor == 0:
            return count, total


def _replay(daemon: Daemon, trace: _Trace, size_by_key: dict[bytes, int]) -> _Replayed:
    cache, arena = daemon.attach(), daemon.arena()
    get: Callable[[bytes], object] = cache.get
    put: Callable[[bytes, bytes], object] = cache.set
    misses, looks = 0, []
    length = -(-len(trace.keys) // _CHUNKS)
    for start in range(0, len(trace.keys), length):
        for key in trace.keys[start : start + length]:
            if get(key) is None:
                misses += 1
                put(key, _SAMPLE_VALUE[: size_by_key[key]])
        looks.append(_held(arena, size_by_key))
    looks = looks[-_LOOKS:]
    return _Replayed(
        hits=len(trace.keys) - misses,
        held_keys=mean(count for count, _ in looks),
        held_bytes=mean(total for _, total in looks),
    )
