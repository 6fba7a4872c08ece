"""MULTI, WATCH, client-side caches, pub/sub and blocking commands in one schedule, against Redis.

Each part has tests of its own; here they meet. A watched key never gets what it had before: to
Redis it has changed then, and here it has not.
"""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING, Final

import pytest

from differential.peers import World, both

if TYPE_CHECKING:
    from collections.abc import Iterator

    from server.processes import FrontEnd

SEEDS: Final = range(8)
STEPS: Final = 110
VERSIONS: Final = (3, 3, 2, 2, 3)
SUBSCRIBER, CONTROL = 2, 4

READS: Final = (
    *("GET {s}", "MGET {s} {s}", "EXISTS {s} {l}", "TYPE {l}", "LRANGE {l} 0 -1", "LLEN {l}"),
    *("ZRANGE {z} 0 -1 WITHSCORES", "HGETALL {h}", "STRLEN {s}", "OBJECT ENCODING {s}"),
)
WRITES: Final = (
    *("SET {s} v-{n}", "SET {s} v-{n}", "MSET {s} a-{n} {s} b-{n}", "GETSET {s} c-{n}"),
    *("RPUSH {l} e-{n}", "RPUSH {l} e-{n} f-{n}", "LPUSH {l} g-{n}", "HSET {h} f v-{n}"),
    *("EVAL \"redis.call('SET',KEYS[1],ARGV[1])return redis.call('GET',KEYS[1])\" 1 {s} g-{n}",),
    *("EVAL \"return redis.call('RPUSH',KEYS[1],ARGV[1])\" 1 {l} h-{n}",),
    *("ZADD {z} {n} m-{n}", "SETEX {s} 10000 d-{n}", "XADD {x} {n}-1 f v-{n}"),
)
TRANSACTIONS: Final = (
    *("MULTI", "MULTI", "MULTI", "EXEC", "EXEC", "EXEC", "EXEC", "EXEC", "DISCARD", "UNWATCH"),
    *("WATCH {s}", "WATCH {s} {s}", "WATCH {s}", "WATCH {h}"),
)
TRACKING: Final = tuple(
    f"CLIENT TRACKING {mode}"
    for mode in (
        *("ON", "ON", "ON OPTIN", "ON OPTOUT", "ON NOLOOP", "ON BCAST", "ON BCAST PREFIX s"),
        *("ON REDIRECT @2", "ON BCAST PREFIX l REDIRECT @2", "OFF", "OFF", "OFF"),
    )
)
OTHERS: Final = (
    *("PUBLISH news n-{n}", "PUBLISH other n-{n}", "CLIENT CACHING YES", "CLIENT CACHING NO"),
    *("CLIENT TRACKINGINFO", "nonsense", "GET", "SUBSCRIBE news", "UNSUBSCRIBE"),
    *("CLIENT UNBLOCK @0", "CLIENT UNBLOCK @1 ERROR", "CLIENT UNBLOCK @3 TIMEOUT"),
    *("SELECT 0", "PSUBSCRIBE n*", "PUNSUBSCRIBE", "DBSIZE", "TOUCH {s}", "RESET"),
)
BLOCKS: Final = (
    *("BLPOP {l} 0", "BLPOP {l} {l} 0", "BRPOP {l} 0", "BLMOVE {l} {l} LEFT RIGHT 0"),
    *("BLMPOP 0 2 {l} {l} LEFT", "BRPOPLPUSH {l} {l} 0"),
    *("BZPOPMIN {z} 0", "BZPOPMAX {z} {z} 0", "BZMPOP 0 1 {z} MIN"),
)


class Schedule:
    """Random lines for random connections."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._number = 0
        self._queueing: set[int] = set()
        self._speaks_resp2 = {SUBSCRIBER, 3}

    def step(self, may_block: set[int], free: list[int]) -> tuple[int, str]:
        """Who sends what.

        :param may_block: the connections of which one more may block
        :param free: those that are not blocked
        """
        peer = self._random.choice(free)
        line = self._line(peer, blocking=peer in may_block)
        word = line.split()[0]
        if word == "MULTI":
            self._queueing.add(peer)
        elif word in {"EXEC", "DISCARD", "RESET"}:
            self._queueing.discard(peer)
        if word == "RESET":
            self._speaks_resp2.add(peer)
        return peer, line

    def _line(self, peer: int, *, blocking: bool) -> str:
        while True:
            line = self._fill(self._random.choice(self._kind(blocking=blocking)))
            if self._fits(peer, line):
                return line

    def _kind(self, *, blocking: bool) -> tuple[str, ...]:
        kinds = [READS, WRITES, TRANSACTIONS, TRACKING, OTHERS]
        weights = [24, 34, 20, 6, 8]
        if blocking:
            kinds.append(BLOCKS)
            weights.append(10)
        return self._random.choices(kinds, weights)[0]

    def _fits(self, peer: int, line: str) -> bool:
        """Whether a line may be sent now by this connection."""
        word = line.split(maxsplit=1)[0]
        if peer == CONTROL and ("TRACKING O" in line or word == "RESET"):
            return False  # when the last one stops, what was read is forgotten here
        if peer in self._queueing:
            # nested, MULTI cannot be told from what settles a step; what a transaction wrote before
            # it began to track is told here, when it commits; and a message of its own comes in the
            # middle of EXEC's reply there
            return word != "MULTI" and not re.search("TRACKING O|SUBSCRIBE|PUBLISH", line)
        # RESP2 subscribers may do nothing else, and a RESET one speaks RESP2
        return not (peer in self._speaks_resp2 and "SUBSCRIBE" in line) and word != "RESET"

    def _fill(self, template: str) -> str:
        self._number += 1
        return re.sub(
            r"\{(\w)\}",
            lambda found: (
                str(self._number) if found[1] == "n" else f"{found[1]}{self._random.randrange(3)}"
            ),
            template,
        )


@pytest.fixture
def worlds(redis_path: str, front_end: FrontEnd) -> Iterator[tuple[World, World]]:
    pair = (World(redis_path, VERSIONS), World(front_end.path, VERSIONS))
    both(pair, CONTROL, "FLUSHALL")
    both(pair, CONTROL, "CONFIG SET tracking-table-max-keys 1000000")
    both(pair, CONTROL, "CLIENT TRACKING ON OPTIN")
    both(pair, SUBSCRIBER, "SUBSCRIBE __redis__:invalidate news")
    yield pair
    for world in pair:
        world.close()


def play(worlds: tuple[World, World], schedule: Schedule) -> None:
    """Run a schedule in both worlds, and say how it went if they differ."""
    told: list[str] = []
    for _ in range(STEPS):
        blocked = {peer for peer in range(len(VERSIONS)) if worlds[1].waits(peer)}
        assert blocked == {peer for peer in range(len(VERSIONS)) if worlds[0].waits(peer)}, told
        free = [peer for peer in (0, 0, 1, 1, 3, CONTROL) if peer not in blocked]
        peer, line = schedule.step({0, 1, 3} if len(blocked) < 2 else set(), free)
        told.append(f"{peer}: {line}")
        try:
            both(worlds, peer, line)
        except AssertionError as error:
            raise AssertionError("\n".join([*told[-60:], str(error)])) from error


@pytest.mark.parametrize("seed", SEEDS)
def test_random_schedules(worlds: tuple[World, World], seed: int) -> None:
    play(worlds, Schedule(seed))
