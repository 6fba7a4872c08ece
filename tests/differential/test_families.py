"""Random commands of each family, to a real redis-server and to all of our doors at once.

The doors are the front-end in RESP2 and RESP3, a client that reads in its process and writes
through the socket, and one that does both in its process. Each has a database of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import redis
from client.processes import Daemon

import shmcache
from differential.client_side import ClientSide
from differential.families import (
    bitmaps,
    geo,
    hashes,
    hyperloglogs,
    lists,
    mixed,
    sets,
    sorted_sets,
    sorting,
    streams,
)
from differential.machine import run_family
from differential.sides import SocketSide
from differential.world import Beside, World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Literal


FAMILIES = {
    family.name: family
    for family in (
        *(hashes.HASHES, sets.SETS, lists.LISTS, sorted_sets.SORTED_SETS, streams.STREAMS),
        *(bitmaps.BITMAPS, hyperloglogs.HYPERLOGLOGS, geo.GEO, sorting.SORTING, mixed.MIXED),
    )
}
RAW: tuple[tuple[int, Literal[2, 3]], ...] = ((0, 2), (1, 3))
READER_DB, WRITER_DB = 2, 3


def _raw(path: str, db: int, resp: Literal[2, 3]) -> SocketSide:
    side = SocketSide(path, resp)
    side.select(db)
    return side


@pytest.fixture(scope="session")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    daemon = Daemon(tmp_path_factory.mktemp("families"), maxmemory="64mb").start()
    yield daemon
    daemon.close()


@pytest.fixture
def world(redis_path: str, daemon: Daemon) -> Iterator[World]:
    """All of our doors, each beside the oracle."""
    pairs = [
        Beside(
            _raw(redis_path, db, resp),
            {f"front-end, RESP{resp}": _raw(str(daemon.socket_path), db, resp)},
        )
        for db, resp in RAW
    ]
    for db, writable, protocol in ((READER_DB, False, 2), (WRITER_DB, True, 3)):
        plain = redis.Redis(unix_socket_path=redis_path, db=db, protocol=protocol)
        ours = shmcache.attach(daemon.name, writable=writable, db=db, protocol=protocol)
        name = "writable client" if writable else "reading client"
        pairs.append(Beside(ClientSide(plain), {name: ClientSide(ours)}))
    world = World(pairs)
    yield world
    world.reset()
    world.close()


@pytest.mark.parametrize("name", FAMILIES)
def test_family(world: World, name: str) -> None:
    run_family(FAMILIES[name], world)
