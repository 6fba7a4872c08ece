"""Pipelines: what they return, where they run, and that a transaction is one step."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
import redis

import shmcache
from client.sides import SIDES, outcome, raised, shape

if TYPE_CHECKING:
    from collections.abc import Callable

    from client.processes import Daemon, RedisServer, Segments


def _mixed(pipe: Any) -> None:
    pipe.set("a", 1).incr("a", 5).get("a").mget("a", "b").exists("a").ttl("a")
    pipe.set("b", "x", ex=100).getrange("b", 0, -1).append("b", "yz").strlen("b")
    pipe.setnx("a", 2).delete("a", "zz").rename("b", "c").copy("c", "d").type("c").persist("c")
    pipe.getset("c", "new").getdel("d").setrange("c", 1, "é").decr("n", 3).incrbyfloat("f", 1.5)
    pipe.set("s", "old").set("s", "new", get=True).set("s", "newer", get=True, nx=True)
    pipe.getex("s", persist=True).mset({"m": 1, "n": 2}).msetnx({"m": 1, "o": 2})
    pipe.object("encoding", "m").expire("m", 1000).touch("m", "n")


def _containers(pipe: Any) -> None:
    pipe.hset("h", mapping={"f": "1", "g": "2"}).hincrby("h", "f", 2).hgetall("h").hdel("h", "g")
    pipe.sadd("s", "x").sismember("s", "x").smove("s", "t", "x").exists("s", "t", "h")
    pipe.sadd("u", "y").sunionstore("u", "t", "u").scard("u").sinter("u", "t").rename("u", "v")
    pipe.mget("a", "h").copy("h", "i").hset("i", "n", "5").hget("h", "n").type("i").delete("t")
    pipe.lpush("l", "1", "2").lrange("l", 0, -1).zadd("z", {"m": 1.5}).zscore("z", "m")
    pipe.delete("h", "i", "v", "l", "z")


def _failing_containers(pipe: Any) -> None:
    pipe.sadd("s", "x").hincrby("s", "f", 1).hset("h", "f", "ten").hincrby("h", "f", 1)
    pipe.smove("s", "h", "x").sinterstore("t", "s", "h").smembers("s").get("h").incr("h")
    pipe.hset("h", "after", "1").hget("h", "after").delete("h", "s")


def _failing(pipe: Any) -> None:
    pipe.set("text", "ten").incr("text").get("text").rename("missing", "b").set("text", "after")


def _not_sent(pipe: Any) -> None:
    pipe.set("sent", 1).set("k", None)


def _wrong_arity(pipe: Any) -> None:
    pipe.set("sent", 1).execute_command("GET")


def _reads(pipe: Any) -> None:
    pipe.get("a").mget("a", "b", "missing").getrange("a", 1, 2).get("missing")


def _empty(pipe: Any) -> None:
    pass


FILLS: dict[str, Callable[[Any], None]] = {
    fill.__name__.lstrip("_"): fill
    for fill in (
        *(_mixed, _containers, _failing, _failing_containers),
        *(_not_sent, _wrong_arity, _reads, _empty),
    )
}


def _run(client: redis.Redis, fill: str, transaction: bool, raise_on_error: bool) -> Any:
    client.mset({"a": "alpha", "b": "beta"})
    pipe = client.pipeline(transaction=transaction)
    FILLS[fill](pipe)
    result = outcome(pipe, ("execute", (), {"raise_on_error": raise_on_error}))
    if isinstance(result, list):
        result = [raised(part) if isinstance(part, Exception) else part for part in result]
    left = {key: client.get(key) for key in sorted(client.keys())}
    return shape([result, left, len(pipe)])


@pytest.mark.parametrize("raise_on_error", [True, False])
@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("text", [False, True])
@pytest.mark.parametrize(
    ("side", "transaction"),
    [*((side, False) for side in SIDES), ("writer", True)],
)
def test_same_as_redis(
    side: str,
    transaction: bool,
    fill: str,
    raise_on_error: bool,
    text: bool,
    daemon: Daemon,
    redis_server: RedisServer,
) -> None:
    with (
        redis_server.connect(decode_responses=text) as expected,
        SIDES[side](daemon, decode_responses=text) as actual,
    ):
        expected.flushall()
        assert _run(actual, fill, transaction, raise_on_error) == _run(
            expected, fill, transaction, raise_on_error
        )


def test_reader_transaction_of_values(daemon: Daemon) -> None:
    with daemon.connect() as plain, shmcache.attach(daemon.name) as reader:
        plain.mset({"a": "alpha", "b": "beta"})
        with reader.pipeline() as pipe:
            _reads(pipe)
            assert pipe.execute() == [b"alpha", [b"alpha", b"beta", None], b"lp", None]


def test_reader_transaction_of_containers(daemon: Daemon) -> None:
    with daemon.connect() as plain, shmcache.attach(daemon.name) as reader:
        plain.hset("h", mapping={"f": "1"})
        plain.sadd("s", "x")
        pipe = reader.pipeline().hgetall("h").hget("h", "f").sismember("s", "x").sinter("s", "m")
        pipe = pipe.exists("h", "s", "m").type("s").get("s").mget("h").object("encoding", "s")
        replies = pipe.execute(raise_on_error=False)
        assert isinstance(replies.pop(6), shmcache.WrongType)
        assert replies == [{b"f": b"1"}, b"1", 1, set(), 2, b"set", [None], b"listpack"]


def test_transaction_that_fails_half_way_changes_nothing(segments: Segments) -> None:
    with shmcache.attach(segments.name, writable=True) as writer:
        pipe = writer.pipeline().sadd("s", "x").mset({"a": "1", "k" * 20_000: "2"})
        with pytest.raises(shmcache.KeyTooLong):
            pipe.execute()
        assert writer.exists("s", "a") == 0


def test_reader_transaction_that_writes_goes_through_the_socket(daemon: Daemon) -> None:
    with shmcache.attach(daemon.name) as reader:
        pipe = reader.pipeline().set("a", 1).get("a").incr("a")
        assert pipe.execute() == [True, b"1", 2]
        assert reader.get("a") == b"2"
        assert len(pipe) == 0


def test_transaction_of_keyless_commands_goes_through_the_socket(daemon: Daemon) -> None:
    with shmcache.attach(daemon.name, writable=True) as writer:
        assert writer.pipeline().set("a", 1).echo("x").incr("a").execute() == [True, b"x", 2]
        assert writer.get("a") == b"2"


def test_watching_through_the_socket_sees_writes_in_process(daemon: Daemon) -> None:
    with shmcache.attach(daemon.name, writable=True) as writer, daemon.connect() as plain:
        writer.set("n", 1)
        with plain.pipeline() as pipe:
            pipe.watch("n")
            pipe.multi()
            pipe.set("n", 10)
            writer.incr("n")
            with pytest.raises(redis.WatchError):
                pipe.execute()
        assert writer.get("n") == b"2"

        def double(pipe: Any) -> None:
            number = int(pipe.get("n"))
            pipe.multi()
            pipe.set("n", 2 * number)

        assert plain.transaction(double, "n") == [True]
        assert writer.get("n") == b"4"


def test_move_within_a_transaction(segments: Segments) -> None:
    with shmcache.attach(segments.name, writable=True) as writer:
        writer.set("k", "v")
        assert writer.pipeline().move("k", 3).get("k").execute() == [True, None]
        assert shmcache.attach(segments.name, db=3).get("k") == b"v"


def test_whole_databases_within_a_transaction(segments: Segments) -> None:
    with shmcache.attach(segments.name, writable=True) as writer:
        writer.mset({"old": "1", "older": "2"})
        pipe: Any = writer.pipeline()
        pipe.set("a", 1).dbsize().flushdb().dbsize().randomkey().set("b", 2).keys().scan()
        pipe.randomkey().swapdb(0, 3).dbsize().get("b").flushall().exists("b").set("end", "x")
        *_, ended = replies = pipe.execute()
        assert replies[:8] == [True, 3, True, 0, None, True, [b"b"], (0, [b"b"])]
        assert replies[8:] == [b"b", True, 0, None, True, 0, ended]
        assert writer.keys() == [b"end"]
        failed: Any = (
            writer.pipeline().set("end", "y").flushall().mset({"b": "1", "k" * 20_000: ""})
        )
        with pytest.raises(shmcache.KeyTooLong):
            failed.execute()
        assert writer.get("end") == b"x"


def test_needs_no_daemon(segments: Segments) -> None:
    with shmcache.attach(segments.name, writable=True) as writer:
        for transaction in (False, True):
            pipe = writer.pipeline(transaction).set("n", 1).incr("n").get("n")
            assert pipe.execute() == [True, 2, b"2"]
    with shmcache.attach(segments.name) as reader:
        assert reader.pipeline(transaction=False).get("n").exists("n").execute() == [b"2", 1]
        with pytest.raises(shmcache.ReadOnly):
            reader.pipeline(transaction=False).set("n", 1).execute()


def test_mixed_batch_keeps_its_order_through_the_socket(daemon: Daemon) -> None:
    """One command needs the daemon, so none may run before its turn."""
    with shmcache.attach(daemon.name, writable=True) as writer:
        pipe = writer.pipeline(transaction=False).set("k", 1).echo("between").get("k")
        assert pipe.execute() == [True, b"between", b"1"]


def test_transaction_is_seen_whole(segments: Segments) -> None:
    """Two keys that every transaction makes equal are never seen to differ."""
    rounds = 3000
    writer = shmcache.attach(segments.name, writable=True)
    writer.mset({"left": 0, "right": 0})
    done = threading.Event()

    def write() -> None:
        for _ in range(rounds):
            pipe: Any = writer.pipeline()
            pipe.incr("left").incr("right").execute()
        done.set()

    thread = threading.Thread(target=write)
    thread.start()
    reader = shmcache.attach(segments.name)
    seen = set()
    while not done.is_set():
        left, right = reader.mget("left", "right")
        assert left == right
        seen.add(left)
    thread.join()
    assert writer.get("right") == b"%d" % rounds
    assert len(seen) > 1


def test_context_manager_and_length(daemon: Daemon) -> None:
    with shmcache.attach(daemon.name, writable=True) as writer:
        with writer.pipeline() as pipe:
            pipe.set("a", 1)
            assert len(pipe) == 1
            assert isinstance(pipe, redis.client.Pipeline)
        assert writer.get("a") is None, "leaving the block drops what was not executed"
