"""The latency monitor: when which kind of work held the front-end up, and for how long."""

from __future__ import annotations

import time
from collections import deque
from typing import Final, NamedTuple

__all__ = ["LatencyEvent", "LatencyMonitor", "LatencySample", "draw_graph"]

_SAMPLES: Final = 160
"""As many as Redis keeps of an event."""
_GRAPH_COLUMNS: Final = 80
_GRAPH_ROWS: Final = 4
_FILLED: Final = "_o#"
"""A graph's character by how much of its row is filled; what is beyond the row is a bar."""
_AGES: Final = ((60, 1, "s"), (3600, 60, "m"), (86400, 3600, "h"))


class LatencySample(NamedTuple):
    """The longest that an event took in one second."""

    unix_s: int
    milliseconds: int


class LatencyEvent:
    """The samples of one event, the newest last."""

    def __init__(self) -> None:
        self.samples: deque[LatencySample] = deque(maxlen=_SAMPLES)
        self.most_ms = 0

    def add(self, unix_s: int, milliseconds: int) -> None:
        """Note that it took so long."""
        self.most_ms = max(self.most_ms, milliseconds)
        if self.samples and self.samples[-1].unix_s == unix_s:
            milliseconds = max(milliseconds, self.samples.pop().milliseconds)
        self.samples.append(LatencySample(unix_s, milliseconds))


class LatencyMonitor:
    """The events by name.

    :ivar threshold_ms: what takes less is not noted; 0: nothing is
    """

    def __init__(self) -> None:
        self.events: dict[str, LatencyEvent] = {}
        self.threshold_ms = 0

    def note(self, name: str, milliseconds: int) -> None:
        """Note an event, if it took long enough."""
        if 0 < self.threshold_ms <= milliseconds:
            self.events.setdefault(name, LatencyEvent()).add(int(time.time()), milliseconds)

    def reset(self, names: list[str]) -> int:
        """Forget events, all when none is named.

        :return: how many there were
        """
        wanted = names or list(self.events)
        return sum(self.events.pop(name, None) is not None for name in wanted)


def draw_graph(name: str, event: LatencyEvent) -> str:
    """What LATENCY GRAPH shows: the samples side by side, each with its age below it."""
    times = [sample.milliseconds for sample in event.samples]
    now = int(time.time())
    labels = [_age(now - sample.unix_s) for sample in event.samples]
    head = (
        f"{name} - high {max(times)} ms, low {min(times)} ms (all time high {event.most_ms} ms)\n"
        f"{'-' * _GRAPH_COLUMNS}\n"
    )
    blocks = [
        _block(times[start : start + _GRAPH_COLUMNS], labels[start : start + _GRAPH_COLUMNS], times)
        for start in range(0, len(times), _GRAPH_COLUMNS)
    ]
    return head + "\n".join(blocks)


def _age(seconds: int) -> str:
    for limit, unit, letter in _AGES:
        if seconds < limit:
            return f"{seconds // unit}{letter}"
    return f"{seconds // 86400}d"


def _block(times: list[int], labels: list[str], every: list[int]) -> str:
    """One row of samples, with the labels written downwards under it."""
    least, spread = min(every), max(max(every) - min(every), 1)
    levels = _GRAPH_ROWS * len(_FILLED)
    heights = [min((each - least) * levels // spread, levels - 1) for each in times]
    rows = [
        "".join(_cell(height - row * len(_FILLED)) for height in heights)
        for row in reversed(range(_GRAPH_ROWS))
    ]
    below = [
        "".join(label[line : line + 1] or " " for label in labels)
        for line in range(max(map(len, labels)))
    ]
    return "".join(f"{row}\n" for row in (*rows, " " * len(times), *below))


def _cell(level: int) -> str:
    """How a row shows a sample that fills so much of it."""
    if level < 0:
        return " "
    return _FILLED[level] if level < len(_FILLED) else "|"
