"""The documented examples of each family give what redis-py gives from a real server."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
import redis.asyncio

import shmcache.asyncio
from client.documented import FAMILIES
from client.sides import SIDES, Raised, outcome, raised, shape

if TYPE_CHECKING:
    from client.processes import Daemon, RedisServer
    from client.scripts import Call

OPTIONS: dict[str, dict[str, Any]] = {
    "resp2": {"protocol": 2},
    "resp3": {"protocol": 3},
    "text-resp2": {"protocol": 2, "decode_responses": True},
    "text-resp3": {"protocol": 3, "decode_responses": True},
}
OWN_FACTS = {
    # times, and how entries are kept
    *("time_since_delivered", "idle", "seen-time", "radix-tree-keys", "radix-tree-nodes"),
    # newer than the server beside it
    *("inactive", "active-time"),
}
NEWER_ENCODINGS = {"hashtable": "listpack", "quicklist": "listpack"}
RECENT_MS = 1_500_000_000_000

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
by_option = pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
by_family = pytest.mark.parametrize("family", FAMILIES)


def comparable(value: Any) -> Any:
    """The shape of a result without what any two servers differ in."""
    if isinstance(value, dict):
        kept = {name: part for name, part in value.items() if _text(name) not in OWN_FACTS}
        return "dict", [(shape(name), comparable(part)) for name, part in kept.items()]
    if isinstance(value, list | tuple) and not isinstance(value, Raised):
        return type(value).__name__, [comparable(part) for part in value]
    if isinstance(value, int) and value > RECENT_MS:
        return "a recent moment"
    return shape(value)


def _text(name: Any) -> Any:
    return name.decode() if isinstance(name, bytes) else name


def _accepts(step: Call, wanted: Any, given: Any) -> bool:
    if step[0] == "object" and isinstance(wanted, bytes | str):
        return _text(given) in {_text(wanted), NEWER_ENCODINGS.get(_text(wanted))}
    return bool(comparable(given) == comparable(wanted))


@by_family
@by_option
@pytest.mark.parametrize("side", SIDES)
def test_examples(
    side: str, options: dict[str, Any], family: str, daemon: Daemon, redis_server: RedisServer
) -> None:
    with redis_server.connect(**options) as expected, SIDES[side](daemon, **options) as actual:
        expected.flushall()
        for number, step in enumerate(FAMILIES[family]):
            wanted, given = outcome(expected, step), outcome(actual, step)
            assert _accepts(step, wanted, given), (
                f"call {number}: {step}\nredis {wanted!r}\nours  {given!r}"
            )


async def _outcome(client: Any, step: Call) -> Any:
    name, args, names = step
    try:
        return await getattr(client, name)(*args, **names)
    except Exception as error:
        return raised(error)


@by_family
@by_option
@pytest.mark.parametrize("writable", [False, True], ids=["reader", "writer"])
def test_examples_in_asyncio(
    writable: bool,
    options: dict[str, Any],
    family: str,
    daemon: Daemon,
    redis_server: RedisServer,
) -> None:
    async def run() -> None:
        path = str(redis_server.socket_path)
        expected = redis.asyncio.Redis(unix_socket_path=path, **options)
        actual = shmcache.asyncio.attach(daemon.name, writable=writable, **options)
        async with expected, actual:
            await expected.flushall()
            for number, step in enumerate(FAMILIES[family]):
                wanted, given = await _outcome(expected, step), await _outcome(actual, step)
                assert _accepts(step, wanted, given), (
                    f"call {number}: {step}\nredis {wanted!r}\nours  {given!r}"
                )

    asyncio.run(run())


@by_option
@pytest.mark.parametrize("side", SIDES)
def test_bitfields_are_built_step_by_step(
    side: str, options: dict[str, Any], daemon: Daemon, redis_server: RedisServer
) -> None:
    def steps(client: Any) -> list[Any]:
        field = client.bitfield("stats")
        return [
            field.set("u32", "#0", 1000).execute(),
            field.incrby("u32", "#0", -50).incrby("u32", "#1", 1).execute(),
            field.get("u32", "#0").get("u32", "#1").execute(),
            client.bitfield("stats", "SAT").incrby("u8", 0, 300).execute(),
            client.bitfield("stats").overflow("FAIL").incrby("u2", 100, 9).execute(),
        ]

    with redis_server.connect(**options) as expected, SIDES[side](daemon, **options) as actual:
        expected.flushall()
        assert steps(actual) == steps(expected)


@by_option
@pytest.mark.parametrize("side", SIDES)
def test_iterators_and_pipelines(
    side: str, options: dict[str, Any], daemon: Daemon, redis_server: RedisServer
) -> None:
    def steps(client: Any) -> list[Any]:
        pipe = client.pipeline(transaction=side == "writer")
        pipe.hset("h", mapping={f"f{n}": n for n in range(700)})
        pipe.sadd("s", *range(700)).zadd("z", {f"m{n}": n / 2 for n in range(700)})
        pipe.rpush("l", *range(5)).lrange("l", 0, -1).hget("h", "f9").zscore("z", "m3")
        pipe.xadd("x", {"a": 1}, id="1-1").xrange("x").smismember("s", [1, 2, "no"])
        return [
            pipe.execute(),
            dict(client.hscan_iter("h", count=50)),
            set(client.sscan_iter("s", match="1*")),
            sorted(client.zscan_iter("z")),
        ]

    with redis_server.connect(**options) as expected, SIDES[side](daemon, **options) as actual:
        expected.flushall()
        assert steps(actual) == steps(expected)
