"""Clients that mean harm, or do it: nobody else may notice."""

from __future__ import annotations

import resource
import socket
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from server.wire import Wire, request

if TYPE_CHECKING:
    from collections.abc import Callable

    from server.processes import FrontEnd


def test_who_never_reads_holds_nobody_up(front_end: FrontEnd, client: Wire) -> None:
    """Replies wait in its own buffer and arrive whole when it reads after all."""
    value = b"x" * 100_000
    client.run("SET", "big", value)
    with front_end.connect() as sloth:
        sloth.send(request("GET", "big") * 100)
        for _ in range(100):
            assert client.run("PING") == b"+PONG\r\n"
        wanted = b"$100000\r\n" + value + b"\r\n"
        assert all(sloth.reply() == wanted for _ in range(100))
        assert sloth.run("PING") == b"+PONG\r\n"


def test_who_never_reads_is_dropped_at_the_limit(start_front_end: Callable[..., FrontEnd]) -> None:
    front_end = start_front_end(client_output_buffer_limit="normal 1mb 0 0")
    with front_end.connect() as wire, front_end.connect() as sloth:
        wire.run("SET", "big", b"x" * 100_000)
        sloth.send(request("GET", "big") * 100)
        assert len(sloth.rest()) < 5_000_000
        assert wire.run("PING") == b"+PONG\r\n"
        assert "client_output_buffer_limit_disconnections:1" in wire.text("INFO", "stats")


def test_query_buffer_limit(start_front_end: Callable[..., FrontEnd]) -> None:
    front_end = start_front_end(client_query_buffer_limit="1mb")
    with front_end.connect() as wire, front_end.connect() as hog:
        hog.send(b"*2\r\n$4\r\nECHO\r\n$10000000\r\n")
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            hog.send(b"x" * 9_000_000)
        assert hog.is_closed()
        assert wire.run("ECHO", b"x" * 900_000).endswith(b"x\r\n")
        assert "client_query_buffer_limit_disconnections:1" in wire.text("INFO", "stats")
    front_end.terminate()
    assert "exceeding the query buffer" in front_end.log()


def test_truncated_requests(front_end: FrontEnd, client: Wire) -> None:
    """Cut off at every place, and nothing of it is done."""
    stream = request("SET", "truncated", "value")
    for length in range(1, len(stream)):
        with front_end.connect() as wire:
            wire.send(stream[:length])
            wire.socket.shutdown(socket.SHUT_WR)
            assert wire.rest() == b""
    assert client.run("EXISTS", "truncated") == b":0\r\n"


def test_half_open_connections_get_their_replies(front_end: FrontEnd) -> None:
    with front_end.connect(tcp=True) as wire:
        wire.send(request("PING") * 10)
        wire.socket.shutdown(socket.SHUT_WR)
        assert wire.rest() == b"+PONG\r\n" * 10


def test_abrupt_ends(front_end: FrontEnd, client: Wire) -> None:
    """Reset in the middle of requests and replies, many times."""
    client.run("SET", "big", b"x" * 1_000_000)
    for _ in range(50):
        wire = front_end.connect(tcp=True)
        wire.send(request("GET", "big") * 10 + b"*3\r\n$3\r\nSET")
        wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        wire.close()
    while not client.text("INFO", "clients").startswith("# Clients\r\nconnected_clients:1\r\n"):
        pass


def test_a_large_value(front_end: FrontEnd) -> None:
    """Comes and goes whole, in pieces of any size."""
    value = bytes(range(256)) * 40000
    with front_end.connect() as wire:
        stream = request("SET", "large", value)
        for start in range(0, len(stream), 77_777):
            wire.send(stream[start : start + 77_777])
        assert wire.reply() == b"+OK\r\n"
        assert wire.run("GET", "large") == b"$%d\r\n%b\r\n" % (len(value), value)
        assert wire.run("DEL", "large") == b":1\r\n"


def test_too_large_for_the_arena(start_front_end: Callable[..., FrontEnd]) -> None:
    front_end = start_front_end(data_bytes=1 << 20)
    with front_end.connect() as wire:
        assert wire.run("SET", "k", b"x" * (2 << 20)).startswith(b"-")
        assert wire.run("SET", b"k" * 100_000, "v").startswith(b"-ERR key is longer")
        assert wire.run("GET", b"k" * 100_000) == b"$-1\r\n"
        assert wire.run("SET", "k", "v") == b"+OK\r\n"


def test_a_long_pipeline(front_end: FrontEnd) -> None:
    """Sent in full before anything is read: the server takes it all."""
    count = 100_000
    with front_end.connect() as wire:
        wire.run("SET", "n", "0")
        wire.send(request("INCR", "n") * count)
        last = b""
        for _ in range(count):
            last = wire.reply()
        assert last == b":%d\r\n" % count


def test_a_command_with_many_words(front_end: FrontEnd) -> None:
    with front_end.connect() as wire:
        pairs = [word for n in range(20_000) for word in (f"many:{n}", str(n))]
        assert wire.run("MSET", *pairs) == b"+OK\r\n"
        assert wire.run("MGET", *pairs[::2]).count(b"$") == 20_000
        assert wire.run("DEL", *pairs[::2]) == b":20000\r\n"


def test_max_clients(start_front_end: Callable[..., FrontEnd]) -> None:
    front_end = start_front_end(maxclients="3")
    with ExitStack() as stack:
        inside = [stack.enter_context(front_end.connect()) for _ in range(3)]
        assert [wire.run("PING") for wire in inside] == [b"+PONG\r\n"] * 3
        with front_end.connect() as late:
            assert late.rest() == b"-ERR max number of clients reached\r\n"
        assert "rejected_connections:1" in inside[0].text("INFO", "stats")
        assert inside[0].run("CONFIG", "SET", "maxclients", "4") == b"+OK\r\n"
        with front_end.connect() as late:
            assert late.run("PING") == b"+PONG\r\n"


def test_max_clients_beyond_the_system(start_front_end: Callable[..., FrontEnd]) -> None:
    front_end = start_front_end()
    with front_end.connect() as wire:
        reply = wire.run("CONFIG", "SET", "maxclients", "4000000000")
        assert b"not able to handle the specified number of clients, try with" in reply
        assert b"10000" in wire.run("CONFIG", "GET", "maxclients")


def test_timeout_closes_the_idle(start_front_end: Callable[..., FrontEnd]) -> None:
    """But no subscriber, and none that is busy."""
    front_end = start_front_end(timeout="1")
    with (
        front_end.connect() as idle,
        front_end.connect() as subscriber,
        front_end.connect() as busy,
    ):
        subscriber.run("SUBSCRIBE", "c")
        idle.run("PING")
        idle.socket.setblocking(False)
        while True:
            assert busy.run("PUBLISH", "c", "m") == b":1\r\n"
            subscriber.reply()
            try:
                assert idle.socket.recv(10) == b""
                break
            except BlockingIOError:
                continue
        assert busy.run("PUBLISH", "c", "m") == b":1\r\n"


def test_ten_thousand_connections(start_front_end: Callable[..., FrontEnd]) -> None:
    """All are served, at little cost each, and when they go nothing is left."""
    wanted = 10_000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = min(hard, wanted + 200)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    count = min(wanted, limit - 200)
    front_end = start_front_end(maxclients="10001")
    try:
        with front_end.connect() as wire:
            others = []
            for _ in range(count):
                other = socket.socket(socket.AF_UNIX)
                other.connect(front_end.path)  # waits while the backlog is full
                other.settimeout(20)
                others.append(other)
            for other in others:
                other.sendall(request("INCR", "n"))
            total = sum(int(other.recv(64)[1:-2]) for other in others)
            assert total == count * (count + 1) // 2
            assert f"connected_clients:{count + 1}" in wire.text("INFO", "clients")
            for other in others:
                other.close()
            while "connected_clients:1\r\n" not in wire.text("INFO", "clients"):
                pass
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_protected_mode_lets_this_host_in(start_front_end: Callable[..., FrontEnd]) -> None:
    front_end = start_front_end(protected_mode="yes")
    with front_end.connect(tcp=True) as wire:
        assert wire.run("PING") == b"+PONG\r\n"
