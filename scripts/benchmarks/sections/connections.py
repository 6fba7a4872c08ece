"""Ten thousand connections that say nothing: their memory, and what a busy client feels of them."""

from __future__ import annotations

import os
import resource
import socket
import time
from contextlib import ExitStack
from statistics import median
from typing import TYPE_CHECKING

import psutil

from support.daemon import Daemon
from support.processes import ScriptError

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.report import Bench

__all__ = ["run"]

_CONNECTIONS = 10_000
_SPARE_DESCRIPTORS = 100
_GET = b"*2\r\n$3\r\nGET\r\n$1\r\na\r\n"
_PING = b"*1\r\n$4\r\nPING\r\n"
_ACCEPTED_AT_ONCE = 200


def run(bench: Bench) -> None:
    """Connect them all, weigh the front-end before and after, and time one client's GETs."""
    wanted = 500 if bench.quick else _CONNECTIONS
    _allow_descriptors(wanted + _SPARE_DESCRIPTORS)
    calls = 1000 if bench.quick else 5000
    options = {"maxmemory": "64mb", "maxclients": str(wanted + _SPARE_DESCRIPTORS)}
    with Daemon(bench.cache_name, bench.directory, **options) as daemon, ExitStack() as stack:
        busy = stack.enter_context(_connect(daemon.socket_path))
        front_end = psutil.Process(_process_id(busy))
        alone_us = _latency_us(busy, calls, bench.rounds)
        before = front_end.memory_info().rss
        with bench.progress(1) as progress:
            idle = _connect_idle(daemon.socket_path, wanted, stack)
            progress.step(f"{wanted:,} connections")
        grown = (front_end.memory_info().rss - before) / 1e6
        among_us = _latency_us(busy, calls, bench.rounds)
        for connection in idle:
            _ask(connection, _PING, b"+PONG\r\n")
        used = (front_end.memory_info().rss - before) / 1e6
    bench.figure(f"{wanted:,} connections, front-end grows by", grown, "MB")
    bench.figure("the same once each has sent a PING", used, "MB")
    bench.figure("GET of one client, alone", alone_us, "µs")
    bench.figure("GET of one client, among them", among_us, "µs")
    bench.target("idle-memory", max(grown, used) * _CONNECTIONS / wanted)
    bench.target("idle-latency", among_us / alone_us)


def _allow_descriptors(count: int) -> None:
    """Raise this process's limit; the daemon inherits it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= count:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, max(hard, count)))
    except (OSError, ValueError) as error:
        raise ScriptError(f"{count:,} open files are needed, {hard:,} are allowed") from error


def _connect(path: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(30)
    connection.connect(os.fspath(path))
    return connection


def _connect_idle(path: Path, count: int, stack: ExitStack) -> list[socket.socket]:
    """Connect so many, and be sure that the front-end has taken them in."""
    made = []
    for number in range(count):
        made.append(stack.enter_context(_connect(path)))
        if number % _ACCEPTED_AT_ONCE == 0 or number == count - 1:
            _ask(made[-1], _PING, b"+PONG\r\n")
    return made


def _ask(connection: socket.socket, request: bytes, reply: bytes) -> None:
    connection.sendall(request)
    received = connection.recv(len(reply))
    if received != reply:
        raise ScriptError(f"the front-end answered {received!r}")


def _process_id(connection: socket.socket) -> int:
    connection.sendall(b"*2\r\n$4\r\nINFO\r\n$6\r\nserver\r\n")
    return int(connection.recv(65536).split(b"\r\nprocess_id:")[1].split(b"\r\n")[0])


def _latency_us(connection: socket.socket, calls: int, rounds: int) -> float:
    """The median of rounds."""
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        for _ in range(calls):
            connection.sendall(_GET)
            connection.recv(100)
        times.append((time.perf_counter() - started) / calls * 1e6)
    return median(times)
