"""Channels, patterns, shard channels, and who listens to them: here and on the cache's bus."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from shmcache.arena import (
    CHANNEL,
    PATTERN,
    SHARD_CHANNEL,
    BusReader,
    bus_has_others,
    bus_publish,
)
from shmcache.arena.bus import Register, Watcher
from shmcache.commands.glob import glob_matches
from shmcache.commands.pubsub import count_listeners
from shmcache.errors import MessagesLost, ShmcacheError, ValueTooLong
from shmcache.server._frontend import send_to_all
from shmcache.server.replies import ENCODER, Pushes

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterator

    from shmcache.arena import Arena
    from shmcache.server._frontend import Connection
    from shmcache.server.client import Client

__all__ = ["Listeners", "PubSub"]

_log = logging.getLogger("shmcache.server")
_BATCH: Final = 1000
"""Messages taken from the bus before others get a turn."""


class Message:
    """A push, encoded once for each version of the protocol."""

    def __init__(self, *items: bytes) -> None:
        self._pushes = Pushes((items,))

    def encoded(self, resp: int) -> bytes:
        """Its bytes in RESP2 or RESP3."""
        return ENCODER.encode(self._pushes, resp)


class Listeners:
    """Connections by what they listen to, in the order in which they came.

    :param kind: of the names: CHANNEL, PATTERN or SHARD_CHANNEL
    :param register: where other processes see them
    """

    def __init__(self, kind: int, register: Register) -> None:
        self.kind = kind
        self._register = register
        self._connections: dict[bytes, dict[Connection, None]] = {}

    def __len__(self) -> int:
        return len(self._connections)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._connections)

    def add(self, name: bytes, connection: Connection) -> None:
        """Let a connection listen; once is enough."""
        connections = self._connections.setdefault(name, {})
        connections[connection] = None
        self._register.set(self.kind, name, len(connections))

    def remove(self, name: bytes, connection: Connection) -> None:
        """Let it listen no longer."""
        connections = self._connections[name]
        del connections[connection]
        self._register.set(self.kind, name, len(connections))
        if not connections:
            del self._connections[name]

    def count(self, name: bytes) -> int:
        """How many listen to this name."""
        return len(self._connections.get(name, ()))

    def audience(self, name: bytes) -> dict[Connection, None] | None:
        """Those who listen to this name; None when there are none."""
        return self._connections.get(name)

    def everybody(self) -> set[Connection]:
        """Those who listen to anything."""
        return {
            connection for connections in self._connections.values() for connection in connections
        }


class PubSub:
    """The front-end's subscriptions, and its part in the bus.

    A message of a client here goes to the clients here, and onto the bus when others listen there;
    what others put onto the bus goes to the clients here. A helper thread waits for that, and only
    while somebody here listens.
    """

    def __init__(self, arena: Arena, loop: asyncio.AbstractEventLoop) -> None:
        register = Register(arena)
        self.channels = Listeners(CHANNEL, register)
        self.patterns = Listeners(PATTERN, register)
        self.shard_channels = Listeners(SHARD_CHANNEL, register)
        self._register = register
        self._arena = arena
        self._loop = loop
        self._reader = BusReader(arena)
        self._watcher = Watcher(arena)
        self._watching = False
        self._stopped = False

    # ---- messages

    def publish(self, channel: bytes, message: bytes) -> int:
        """Send a message; a client with several fitting subscriptions gets it several times.

        :return: how many times it was sent
        """
        return self._deliver(channel, message) + self._share(CHANNEL, channel, message)

    def publish_shard(self, channel: bytes, message: bytes) -> int:
        """Send a message to a shard channel; see :meth:`publish`."""
        receivers = self._deliver_shard(channel, message)
        return receivers + self._share(SHARD_CHANNEL, channel, message)

    def count_receivers(self, channel: bytes, *, shard: bool = False) -> int:
        """How many times a message would be sent if it were published now."""
        if shard:
            here = self.shard_channels.count(channel)
        else:
            here = self.channels.count(channel) + sum(
                self.patterns.count(pattern)
                for pattern in self.patterns
                if glob_matches(pattern, channel)
            )
        if not bus_has_others(self._arena):
            return here
        kind = SHARD_CHANNEL if shard else CHANNEL
        return here + count_listeners(
            self._arena, kind, channel, of_others=True, patterns=not shard
        )

    def _deliver(self, channel: bytes, message: bytes) -> int:
        receivers = 0
        audience = self.channels.audience(channel)
        if audience is not None:
            push = Message(b"message", channel, message)
            receivers += send_to_all(audience, push.encoded)
        for pattern in self.patterns:
            if glob_matches(pattern, channel):
                audience = self.patterns.audience(pattern)
                assert audience is not None
                push = Message(b"pmessage", pattern, channel, message)
                receivers += send_to_all(audience, push.encoded)
        return receivers

    def _deliver_shard(self, channel: bytes, message: bytes) -> int:
        audience = self.shard_channels.audience(channel)
        if audience is None:
            return 0
        push = Message(b"smessage", channel, message)
        return send_to_all(audience, push.encoded)

    def _share(self, kind: int, channel: bytes, message: bytes) -> int:
        """Tell the processes on the bus; returns how many subscriptions there hear it."""
        if not bus_has_others(self._arena):
            return 0
        patterns = kind == CHANNEL
        others = count_listeners(self._arena, kind, channel, of_others=True, patterns=patterns)
        try:
            bus_publish(self._arena, kind, channel, message)
        except ValueTooLong:
            try:
                bus_publish(self._arena, 0, channel, b"")  # they are told that they missed one
            except ValueTooLong:
                return 0
        except ShmcacheError:
            _log.exception("a message could not be put on the bus")
            return 0
        return others

    # ---- the bus

    def attend(self) -> None:
        """Hear the bus, if anybody here listens to anything; call it after a subscription."""
        if self._watching or self._stopped:
            return
        if self.channels or self.patterns or self.shard_channels:
            self._watching = True
            self._reader.restart()
            self._drain()

    def _drain(self) -> None:
        """Send on what came by the bus, then sleep on it again. In the loop's thread."""
        if self._stopped:
            return
        if not (self.channels or self.patterns or self.shard_channels):
            self._watching = False
            return
        # Asked before looking: what comes after the last look wakes us.
        wake_up = self._loop.call_soon_threadsafe
        self._watcher.wake(lambda: wake_up(self._drain))
        for _ in range(_BATCH):
            try:
                heard = self._reader.read()
            except MessagesLost:
                self._drop_everybody()
                return
            if heard is None:
                return
            kind, own, channel, message = heard
            if not own and kind == CHANNEL:
                self._deliver(channel, message)
            elif not own and kind == SHARD_CHANNEL:
                self._deliver_shard(channel, message)

    def _drop_everybody(self) -> None:
        """Messages were missed here, so by every subscriber: a lost connection tells them."""
        _log.warning("too slow for the messages on the bus: all subscribers are disconnected")
        for listeners in (self.channels, self.patterns, self.shard_channels):
            for connection in listeners.everybody():
                connection.close()

    def stop(self) -> None:
        """Leave the bus."""
        self._stopped = True
        self._watcher.stop()
        self._register.clear()

    # ---- clients

    def remove_client(self, client: Client) -> None:
        """Forget everything that a client listens to."""
        for names, listeners in (
            (client.channels, self.channels),
            (client.patterns, self.patterns),
            (client.shard_channels, self.shard_channels),
        ):
            for name in names:
                listeners.remove(name, client.connection)
            names.clear()
