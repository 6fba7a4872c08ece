"""Random commands of each family, to a real redis-server and to all of our doors at once.

The doors are the front-end in RESP2 and RESP3, a client that reads in its process and writes
through the socket, and one that does both in its process. Each has a database of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import model_arena
import pytest
import redis
from client.processes import Daemon

import shmcache
from differential.client_side import ClientSide
from differential.conftest import make_arena
from differential.families import (
    bitmaps,
    field_lifetimes,
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
from differential.machine import EXAMPLES, run_family
from differential.sides import InProcessSide, SocketSide
from differential.world import Beside, Difference, Step, World
from shmcache.arena.segments import attach_arena

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Literal

    from differential.wire import Tagged
    from differential.world import Answering


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


@pytest.fixture
def model_world(redis_path: str) -> Iterator[World]:
    """The naive arena that other tests compare with, and a real one without a front-end."""
    pairs = []
    for db, resp in RAW:
        ours: dict[str, Answering] = {
            f"model, RESP{resp}": InProcessSide(model_arena.Arena(), resp),
            f"arena, RESP{resp}": InProcessSide(make_arena(), resp),
        }
        pairs.append(Beside(_raw(redis_path, db, resp), ours))
    world = World(pairs)
    yield world
    world.reset()
    world.close()


@pytest.mark.parametrize("name", FAMILIES)
def test_family(world: World, name: str) -> None:
    run_family(FAMILIES[name], world)


@pytest.mark.parametrize("name", FAMILIES)
def test_family_without_a_server(model_world: World, name: str) -> None:
    run_family(FAMILIES[name], model_world, EXAMPLES // 3)


def test_field_lifetimes(daemon: Daemon) -> None:
    """There is no oracle for them: the front-end and a worker beside the naive arena."""
    pairs = []
    for db, resp in RAW:
        worker = InProcessSide(attach_arena(daemon.name, writable=True), resp)
        worker.select(db + len(RAW))
        ours: dict[str, Answering] = {
            f"front-end, RESP{resp}": _raw(str(daemon.socket_path), db, resp),
            f"worker, RESP{resp}": worker,
        }
        pairs.append(Beside(InProcessSide(model_arena.Arena(), resp), ours))
    world = World(pairs)
    run_family(field_lifetimes.FIELD_LIFETIMES, world)
    world.reset()
    world.close()


class Liar:
    """A side that answers one command wrongly, or forgets what it was told."""

    def __init__(self, side: Answering, lie: Callable[[Sequence[bytes], Tagged], Tagged]) -> None:
        self._side = side
        self._lie = lie

    def execute(self, *words: bytes) -> Tagged:
        return self._lie(words, self._side.execute(*words))

    def execute_many(self, lines: Sequence[Sequence[bytes]]) -> list[Tagged]:
        return [self.execute(*words) for words in lines]

    def close(self) -> None:
        self._side.close()


def _one_too_many(words: Sequence[bytes], reply: Tagged) -> Tagged:
    return ("int", reply[1] + 1) if words[0] == b"HLEN" and reply == ("int", 3) else reply


def _another_member(words: Sequence[bytes], reply: Tagged) -> Tagged:
    return ("bulk", b"nobody") if words[0] == b"SRANDMEMBER" and reply[0] == "bulk" else reply


def _half_a_scan(words: Sequence[bytes], reply: Tagged) -> Tagged:
    if words[0] != b"SSCAN" or reply[0] == "error":
        return reply
    cursor, (kind, members) = reply[1]
    return ("array", (cursor, (kind, members[1:])))


@pytest.mark.parametrize(
    ("lie", "step", "told"),
    [
        (_one_too_many, Step("send", [b"HLEN", b"h"]), "HLEN h"),
        (_another_member, Step("random", [b"SRANDMEMBER", b"s"]), "SRANDMEMBER s"),
        (_half_a_scan, Step("scan", [b"SSCAN", b"s", b"0"]), "SSCAN s 0"),
    ],
)
def test_a_lie_is_found_and_its_script_shortened(
    redis_path: str,
    lie: Callable[[Sequence[bytes], Tagged], Tagged],
    step: Step,
    told: str,
) -> None:
    theirs, ours = _raw(redis_path, 0, 2), InProcessSide(model_arena.Arena())
    world = World([Beside(theirs, {"liar": Liar(ours, lie)})])
    world.reset()
    world.send([[b"SET", b"noise", b"%d" % number] for number in range(20)])
    world.send([[b"HSET", b"h", b"a", b"1", b"b", b"2", b"c", b"3"], [b"SADD", b"s", b"x", b"y"]])
    with pytest.raises(Difference, match=told) as found:
        world.take(step)
    script = str(found.value).strip().split("\n\n")[-1].splitlines()
    assert len(script) == 2
    assert "noise" not in str(found.value)
    world.reset()
    world.close()


def test_what_a_side_forgets_is_found(redis_path: str) -> None:
    theirs, ours = _raw(redis_path, 0, 2), InProcessSide(model_arena.Arena())
    world = World([Beside(theirs, {"forgetful": ours})])
    world.reset()
    world.send([[b"RPUSH", b"l", b"x", b"y"]])
    ours.execute(b"LSET", b"l", b"0", b"z")
    with pytest.raises(Difference, match="LRANGE l 0 -1"):
        world.compare_contents()
    world.reset()
    world.close()


def test_random_lines_find_a_rare_mistake(redis_path: str) -> None:
    """As a whole: one wrong reply to one command among all of a family's."""

    def lie(words: Sequence[bytes], reply: Tagged) -> Tagged:
        return ("int", 0) if words[0] == b"LINSERT" and reply == ("int", -1) else reply

    theirs, ours = _raw(redis_path, 0, 2), InProcessSide(model_arena.Arena())
    world = World([Beside(theirs, {"liar": Liar(ours, lie)})])
    with pytest.raises(Difference, match="LINSERT"):
        run_family(lists.LISTS, world, 100)
    world.reset()
    world.close()
