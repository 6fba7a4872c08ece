from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from client.processes import Daemon, RedisServer, Segments

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    yield server
    server.close()


@pytest.fixture(scope="session")
def shared_daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    daemon = Daemon(tmp_path_factory.mktemp("daemon")).start()
    yield daemon
    daemon.close()


@pytest.fixture
def daemon(shared_daemon: Daemon) -> Daemon:
    """A daemon that other tests have used too, emptied."""
    with shared_daemon.connect() as plain:
        plain.flushall()
    return shared_daemon


@pytest.fixture
def start_daemon(tmp_path: Path) -> Iterator[Callable[..., Daemon]]:
    """Starts daemons of the test's own."""
    started: list[Daemon] = []

    def start(**options: str) -> Daemon:
        started.append(Daemon(tmp_path, **options))
        return started[-1].start()

    yield start
    for daemon in started:
        daemon.close()


@pytest.fixture
def segments() -> Iterator[Segments]:
    """An arena without a daemon."""
    made = Segments()
    yield made
    made.unlink()
