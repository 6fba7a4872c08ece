"""The server that each program here talks to: a redis-server, then a daemon of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import redis
from server.processes import RedisServer
from supervisor.daemons import DaemonProcess

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session", params=["redis-server", "shmcached"])
def server_path(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The path of a server's Unix socket. What fails on redis-server as well is a wrong test."""
    directory = tmp_path_factory.mktemp("server")
    if request.param == "redis-server":
        server = RedisServer(directory)
        yield server.path
        server.close()
        return
    with DaemonProcess(directory) as daemon:
        daemon.start("--maxmemory", "64mb")
        yield daemon.socket


@pytest.fixture
def path(server_path: str) -> str:
    """The same, its server emptied."""
    with redis.Redis(unix_socket_path=server_path) as client:
        client.flushall()
    return server_path
