"""A server in the test's own process."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeAlias

import uvloop

from server.processes import DATA_BYTES
from server.wire import request
from shmcache.config import Config
from shmcache.server import listener
from shmcache.server.server import Server

if TYPE_CHECKING:
    from shmcache.arena import Arena

Scene: TypeAlias = Callable[["Stage"], Coroutine[Any, Any, None]]


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
            on_users=lambda _changes: None,
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
