"""A client that sees every byte."""

from __future__ import annotations

import select
import socket
from typing import TypeAlias

TIMEOUT_SECONDS = 20.0

Address: TypeAlias = str | tuple[str, int]


def request(*words: bytes | str) -> bytes:
    """A command as clients send it."""
    encoded = [word.encode() if isinstance(word, str) else word for word in words]
    return b"*%d\r\n" % len(words) + b"".join(
        b"$%d\r\n%b\r\n" % (len(word), word) for word in encoded
    )


class Wire:
    """A connection whose replies are the bytes that came, one whole reply at a time."""

    def __init__(self, address: Address, *, receive_buffer: int = 0) -> None:
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        self.socket = socket.socket(family)
        self.socket.settimeout(TIMEOUT_SECONDS)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.connect(address)
        self._stream = self.socket.makefile("rb")

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def run(self, *words: bytes | str) -> bytes:
        """Send a command and take its reply."""
        self.send(request(*words))
        return self.reply()

    def text(self, *words: bytes | str) -> str:
        """The content of a bulk, verbatim or simple reply."""
        reply = self.run(*words)
        if reply[:1] in b"+-":
            return reply[1:-2].decode()
        body = reply.split(b"\r\n", 1)[1][:-2].decode()
        return body.removeprefix("txt:") if reply[:1] == b"=" else body

    def value(self, *words: bytes | str) -> bytes | None:
        """The content of a bulk reply; None for a null."""
        reply = self.run(*words)
        return None if reply == b"$-1\r\n" else reply.split(b"\r\n", 1)[1][:-2]

    def line(self) -> bytes:
        """The next line, without its end."""
        line = self._stream.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError(f"closed after {line!r}")
        return line[:-2]

    def reply(self) -> bytes:
        """The bytes of the next reply."""
        line = self.line() + b"\r\n"
        kind, rest = line[:1], line[1:-2]
        if kind in b"$=" and rest != b"-1":
            return line + self._stream.read(int(rest) + 2)
        if kind in b"*~>%" and rest != b"-1":
            count = int(rest) * (2 if kind == b"%" else 1)
            return line + b"".join(self.reply() for _ in range(count))
        return line

    def has_reply(self) -> bool:
        """Whether something has come, or the server has closed."""
        if select.select([self.socket], [], [], 0)[0]:
            return True
        self.socket.setblocking(False)
        try:
            return bool(self._stream.peek(1))
        finally:
            self.socket.settimeout(TIMEOUT_SECONDS)

    def is_closed(self) -> bool:
        """Whether the server closes; waits for it, and fails when more comes instead."""
        try:
            return self._stream.read(1) == b""
        except ConnectionError:
            return True

    def rest(self) -> bytes:
        """Everything until the server closes."""
        try:
            return self._stream.read()
        except ConnectionError:
            return b""

    def close(self) -> None:
        self._stream.close()
        self.socket.close()
