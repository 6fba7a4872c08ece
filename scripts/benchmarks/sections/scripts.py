"""EVALSHA of a script of ten commands: against shmcached and against redis-server, turn by turn."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import TYPE_CHECKING

import redis

from benchmarks.exchanges import encode, exchanges_per_second
from benchmarks.rounds import interleaved, median_ratio, medians
from benchmarks.servers import redis_server
from support.daemon import Daemon

if TYPE_CHECKING:
    from benchmarks.report import Bench

__all__ = ["run"]

_CLIENTS = 50
_COUNT = 40_000
_LINES = 997  # different keys, as clients have
_SCRIPT = b"""
redis.call('SET', KEYS[1], ARGV[1])
redis.call('GET', KEYS[1])
redis.call('INCR', KEYS[2])
redis.call('HSET', KEYS[3], 'field', ARGV[1])
redis.call('HGET', KEYS[3], 'field')
redis.call('ZADD', KEYS[4], 1, 'member')
redis.call('LPUSH', KEYS[5], 'element')
redis.call('RPOP', KEYS[5])
redis.call('SADD', KEYS[6], 'member')
redis.call('EXPIRE', KEYS[1], 100)
return 'done'
"""
_KEYS = 6


def run(bench: Bench) -> None:
    """Measure a script of ten commands with 50 clients."""
    daemon = Daemon(bench.cache_name, bench.directory, maxmemory="64mb", save="")
    with redis_server(bench.directory) as theirs, daemon:
        if theirs is None:
            bench.leave_out("EVALSHA (redis-server is not installed)")
            return
        servers = {"shmcache": daemon.socket_path, "redis": theirs}
        for path in servers.values():
            with redis.Redis(unix_socket_path=str(path)) as client:
                client.script_load(_SCRIPT.decode())
        requests = [_call(line) for line in range(_LINES)]
        count = _COUNT // (5 if bench.quick else 1)
        contenders = {
            name: partial(
                exchanges_per_second,
                path,
                requests,
                b"$4\r\ndone\r\n",
                clients=_CLIENTS,
                count=count,
            )
            for name, path in servers.items()
        }
        rounds = 2 if bench.quick else 5
        with bench.progress(len(contenders) * rounds) as progress:
            measured = interleaved(contenders, rounds, progress)
    typical = medians(measured)
    ratio = median_ratio(measured["shmcache"], measured["redis"])
    bench.target("evalsha-10", ratio)
    bench.figure(
        f"EVALSHA, 10 commands, -c {_CLIENTS}",
        typical["shmcache"],
        "scripts/s",
        f"redis-server {typical['redis']:,.0f}: {ratio:.2f} ×",
    )


def _call(line: int) -> bytes:
    digest = hashlib.sha1(_SCRIPT, usedforsecurity=False).hexdigest().encode()
    keys = [b"key:%d:%012d" % (number, line) for number in range(_KEYS)]
    return encode(b"EVALSHA", digest, b"%d" % _KEYS, *keys, b"x" * 100)
