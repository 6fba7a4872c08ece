"""Replies as the server sent them.

redis-py and hiredis make Python values of replies, in which a status and a string, a map and its
order, or 1.50 and 1.5 are the same. What is to be shown exactly as it came needs the types of the
wire, so this reads them itself. The format: https://redis.io/docs/latest/develop/reference/protocol-spec/
"""

from __future__ import annotations

import select
from typing import TYPE_CHECKING, Final, NamedTuple

from shmcache.cli.errors import Disconnected, UnreadableReply

if TYPE_CHECKING:
    import socket

__all__ = ["Reply", "Source", "encode_command"]

_RECEIVE_BYTES: Final = 1 << 18
_DEEPEST: Final = 128  # of replies inside replies; more is no server's answer
_AGGREGATES: Final = {b"*": "array", b"%": "map", b"~": "set", b">": "push"}
_LINES: Final = {b"+": "status", b"-": "error", b",": "double", b"(": "number"}
_VERBATIM_PREFIX: Final = 4  # "txt:"


class Reply(NamedTuple):
    """One reply: ``kind`` says which of the other fields counts."""

    kind: str
    """``status error string verbatim integer double number bool nil array map set push``."""
    text: bytes = b""
    """Of scalars; an integer's and a double's digits as they came; ``true`` or ``false``."""
    items: tuple[Reply, ...] = ()
    """Of aggregates; a map's keys and values in turn."""

    @property
    def is_aggregate(self) -> bool:
        """Whether it is made of other replies."""
        return self.kind in {"array", "map", "set", "push"}


def encode_command(words: list[bytes]) -> bytes:
    """Return a command as the array of strings that servers expect."""
    parts = [b"*%d\r\n" % len(words)]
    parts += [b"$%d\r\n%s\r\n" % (len(word), word) for word in words]
    return b"".join(parts)


class Source:
    """Reads replies from a blocking socket.

    :ivar patience_seconds: how long to wait for more bytes, whole seconds; None for ever
    """

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._poll = select.poll()
        self._poll.register(sock, select.POLLIN)
        self._buffer = b""
        self._at = 0
        self.patience_seconds: int | None = None

    def read(self, depth: int = 0) -> Reply:
        """Return the next reply.

        :raises Disconnected: the connection ended first
        :raises UnreadableReply: not RESP
        :raises TimeoutError: nothing came for so long
        """
        if depth > _DEEPEST:
            raise UnreadableReply("Protocol error, replies nested too deeply")
        line = self._line()
        mark, rest = line[:1], line[1:]
        if mark in _LINES:
            return Reply(_LINES[mark], rest)
        if mark == b":":
            return Reply("integer", b"%d" % _number(rest))
        if mark in (b"$", b"="):
            return self._bulk(mark, _number(rest))
        if mark == b"_":
            return Reply("nil")
        if mark == b"#" and rest in (b"t", b"f"):
            return Reply("bool", b"true" if rest == b"t" else b"false")
        if mark in _AGGREGATES:
            return self._aggregate(mark, _number(rest), depth)
        shown = mark.decode("latin-1")
        raise UnreadableReply(f'Protocol error, got "{shown}" as reply type byte')

    def _bulk(self, mark: bytes, length: int) -> Reply:
        if length < 0:
            return Reply("nil")
        text = self._exactly(length + 2)[:length]
        if mark == b"=":
            return Reply("verbatim", text[_VERBATIM_PREFIX:])
        return Reply("string", text)

    def _aggregate(self, mark: bytes, length: int, depth: int) -> Reply:
        if length < 0:
            return Reply("nil")
        count = 2 * length if mark == b"%" else length
        return Reply(_AGGREGATES[mark], b"", tuple(self.read(depth + 1) for _ in range(count)))

    def _line(self) -> bytes:
        start = self._at
        while (end := self._buffer.find(b"\r\n", start)) < 0:
            start = max(self._at, len(self._buffer) - 1)
            start -= self._receive()
        line = self._buffer[self._at : end]
        self._at = end + 2
        return line

    def _exactly(self, count: int) -> bytes:
        if len(self._buffer) - self._at >= count:
            self._at += count
            return self._buffer[self._at - count : self._at]
        parts = [self._buffer[self._at :]]
        missing = count - len(parts[0])
        self._buffer, self._at = b"", 0
        while missing > 0:
            parts.append(self._some())
            missing -= len(parts[-1])
        if missing < 0:
            self._buffer = parts[-1][missing:]
            parts[-1] = parts[-1][:missing]
        return b"".join(parts)

    def _receive(self) -> int:
        """Append what comes; by how much what was there has moved to the front."""
        moved = self._at
        self._buffer = self._buffer[self._at :] + self._some()
        self._at = 0
        return moved

    def _some(self) -> bytes:
        waited = 0
        while not self._wait():
            waited += 1
            # another thread may have set it meanwhile
            if self.patience_seconds is not None and waited >= self.patience_seconds:
                raise TimeoutError
        try:
            received = self._socket.recv(_RECEIVE_BYTES)
        except OSError as error:
            raise Disconnected(error.strerror or str(error)) from error
        if not received:
            raise Disconnected("Server closed the connection")
        return received

    def _wait(self) -> bool:
        """Whether something came within a second."""
        return bool(self._poll.poll(1000))


def _number(text: bytes) -> int:
    try:
        return int(text)
    except ValueError:
        raise UnreadableReply("Protocol error, bad number in a reply") from None
