"""Client-side caching where there is nothing to compare with, and redis-py's own cache."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
import redis
from redis.cache import CacheConfig

from shmcache.arena.segments import attach_arena

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from server.processes import FrontEnd
    from server.wire import Wire
    from shmcache.arena import Arena

K_CHANGED = b">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n"
ALL_CHANGED = b">2\r\n$10\r\ninvalidate\r\n_\r\n"


@pytest.fixture
def tracking(front_end: FrontEnd) -> Iterator[Wire]:
    """A connection that tracks and has read k."""
    with front_end.connect(resp=3) as wire:
        assert wire.run("CLIENT", "TRACKING", "ON") == b"+OK\r\n"
        wire.run("GET", "k")
        yield wire


def figures(client: Wire) -> dict[str, int]:
    lines = client.text("INFO", "stats", "clients").splitlines()
    pairs = (line.split(":") for line in lines if line.startswith("tracking_"))
    return {name.removeprefix("tracking_"): int(figure) for name, figure in pairs}


def test_swapdb_may_change_every_key(tracking: Wire, client: Wire) -> None:
    """Redis tells nothing here, and caches keep what belongs to the other database."""
    client.run("SWAPDB", "0", "1")
    assert tracking.reply() == ALL_CHANGED
    assert tracking.run("PING") == b"+PONG\r\n"
    client.run("SWAPDB", "0", "1")


def test_a_receiver_is_told_in_its_own_protocol(front_end: FrontEnd, client: Wire) -> None:
    """Redis sends RESP3's null to a RESP2 connection, which breaks its parser."""
    with front_end.connect() as receiver, front_end.connect(resp=3) as tracking:
        number = receiver.run("CLIENT", "ID")[1:-2]
        receiver.run("SUBSCRIBE", "__redis__:invalidate")
        tracking.run("CLIENT", "TRACKING", "ON", "REDIRECT", number)
        client.run("FLUSHALL")
        channel = b"$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n"
        assert receiver.reply() == b"*3\r\n" + channel + b"$-1\r\n"


def test_what_exec_reads_after_it_wrote_is_remembered(tracking: Wire, client: Wire) -> None:
    for lines, told in (
        ((("GET", "k"), ("SET", "k", "1"), ("GET", "k")), True),
        ((("SET", "k", "2"), ("GET", "k")), True),  # it had read it before
        ((("SET", "k", "3"),), True),
    ):
        tracking.run("GET", "k")
        tracking.run("MULTI")
        for line in lines:
            tracking.run(*line)
        assert tracking.run("EXEC").startswith(b"*")
        if told:
            assert tracking.reply() == K_CHANGED
    # never read before: its own write is no news, what comes after it is
    tracking.run("MULTI")
    tracking.run("SET", "k", "4")
    tracking.run("GET", "k")
    assert tracking.run("EXEC") == b"*2\r\n+OK\r\n$1\r\n4\r\n"
    client.run("SET", "k", "5")
    assert tracking.reply() == K_CHANGED
    # read between two writes: what it may have kept is old
    tracking.run("MULTI")
    for line in (("SET", "k", "6"), ("GET", "k"), ("SET", "k", "7")):
        tracking.run(*line)
    assert tracking.run("EXEC").startswith(b"*3\r\n")
    assert tracking.reply() == K_CHANGED


def test_nothing_is_kept_of_those_who_left(front_end: FrontEnd, client: Wire) -> None:
    with front_end.connect(resp=3) as one, front_end.connect(resp=3) as two:
        one.run("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "a", "PREFIX", "b")
        two.run("CLIENT", "TRACKING", "ON")
        two.run("MGET", "a", "b", "c")
        assert figures(client) == {
            "clients": 2,
            "total_keys": 3,
            "total_items": 3,
            "total_prefixes": 2,
        }
        one.run("RESET")
        assert figures(client)["total_prefixes"] == 0
        two.run("CLIENT", "TRACKING", "OFF")
        assert set(figures(client).values()) == {0}
        one.run("HELLO", "3")
        one.run("CLIENT", "TRACKING", "ON", "BCAST")
        two.run("CLIENT", "TRACKING", "ON")
        two.run("GET", "k")
    deadline = time.monotonic() + 10
    while figures(client)["clients"]:
        assert time.monotonic() < deadline
    assert set(figures(client).values()) == {0}
    client.run("SET", "k", "1")
    assert client.run("PING") == b"+PONG\r\n"


def test_only_who_tracks_leaves_the_short_way(front_end: FrontEnd, tracking: Wire) -> None:
    """What it reads has to be seen, also after it was in MULTI, and until it tracks no longer."""
    with front_end.connect() as client:
        for _ in range(2):
            client.run("SET", "k", "1")
            assert tracking.reply() == K_CHANGED
            tracking.run("MULTI")
            tracking.run("DISCARD")
            tracking.run("GET", "k")
        tracking.run("CLIENT", "TRACKING", "OFF")
        client.run("SET", "k", "2")
        assert tracking.run("GET", "k") == b"$1\r\n2\r\n"


def test_a_receiver_that_never_reads_harms_nobody(
    start_front_end: Callable[..., FrontEnd],
) -> None:
    front_end = start_front_end(client_output_buffer_limit="normal 65536 0 0")
    with front_end.connect(resp=3) as stuck, front_end.connect() as client:
        stuck.run("CLIENT", "TRACKING", "ON", "BCAST")
        name = "k" * 2000
        deadline = time.monotonic() + 20
        number = 0
        while "tracking_clients:1" in client.text("INFO", "clients"):
            assert time.monotonic() < deadline
            for _ in range(50):
                number += 1
                assert client.run("SET", f"{name}{number % 100}", "1") == b"+OK\r\n"
        assert "client_output_buffer_limit_disconnections:1" in client.text("INFO", "stats")
        assert set(figures(client).values()) == {0}


# ---- redis-py's cache


@pytest.fixture
def cached(front_end: FrontEnd) -> Iterator[redis.Redis]:
    # redis-py caches on TCP connections only
    with redis.Redis(
        port=front_end.port, protocol=3, cache_config=CacheConfig(max_size=100)
    ) as client:
        yield client


def soon(check: Callable[[], bool]) -> None:
    """The message comes over another connection than the reply to the change."""
    deadline = time.monotonic() + 10
    while not check():
        assert time.monotonic() < deadline


def is_cached(client: redis.Redis, key: str) -> bool:
    cache: Any = client.get_cache()
    return any(key in entry.redis_keys for entry in cache.collection)


def test_redis_py_caches_and_is_told(
    cached: redis.Redis, client: Wire, front_end: FrontEnd
) -> None:
    client.run("MSET", "a", "1", "b", "2")
    for _ in range(3):
        assert cached.mget("a", "b") == [b"1", b"2"]
    assert cached.get("a") == b"1"
    assert is_cached(cached, "a")
    before = client.text("INFO", "commandstats").partition("cmdstat_get:calls=")[2].partition(",")
    for _ in range(5):
        assert cached.get("a") == b"1"
    after = client.text("INFO", "commandstats").partition("cmdstat_get:calls=")[2].partition(",")
    assert before == after
    client.run("SET", "a", "3")
    soon(lambda: cached.get("a") == b"3")
    assert cached.mget("a", "b") == [b"3", b"2"]
    client.run("FLUSHALL")
    soon(lambda: cached.mget("a", "b") == [None, None])
    cached.set("a", "own")
    assert cached.get("a") == b"own"
    cached.hset("h", "f", "1")
    assert cached.hget("h", "f") == b"1"
    client.run("HSET", "h", "f", "2")
    soon(lambda: cached.hget("h", "f") == b"2")


# ---- writers in other processes


@pytest.fixture
def writer(front_end: FrontEnd) -> Iterator[Arena]:
    """What a worker writes with."""
    arena = attach_arena(front_end.name, writable=True)
    yield arena
    arena.close()


def test_a_worker_s_write_is_told(tracking: Wire, writer: Arena) -> None:
    for value in (b"1", b"2"):
        writer.set(0, b"k", value)
        assert tracking.reply() == K_CHANGED
        assert tracking.run("GET", "k") == b"$1\r\n%b\r\n" % value
    with writer.transaction([(0, b"other"), (0, b"k")]) as transaction:
        transaction.set(0, b"other", b"1")
        transaction.delete(0, b"k")
    assert tracking.reply() == K_CHANGED
    writer.flush_db(0)
    assert tracking.reply() == ALL_CHANGED
    tracking.run("CLIENT", "TRACKING", "OFF")
    tracking.run("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "k")
    writer.set(0, b"other", b"2")
    writer.set(0, b"k", b"3")
    assert tracking.reply() == K_CHANGED


def test_no_loop_is_about_the_client_alone(front_end: FrontEnd, writer: Arena) -> None:
    with front_end.connect(resp=3) as wire:
        wire.run("CLIENT", "TRACKING", "ON", "NOLOOP")
        wire.run("GET", "k")
        writer.set(0, b"k", b"1")
        assert wire.reply() == K_CHANGED


def test_what_is_evicted_is_told(start_front_end: Callable[..., FrontEnd]) -> None:
    front_end = start_front_end(maxmemory_policy="allkeys-random")
    with front_end.connect(resp=3) as tracking, front_end.connect() as client:
        client.run("SET", "k", "1")
        tracking.run("CLIENT", "TRACKING", "ON")
        tracking.run("GET", "k")
        deadline = time.monotonic() + 20
        number = 0
        while client.run("EXISTS", "k") == b":1\r\n":
            assert time.monotonic() < deadline
            number += 1
            assert client.run("SET", f"filler-{number}", "x" * 10_000) == b"+OK\r\n"
        assert tracking.reply() == K_CHANGED


def test_redis_py_is_told_of_a_worker_s_write(cached: redis.Redis, writer: Arena) -> None:
    cached.set("k", "1")
    assert cached.get("k") == b"1"
    assert is_cached(cached, "k")
    writer.set(0, b"k", b"2")
    soon(lambda: cached.get("k") == b"2")


def test_redis_py_is_told_of_what_expires(cached: redis.Redis, client: Wire, writer: Arena) -> None:
    client.run("SET", "k", "1", "PX", "100")
    assert cached.get("k") == b"1"

    def has_gone() -> bool:
        writer.expire_cycle(10_000)  # the maintenance process's part
        return cached.get("k") is None

    soon(has_gone)
