"""The control socket: JSON objects, one a line, from and to the supervisor."""

from __future__ import annotations

import json
import logging
import select
import socket
import time
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

__all__ = ["Control"]

_log = logging.getLogger("shmcache.server")

_READ_BYTES: Final = 65536
_LINE_BYTES: Final = 128 << 20
"""An ACL file with all its users fits."""
_START_TIMEOUT_S: Final = 10.0
_PATIENCE_S: Final = 1.0


class Control:
    """The front-end's end of the control socket.

    :param connected: a stream socket
    """

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._received = b""
        self._unsent = b""
        self._loop: asyncio.AbstractEventLoop | None = None

    def read_first(self) -> dict[str, Any]:
        """Wait for the first message.

        :raises ValueError: it does not come, or it is no message
        """
        self._socket.settimeout(_START_TIMEOUT_S)
        try:
            while True:
                messages = self._messages()
                if messages:
                    return messages[0]
                if not self._receive():
                    raise ValueError("the control socket was closed")
        except TimeoutError as error:
            raise ValueError("nothing came over the control socket") from error

    def watch(
        self,
        loop: asyncio.AbstractEventLoop,
        on_message: Callable[[dict[str, Any]], None],
        on_end: Callable[[], None],
    ) -> None:
        """Have functions called for what comes from now on, and when the supervisor is gone."""
        self._loop = loop
        self._socket.setblocking(False)

        def ready() -> None:
            try:
                alive = self._receive()
                for message in self._messages():
                    on_message(message)
            except BlockingIOError:
                return
            except (OSError, ValueError) as error:
                _log.warning("control socket: %s", error)
                alive = False
            if not alive:
                self.close()
                on_end()

        loop.add_reader(self._socket.fileno(), ready)

    def send(self, message: dict[str, Any]) -> None:
        """Send a message, as soon as the supervisor takes it; if it never does, we are not held up.

        When too much waits already, the message is lost.
        """
        if len(self._unsent) > _LINE_BYTES:
            _log.warning("control socket: the supervisor does not read")
            return
        self._unsent += json.dumps(message).encode() + b"\n"
        self._send_waiting()
        if self._unsent:
            self._wait_a_little()

    def _wait_a_little(self) -> None:
        """Give a supervisor that reads the time for it: what it has outlives us."""
        writable = select.poll()
        writable.register(self._socket, select.POLLOUT)
        deadline = time.monotonic() + _PATIENCE_S
        while self._unsent and (left_s := deadline - time.monotonic()) > 0:
            if writable.poll(left_s * 1000):
                self._send_waiting()

    def _send_waiting(self) -> None:
        try:
            sent = self._socket.send(self._unsent, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            _log.warning("control socket: %s", error)
            sent = len(self._unsent)
        self._unsent = self._unsent[sent:]
        if self._loop is None:
            return
        if self._unsent:
            self._loop.add_writer(self._socket.fileno(), self._send_waiting)
        else:
            self._loop.remove_writer(self._socket.fileno())

    def close(self) -> None:
        """Close it."""
        if self._loop is not None:
            self._loop.remove_reader(self._socket.fileno())
            self._loop.remove_writer(self._socket.fileno())
            self._loop = None
        self._socket.close()

    def _receive(self) -> bool:
        received = self._socket.recv(_READ_BYTES)
        self._received += received
        if len(self._received) > _LINE_BYTES:
            raise ValueError("a line without an end")
        return bool(received)

    def _messages(self) -> list[dict[str, Any]]:
        """Take what has arrived whole."""
        *lines, self._received = self._received.split(b"\n")
        messages = [json.loads(line) for line in lines]
        if not all(isinstance(message, dict) for message in messages):
            raise ValueError("a message that is no object")
        return messages
