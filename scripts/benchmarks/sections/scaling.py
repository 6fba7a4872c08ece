"""Several processes at once: what readers cost each other, and what a writer costs them."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from multiprocessing.connection import Connection
from statistics import median
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any, NamedTuple

import shmcache
from benchmarks.loops import VALUE, keys_for, quiet, time_calls
from benchmarks.rounds import interleaved, median_ratio, medians
from support.daemon import Daemon

if TYPE_CHECKING:
    from benchmarks.report import Bench

__all__ = ["run"]

_KEYS = 1000
# The fewer keys both sides work on, the more often a reader meets the writer in the very stripe.
_SAME_KEYS = {"1,000 keys": 1000, "16 keys": 16, "one key": 1}
_READS_A_SAMPLE = 16  # the clock costs as much as a read: one look at it for several
_CHECKED_READS = 100_000
_VALUES = (b"a" * len(VALUE), b"b" * len(VALUE))  # of one letter each: a torn read has two
_fork = multiprocessing.get_context("fork")

Work = Callable[[Connection], None]


def run(bench: Bench) -> None:
    """Measure one and two readers, then a reader with and without a writer beside it."""
    processors = sorted(os.sched_getaffinity(0))[:2]
    if len(processors) < 2:
        bench.leave_out("scaling (this machine has one processor)")
        return
    with Daemon(bench.cache_name, bench.directory, maxmemory="64mb", save="") as daemon:
        cache, keys = daemon.attach(), keys_for(_KEYS)
        for key in keys:
            cache.set(key, VALUE)
        seconds = 0.2 if bench.quick else 0.6
        with bench.progress((2 + 2 * len(_SAME_KEYS)) * bench.rounds) as progress:
            readers = interleaved(
                {
                    1: partial(_reads_a_second, daemon, keys, processors[:1], seconds),
                    2: partial(_reads_a_second, daemon, keys, processors, seconds),
                },
                bench.rounds,
                progress,
            )
            disturbed = {}
            for name, count in _SAME_KEYS.items():
                some, rounds = keys[:count], []
                for turn in range(bench.rounds):
                    alone = _reading(daemon, some, processors, seconds, writer=False)
                    beside = _reading(daemon, some, processors, seconds, writer=True)
                    rounds.append((alone, beside))
                    progress.step(f"round {turn + 1}: beside a writer of {name}", steps=2)
                disturbed[name] = rounds
    _report_readers(bench, readers)
    _report_disturbed(bench, disturbed)


@contextmanager
def _process(work: Work, processor: int) -> Iterator[Connection]:
    """Run `work` on one processor; it gets the other end of the connection."""
    here, there = _fork.Pipe()

    def child() -> None:
        here.close()
        os.sched_setaffinity(0, {processor})
        work(there)

    process = _fork.Process(target=child)
    process.start()
    there.close()
    try:
        yield here
    finally:
        here.close()
        process.join(10)
        if process.is_alive():
            process.kill()
            process.join()


def _receive(connection: Connection) -> Any:
    """What the other side sends; its end without a word is an error."""
    try:
        return connection.recv()
    except EOFError:
        raise RuntimeError("a measuring process died; its traceback is above") from None


# ---- readers side by side


def _reads_a_second(
    daemon: Daemon, keys: Sequence[bytes], processors: Sequence[int], seconds: float
) -> float:
    """Reads a second of as many processes as there are processors, together."""

    def work(connection: Connection) -> None:
        get = daemon.attach().get
        time_calls(get, keys)
        connection.send("ready")
        connection.recv()
        reads, started = 0, perf_counter_ns()
        many = list(keys) * 20
        while perf_counter_ns() - started < seconds * 1e9:
            for key in many:
                get(key)
            reads += len(many)
        connection.send(reads / (perf_counter_ns() - started) * 1e9)

    with ExitStack() as stack:
        connections = [stack.enter_context(_process(work, cpu)) for cpu in processors]
        for connection in connections:
            _receive(connection)
        for connection in connections:
            connection.send("go")
        return float(sum(_receive(connection) for connection in connections))


def _report_readers(bench: Bench, readers: dict[int, list[float]]) -> None:
    typical = medians(readers)
    ratio = median_ratio(readers[2], readers[1])
    bench.figure("one process reading", typical[1] / 1e6, "million reads/s")
    bench.figure("two processes reading", typical[2] / 1e6, "million reads/s", f"{ratio:.2f} ×")
    bench.target("two-readers", ratio)


# ---- a reader beside a writer


class _Reading(NamedTuple):
    """What a reader saw."""

    median_ns: float
    p99_ns: float
    failed: int
    """Reads that raised, found nothing, or found a value that nobody wrote."""
    writes_a_second: float


def _reading(
    daemon: Daemon,
    keys: Sequence[bytes],
    processors: Sequence[int],
    seconds: float,
    *,
    writer: bool,
) -> _Reading:
    """Read the keys on one processor while, maybe, a writer rewrites them on the other."""
    with ExitStack() as stack:
        writing = None
        if writer:
            work = partial(_write_without_pause, daemon, keys)
            writing = stack.enter_context(_process(work, processors[1]))
            _receive(writing)
        read = partial(_read_and_check, daemon, keys, seconds)
        reading = stack.enter_context(_process(read, processors[0]))
        median_ns, p99_ns, failed = _receive(reading)
        writes = 0.0
        if writing is not None:
            writing.send("stop")
            writes = _receive(writing)
    return _Reading(median_ns, p99_ns, failed, writes)


def _write_without_pause(daemon: Daemon, keys: Sequence[bytes], connection: Connection) -> None:
    put = daemon.attach().set
    many = (list(keys) * 1000)[:1000]
    writes, started = 0, perf_counter_ns()
    while not connection.poll():
        for value in _VALUES:
            for key in many:
                put(key, value)
            writes += len(many)
        if writes == 2 * len(many):
            connection.send("writing")
    connection.send(writes / (perf_counter_ns() - started) * 1e9)


def _read_and_check(
    daemon: Daemon, keys: Sequence[bytes], seconds: float, connection: Connection
) -> None:
    get = daemon.attach().get
    batch = (list(keys) * _READS_A_SAMPLE)[: max(len(keys), _READS_A_SAMPLE)]
    batches = [
        batch[start : start + _READS_A_SAMPLE]
        for start in range(0, len(batch) - _READS_A_SAMPLE + 1, _READS_A_SAMPLE)
    ]
    samples: list[int] = []
    failed = 0
    with quiet():
        deadline = perf_counter_ns() + seconds * 1e9
        while perf_counter_ns() < deadline:
            for some in batches:
                began = perf_counter_ns()
                try:
                    for key in some:
                        get(key)
                except shmcache.ShmcacheError:
                    failed += 1
                samples.append(perf_counter_ns() - began)
    good = {VALUE, *_VALUES}
    for turn in range(_CHECKED_READS):
        try:
            failed += get(keys[turn % len(keys)]) not in good
        except shmcache.ShmcacheError:
            failed += 1
    samples.sort()
    p99 = samples[len(samples) * 99 // 100]
    connection.send((median(samples) / _READS_A_SAMPLE, p99 / _READS_A_SAMPLE, failed))


def _report_disturbed(bench: Bench, disturbed: dict[str, list[tuple[_Reading, _Reading]]]) -> None:
    failed = 0
    for name, rounds in disturbed.items():
        ratio = median(beside.median_ns / alone.median_ns for alone, beside in rounds)
        alone_ns = median(alone.median_ns for alone, _ in rounds)
        beside_ns = median(beside.median_ns for _, beside in rounds)
        p99_ns = median(beside.p99_ns for _, beside in rounds)
        writes = median(beside.writes_a_second for _, beside in rounds)
        failed += sum(alone.failed + beside.failed for alone, beside in rounds)
        bench.figure(f"read of {name}, alone", alone_ns, "ns")
        bench.figure(
            f"read of {name}, beside a writer of them",
            beside_ns,
            "ns",
            f"{ratio:.2f} ×; p99 {p99_ns:.0f} ns; {writes / 1e6:.1f} million writes/s meanwhile",
        )
        if name == next(iter(_SAME_KEYS)):
            bench.target("disturbed", ratio)
    bench.target("failed-reads", failed)
