"""Keyspace notifications beside a real redis-server: the same messages in the same order."""

from __future__ import annotations

import itertools
import os
from contextlib import contextmanager
from random import Random
from typing import TYPE_CHECKING

import pytest
import redis

import shmcache
from differential.exceptions import is_newer_form, made_equal
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
from differential.families.family import GENERIC, OF_OTHER_TYPES, SIMPLE
from differential.families.sorting import leaves_order_open
from differential.families.streams import makes_its_own_id
from differential.grammar import either, line_of, mostly
from differential.sides import SocketSide

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from server.processes import FrontEnd

    from differential.families.family import Family

ROUNDS = int(os.environ.get("SHMCACHE_NOTIFICATION_ROUNDS", "1"))
LINES = 60
FAMILIES = (
    *(hashes.HASHES, sets.SETS, lists.LISTS, sorted_sets.SORTED_SETS, streams.STREAMS),
    *(bitmaps.BITMAPS, hyperloglogs.HYPERLOGLOGS, geo.GEO, sorting.SORTING, mixed.MIXED),
)
Message = tuple[bytes, bytes]

DIRECTED = """
set k v | set k v ex 100 | set k v keepttl | set k v xx get | set k v nx | setex k 10 v
setnx k2 v | setnx k2 v | getset k v | mset a 1 a 2 b 3 | msetnx a 1 c 2 | msetnx c 1 d 2
append k x | append new x | setrange k 0 z | setrange none 0 z | setrange k 0 | incr n
incrby n 3 | decr n | incrbyfloat n 1.5 | getex n ex 10 | getex n persist | getex n
getex n pxat 1 | getdel a | getdel a | setbit bm 3 1 | setbit bm 3 1 | setbit bm 90 0
bitfield bm set u8 0 1 incrby u8 0 1 | bitfield bm get u8 0 | bitop or bo bm b
bitop and bo no no2 | pfadd h a b | pfadd h a b | pfcount h | pfmerge h2 h | pfadd h3
del b nokey h | unlink h2 h3 | expire k 100 | expire k 50 gt | expire k -1 | expire k 1 | set k v
persist k | pexpire k 90000 | persist k | rename k kk | set k3 z | rename kk k3 | renamenx k3 k4
renamenx k4 n | rename no x | copy k4 k5 | copy k4 k5 | copy k4 k5 replace | move k4 1 | move k4 1
sort l store x | rpush l 3 1 2 | sort l store x | sort nol store x | lpush l a b | lpushx nol a
lpushx l a | rpushx l a | linsert l before a q | linsert l before no q | lset l 0 z | lrem l 0 z
lrem l 0 no | ltrim l 0 1 | ltrim l 0 -1 | ltrim l 5 6 | ltrim l 0 1 | rpush l a b c
lmove l l2 left right | lmove l l right left | lmove l l left left | rpoplpush l l2 | rpop l 10
lmpop 1 l2 left count 10 | rpush one a | lmove one one left left | lpop one 0 | lpop one
lpop one | rpop one 2 | sadd s a b c | sadd s a | srem s a no | smove s s2 b | smove s s2 c
sadd s b | smove s s2 b | spop s2 | sadd s2 a b c d | spop s2 10 | sadd s1 a b | sadd s2 b c
sinterstore d s1 s2 | sunionstore d s1 s2 | sdiffstore d s1 s1 | srem s1 a b | hset h f v g w
hset h f v | hsetnx h f v | hsetnx h z v | hincrby h n 1 | hincrbyfloat h n 1.5 | hdel h f
hmset h a b | hdel h g z n a no | zadd z 1 a 2 b | zadd z 1 a | zadd z xx 1 q | zadd z incr 1 a
zincrby z 1 a | zincrby z 0 a | zrem z a no | zpopmin z | zadd z 1 a 2 b 3 c | zpopmax z 2
zadd z 1 a 2 b 4 d 5 e | zremrangebyscore z 1 1 | zremrangebyrank z 0 0 | zremrangebyrank z 9 9
zmpop 1 z min count 10 | zadd z 0 a 0 b | zremrangebylex z [a [a | zunionstore zd 1 z
zinterstore zd 1 z | zinterstore zd 1 no | zdiffstore zd 1 z | zrangestore zd z 0 -1
zrangestore zd z 5 6 | geoadd g 1 1 a 2 2 b | geosearchstore gd g fromlonlat 1 1 byradius 100 km
georadius g 1 1 100 km store gd | georadius g 50 50 1 km store gd | xadd x 1-1 f v
xadd x maxlen 1 2-1 f v | xadd x nomkstream 3-1 f v | xadd nox nomkstream 3-1 f v | xdel x 3-1
xdel x 9-9 | xtrim x maxlen 0 | xtrim x maxlen 0 | xsetid x 9-9 | xgroup create x gr 0
xgroup create y gr 0 mkstream | xgroup createconsumer x gr c | xgroup createconsumer x gr c
xadd x 10-1 a b | xreadgroup group gr c2 streams x > | xreadgroup group gr c9 streams x 0
xack x gr 10-1 | xadd x 11-1 a b | xreadgroup group gr c2 streams x > | xclaim x gr c3 0 11-1
xautoclaim x gr c4 0 0 | xgroup setid x gr 0 | xgroup delconsumer x gr c3
xgroup delconsumer x gr c3 | xgroup destroy x gr | xgroup destroy x gr | swapdb 0 1 | flushdb
set a 1 | flushall
"""


def _directed() -> list[list[bytes]]:
    lines = itertools.chain(*(line.split("|") for line in DIRECTED.splitlines()))
    return [line.encode().split() for line in lines if line.strip()]


class Told:
    """A server, and what it tells a subscriber to everything."""

    def __init__(self, path: str, classes: str) -> None:
        self.path = path
        self.side = SocketSide(path)
        self._classes = classes
        self._ends = itertools.count()
        self._client = redis.Redis(unix_socket_path=path)
        self._subscriber = self._client.pubsub(ignore_subscribe_messages=True)

    def open(self) -> None:
        self._client.flushall()
        self._client.config_set("notify-keyspace-events", self._classes)
        self._subscriber.psubscribe("__key*__:*", "end:*")
        self.messages()

    def close(self) -> None:
        self._client.config_set("notify-keyspace-events", "")
        self._subscriber.close()
        self._client.close()
        self.side.close()

    def messages(self) -> list[Message]:
        """What was told since the last call; a dead key's end is told when somebody finds it."""
        end = b"end:%d" % next(self._ends)
        self._client.publish(end, "")
        found: list[Message] = []
        while True:
            message = self._subscriber.get_message(timeout=20)
            if message is None:
                continue
            if message["channel"] == end:
                return found
            of_expiry = message["channel"].endswith(b"__:expired") or message["data"] == b"expired"
            if not of_expiry:
                found.append((message["channel"], message["data"]))


@contextmanager
def _told(*paths: str, classes: str = "KEAn") -> Iterator[list[Told]]:
    servers = [Told(path, classes) for path in paths]
    try:
        for server in servers:
            server.open()
        yield servers
    finally:
        for server in servers:
            server.close()


def _compare(servers: list[Told], line: list[bytes]) -> None:
    for server in servers:
        server.side.execute(*line)
    theirs, ours = (server.messages() for server in servers)
    assert ours == theirs, b" ".join(line)


def test_each_command(redis_path: str, front_end: FrontEnd) -> None:
    with _told(redis_path, front_end.path) as servers:
        for line in _directed():
            _compare(servers, line)


@pytest.mark.parametrize("classes", ["K$", "Eg", "KElshztd", "KEn", "Em", "K", "A", "KEAm"])
def test_each_class(redis_path: str, front_end: FrontEnd, classes: str) -> None:
    with _told(redis_path, front_end.path, classes=classes) as servers:
        for line in (
            *([b"SET", b"k", b"v"], [b"APPEND", b"k", b"v"], [b"GET", b"no"], [b"DEL", b"k"]),
            *([b"MGET", b"no", b"k"], [b"GETEX", b"no"], [b"SET", b"q", b"v", b"GET"]),
            *([b"RPUSH", b"l", b"a"], [b"SADD", b"s", b"a"], [b"HSET", b"h", b"f", b"v"]),
            *([b"ZADD", b"z", b"1", b"a"], [b"XADD", b"x", b"1-1", b"f", b"v"]),
            *([b"EXPIRE", b"l", b"100"], [b"LPOP", b"l"], [b"TYPE", b"no"], [b"LPOP", b"no"]),
        ):
            _compare(servers, line)


def _sendable(line: list[bytes]) -> bool:
    return not (is_newer_form(line) or makes_its_own_id(line) or leaves_order_open(line))


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_random_commands(redis_path: str, front_end: FrontEnd, family: Family) -> None:
    """Half of them inside MULTI, which tells of all of them when it ends."""
    own, generic, simple = (line_of(part) for part in (family.shapes, GENERIC, SIMPLE))
    seed = int(os.environ.get("SHMCACHE_SEED", "1"))
    source = Random(seed)
    line = mostly(own, either(generic, simple), 0.2)
    for _ in range(ROUNDS):
        with _told(redis_path, front_end.path) as servers:
            for words in (*OF_OTHER_TYPES, *family.preparations(source)):
                _compare(servers, words)
            for number in range(LINES):
                if number % 20 == 10:
                    _compare(servers, [b"MULTI"])
                if number % 20 == 19:
                    _compare(servers, [b"EXEC"])
                drawn = line(source)
                for words in made_equal(drawn) if _sendable(drawn) else ():
                    try:
                        _compare(servers, words)
                    except AssertionError as error:
                        raise AssertionError(f"SHMCACHE_SEED={seed}") from error


def _pipeline(client: redis.Redis) -> object:
    with client.pipeline() as pipe:
        pipe.set("p", 1)
        pipe.incr("p")
        pipe.incr("p")
        pipe.append("p", "x")
        pipe.delete("p")
        return pipe.execute()


CALLS: tuple[Callable[[redis.Redis], object], ...] = (
    lambda r: r.set("k", "v"),
    lambda r: r.set("k", "v", ex=100),
    lambda r: r.get("k"),
    lambda r: r.mset({"a": "1", "b": "2"}),
    lambda r: r.incr("n", 5),
    lambda r: r.append("k", "x"),
    lambda r: r.expire("k", 50),
    lambda r: r.persist("k"),
    lambda r: r.hset("h", "f", "v"),
    lambda r: r.hset("h", mapping={"f": "v", "g": "w"}),
    lambda r: r.hincrby("h", "n", 2),
    lambda r: r.hdel("h", "f", "g", "n"),
    lambda r: r.lpush("l", "a", "b"),
    lambda r: r.rpush("l", "c"),
    lambda r: r.lpop("l"),
    lambda r: r.rpop("l", 5),
    lambda r: r.lmove("l", "m", "LEFT", "RIGHT"),
    lambda r: r.sadd("s", "a", "b"),
    lambda r: r.sadd("s", "a"),
    lambda r: r.smove("s", "t", "a"),
    lambda r: r.srem("s", "b"),
    lambda r: r.spop("t"),
    lambda r: r.zadd("z", {"a": 1, "b": 2}),
    lambda r: r.zincrby("z", 2, "a"),
    lambda r: r.zrem("z", "a"),
    lambda r: r.zpopmin("z"),
    _pipeline,
    lambda r: r.rename("k", "kk"),
    lambda r: r.delete("kk", "a"),
    lambda r: r.flushdb(),
)


def test_writes_of_another_process(redis_path: str, front_end: FrontEnd) -> None:
    """An in-process writer is this process, so to the front-end it is another one."""
    with _told(redis_path, front_end.path) as servers:
        theirs = redis.Redis(unix_socket_path=redis_path)
        with shmcache.attach(front_end.path, writable=True) as writer:
            for call in CALLS:
                call(theirs)
                call(writer)
                expected = servers[0].messages()
                found = servers[1].messages()
                while len(found) < len(expected):  # the front-end is woken, which takes its time
                    found += servers[1].messages()
                assert found == expected
        theirs.close()
