"""A redis-server of the session's own, and the sides that are compared with it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from typing import TYPE_CHECKING

import model_arena
import pytest

from differential.sides import InProcessSide, Pair, SocketSide
from shmcache.arena import Arena, access_bytes, format_arena

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

START_SECONDS = 20.0
ARENA_BYTES = 8 << 20


def _missing(what: str) -> None:
    """Skip, visibly; on the machine that decides nothing may be left out."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} is needed for the differential tests", pytrace=False)
    pytest.skip(f"{what} is not installed: nothing is compared with Redis")


def wait_for_socket(path: Path, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, f"the server ended with status {process.returncode}"
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(str(path)) == 0:
                return
        time.sleep(0.01)
    pytest.fail(f"no server on {path} after {START_SECONDS} s")


@pytest.fixture(scope="session")
def redis_path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The Unix socket of a real redis-server that listens nowhere else and saves nothing."""
    program = shutil.which("redis-server")
    if program is None:
        _missing("redis-server")
        return
    directory = tmp_path_factory.mktemp("redis")
    path = directory / "redis.sock"
    options = ["--port", "0", "--save", "", "--unixsocket", str(path), "--dir", str(directory)]
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen([program, *options], stdout=log, stderr=log)
    try:
        wait_for_socket(path, process)
        yield str(path)
    finally:
        process.terminate()
        process.wait(START_SECONDS)


@pytest.fixture
def redis_side(redis_path: str) -> Iterator[Callable[[int], SocketSide]]:
    """Makes connections to the real server."""
    opened: list[SocketSide] = []

    def connect(resp: int) -> SocketSide:
        opened.append(SocketSide(redis_path, 3 if resp == 3 else 2))
        return opened[-1]

    yield connect
    for side in opened:
        side.close()


@pytest.fixture(params=["model", "arena"])
def arena(request: pytest.FixtureRequest) -> Iterator[model_arena.Arena | Arena]:
    """An empty arena of each kind."""
    if request.param == "model":
        yield model_arena.Arena()
        return
    real = make_arena()
    yield real
    real.close()


def make_arena(data_bytes: int = ARENA_BYTES) -> Arena:
    """A real arena in memory that has no name and goes with its attachment."""
    descriptors = []
    for size in (data_bytes, access_bytes(data_bytes)):
        descriptors.append(os.memfd_create("shmcache-test"))
        os.truncate(descriptors[-1], size)
    data, access = descriptors
    format_arena(data, access, "differential", 1)
    real = Arena(data, access, writable=True)
    for descriptor in descriptors:
        os.close(descriptor)
    return real


@pytest.fixture(params=[2, 3], ids=["resp2", "resp3"])
def pair(
    request: pytest.FixtureRequest,
    redis_side: Callable[[int], SocketSide],
    arena: model_arena.Arena | Arena,
) -> Pair:
    """Redis and dispatch in this process, both empty."""
    pair = Pair(redis_side(request.param), InProcessSide(arena, request.param))
    pair.reset()
    return pair
