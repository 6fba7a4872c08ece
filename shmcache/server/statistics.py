"""What the front-end counts, for INFO."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple

from shmcache.commands.table import COMMANDS
from shmcache.server._frontend import CommandStats

if TYPE_CHECKING:
    from shmcache.commands.spec import Command
    from shmcache.server._frontend import Frontend

__all__ = ["Peaks", "Statistics"]

_SAMPLES: Final = 16
_PEAK_SAMPLES: Final = 40
"""Peaks are forgotten after 4 to 8 seconds."""
_MOST_ERROR_CODES: Final = 128
"""Error codes come from fixed texts; the bound guards against a mistake there."""


class _Rate:
    """Something per second, over the last samples."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, int]] = deque(maxlen=_SAMPLES)

    def sample(self, now: float, total: int) -> None:
        self._samples.append((now, total))

    def per_second(self) -> float:
        if len(self._samples) < 2:
            return 0.0
        (first_time, first), (last_time, last) = self._samples[0], self._samples[-1]
        elapsed = last_time - first_time
        return max(last - first, 0) / elapsed if elapsed > 0 else 0.0


class Peaks(NamedTuple):
    """The largest buffers of any client."""

    query_bytes: int
    output_bytes: int


class Statistics:
    """Counters of one front-end; those of the inner loop stay in its Frontend."""

    def __init__(self) -> None:
        self.started_at = time.time()
        self.commands: dict[str, CommandStats] = {}
        for command in COMMANDS.values():
            self.add_command(command)
        self.reset()

    def add_command(self, command: Command) -> None:
        """Count one more command from now on; one that was counted before goes on."""
        for leaf in command.subcommands.values() or (command,):
            self.commands.setdefault(leaf.name, CommandStats(leaf.name))
        self.commands.setdefault(command.name, CommandStats(command.name))

    def reset(self) -> None:
        """Start counting anew (CONFIG RESETSTAT)."""
        self.connections = 0
        self.rejected_connections = 0
        self.evicted_clients = 0
        self.dropped_for_output = 0
        self.dropped_for_query = 0
        self.errors: dict[str, int] = {}
        self.error_replies = 0
        self.unexpected_errors = 0
        self._samples = 0
        self._peaks = Peaks(0, 0)
        self.operations = _Rate()
        self.input = _Rate()
        self.output = _Rate()
        for stats in self.commands.values():
            stats.reset()

    def count_error(self, line: str) -> None:
        """Count an error reply under its code, the first word."""
        self.error_replies += 1
        code = line.split(" ", 1)[0]
        if code in self.errors or len(self.errors) < _MOST_ERROR_CODES:
            self.errors[code] = self.errors.get(code, 0) + 1

    def sample(self, frontend: Frontend) -> None:
        """Note the totals, for the rates; called ten times a second."""
        now = time.monotonic()
        self.operations.sample(now, frontend.commands)
        self.input.sample(now, frontend.received_bytes)
        self.output.sample(now, frontend.sent_bytes)
        self._samples += 1
        if self._samples % _PEAK_SAMPLES == 0:
            self._peaks = Peaks(frontend.largest_query, frontend.largest_output)
            frontend.largest_query = frontend.largest_output = 0

    def recent_peaks(self, frontend: Frontend) -> Peaks:
        """The largest buffers of the last seconds."""
        return Peaks(
            max(self._peaks.query_bytes, frontend.largest_query),
            max(self._peaks.output_bytes, frontend.largest_output),
        )
