"""Random transactions to a real redis-server and to the front-end: two clients on each side."""

from __future__ import annotations

import os
from random import Random
from typing import TYPE_CHECKING, Literal

import pytest
from server.processes import FrontEnd

from differential.sides import SocketSide

if TYPE_CHECKING:
    from collections.abc import Iterator

    from differential.wire import Tagged

SEEDS = int(os.environ.get("SHMCACHE_DIFFERENTIAL_EXAMPLES", "30"))
STEPS = 120

KEYS = (b"s", b"l", b"h", b"z", b"n")
LINES = (
    *("SET s %d", "GET s", "APPEND s x", "STRLEN s", "GETDEL n", "SET n %d NX", "SET s %d EX 100"),
    *("INCR n", "INCR l", "INCRBY n %d", "DECR s", "GETSET s %d", "MSET s %d n %d", "MGET s n l"),
    *("RPUSH l %d", "LPUSH l %d", "LPOP l", "LRANGE l 0 -1", "LPUSH s %d", "LMOVE l l LEFT RIGHT"),
    *(
        "LMOVE l s LEFT RIGHT",
        "RENAME l n",
        "RENAMENX s l",
        "COPY s n",
        "COPY n n2 DB 1",
        "MOVE n 1",
    ),
    *("HSET h f %d", "HGET h f", "HINCRBY h f %d", "HDEL h f", "ZADD z %d m", "ZINCRBY z 1 m"),
    *("ZRANGE z 0 -1 WITHSCORES", "ZADD s %d m", "DEL s l", "DEL h z n", "EXISTS s l h z n n2"),
    *(
        "TYPE s",
        "EXPIRE s 100",
        "PERSIST s",
        "TTL n",
        "PING",
        "ECHO %d",
        "SORT l",
        "SORT l BY nosort",
    ),
    *("SORT l STORE n2", "SELECT 1", "SELECT 0", "SELECT 77", "DBSIZE", "PUBLISH c %d", "FLUSHDB"),
    *(
        "FLUSHALL",
        "FLUSHALL ASYNC",
        "FLUSHDB BOGUS",
        "SWAPDB 1 0",
        "SWAPDB 0 99",
        "KEYS n*",
        "KEYS",
    ),
    *("SCAN 0 COUNT 1000 MATCH s", "SCAN 0 COUNT 1000 MATCH l TYPE list", "SCAN x", "DBSIZE x"),
    *("BOGUS %d", "GET", "SET s", "INCRBY n x", "SETRANGE s -1 x", "OBJECT BOGUS s", "SWAPDB 0 1"),
    *(
        "CLIENT GETNAME",
        "CLIENT SETNAME x%d",
        "CLIENT BOGUS",
        "HELLO 9",
        "SHUTDOWN BOGUS",
    ),
)
CONTROL = (
    *("MULTI", "MULTI", "MULTI", "EXEC", "EXEC", "EXEC", "EXEC", "DISCARD", "WATCH s", "WATCH n l"),
    *("WATCH h", "UNWATCH", "WATCH", "MULTI x", "EXEC x", "DISCARD x", "UNWATCH x", "RESET"),
)


@pytest.fixture(scope="module")
def own_front_end(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FrontEnd]:
    front_end = FrontEnd(tmp_path_factory.mktemp("transactions"))
    yield front_end.wait_ready()
    front_end.close()


class Clients:
    """Two clients of each server, the first of which has transactions."""

    def __init__(self, theirs: str, ours: str, resp: Literal[2, 3]) -> None:
        self.resp = resp
        self.script: list[bytes] = []
        self.sides = [(SocketSide(path, resp), SocketSide(path, resp)) for path in (theirs, ours)]
        self._witness = SocketSide(theirs)
        self._seen_at_watch: dict[bytes, list[Tagged]] = {}
        for first, _second in self.sides:
            assert first.execute(b"FLUSHALL") == ("simple", b"OK")

    def ask(self, who: int, words: list[bytes]) -> bool:
        """False: the servers differ as they may, and cannot be compared any more."""
        self.script.append(b"%d: %b" % (who, b" ".join(words)))
        theirs, ours = (side[who].execute(*words) for side in self.sides)
        if ours != theirs and words == [b"EXEC"] and theirs[0] == "null" and self._came_back():
            return False
        assert ours == theirs, b"\n".join(self.script).decode()
        if who == 0 and words[0] == b"WATCH":
            for key in words[1:]:
                self._seen_at_watch.setdefault(key, self._content(key))
        elif who == 0 and words[0] in {b"EXEC", b"DISCARD", b"UNWATCH", b"RESET"}:
            self._seen_at_watch.clear()
        if words[0] == b"RESET" and self.resp == 3:
            for side in self.sides:
                side[who].execute(b"HELLO", b"3")
        return True

    def _content(self, key: bytes) -> list[Tagged]:
        """What Redis has under a key, in both databases that are used."""
        found = []
        for db in (0, 1):
            self._witness.select(db)
            found += [self._witness.execute(b"DUMP", key), self._witness.execute(b"TTL", key)]
        return found

    def _came_back(self) -> bool:
        """Whether each watched key holds again what it held: not a change here, one in Redis."""
        return all(self._content(key) == seen for key, seen in self._seen_at_watch.items())

    def close(self) -> None:
        self._witness.close()
        for side in self.sides:
            for client in side:
                client.close()


def drawn(random: Random, number: int, lines: tuple[str, ...]) -> list[bytes]:
    """A line; each value is another one, since WATCH does not see a value set to itself."""
    line = random.choice(lines)
    return [word.replace("%d", str(number)).encode() for word in line.split()]


@pytest.mark.parametrize("resp", [2, 3])
@pytest.mark.parametrize("seed", range(SEEDS))
def test_random_transactions(
    redis_path: str, own_front_end: FrontEnd, seed: int, resp: Literal[2, 3]
) -> None:
    random = Random(seed)
    clients = Clients(redis_path, own_front_end.path, resp)
    try:
        for number in range(STEPS):
            who = int(random.random() < 0.15)
            control = who == 0 and random.random() < 0.35
            if not clients.ask(who, drawn(random, 1000 + number, CONTROL if control else LINES)):
                return
        clients.ask(0, [b"RESET"])
        for db in (b"0", b"1"):
            clients.ask(0, [b"SELECT", db])
            for line in (
                b"GET s",
                b"GET n",
                b"LRANGE l 0 -1",
                b"HGETALL h",
                b"EXISTS n2 s l h z n",
            ):
                clients.ask(0, line.split())
    finally:
        clients.close()
