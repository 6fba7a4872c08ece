"""The housekeeping process: reclaims expired keys, keeps memory in reserve, recovers dead writers.

It wakes a few dozen times a second and does next to nothing when there is nothing to do. Each job
has a budget in microseconds; one that uses it up is run again soon, so that the share of a
processor that goes into housekeeping follows the need, up to a limit.
"""

from __future__ import annotations

import contextlib
import json
import select
import signal
import time
from typing import TYPE_CHECKING, Any, Final

from shmcache.arena import BEAT_MAINTENANCE
from shmcache.errors import ArenaBusy, ShmcacheError

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from types import FrameType

    from shmcache.arena import Arena
    from shmcache.config import Config
    from shmcache.supervisor.log import Log

__all__ = ["Maintenance", "run_maintenance"]

_SHORTEST_PAUSE: Final = 0.005
_LONGEST_PAUSE: Final = 0.1
_TICK_SECONDS: Final = 1.0
_EFFORT_US: Final = 1000
"""Budget of a cycle for each point of ``active-expire-effort``."""
_RESERVE_BUDGET_US: Final = 5000
_BUSY_SHARE: Final = 0.5
"""A job that uses more of its budget than this has more to do."""
_COMPLAINT_SECONDS: Final = 10.0


class Maintenance:
    """The jobs, and how long to pause between their rounds.

    :ivar pause: seconds until the next round
    :ivar on_slow: called with a job's event and milliseconds when it took as long as
        ``latency-monitor-threshold``
    """

    def __init__(self, arena: Arena, log: Log) -> None:
        self._arena = arena
        self._log = log
        self._expire_budget_us = _EFFORT_US
        self._expires = True
        self._longest = _LONGEST_PAUSE
        self._next_tick = 0.0
        self._next_complaint = 0.0
        self._threshold_ms = 0
        self.on_slow: Callable[[str, int], object] = lambda _event, _milliseconds: None
        self.pause = _SHORTEST_PAUSE

    def configure(self, config: Config) -> None:
        """Take ``hz`` (rounds a second when idle, within limits) and ``active-expire-effort``."""
        hz = max(config.integer("hz"), 1)
        self._longest = min(max(1.0 / hz, _SHORTEST_PAUSE), _LONGEST_PAUSE)
        self._expire_budget_us = _EFFORT_US * config.integer("active-expire-effort")
        self._expires = config.boolean("debug-active-expire")
        self._threshold_ms = config.integer("latency-monitor-threshold")

    def round(self, now: float) -> None:
        """Do every job once.

        :param now: monotonic seconds
        """
        try:
            busy = self._jobs(now)
        except ShmcacheError as error:
            # A stripe or the heap is held by somebody who is stopped; the next round tries again.
            busy = False
            self._complain(error, now)
        if busy:
            self.pause = _SHORTEST_PAUSE
        else:
            self.pause = min(self.pause * 2, self._longest)

    def _jobs(self, now: float) -> bool:
        arena = self._arena
        recovered = arena.sweep_slots()
        if recovered:
            self._log.notice(f"Recovered the slots of {recovered} dead writers")
        if now >= self._next_tick:
            self._next_tick = now + _TICK_SECONDS
            arena.tick()
            arena.beat(BEAT_MAINTENANCE)
        started = time.perf_counter()
        if self._expires:
            arena.expire_cycle(self._expire_budget_us)
        between = time.perf_counter()
        arena.reserve_cycle(_RESERVE_BUDGET_US)
        ended = time.perf_counter()
        self._note("expire-cycle", between - started)
        self._note("eviction-cycle", ended - between)
        return (
            between - started > _BUSY_SHARE * self._expire_budget_us / 1e6
            or ended - between > _BUSY_SHARE * _RESERVE_BUDGET_US / 1e6
        )

    def _note(self, event: str, seconds: float) -> None:
        milliseconds = int(seconds * 1000)
        if 0 < self._threshold_ms <= milliseconds:
            self.on_slow(event, milliseconds)

    def _complain(self, error: ShmcacheError, now: float) -> None:
        if now >= self._next_complaint:
            self._next_complaint = now + _COMPLAINT_SECONDS
            level = self._log.verbose if isinstance(error, ArenaBusy) else self._log.warning
            level(f"Maintenance: {type(error).__name__}: {error}")


def run_maintenance(arena: Arena, config: Config, log: Log, control: socket.socket) -> int:
    """Be the maintenance process until SIGTERM, or until the supervisor is gone.

    :param arena: a writable attachment
    :param control: the supervisor's messages: ``{"command": "reload", "options": {...}}``
    :return: the exit status
    """
    signal.signal(signal.SIGTERM, _end)
    log.role = "H"
    maintenance = Maintenance(arena, log)
    maintenance.configure(config)
    control.setblocking(False)
    maintenance.on_slow = lambda event, milliseconds: _tell_slow(control, event, milliseconds)
    control.send(b'{"event": "ready"}\n')
    poller = select.poll()
    poller.register(control, select.POLLIN)
    received = b""
    while True:
        maintenance.round(time.monotonic())
        if not poller.poll(maintenance.pause * 1000):
            continue
        data = control.recv(1 << 16)
        if not data:
            return 0
        *lines, received = (received + data).split(b"\n")
        for line in lines:
            _obey(json.loads(line), config, log)
            maintenance.configure(config)


def _tell_slow(control: socket.socket, event: str, milliseconds: int) -> None:
    """For LATENCY; a supervisor that does not read loses it."""
    message = {"event": "latency", "name": event, "milliseconds": milliseconds}
    with contextlib.suppress(OSError):
        control.send(json.dumps(message).encode() + b"\n")


def _end(_number: int, _frame: FrameType | None) -> None:
    """End between two calls into the arena, never in the middle of one."""
    raise SystemExit(0)


def _obey(message: dict[str, Any], config: Config, log: Log) -> None:
    if message.get("command") == "reload":
        config.commit(config.parse(message["options"]))
        log.level = config.text("loglevel")
