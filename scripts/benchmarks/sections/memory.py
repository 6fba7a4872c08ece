"""What a key or an element costs beyond its bytes, and how much of a full arena is live data."""

from __future__ import annotations

import os
import random
import socket
import time
from collections.abc import Callable
from functools import partial
from statistics import mean
from typing import TYPE_CHECKING

from benchmarks.bare import bare_arena, smallest_that_fits
from benchmarks.elements import measure_elements
from benchmarks.loops import VALUE
from benchmarks.servers import redis_server
from shmcache.arena import Arena, segment_sizes
from shmcache.errors import OutOfMemory
from support.daemon import Daemon

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.report import Bench

__all__ = ["run"]

_KEY = b"key:%012d"  # 16 bytes
_PAYLOAD_BYTES = len(_KEY % 0) + len(VALUE)
_TTL_SECONDS = 86_400
_FILL_ARENA_BYTES = 128 << 20
_TURNS = 4  # a phase writes this many times the arena's size
_LOOKS = 3  # and is looked at this often in its last turn


def run(bench: Bench) -> None:
    """Measure the cost of a key and of an element, then the fill share under eviction."""
    _overhead(bench)
    measure_elements(bench)
    _fill(bench)


# ---- the cost of a key


def _overhead(bench: Bench) -> None:
    count = 100_000 if bench.quick else 1_000_000
    expire_ms = int((time.time() + _TTL_SECONDS) * 1000)
    with bench.progress(12) as progress:
        roomy = count * (_PAYLOAD_BYTES + 200) + (8 << 20)
        with bare_arena(bench.cache_name, roomy) as arena:
            assert _holds(arena, count, expire_ms), "a generous arena was too small"
            statistics = arena.statistics()
        progress.step("filled a roomy arena")
        used = statistics.used_bytes
        smallest = smallest_that_fits(
            bench.cache_name, used, partial(_holds, count=count, expire_ms=expire_ms), progress
        )
        with redis_server(bench.directory) as path:
            redis_bytes = None if path is None else _redis_memory(path, count, expire_ms)
        progress.step("filled redis-server")
    total = sum(segment_sizes(smallest))
    beyond = total / count - _PAYLOAD_BYTES
    note = (
        f"{count:,} keys of 16 + 100 bytes with TTL in {total / 2**20:.1f} MiB, everything counted"
    )
    bench.figure("shmcache, smallest arena that holds them", beyond, "bytes a key", note)
    bench.figure(
        "shmcache, by its statistics", used / count - _PAYLOAD_BYTES, "bytes a key", "used blocks"
    )
    bench.figure("  of it index", statistics.index_bytes / count, "bytes a key")
    if redis_bytes is None:
        bench.leave_out("memory of redis-server (not installed)")
    else:
        bench.figure("redis-server", redis_bytes / count - _PAYLOAD_BYTES, "bytes a key")
    bench.target("overhead", beyond)


def _holds(arena: Arena, count: int, expire_ms: int) -> bool:
    """Whether that many keys can be stored."""
    put = arena.set
    try:
        for number in range(count):
            put(0, _KEY % number, VALUE, expire_ms)
    except OutOfMemory:
        return False
    return arena.db_keys(0) == count


def _redis_memory(path: Path, count: int, expire_ms: int) -> int:
    """What redis-server's used_memory grows by."""
    batch = 10_000
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(os.fspath(path))
        before = _used_memory(connection)
        for start in range(0, count, batch):
            numbers = range(start, min(start + batch, count))
            connection.sendall(
                b"".join(
                    b"*5\r\n$3\r\nSET\r\n$16\r\n"
                    + _KEY % number
                    + b"\r\n$100\r\n"
                    + VALUE
                    + b"\r\n$4\r\nPXAT\r\n$13\r\n%d\r\n" % expire_ms
                    for number in numbers
                )
            )
            left = len(numbers) * len(b"+OK\r\n")
            while left > 0:
                received = connection.recv(1 << 16)
                assert b"-" not in received, received[:100]
                left -= len(received)
        return _used_memory(connection) - before


def _used_memory(connection: socket.socket) -> int:
    connection.sendall(b"INFO memory\r\n")
    text = connection.recv(1 << 16)
    line = next(line for line in text.split(b"\r\n") if line.startswith(b"used_memory:"))
    return int(line.partition(b":")[2])


# ---- how full a full arena is

Sizes = Callable[[random.Random], int]


def _log_uniform(low: int, high: int) -> Sizes:
    """Sizes of which each octave gets its share."""
    ratio = high / low
    return lambda source: int(low * ratio ** source.random())


_PHASES: dict[str, Sizes] = {
    "mixed, 50 B to 100 KB": _log_uniform(50, 100_000),
    "then all small, 50 B to 1 KB": _log_uniform(50, 1_000),
    "then all large, 10 to 100 KB": _log_uniform(10_000, 100_000),
    "then mixed again": _log_uniform(50, 100_000),
}
_CHANGED = ("then all large, 10 to 100 KB", "then mixed again")


def _fill(bench: Bench) -> None:
    size = _FILL_ARENA_BYTES // (4 if bench.quick else 1)
    options = {"maxmemory": str(size), "maxmemory_policy": "allkeys-lru", "save": ""}
    shares: dict[str, float] = {}
    with (
        Daemon(bench.cache_name, bench.directory, **options) as daemon,
        bench.progress(len(_PHASES) * _TURNS) as progress,
    ):
        arena = daemon.arena()
        statistics = arena.statistics()
        whole = sum(segment_sizes(statistics.data_bytes))
        put = daemon.attach().set
        for number, (phase, sizes) in enumerate(_PHASES.items()):
            source = random.Random(number)
            looks: list[tuple[int, int]] = []
            for turn in range(_TURNS):
                last = turn == _TURNS - 1
                for _ in range(_LOOKS):
                    _write(put, b"%d:" % number, sizes, source, whole // _LOOKS)
                    if last:
                        looks.append(_live_bytes(arena))
                progress.step(phase)
            shares[phase] = 100 * mean(data for data, _ in looks) / whole
            entries = 100 * mean(memory for _, memory in looks) / whole
            note = f"{entries:.1f} % with the entries' own headers and index slots"
            bench.figure(f"live data, {phase}", shares[phase], "%", note)
    bench.target("fill-mixed", shares["mixed, 50 B to 100 KB"])
    bench.target("fill-changed", min(shares[phase] for phase in _CHANGED))


def _write(
    put: Callable[[bytes, bytes], object],
    prefix: bytes,
    sizes: Sizes,
    source: random.Random,
    volume: int,
) -> None:
    """Store values under new keys until `volume` bytes were written."""
    largest = bytes(100_000)
    while volume > 0:
        value = largest[: sizes(source)]
        put(prefix + b"%d" % source.getrandbits(48), value)
        volume -= len(value)


def _live_bytes(arena: Arena) -> tuple[int, int]:
    """Bytes of all keys and values, and the heap memory that they take."""
    data = memory = cursor = 0
    while True:
        cursor, keys = arena.scan(0, cursor, 1000)
        for key in keys:
            known = arena.describe(0, key)
            if known is not None:
                data += len(key) + known.value_bytes
                memory += known.memory
        if cursor == 0:
            return data, memory
