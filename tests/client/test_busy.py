"""A writer that stops in the middle of a change: nobody waits for it for ever."""

from __future__ import annotations

import os
import signal
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

import shmcache
from shmcache.arena.segments import attach_arena

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from client.processes import Daemon, Segments

LONGEST_WAIT_SECONDS = 30.0
"""Far above the engine's own limits, far below for ever."""

READS: dict[str, Callable[[Any], Any]] = {
    "native": lambda client: client.get("k"),
    "generic": lambda client: client.execute_command("GET", "k"),
    "several": lambda client: client.mget("k", "other"),
}


@contextmanager
def stopped_writer(name: str) -> Iterator[int]:
    """A process that has changed ``k``, has not committed it, and does not run."""
    child = os.fork()
    if child == 0:
        try:
            with attach_arena(name, writable=True).transaction([(0, b"k")]) as transaction:
                transaction.set(0, b"k", b"half done")
                os.kill(os.getpid(), signal.SIGSTOP)
        finally:
            os._exit(0)
    os.waitpid(child, os.WUNTRACED)
    try:
        yield child
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


@contextmanager
def bounded() -> Iterator[None]:
    started = time.monotonic()
    yield
    assert time.monotonic() - started < LONGEST_WAIT_SECONDS


@pytest.mark.parametrize("read", READS)
def test_reader_gives_up(segments: Segments, read: str) -> None:
    shmcache.attach(segments.name, writable=True).set("k", "before")
    reader = shmcache.attach(segments.name)
    with stopped_writer(segments.name), bounded(), pytest.raises(shmcache.ArenaBusy):
        READS[read](reader)


def test_writer_gives_up(segments: Segments) -> None:
    writer = shmcache.attach(segments.name, writable=True)
    writer.set("k", "before")
    with stopped_writer(segments.name), bounded(), pytest.raises(shmcache.ArenaBusy):
        writer.set("k", "mine")
    assert writer.set("k", "mine"), "the writer was killed, and with it its hold on the key"
    assert writer.get("k") == b"mine"


def test_reader_asks_the_daemon_which_says_so_too(daemon: Daemon) -> None:
    daemon.connect().set("k", "before")
    reader = shmcache.attach(daemon.name)
    with stopped_writer(daemon.name), bounded(), pytest.raises(shmcache.ArenaBusy):
        reader.get("k")


@pytest.mark.parametrize("read", READS)
def test_a_killed_writers_change_is_taken_back(daemon: Daemon, read: str) -> None:
    daemon.connect().set("k", "before")
    reader = shmcache.attach(daemon.name)
    with stopped_writer(daemon.name):
        pass
    with bounded():
        assert READS[read](reader) in (b"before", [b"before", None])
