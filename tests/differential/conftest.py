"""A redis-server of the session's own, and the sides that are compared with it."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Literal

import model_arena
import pytest
from server.processes import FrontEnd, RedisServer

from differential.sides import InProcessSide, Pair, Side, SocketSide
from shmcache.arena import Arena, format_arena, segment_sizes

if TYPE_CHECKING:
    from collections.abc import Iterator

ARENA_BYTES = 8 << 20


@pytest.fixture(scope="session")
def redis_path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The Unix socket of a real redis-server that listens nowhere else and saves nothing."""
    if shutil.which("redis-server") is None:
        # Visible where somebody looks, and fatal on the machine that decides.
        if os.environ.get("CI") == "true":
            pytest.fail("redis-server is needed to compare with", pytrace=False)
        pytest.skip("redis-server is not installed: NOTHING IS COMPARED WITH REDIS")
    redis = RedisServer(tmp_path_factory.mktemp("redis"))
    yield redis.path
    redis.close()


@pytest.fixture(scope="session")
def front_end(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FrontEnd]:
    """A front-end that all tests here share."""
    front_end = FrontEnd(tmp_path_factory.mktemp("front-end"))
    yield front_end.wait_ready()
    front_end.close()


def make_arena(data_bytes: int = ARENA_BYTES) -> Arena:
    """A real arena that has no name and goes with its attachment."""
    sizes = segment_sizes(data_bytes)
    fds = [os.memfd_create(kind) for kind in sizes._fields]
    for fd, size in zip(fds, sizes, strict=True):
        os.truncate(fd, size)
    data, access, feed, bus = fds
    format_arena(data, access, feed, bus, "differential", 1)
    real = Arena(data, access, feed, bus, writable=True)
    for fd in fds:
        os.close(fd)
    return real


@pytest.fixture(params=["model", "arena"])
def arena(request: pytest.FixtureRequest) -> Iterator[model_arena.Arena | Arena]:
    """An empty arena of each kind."""
    arena = model_arena.Arena() if request.param == "model" else make_arena()
    yield arena
    arena.close()


@pytest.fixture(params=[2, 3], ids=["resp2", "resp3"])
def resp(request: pytest.FixtureRequest) -> Literal[2, 3]:
    """Both versions of the protocol."""
    return 3 if request.param == 3 else 2


@pytest.fixture
def redis(redis_path: str, resp: Literal[2, 3]) -> Iterator[Side]:
    """The oracle."""
    side = SocketSide(redis_path, resp)
    yield side
    side.close()


def open_door(request: pytest.FixtureRequest, resp: Literal[2, 3]) -> Side:
    """One of our doors: dispatch over the model, over a real arena, or the front-end's socket."""
    if request.param == "model":
        return InProcessSide(model_arena.Arena(), resp)
    if request.param == "arena":
        return InProcessSide(make_arena(), resp)
    front_end: FrontEnd = request.getfixturevalue("front_end")
    return SocketSide(front_end.path, resp)


@pytest.fixture(params=["model", "arena", "socket"])
def ours(request: pytest.FixtureRequest, resp: Literal[2, 3]) -> Iterator[Side]:
    """Each of our doors."""
    side = open_door(request, resp)
    yield side
    side.close()


@pytest.fixture
def pair(redis: Side, ours: Side) -> Pair:
    """Redis and one of our doors, both empty."""
    pair = Pair(redis, ours)
    pair.reset()
    return pair
