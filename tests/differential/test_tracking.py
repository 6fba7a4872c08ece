"""CLIENT TRACKING against a real redis-server: what each of several connections receives."""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING, Final

import pytest

from differential.peers import World, both
from differential.sides import InProcessSide
from shmcache.arena.segments import attach_arena

if TYPE_CHECKING:
    from collections.abc import Iterator

    from server.processes import FrontEnd

SEEDS: Final = range(8)
STEPS: Final = 90


@pytest.fixture
def worlds(redis_path: str, front_end: FrontEnd) -> Iterator[tuple[World, World]]:
    """Two times six connections: the third and fifth are sent messages only, the sixth is free."""
    versions = (3, 3, 2, 2, 3, 2)
    pair = (World(redis_path, versions), World(front_end.path, versions))
    both(pair, 3, "FLUSHALL")
    both(pair, 3, "CONFIG SET tracking-table-max-keys 1000000")
    yield pair
    for world in pair:
        world.close()


# ---- what CLIENT TRACKING accepts

LINES: Final = """\
CLIENT TRACKING
CLIENT TRACKING foo
CLIENT TRACKING foo REDIRECT 999999
CLIENT TRACKING foo OPTIN
CLIENT TRACKING on BCAST OPTIN
CLIENT TRACKING on OPTIN OPTOUT
CLIENT TRACKING on PREFIX a
CLIENT TRACKING on PREFIX
CLIENT TRACKING on BCAST PREFIX a PREFIX ab
CLIENT TRACKING on BCAST PREFIX a PREFIX a
CLIENT TRACKING on BCAST PREFIX abc PREFIX x PREFIX a
CLIENT TRACKING on REDIRECT 0
CLIENT TRACKING on REDIRECT -1
CLIENT TRACKING on REDIRECT 999999
CLIENT TRACKING on REDIRECT x
CLIENT TRACKING on REDIRECT
CLIENT TRACKING on REDIRECT @1 REDIRECT @1
CLIENT TRACKING on FOO
CLIENT TRACKING on BCAST REDIRECT 999999 OPTIN
CLIENT CACHING yes
CLIENT CACHING foo
CLIENT CACHING
CLIENT GETREDIR
CLIENT GETREDIR x
CLIENT TRACKINGINFO
CLIENT TRACKING off OPTIN OPTOUT PREFIX x
CLIENT TRACKING on
CLIENT TRACKING on BCAST
CLIENT CACHING foo
CLIENT CACHING yes
CLIENT CACHING no
CLIENT TRACKING on REDIRECT @0
CLIENT GETREDIR
CLIENT TRACKING on REDIRECT @1
CLIENT TRACKINGINFO
CLIENT TRACKING on OPTIN
CLIENT GETREDIR
CLIENT CACHING YES
CLIENT TRACKINGINFO
CLIENT TRACKING on
CLIENT TRACKINGINFO
CLIENT TRACKING on OPTIN
CLIENT TRACKINGINFO
PING
CLIENT TRACKINGINFO
CLIENT CACHING no
CLIENT TRACKING on OPTOUT
CLIENT TRACKING off
CLIENT TRACKING on OPTOUT NOLOOP
CLIENT CACHING yes
CLIENT CACHING no
CLIENT TRACKINGINFO
CLIENT TRACKING on OPTIN
CLIENT TRACKING off
CLIENT TRACKINGINFO
CLIENT TRACKING on BCAST PREFIX foo PREFIX bar NOLOOP
CLIENT TRACKINGINFO
CLIENT CACHING yes
CLIENT TRACKING on BCAST PREFIX foo2
CLIENT TRACKING on BCAST PREFIX f
CLIENT TRACKING on BCAST PREFIX foo
CLIENT TRACKING on BCAST PREFIX baz
CLIENT TRACKINGINFO
CLIENT TRACKING on BCAST
CLIENT TRACKINGINFO
CLIENT TRACKING on BCAST PREFIX x
CLIENT TRACKING on
CLIENT TRACKING on BCAST PREFIX "" PREFIX ""
RESET
CLIENT TRACKINGINFO"""


@pytest.mark.parametrize("peer", [0, 3], ids=["resp3", "resp2"])
def test_every_form_and_refusal(worlds: tuple[World, World], peer: int) -> None:
    for line in LINES.split("\n"):
        both(worlds, peer, line)


def flags_of(world: World, peer: int) -> tuple[bytes, bytes]:
    listed: bytes = world.run(peer, "CLIENT INFO").reply[1].removeprefix(b"txt:")
    fields = dict(field.split(b"=", 1) for field in listed.split(b" ") if b"=" in field)
    return fields[b"flags"], fields[b"redir"]


def test_flags_in_client_list(worlds: tuple[World, World]) -> None:
    for line in (
        *("CLIENT TRACKING on", "CLIENT TRACKING off", "CLIENT TRACKING on BCAST"),
        *("CLIENT TRACKING off", "CLIENT TRACKING on NOLOOP OPTIN", "CLIENT TRACKING off"),
    ):
        both(worlds, 0, line)
        theirs, ours = (flags_of(world, 0) for world in worlds)
        assert theirs == ours, line


def test_a_broken_redirection(worlds: tuple[World, World]) -> None:
    both(worlds, 0, "CLIENT TRACKING on REDIRECT @1")
    both(worlds, 0, "GET k")
    for world in worlds:
        world.peers[1].close()
    both(worlds, 0, "CLIENT TRACKINGINFO")
    both(worlds, 3, "SET k 1")
    both(worlds, 0, "CLIENT TRACKINGINFO")
    both(worlds, 0, "CLIENT GETREDIR")
    assert [flags_of(world, 0)[0] for world in worlds] == [b"tRU", b"tRU"]
    both(worlds, 0, "GET k")
    both(worlds, 3, "FLUSHALL")
    both(worlds, 0, "CLIENT TRACKING on")
    both(worlds, 0, "CLIENT TRACKINGINFO")


def tracking_figures(world: World) -> dict[bytes, bytes]:
    text: bytes = world.run(3, "INFO everything").reply[1]
    lines = (line.split(b":", 1) for line in text.split(b"\r\n") if b"tracking_" in line)
    return {name: figure for name, figure in lines if b"latency" not in name}


def test_the_table_is_bounded(worlds: tuple[World, World]) -> None:
    """Which keys go is random there, and the oldest here; how many is the same."""
    both(worlds, 3, "CONFIG SET tracking-table-max-keys 3")
    told: list[set[bytes]] = []
    for world in worlds:
        world.run(0, "CLIENT TRACKING on")
        for number in range(8):
            world.run(0, f"GET k{number}")
        told.append({keys[0][1] for keys in world.invalidations(0)})
    assert list(map(len, told)) == [5, 5]
    assert told[1] == {b"k0", b"k1", b"k2", b"k3", b"k4"}
    theirs, ours = map(tracking_figures, worlds)
    assert theirs == ours
    assert ours[b"tracking_total_keys"] == b"3"
    for world in worlds:
        world.run(3, "CONFIG SET tracking-table-max-keys 1")
        world.run(3, "PING")
        assert len(world.invalidations(0)) == 2


# ---- random schedules

READS: Final = (
    *("GET {s}", "GET {s}", "MGET {s} {s}", "STRLEN {s}", "EXISTS {s} {l}", "TYPE {l}"),
    *("LRANGE {l} 0 -1", "LLEN {l}", "HGETALL {h}", "HGET {h} f", "OBJECT ENCODING {s}", "GET {l}"),
    *("SINTERCARD 2 {h} {h}", "XREAD STREAMS {x} 0", "SORT_RO {l}", "TOUCH {s}", "BITCOUNT {s}"),
)
WRITES: Final = (
    *("SET {s} 1", "SET {s} 2 PX 1000000", "MSET {s} 1 {s} 2", "INCR {s}", "GETSET {s} 3"),
    *("EXPIRE {s} 10000", "DEL {s} {l}", "SETNX {s} 5", "PERSIST {s}", "HSET {h} f 1"),
    *("COPY {s} {s} REPLACE", "RENAME {s} {s}", "SORT {l} ALPHA STORE {l}", "LPOP {l}"),
    *("LTRIM {l} 1 3", "LREM {l} 0 b", "SADD {x} 1", "SREM {x} 1", "GETDEL {s}", "HDEL {h} f"),
    *("SUNIONSTORE {x} {x}", "RPOPLPUSH {l} {l}", "GETEX {s} PERSIST", "UNLINK {h}", "INCR {l}"),
    *("SETEX {s} 10000 4", "RPUSH {l} a", "LPUSH {l} b c", "SETRANGE {s} 0 7"),
)
MODES: Final = (
    *("ON", "ON", "ON NOLOOP", "ON OPTIN", "ON OPTOUT", "ON BCAST", "ON BCAST PREFIX s", "OFF"),
    *("ON BCAST PREFIX s1 PREFIX l NOLOOP", "ON REDIRECT @2", "ON BCAST REDIRECT @2", "OFF"),
    *("ON REDIRECT @4", "ON OPTIN REDIRECT @2 NOLOOP"),
)
OTHERS: Final = (
    *("CLIENT CACHING YES", "CLIENT CACHING NO", "CLIENT TRACKINGINFO", "PING", "nonsense"),
    *("FLUSHALL", "FLUSHDB", "SELECT 1", "SELECT 0", "GET"),
)


class Schedule:
    """Random lines for random connections, transactions among them."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def _fill(self, template: str) -> str:
        """Put a key of its own into each place."""
        return re.sub(r"\{(\w)\}", lambda found: f"{found[1]}{self._random.randrange(3)}", template)

    def line(self) -> str:
        kind = self._random.random()
        if kind < 0.4:
            return self._fill(self._random.choice(READS))
        if kind < 0.75:
            return self._fill(self._random.choice(WRITES))
        if kind < 0.87:
            return f"CLIENT TRACKING {self._random.choice(MODES)}"
        return self._random.choice(OTHERS)

    def write(self) -> str:
        """What somebody else writes into database 0."""
        return self._fill(self._random.choice(WRITES))

    def step(self) -> tuple[int, list[str]]:
        """Who sends what at once."""
        peer = self._random.choice((0, 0, 1, 1, 3))
        lines = [self.line() for _ in range(self._random.choice((1, 1, 1, 2, 3)))]
        if self._random.random() < 0.25:
            # what EXEC wrote before it began to track is told here, when it commits
            lines = [line for line in lines if "TRACKING O" not in line]
            lines = ["MULTI", *lines, self._random.choice(("EXEC", "EXEC", "EXEC", "DISCARD"))]
        return peer, lines


@pytest.mark.parametrize("seed", SEEDS)
def test_random_schedules(worlds: tuple[World, World], seed: int) -> None:
    schedule = Schedule(seed)
    both(worlds, 2, "SUBSCRIBE __redis__:invalidate")
    # Redis remembers on what was read before the last client stopped tracking
    both(worlds, 4, "CLIENT TRACKING on OPTIN")
    for _ in range(STEPS):
        peer, lines = schedule.step()
        both(worlds, peer, *lines)
    theirs, ours = map(tracking_figures, worlds)
    assert theirs == ours


@pytest.mark.parametrize("seed", SEEDS)
def test_a_writer_in_another_process(
    worlds: tuple[World, World], front_end: FrontEnd, seed: int
) -> None:
    """Whose writes invalidate as if they had come over a socket."""
    theirs, ours = worlds
    schedule = Schedule(seed)
    for world in worlds:
        world.run(2, "SUBSCRIBE __redis__:invalidate")
        world.run(4, "CLIENT TRACKING on OPTIN")
    writer = InProcessSide(attach_arena(front_end.name, writable=True))
    for _ in range(STEPS):
        peer, lines = schedule.step()
        both(worlds, peer, *lines)
        line = schedule.write()
        writer.execute(*line.encode().split())
        assert theirs.run(5, line).told() == ours.run(5).told(), line
    writer.close()
