"""A bad day: SIGKILL for every process of a 1 GiB cache, then a start over the same arena."""

from __future__ import annotations

import mmap
import os
import random
import signal
import socket
import struct
import sys
import time
from contextlib import closing
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

import shmcache
from support.daemon import Daemon
from support.processes import ScriptError, spawn

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from benchmarks.report import Bench

__all__ = ["run"]

_VALUE_BYTES = 8192
_COUNTER = struct.Struct("=Q")
_PATIENCE_SECONDS = 30.0


class _Restart(NamedTuple):
    """One death and what came after."""

    attach_ms: float
    """A new process-side attach and its first read, while no process of the cache lived."""
    answer_ms: float
    """From starting shmcached to the first GET answered through the socket."""
    lost: int


def run(bench: Bench) -> None:
    """Kill everything under load, restart, time it, and look for every acknowledged write."""
    size = (128 << 20) if bench.quick else (1 << 30)
    options = {"maxmemory": str(size), "maxmemory_policy": "noeviction", "save": ""}
    count = size * 8 // 10 // _VALUE_BYTES
    daemon = Daemon(bench.cache_name, bench.directory, **options)
    rounds = 3 if bench.quick else 5
    with daemon, bench.progress(rounds + 2) as progress:
        values = _fill(daemon, count)
        progress.step(f"{count:,} values of {_VALUE_BYTES:,} bytes are stored")
        restarts = []
        for turn in range(rounds):
            restarts.append(_bad_day(daemon, turn, values))
            progress.step(f"killed and restarted {turn + 1} times")
        problems = daemon.arena().validate()
        progress.step("validated")
    answers = [restart.answer_ms for restart in restarts]
    bench.figure(
        "attach and first read in a worker, daemon dead",
        median(restart.attach_ms for restart in restarts),
        "ms",
    )
    bench.figure(
        f"shmcached adopts {size >> 20} MiB, first GET by socket",
        median(answers),
        "ms",
        f"from exec; worst of {rounds}: {max(answers):.0f} ms",
    )
    bench.figure("interpreter alone, for comparison", _interpreter_ms(bench.directory), "ms")
    bench.figure("problems the validator found", len(problems), "")
    bench.target("adopt", median(answers))
    bench.target("lost", sum(restart.lost for restart in restarts) + len(problems))


def _value(number: int) -> bytes:
    return random.Random(number).randbytes(64) * (_VALUE_BYTES // 64)


def _fill(daemon: Daemon, count: int) -> dict[bytes, bytes]:
    """Store the values; gives the first bytes of each."""
    put = daemon.attach().set
    kept = {}
    for number in range(count):
        key, value = b"big:%d" % number, _value(number)
        put(key, value)
        kept[key] = value[:64]
    return kept


def _bad_day(daemon: Daemon, turn: int, values: dict[bytes, bytes]) -> _Restart:
    prefix = b"turn%d:" % turn
    with closing(mmap.mmap(-1, mmap.PAGESIZE)) as acknowledged:
        writer = _start_writer(daemon, prefix, acknowledged)
        _wait(lambda: _COUNTER.unpack_from(acknowledged)[0] > 1000, "the writer")
        daemon.kill()
        os.kill(writer, signal.SIGKILL)
        os.waitpid(writer, 0)
        (written,) = _COUNTER.unpack_from(acknowledged)

    started = time.perf_counter()
    with closing(shmcache.attach(daemon.name)) as cache:
        assert cache.get(b"big:0") is not None
    attach_ms = (time.perf_counter() - started) * 1e3

    started = time.perf_counter()
    daemon.launch()
    _wait(lambda: _answers_get(daemon.socket_path, b"big:1"), "the new daemon")
    answer_ms = (time.perf_counter() - started) * 1e3
    return _Restart(attach_ms, answer_ms, _lost(daemon, prefix, written, values))


def _start_writer(daemon: Daemon, prefix: bytes, acknowledged: mmap.mmap) -> int:
    """A process that writes without end and notes how many of its writes were acknowledged."""
    child = os.fork()
    if child:
        return child
    try:
        put, number = daemon.attach().set, 0
        while True:
            put(prefix + b"%d" % (number % 1000), b"%d" % number)
            number += 1
            _COUNTER.pack_into(acknowledged, 0, number)
    finally:
        os._exit(1)


def _lost(daemon: Daemon, prefix: bytes, written: int, values: dict[bytes, bytes]) -> int:
    """How many acknowledged writes are not there any more."""
    cache = daemon.attach()
    lost = 0
    for key, head in values.items():
        found = cache.get(key)
        lost += not isinstance(found, bytes) or found != head * (_VALUE_BYTES // len(head))
    for number in range(max(0, written - 1000), written):
        # the write after the last acknowledged one may have happened, too
        found = cache.get(prefix + b"%d" % (number % 1000))
        lost += found not in {b"%d" % number, b"%d" % (number + 1000)}
    return lost


def _answers_get(path: Path, key: bytes) -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(_PATIENCE_SECONDS)
        try:
            connection.connect(os.fspath(path))
            connection.sendall(b"GET " + key + b"\r\n")
            return connection.recv(64).startswith(b"$%d\r\n" % _VALUE_BYTES)
        except OSError:
            return False


def _wait(ready: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not ready():
        if time.monotonic() > deadline:
            raise ScriptError(f"{what} was not ready in {_PATIENCE_SECONDS:.0f} s")
        time.sleep(0.0005)


def _interpreter_ms(directory: Path) -> float:
    """What starting a Python that does nothing costs here."""
    times = []
    for _ in range(5):
        started = time.perf_counter()
        spawn([sys.executable, "-c", "pass"], log=directory / "python.log").wait()
        times.append((time.perf_counter() - started) * 1e3)
    return median(times)
