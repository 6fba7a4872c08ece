"""A connection that logs in, selects its database and its protocol, and can be made again."""

from __future__ import annotations

import socket
import sys
from typing import TYPE_CHECKING, Final

from shmcache.cli.errors import CliError, Disconnected
from shmcache.cli.resp import Reply, Source, encode_command

if TYPE_CHECKING:
    from collections.abc import Callable

    from shmcache.cli.target import Target

__all__ = ["Connection"]

_KEEPALIVE_SECONDS: Final = 15


class Connection:
    """What redis-cli calls the context.

    :ivar db: the database that is selected
    :ivar protocol: 2 or 3; 3 is asked for on every new connection
    :ivar is_queueing: a MULTI is open
    :ivar on_push: called with what the server sends unasked
    """

    def __init__(
        self,
        target: Target,
        *,
        db: int = 0,
        user: bytes = b"",
        password: bytes | None = None,
        protocol: int = 2,
        protocol_is_wish: bool = False,
    ) -> None:
        self.target = target
        self.db = db
        self.protocol = protocol
        self.is_queueing = False
        self.on_push: Callable[[Reply], None] | None = None
        self._user, self._password = user, password
        self._protocol_is_wish = protocol_is_wish
        self._socket: socket.socket | None = None
        self._source: Source | None = None

    @property
    def is_open(self) -> bool:
        """Whether there is a connection, as far as is known."""
        return self._socket is not None

    def open(self) -> None:
        """Connect anew, log in, and take the database and the protocol back.

        A refused login or database is told on standard error and does not end anything.

        :raises CliError: nobody is there
        """
        self.close()
        try:
            self._socket = self.target.connect()
        except OSError as error:
            raise CliError(
                f"Could not connect to shmcache at {self.target}: {_why(error)}"
            ) from None
        if self._socket.family != socket.AF_UNIX:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, _KEEPALIVE_SECONDS)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._source = Source(self._socket)
        self.is_queueing = False
        self._log_in()
        self._select()
        if self.protocol == 3:
            self._greet()

    def close(self) -> None:
        """Drop the connection, if there is one."""
        if self._socket is not None:
            self._socket.close()
        self._socket = self._source = None

    def send(self, *words: bytes) -> None:
        """Send a command.

        :raises Disconnected: there is no connection (any more)
        """
        self.write(encode_command(list(words)))

    def write(self, data: bytes) -> None:
        """Send bytes that are RESP already."""
        if self._socket is None:
            raise Disconnected("Server closed the connection")
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise Disconnected(_why(error)) from error

    def read(self, *, pushes: bool = False) -> Reply:
        """Return the next reply.

        :param pushes: take a push for a reply, as in a subscription
        :raises Disconnected: the connection ended
        :raises TimeoutError: see :meth:`wait_at_most`
        """
        if self._source is None:
            raise Disconnected("Server closed the connection")
        while (reply := self._source.read()).kind == "push" and not pushes:
            if self.on_push is not None:
                self.on_push(reply)
        return reply

    def wait_at_most(self, seconds: int | None) -> None:
        """Let :meth:`read` raise TimeoutError after so long without a byte; None: never."""
        if self._source is not None:
            self._source.patience_seconds = seconds

    def ask(self, *words: bytes) -> Reply:
        """Send a command and return its reply."""
        self.send(*words)
        return self.read()

    def note(self, words: list[bytes], reply: Reply) -> None:
        """Follow what a command that the user gave has changed of this connection."""
        name = words[0].lower()
        if reply.kind == "error":
            if name in {b"exec", b"discard"}:
                self.is_queueing = False
            return
        if name == b"select" and len(words) == 2 and not self.is_queueing:
            self.db = int(words[1])
        elif name == b"auth" and len(words) in {2, 3}:
            self._user, self._password = (words[1] if len(words) == 3 else b""), words[-1]
        elif name == b"hello" and len(words) > 1 and not self.is_queueing:
            self.protocol, self._protocol_is_wish = int(words[1]), False
        elif name == b"multi":
            self.is_queueing = True
        elif name in {b"exec", b"discard"}:
            self.is_queueing = False
        elif name == b"reset":
            self.is_queueing, self.db, self.protocol = False, 0, 2

    def _log_in(self) -> None:
        if self._password is None:
            return
        words = [self._user, self._password] if self._user else [self._password]
        reply = self.ask(b"AUTH", *words)
        if reply.kind == "error":
            _complain(b"AUTH failed: ", reply)

    def _select(self) -> None:
        if self.db:
            reply = self.ask(b"SELECT", b"%d" % self.db)
            if reply.kind == "error":
                _complain(b"SELECT %d failed: " % self.db, reply)
                self.db = 0

    def _greet(self) -> None:
        """RESP3; where only the output format wishes for it, a server without it will do."""
        reply = self.ask(b"HELLO", b"3")
        if reply.kind == "error":
            self.protocol = 2
            if not self._protocol_is_wish:
                _complain(b"HELLO 3 failed: ", reply)


def _complain(what: bytes, reply: Reply) -> None:
    sys.stderr.buffer.write(what + reply.text + b"\n")
    sys.stderr.buffer.flush()


def _why(error: OSError) -> str:
    return error.strerror or str(error)
