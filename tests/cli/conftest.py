"""Servers to talk to: one that replies anything, a real redis-server, an arena without a daemon."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from client.conftest import redis_server, segments, start_daemon

from cli.scripted import ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from client.processes import RedisServer

__all__ = ["redis_server", "scripted", "segments", "server", "start_daemon"]


@pytest.fixture
def scripted(tmp_path: Path) -> Iterator[ScriptedServer]:
    server = ScriptedServer(tmp_path / "scripted.sock")
    yield server
    server.close()


@pytest.fixture
def server(redis_server: RedisServer) -> str:
    """The socket of an emptied real redis-server."""
    with redis_server.connect() as plain:
        plain.flushall()
        plain.config_set("maxmemory-policy", "noeviction")
    return str(redis_server.socket_path)
