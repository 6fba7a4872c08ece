"""Messages to a hundred clients of a server, and from one worker to another."""

from __future__ import annotations

import multiprocessing
import selectors
import socket
from contextlib import ExitStack
from functools import partial
from statistics import median
from time import perf_counter_ns, sleep
from typing import TYPE_CHECKING, Any

import redis

from benchmarks.exchanges import encode
from benchmarks.rounds import interleaved, median_ratio, medians
from benchmarks.servers import redis_server
from support.daemon import Daemon

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection
    from pathlib import Path

    from benchmarks.report import Bench

__all__ = ["run"]

_SUBSCRIBERS = 100
_DEPTHS = (1, 16)  # publications sent before waiting for an answer
_PUBLICATIONS = 4096
_TEXT = b"x" * 100
_PUSH_BYTES = len(encode(b"message", b"channel", _TEXT))
_HOPS = 2000
_ASLEEP_SECONDS = 0.0005  # by then the subscriber waits again
_RECEIVE_BYTES = 1 << 20
_LIMIT_SECONDS = 60
_fork = multiprocessing.get_context("fork")


def run(bench: Bench) -> None:
    """Measure the fan-out of a server, then the time that a message is under way."""
    daemon = Daemon(bench.cache_name, bench.directory, maxmemory="64mb", save="")
    with redis_server(bench.directory) as theirs, daemon:
        if theirs is None:
            bench.leave_out("publish and subscribe (redis-server is not installed)")
            return
        paths = {"shmcache": daemon.socket_path, "redis": theirs}
        _fan_out(bench, paths)
        _one_way(bench, daemon, theirs)


# ---- to many clients


def _fan_out(bench: Bench, paths: dict[str, Path]) -> None:
    count = _PUBLICATIONS // (4 if bench.quick else 1)
    rounds = bench.rounds
    for depth in _DEPTHS:
        contenders = {
            name: partial(_delivered_per_second, path, count, depth) for name, path in paths.items()
        }
        with bench.progress(len(contenders) * rounds) as progress:
            measured = interleaved(contenders, rounds, progress)
        typical = medians(measured)
        ratio = median_ratio(measured["shmcache"], measured["redis"])
        bench.target(f"fan-out-{depth}", ratio)
        bench.figure(
            f"PUBLISH -P {depth} to {_SUBSCRIBERS} clients",
            typical["shmcache"],
            "messages/s",
            f"redis-server {typical['redis']:,.0f}: {ratio:.2f} ×",
        )


def _delivered_per_second(path: Path, count: int, depth: int) -> float:
    """Messages that arrive at all subscribers together, while one client publishes."""
    with ExitStack() as stack:
        subscribers = [_connect(stack, path) for _ in range(_SUBSCRIBERS)]
        for subscriber in subscribers:
            subscriber.sendall(encode(b"SUBSCRIBE", b"channel"))
            subscriber.recv(1000)
        publisher = _connect(stack, path)
        process = _fork.Process(target=_publish, args=(publisher, count, depth))
        started = perf_counter_ns()
        process.start()
        _receive_all(subscribers, count * _PUSH_BYTES)
        seconds = (perf_counter_ns() - started) / 1e9
        process.join()
    return count * _SUBSCRIBERS / seconds


def _connect(stack: ExitStack, path: Path) -> socket.socket:
    connection = stack.enter_context(socket.socket(socket.AF_UNIX))
    connection.settimeout(_LIMIT_SECONDS)
    connection.connect(str(path))
    return connection


def _publish(publisher: socket.socket, count: int, depth: int) -> None:
    request = encode(b"PUBLISH", b"channel", _TEXT) * depth
    wanted = len(b":%d\r\n" % _SUBSCRIBERS) * depth
    for _ in range(count // depth):
        publisher.sendall(request)
        got = 0
        while got < wanted:
            got += len(publisher.recv(wanted - got))


def _receive_all(subscribers: list[socket.socket], bytes_each: int) -> None:
    room = bytearray(_RECEIVE_BYTES)
    with selectors.EpollSelector() as selector:
        for subscriber in subscribers:
            selector.register(subscriber, selectors.EVENT_READ)
        missing = bytes_each * len(subscribers)
        while missing > 0:
            ready = selector.select(_LIMIT_SECONDS)
            if not ready:
                raise RuntimeError(f"{missing} bytes of messages did not arrive")
            for key, _ in ready:
                got = key.fileobj.recv_into(room)  # type: ignore[union-attr]
                if got == 0:
                    raise RuntimeError("a subscriber was disconnected")
                missing -= got


# ---- from one process to another


def _one_way(bench: Bench, daemon: Daemon, theirs: Path) -> None:
    hops = _HOPS // (10 if bench.quick else 1)
    contenders = {
        "in-process": partial(_microseconds, daemon.attach, hops),
        "redis": partial(_microseconds, lambda: redis.Redis(unix_socket_path=str(theirs)), hops),
    }
    with bench.progress(len(contenders) * bench.rounds) as progress:
        measured = interleaved(contenders, bench.rounds, progress)
    typical = medians(measured)
    ratio = median_ratio(measured["in-process"], measured["redis"])
    bench.target("message", ratio)
    bench.figure(
        "publish until another process has the message",
        typical["in-process"],
        "µs",
        f"redis-server and redis-py {typical['redis']:.1f} µs: {ratio:.2f} ×",
    )


def _microseconds(connect: Callable[[], Any], hops: int) -> float:
    """Median time from the call of publish to the return of get_message in another process."""
    here, there = _fork.Pipe()
    process = _fork.Process(target=_listen, args=(connect, there, hops))
    process.start()
    there.close()
    cache = connect()
    here.recv()
    for _ in range(hops):
        sleep(_ASLEEP_SECONDS)
        cache.publish("channel", str(perf_counter_ns()))
        here.recv_bytes()
    times: list[int] = here.recv()
    process.join()
    return median(times) / 1000


def _listen(connect: Callable[[], Any], to: Connection, hops: int) -> None:
    pubsub = connect().pubsub(ignore_subscribe_messages=True)
    pubsub.subscribe("channel")
    pubsub.get_message(timeout=_LIMIT_SECONDS)
    to.send("ready")
    times: list[int] = []
    while len(times) < hops:
        message = pubsub.get_message(timeout=_LIMIT_SECONDS)
        arrived = perf_counter_ns()
        if message is not None:
            times.append(arrived - int(message["data"]))
            to.send_bytes(b"")
    to.send(times)
