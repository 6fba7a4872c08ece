"""The systems that are measured side by side, each as a few loops to time.

A loop takes the keys to call with and gives the nanoseconds one call took.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import socket
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks.loops import INCREMENT, READ, STORE, VALUE, Loop, quiet, time_calls
from support.processes import ScriptError, program, spawn, stop, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import redis

__all__ = ["Peer", "dict_peer", "diskcache_peer", "lmdb_peer", "redis_peer", "uwsgi_peer"]

_TABLE_ITEMS_FACTOR = 4  # uWSGI's cache is a fixed table: room to spare keeps its chains short
_LMDB_MAP_BYTES = 1 << 30


class Peer(NamedTuple):
    """One system."""

    name: str
    loops: dict[str, Loop]


def _optional(name: str) -> Any:
    """A module that may not be installed, None when it is not."""
    if importlib.util.find_spec(name) is None:
        return None
    return importlib.import_module(name)


def counters_of(keys: Sequence[Any]) -> list[Any]:
    """Keys for counting that go with the keys for values."""
    return ["n" + key if isinstance(key, str) else b"n" + key for key in keys]


def dict_peer(keys: Sequence[Any], name: str = "dict") -> Peer:
    """A private dict: what no shared cache can beat."""
    # a value of its own for each key, as a cache has them
    store = {key: bytes(bytearray(VALUE)) for key in keys}
    return Peer(
        name,
        {
            READ: lambda keys: time_calls(store.get, keys),
            STORE: lambda keys: time_calls(store.__setitem__, keys, VALUE),
        },
    )


def redis_peer(cache: redis.Redis, keys: Sequence[Any], name: str) -> Peer:
    """A redis-py client, or one that is its subclass: shmcache's."""
    for key in keys:
        cache.set(key, VALUE)
    get, put, increment = cache.get, cache.set, cache.incr
    return Peer(
        name,
        {
            READ: lambda keys: time_calls(get, keys),
            STORE: lambda keys: time_calls(put, keys, VALUE),
            INCREMENT: lambda keys: time_calls(increment, counters_of(keys)),
        },
    )


@contextmanager
def lmdb_peer(directory: Path, keys: Sequence[bytes]) -> Iterator[Peer | None]:
    """LMDB without waiting for the disk, written through its map: its fastest way."""
    lmdb = _optional("lmdb")
    if lmdb is None:
        yield None
        return
    path = directory / "lmdb"
    environment = lmdb.open(
        os.fspath(path), map_size=_LMDB_MAP_BYTES, sync=False, writemap=True, map_async=True
    )
    begin = environment.begin

    def get(keys: Sequence[Any]) -> float:
        # A read transaction sees the instant it began at: to see what others write it must be new.
        with quiet():
            started = perf_counter_ns()
            for key in keys:
                with begin() as transaction:
                    transaction.get(key)
            return (perf_counter_ns() - started) / len(keys)

    def put(keys: Sequence[Any]) -> float:
        with quiet():
            started = perf_counter_ns()
            for key in keys:
                with begin(write=True) as transaction:
                    transaction.put(key, VALUE)
            return (perf_counter_ns() - started) / len(keys)

    put(keys)
    try:
        yield Peer("LMDB", {READ: get, STORE: put})
    finally:
        environment.close()


@contextmanager
def diskcache_peer(directory: Path, keys: Sequence[bytes]) -> Iterator[Peer | None]:
    """diskcache: SQLite behind a dict's interface."""
    diskcache = _optional("diskcache")
    if diskcache is None:
        yield None
        return
    with diskcache.Cache(os.fspath(directory / "diskcache")) as cache:
        with cache.transact():
            for key in keys:
                cache.set(key, VALUE)
        yield Peer(
            "diskcache",
            {
                READ: lambda keys: time_calls(cache.get, keys),
                STORE: lambda keys: time_calls(cache.set, keys, VALUE),
                INCREMENT: lambda keys: time_calls(cache.incr, counters_of(keys)),
            },
        )


@contextmanager
def uwsgi_peer(directory: Path, key_count: int) -> Iterator[Peer | None]:
    """UWSGI's own cache, measured by a script that uWSGI runs."""
    try:
        command = program("uwsgi")
    except ScriptError:
        yield None
        return
    path, log = directory / "uwsgi.sock", directory / "uwsgi.log"
    items = key_count * _TABLE_ITEMS_FACTOR
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.fspath(path))
        listener.listen(1)
        listener.setblocking(False)
        process = spawn(
            [
                *(command, "--socket", os.fspath(directory / "uwsgi-own.sock")),
                *("--cache2", f"name=bench,items={items},blocksize=128,keysize=64"),
                *("--home", os.fspath(Path(command).parents[1])),
                *("--pyrun", os.fspath(Path(__file__).with_name("uwsgi_peer.py"))),
            ],
            log=log,
            environment={
                "SHMCACHE_BENCH_SOCKET": os.fspath(path),
                "SHMCACHE_BENCH_KEYS": str(key_count),
                "PYTHONPATH": os.fspath(Path(__file__).parents[1]),
            },
        )
        try:
            connection = _accept(listener, lambda ready: wait_until(ready, process, "uwsgi", log))
            with connection, connection.makefile("rw") as stream:
                yield Peer("uWSGI cache", _remote_loops(stream))
        finally:
            stop(process)


def _accept(listener: socket.socket, wait: Callable[[Callable[[], bool]], None]) -> socket.socket:
    accepted: list[socket.socket] = []

    def ready() -> bool:
        try:
            accepted.append(listener.accept()[0])
        except BlockingIOError:
            return False
        return True

    wait(ready)
    accepted[0].setblocking(True)
    return accepted[0]


def _remote_loops(stream: Any) -> dict[str, Loop]:
    def loop(operation: str) -> Loop:
        def measure(keys: Sequence[Any]) -> float:
            stream.write(json.dumps({"operation": operation, "calls": len(keys)}) + "\n")
            stream.flush()
            return float(stream.readline())

        return measure

    return {operation: loop(operation) for operation in (READ, STORE, INCREMENT)}
