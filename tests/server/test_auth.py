"""requirepass, AUTH and HELLO against a redis-server with the same password."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from server.processes import RedisServer
from server.wire import request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from server.processes import FrontEnd

PASSWORD = "pass wörd"


@pytest.fixture
def locked(start_front_end: Callable[..., FrontEnd]) -> FrontEnd:
    return start_front_end(requirepass=PASSWORD)


@pytest.fixture
def locked_redis(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path, requirepass=PASSWORD)
    yield server
    server.close()


CONVERSATION: list[list[str]] = [
    ["GET", "a"],
    ["SET", "a", "1"],
    ["PING"],
    ["FOO"],
    ["GET"],
    ["CLIENT", "ID"],
    ["SUBSCRIBE", "a"],
    ["INFO"],
    ["COMMAND", "COUNT"],
    ["HELLO"],
    ["HELLO", "3"],
    ["HELLO", "4"],
    ["AUTH", "wrong"],
    ["AUTH", "default", "wrong"],
    ["AUTH", "other", PASSWORD],
    ["AUTH", ""],
    ["HELLO", "3", "AUTH", "default", "wrong"],
    ["PING"],
    ["AUTH", PASSWORD],
    ["PING"],
    ["AUTH", "wrong"],
    ["PING"],
    ["RESET"],
    ["PING"],
    ["AUTH", "default", PASSWORD],
    ["GET", "a"],
]


def test_conversation(locked: FrontEnd, locked_redis: RedisServer) -> None:
    with locked.connect() as ours, locked_redis.connect() as theirs:
        for words in CONVERSATION:
            assert (words, ours.run(*words)) == (words, theirs.run(*words))


@pytest.mark.parametrize(
    "stream",
    [
        b"*11\r\n",
        b"*2\r\n$3\r\nGET\r\n$16385\r\n",
        request("AUTH", PASSWORD) + request("ECHO", b"x" * 20000) + request("QUIT"),
        request("AUTH", PASSWORD) + request(*["DEL"] * 20) + request("QUIT"),
    ],
    ids=["arguments", "bulk", "bulk after AUTH", "arguments after AUTH"],
)
def test_limits_before_auth(locked: FrontEnd, locked_redis: RedisServer, stream: bytes) -> None:
    with locked.connect() as ours, locked_redis.connect() as theirs:
        for wire in (ours, theirs):
            wire.send(stream)
        assert ours.rest() == theirs.rest()


def test_hello_with_auth(locked: FrontEnd) -> None:
    with locked.connect() as wire:
        assert wire.run("HELLO", "3", "AUTH", "default", PASSWORD).startswith(b"%7\r\n")
        assert wire.run("GET", "nothing") == b"_\r\n"


def test_the_password_can_change(locked: FrontEnd) -> None:
    """Who is in stays in; who comes later needs the new one; none means that all are let in."""
    with locked.connect() as inside, locked.connect() as waiting:
        assert inside.run("AUTH", PASSWORD) == b"+OK\r\n"
        assert waiting.run("PING").startswith(b"-NOAUTH")
        assert inside.run("CONFIG", "SET", "requirepass", "new") == b"+OK\r\n"
        assert inside.run("PING") == b"+PONG\r\n"
        assert waiting.run("AUTH", PASSWORD).startswith(b"-WRONGPASS")
        assert waiting.run("AUTH", "new") == b"+OK\r\n"
        with locked.connect() as late:
            assert late.run("GET", "a").startswith(b"-NOAUTH")
            assert inside.run("CONFIG", "SET", "requirepass", "") == b"+OK\r\n"
            assert late.run("GET", "a") == b"$-1\r\n"


def test_errors_do_not_tell_the_password(locked: FrontEnd) -> None:
    with locked.connect() as wire:
        wire.run("AUTH", "secret-attempt")
        wire.run("HELLO", "3", "AUTH", "default", "secret-attempt")
    locked.terminate()
    assert "secret-attempt" not in locked.log()
