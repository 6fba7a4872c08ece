"""One call from Python: the in-process door beside a dict and the caches of others.

Each loop makes the same calls with the same 1,000 keys of 16 bytes and values of 100 bytes; its
own cost is in every figure.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import redis

from benchmarks.loops import INCREMENT, READ, STORE, Loop, keys_for
from benchmarks.peers import Peer, dict_peer, diskcache_peer, lmdb_peer, redis_peer, uwsgi_peer
from benchmarks.rounds import interleaved, median_ratio, medians
from benchmarks.servers import redis_server
from support.daemon import Daemon

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.report import Bench

__all__ = ["OURS", "run"]

_KEYS = 1_000
_MANY_KEYS = 100_000
OURS = "shmcache"
_OURS_STR = "shmcache, str keys"
_DICT_STR = "dict, str keys"
_UWSGI, _LMDB, _REDIS = "uWSGI cache", "LMDB", "redis-py, Unix socket"
_SOCKET = "shmcache by socket"

Contender = tuple[str, str]


def run(bench: Bench) -> None:
    """Measure get, set and incr of every peer that is installed."""
    keys = keys_for(_KEYS)
    with ExitStack() as stack:
        names = [key.decode() for key in keys]
        peers = _open_peers(bench, stack, keys, names)
        contenders: dict[Contender, Callable[[], float]] = {}
        for peer in peers:
            calls_with: Sequence[Any] = names if "str keys" in peer.name else keys
            for operation, loop in peer.loops.items():
                contenders[peer.name, operation] = _sized(loop, calls_with, bench.quick)
        with bench.progress(len(contenders) * _rounds(bench)) as progress:
            measured = interleaved(contenders, _rounds(bench), progress)
        _other_keys(bench, stack)
    typical = medians(measured)
    for operation in (READ, STORE, INCREMENT):
        of_this = {name: ns for (name, done), ns in typical.items() if done == operation}
        for name, nanoseconds in of_this.items():
            if name not in {_OURS_STR, _DICT_STR}:  # in the chart they would only repeat
                bench.times[operation, name] = nanoseconds
            ratio = nanoseconds / of_this[OURS]
            bench.figure(f"{operation}  {name}", nanoseconds, "ns", f"{ratio:,.2f} × shmcache")
    _judge(bench, measured)


def _rounds(bench: Bench) -> int:
    return 2 * bench.rounds + 1


def _open_peers(
    bench: Bench, stack: ExitStack, keys: Sequence[bytes], names: Sequence[str]
) -> list[Peer]:
    enter = stack.enter_context
    daemon = enter(Daemon(bench.cache_name, bench.directory, maxmemory="64mb", save=""))
    peers = [
        dict_peer(keys),
        dict_peer(names, _DICT_STR),
        redis_peer(daemon.attach(), keys, OURS),
        redis_peer(daemon.attach(), names, _OURS_STR),
    ]
    by_socket = redis.Redis(unix_socket_path=str(daemon.socket_path))
    peers.append(redis_peer(by_socket, keys, _SOCKET))
    optional = {
        "uWSGI's cache (uwsgi is not installed)": uwsgi_peer(bench.directory, len(keys)),
        "LMDB (lmdb is not installed)": lmdb_peer(bench.directory, keys),
        "diskcache (not installed)": diskcache_peer(bench.directory, keys),
    }
    for what, opened in optional.items():
        peer = enter(opened)
        if peer is None:
            bench.leave_out(what)
        else:
            peers.append(peer)
    path = enter(redis_server(bench.directory))
    if path is None:
        bench.leave_out("redis-py to a redis-server (redis-server is not installed)")
    else:
        peers.append(redis_peer(redis.Redis(unix_socket_path=str(path)), keys, _REDIS))
    return peers


def _other_keys(bench: Bench, stack: ExitStack) -> None:
    """GET where a dict has it less easy than in the targets; for information."""
    _compare_gets(bench, stack, "keys built anew", keys_for(_KEYS), keys_for(_KEYS))
    many = keys_for(_MANY_KEYS)
    _compare_gets(bench, stack, f"{_MANY_KEYS:,} keys", many, many)


def _compare_gets(
    bench: Bench, stack: ExitStack, title: str, stored: list[bytes], asked: list[bytes]
) -> None:
    """Store under some keys and ask with others that are equal, or with the very same objects."""
    name = f"{bench.cache_name}-{len(stored)}"
    daemon = stack.enter_context(Daemon(name, bench.directory, maxmemory="128mb", save=""))
    peers = [dict_peer(stored), redis_peer(daemon.attach(), stored, OURS)]
    contenders = {peer.name: _sized(peer.loops[READ], asked, bench.quick) for peer in peers}
    with bench.progress(len(contenders) * _rounds(bench)) as progress:
        measured = interleaved(contenders, _rounds(bench), progress)
    ratio = median_ratio(measured[OURS], measured["dict"])
    for peer, nanoseconds in medians(measured).items():
        note = f"{ratio:.2f} × dict" if peer == OURS else ""
        bench.figure(f"{READ}  {peer}, {title}", nanoseconds, "ns", note)


def _sized(loop: Loop, keys: Sequence[Any], quick: bool) -> Callable[[], float]:
    """A measurement of roughly the same length for fast and slow contenders."""
    budget_ns = 10e6 if quick else 25e6  # short and often: a disturbance spoils few of them
    once = loop(keys[:200])
    calls = max(200, int(budget_ns / once))
    many = (list(keys) * (calls // len(keys) + 1))[:calls]
    return lambda: loop(many)


def _judge(bench: Bench, measured: dict[Contender, list[float]]) -> None:
    def ratio(name: str, above: Contender, below: Contender) -> None:
        if above in measured and below in measured:
            bench.target(name, median_ratio(measured[above], measured[below]))

    ratio("get-bytes", (OURS, READ), ("dict", READ))
    ratio("get-str", (_OURS_STR, READ), (_DICT_STR, READ))
    ratio("set-uwsgi", (OURS, STORE), (_UWSGI, STORE))
    ratio("incr-uwsgi", (OURS, INCREMENT), (_UWSGI, INCREMENT))
    ratio("set-lmdb", (_LMDB, STORE), (OURS, STORE))
    ratio("incr-lmdb", (_LMDB, STORE), (OURS, INCREMENT))
    ratio("get-redis", (_REDIS, READ), (OURS, READ))
