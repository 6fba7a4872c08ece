"""A real module, a rate limiter, through both doors."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
from functools import partial
from typing import TYPE_CHECKING

import pytest
import redis
from supervisor.daemons import DaemonProcess, eventually

import shmcache
import shmcache.asyncio
from shmcache.arena.segments import attach_arena

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SLOW = 1
"""Tokens a second: no test takes as long as the next one."""


def commands_served(daemon: DaemonProcess) -> int:
    """How many commands of the module the front-end has run."""
    with redis.Redis(unix_socket_path=daemon.socket) as client:
        stats = client.info("commandstats")
    names = ("cmdstat_tokenbucket.take", "cmdstat_tokenbucket.peek")
    return sum(stats.get(name, {"calls": 0})["calls"] for name in names)


@pytest.mark.usefixtures("installed_here")
@pytest.mark.parametrize("door", ["socket", "reader", "writer"])
def test_a_bucket_gives_what_it_has(daemon: DaemonProcess, door: str) -> None:
    if door == "socket":
        client: redis.Redis = redis.Redis(unix_socket_path=daemon.socket)
    else:
        client = shmcache.attach(daemon.name, writable=door == "writer")
    before = commands_served(daemon)
    with client:
        for left in (2, 1, 0):
            reply = client.execute_command("TOKENBUCKET.TAKE", "k", 3, SLOW)
            assert reply == [1, left, 0]
        taken, left, wait_ms = client.execute_command("TOKENBUCKET.TAKE", "k", 3, SLOW)
        assert (taken, left) == (0, 0)
        assert 0 < wait_ms <= 1000
        assert client.execute_command("tokenbucket.peek", "k", 3, SLOW) == 0
        assert client.execute_command("TOKENBUCKET.TAKE", "other", 3, SLOW, 2) == [1, 1, 0]
        assert 0 < client.pttl("k") <= 3001
        with pytest.raises(redis.ResponseError, match="a number from 1 to 1000 is wanted"):
            client.execute_command("TOKENBUCKET.TAKE", "k", 0, SLOW)
        client.set("text", "x")
        with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
            client.execute_command("TOKENBUCKET.TAKE", "text", 3, SLOW)
    # a reader's TAKE travels, its PEEK does not
    assert commands_served(daemon) - before == {"socket": 8, "reader": 7, "writer": 0}[door]


@pytest.mark.usefixtures("installed_here")
@pytest.mark.parametrize("writable", [False, True])
def test_several_in_one_step(daemon: DaemonProcess, writable: bool) -> None:
    before = commands_served(daemon)
    with shmcache.attach(daemon.name, writable=writable) as client, client.pipeline() as pipe:
        pipe.set("allowed", "yes")
        for key in ("a", "b", "a"):
            pipe.execute_command("TOKENBUCKET.TAKE", key, 3, SLOW, 2)
        replies = pipe.execute()
    assert [reply[:2] for reply in replies[1:]] == [[1, 1], [1, 1], [0, 1]]
    assert (commands_served(daemon) == before) is writable


def test_scripts_may_call_it(daemon: DaemonProcess) -> None:
    take = "return redis.call('TOKENBUCKET.TAKE', KEYS[1], 3, 1, ARGV[1])"
    peek = "return redis.call('TOKENBUCKET.PEEK', KEYS[1], 3, 1)"
    with redis.Redis(unix_socket_path=daemon.socket) as client:
        assert client.eval(take, 1, "k", 2) == [1, 1, 0]
        assert client.eval(take, 1, "k", 2)[:2] == [0, 1]
        assert client.eval_ro(peek, 1, "k") == 1
        with pytest.raises(redis.ResponseError, match="Write commands are not allowed"):
            client.eval_ro(take, 1, "k", 1)
        both = f"local first = (function() {take} end)() {take}"
        with client.pipeline() as pipe:
            pipe.set("before", 1)
            pipe.eval(both, 1, "other", 1)
            assert pipe.execute() == [True, [1, 1, 0]]


@pytest.mark.usefixtures("installed_here")
def test_asyncio(daemon: DaemonProcess) -> None:
    async def take() -> list[int]:
        async with shmcache.asyncio.attach(daemon.name, writable=True) as client:
            return list(await client.execute_command("TOKENBUCKET.TAKE", "k", 3, SLOW))

    before = commands_served(daemon)
    assert asyncio.run(take()) == [1, 2, 0]
    assert commands_served(daemon) == before


@pytest.mark.usefixtures("installed_here")
def test_nobody_gets_more_than_there_is(daemon: DaemonProcess) -> None:
    taken: list[int] = []

    def take(client: redis.Redis) -> None:
        take_one = partial(client.execute_command, "TOKENBUCKET.TAKE", "k", 100, SLOW)
        taken.extend(take_one()[0] for _ in range(60))

    with (
        shmcache.attach(daemon.name, writable=True) as writer,
        shmcache.attach(daemon.name) as reader,
        redis.Redis(unix_socket_path=daemon.socket) as plain,
    ):
        threads = [threading.Thread(target=take, args=(each,)) for each in (writer, reader, plain)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(taken) == 180
    assert 100 <= sum(taken) <= 101 + 20  # some seconds may pass on a busy machine


def test_a_worker_without_the_package_asks_the_daemon(daemon: DaemonProcess) -> None:
    before = commands_served(daemon)
    with shmcache.attach(daemon.name, writable=True) as client:
        assert client.execute_command("TOKENBUCKET.TAKE", "k", 3, SLOW) == [1, 2, 0]
    assert commands_served(daemon) == before + 1


@pytest.mark.usefixtures("installed_here")
def test_a_worker_notices_what_the_daemon_does(daemon: DaemonProcess) -> None:
    name = "token-bucket.most-tokens"
    with (
        shmcache.attach(daemon.name, writable=True) as client,
        redis.Redis(unix_socket_path=daemon.socket) as plain,
    ):

        def refused() -> bool:
            try:
                client.execute_command("TOKENBUCKET.PEEK", "k", 50, SLOW)
            except redis.ResponseError as error:
                return "from 1 to 20" in str(error) or "unknown command" in str(error)
            return False

        assert not refused()
        plain.config_set(name, 20)
        eventually(refused)
        plain.execute_command("MODULE", "UNLOAD", "token-bucket")
        try:
            eventually(lambda: "unknown command" in _error(client))
        finally:
            plain.execute_command("MODULE", "LOADEX", "token-bucket", "CONFIG", name, 1000)
        eventually(lambda: not refused())


def _error(client: redis.Redis) -> str:
    try:
        client.execute_command("TOKENBUCKET.PEEK", "k", 5, SLOW)
    except redis.ResponseError as error:
        return str(error)
    return ""


@pytest.mark.usefixtures("installed_here")
def test_it_works_while_the_daemon_is_down(tmp_path: Path, environment: Mapping[str, str]) -> None:
    with DaemonProcess(tmp_path) as daemon:
        daemon.start("--loadmodule", "token-bucket", environment=environment)
        daemon.stop(signal.SIGTERM)
        with shmcache.attach(daemon.name, writable=True) as client:
            assert client.execute_command("TOKENBUCKET.TAKE", "k", 3, SLOW) == [1, 2, 0]


DIE_HALF_WAY = """
import os, signal, sys
import shmcache, shmcache_token_bucket
cache = shmcache.attach(sys.argv[1], writable=True)
assert cache.execute_command("TOKENBUCKET.TAKE", "k", 5, 1) == [1, 4, 0]
# between the two writes of the transaction
shmcache_token_bucket._full_at_ms = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
if sys.argv[2] == "alone":
    cache.execute_command("TOKENBUCKET.TAKE", "k", 5, 1, 3)
else:
    with cache.pipeline() as pipe:
        pipe.set("before", 1).execute_command("TOKENBUCKET.TAKE", "k", 5, 1, 3)
        pipe.execute()
"""


@pytest.mark.parametrize("how", ["alone", "in a transaction"])
def test_killed_in_the_middle_it_leaves_nothing(
    daemon: DaemonProcess, environment: Mapping[str, str], how: str
) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", DIE_HALF_WAY, daemon.name, how], env=environment, check=False
    )
    assert ended.returncode == -signal.SIGKILL
    with redis.Redis(unix_socket_path=daemon.socket) as client:
        assert int(client.hget("k", "microtokens") or 0) == 4_000_000
        assert client.exists("before") == 0
        assert client.execute_command("TOKENBUCKET.TAKE", "k", 5, SLOW, 3)[0] == 1
    arena = attach_arena(daemon.name)
    try:
        assert arena.validate() == []
    finally:
        arena.close()


def test_the_front_end_killed_in_the_middle_leaves_nothing(
    tmp_path: Path, environment: Mapping[str, str]
) -> None:
    with DaemonProcess(tmp_path) as daemon:
        daemon.start("--loadmodule", "odd-half", environment=environment)
        assert daemon.ask("SET", "k", "v") == b"+OK\r\n"
        front_end = daemon.frontend()
        assert _dies(daemon)
        eventually(lambda: daemon.frontend().pid != front_end.pid and daemon._answers())
        assert daemon.ask("EXISTS", "h") == b":0\r\n"
        assert daemon.ask("ODD.HALF", "h").startswith(b"-ERR module 'odd-half': command 'odd.half'")


def _dies(daemon: DaemonProcess) -> bool:
    """Whether the connection ends without a reply."""
    try:
        return daemon.ask("ODD.HALF", "h", "die") == b""
    except ConnectionError:
        return True
