"""Channels, patterns, and who listens to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shmcache.commands.glob import glob_matches
from shmcache.server.replies import ENCODER, Pushes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shmcache.server.client import Client

__all__ = ["Listeners", "PubSub"]


class Listeners:
    """Clients by what they listen to, in the order in which they came."""

    def __init__(self) -> None:
        self._clients: dict[bytes, dict[Client, None]] = {}

    def __len__(self) -> int:
        return len(self._clients)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._clients)

    def add(self, name: bytes, client: Client) -> None:
        """Let a client listen; once is enough."""
        self._clients.setdefault(name, {})[client] = None

    def remove(self, name: bytes, client: Client) -> None:
        """Let it listen no longer."""
        clients = self._clients[name]
        del clients[client]
        if not clients:
            del self._clients[name]

    def count(self, name: bytes) -> int:
        """How many listen to this name."""
        return len(self._clients.get(name, ()))

    def send(self, name: bytes, message: _Message) -> int:
        """Give a message to those who listen to this name; returns how many they are."""
        clients = self._clients.get(name, ())
        for client in clients:
            client.connection.write(message.encoded(client.resp))
        return len(clients)


class _Message:
    """A push, encoded once for each version of the protocol."""

    def __init__(self, *items: bytes) -> None:
        self._pushes = Pushes((items,))
        self._encoded: dict[int, bytes] = {}

    def encoded(self, resp: int) -> bytes:
        encoded = self._encoded.get(resp)
        if encoded is None:
            encoded = self._encoded[resp] = ENCODER.encode(self._pushes, resp)
        return encoded


class PubSub:
    """The front-end's channels and patterns."""

    def __init__(self) -> None:
        self.channels = Listeners()
        self.patterns = Listeners()

    def publish(self, channel: bytes, message: bytes) -> int:
        """Send a message; a client with several fitting subscriptions gets it several times.

        :return: how many times it was sent
        """
        receivers = self.channels.send(channel, _Message(b"message", channel, message))
        for pattern in self.patterns:
            if glob_matches(pattern, channel):
                push = _Message(b"pmessage", pattern, channel, message)
                receivers += self.patterns.send(pattern, push)
        return receivers

    def remove_client(self, client: Client) -> None:
        """Forget everything that a client listens to."""
        for name in client.channels:
            self.channels.remove(name, client)
        for name in client.patterns:
            self.patterns.remove(name, client)
        client.channels.clear()
        client.patterns.clear()
