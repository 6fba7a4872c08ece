"""What the live page shows. The counters are themselves in the cache: each worker adds to them in
place, and any worker can read them all.

They have no TTL and the cache runs with `volatile-lru`, so that pages are evicted and counters not.
"""

from __future__ import annotations

import math
import os
import time
from collections import deque
from typing import TYPE_CHECKING, Any

import redis

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Figures", "quantile_ns"]

_BUCKETS_PER_OCTAVE = 4
_BUCKETS = 32 * _BUCKETS_PER_OCTAVE  # up to 2**32 ns: four seconds
_QUANTILES = (0.5, 0.95, 0.99)
_COUNTERS = ("hits", "misses")
_HISTORY_SECONDS = 120
_HISTOGRAMS = ("read", "build")
_READ_COMMANDS = ("cmdstat_get", "cmdstat_mget")


def _bucket(nanoseconds: int) -> int:
    return min(int(math.log2(max(nanoseconds, 1)) * _BUCKETS_PER_OCTAVE), _BUCKETS - 1)


def quantile_ns(counts: Sequence[int], quantile: float) -> float | None:
    """Value below which `quantile` of the counted times lie, None when nothing was counted.

    :param counts: how many times fell into each bucket, four buckets to a factor of two
    """
    wanted = quantile * sum(counts)
    seen = 0
    for bucket, count in enumerate(counts):
        seen += count
        if count and seen >= wanted:
            return round(2 ** ((bucket + 0.5) / _BUCKETS_PER_OCTAVE), 1)
    return None


class Figures:
    """The counters of all workers together.

    :param cache: attached writable
    """

    def __init__(self, cache: redis.Redis) -> None:
        self._cache = cache
        self._registered_pid = 0
        self._begun: deque[tuple[int, str]] = deque()

    def hit(self, read_ns: int) -> None:
        """Count a page found in the cache."""
        self._count("hits")
        self._count(f"read:{_bucket(read_ns)}")
        self._count_request()
        self._count_second("hits")

    def miss(self, read_ns: int, build_ns: int) -> None:
        """Count a page that had to be made."""
        self._count("misses")
        self._count(f"read:{_bucket(read_ns)}")
        self._count(f"build:{_bucket(build_ns)}")
        self._count_request()

    def snapshot(self) -> dict[str, Any]:
        """Everything the page shows; times in nanoseconds."""
        names = [*_COUNTERS]
        names += [f"{name}:{bucket}" for name in _HISTOGRAMS for bucket in range(_BUCKETS)]
        counts = dict(zip(names, self._read(names), strict=True))
        registered = self._cache.get("stat:workers")
        workers = registered.decode().split() if isinstance(registered, bytes) else []
        requests = self._read([f"worker:{pid}" for pid in workers])
        figures: dict[str, Any] = {name: counts[name] for name in _COUNTERS}
        figures["reads"] = figures["hits"] + figures["misses"]
        for name in _HISTOGRAMS:
            histogram = [counts[f"{name}:{bucket}"] for bucket in range(_BUCKETS)]
            figures[f"{name}_ns"] = [quantile_ns(histogram, quantile) for quantile in _QUANTILES]
        figures["workers"] = dict(zip(workers, requests, strict=True))
        figures["history"] = self._history()
        figures["answered_by"] = os.getpid()
        figures["daemon"] = self._daemon()
        return figures

    def _count(self, name: str) -> None:
        self._cache.incr(f"stat:{name}")

    def _count_request(self) -> None:
        pid = os.getpid()
        if self._registered_pid != pid:
            self._registered_pid = pid
            self._cache.append("stat:workers", f"{pid} ")
        self._count(f"worker:{pid}")
        self._count_second("requests")

    def _count_second(self, name: str) -> None:
        # No TTL, which would let them be evicted: whoever began a second removes it in the end.
        now = int(time.time())
        key = f"stat:{name}:{now}"
        if self._cache.incr(key) == 1:
            self._begun.append((now, key))
            while self._begun[0][0] < now - 2 * _HISTORY_SECONDS:
                self._cache.delete(self._begun.popleft()[1])

    def _history(self) -> list[tuple[int, int]]:
        """Requests and hits of each of the last seconds that are over, oldest first."""
        now = int(time.time())
        seconds = range(now - _HISTORY_SECONDS, now)
        requests = self._read([f"requests:{second}" for second in seconds])
        hits = self._read([f"hits:{second}" for second in seconds])
        return list(zip(requests, hits, strict=True))

    def _read(self, names: Sequence[str]) -> list[int]:
        values = self._cache.mget([f"stat:{name}" for name in names]) if names else []
        return [int(value or 0) for value in values]

    def _daemon(self) -> dict[str, int] | None:
        """What the daemon knows, asked through its socket; None while it is down."""
        try:
            info = self._cache.info("everything")
        except (redis.ConnectionError, redis.TimeoutError):
            return None
        served = (info.get(command, {}) for command in _READ_COMMANDS)
        return {
            "socket_reads": sum(int(command.get("calls", 0)) for command in served),
            "keys": int(info["db0"]["keys"]) if "db0" in info else 0,
            "used_bytes": int(info["used_memory"]),
            "arena_bytes": int(info["maxmemory"]),
            "evicted": int(info["evicted_keys"]),
            "uptime_seconds": int(info["uptime_in_seconds"]),
        }
