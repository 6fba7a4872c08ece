"""What happens in this process, what travels, and what is refused when nobody is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import redis

import shmcache
from client.scripts import call
from client.sides import outcome

if TYPE_CHECKING:
    from client.processes import Daemon, Segments
    from client.scripts import Call

READS = [
    call("get", "k"),
    call("mget", ["k", "zz"]),
    call("exists", "k"),
    call("exists", "k", "zz"),
    call("strlen", "k"),
    call("getrange", "k", 0, -1),
    call("substr", "k", 0, -1),
    call("ttl", "k"),
    call("pttl", "k"),
    call("expiretime", "k"),
    call("pexpiretime", "k"),
    call("type", "k"),
    call("randomkey"),
    call("keys"),
    call("scan"),
    call("dbsize"),
    call("object", "encoding", "k"),
    call("object", "idletime", "k"),
    call("object", "refcount", "k"),
    call("touch", "k"),
    call("lcs", "k", "k"),
    call("memory_usage", "k"),
    call("lindex", "l", 0),
    call("lrange", "l", 0, -1),
    call("lpos", "l", "x"),
    call("sort", "l", by="w_*", get="#"),
    call("sort_ro", "l"),
    call("getbit", "k", 3),
    call("bitcount", "k", 0, -1),
    call("bitpos", "k", 1),
    call("execute_command", "BITFIELD", "k", "GET", "u8", 0),
    call("bitfield_ro", "k", "u8", 0),
    call("pfcount", "zz"),
    call("pfcount", "zz", "yy"),
    call("get", 7),
    call("get", "ü"),
    call("__contains__", "k"),
    call("__getitem__", "k"),
    call("select", 2),
    call("select", 0),
]

WRITES = [
    call("set", "w", 1),
    call("set", "w", 1, ex=100, get=True),
    call("setnx", "w", 1),
    call("setex", "w", 100, 1),
    call("psetex", "w", 100_000, 1),
    call("incr", "w"),
    call("incrby", "w", 2),
    call("decr", "w"),
    call("incrbyfloat", "w", 0.5),
    call("append", "w", "x"),
    call("setrange", "w", 0, "y"),
    call("getset", "w", 1),
    call("getdel", "w"),
    call("getex", "w", ex=10),
    call("mset", {"w": 1, "x": 2}),
    call("msetnx", {"w": 1, "x": 2}),
    call("expire", "w", 10),
    call("pexpire", "w", 10_000),
    call("expireat", "w", 4_000_000_000),
    call("pexpireat", "w", 4_000_000_000_000),
    call("persist", "w"),
    call("rename", "w", "v"),
    call("renamenx", "v", "w"),
    call("copy", "w", "v"),
    call("move", "w", 1),
    call("delete", "v"),
    call("delete", "v", "x"),
    call("unlink", "v"),
    call("swapdb", 0, 1),
    call("flushdb"),
    call("sort", "l", store="w"),
    call("execute_command", "BITFIELD", "w", "GET", "u8", 0, "INCRBY", "u8", 0, 1),
    call("pfadd", "h", "x"),
    call("flushall"),
]

NEEDS_DAEMON = [call("ping"), call("info"), call("config_get", "*"), call("client_list")]


def _steps(calls: list[Call]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("step", calls, ids=[f"{c[0]}-{i}" for i, c in enumerate(calls)])


@_steps(READS)
@pytest.mark.parametrize("writable", [False, True])
def test_reads_need_no_daemon(segments: Segments, step: Any, writable: bool) -> None:
    shmcache.attach(segments.name, writable=True).set("k", "value")
    client = shmcache.attach(segments.name, writable=writable)
    result = outcome(client, step)
    assert type(result).__name__ != "Raised", result


@_steps(WRITES)
def test_writes_need_no_daemon(segments: Segments, step: Any) -> None:
    client = shmcache.attach(segments.name, writable=True)
    client.set("w", 1)
    result = outcome(client, step)
    if type(result).__name__ == "Raised":
        assert result.kind == "ResponseError", result


@_steps(WRITES)
def test_reader_without_daemon_cannot_write(segments: Segments, step: Any) -> None:
    client = shmcache.attach(segments.name)
    name, args, names = step
    with pytest.raises(shmcache.ReadOnly, match="attach with writable=True"):
        getattr(client, name)(*args, **names)


@_steps(NEEDS_DAEMON)
@pytest.mark.parametrize("writable", [False, True])
def test_other_commands_need_a_daemon(segments: Segments, step: Any, writable: bool) -> None:
    client = shmcache.attach(segments.name, writable=writable)
    name, args, names = step
    with pytest.raises(redis.ConnectionError, match="no daemon"):
        getattr(client, name)(*args, **names)


def _travelled(daemon: Daemon) -> int:
    """How many commands the daemon was sent; asking is one of them."""
    with daemon.connect() as plain:
        return int(plain.info("stats")["total_commands_processed"])


@pytest.mark.parametrize("writable", [False, True])
def test_what_runs_here_is_not_sent(daemon: Daemon, writable: bool) -> None:
    client = shmcache.attach(daemon.name, writable=writable)
    shmcache.attach(daemon.name, writable=True).set("k", "value")
    steps = READS + WRITES if writable else READS
    _travelled(daemon)
    overhead = _travelled(daemon) - _travelled(daemon)
    before = _travelled(daemon)
    for step in steps:
        outcome(client, step)
    assert _travelled(daemon) - before == -overhead


def test_reader_writes_through_the_socket(daemon: Daemon) -> None:
    reader = shmcache.attach(daemon.name)
    before = _travelled(daemon)
    assert reader.set("k", "v") is True
    assert _travelled(daemon) - before > 1
    assert reader.get("k") == b"v"


def test_errors_are_this_packages_whichever_door(daemon: Daemon) -> None:
    for writable in (False, True):
        client = shmcache.attach(daemon.name, writable=writable)
        client.set("text", "ten")
        with pytest.raises(shmcache.NotAnInteger, match=r"^value is not an integer"):
            client.incr("text")
        with pytest.raises(shmcache.NotAnInteger):
            client.execute_command("INCRBY", "text", 1)
        client.set("max", (1 << 63) - 1)
        with pytest.raises(shmcache.ValueOverflow):
            client.incr("max")
        pipe: Any = client.pipeline(transaction=False)
        responses = pipe.incr("text").execute(raise_on_error=False)
        assert isinstance(responses[0], shmcache.NotAnInteger)


def test_long_keys(daemon: Daemon) -> None:
    for writable in (False, True):
        client = shmcache.attach(daemon.name, writable=writable)
        for length in (1 << 16, 1 << 20):
            assert client.get("k" * length) is None
            assert client.exists("k" * length) == 0
            with pytest.raises(shmcache.KeyTooLong):
                client.set("k" * length, 1)


def _fill(client: redis.Redis) -> None:
    for number in range(10_000):
        client.set(f"{number}", b"x" * 2000)


def test_full_arena_says_so(start_daemon: Any) -> None:
    daemon = start_daemon(maxmemory="2mb", maxmemory_policy="noeviction")
    for writable in (False, True):
        client = shmcache.attach(daemon.name, writable=writable)
        client.flushall()
        with pytest.raises(shmcache.OutOfMemory, match=r"^command not allowed when used memory"):
            _fill(client)
        assert client.get("0") == b"x" * 2000


def test_value_larger_than_the_arena(daemon: Daemon) -> None:
    for writable in (False, True):
        client = shmcache.attach(daemon.name, writable=writable)
        with pytest.raises((shmcache.ValueTooLong, shmcache.OutOfMemory)):
            client.set("k", bytes(40 << 20))
        assert client.get("k") is None
