from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

import pytest

from server.processes import DATA_BYTES, FrontEnd, RedisServer
from shmcache.arena.segments import attach_arena, create_segments, unlink_segments

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from server.wire import Wire
    from shmcache.arena import Arena


@pytest.fixture(scope="session")
def shared_front_end(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FrontEnd]:
    front_end = FrontEnd(tmp_path_factory.mktemp("front-end"), enable_debug_command="yes")
    yield front_end.wait_ready()
    front_end.close()


@pytest.fixture(scope="session")
def shared_redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis"), enable_debug_command="yes")
    yield server
    server.close()


@pytest.fixture
def redis_server(shared_redis_server: RedisServer) -> RedisServer:
    """A redis-server that other tests have used too, emptied."""
    with shared_redis_server.connect() as wire:
        assert wire.run("FLUSHALL") == b"+OK\r\n"
    return shared_redis_server


@pytest.fixture
def front_end(shared_front_end: FrontEnd) -> FrontEnd:
    """A front-end that other tests have used too, emptied."""
    with shared_front_end.connect() as wire:
        assert wire.run("FLUSHALL") == b"+OK\r\n"
    return shared_front_end


@pytest.fixture
def client(front_end: FrontEnd) -> Iterator[Wire]:
    with front_end.connect() as wire:
        yield wire


@pytest.fixture
def start_front_end(tmp_path: Path) -> Iterator[Callable[..., FrontEnd]]:
    """A function that starts a front-end of one's own, with options."""
    started: list[FrontEnd] = []

    def start(
        *, data_bytes: int = 4 << 20, config_file: Path | None = None, **options: str
    ) -> FrontEnd:
        front_end = FrontEnd(
            tmp_path, data_bytes=data_bytes, config_file=config_file, adopted=None, **options
        )
        started.append(front_end)
        return front_end.wait_ready()

    yield start
    for front_end in started:
        front_end.close()


@pytest.fixture
def arena() -> Iterator[Arena]:
    """An arena of one's own, for a server in the test's own process."""
    name = f"test-{os.getpid()}-{secrets.token_hex(4)}"
    create_segments(name, DATA_BYTES).close()
    arena = attach_arena(name, writable=True)
    yield arena
    arena.close()
    unlink_segments(name)
