"""TLS clients: what they send and get, carried between their sockets and ordinary connections.

    peer <- TLS, TCP -> relay <- socket pair -> Connection of the inner loop

So the inner loop knows nothing of TLS, and clients without it pay nothing. A relay holds at most
one chunk in each direction and takes no more until it is rid of it: a client that does not read
makes the replies wait in its connection, where they are counted and limited as anybody's.
"""

from __future__ import annotations

import logging
import socket
import ssl
from typing import TYPE_CHECKING, Final, TypeAlias

from shmcache.server.listener import Arrival, Listener

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from shmcache.server.server import Server

__all__ = ["TlsListener"]

_Watched: TypeAlias = "dict[tuple[int, bool], Callable[[], None]]"

_log = logging.getLogger("shmcache.server")

_CHUNK_BYTES: Final = 65536
_TURNS: Final = 16
"""Chunks carried before others get their turn."""
_HANDSHAKE_S: Final = 10.0
_LINGER_S: Final = 5.0
"""How long a peer may take to read the last of what it was sent."""


class TlsListener(Listener):
    """Accepts on a TCP socket and speaks TLS with whom it accepts.

    :param context: returns what a new connection is wrapped with
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        server: Server,
        listening: socket.socket,
        context: Callable[[], ssl.SSLContext],
    ) -> None:
        super().__init__(loop, server, listening)
        self._context = context
        self._relays: set[Relay] = set()
        self._shaking = 0

    def end(self) -> None:
        """Send what the server has left to send, and close."""
        for relay in list(self._relays):
            relay.end()

    def take(self, arrival: Arrival) -> None:
        """Begin a handshake; whoever would be one too many need not begin it."""
        server = self._server
        if len(server.clients) + self._shaking >= server.settings.max_clients:
            server.statistics.rejected_connections += 1
            return
        wrapped = self._context().wrap_socket(
            arrival.accepted, server_side=True, do_handshake_on_connect=False
        )
        self._shaking += 1
        relay = Relay(self._loop, wrapped, arrival, self)
        self._relays.add(relay)
        relay.step()

    def shaken(self) -> None:
        """A handshake has ended."""
        self._shaking -= 1

    def admit(self, relay: Relay, arrival: Arrival) -> bytes | None:
        """Give a relay a connection of the server's.

        :return: what to tell the peer instead, if it is not let in
        :raises OSError: no connection can be made
        """
        refusal = self.refusal(arrival)
        if refusal is not None:
            return refusal
        ours, theirs = socket.socketpair()
        try:
            ours.setblocking(False)
            theirs.setblocking(False)
            client = self.connect(theirs.fileno(), arrival)
            theirs.detach()
        except BaseException:
            ours.close()
            theirs.close()
            raise
        client.on_closed = relay.hurry
        relay.begin(ours)
        return None

    def forget(self, relay: Relay) -> None:
        """A relay has closed."""
        self._relays.discard(relay)


class Relay:
    """One client's TLS."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        peer: ssl.SSLSocket,
        arrival: Arrival,
        listener: TlsListener,
    ) -> None:
        self._loop = loop
        self._peer = peer
        self._arrival = arrival
        self._listener = listener
        self._server_end: socket.socket | None = None
        self._to_server = self._to_peer = b""
        self._peer_ended = self._server_ended = self._told_end = False
        self._peer_wants_write = False
        self._shaking = True
        self._closed = False
        self._watched: _Watched = {}
        self._timer: asyncio.TimerHandle | None = loop.call_later(_HANDSHAKE_S, self._too_slow)
        self._again: asyncio.Handle | None = None

    def begin(self, server_end: socket.socket) -> None:
        """Carry bytes between the peer and this socket from now on."""
        self._server_end = server_end

    def hurry(self) -> None:
        """The server has closed its side: the peer has a little time to read the rest."""
        if not self._closed and self._timer is None:
            self._timer = self._loop.call_later(_LINGER_S, self.close)

    def end(self) -> None:
        """Send what can be sent at once, and close."""
        self.step()
        self.close()

    def close(self) -> None:
        """Close, with or without the peer's consent."""
        if self._closed:
            return
        self._closed = True
        if self._shaking:
            self._listener.shaken()
        for handle in (self._timer, self._again):
            if handle is not None:
                handle.cancel()
        self._watch({})
        try:
            if not self._shaking:
                self._peer.unwrap()
        except (OSError, ValueError):
            pass  # it has said all that it will say
        self._peer.close()
        if self._server_end is not None:
            self._server_end.close()
        self._listener.forget(self)

    # ---- one step after another

    def _too_slow(self) -> None:
        _log.info("TLS: no handshake within %.0f s: %s", _HANDSHAKE_S, self._arrival.address)
        self.close()

    def step(self) -> None:
        """Do what can be done now, and see to it that this is called when there is more."""
        self._again = None
        if self._closed:
            return
        try:
            if self._shaking and not self._shake():
                return
            more = self._carry()
        except (OSError, ValueError) as error:
            if self._shaking:
                _log.info("TLS: handshake with %s failed: %s", self._arrival.address, error)
            self.close()
            return
        if self._server_ended and not self._to_peer:
            self.close()
        elif more:
            self._watch({})
            self._again = self._loop.call_soon(self.step)
        else:
            self._watch(self._wanted())

    def _shake(self) -> bool:
        """Go on with the handshake; True once it is done."""
        try:
            self._peer.do_handshake()
        except ssl.SSLWantReadError:
            self._watch({(self._peer.fileno(), False): self.step})
            return False
        except ssl.SSLWantWriteError:
            self._watch({(self._peer.fileno(), True): self.step})
            return False
        self._shaking = False
        self._listener.shaken()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        refusal = self._listener.admit(self, self._arrival)
        if refusal is not None:
            self._to_peer, self._peer_ended, self._server_ended = refusal, True, True
            self.hurry()
        return True

    def _carry(self) -> bool:
        """Carry what there is; True if there may be more."""
        for _ in range(_TURNS):
            inward, outward = self._carry_inward(), self._carry_outward()
            if not inward and not outward:
                return False
        return True

    def _carry_inward(self) -> bool:
        """Take a chunk from the peer to the server; False: not now."""
        if self._server_end is None:
            return False
        if not self._to_server and not self._peer_ended:
            try:
                self._to_server = self._peer.recv(_CHUNK_BYTES)
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return False
            self._peer_ended = not self._to_server
        if self._to_server:
            try:
                sent = self._server_end.send(self._to_server, socket.MSG_NOSIGNAL)
            except BlockingIOError:
                return False
            except (BrokenPipeError, ConnectionResetError):
                sent = len(self._to_server)  # it has closed, and says so to the other direction
            self._to_server = self._to_server[sent:]
            return not self._to_server
        if not self._told_end:
            self._told_end = True
            self._server_end.shutdown(socket.SHUT_WR)
        return False

    def _carry_outward(self) -> bool:
        """Take a chunk from the server to the peer; False: not now."""
        if not self._to_peer and not self._server_ended and self._server_end is not None:
            try:
                self._to_peer = self._server_end.recv(_CHUNK_BYTES)
            except BlockingIOError:
                return False
            except ConnectionResetError:
                self._to_peer = b""
            self._server_ended = not self._to_peer
        if not self._to_peer:
            return False
        try:
            sent = self._peer.send(self._to_peer)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            self._peer_wants_write = True
            return False
        self._peer_wants_write = False
        self._to_peer = self._to_peer[sent:]
        return True

    # ---- the usual case: a little has come, and there is room for it

    def _from_peer(self) -> None:
        """Take what has come from the peer to the server; the rest is for :meth:`step`."""
        if self._closed or self._to_server or self._server_end is None:
            return
        try:
            data = self._peer.recv(_CHUNK_BYTES)
            sent = self._server_end.send(data, socket.MSG_NOSIGNAL) if data else 0
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        except BlockingIOError:
            sent = 0
        except (OSError, ValueError):
            self.close()
            return
        self._peer_ended = not data
        if sent < len(data) or not data or self._peer.pending():
            self._to_server = data[sent:]
            self.step()

    def _from_server(self) -> None:
        """Take what the server has sent to the peer; the rest is for :meth:`step`."""
        if self._closed or self._to_peer or self._server_end is None:
            return
        try:
            data = self._server_end.recv(_CHUNK_BYTES)
            sent = self._peer.send(data) if data else 0
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            sent = 0
        except BlockingIOError:
            return
        except (OSError, ValueError):
            self.close()
            return
        self._server_ended = not data
        if sent < len(data) or not data:
            self._to_peer = data[sent:]
            self.step()

    # ---- waiting

    def _wanted(self) -> _Watched:
        """What to wait for: descriptors, whether for writing, and what is called then."""
        wanted: _Watched = {}
        if not self._to_server and not self._peer_ended:
            wanted[self._peer.fileno(), False] = self._from_peer
        if self._to_peer and self._peer_wants_write:
            wanted[self._peer.fileno(), True] = self.step
        if self._server_end is not None:
            if self._to_server:
                wanted[self._server_end.fileno(), True] = self.step
            if not self._to_peer and not self._server_ended:
                wanted[self._server_end.fileno(), False] = self._from_server
        return wanted

    def _watch(self, wanted: _Watched) -> None:
        loop, watched = self._loop, self._watched
        for descriptor, writing in watched.keys() - wanted.keys():
            (loop.remove_writer if writing else loop.remove_reader)(descriptor)
        for (descriptor, writing), callback in wanted.items():
            if watched.get((descriptor, writing)) != callback:
                (loop.add_writer if writing else loop.add_reader)(descriptor, callback)
        self._watched = wanted
