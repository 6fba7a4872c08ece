"""What is no request, or not all of one: answered as Redis answers it, byte for byte."""

from __future__ import annotations

import random
import socket
from typing import TYPE_CHECKING

import pytest
from server.processes import FrontEnd, RedisServer
from server.wire import Wire, request

if TYPE_CHECKING:
    from collections.abc import Iterator

SEED = 5
STREAMS = 1000
# NUL is left out: Redis takes it for the end of the text and waits for more
PARTS = [
    *(b"*", b"$", b"\r\n", b"\n", b"-1", b"0", b"1", b"2", b"3", b"4", b"PING", b"ECHO", b"SET"),
    *(b"a", b'"', b"'", b" ", b"\\x", b"+", b":", request("PING"), request("ECHO", "x")),
]
MALFORMED = [
    *(b"*\r\n", b"*a\r\n", b"*-1\r\n", b"*0\r\n", b"*-5\r\nPING\r\n", b"*1\r\nPING\r\n"),
    *(b"*1048577\r\n", b"*2147483648\r\n", b"*99999999999999999999\r\n", b"*" + b"1" * 70_000),
    *(
        b"*01\r\n$4\r\nPING\r\n",
        b"*+1\r\n$4\r\nPING\r\n",
        b"* 1\r\n",
        b"*1 \r\n",
        b"*1\n$4\nPING\n",
    ),
    *(
        b"*1\r\n$-1\r\n",
        b"*1\r\n$a\r\n",
        b"*1\r\n$\r\n",
        b"*1\r\n$0\r\n\r\n",
        b"*1\r\n$04\r\nPING\r\n",
    ),
    *(b"*1\r\n$536870913\r\n", b"*1\r\n$99999999999999999999\r\n", b"*1\r\n$" + b"1" * 70_000),
    *(b"*1\r\n:5\r\n", b"*1\r\n$4\r\nPINGxx", b"*2\r\n$3\r\nGET\r\n$-5\r\n", b"$4\r\nPING\r\n"),
    *(b"\r\n", b"\n", b"PING\n", b"  PING  \r\n", b'"PING"\r\n', b'"PING\r\n', b"SET a 'b\r\n"),
    *(b'SET a "b"c\r\n', b"'PING' x\r\n", b"\xff\xfe\r\n", b"a" * 70_000, b"*1\r\n$4\r\nPING\r\n*"),
    *(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"POST / HTTP/1.1\r\n\r\n", b"Host: foo\r\n"),
    *(b"PING\r\nPING\r\n*1\r\nX\r\nPING\r\n", b"QUIT\r\nPING\r\n", request("QUIT", "x") * 2),
]


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The sockets of a front-end and of a redis-server."""
    directory = tmp_path_factory.mktemp("malformed")
    redis_server = RedisServer(directory)
    front_end = FrontEnd(directory)
    yield front_end.wait_ready().path, redis_server.path
    front_end.close()
    redis_server.close()


def answer(path: str, stream: bytes) -> bytes:
    """Send bytes and the end of all bytes; return what comes until the server closes."""
    with Wire(path) as wire:
        try:
            wire.send(stream)
            wire.socket.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):  # it has closed already
            pass
        return wire.rest()


@pytest.mark.parametrize("stream", MALFORMED, ids=lambda stream: repr(stream[:24]))
def test_malformed(paths: tuple[str, str], stream: bytes) -> None:
    assert answer(paths[0], stream) == answer(paths[1], stream)


def test_random_pieces(paths: tuple[str, str]) -> None:
    choose = random.Random(SEED)
    for _ in range(STREAMS):
        stream = b"".join(choose.choice(PARTS) for _ in range(choose.randint(1, 14)))
        assert answer(paths[0], stream) == answer(paths[1], stream), stream
