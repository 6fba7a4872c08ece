"""redis-py's blocking calls: they wait at the daemon, and return what redis-py returns."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest

import shmcache
import shmcache.asyncio
from client.processes import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    import redis

    from client.processes import Daemon, RedisServer

CALLS: dict[str, tuple[Callable[[Any], Any], tuple[object, ...]]] = {
    "blpop": (lambda client: client.blpop(["l", "k"], 0), ("RPUSH", "k", "1", "2")),
    "brpop": (lambda client: client.brpop("k", 10), ("RPUSH", "k", "1", "2")),
    "blmove": (lambda client: client.blmove("k", "l", 0), ("RPUSH", "k", "1", "2")),
    "brpoplpush": (lambda client: client.brpoplpush("k", "l", 0), ("RPUSH", "k", "1", "2")),
    "blmpop": (
        lambda client: client.blmpop(0, 2, "l", "k", direction="LEFT", count=2),
        ("RPUSH", "k", "1", "2"),
    ),
    "bzpopmin": (lambda client: client.bzpopmin(["z", "y"], 0), ("ZADD", "z", "1.5", "a")),
    "bzpopmax": (lambda client: client.bzpopmax("z", 10), ("ZADD", "z", "1.5", "a", "2", "b")),
    "bzmpop": (
        lambda client: client.bzmpop(0, 1, ["z"], min=True, count=2),
        ("ZADD", "z", "1.5", "a", "2", "b"),
    ),
    "xread": (lambda client: client.xread({"x": "$"}, block=0), ("XADD", "x", "7", "a", "b")),
    "xreadgroup": (
        lambda client: client.xreadgroup("g", "c", {"x": ">"}, block=0),
        ("XADD", "x", "7", "a", "b"),
    ),
}
ATTACHING = [{}, {"writable": True}, {"decode_responses": True}, {"protocol": 3}]


def wait_until_blocked(plain: redis.Redis) -> None:
    wait_for(lambda: plain.info("clients")["blocked_clients"] == 1, "a blocked client")


def waited(client: Any, plain: redis.Redis, name: str, pusher: redis.Redis | None = None) -> Any:
    """What a call returns that has to wait for another client's command."""
    call, line = CALLS[name]
    plain.flushall()
    plain.xgroup_create("x", "g", mkstream=True)
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(call(client)))
    thread.start()
    try:
        wait_until_blocked(plain)
    finally:
        (pusher or plain).execute_command(*line)
        thread.join(20)
    (result,) = results
    return result


@pytest.mark.parametrize("options", ATTACHING, ids=str)
@pytest.mark.parametrize("name", CALLS)
def test_calls(
    daemon: Daemon, redis_server: RedisServer, name: str, options: dict[str, Any]
) -> None:
    plain_options = {key: value for key, value in options.items() if key != "writable"}
    with (
        shmcache.attach(daemon.name, **options) as ours,
        redis_server.connect(**plain_options) as theirs,
        daemon.connect() as our_plain,
        redis_server.connect() as their_plain,
    ):
        result = waited(ours, our_plain, name)
        assert result == waited(theirs, their_plain, name)
        assert result


@pytest.mark.parametrize("writable", [False, True])
def test_the_time_is_over(daemon: Daemon, writable: bool) -> None:
    with shmcache.attach(daemon.name, writable=writable) as client:
        assert client.blpop("k", 0.01) is None
        assert client.bzpopmin("k", 0.01) is None
        assert client.blmove("k", "l", 0.01) is None
        assert client.xread({"k": "$"}, block=1) == []
        assert client.xread({"k": "0"}) == []


def test_a_pipeline_waits_for_nobody_in_a_transaction(daemon: Daemon) -> None:
    with (
        shmcache.attach(daemon.name, writable=True) as client,
        client.pipeline(transaction=True) as pipeline,
    ):
        pipeline.blpop("k", 0)
        pipeline.rpush("k", "1", "2")
        pipeline.blpop("k", 0)
        assert pipeline.execute() == [None, 2, (b"k", b"1")]


def test_asyncio(daemon: Daemon) -> None:
    """Ten tasks wait at once, and the loop goes on meanwhile."""

    async def main() -> None:
        async with shmcache.asyncio.attach(daemon.name) as client:
            waiting = [asyncio.ensure_future(client.blpop("k", 10)) for _ in range(10)]
            while (await client.info("clients"))["blocked_clients"] < 10:
                pass
            reading = asyncio.ensure_future(client.xread({"x": "$"}, block=10_000))
            while (await client.info("clients"))["blocked_clients"] < 11:
                pass
            assert await client.get("k") is None
            await client.rpush("k", *range(10))
            results = await asyncio.gather(*waiting)
            assert sorted(results, key=repr) == [(b"k", b"%d" % number) for number in range(10)]
            await client.xadd("x", {"a": "b"}, id="7-1")
            assert await reading == [[b"x", [(b"7-1", {b"a": b"b"})]]]
            assert await client.blpop("k", 0.01) is None

    asyncio.run(main())
