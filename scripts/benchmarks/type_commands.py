"""redis-benchmark's commands on containers, turn by turn. Part of the section types."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import redis

from benchmarks.rounds import interleaved, median_ratio, medians
from benchmarks.servers import redis_benchmark, redis_server
from support.daemon import Daemon

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from benchmarks.report import Bench

__all__ = ["measure_commands"]

_COMMANDS = (
    *("lpush", "rpush", "lpop", "rpop", "sadd", "hset", "spop", "zadd", "zpopmin", "lrange_100"),
)
_CLIENTS = 50
_PIPELINES = (1, 16)
_REQUESTS = {1: 100_000, 16: 400_000}
_SLOWER = {"lrange_100": 4}
_BATCH = 1_000
# under the names that redis-benchmark uses
_LIST, _SET, _BOARD = "mylist", "myset", "myzset"

Contender = tuple[str, str, int]


def measure_commands(bench: Bench) -> None:
    """Measure each command with 50 clients, without and with pipelining."""
    daemon = Daemon(bench.cache_name, bench.directory, maxmemory="512mb", save="")
    with redis_server(bench.directory) as theirs, daemon:
        if theirs is None:
            bench.leave_out("redis-benchmark (redis-server is not installed)")
            return
        servers = {"shmcache": daemon.socket_path, "redis": theirs}
        contenders: dict[Contender, Callable[[], float]] = {
            (name, command, pipeline): partial(_measure, path, command, pipeline, bench.quick)
            for pipeline in _PIPELINES
            for command in _COMMANDS
            for name, path in servers.items()
        }
        rounds = 2 if bench.quick else 5
        with bench.progress(len(contenders) * rounds) as progress:
            measured = interleaved(contenders, rounds, progress)
    typical = medians(measured)
    for pipeline in _PIPELINES:
        for command in _COMMANDS:
            ours, theirs_too = ("shmcache", command, pipeline), ("redis", command, pipeline)
            ratio = median_ratio(measured[ours], measured[theirs_too])
            bench.target(f"{command}-{pipeline}", ratio)
            bench.figure(
                f"{command}, -c {_CLIENTS} -P {pipeline}",
                typical[ours],
                "requests/s",
                f"redis-server {typical[theirs_too]:,.0f}: {ratio:.2f} ×",
            )


def _measure(path: Path, command: str, pipeline: int, quick: bool) -> float:
    requests = _REQUESTS[pipeline] // _SLOWER.get(command, 1) // (5 if quick else 1)
    _prepare(path, command, requests)
    return redis_benchmark(path, command, clients=_CLIENTS, pipeline=pipeline, requests=requests)


def _prepare(path: Path, command: str, requests: int) -> None:
    """Empty the server; put in place what a command takes away, so that it never finds nothing."""
    with redis.Redis(unix_socket_path=str(path)) as server:
        server.flushall()
        for start in range(0, requests + _CLIENTS, _BATCH):
            elements = [f"element:{number:012d}" for number in range(start, start + _BATCH)]
            if command in {"lpop", "rpop"}:
                server.rpush(_LIST, *elements)
            elif command == "spop":
                server.sadd(_SET, *elements)
            elif command == "zpopmin":
                server.zadd(_BOARD, {element: float(element[8:]) for element in elements})
            else:
                return
