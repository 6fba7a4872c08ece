"""Subscribing and publishing in the process: as through a socket, with it, and without a daemon."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
import redis

import shmcache
import shmcache.asyncio
from client.processes import wait_for
from shmcache.arena import bus_entries
from shmcache.arena.segments import attach_arena

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from client.processes import Daemon, RedisServer, Segments

WAIT = 10.0


def _calls(log: list[Any]) -> list[tuple[str, tuple[Any, ...], dict[str, Any]]]:
    """What a subscriber does (``pub`` publishes instead), with handlers that write to a log."""
    return [
        ("subscribe", ("a", b"b"), {}),
        ("subscribe", ("a",), {}),
        ("pub", ("a", "one"), {}),
        ("psubscribe", ("?",), {}),
        ("ssubscribe", ("a",), {}),
        ("pub", ("b", b"\x00\xc3\xa4"), {}),
        ("pub", ("elsewhere", "unheard"), {}),
        ("spub", ("a", "sharded"), {}),
        ("ping", (), {}),
        ("ping", ("text",), {}),
        ("subscribe", (), {"handled": log.append}),
        ("pub", ("handled", "for the handler"), {}),
        ("unsubscribe", ("b", "never"), {}),
        ("pub", ("b", "by pattern only"), {}),
        ("sunsubscribe", (), {}),
        ("unsubscribe", ("handled",), {}),  # all at once they would come in any order
        ("unsubscribe", (), {}),
        ("punsubscribe", (), {}),
        ("pub", ("a", "unheard"), {}),
        ("sunsubscribe", (), {}),
        ("subscribe", ("a",), {}),
        ("pub", ("a", "again"), {}),
        ("unsubscribe", (), {}),
    ]


def _play(cache: Any, publisher: Any, **options: Any) -> list[Any]:
    """Everything that can be noticed of a script of calls."""
    log: list[Any] = []
    seen: list[Any] = []
    pubsub = cache.pubsub(**options)
    for method, args, names in _calls(log):
        if method == "pub":
            seen.append(publisher.publish(*args))
        elif method == "spub":
            seen.append(publisher.execute_command("SPUBLISH", *args))
        else:
            seen.append(getattr(pubsub, method)(*args, **names))
        if pubsub.subscribed:
            while (message := pubsub.get_message(timeout=0.05)) is not None:
                seen.append(message)
        seen.append((pubsub.subscribed, list(pubsub.channels), list(pubsub.patterns)))
    pubsub.close()
    return [seen, log]


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("options", [{}, {"decode_responses": True}], ids=["bytes", "decoded"])
def test_as_a_server_would(
    daemon: Daemon, redis_server: RedisServer, protocol: int, options: dict[str, Any]
) -> None:
    # with a name for each message that is ignored, or not
    for ignore in ({}, {"ignore_subscribe_messages": True}):
        with (
            redis.Redis(
                unix_socket_path=str(redis_server.socket_path), protocol=protocol, **options
            ) as real,
            shmcache.attach(daemon.name, protocol=protocol, **options) as cache,
            shmcache.attach(daemon.name, protocol=protocol, **options) as other,
            daemon.connect() as plain,
        ):
            wanted = _play(real, real, **ignore)
            for publisher in (other, plain):
                seen = _play(cache, publisher, **ignore)
                for step, (ours, theirs) in enumerate(zip(seen[0], wanted[0], strict=False)):
                    assert ours == theirs, f"step {step}"
                assert seen == wanted


def test_both_worlds_hear_each_other(daemon: Daemon) -> None:
    with shmcache.attach(daemon.name) as cache, daemon.connect() as plain:
        inside, outside = cache.pubsub(), plain.pubsub()
        for pubsub in (inside, outside):
            pubsub.subscribe("news")
            pubsub.psubscribe("n*")
            assert [pubsub.get_message(timeout=WAIT)["data"] for _ in range(2)] == [1, 2]
        for publisher in (cache, plain):
            assert publisher.publish("news", "text") == 4
            for pubsub in (inside, outside):
                kinds = {pubsub.get_message(timeout=WAIT)["type"] for _ in range(2)}
                assert kinds == {"message", "pmessage"}
            assert publisher.pubsub_channels() == [b"news"]
            assert publisher.pubsub_numsub("news", "none") == [(b"news", 2), (b"none", 0)]
            assert publisher.pubsub_numpat() == 1
        inside.close()
        outside.close()
        wait_for(lambda: cache.pubsub_numsub("news") == [(b"news", 0)], "nobody listens")


def test_each_publishers_messages_keep_their_order(daemon: Daemon) -> None:
    count = 2000
    with shmcache.attach(daemon.name) as cache, daemon.connect() as plain:
        inside, outside = cache.pubsub(ignore_subscribe_messages=True), plain.pubsub()
        for pubsub in (inside, outside):
            pubsub.subscribe("c")
        assert outside.get_message(timeout=WAIT) is not None

        def publish(client: Any, name: str) -> None:
            for number in range(count):
                client.publish("c", f"{name} {number}")

        threads = [
            threading.Thread(target=publish, args=(client, name))
            for client, name in ((cache, "in"), (plain, "out"))
        ]
        for thread in threads:
            thread.start()
        for pubsub in (inside, outside):
            seen: dict[bytes, int] = {b"in": 0, b"out": 0}
            while sum(seen.values()) < 2 * count:
                message = pubsub.get_message(timeout=WAIT)
                if message is None:
                    continue
                name, number = message["data"].split()
                assert int(number) == seen[name]
                seen[name] += 1
        for thread in threads:
            thread.join()
        inside.close()
        outside.close()


def test_without_a_daemon(segments: Segments) -> None:
    with (
        shmcache.attach(segments.name) as reader,
        shmcache.attach(segments.name, writable=True) as writer,
    ):
        pubsub = reader.pubsub(ignore_subscribe_messages=True)
        pubsub.subscribe("c")
        assert pubsub.get_message() is None
        assert writer.publish("c", "by the writer") == 1
        assert reader.publish("c", "by the reader") == 1
        with writer.pipeline() as pipe:
            pipe.set("k", "v").publish("c", "in a transaction").get("k")
            assert pipe.execute() == [True, 1, b"v"]
        with reader.pipeline(transaction=False) as pipe:
            assert pipe.get("k").publish("c", "in a pipeline").execute() == [b"v", 1]
        texts = [pubsub.get_message(timeout=WAIT)["data"] for _ in range(4)]
        assert texts == [
            b"by the writer",
            b"by the reader",
            b"in a transaction",
            b"in a pipeline",
        ]
        pubsub.close()


def _in_child(work: Callable[[], None]) -> int:
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(0)
    return child


def test_a_sleeper_is_woken_by_another_process(segments: Segments) -> None:
    ready, go = os.pipe()

    def publish() -> None:
        os.read(ready, 1)
        with shmcache.attach(segments.name) as cache:
            cache.publish("c", "from afar")

    child = _in_child(publish)
    with shmcache.attach(segments.name) as cache, cache.pubsub() as pubsub:
        pubsub.subscribe("c")
        assert pubsub.get_message()["type"] == "subscribe"
        os.write(go, b"x")
        assert next(pubsub.listen())["data"] == b"from afar"
    os.waitpid(child, 0)


def test_a_timeout_and_a_signal_end_the_sleep(segments: Segments) -> None:
    class _Alarm(Exception):
        pass

    def ring(*_arguments: object) -> None:
        raise _Alarm

    with shmcache.attach(segments.name) as cache, cache.pubsub() as pubsub:
        pubsub.subscribe("c")
        pubsub.get_message()
        assert pubsub.get_message(timeout=0.01) is None
        old = signal.signal(signal.SIGALRM, ring)
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            with pytest.raises(_Alarm):
                pubsub.get_message(timeout=None)
        finally:
            signal.signal(signal.SIGALRM, old)


def test_a_killed_subscriber_leaves_nothing(segments: Segments) -> None:
    ready, done = os.pipe()

    def subscribe() -> None:
        cache = shmcache.attach(segments.name)
        pubsub = cache.pubsub()
        pubsub.subscribe("c")
        pubsub.psubscribe("*")
        pubsub.get_message()
        os.write(done, b"x")
        for _ in pubsub.listen():
            pass

    child = _in_child(subscribe)
    os.read(ready, 1)
    with shmcache.attach(segments.name) as cache:
        assert cache.publish("c", "text") == 2
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        assert cache.publish("c", "text") == 0
        assert cache.pubsub_channels() == []
        pubsub = cache.pubsub()
        pubsub.subscribe("c")
        assert cache.publish("c", "text") == 1
        pubsub.close()
        assert cache.publish("c", "text") == 0
        pubsub.subscribe("c")
        del pubsub
        assert cache.publish("c", "text") == 0


def test_a_fork_makes_a_subscriber_of_its_own(segments: Segments) -> None:
    cache = shmcache.attach(segments.name)
    pubsub = cache.pubsub(ignore_subscribe_messages=True)
    pubsub.subscribe("c")
    heard, tell = os.pipe()
    begin, start = os.pipe()

    def listen() -> None:
        os.read(begin, 1)
        message = pubsub.get_message(timeout=WAIT) or pubsub.get_message(timeout=WAIT)
        os.write(tell, message["data"])

    child = _in_child(listen)
    arena = attach_arena(segments.name)
    wait_for(lambda: sum(e.subscriptions for e in bus_entries(arena)) == 2, "both are counted")
    assert cache.publish("c", "twice heard") == 2
    os.write(start, b"x")
    assert os.read(heard, 100) == b"twice heard"
    os.waitpid(child, 0)
    pubsub.get_message()  # the confirmation
    assert pubsub.get_message(timeout=WAIT)["data"] == b"twice heard"
    assert cache.publish("c", "once") == 1
    pubsub.close()


def test_a_slow_subscriber_is_told(segments: Segments) -> None:
    with shmcache.attach(segments.name) as cache, cache.pubsub() as pubsub:
        pubsub.subscribe("c")
        pubsub.get_message()
        for _ in range(300):
            cache.publish("c", b"x" * 8000)
        with pytest.raises(redis.ConnectionError) as caught:
            pubsub.get_message(timeout=WAIT)
        assert isinstance(caught.value, shmcache.MessagesLost)
        while pubsub.get_message() is not None:
            pass
        cache.publish("c", "goes on")
        assert pubsub.get_message(timeout=WAIT)["data"] == b"goes on"


def test_a_message_too_long_for_the_bus(daemon: Daemon) -> None:
    """It goes through the socket, and to those who listen there; others are told of it."""
    text = b"x" * 3_000_000
    with shmcache.attach(daemon.name) as cache, daemon.connect() as plain:
        inside, outside = cache.pubsub(), plain.pubsub()
        for pubsub in (inside, outside):
            pubsub.subscribe("c")
            pubsub.get_message(timeout=WAIT)
        assert cache.publish("c", text) >= 1
        assert outside.get_message(timeout=WAIT)["data"] == text
        with pytest.raises(shmcache.MessagesLost, match="too long"):
            inside.get_message(timeout=WAIT)
        inside.close()
        outside.close()


def test_in_a_thread(segments: Segments) -> None:
    heard: list[bytes] = []
    with shmcache.attach(segments.name) as cache, cache.pubsub() as pubsub:
        pubsub.subscribe(c=lambda message: heard.append(message["data"]))
        thread = pubsub.run_in_thread(sleep_time=0.05)
        cache.publish("c", "one")
        pubsub.subscribe(d=lambda message: heard.append(message["data"]))
        cache.publish("d", "two")
        wait_for(lambda: heard == [b"one", b"two"], "both messages")
        thread.stop()
        thread.join(WAIT)
        assert not thread.is_alive()


def test_from_python_threads_that_wait_for_ever(segments: Segments) -> None:
    """Closing wakes who waits; so does subscribing."""
    with shmcache.attach(segments.name) as cache:
        pubsub = cache.pubsub()
        pubsub.subscribe("c")
        seen: list[Any] = []
        thread = threading.Thread(target=lambda: seen.extend(pubsub.listen()))
        thread.start()
        wait_for(lambda: len(seen) == 1, "the confirmation")
        pubsub.unsubscribe()
        thread.join(WAIT)
        assert not thread.is_alive()
        assert [message["type"] for message in seen] == ["subscribe", "unsubscribe"]


# ---- asyncio


async def _play_async(cache: Any, publisher: Any) -> list[Any]:
    log: list[Any] = []
    seen: list[Any] = []
    pubsub = cache.pubsub()
    for method, args, names in _calls(log):
        if method == "pub":
            seen.append(await publisher.publish(*args))
        elif method == "spub":
            seen.append(await publisher.execute_command("SPUBLISH", *args))
        else:
            seen.append(await getattr(pubsub, method)(*args, **names))
        while (message := await pubsub.get_message(timeout=0.05)) is not None:
            seen.append(message)
        seen.append((pubsub.subscribed, list(pubsub.channels), list(pubsub.patterns)))
    await pubsub.aclose()
    return [seen, log]


@pytest.mark.parametrize("decode", [False, True])
def test_asyncio_as_a_server_would(daemon: Daemon, redis_server: RedisServer, decode: bool) -> None:
    async def play() -> None:
        async with (
            redis.asyncio.Redis(
                unix_socket_path=str(redis_server.socket_path), decode_responses=decode
            ) as real,
            shmcache.asyncio.attach(daemon.name, decode_responses=decode) as cache,
        ):
            wanted = await _play_async(real, real)
            assert await _play_async(cache, cache) == wanted

    asyncio.run(play())


def test_asyncio_sleeps_and_is_woken(segments: Segments) -> None:
    async def converse() -> None:
        async with shmcache.asyncio.attach(segments.name) as cache:
            ping, pong = cache.pubsub(), cache.pubsub()
            await ping.subscribe("ping")
            await pong.subscribe("pong")

            async def answer() -> None:
                async for message in ping.listen():
                    if message["type"] == "message":
                        await cache.publish("pong", message["data"])

            task = asyncio.create_task(answer())
            await pong.get_message(timeout=WAIT)
            for number in range(20):
                await cache.publish("ping", number)
                message = await pong.get_message(timeout=WAIT)
                assert message is not None
                assert message["data"] == b"%d" % number
            waiting = asyncio.create_task(pong.get_message(timeout=None))
            await asyncio.sleep(0)
            await pong.subscribe("later")  # wakes who waits
            assert (await asyncio.wait_for(waiting, WAIT))["channel"] == b"later"
            task.cancel()
            await ping.aclose()
            await pong.aclose()

    asyncio.run(converse())


@pytest.fixture(autouse=True)
def _in_time() -> Iterator[None]:
    started = time.monotonic()
    yield
    assert time.monotonic() - started < 120
