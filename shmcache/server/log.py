"""The front-end's log: lines to standard error, which the supervisor made the log."""

from __future__ import annotations

import logging
import os
import time
from typing import Final

__all__ = ["configure_logging", "reopen_log"]

_MARKS: Final = {
    logging.DEBUG: ".",
    logging.INFO: "*",
    logging.WARNING: "#",
    logging.ERROR: "#",
    logging.CRITICAL: "#",
}


class _Handler(logging.Handler):
    """Writes a record with one system call; a full disk loses it and harms nothing."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record."""
        try:
            text = self.format(record).encode("utf-8", "backslashreplace")
            os.write(2, text + b"\n")
        except OSError:
            return


class _Formatter(logging.Formatter):
    """Redis's form: ``PID:ROLE DD Mon YYYY HH:MM:SS.mmm MARK text``."""

    def format(self, record: logging.LogRecord) -> str:
        """Make a line, or more with a traceback."""
        when = time.strftime("%d %b %Y %H:%M:%S", time.localtime(record.created))
        mark = _MARKS.get(record.levelno, "*")
        text = super().format(record)
        return f"{os.getpid()}:F {when}.{record.msecs:03.0f} {mark} {text}"


def configure_logging() -> None:
    """Make the package's log go to standard error."""
    logger = logging.getLogger("shmcache")
    handler = _Handler()
    handler.setFormatter(_Formatter("%(message)s"))
    logger.handlers[:] = [handler]
    logger.propagate = False
    logger.setLevel(logging.INFO)


def reopen_log(path: str) -> None:
    """Go on in a new file of that name: the old one was rotated away.

    :param path: as the option ``logfile`` gives it; only an absolute one names the same file
        here as it did where the supervisor was started, so nothing happens to others
    """
    if not path.startswith("/"):
        return
    try:
        fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        logging.getLogger("shmcache").warning("can't reopen the log file: %s", error)
        return
    os.dup2(fd, 1)
    os.dup2(fd, 2)
    os.close(fd)
