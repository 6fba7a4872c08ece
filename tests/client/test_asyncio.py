"""The asyncio client: same results, and what runs here never suspends."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
import redis
import redis.asyncio

import shmcache.asyncio
from client.processes import wait_for
from client.scripts import SCRIPTS
from client.short_scripts import CONTAINER_SCRIPTS
from client.sides import raised, shape

if TYPE_CHECKING:
    from client.processes import Daemon, RedisServer, Segments
    from client.scripts import Call

ALL_SCRIPTS = SCRIPTS | CONTAINER_SCRIPTS
ASYNC_SCRIPTS = [name for name in ALL_SCRIPTS if name != "databases"]
_OPERATORS = {"__contains__", "__getitem__", "__setitem__", "__delitem__"}


def completed(coroutine: Any) -> Any:
    """Run a coroutine that never suspends, with no event loop anywhere."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    coroutine.close()
    raise AssertionError("the coroutine waits for something")


def _attach(daemon: Daemon) -> Any:
    return shmcache.asyncio.attach(daemon.name)


async def _outcome(client: Any, step: Call) -> Any:
    name, args, names = step
    try:
        result = await getattr(client, name)(*args, **names)
    except Exception as error:
        return raised(error)
    return sorted(result) if name == "keys" else result


async def _compare(wanted: Any, given: Any, script: str) -> None:
    async with wanted, given:
        await wanted.flushall()
        for number, step in enumerate(ALL_SCRIPTS[script]):
            if step[0] in _OPERATORS:
                continue
            expected = shape(await _outcome(wanted, step))
            assert shape(await _outcome(given, step)) == expected, f"call {number}: {step}"


@pytest.mark.parametrize("script", ASYNC_SCRIPTS)
@pytest.mark.parametrize("text", [False, True])
@pytest.mark.parametrize("writable", [False, True])
def test_same_as_redis(
    script: str, text: bool, writable: bool, daemon: Daemon, redis_server: RedisServer
) -> None:
    wanted = redis.asyncio.Redis(
        unix_socket_path=str(redis_server.socket_path), decode_responses=text
    )
    given = shmcache.asyncio.attach(daemon.name, decode_responses=text, writable=writable)
    assert isinstance(given, redis.asyncio.Redis)
    asyncio.run(_compare(wanted, given, script))


def test_reads_do_not_touch_the_event_loop(segments: Segments) -> None:
    shmcache.attach(segments.name, writable=True).mset({"k": "v", "n": 5})
    reader: Any = shmcache.asyncio.attach(segments.name)
    assert completed(reader.get("k")) == b"v"
    assert completed(reader.mget("k", "zz")) == [b"v", None]
    assert completed(reader.exists("k")) == 1
    assert completed(reader.ttl("k")) == -1
    assert completed(reader.type("k")) == b"string"
    assert completed(reader.dbsize()) == 2
    assert completed(reader.pipeline(transaction=False).get("k").get("n").execute()) == [b"v", b"5"]
    with pytest.raises(shmcache.ReadOnly):
        completed(reader.set("k", 1))
    with pytest.raises(redis.ConnectionError):
        completed(reader.ping())


def test_writes_do_not_touch_the_event_loop(segments: Segments) -> None:
    writer: Any = shmcache.asyncio.attach(segments.name, writable=True)
    assert completed(writer.set("k", 1, ex=100)) is True
    assert completed(writer.incr("k")) == 2
    assert completed(writer.pipeline().incr("k").get("k").execute()) == [3, b"3"]
    completed(writer.set("text", "ten"))
    with pytest.raises(shmcache.NotAnInteger):
        completed(writer.incr("text"))


def test_is_awaitable_like_redis_pys(daemon: Daemon) -> None:
    async def use() -> None:
        client: Any = shmcache.asyncio.attach(daemon.name)
        await client.set("k", "v")
        task = asyncio.create_task(client.get("k"))
        assert await task == b"v"
        assert list(await asyncio.gather(client.get("k"), client.get("zz"))) == [b"v", None]
        assert [key async for key in client.scan_iter()] == [b"k"]
        await client.aclose()

    asyncio.run(use())


def test_pipeline_through_the_socket(daemon: Daemon) -> None:
    async def use() -> None:
        async with _attach(daemon) as client:
            pipe = client.pipeline(transaction=False).set("text", "ten").incr("text").get("text")
            responses = await pipe.execute(raise_on_error=False)
            assert responses[0] is True
            assert isinstance(responses[1], shmcache.NotAnInteger)
            assert responses[2] == b"ten"
            assert await client.pipeline().set("text", 1).incr("text").execute() == [True, 2]
            async with client.pubsub() as pubsub:
                await pubsub.subscribe("channel")
                assert (await pubsub.get_message(timeout=5))["type"] == "subscribe"
                await client.publish("channel", "hello")
                assert (await pubsub.get_message(timeout=5))["data"] == b"hello"

    asyncio.run(use())


def test_select(daemon: Daemon) -> None:
    async def use() -> None:
        async with _attach(daemon) as client:
            await client.set("k", "zero")
            await client.select(2)
            assert await client.get("k") is None
            await client.set("k", "two")
            assert await client.get("k") == b"two"
            await client.select(0)
            assert await client.get("k") == b"zero"
            assert await client.echo("x") == b"x"

    asyncio.run(use())


def test_by_socket(daemon: Daemon) -> None:
    client: Any = shmcache.asyncio.attach(str(daemon.socket_path), writable=True)
    completed(client.set("k", "v"))
    assert completed(client.get("k")) == b"v"


def test_subclass_may_trace_every_command(segments: Segments) -> None:
    seen = []

    class Traced(shmcache.asyncio.AsyncClient):
        async def execute_command(self, *args: Any, **options: Any) -> Any:
            seen.append(args[0])
            return await super().execute_command(*args, **options)

    client: Any = Traced.from_url(f"shm://{segments.name}?writable=yes")
    completed(client.set("k", 1))
    completed(client.incr("k"))
    assert completed(client.get("k")) == b"2"
    assert seen == ["SET", "INCRBY", "GET"]


def test_replaced_callback_is_honoured(segments: Segments) -> None:
    client: Any = shmcache.asyncio.attach(segments.name, writable=True)
    completed(client.set("k", "v"))
    client.set_response_callback("GET", lambda reply, **_: (reply, "mine"))
    assert completed(client.get("k")) == (b"v", "mine")


def test_replaced_arena_is_noticed(segments: Segments) -> None:
    client: Any = shmcache.asyncio.attach(segments.name)
    shmcache.attach(segments.name, writable=True).set("k", "old")
    assert completed(client.get("k")) == b"old"
    segments.unlink()
    segments.create()
    shmcache.attach(segments.name, writable=True).set("k", "new")
    wait_for(lambda: completed(client.get("k")) == b"new", "the new arena")


def test_without_attachment_it_is_plain(daemon: Daemon) -> None:
    async def use() -> None:
        client: Any = shmcache.asyncio.AsyncClient(unix_socket_path=str(daemon.socket_path))
        assert await client.set("k", 1) is True
        assert await client.get("k") == b"1"
        assert not client.writable
        await client.aclose()

    asyncio.run(use())
