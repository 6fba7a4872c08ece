"""TLS in the test's own process: what takes its time or needs strangers."""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import TYPE_CHECKING, Any, cast

import pytest
import trustme

from server.inside import Stage, listen_tcp, play
from server.wire import request
from shmcache.server import listener, relay

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from shmcache.arena import Arena

AUTHORITY = trustme.CA()


def server_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert("localhost").configure_cert(context)
    return context


class SecureStage:
    """A stage whose clients speak TLS."""

    def __init__(self, stage: Stage) -> None:
        self.server = stage.server
        self.loop = stage.loop
        self.listening = listen_tcp()
        context = server_context()
        self.listener = relay.TlsListener(stage.loop, stage.server, self.listening, lambda: context)

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        context = ssl.create_default_context()
        AUTHORITY.configure_trust(context)
        host, port = self.listening.getsockname()
        return await asyncio.open_connection(host, port, ssl=context, server_hostname="localhost")

    async def connect_plainly(self) -> socket.socket:
        peer = socket.socket()
        peer.setblocking(False)
        await self.loop.sock_connect(peer, self.listening.getsockname())
        return peer


def play_secure(
    arena: Arena, scene: Callable[[SecureStage], Coroutine[Any, Any, None]], **options: str
) -> None:
    async def run(stage: Stage) -> None:
        secure = SecureStage(stage)
        try:
            await scene(secure)
        finally:
            secure.listener.close()
            stage.server.stop()
            secure.listener.end()

    play(arena, run, **options)


def test_strangers_are_told_why(arena: Arena, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "_is_loopback", lambda _accepted: False)

    async def scene(secure: SecureStage) -> None:
        reader, writer = await secure.connect()
        assert (await reader.read()).startswith(b"-DENIED ")
        writer.close()
        assert secure.server.statistics.rejected_connections == 1

    play_secure(arena, scene)


def test_one_too_many(arena: Arena) -> None:
    async def scene(secure: SecureStage) -> None:
        reader, writer = await secure.connect()
        writer.write(request("PING"))
        assert await reader.readline() == b"+PONG\r\n"
        with pytest.raises(OSError):  # noqa: PT011 - it is closed before any handshake
            await secure.connect()
        assert secure.server.statistics.rejected_connections == 1
        writer.close()

    play_secure(arena, scene, maxclients="1")


def test_no_handshake_in_time(
    arena: Arena, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(relay, "_HANDSHAKE_S", 0.05)

    async def scene(secure: SecureStage) -> None:
        peer = await secure.connect_plainly()
        assert await secure.loop.sock_recv(peer, 100) == b""
        peer.close()
        reader, writer = await secure.connect()
        await asyncio.sleep(0.1)  # the time for it is over, and means nothing any more
        writer.write(request("PING"))
        assert await reader.readline() == b"+PONG\r\n"
        writer.close()

    play_secure(arena, scene)
    assert "no handshake within" in caplog.text


def test_who_never_reads_is_closed_after_a_while(
    arena: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CLIENT KILL of a peer whose socket is full: nothing of it stays."""
    monkeypatch.setattr(relay, "_LINGER_S", 0.05)

    async def scene(secure: SecureStage) -> None:
        reader, writer = await secure.connect()
        writer.write(request("SET", "a", "x" * 1_000_000))
        assert await reader.readline() == b"+OK\r\n"
        cast("asyncio.Transport", writer.transport).pause_reading()
        writer.write(request("GET", "a") * 20)
        (client,) = secure.server.clients.values()
        while not client.connection.waiting_bytes:
            await asyncio.sleep(0)
        assert secure.listener._relays
        client.connection.close()
        while secure.listener._relays:
            await asyncio.sleep(0.001)
        writer.transport.abort()

    play_secure(arena, scene)
