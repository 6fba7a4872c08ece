"""A writer in this process wakes who waits at the daemon's socket."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

import shmcache
from client.processes import environment, wait_for
from client.test_blocking import CALLS, waited

if TYPE_CHECKING:
    from client.processes import Daemon, RedisServer

_PUSHER = """
import sys, shmcache
writer = shmcache.attach(sys.argv[1], writable=True)
number = 0
while True:
    number += 1
    writer.rpush("k", number)
    print(number, flush=True)
"""


@pytest.mark.parametrize("name", CALLS)
def test_a_push_wakes(daemon: Daemon, redis_server: RedisServer, name: str) -> None:
    with (
        shmcache.attach(daemon.name) as reader,
        shmcache.attach(daemon.name, writable=True) as writer,
        daemon.connect() as plain,
        redis_server.connect() as theirs,
        redis_server.connect() as their_plain,
    ):
        sent = plain.info("commandstats")
        wanted = waited(theirs, their_plain, name)
        assert waited(reader, plain, name, pusher=writer) == wanted
        # it did not go through the socket
        command = "cmdstat_" + str(CALLS[name][1][0]).lower()
        now = plain.info("commandstats")
        assert sent.get(command, {}).get("calls", 0) == now.get(command, {}).get("calls", 0)


def test_a_transaction_of_a_writer_wakes_as_a_whole(daemon: Daemon) -> None:
    with (
        shmcache.attach(daemon.name) as reader,
        shmcache.attach(daemon.name, writable=True) as writer,
        daemon.connect() as plain,
    ):
        results: list[Any] = []
        thread = threading.Thread(target=lambda: results.append(reader.blpop(["a", "b"], 20)))
        thread.start()
        wait_for(lambda: plain.info("clients")["blocked_clients"] == 1, "a blocked client")
        with writer.pipeline(transaction=True) as pipeline:
            pipeline.rpush("b", "1").rpush("a", "2").lpop("b")
            pipeline.execute()
        thread.join(20)
        assert results == [(b"a", b"2")]


def test_every_element_of_a_killed_writer_arrives(daemon: Daemon) -> None:
    """What it has pushed before it was killed is served, in order and once; nothing hangs."""
    with (
        daemon.connect() as plain,
        subprocess.Popen(
            [sys.executable, "-c", _PUSHER, daemon.name], stdout=subprocess.PIPE, env=environment()
        ) as pusher,
    ):
        taken: list[int] = []
        while len(taken) < 200:
            popped = plain.blpop("k", 20)
            assert popped is not None
            taken.append(int(popped[1]))
        os.kill(pusher.pid, signal.SIGKILL)
        assert pusher.stdout is not None
        said = pusher.stdout.read().split()
        while (popped := plain.blpop("k", 0.2)) is not None:
            taken.append(int(popped[1]))
        assert taken == list(range(1, len(taken) + 1))
        assert len(taken) - len(said) in {0, 1}  # it may have been killed before it said so
        plain.rpush("k", "after")
        assert plain.blpop("k", 20) == (b"k", b"after")
