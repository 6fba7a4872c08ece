"""CLIENT PAUSE: what waits, for how long, and in which order it goes on."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from server.scenes import until
from server.test_blocking import blocked
from server.wire import Wire, request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from server.processes import FrontEnd, RedisServer

LONG = "100000"


@pytest.fixture
def host(front_end: FrontEnd) -> Iterator[Wire]:
    with front_end.connect() as wire:
        yield wire
        assert wire.run("CLIENT", "UNPAUSE") == b"+OK\r\n"


def waits(server: FrontEnd | RedisServer, host: Wire, *lines: str) -> bool:
    """Whether the last of some commands of a new client waits."""
    with server.connect() as guest:
        for line in lines[:-1]:
            guest.run(*line.split())
        guest.send(request(*lines[-1].split()))
        until(lambda: guest.has_reply() or blocked(host) == 1)
        held = not guest.has_reply()
    until(lambda: blocked(host) == 0)
    return held


LINES = (
    *(
        "PING",
        "GET k",
        "SET k",
        "NOSUCH",
        "LRANGE k 0 -1",
        "SELECT 1",
        "CONFIG GET port",
        "WATCH k",
    ),
    *("SET k 1", "DEL k", "INCR n", "MSET a 1 b 2", "SORT l", "GETEX k", "EXPIRE k 1", "FLUSHALL"),
    *("PFCOUNT h", "PUBLISH c m", "SUBSCRIBE c", "BLPOP k 0.001", "XREAD STREAMS s $"),
    *("XREADGROUP GROUP g c STREAMS s >", "OBJECT HELP", "TTL k", "MGET a b"),
)


def test_what_writes(front_end: FrontEnd, redis_server: RedisServer, host: Wire) -> None:
    with redis_server.connect() as oracle:
        for side in (host, oracle):
            assert side.run("CLIENT", "PAUSE", LONG, "WRITE") == b"+OK\r\n"
        try:
            for line in LINES:
                assert waits(front_end, host, line) == waits(redis_server, oracle, line), line
            for lines in (
                ("MULTI", "GET k"),
                ("MULTI", "GET k", "EXEC"),
                ("MULTI", "SET k 1"),
                ("MULTI", "PFCOUNT h"),
            ):
                assert waits(front_end, host, *lines) == waits(redis_server, oracle, *lines), lines
        finally:
            oracle.run("CLIENT", "UNPAUSE")


def test_a_transaction_with_writes(front_end: FrontEnd, host: Wire) -> None:
    """Its EXEC waits when it was queued before; what it did not write may be read meanwhile."""
    with front_end.connect() as guest:
        guest.run("MULTI")
        guest.run("SET", "k", "1")
        host.run("CLIENT", "PAUSE", LONG, "WRITE")
        guest.send(request("EXEC") + request("GET", "k"))
        until(lambda: blocked(host) == 1)
        assert host.run("GET", "k") == b"$-1\r\n"
        host.run("CLIENT", "UNPAUSE")
        assert guest.reply() == b"*1\r\n+OK\r\n"
        assert guest.reply() == b"$1\r\n1\r\n"


def test_the_order_of_going_on(front_end: FrontEnd, redis_server: RedisServer) -> None:
    """Who was held first goes first, with all that it has sent."""
    answers = []
    for server in (front_end, redis_server):
        with server.connect() as host:
            host.run("DEL", "k")
            host.run("CLIENT", "PAUSE", LONG, "WRITE")
            guests = [server.connect() for _ in range(3)]
            for number, guest in enumerate(guests):
                guest.send(
                    request("RPUSH", "k", f"{number}a") + request("RPUSH", "k", f"{number}b")
                )
                until(lambda: blocked(host) == number + 1)  # noqa: B023 - it is called at once
            host.run("CLIENT", "UNPAUSE")
            replies = [guest.reply() for guest in guests for _ in range(2)]
            answers.append((replies, host.run("LRANGE", "k", "0", "-1")))
            for guest in guests:
                guest.close()
    assert answers[0] == answers[1]


def test_everything_and_its_end(front_end: FrontEnd, host: Wire) -> None:
    with front_end.connect() as guest:
        started = time.monotonic()
        assert host.run("CLIENT", "PAUSE", "100") == b"+OK\r\n"
        assert guest.run("PING") == b"+PONG\r\n"
        assert time.monotonic() - started >= 0.1
        assert guest.run("SET", "k", "1") == b"+OK\r\n"


def test_a_pause_never_becomes_shorter_or_weaker(front_end: FrontEnd, host: Wire) -> None:
    started = time.monotonic()
    for line in ("MULTI", "CLIENT PAUSE 100 ALL", "CLIENT PAUSE 10 WRITE", "EXEC"):
        host.run(*line.split())
    assert host.run("GET", "k") == b"$-1\r\n"
    assert time.monotonic() - started >= 0.1


def test_arguments(front_end: FrontEnd, redis_server: RedisServer) -> None:
    def ask(server: FrontEnd | RedisServer) -> Iterator[bytes]:
        with server.connect() as wire:
            for line in ("", "x", "-1", "1.5", "1 x", "1 WRITE x", "0", "0 all", "1 Write"):
                yield wire.run(*f"CLIENT PAUSE {line}".split())
            yield wire.run("CLIENT", "UNPAUSE", "x")
            yield wire.run("CLIENT", "UNPAUSE")

    assert list(ask(front_end)) == list(ask(redis_server))


def test_postponed_clients(front_end: FrontEnd, host: Wire) -> None:
    """They are seen as blocked, cannot be unblocked, and may go."""
    host.run("CLIENT", "PAUSE", LONG, "WRITE")
    with front_end.connect() as guest:
        number = guest.run("CLIENT", "ID")[1:-2].decode()
        guest.send(request("SET", "k", "1"))
        until(lambda: blocked(host) == 1)
        assert " flags=bU " in host.text("CLIENT", "LIST", "ID", number)
        assert host.run("CLIENT", "UNBLOCK", number) == b":0\r\n"
        assert host.run("CLIENT", "KILL", "ID", number) == b":1\r\n"
        assert guest.is_closed()
    assert blocked(host) == 0
    host.run("CLIENT", "UNPAUSE")
    assert host.run("GET", "k") == b"$-1\r\n"


def test_waiting_clients_are_not_served(front_end: FrontEnd, host: Wire) -> None:
    """To serve one would be a write. Their time goes on, and readers are served."""
    with front_end.connect() as popper, front_end.connect() as reader, front_end.connect() as short:
        for number, (guest, line) in enumerate(
            (
                (popper, "BLPOP k 0"),
                (reader, "XREAD BLOCK 0 STREAMS x $"),
                (short, "BLPOP k 0.1"),
            )
        ):
            guest.send(request(*line.split()))
            until(lambda: blocked(host) == number + 1)  # noqa: B023 - it is called at once
        for line in ("MULTI", "RPUSH k 1", "XADD x 1 a b", f"CLIENT PAUSE {LONG} WRITE", "EXEC"):
            host.run(*line.split())
        assert b"1-0" in reader.reply()
        assert short.reply() == b"*-1\r\n"
        assert not popper.has_reply()
        assert host.run("LLEN", "k") == b":1\r\n"
        host.run("CLIENT", "UNPAUSE")
        assert popper.reply() == b"*2\r\n$1\r\nk\r\n$1\r\n1\r\n"


def test_a_chain_after_the_pause(front_end: FrontEnd, host: Wire) -> None:
    """No command ends it, and yet what one client is served reaches the next."""
    with front_end.connect() as mover, front_end.connect() as popper:
        for number, (guest, line) in enumerate(
            ((mover, "BLMOVE k l LEFT LEFT 0"), (popper, "BLPOP l 0"))
        ):
            guest.send(request(*line.split()))
            until(lambda: blocked(host) == number + 1)  # noqa: B023 - it is called at once
        for line in ("MULTI", "RPUSH k 1", "CLIENT PAUSE 100 WRITE", "EXEC"):
            host.run(*line.split())
        assert mover.reply() == b"$1\r\n1\r\n"
        assert popper.reply() == b"*2\r\n$1\r\nl\r\n$1\r\n1\r\n"
