"""What the scripts print while they work: a progress bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import shutil
import sys
import time
from typing import TYPE_CHECKING, Self, TextIO

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["Progress", "say"]

_REDRAW_SECONDS = 0.1
_BAR_CHARACTERS = 28


def say(message: str) -> None:
    """Print a step on stderr."""
    print(f"==> {message}", file=sys.stderr, flush=True)


class Progress:
    """A bar on one line of a terminal; off a terminal it prints nothing.

    :param label: what is being done
    :param total: how many steps there are
    """

    def __init__(self, label: str, total: int, stream: TextIO = sys.stderr) -> None:
        self._label = label
        self._total = max(total, 1)
        self._done = 0
        self._stream = stream
        self._visible = stream.isatty()
        self._drawn_at = 0.0

    def __enter__(self) -> Self:
        self._draw("")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._visible:
            self._stream.write("\r\x1b[K")
            self._stream.flush()

    def step(self, note: str = "", steps: int = 1) -> None:
        """Count `steps` as done and show `note` behind the bar."""
        self._done = min(self._done + steps, self._total)
        now = time.monotonic()
        if now - self._drawn_at >= _REDRAW_SECONDS or self._done == self._total:
            self._drawn_at = now
            self._draw(note)

    def _draw(self, note: str) -> None:
        if not self._visible:
            return
        filled = _BAR_CHARACTERS * self._done // self._total
        bar = "█" * filled + "·" * (_BAR_CHARACTERS - filled)
        line = f"{self._label:<12} {bar} {self._done / self._total:4.0%}  {note}"
        width = shutil.get_terminal_size().columns - 1
        self._stream.write(f"\r\x1b[K{line[:width]}")
        self._stream.flush()
