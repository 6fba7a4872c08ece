"""Forks, threads, and daemons that die, come back, or come back with another arena."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

import shmcache
from client.processes import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from client.processes import Daemon, Segments

AT_ONCE: dict[str, Any] = {"retry": Retry(NoBackoff(), 0)}
"""Without it redis-py tries again for some seconds before it raises."""


def in_child(work: Callable[[], object]) -> Any:
    """Run ``work`` in a forked child; returns what it returned, as text."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            os.write(writing, repr(work()).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        text = answer.read()
    os.waitpid(child, 0)
    return text


# ---- fork ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("writable", [False, True])
def test_fork(daemon: Daemon, writable: bool) -> None:
    """As under gunicorn's preload_app: one client, used on both sides of the fork."""
    client = shmcache.attach(daemon.name, writable=writable)
    client.set("before", 1)
    client.echo("a connection to inherit")

    def work() -> list[Any]:
        child = [client.get("before"), client.set("child", 1), client.incr("before")]
        return [*child, client.echo("child"), client.get("child")]

    assert in_child(work) == "[b'1', True, 2, b'child', b'1']"
    assert client.get("child") == b"1"
    assert client.set("after", 1)
    assert client.echo("parent") == b"parent"
    assert client.get("before") == b"2"


def test_many_children_count_together(segments: Segments) -> None:
    client = shmcache.attach(segments.name, writable=True)
    client.set("n", 0)
    children, each = 8, 2000

    def count() -> int:
        for _ in range(each):
            client.incr("n")
        return each

    started = []
    for _ in range(children):
        child = os.fork()
        if child == 0:
            try:
                count()
            finally:
                os._exit(0)
        started.append(child)
    for child in started:
        assert os.waitpid(child, 0)[1] == 0
    assert client.get("n") == b"%d" % (children * each)


def test_fork_while_another_thread_writes(segments: Segments) -> None:
    client = shmcache.attach(segments.name, writable=True)
    done = threading.Event()

    def churn() -> None:
        while not done.is_set():
            client.set("churn", "x" * 100)

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        for _ in range(20):
            assert in_child(lambda: [client.set("k", "v"), client.get("k")]) == "[True, b'v']"
    finally:
        done.set()
        thread.join()


# ---- threads -------------------------------------------------------------------------------------


@pytest.mark.parametrize("writable", [False, True])
def test_threads_share_a_client(daemon: Daemon, writable: bool) -> None:
    client = shmcache.attach(daemon.name, writable=writable)
    threads, each = 8, 300
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for turn in range(each):
                client.incr("together")
                client.set(f"own:{number}", turn)
                assert client.get(f"own:{number}") == b"%d" % turn
                assert client.mget(f"own:{number}", "zz") == [b"%d" % turn, None]
        except BaseException as error:
            failures.append(error)
            raise

    running = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    assert not failures
    assert client.get("together") == b"%d" % (threads * each)


# ---- the daemon's death and return ---------------------------------------------------------------


def test_reads_outlive_the_daemon(start_daemon: Callable[..., Daemon]) -> None:
    daemon = start_daemon()
    reader = shmcache.attach(daemon.name, **AT_ONCE)
    by_socket = shmcache.attach(str(daemon.socket_path), **AT_ONCE)
    reader.set("k", "v")
    daemon.kill()
    for client in (reader, by_socket):
        assert client.get("k") == b"v"
        assert client.keys() == [b"k"]
        with pytest.raises(redis.ConnectionError):
            client.set("k", "w")
        with pytest.raises(redis.ConnectionError):
            client.ping()
    writer = shmcache.attach(daemon.name, writable=True)
    writer.set("k", "written while nobody was there")
    daemon.start()
    for client in (reader, by_socket):
        assert client.get("k") == b"written while nobody was there"
        assert client.ping()
    for client in (reader, by_socket):
        assert client.set("k", "v2")
        assert client.get("k") == b"v2"


def test_orderly_restart(start_daemon: Callable[..., Daemon]) -> None:
    daemon = start_daemon()
    reader = shmcache.attach(daemon.name, **AT_ONCE)
    reader.set("k", "v")
    for _ in range(3):
        daemon.stop()
        assert reader.get("k") == b"v"
        daemon.start()
        assert reader.get("k") == b"v"
        assert reader.set("k", "v")


def test_attaching_while_the_daemon_is_dead(start_daemon: Callable[..., Daemon]) -> None:
    daemon = start_daemon()
    daemon.connect().set("k", "v")
    daemon.kill()
    client = shmcache.attach(daemon.name, **AT_ONCE)
    assert client.get("k") == b"v"
    daemon.start()
    assert client.ping()


@pytest.mark.parametrize("writable", [False, True])
@pytest.mark.parametrize("native", [False, True], ids=["generic", "native"])
def test_replaced_arena_is_noticed(segments: Segments, writable: bool, native: bool) -> None:
    """Somebody removed the segments and a new daemon made new ones."""
    client = shmcache.attach(segments.name, writable=writable)
    shmcache.attach(segments.name, writable=True).set("k", "old")
    assert client.get("k") == b"old"

    def read() -> Any:
        return client.get("k") if native else client.execute_command("GET", "k")

    segments.unlink()
    assert read() == b"old", "the old memory is read while there is no new one"
    segments.create()
    shmcache.attach(segments.name, writable=True).set("k", "new")
    wait_for(lambda: read() == b"new", "the new arena")
    if writable:
        client.set("k", "newer")
        assert shmcache.attach(segments.name).get("k") == b"newer"


def test_replaced_arena_under_a_daemon(start_daemon: Callable[..., Daemon]) -> None:
    daemon = start_daemon(shm_keep="no")
    client = shmcache.attach(daemon.name, **AT_ONCE)
    assert client.set("k", "old")
    daemon.stop()
    daemon.start()
    wait_for(lambda: client.get("k") is None, "the new arena, which is empty")
    assert client.set("k", "new")
    assert client.get("k") == b"new"


def test_arena_that_cannot_be_read_any_more(segments: Segments) -> None:
    """The name leads to something else now: stale memory must not be served."""
    client = shmcache.attach(segments.name)
    shmcache.attach(segments.name, writable=True).set("k", "old")
    segments.unlink()
    segments.create()
    path = f"/dev/shm/shmcache.{segments.name}.data"
    with open(path, "r+b") as file:  # noqa: PTH123
        magic = file.read(8)
        file.seek(0)
        file.write(b"another!")

    def refused() -> bool:
        try:
            client.get("k")
        except redis.ConnectionError:
            return True
        return False

    wait_for(refused, "a refusal to read the old arena")
    with open(path, "r+b") as file:  # noqa: PTH123
        file.write(magic)
    shmcache.attach(segments.name, writable=True).set("k", "new")

    def read() -> Any:
        try:
            return client.get("k")
        except redis.ConnectionError:
            return None

    wait_for(lambda: read() == b"new", "the new arena")


def test_socket_that_moved(start_daemon: Callable[..., Daemon]) -> None:
    """A client attached by name follows the arena's word about the socket."""
    daemon = start_daemon()
    client = shmcache.attach(daemon.name, **AT_ONCE)
    assert client.ping()
    daemon.stop()
    daemon.socket_path = daemon.socket_path.with_name("moved.sock")
    daemon.start()

    def answers() -> bool:
        try:
            return bool(client.ping())
        except redis.ConnectionError:
            return False

    wait_for(answers, "an answer at the new place")


def test_looking_costs_a_second_at_most(segments: Segments, monkeypatch: Any) -> None:
    """The arena is looked after by time, however many calls there are."""
    client = shmcache.attach(segments.name)
    looks: list[object] = []
    monkeypatch.setattr("shmcache.client.attachment.Attachment.look_after", looks.append)
    start = time.monotonic()
    for _ in range(20_000):
        client.get("k")
    assert len(looks) <= time.monotonic() - start + 1


# ---- closing -------------------------------------------------------------------------------------


def test_closed_client_may_be_used_again(daemon: Daemon) -> None:
    """As redis-py's."""
    client = shmcache.attach(daemon.name)
    client.set("k", "v")
    client.close()
    assert client.get("k") == b"v"
    assert client.ping()
    client.close()


def test_pubsub_and_lock(daemon: Daemon) -> None:
    client: Any = shmcache.attach(daemon.name, writable=True)
    with client.pubsub(ignore_subscribe_messages=True) as pubsub:
        pubsub.subscribe("channel")
        assert pubsub.get_message(timeout=5) is None
        client.publish("channel", "hello")
        message = pubsub.get_message(timeout=5)
        assert message is not None
        assert message["data"] == b"hello"
    lock = client.lock("resource", timeout=100)
    assert lock.acquire(blocking=False)
    assert not client.lock("resource").acquire(blocking=False)
    assert lock.locked()
