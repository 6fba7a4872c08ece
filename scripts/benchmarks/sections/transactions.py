"""MULTI, ten SETs, EXEC: against shmcached and against redis-server, turn by turn."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from benchmarks.exchanges import encode, exchanges_per_second
from benchmarks.rounds import interleaved, median_ratio, medians
from benchmarks.servers import redis_server
from support.daemon import Daemon

if TYPE_CHECKING:
    from benchmarks.report import Bench

__all__ = ["run"]

_CLIENTS = 50
_COMMANDS = 10
_COUNT = 60_000
_LINES = 997  # different transactions: their keys differ, as clients' do


def run(bench: Bench) -> None:
    """Measure transactions of ten commands with 50 clients."""
    daemon = Daemon(bench.cache_name, bench.directory, maxmemory="64mb", save="")
    with redis_server(bench.directory) as theirs, daemon:
        if theirs is None:
            bench.leave_out("MULTI and EXEC (redis-server is not installed)")
            return
        requests = [_transaction(line) for line in range(_LINES)]
        reply = b"+OK\r\n" + b"+QUEUED\r\n" * _COMMANDS + b"*%d\r\n" % _COMMANDS
        reply += b"+OK\r\n" * _COMMANDS
        count = _COUNT // (5 if bench.quick else 1)
        contenders = {
            name: partial(
                exchanges_per_second, path, requests, reply, clients=_CLIENTS, count=count
            )
            for name, path in (("shmcache", daemon.socket_path), ("redis", theirs))
        }
        rounds = 2 if bench.quick else 5
        with bench.progress(len(contenders) * rounds) as progress:
            measured = interleaved(contenders, rounds, progress)
    typical = medians(measured)
    ratio = median_ratio(measured["shmcache"], measured["redis"])
    bench.target("multi-10", ratio)
    bench.figure(
        f"MULTI, {_COMMANDS} × SET, EXEC, -c {_CLIENTS}",
        typical["shmcache"],
        "transactions/s",
        f"redis-server {typical['redis']:,.0f}: {ratio:.2f} ×",
    )


def _transaction(line: int) -> bytes:
    sets = [
        encode(b"SET", b"key:%012d" % (line * _COMMANDS + number), b"x" * 100)
        for number in range(_COMMANDS)
    ]
    return encode(b"MULTI") + b"".join(sets) + encode(b"EXEC")
