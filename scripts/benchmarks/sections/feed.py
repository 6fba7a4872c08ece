"""What the feed costs a writer in its own process: nothing while nobody wants it, and with
keyspace notifications one record a write.

What is measured is the writing thread's processor time, system calls included: the front-end reads
the feed meanwhile, as it does for its subscribers, and where processors are few it takes its share
of them.
"""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from time import thread_time_ns
from typing import TYPE_CHECKING, Any

from benchmarks.loops import VALUE, keys_for, quiet
from benchmarks.rounds import interleaved, median_ratio, medians
from support.daemon import Daemon

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.report import Bench

__all__ = ["run"]

_KEYS = 1_000
_FIELDS = 100
_QUIET, _NOTIFIED = "nobody wants it", "with notifications"

Contender = tuple[str, str]


def run(bench: Bench) -> None:
    """Measure SET, HSET and INCR with and without somebody who wants to know."""
    keys = keys_for(_KEYS)
    contenders: dict[Contender, Callable[[], float]] = {}
    with ExitStack() as stack:
        for state, events in ((_QUIET, ""), (_NOTIFIED, "KEA")):
            daemon = stack.enter_context(
                Daemon(
                    f"{bench.cache_name}-{len(events)}",
                    bench.directory,
                    maxmemory="64mb",
                    save="",
                    notify_keyspace_events=events,
                )
            )
            for operation, loop in _loops(daemon.attach(), keys, bench.quick).items():
                contenders[operation, state] = loop
        rounds = 2 * bench.rounds + 1
        with bench.progress(len(contenders) * rounds) as progress:
            measured = interleaved(contenders, rounds, progress)
    for (operation, state), nanoseconds in medians(measured).items():
        ratio = median_ratio(measured[operation, state], measured[operation, _QUIET])
        bench.figure(f"{operation}  {state}", nanoseconds, "ns", f"{ratio:.2f} × {_QUIET}")
        if state == _NOTIFIED:
            bench.target(f"{operation}-notified", ratio)


def _loops(cache: Any, keys: Sequence[bytes], quick: bool) -> dict[str, Callable[[], float]]:
    calls = list(keys) * (2 if quick else 20)
    fields = [b"field:%d" % (number % _FIELDS) for number in range(len(calls))]

    set_field = partial(cache.hset, b"a hash")
    return {
        "set": lambda: _processor_time(lambda key: cache.set(key, VALUE), calls),
        "hset": lambda: _processor_time(lambda field: set_field(field, VALUE), fields),
        "incr": lambda: _processor_time(cache.incr, [b"a number"] * len(calls)),
    }


def _processor_time(call: Callable[[bytes], object], words: Sequence[bytes]) -> float:
    """Nanoseconds of this thread's that ``call(word)`` takes, the loop around it included."""
    with quiet():
        started = thread_time_ns()
        for word in words:
            call(word)
        return (thread_time_ns() - started) / len(words)
