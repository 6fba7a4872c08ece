"""One command, as often as it is wanted, and its replies on standard output."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Final

from shmcache.cli.errors import CommandFailed, Disconnected
from shmcache.cli.formats import Style, format_push, format_reply

if TYPE_CHECKING:
    from shmcache.cli.connection import Connection
    from shmcache.cli.resp import Reply

__all__ = ["Session"]

_PLAIN: Final = frozenset(
    {
        (b"info",),
        (b"lolwut",),
        (b"debug", b"htstats"),
        (b"debug", b"htstats-key"),
        (b"debug", b"client-eviction"),
        (b"memory", b"malloc-stats"),
        (b"memory", b"doctor"),
        (b"cluster", b"nodes"),
        (b"cluster", b"info"),
        (b"client", b"list"),
        (b"client", b"info"),
        (b"latency", b"graph"),
        (b"latency", b"doctor"),
    }
)
"""Commands whose reply is a text, shown as it is."""
_SUBSCRIBING: Final = frozenset({b"subscribe", b"psubscribe", b"ssubscribe"})


class Session:
    """Runs commands over a connection.

    :param fail_status: raise when a command is refused
    :param show_pushes: show what the server says unasked
    :param may_reconnect: try a broken connection once more instead of giving up
    """

    def __init__(
        self,
        connection: Connection,
        style: Style,
        *,
        fail_status: bool = False,
        show_pushes: bool = False,
        may_reconnect: bool = False,
    ) -> None:
        self.connection = connection
        self.style = style
        self._fail_status = fail_status
        self._may_reconnect = may_reconnect
        if show_pushes:
            connection.on_push = self._show_push

    def run(self, words: list[bytes], *, repeat: int = 1, interval: float = 0.0) -> None:
        """Run a command ``repeat`` times (-1: for ever) and show the replies.

        :raises CommandFailed: it was refused, and that is to be the program's status
        :raises CliError: the connection broke, and was not to be had again
        """
        while repeat:
            repeat -= repeat > 0
            self._run_once(words)
            if interval:
                time.sleep(interval)
            sys.stdout.buffer.flush()

    def _run_once(self, words: list[bytes]) -> None:
        if not self._may_reconnect:
            self._exchange(words)
            return
        try:
            self._exchange(words)
        except Disconnected:
            self.connection.open()
            self._exchange(words)

    def _exchange(self, words: list[bytes]) -> None:
        name = words[0].lower()
        plain = (name,) in _PLAIN or tuple(word.lower() for word in words[:2]) in _PLAIN
        self.connection.send(*words)
        if name in _SUBSCRIBING and len(words) > 1 and not self.connection.is_queueing:
            self._listen()
        try:
            reply = self.connection.read()
        except Disconnected:
            if name == b"shutdown":
                self.connection.close()
                return
            raise
        self._show(reply, plain=plain)
        self.connection.note(words, reply)
        if name == b"monitor" and reply.kind == "status":
            self._follow()

    def _show(self, reply: Reply, *, plain: bool = False) -> None:
        if self._fail_status and reply.kind == "error":
            raise CommandFailed(reply.text.decode(errors="surrogateescape"))
        sys.stdout.buffer.write(format_reply(reply, self.style, plain=plain))

    def _show_push(self, reply: Reply) -> None:
        sys.stdout.buffer.write(format_push(reply, self.style))

    def _listen(self) -> None:
        """Show what is published until the connection ends."""
        if self.style.output != "raw":
            sys.stdout.buffer.write(b"Reading messages... (press Ctrl-C to quit)\n")
        while True:
            sys.stdout.buffer.flush()
            self._show(self.connection.read(pushes=True))

    def _follow(self) -> None:
        """Show what MONITOR tells until the connection ends."""
        while True:
            sys.stdout.buffer.flush()
            self._show(self.connection.read())
