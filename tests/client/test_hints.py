"""Where an element of a container was found is remembered; that never shows.

The short ways remember, the commands' functions behind execute_command do not: after each step both
are asked for every element, by two attachments, and must agree.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import shmcache
from client.processes import unique_name
from client.sides import outcome
from shmcache.arena.segments import create_segments, unlink_segments

if TYPE_CHECKING:
    import redis

    from client.processes import Daemon

KEYS = ("a", b"\xff\0")
NAMES = ("x", "1", "long" * 30)
INDEXES = (0, 1, -1, 5)
FAR_MS = 4_102_444_800_000
PAST_MS = 1_000

READS = ("hget", "hexists", "sismember", "zscore")
for _word in (*KEYS, *NAMES):
    hash(_word)  # what carries no hash is not remembered

keys = st.sampled_from(KEYS)
names = st.sampled_from(NAMES)
Step = tuple[Any, ...]


def _steps() -> st.SearchStrategy[Step]:
    def step(*parts: Any) -> st.SearchStrategy[Step]:
        return st.tuples(
            *(part if isinstance(part, st.SearchStrategy) else st.just(part) for part in parts)
        )

    values = st.sampled_from(["v", "w", "7", "value" * 50, "value" * 200])
    filler = st.integers(1, 400).map(str)
    times = st.sampled_from([FAR_MS, PAST_MS])
    return st.one_of(
        *[step("HSET", keys, names, values)] * 4,
        step("HSET", keys, filler, values),
        step("HDEL", keys, names),
        step("HPEXPIREAT", keys, times, "FIELDS", 1, names),
        *[step("SADD", keys, names)] * 3,
        step("SADD", keys, filler),
        step("SREM", keys, names),
        *[step("ZADD", keys, st.sampled_from([1, 2.5, -3]), names)] * 3,
        step("ZADD", keys, 7, filler),
        step("ZREM", keys, names),
        *[step(st.sampled_from(["LPUSH", "RPUSH"]), keys, names)] * 3,
        step(st.sampled_from(["LPOP", "RPOP"]), keys),
        step("LSET", keys, st.sampled_from([0, -1]), names),
        step("DEL", keys),
        *[step("SET", keys, values)] * 3,
        step("SET", keys, values, "PX", 100_000),
        step("APPEND", keys, values),
        step("RENAME", keys, keys),
        step("COPY", keys, keys, "REPLACE"),
        step("PEXPIREAT", keys, times),
        step("PERSIST", keys),
        step("FLUSHDB"),
        step("SWAPDB", 0, 1),
    )


def _both_ways(client: redis.Redis) -> tuple[list[Any], list[Any]]:
    short, function = [], []
    for key in KEYS:
        for command in READS:
            for name in NAMES:
                short.append(outcome(client, (command, (key, name), {})))
                function.append(outcome(client, ("execute_command", (command, key, name), {})))
        for _ in range(3):  # found, kept, given again
            short.append(outcome(client, ("get", (key,), {})))
            function.append(outcome(client, ("execute_command", ("get", key), {})))
        for index in INDEXES:
            short.append(outcome(client, ("lindex", (key, index), {})))
            function.append(outcome(client, ("execute_command", ("lindex", key, index), {})))
    return short, function


def _fill(cache: redis.Redis, key: str | bytes, kind: str) -> None:
    """Make it larger than what is kept packed."""
    several = range(300)
    if kind == "hash":
        cache.hset(key, mapping={f"field:{n}": n for n in several})
    elif kind == "set":
        cache.sadd(key, *(f"member:{n}" for n in several))
    elif kind == "zset":
        cache.zadd(key, {f"member:{n}": n for n in several})
    else:
        cache.rpush(key, *("element" * 20 for _ in several))


@given(
    st.lists(_steps(), min_size=20, max_size=40), st.sampled_from(["hash", "set", "zset", "list"])
)
@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_what_is_remembered_is_what_is_there(daemon: Daemon, steps: list[Step], large: str) -> None:
    with (
        shmcache.attach(daemon.name, writable=True) as writer,
        shmcache.attach(daemon.name) as reader,
    ):
        writer.flushall()
        _fill(writer, KEYS[0], large)
        for step in [("EXISTS", "a"), *steps]:
            outcome(writer, ("execute_command", step, {}))
            for client in (reader, writer, reader):
                short, function = _both_ways(client)
                assert short == function, step


def test_a_dead_field_is_forgotten_by_the_clock(daemon: Daemon) -> None:
    """Nothing in the cache changes when a time comes."""
    with shmcache.attach(daemon.name, writable=True) as cache:
        cache.flushall()
        cache.hset("h", "f", "v")
        cache.hset("other", "f", "v")
        assert cache.hget("h", "f") == cache.hget("h", "f") == b"v"
        assert cache.hget("other", "f") == cache.hget("other", "f") == b"v"
        cache.execute_command("HPEXPIRE", "h", 30, "FIELDS", 1, "f")
        cache.pexpire("other", 30)
        assert cache.hget("h", "f") in {b"v", None}
        while cache.exists("other") or cache.execute_command("HEXISTS", "h", "f"):
            cache.hget("h", "f")
            cache.hget("other", "f")
        assert cache.hget("h", "f") is None
        assert cache.hget("other", "f") is None


def test_a_kept_value_is_forgotten_by_the_clock(daemon: Daemon) -> None:
    """The very object that was given before is given again, until its time is over."""
    client = shmcache.attach(daemon.name, writable=True)
    client.set("k", b"kept", px=150)
    found = [client.get("k") for _ in range(4)]
    assert found == [b"kept"] * 4
    assert found[3] is found[2]
    client.pexpireat("k", PAST_MS)
    assert client.get("k") is None
    client.set("k", b"kept", px=30)
    deadline = time.monotonic() + 10
    while client.get("k") is not None:
        assert time.monotonic() < deadline
    assert client.get("k") is None


def test_no_more_is_kept_than_has_room() -> None:
    """Values of 6 MB in all, of which an attachment keeps 4 MiB."""
    name = unique_name()
    create_segments(name, 32 << 20).close()
    try:
        client = shmcache.attach(name, writable=True)
        texts = {f"large:{number}": b"%05d" % number * 400 for number in range(3000)}
        for text, value in texts.items():
            hash(text)
            client.set(text, value)
        for _ in range(3):
            assert all(client.get(text) == value for text, value in texts.items())
        again = sum(client.get(text) is client.get(text) for text in texts)
        assert 1500 <= again <= (4 << 20) // 2000
    finally:
        unlink_segments(name)
