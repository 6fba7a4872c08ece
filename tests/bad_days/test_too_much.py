"""More than the cache can hold, by every door: one clear error, and whatever was there stays."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import redis
from supervisor.daemons import eventually

import shmcache
from shmcache.arena.segments import attach_arena, create_segments

if TYPE_CHECKING:
    from collections.abc import Callable

    from supervisor.daemons import DaemonProcess

    from bad_days.doors import Doors

DOORS = ("socket", "reader", "writer")
each_door = pytest.mark.parametrize("door", DOORS)

LONG_KEY = b"k" * 20_000
HUGE = b"x" * (2 << 20)
"""Twice the arena."""
MOST_KEYS = 100_000

TOO_LONG: list[tuple[str, Callable[[Any], Any]]] = [
    ("set", lambda client: client.set(LONG_KEY, "v")),
    ("setnx", lambda client: client.setnx(LONG_KEY, "v")),
    ("getset", lambda client: client.getset(LONG_KEY, "v")),
    ("incr", lambda client: client.incr(LONG_KEY)),
    ("append", lambda client: client.append(LONG_KEY, "v")),
    ("setrange", lambda client: client.setrange(LONG_KEY, 0, "v")),
    ("mset", lambda client: client.mset({"first": "v", LONG_KEY: "v"})),
    ("rename", lambda client: client.rename("here", LONG_KEY)),
    ("copy", lambda client: client.copy("here", LONG_KEY)),
]
TOO_LARGE: list[tuple[str, Callable[[Any], Any]]] = [
    ("set", lambda client: client.set("here", HUGE)),
    ("set-get", lambda client: client.set("here", HUGE, get=True)),
    ("getset", lambda client: client.getset("here", HUGE)),
    ("append", lambda client: client.append("here", HUGE)),
    ("setrange", lambda client: client.setrange("here", len(HUGE), "v")),
    ("setrange far", lambda client: client.setrange("here", 1 << 40, "v")),
    ("mset", lambda client: client.mset({"first": "v", "here": HUGE})),
]


def by_name(cases: list[tuple[str, Callable[[Any], Any]]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("write", [pytest.param(do, id=what) for what, do in cases])


@by_name(TOO_LONG)
def test_too_long_a_key(doors: Doors, write: Callable[[Any], Any]) -> None:
    """The arena tells how long is too long, and so do the error and the README."""
    for client in doors.each.values():
        client.set("here", "v", ex=1000)
        with pytest.raises(redis.ResponseError, match=r"^key is longer than this cache .* bytes"):
            write(client)
        assert (client.get("here"), client.exists("first"), client.dbsize()) == (b"v", 0, 1)
        assert client.ttl("here") > 0
    doors.check_arena()


@pytest.mark.parametrize("data_bytes", [1 << 20, (16 << 20) - 4096, 16 << 20, 64 << 20])
def test_the_longest_key(daemon: DaemonProcess, data_bytes: int) -> None:
    create_segments(daemon.name, data_bytes).close()
    longest = attach_arena(daemon.name).max_key_bytes
    with shmcache.attach(daemon.name, writable=True) as client:
        assert client.set(b"k" * longest, "v")
        assert client.get(b"k" * longest) == b"v"
        with pytest.raises(shmcache.KeyTooLong) as caught:
            client.set(b"k" * (longest + 1), "v")
    general, small = map(int, re.findall(r"\d{4,}", str(caught.value)))
    assert longest == (small if data_bytes < 16 << 20 else general)


@each_door
def test_a_key_too_long_to_be_there(doors: Doors, door: str) -> None:
    client = doors.each[door]
    client.set("here", "v")
    assert client.get(LONG_KEY) is None
    assert client.mget("here", LONG_KEY) == [b"v", None]
    assert client.exists("here", LONG_KEY) == 1
    assert client.strlen(LONG_KEY) == 0
    assert client.ttl(LONG_KEY) == -2
    assert client.type(LONG_KEY) == b"none"
    assert client.expire(LONG_KEY, 10) is False
    assert client.delete(LONG_KEY) == 0
    assert client.getdel(LONG_KEY) is None


@by_name(TOO_LARGE)
def test_too_large_a_value(doors: Doors, write: Callable[[Any], Any]) -> None:
    for client in doors.each.values():
        client.set("here", "v", ex=1000)
        with pytest.raises(redis.ResponseError, match=r"^string exceeds maximum allowed size"):
            write(client)
        assert (client.get("here"), client.exists("first"), client.dbsize()) == (b"v", 0, 1)
        assert client.ttl("here") > 0
    doors.check_arena()


KEYS_THAT_MAY_GROW = 100
"""In a cache of a mebibyte that is full."""


def succeeds(do: Callable[[], Any]) -> bool:
    """Tell whether there is memory for it."""
    try:
        return bool(do())
    except redis.exceptions.OutOfMemoryError:
        return False


def fill(client: Any, prefix: str) -> int:
    """Set keys until the cache is full; return how many were acknowledged."""
    for count in range(MOST_KEYS):
        if not succeeds(lambda: client.set(f"{prefix}:{count}", f"{count:0100d}")):  # noqa: B023
            return count
    pytest.fail("the cache takes everything")


@each_door
def test_out_of_memory_loses_nothing(doors: Doors, door: str) -> None:
    """Under noeviction: what was acknowledged stays, what goes makes room again."""
    client = doors.each[door]
    count = fill(client, "k")
    assert count > 1000
    for other in doors.each.values():
        with pytest.raises(redis.exceptions.OutOfMemoryError, match="not allowed when used mem"):
            other.set("large", b"x" * 10_000)
        with pytest.raises(redis.exceptions.OutOfMemoryError):
            other.mset({"one": b"x" * 10_000, "two": b"x" * 10_000})
        with pytest.raises(redis.exceptions.OutOfMemoryError):
            other.append("k:0", b"x" * 10_000)
        assert other.exists("large", "one", "two") == 0
        assert other.strlen("k:0") == 100
    names = [f"k:{number}" for number in range(count)]
    assert client.mget(names) == [b"%0100d" % number for number in range(count)]
    doors.check_arena()
    assert client.delete(*names[: count // 2]) == count // 2
    assert client.set("large", b"x" * 10_000)
    assert client.mget(names[count // 2 :]) == [b"%0100d" % n for n in range(count // 2, count)]
    assert fill(client, "again") > count // 3
    doors.check_arena()


@each_door
def test_a_full_cache_can_still_be_looked_after(doors: Doors, door: str) -> None:
    """What makes room or needs none is done."""
    client = doors.each[door]
    count = fill(client, "k")
    assert client.persist("k:1") is False
    assert client.pexpire("k:2", -1) is True
    assert client.getdel("k:3") == b"%0100d" % 3
    assert client.unlink("k:4", "k:5", "none") == 2
    assert client.dbsize() == count - 4
    others = [f"k:{number}" for number in range(10, count)]
    assert client.delete(*others) == len(others)
    assert client.expire("k:6", 1000) is True
    assert client.ttl("k:6") > 0
    assert client.persist("k:6") is True
    assert client.rename("k:7", "K:7")
    assert client.move("k:8", 1) is True
    assert client.getex("k:9", ex=1000) == b"%0100d" % 9
    assert client.swapdb(0, 1)
    fill(client, "again")
    assert client.flushall()
    # what was flushed is swept by whoever comes first, and is free when that is done
    eventually(lambda: succeeds(lambda: client.set("k", "v")))
    doors.check_arena()


@each_door
def test_expire_finds_memory_when_there_is_none(doors: Doors, door: str) -> None:
    """An entry grows by its first lifetime, and Redis refuses nobody one; nor a new name.

    Some memory is kept for that. When every key has grown it may be used up: then nothing changes.
    """
    client = doors.each[door]
    for number in range(fill(client, "k")):
        key = f"k:{number}"
        done = succeeds(lambda: client.expire(key, 1000))  # noqa: B023
        assert (client.ttl(key) > 0) is done
        if number < KEYS_THAT_MAY_GROW:
            assert done
            assert client.rename(key, f"renamed:{number}")
            assert client.persist(f"renamed:{number}")
    doors.check_arena()


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-lru"])
def test_a_value_as_large_as_the_cache(doors: Doors, policy: str) -> None:
    """It cannot come in by throwing everything else out in vain."""
    doors.each["socket"].config_set("maxmemory-policy", policy)
    for client in doors.each.values():
        client.set("here", "v")
        with pytest.raises(redis.ResponseError):
            client.set("large", HUGE)
        assert client.get("here") == b"v"
    doors.check_arena()


def half_done_in_a_transaction(client: Any, long_key: bytes) -> list[tuple[str, Any]]:
    half = b"x" * 600_000
    return [
        ("string exceeds", client.pipeline().set("a", 1).mset({"x": "v", "y": HUGE}).set("b", 2)),
        ("not allowed", client.pipeline().set("a", 1).mset({"x": half, "y": half}).set("b", 2)),
        ("key is longer", client.pipeline().mset({"x": "v", long_key: "v"}).set("b", 2)),
    ]


def test_no_command_is_half_done_in_a_transaction(doors: Doors) -> None:
    """One of several keys that cannot be finished takes its transaction back."""
    client = doors.each["writer"]
    client.set("here", "v")
    for error, transaction in half_done_in_a_transaction(client, LONG_KEY):
        with pytest.raises(shmcache.ShmcacheError, match=error):
            transaction.execute(raise_on_error=False)
        assert client.keys() == [b"here"]
    assert client.get("here") == b"v"
    doors.check_arena()


def test_an_error_that_leaves_nothing_half_done(doors: Doors) -> None:
    """As in Redis the other commands of the transaction are carried out."""
    client = doors.each["writer"]
    transaction = client.pipeline().set("a", 1).set("large", HUGE).rename("none", "b")
    transaction.rename("a", LONG_KEY).incr("n")
    done, large, renamed, too_long, count = transaction.execute(raise_on_error=False)
    assert (done, count) == (True, 1)
    assert isinstance(too_long, shmcache.KeyTooLong)
    assert isinstance(large, shmcache.ValueTooLong)
    assert str(renamed) == "no such key"
    assert sorted(client.keys()) == [b"a", b"n"]
    doors.check_arena()
