"""Listening sockets: who is let in."""

from __future__ import annotations

import errno
import logging
import socket
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    import asyncio

    from shmcache.server.client import Client
    from shmcache.server.server import Server

__all__ = ["Arrival", "Listener"]

_log = logging.getLogger("shmcache.server")

_ACCEPTS_A_TURN: Final = 1000
"""Then the clients who are in get their turn: Redis's number."""
_PAUSE_S: Final = 0.1
"""No accepting for so long when descriptors or memory have run out."""
_OUT_OF_RESOURCES: Final = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM))
_TOO_MANY: Final = b"-ERR max number of clients reached\r\n"
_DENIED: Final = (
    b"-DENIED protected mode is on and there is no password: only clients on the server's own host "
    b"are let in. Set requirepass, or protected-mode no if the network is trusted.\r\n"
)


class Arrival(NamedTuple):
    """Somebody who was accepted."""

    accepted: socket.socket
    address: str
    """As CLIENT LIST shows it."""
    local_address: str
    loopback: bool
    """On this host."""


class Listener:
    """Accepts on one socket and hands what it accepts to the server.

    :param listening: bound and listening, Unix or TCP
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, server: Server, listening: socket.socket
    ) -> None:
        self._loop = loop
        self._server = server
        self._socket = listening
        self._unix = listening.family == socket.AF_UNIX
        self._resuming: asyncio.TimerHandle | None = None
        listening.setblocking(False)
        if not self._unix:
            server.tcp_port = listening.getsockname()[1]
        loop.add_reader(listening.fileno(), self._accept)
        server.scripts.acceptors.append(self._accept)

    def close(self) -> None:
        """Accept no more."""
        self._server.scripts.acceptors.remove(self._accept)
        if self._resuming is not None:
            self._resuming.cancel()
        self._loop.remove_reader(self._socket.fileno())
        self._socket.close()

    def _accept(self) -> None:
        for _ in range(_ACCEPTS_A_TURN):
            try:
                accepted, _address = self._socket.accept()
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                if error.errno in _OUT_OF_RESOURCES:
                    self._pause(error)
                    return
                continue  # the peer has gone again
            self._admit(accepted)

    def _pause(self, error: OSError) -> None:
        """The socket stays readable, so that trying on would keep the processor busy."""
        _log.warning("accepting client connections: %s", error.strerror)
        self._loop.remove_reader(self._socket.fileno())
        self._resuming = self._loop.call_later(_PAUSE_S, self._resume)

    def _resume(self) -> None:
        self._resuming = None
        self._loop.add_reader(self._socket.fileno(), self._accept)

    def _admit(self, accepted: socket.socket) -> None:
        try:
            accepted.setblocking(False)
            self.take(self._arrival(accepted))
        except OSError as error:
            _log.info("connection lost while accepting: %s", error)
        finally:
            accepted.close()  # nothing to close once it is the server's

    def end(self) -> None:
        """Let go of what is left once the server has closed its clients."""

    def take(self, arrival: Arrival) -> None:
        """Hand an accepted socket to the server, or tell it why not.

        :raises OSError: it is gone
        """
        refusal = self.refusal(arrival)
        if refusal is not None:
            _refuse(arrival.accepted, refusal)
            return
        self.connect(arrival.accepted.fileno(), arrival)
        arrival.accepted.detach()

    def refusal(self, arrival: Arrival) -> bytes | None:
        """Why somebody is not let in, counted; None: he is."""
        server = self._server
        if len(server.clients) >= server.settings.max_clients:
            line = _TOO_MANY
        elif not arrival.loopback and self._is_protected():
            line = _DENIED
        else:
            return None
        server.statistics.rejected_connections += 1
        return line

    def _is_protected(self) -> bool:
        """Whether strangers are kept out, because there is no password that would."""
        return self._server.settings.protected_mode and self._server.access.default.no_password

    def connect(self, descriptor: int, arrival: Arrival) -> Client:
        """Let the server serve a descriptor as somebody's connection.

        :raises OSError: it cannot be watched
        """
        return self._server.connect(
            descriptor,
            arrival.address,
            arrival.local_address,
            unix=self._unix,
            loopback=arrival.loopback,
        )

    def _arrival(self, accepted: socket.socket) -> Arrival:
        address, local_address = self._addresses(accepted)
        loopback = self._unix or _is_loopback(accepted)
        if not self._unix:
            _tune(accepted, self._server.settings.keepalive_s)
        return Arrival(accepted, address, local_address, loopback)

    def _addresses(self, accepted: socket.socket) -> tuple[str, str]:
        if self._unix:
            path = self._socket.getsockname()
            if isinstance(path, bytes):
                path = path.decode("utf-8", "surrogateescape")
            return f"{path}:0", f"{path}:0"
        return _shown(accepted.getpeername()), _shown(accepted.getsockname())


def _shown(address: tuple[str, int]) -> str:
    host, port = address[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _is_loopback(accepted: socket.socket) -> bool:
    host: str = accepted.getpeername()[0].removeprefix("::ffff:")
    return host == "::1" or host.startswith("127.")


def _refuse(accepted: socket.socket, line: bytes) -> None:
    """Say why, if the socket takes it at once."""
    try:
        accepted.send(line, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
    except OSError:
        return


def _tune(accepted: socket.socket, keepalive_s: int) -> None:
    """Replies go out at once; a peer that has vanished is noticed."""
    accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if keepalive_s:
        accepted.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, keepalive_s)
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, max(keepalive_s // 3, 1))
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)
