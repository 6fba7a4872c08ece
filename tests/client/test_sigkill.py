"""Workers killed by SIGKILL under load, as gunicorn kills them, over and over.

After a kill every write acknowledged must be there, at most the one write that was under way may be
there too, and that one wholly or not at all.
"""

from __future__ import annotations

import mmap
import os
import random
import time
from typing import TYPE_CHECKING

import pytest

import shmcache
from client.processes import START_SECONDS
from client.workers import Worker
from shmcache.arena.segments import attach_arena

if TYPE_CHECKING:
    from collections.abc import Callable

    from client.processes import Daemon, Segments

KILLS = int(os.environ.get("SHMCACHE_TEST_KILLS", "1500"))
SECONDS = float("inf") if "SHMCACHE_TEST_KILLS" in os.environ else 18.0
"""For each of the tests here: so many kills, or as many as fit into so many seconds."""
LEAST_KILLS = 20
WORKERS = 4
LONGEST_PAUSE_SECONDS = 0.004


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
