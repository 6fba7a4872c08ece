"""A daemon under load whose processes, and its workers, are killed by SIGKILL one after the other.

Two workers write in-process and two clients through the socket, each to keys of its own; each
acknowledges a write in memory shared with the test once it has returned. Whoever is killed: what
was acknowledged is there, what was under way is there wholly or not at all, and everybody goes on.
"""

from __future__ import annotations

import mmap
import os
import random
import signal
import time
from typing import TYPE_CHECKING, Any

from client.workers import Worker, payload
from server.wire import Wire, request
from supervisor.daemons import eventually

import shmcache
from shmcache.arena.segments import attach_arena

if TYPE_CHECKING:
    from collections.abc import Callable

    from supervisor.daemons import DaemonProcess

ROUNDS = 6
WRITERS, CLIENTS = 2, 2
PIPELINED = 5
LONGEST_PAUSE_SECONDS = 0.05


class SocketClient(Worker):
    """Writes through the socket; begins anew, where it was, when the connection is lost."""

    WRITES = ("count", "store", "pair", "payload")

    def __init__(self, daemon: DaemonProcess, number: int, acknowledged: memoryview) -> None:
        super().__init__(daemon.name, number, acknowledged)
        self._path = daemon.socket

    def live(self) -> None:
        while True:
            try:
                with Wire(self._path) as wire:
                    self._resume(wire)
                    while True:
                        self._round(wire)
            except OSError:  # the front-end is dead, or not there yet
                time.sleep(0.001)

    def _resume(self, wire: Wire) -> None:
        """Look what became of the writes that were under way."""
        self._check(lambda key: wire.value("GET", key))
        self._acknowledged[0] = int(wire.value("GET", self.key("count")) or 0)

    def _round(self, wire: Wire) -> None:
        """Send everything at once; acknowledge reply by reply."""
        store, pair, big = (self.acknowledged(what) + 1 for what in self.WRITES[1:])
        left_and_right = (self.key("left"), str(pair), self.key("right"), str(pair))
        wire.send(
            request("INCR", self.key("count")) * PIPELINED
            + request("SET", self.key("store"), str(store), "EX", "100000")
            + request("MSET", *left_and_right)
            + request("SET", self.key("payload"), payload(big))
        )
        for _ in range(PIPELINED):
            count = self.acknowledged("count") + 1
            assert wire.reply() == b":%d\r\n" % count
            self._acknowledged[0] = count
        for index, turn in enumerate((store, pair, big), start=1):
            assert wire.reply() == b"+OK\r\n"
            self._acknowledged[index] = turn

    def check(self, cache: shmcache.Client) -> None:
        self._check(cache.get)

    def _check(self, get: Callable[[str], Any]) -> None:
        count = int(get(self.key("count")) or 0)
        assert self.acknowledged("count") <= count <= self.acknowledged("count") + PIPELINED
        self.check_turn("store", int(get(self.key("store")) or 0))
        left = get(self.key("left"))
        assert left == get(self.key("right")), "half an MSET"
        self.check_turn("pair", int(left or 0))
        turn = self.acknowledged("payload")
        assert get(self.key("payload")) in {payload(turn), payload(turn + 1)} or turn == 0


class Siege:
    """Keeps a daemon, writers and clients running, and kills them."""

    def __init__(self, daemon: DaemonProcess, seed: int) -> None:
        self.daemon = daemon
        self.kills = 0
        self._random = random.Random(seed)
        self._started = f"seed {seed}"
        self._memory = mmap.mmap(-1, (WRITERS + CLIENTS) * len(Worker.WRITES) * 8)
        cells = memoryview(self._memory).cast("Q")
        size = len(Worker.WRITES)
        mine = [cells[number * size :][:size] for number in range(WRITERS + CLIENTS)]
        self.writers = [Worker(daemon.name, n, mine[n]) for n in range(WRITERS)]
        self.clients = [SocketClient(daemon, n, mine[n]) for n in range(WRITERS, len(mine))]

        self.everybody = [*self.writers, *self.clients]

    def run(self, rounds: int) -> None:
        victims = [
            self._kill_front_end,
            self._kill_maintenance,
            self._kill_supervisor,
            self._kill_all_of_the_daemon,
            self._kill_a_starting_supervisor,
            self._kill_a_writer,
            self._kill_a_writer,
        ]
        try:
            for worker in self.everybody:
                worker.start()
            for _ in range(rounds):
                self._random.shuffle(victims)
                for kill in victims:
                    self._wait_for_progress()
                    self._pause()
                    kill()
            self._wait_for_progress()
        finally:
            for worker in self.everybody:
                worker.end()

    def _pause(self) -> None:
        """Let the next kill meet any moment."""
        time.sleep(self._random.random() * LONGEST_PAUSE_SECONDS)

    def _wait_for_progress(self) -> None:
        """Nobody waits for the dead: everybody's next writes succeed."""
        before = [worker.total() for worker in self.everybody]
        eventually(
            lambda: all(
                worker.total() > count for worker, count in zip(self.everybody, before, strict=True)
            ),
            f"no progress after {self.kills} kills, {self._started}",
        )

    def _kill_front_end(self) -> None:
        self.daemon.frontend().kill()
        self.kills += 1

    def _kill_maintenance(self) -> None:
        self.daemon.maintenance().kill()
        self.kills += 1

    def _kill_supervisor(self) -> None:
        self.daemon.process.kill()
        self.daemon.process.communicate()
        self.kills += 1
        self.daemon.start()

    def _kill_all_of_the_daemon(self) -> None:
        children = self.daemon.children().values()
        pids = [self.daemon.process.pid, *(child.pid for child in children)]
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        self.kills += len(pids)
        self.daemon.process.communicate()
        self.daemon.start()

    def _kill_a_starting_supervisor(self) -> None:
        self._kill_supervisor()
        self.daemon.process.kill()
        self.daemon.process.communicate()
        self.daemon.launch()
        self._pause()
        self._kill_supervisor()

    def _kill_a_writer(self) -> None:
        writer = self._random.choice(self.writers)
        writer.kill()
        self.kills += 1
        with shmcache.attach(self.daemon.name) as reader:
            writer.check(reader)
        writer.start()


def generation(name: str) -> int:
    return attach_arena(name).statistics().generation


def test_nothing_acknowledged_is_lost(daemon: DaemonProcess) -> None:
    seed = int(os.environ.get("SHMCACHE_TEST_SEED", str(random.SystemRandom().getrandbits(32))))
    daemon.start()
    first = generation(daemon.name)
    siege = Siege(daemon, seed)
    siege.run(ROUNDS)
    assert siege.kills >= 8 * ROUNDS
    assert generation(daemon.name) == first, "the arena was made anew"
    assert daemon.log_text().count("Adopted the arena") >= 3 * ROUNDS

    arena = attach_arena(daemon.name, writable=True)
    arena.sweep_slots()
    assert arena.validate() == []
    with shmcache.attach(daemon.name) as reader, shmcache.attach(daemon.socket) as other:
        for worker in siege.everybody:
            worker.check(reader)
            worker.check(other)
