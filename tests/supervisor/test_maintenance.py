"""Housekeeping: expiry, the reserve, dead writers, and doing little when there is little to do."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest

from shmcache.arena import BEAT_MAINTENANCE, POLICIES
from shmcache.arena.segments import attach_arena, create_segments, unlink_segments
from shmcache.config import Config
from shmcache.errors import ArenaBusy
from shmcache.supervisor.log import Log
from shmcache.supervisor.maintenance import Maintenance
from supervisor.daemons import eventually, unique_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psutil

    from shmcache.arena import Arena
    from supervisor.daemons import DaemonProcess


@pytest.fixture
def arena() -> Iterator[Arena]:
    name = unique_name()
    create_segments(name, 4 << 20).close()
    yield attach_arena(name, writable=True)
    unlink_segments(name)


@pytest.fixture
def maintenance(arena: Arena) -> Maintenance:
    maintenance = Maintenance(arena, Log("/dev/null"))
    maintenance.configure(Config())
    return maintenance


def test_expired_keys_are_reclaimed(arena: Arena, maintenance: Maintenance) -> None:
    now_ms = int(time.time() * 1000)
    for number in range(1000):
        arena.set(0, b"%d" % number, b"v", expire_ms=now_ms + 30)
    arena.set(0, b"stays", b"v", expire_ms=now_ms + 1_000_000)
    eventually(lambda: time.time() * 1000 > now_ms + 40)
    rounds = 0
    while arena.statistics().keys > 1:
        maintenance.round(time.monotonic())
        rounds += 1
        assert rounds < 10_000
    assert arena.get(0, b"stays") == b"v"
    assert arena.statistics().expired == 1000
    assert arena.validate() == []


def test_the_reserve_is_kept_free(arena: Arena, maintenance: Maintenance) -> None:
    arena.set_tuning(arena.get_tuning()._replace(policy=POLICIES.index("allkeys-lru")))
    number = 0
    while arena.statistics().free_pages:
        arena.set(0, b"key:%d" % number, bytes(1000))
        number += 1
        if arena.statistics().evicted:
            break
    for _ in range(100):
        maintenance.round(time.monotonic())
    assert arena.statistics().free_pages > 0
    assert arena.validate() == []


def test_it_beats_and_ticks_once_a_second(arena: Arena, maintenance: Maintenance) -> None:
    assert arena.get_beat(BEAT_MAINTENANCE)[0] == 0
    maintenance.round(100.0)
    pid, first = arena.get_beat(BEAT_MAINTENANCE)
    assert pid == os.getpid()
    eventually(lambda: time.time() * 1000 > first + 2)
    maintenance.round(100.9)
    assert arena.get_beat(BEAT_MAINTENANCE) == (pid, first)
    maintenance.round(101.0)
    assert arena.get_beat(BEAT_MAINTENANCE)[1] > first


class _Recorder:
    """An arena whose jobs take as long as the test says."""

    def __init__(self, real: Arena) -> None:
        self.real = real
        self.busy = False
        self.error: Exception | None = None
        self.budgets: list[int] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def expire_cycle(self, budget_us: int) -> int:
        if self.error is not None:
            raise self.error
        self.budgets.append(budget_us)
        if self.busy:
            end = time.perf_counter() + budget_us / 1e6
            while time.perf_counter() < end:
                pass
        return 0


def test_the_pause_follows_the_work(arena: Arena) -> None:
    recorder = _Recorder(arena)
    maintenance = Maintenance(recorder, Log("/dev/null"))  # type: ignore[arg-type]
    maintenance.configure(Config())
    for _ in range(20):
        maintenance.round(time.monotonic())
    assert maintenance.pause == 0.1  # idle: ten rounds a second
    recorder.busy = True
    maintenance.round(time.monotonic())
    assert maintenance.pause == 0.005
    recorder.busy = False
    maintenance.round(time.monotonic())
    assert 0.005 < maintenance.pause < 0.1


def test_options_change_the_effort(arena: Arena) -> None:
    recorder = _Recorder(arena)
    maintenance = Maintenance(recorder, Log("/dev/null"))  # type: ignore[arg-type]
    config = Config()
    config.commit(config.check([("hz", "50"), ("active-expire-effort", "10")]))
    maintenance.configure(config)
    for _ in range(20):
        maintenance.round(time.monotonic())
    assert maintenance.pause == 0.02
    assert set(recorder.budgets) == {10_000}


def test_a_busy_arena_is_tried_again(arena: Arena, capfd: pytest.CaptureFixture[str]) -> None:
    recorder = _Recorder(arena)
    recorder.error = ArenaBusy("a stripe stays locked")
    maintenance = Maintenance(recorder, Log(level="verbose"))  # type: ignore[arg-type]
    for now in (100.0, 101.0, 111.0):
        maintenance.round(now)
    output = capfd.readouterr().out
    assert output.count("Maintenance: ArenaBusy: a stripe stays locked") == 2  # not at each round


def test_the_process_does_its_work(daemon: DaemonProcess) -> None:
    daemon.start()
    for number in range(100):
        daemon.ask("SET", f"k{number}", "v", "PX", "20")
    arena = attach_arena(daemon.name)
    eventually(lambda: arena.statistics().expired == 100)
    assert arena.statistics().keys == 0


def test_a_dead_writer_s_slot_is_recovered(daemon: DaemonProcess) -> None:
    daemon.start()
    arena = attach_arena(daemon.name)
    daemon.ask("SET", "k", "v")
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:  # a worker that writes and is killed
        try:
            writer = attach_arena(daemon.name, writable=True)
            writer.set(0, b"from the worker", b"v")
            os.write(write_end, b"x")
            signal.pause()
        finally:
            os._exit(1)
    os.close(write_end)
    try:
        assert os.read(read_end, 1) == b"x"
        assert "dead writers" not in daemon.log_text()
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    eventually(lambda: "Recovered the slots of 1 dead writers" in daemon.log_text())
    assert arena.get(0, b"from the worker") == b"v"


def test_it_costs_next_to_nothing_when_idle(daemon: DaemonProcess) -> None:
    """Counted in wake-ups, which do not depend on the machine's speed."""
    daemon.start()
    process = daemon.maintenance()
    eventually(lambda: attach_arena(daemon.name).get_beat(BEAT_MAINTENANCE)[0] == process.pid)

    first, started = wakeups(process), time.monotonic()
    eventually(lambda: time.monotonic() > started + 2)
    elapsed = time.monotonic() - started
    assert wakeups(process) - first < 30 * elapsed


def wakeups(process: psutil.Process) -> int:
    return int(process.num_ctx_switches().voluntary)


def test_config_set_reaches_it(daemon: DaemonProcess) -> None:
    """At the hundred rounds a second that were asked for it wakes up more often than at ten."""
    daemon.start()
    process = daemon.maintenance()
    assert daemon.ask("CONFIG", "SET", "hz", "100") == b"+OK\r\n"
    first = wakeups(process)
    eventually(lambda: wakeups(process) - first > 60, seconds=5)


def test_slow_jobs_are_told(arena: Arena, maintenance: Maintenance) -> None:
    told: list[tuple[str, int]] = []
    maintenance.on_slow = lambda event, milliseconds: told.append((event, milliseconds))
    real = arena.expire_cycle

    class Slow:
        """An arena whose keys take long to expire."""

        def __getattr__(self, name: str) -> Any:
            return getattr(arena, name)

        def expire_cycle(self, budget_us: int) -> int:
            time.sleep(0.003)
            return real(budget_us)

    maintenance._arena = Slow()  # type: ignore[assignment]
    maintenance.round(time.monotonic())
    assert told == []
    config = Config()
    config.commit(config.parse({"latency-monitor-threshold": "2"}))
    maintenance.configure(config)
    maintenance.round(time.monotonic())
    assert told[0][0] == "expire-cycle"
    assert 3 <= told[0][1] < 10_000


def test_slow_jobs_reach_the_front_end(daemon: DaemonProcess) -> None:
    daemon.start("--latency-monitor-threshold", "1", "--active-expire-effort", "10")
    with contextlib.closing(attach_arena(daemon.name, writable=True)) as arena:

        def expire_many() -> bool:
            soon_ms = int(time.time() * 1000) + 30
            for number in range(20_000):
                arena.set(0, b"%d" % number, b"v", expire_ms=soon_ms)
            eventually(lambda: arena.statistics().keys == 0)
            return b"expire-cycle\r\n" in daemon.ask("LATENCY", "LATEST")

        eventually(expire_many)
    assert b"spread their times to live" in daemon.ask("LATENCY", "DOCTOR")
