"""Commands line by line: what a line means, whoever reads it."""

from __future__ import annotations

import contextlib
import sys
import time
from typing import TYPE_CHECKING, Final

from shmcache.cli.errors import CliError, CommandFailed
from shmcache.cli.helping import help_text
from shmcache.cli.quoting import QuotingError, split_line
from shmcache.cli.target import Target

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shmcache.cli.session import Session

__all__ = ["Lines"]

_CLEAR_SCREEN: Final = b"\x1b[H\x1b[2J"
_TELL_AFTER_SECONDS: Final = 0.5


class Lines:
    """Carries out lines.

    :ivar hints: whether to show what arguments a command has
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self.hints = True

    def run_all(self, lines: Iterable[bytes]) -> None:
        """Carry out lines until one says to stop."""
        connection = self._session.connection
        if not connection.is_open:
            self._reconnect()
        for line in lines:
            if not self.run(line.rstrip(b"\r\n")):
                break

    def run(self, line: bytes) -> bool:
        """Carry out one line; False when it says to stop."""
        try:
            words = split_line(line)
        except QuotingError:
            self._say(b"Invalid argument(s)\n")
            return True
        if not words:
            return True
        repeat = 1
        if len(words) > 1 and words[0].isdigit():
            repeat = int(words.pop(0))
            if not 0 < repeat < 2**63:
                self._say(b"Invalid redis-cli repeat command option value.\n")
                return True
        name = words[0].lower()
        if name in {b"quit", b"exit"}:
            return False
        if not self._is_local(name, words):
            self._run_command(words, repeat)
        return True

    def _is_local(self, name: bytes, words: list[bytes]) -> bool:
        """Whether the line is for this program, and then done."""
        if name.startswith(b":"):
            if words[0] == b":set" and words[1:] in ([b"hints"], [b"nohints"]):
                self.hints = words[1] == b"hints"
            else:
                self._say(b"unknown preference: use :set hints or :set nohints\n")
        elif name in {b"help", b"?"}:
            self._say(help_text(words[1:]))
        elif name == b"clear" and len(words) == 1:
            self._say(_CLEAR_SCREEN)
        elif name == b"connect" and len(words) == 3 and words[2].isdigit():
            host = words[1].decode(errors="replace")
            self._session.connection.target = Target("", host, int(words[2]))
            self._reconnect()
        else:
            return False
        return True

    def _run_command(self, words: list[bytes], repeat: int) -> None:
        start = time.monotonic()
        if not self._session.connection.is_open and not self._reconnect():
            return
        try:
            self._session.run(words, repeat=repeat)
        except CommandFailed:
            raise
        except CliError as error:
            self._session.connection.close()
            self._complain(f"{error.line}\n")
        elapsed = time.monotonic() - start
        if elapsed >= _TELL_AFTER_SECONDS and self._session.style.output == "standard":
            self._say(b"(%.2fs)\n" % elapsed)

    def _reconnect(self) -> bool:
        try:
            self._session.connection.open()
        except CliError as error:
            self._session.connection.close()
            self._complain(f"{error.line}\n")
            return False
        return True

    @staticmethod
    def _say(text: bytes) -> None:
        sys.stdout.buffer.write(text)
        sys.stdout.buffer.flush()

    @staticmethod
    def _complain(text: str) -> None:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
        sys.stderr.write(text)
        sys.stderr.flush()
