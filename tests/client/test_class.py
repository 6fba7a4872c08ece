"""The client is a redis.Redis: callbacks, subclasses, introspection."""

from __future__ import annotations

import inspect
import sys
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest
import redis

import shmcache

if TYPE_CHECKING:
    from client.processes import Daemon, Segments

READS = ["get", "mget", "exists", "strlen", "ttl", "pttl"]
SETS = ["set", "mset", "setnx", "setex", "psetex", "append"]
NUMBERS = ["incr", "incrby", "decr", "decrby"]
NATIVE = [*READS, *SETS, *NUMBERS, "delete", "unlink", "expire", "pexpire"]


@pytest.fixture
def writer(segments: Segments) -> shmcache.Client:
    return shmcache.attach(segments.name, writable=True)


def test_is_a_redis(writer: shmcache.Client) -> None:
    assert isinstance(writer, redis.Redis)
    assert type(writer) is shmcache.Client
    assert writer.writable


@pytest.mark.parametrize("name", NATIVE)
def test_native_methods_are_native(name: str) -> None:
    method = inspect.getattr_static(shmcache.Client, name)
    assert inspect.ismethoddescriptor(method)
    assert method.__objclass__ is shmcache.Client, "else CPython does not specialise its calls"
    assert method.__doc__
    parameters = list(inspect.signature(getattr(redis.Redis, name)).parameters)
    mine = list(inspect.signature(getattr(shmcache.Client, name)).parameters)
    named = [part for part in mine if part not in {"options", "args"}]
    assert set(named) <= set(parameters)


def test_replaced_callback_is_honoured(writer: Any) -> None:
    writer.set("k", "v")
    writer.set_response_callback("GET", lambda reply, **_: (reply, "mine"))
    assert writer.get("k") == (b"v", "mine")
    writer.response_callbacks["TTL"] = lambda reply, **_: f"{reply} s"
    assert writer.ttl("k") == "-1 s"
    del writer.response_callbacks["GET"]
    assert writer.get("k") == b"v"
    writer.response_callbacks.update({"get": lambda reply, **_: 7})
    assert writer.get("k") == 7


def test_foreign_callback_does_not_slow_the_native_ones(writer: shmcache.Client) -> None:
    """As client.json() installs: the native methods stay in charge."""
    writer.set("k", "v")
    writer.set_response_callback("JSON.GET", lambda reply, **_: reply)
    with mock.patch.object(shmcache.Client, "execute_command", side_effect=AssertionError):
        assert writer.get("k") == b"v"


def test_subclass_keeps_native_calls(segments: Segments) -> None:
    class Mine(shmcache.Client):
        pass

    assert inspect.getattr_static(Mine, "get").__objclass__ is Mine
    client = Mine.from_url(f"shm://{segments.name}?writable=yes")
    assert client.set("k", "v")
    assert client.get("k") == b"v"


def test_subclass_may_override_a_method(segments: Segments) -> None:
    class Loud(shmcache.Client):
        def get(self, name: Any) -> Any:
            return ("loud", super().get(name))

    client = Loud.from_url(f"shm://{segments.name}?writable=yes")
    client.set("k", "v")
    assert client.get("k") == ("loud", b"v")
    assert client["k"] == ("loud", b"v")


def test_subclass_may_trace_every_command(segments: Segments) -> None:
    seen = []

    class Traced(shmcache.Client):
        def execute_command(self, *args: Any, **options: Any) -> Any:
            seen.append(args[0])
            return super().execute_command(*args, **options)

    class Deeper(Traced):
        pass

    for kind in (Traced, Deeper):
        seen.clear()
        client = kind.from_url(f"shm://{segments.name}?writable=yes")
        client.set("k", 1)
        client.incr("k")
        client.get("k")
        client.ttl("k")
        assert seen == ["SET", "INCRBY", "GET", "TTL"]


def test_autospec_accepts_redis_calls(writer: shmcache.Client) -> None:
    double = mock.create_autospec(writer)
    double.set("k", "v", ex=1, nx=True)
    double.get("k")
    double.set("k", "v", ifeq="x")


def test_many_and_odd_arguments_go_the_long_way(writer: shmcache.Client) -> None:
    names = [f"k{number}" for number in range(50)]
    writer.mset(dict.fromkeys(names, 1))
    assert writer.exists(*names) == 50
    assert writer.mget(*names) == [b"1"] * 50
    assert writer.delete(*names) == 50
    with pytest.raises(UnicodeEncodeError):
        writer.set("k", "\ud800")
    with pytest.raises(UnicodeEncodeError):
        writer.get("\ud800")

    class Text(str):
        __slots__ = ()

    assert writer.set(Text("sub"), Text("class")) is True
    assert writer.get("sub") == b"class"


def test_undecodable_value(daemon: Daemon) -> None:
    shmcache.attach(daemon.name, writable=True).set("k", b"\xff\xfe")
    with pytest.raises(UnicodeDecodeError):
        shmcache.attach(daemon.name, decode_responses=True).get("k")
    replacing = shmcache.attach(daemon.name, decode_responses=True, encoding_errors="replace")
    assert replacing.get("k") == "\ufffd\ufffd"


def test_references_are_balanced(writer: shmcache.Client) -> None:
    """No object handed in or out is kept, or given back twice."""
    key, value, text = b"key-of-mine", b"value-of-mine", "wört-of-mine"
    before = [sys.getrefcount(part) for part in (key, value, text)]
    for _ in range(1000):
        writer.set(key, value, ex=100)
        writer.set(key, text)
        writer.get(key)
        writer.mget(key, text)
        writer.append(key, value)
        writer.setnx(key, value)
        writer.exists(key)
        writer.delete(key)
    assert [sys.getrefcount(part) for part in (key, value, text)] == before
    none, true = sys.getrefcount(None), sys.getrefcount(True)
    for _ in range(1000):
        writer.get("missing")
        writer.set("k", "v", nx=True)
        writer.setnx("k", "v")
        writer.expire("k", 100)
    assert abs(sys.getrefcount(None) - none) < 100
    assert abs(sys.getrefcount(True) - true) < 100


def test_plain_client_without_attachment(daemon: Daemon) -> None:
    """A Client made like a redis.Redis is one."""
    with shmcache.Client(unix_socket_path=str(daemon.socket_path)) as client:
        assert client.set("k", 1) is True
        assert client.get("k") == b"1"
        assert client.pipeline(transaction=False).get("k").execute() == [b"1"]
        assert not client.writable


def test_single_connection_client(daemon: Daemon) -> None:
    client = shmcache.attach(daemon.name)
    with client.client() as single:
        assert isinstance(single, shmcache.Client)
        assert single.connection is not None
        single.set("k", "zero")
        single.select(5)
        assert single.get("k") is None
        single.set("k", "five")
        assert single.get("k") == b"five"
    assert client.get("k") == b"zero"


def test_connection_options_are_redis_pys(daemon: Daemon) -> None:
    client = shmcache.attach(daemon.name, db=2, socket_timeout=3, client_name="mine")
    options = client.get_connection_kwargs()
    assert options["path"] == str(daemon.socket_path)
    assert options["db"] == 2
    assert client.client_getname() == "mine"
    with redis.Redis(connection_pool=client.connection_pool) as plain:
        plain.set("k", "through the same pool")
    assert client.get("k") == b"through the same pool"
