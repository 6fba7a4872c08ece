"""Workers killed by SIGKILL under load, as gunicorn kills them, over and over.

Each worker does a round of writes on keys of its own and on one that all share, and acknowledges
each write, once the call has returned, in memory that it shares with the test. So after a kill
every write acknowledged must be there, at most the one write that was under way may be there too,
and that one wholly or not at all.
"""

from __future__ import annotations

import mmap
import os
import random
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest

import shmcache
from client.processes import START_SECONDS
from shmcache.arena.segments import attach_arena

if TYPE_CHECKING:
    from collections.abc import Callable

    from client.processes import Daemon, Segments

KILLS = int(os.environ.get("SHMCACHE_TEST_KILLS", "1500"))
SECONDS = float("inf") if "SHMCACHE_TEST_KILLS" in os.environ else 18.0
"""For each of the tests here: so many kills, or as many as fit into so many seconds."""
LEAST_KILLS = 20
WORKERS = 4
LONGEST_PAYLOAD = 60_000
LONGEST_PAUSE_SECONDS = 0.004


def payload(turn: int) -> bytes:
    """A value of any size whose every part tells the turn."""
    return (b"%08d" % turn) * (1 + turn * 7919 % (LONGEST_PAYLOAD // 8))


class Worker:
    """One worker's keys, its acknowledgements, and the processes that are it one after another."""

    WRITES = ("count", "store", "pair", "grow", "move", "payload", "replace", "shared")

    def __init__(self, name: str, number: int, acknowledged: memoryview) -> None:
        self._name = name
        self._number = number
        self._acknowledged = acknowledged
        self._pid = 0

    def key(self, what: str) -> str:
        return f"{what}:{self._number}"

    def acknowledged(self, what: str) -> int:
        return int(self._acknowledged[self.WRITES.index(what)])

    def total(self) -> int:
        return sum(self._acknowledged)

    def start(self) -> None:
        self._pid = os.fork()
        if self._pid == 0:
            try:
                self._work(shmcache.attach(self._name, writable=True))
            finally:
                os._exit(1)

    def kill(self) -> None:
        os.kill(self._pid, signal.SIGKILL)
        _, status = os.waitpid(self._pid, 0)
        assert os.WIFSIGNALED(status), "the worker failed before it was killed"
        self._pid = 0

    def end(self) -> None:
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)

    def _work(self, cache: shmcache.Client) -> None:
        for index, what in enumerate(self.WRITES):
            # what was under way when the last process died may be there or not: begin anew
            if what not in {"count", "grow", "shared"}:
                getattr(self, f"_{what}")(cache, int(self._acknowledged[index]))
        self._acknowledged[0] = int(cache.get(self.key("count")) or 0)
        self._acknowledged[3] = cache.strlen(self.key("grow"))
        while True:
            for index, what in enumerate(self.WRITES):
                turn = int(self._acknowledged[index]) + 1
                getattr(self, f"_{what}")(cache, turn)
                self._acknowledged[index] = turn

    def _count(self, cache: shmcache.Client, turn: int) -> None:
        assert cache.incr(self.key("count")) == turn

    def _store(self, cache: shmcache.Client, turn: int) -> None:
        assert cache.set(self.key("store"), turn, ex=100_000)

    def _pair(self, cache: shmcache.Client, turn: int) -> None:
        assert cache.mset({self.key("left"): turn, self.key("right"): turn})

    def _grow(self, cache: shmcache.Client, turn: int) -> None:
        assert cache.append(self.key("grow"), "+") == turn

    def _move(self, cache: shmcache.Client, turn: int) -> None:
        cache.pipeline().set(self.key("from"), turn).rename(
            self.key("from"), self.key("move")
        ).execute()

    def _payload(self, cache: shmcache.Client, turn: int) -> None:
        assert cache.set(self.key("payload"), payload(turn))

    def _replace(self, cache: shmcache.Client, turn: int) -> None:
        cache.delete(self.key("replace"))
        assert cache.set(self.key("replace"), turn, nx=True)

    def _shared(self, cache: shmcache.Client, turn: int) -> None:
        assert cache.incr("shared") >= turn

    def check(self, cache: shmcache.Client) -> None:
        """Compare what the dead process acknowledged with what is there."""

        def fits(what: str, value: Any) -> None:
            turn = self.acknowledged(what)
            assert value in {turn, turn + 1}, f"{self.key(what)}: {value}, acknowledged {turn}"

        fits("count", int(cache.get(self.key("count")) or 0))
        fits("store", int(cache.get(self.key("store")) or 0))
        fits("grow", cache.strlen(self.key("grow")))
        fits("move", int(cache.get(self.key("move")) or 0))
        assert cache.get(self.key("from")) is None, "half a transaction"
        left, right = cache.mget(self.key("left"), self.key("right"))
        assert left == right, "half an MSET"
        fits("pair", int(left or 0))
        replaced = cache.get(self.key("replace"))
        if replaced is not None:
            fits("replace", int(replaced))
        turn = self.acknowledged("payload")
        stored = cache.get(self.key("payload"))
        assert stored in {payload(turn), payload(turn + 1)} or turn == 0
        assert cache.ttl(self.key("store")) > 0 or self.acknowledged("store") == 0


class Massacre:
    """Keeps workers running on a cache and kills them at random moments."""

    def __init__(self, name: str, seed: int, *, writable: bool) -> None:
        self.cache = shmcache.attach(name, writable=writable)
        self.kills = 0
        self._random = random.Random(seed)
        self._seed = seed
        self._memory = mmap.mmap(-1, WORKERS * len(Worker.WRITES) * 8)
        cells = memoryview(self._memory).cast("Q")
        size = len(Worker.WRITES)
        self.workers = [
            Worker(name, number, cells[number * size : (number + 1) * size])
            for number in range(WORKERS)
        ]

    def run(self, kills: int, meanwhile: Callable[[int], None]) -> None:
        try:
            for worker in self.workers:
                worker.start()
            end = time.monotonic() + SECONDS
            while self.kills < kills and (self.kills < LEAST_KILLS or time.monotonic() < end):
                self._kill_one(self._random.choice(self.workers))
                meanwhile(self.kills)
        finally:
            for worker in self.workers:
                worker.end()
            print(f"{self.kills} kills, seed {self._seed}")  # noqa: T201 - shown with pytest -rP

    def _kill_one(self, worker: Worker) -> None:
        self._wait_for_progress(worker)
        pause = self._random.random() * LONGEST_PAUSE_SECONDS
        end = time.perf_counter() + pause
        while time.perf_counter() < end:
            pass
        worker.kill()
        self.kills += 1
        worker.check(self.cache)
        worker.start()

    def _wait_for_progress(self, worker: Worker) -> None:
        before = worker.total()
        deadline = time.monotonic() + START_SECONDS
        while worker.total() == before:
            assert time.monotonic() < deadline, (
                f"deadlock: no progress after {self.kills} kills (seed {self._seed})"
            )
            time.sleep(0)

    def check_shared(self) -> None:
        """No acknowledged increment is lost; each kill may have left one unacknowledged."""
        acknowledged = sum(worker.acknowledged("shared") for worker in self.workers)
        count = int(self.cache.get("shared") or 0)
        assert acknowledged <= count <= acknowledged + self.kills + WORKERS


def _validate(name: str) -> None:
    arena = attach_arena(name, writable=True)
    arena.sweep_slots()
    assert arena.validate() == []
    arena.close()


@pytest.fixture
def seed() -> int:
    return int(os.environ.get("SHMCACHE_TEST_SEED", str(random.SystemRandom().getrandbits(32))))


def test_killed_workers_without_a_daemon(segments: Segments, seed: int) -> None:
    # a reader could only wait for somebody to look after the dead; a writer does so itself
    massacre = Massacre(segments.name, seed, writable=True)

    def meanwhile(kills: int) -> None:
        if kills % 200 == 0:
            _validate(segments.name)

    massacre.run(KILLS, meanwhile)
    massacre.check_shared()
    _validate(segments.name)


def test_killed_workers_beside_a_daemon(start_daemon: Callable[..., Daemon], seed: int) -> None:
    """The daemon serves its clients, sweeps and reclaims meanwhile; now and then it dies too."""
    daemon = start_daemon()
    massacre = Massacre(daemon.name, seed, writable=False)
    plain = daemon.connect()
    served = 0

    def meanwhile(kills: int) -> None:
        nonlocal served
        served += 1
        assert plain.incr("served") == served
        if kills % 300 == 0:
            daemon.kill()
            daemon.start()

    massacre.run(KILLS, meanwhile)
    massacre.check_shared()
    assert shmcache.attach(daemon.name).get("served") == b"%d" % served
    _validate(daemon.name)
