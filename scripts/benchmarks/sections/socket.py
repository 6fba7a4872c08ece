"""The socket door: redis-benchmark against shmcached and against redis-server, turn by turn."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from benchmarks.rounds import interleaved, median_ratio, medians
from benchmarks.servers import redis_benchmark, redis_server
from support.daemon import Daemon

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from benchmarks.report import Bench

__all__ = ["run"]

_COMMANDS = ("get", "set", "incr", "mset")
_CLIENTS = 50
_PIPELINES = (1, 16)
_REQUESTS = {1: 100_000, 16: 600_000}
_MSET_KEYS = 10  # what redis-benchmark sets with one MSET

Contender = tuple[str, str, int]


def run(bench: Bench) -> None:
    """Measure get, set, incr and mset with 50 clients, without and with pipelining."""
    daemon = Daemon(bench.cache_name, bench.directory, maxmemory="64mb", save="")
    with redis_server(bench.directory) as theirs, daemon:
        servers = {"shmcache": daemon.socket_path}
        if theirs is None:
            bench.leave_out("redis-benchmark (redis-server is not installed)")
            return
        servers["redis"] = theirs
        contenders: dict[Contender, Callable[[], float]] = {}
        for pipeline in _PIPELINES:
            for command in _COMMANDS:
                for name, path in servers.items():
                    contenders[name, command, pipeline] = partial(
                        _measure, path, command, pipeline, bench.quick
                    )
        # what `get` then finds
        for path in servers.values():
            _measure(path, "set", 16, quick=False)
        rounds = 2 if bench.quick else 5
        with bench.progress(len(contenders) * rounds) as progress:
            measured = interleaved(contenders, rounds, progress)
    typical = medians(measured)
    for pipeline in _PIPELINES:
        for command in _COMMANDS:
            ours, redis = ("shmcache", command, pipeline), ("redis", command, pipeline)
            ratio = median_ratio(measured[ours], measured[redis])
            bench.target(f"{command}-{pipeline}", ratio)
            bench.figure(
                f"{command}, -c {_CLIENTS} -P {pipeline}",
                typical[ours],
                "requests/s",
                f"redis-server {typical[redis]:,.0f}: {ratio:.2f} ×",
            )


def _measure(path: Path, command: str, pipeline: int, quick: bool) -> float:
    requests = _REQUESTS[pipeline] // (5 if quick else 1)
    if command == "mset":
        requests //= _MSET_KEYS // 2
    return redis_benchmark(path, command, clients=_CLIENTS, pipeline=pipeline, requests=requests)
