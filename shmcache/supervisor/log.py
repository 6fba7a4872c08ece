"""Log lines as Redis writes them: ``PID:ROLE DD Mon YYYY HH:MM:SS.mmm MARK text``."""

from __future__ import annotations

import os
import sys
import time
from typing import Final

__all__ = ["Log"]

_LEVELS: Final = {"debug": 0, "verbose": 1, "notice": 2, "warning": 3}
_MARKS: Final = ".-*#"
_MONTHS: Final = "JanFebMarAprMayJunJulAugSepOctNovDec"


class Log:
    """Writes to a file, which is opened anew for each line so that it may be rotated, or to stdout.

    :ivar level: lines below it are dropped; a name of the ``loglevel`` option
    """

    def __init__(self, path: str = "", level: str = "notice", role: str = "M") -> None:
        self.path = path
        self.level = level
        self.role = role
        self._failed = False

    def check(self) -> None:
        """Open the file once.

        :raises OSError: it cannot be written
        """
        if self.path:
            os.close(self._open())

    def debug(self, text: str) -> None:
        """Write a line that helps developers."""
        self._write("debug", text)

    def verbose(self, text: str) -> None:
        """Write a line that is rarely needed."""
        self._write("verbose", text)

    def notice(self, text: str) -> None:
        """Write a line of the usual course of things."""
        self._write("notice", text)

    def warning(self, text: str) -> None:
        """Write a line that asks for attention."""
        self._write("warning", text)

    def redirect_output(self) -> None:
        """Make the file this process's standard output and error."""
        if self.path:
            fd = self._open()
            os.dup2(fd, 1)
            os.dup2(fd, 2)
            os.close(fd)

    def _open(self) -> int:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        return os.open(self.path, flags, 0o644)

    def _write(self, level: str, text: str) -> None:
        number = _LEVELS[level]
        if number < _LEVELS[self.level]:
            return
        now = time.time()
        at = time.localtime(now)
        stamp = (
            f"{at.tm_mday:02d} {_MONTHS[3 * at.tm_mon - 3 : 3 * at.tm_mon]} {at.tm_year} "
            f"{at.tm_hour:02d}:{at.tm_min:02d}:{at.tm_sec:02d}.{int(now * 1000) % 1000:03d}"
        )
        line = f"{os.getpid()}:{self.role} {stamp} {_MARKS[number]} {text}\n"
        self._emit(line.encode("utf-8", "replace"))

    def _emit(self, line: bytes) -> None:
        """Write a line; a full disk or a vanished directory must not stop the daemon."""
        try:
            fd = self._open() if self.path else 1
            try:
                os.write(fd, line)
            finally:
                if self.path:
                    os.close(fd)
            self._failed = False
        except OSError as error:
            if not self._failed:
                self._failed = True
                where = self.path or "standard output"
                _complain(f"shmcached: cannot write to {where}: {error.strerror}; going on\n")


def _complain(text: str) -> None:
    try:
        sys.__stderr__.write(text)  # type: ignore[union-attr]
        sys.__stderr__.flush()  # type: ignore[union-attr]
    except (OSError, AttributeError, ValueError):
        return  # nowhere left to say it
