"""A server in the test's own process: what cannot be brought about from outside."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import secrets
import socket
from collections.abc import Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
import uvloop

from server.processes import DATA_BYTES
from server.wire import request
from shmcache.arena.segments import attach_arena, create_segments, unlink_segments
from shmcache.config import Config
from shmcache.server import listener
from shmcache.server.server import Server

if TYPE_CHECKING:
    from shmcache.arena import Arena

Scene: TypeAlias = Callable[["Stage"], Coroutine[Any, Any, None]]


@pytest.fixture
def arena() -> Iterator[Arena]:
    name = f"test-{os.getpid()}-{secrets.token_hex(4)}"
    create_segments(name, DATA_BYTES).close()
    arena = attach_arena(name, writable=True)
    yield arena
    arena.close()
    unlink_segments(name)


class Stage:
    """A server in this process that listens on ``listening``."""

    def __init__(self, arena: Arena, listening: Any, options: dict[str, str]) -> None:
        self.loop = asyncio.get_running_loop()
        self.listening = listening
        self.server = Server(
            self.loop,
            arena,
            Config.from_texts({"maxmemory": str(DATA_BYTES), **options}),
            on_shutdown=lambda: None,
            on_config=lambda _texts: None,
        )
        self.listener = listener.Listener(self.loop, self.server, listening)

    async def connect(self) -> socket.socket:
        peer = socket.socket(self.listening.family)
        peer.setblocking(False)
        await self.loop.sock_connect(peer, self.listening.getsockname())
        return peer

    async def ask(self, peer: socket.socket, *words: str) -> bytes:
        """What a client gets for its only command."""
        with contextlib.suppress(ConnectionError):  # it was refused at once
            await self.loop.sock_sendall(peer, request(*words))
        try:
            return await self.loop.sock_recv(peer, 10_000)
        finally:
            peer.close()


def listen_tcp(host: str = "127.0.0.1") -> socket.socket:
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listening.bind((host, 0))
    listening.listen()
    return listening


def play(arena: Arena, scene: Scene, listening: Any = None, **options: str) -> None:
    async def run() -> None:
        texts = {name.replace("_", "-"): text for name, text in options.items()}
        stage = Stage(arena, listening or listen_tcp(), texts)
        try:
            await asyncio.wait_for(scene(stage), 20)
        finally:
            stage.listener.close()
            stage.server.stop()

    uvloop.run(run())


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
