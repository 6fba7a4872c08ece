"""The loops that are timed: the same ones for every peer, so that their own cost is the same.

Standard library only: uWSGI's Python runs them as well.
"""

from __future__ import annotations

import gc
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter_ns
from typing import Any

__all__ = [
    "INCREMENT",
    "READ",
    "STORE",
    "VALUE",
    "Loop",
    "keys_for",
    "quiet",
    "time_calls",
    "time_members",
]

READ, STORE, INCREMENT = "get", "set", "incr"
VALUE = b"v" * 100

Key = bytes | str
Loop = Callable[[Sequence[Any]], float]


def keys_for(count: int) -> list[bytes]:
    """Keys of 16 bytes, in an order that no prefetcher can guess; always the same ones."""
    keys = [b"key:%012d" % number for number in range(count)]
    random.Random(1).shuffle(keys)
    return keys


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Python's garbage collector out of a timed stretch."""
    enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def time_calls(call: Callable[..., object], keys: Sequence[Key], *rest: object) -> float:
    """Nanoseconds that ``call(key, *rest)`` takes, the loop around it included."""
    with quiet():
        if rest:
            (value,) = rest
            started = perf_counter_ns()
            for key in keys:
                call(key, value)
            return (perf_counter_ns() - started) / len(keys)
        started = perf_counter_ns()
        for key in keys:
            call(key)
        return (perf_counter_ns() - started) / len(keys)


def time_members(call: Callable[..., object], name: Key, members: Sequence[Any]) -> float:
    """Nanoseconds that ``call(name, member)`` takes, the loop around it included."""
    with quiet():
        started = perf_counter_ns()
        for member in members:
            call(name, member)
        return (perf_counter_ns() - started) / len(members)
