"""A server in the test's own process: what cannot be brought about from outside."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from typing import TYPE_CHECKING, Any

import pytest

from server.inside import Stage, listen_tcp, play
from shmcache.server import listener

if TYPE_CHECKING:
    from shmcache.arena import Arena


@pytest.mark.parametrize(
    ("options", "answer"),
    [
        ({}, b"-DENIED "),
        ({"protected_mode": "no"}, b"+PONG"),
        ({"requirepass": "x"}, b"-NOAUTH"),
    ],
)
def test_protected_mode_keeps_strangers_out(
    arena: Arena, monkeypatch: pytest.MonkeyPatch, options: dict[str, str], answer: bytes
) -> None:
    monkeypatch.setattr(listener, "_is_loopback", lambda _accepted: False)

    async def scene(stage: Stage) -> None:
        assert (await stage.ask(await stage.connect(), "PING")).startswith(answer)
        assert stage.server.statistics.rejected_connections == (answer == b"-DENIED ")

    play(arena, scene, **options)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.9.10", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("10.0.0.1", False),
        ("fe80::1%eth0", False),
        ("::ffff:10.0.0.1", False),
    ],
)
def test_what_is_this_host(host: str, loopback: bool) -> None:
    class Accepted:
        def getpeername(self) -> tuple[str, int]:
            return host, 1

    assert listener._is_loopback(Accepted()) is loopback  # type: ignore[arg-type]


def test_tcp_options(arena: Arena) -> None:
    async def scene(stage: Stage) -> None:
        peer = await stage.connect()
        while not stage.server.clients:
            await asyncio.sleep(0)
        (client,) = stage.server.clients.values()
        with socket.socket(fileno=os.dup(client.connection.descriptor)) as ours:
            assert ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            assert ours.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            assert ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 77
        peer.close()

    play(arena, scene, tcp_keepalive="77")


def test_ipv6(arena: Arena) -> None:
    try:
        listening = listen_tcp("::1")
    except OSError:
        pytest.skip("no IPv6 here")

    async def scene(stage: Stage) -> None:
        peer = await stage.connect()
        while not stage.server.clients:
            await asyncio.sleep(0)
        (client,) = stage.server.clients.values()
        assert client.address == f"[::1]:{peer.getsockname()[1]}"
        assert client.loopback
        peer.close()

    play(arena, scene, listening)


class Exhausted:
    """A listening socket that has run out of descriptors for a while."""

    def __init__(self, listening: socket.socket, failures: int) -> None:
        self._listening = listening
        self.failures = failures
        self.calls = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._listening, name)

    def accept(self) -> tuple[socket.socket, Any]:
        self.calls += 1
        if self.calls <= self.failures:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return self._listening.accept()


def test_without_descriptors_it_waits(arena: Arena, caplog: pytest.LogCaptureFixture) -> None:
    """It does not spin, and lets people in when there are some again."""
    listening = Exhausted(listen_tcp(), 3)

    async def scene(stage: Stage) -> None:
        assert await stage.ask(await stage.connect(), "PING") == b"+PONG\r\n"
        assert listening.calls <= 6

    play(arena, scene, listening)
    assert "Too many open files" in caplog.text


def test_a_broken_command_is_an_error_and_a_log_entry(
    arena: Arena, caplog: pytest.LogCaptureFixture
) -> None:
    """What the random tests look for would be found."""

    def broken(_client: object, _args: object) -> None:
        raise ZeroDivisionError

    async def scene(stage: Stage) -> None:
        stage.server.dispatcher.lookup([b"ECHO"]).function = broken
        reply = await stage.ask(await stage.connect(), "ECHO", "x")
        assert reply == b"-ERR internal error, see the server's log\r\n"
        reply = await stage.ask(await stage.connect(), "INFO", "stats")
        assert b"unexpected_error_replies:1\r\n" in reply
        assert await stage.ask(await stage.connect(), "PING") == b"+PONG\r\n"

    play(arena, scene)
    assert "ZeroDivisionError" in caplog.text
