"""A redis-server and a front-end of ours for all tests here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from server.processes import FrontEnd, RedisServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from server.wire import Wire


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RedisServer, FrontEnd]]:
    redis = RedisServer(tmp_path_factory.mktemp("redis"), enable_debug_command="yes")
    front_end = FrontEnd(tmp_path_factory.mktemp("front-end"))
    yield redis, front_end.wait_ready()
    front_end.close()
    redis.close()


@pytest.fixture
def wires(servers: tuple[RedisServer, FrontEnd]) -> Iterator[tuple[Wire, Wire]]:
    """A connection to each, redis-server first, both empty."""
    redis, ours = (server.connect() for server in servers)
    for wire in (redis, ours):
        wire.run("FLUSHALL")
    yield redis, ours
    redis.close()
    ours.close()
