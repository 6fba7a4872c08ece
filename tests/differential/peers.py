"""Several connections to one server, and everything that each of them receives, in order.

After each step every connection is asked for an echo: whatever the server wrote to it because of
the step came before. That settles a step without waiting for time to pass.
"""

from __future__ import annotations

import shlex
import socket
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from differential.wire import TIMEOUT_SECONDS, Tagged, encoded, read_reply

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Received", "World", "both"]

_WITH_NUMBERS = frozenset((b"tracking-redir-broken", b"redirect"))


class Received(NamedTuple):
    """What a step brought: the replies to its sender with pushes among them, and to all others."""

    sender: tuple[Tagged, ...]
    others: tuple[tuple[Tagged, ...], ...]

    @property
    def reply(self) -> Tagged:
        """The first reply that is no push."""
        return next(reply for reply in self.sender if reply[0] != "push")


class _Peer:
    def __init__(self, path: str, resp: int) -> None:
        self.resp = resp
        self.open = True
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(TIMEOUT_SECONDS)
        self._socket.connect(path)
        self._stream: BinaryIO = self._socket.makefile("rb")
        self._echoes = 0
        if resp == 3:
            self.exchange(["HELLO", "3"])
        self.number: int = self.exchange(["CLIENT", "ID"])[-1][1]

    def send(self, *lines: Sequence[str]) -> None:
        self._socket.sendall(b"".join(encoded([word.encode() for word in line]) for line in lines))

    def exchange(self, *lines: Sequence[str]) -> tuple[Tagged, ...]:
        """Send lines; return all that comes until they are answered and an echo is back."""
        self._echoes += 1
        echo = f"echo-{self._echoes}"
        self.send(*lines, ["PING", echo])
        wanted = (("bulk", echo.encode()), ("array", (("bulk", b"pong"), ("bulk", echo.encode()))))
        received: list[Tagged] = []
        while True:
            reply = read_reply(self._stream)
            if reply in wanted:
                return tuple(received)
            received.append(reply)

    def close(self) -> None:
        self.open = False
        self._stream.close()
        self._socket.close()


class World:
    """A server's connections.

    :param versions: of the protocol, one for each connection; ``@2`` in a line is the third one's
        number, and in what comes the place of a number of theirs
    """

    def __init__(self, path: str, versions: Sequence[int]) -> None:
        self.peers = [_Peer(path, version) for version in versions]
        self._pushes: list[list[Tagged]] = [[] for _ in versions]

    def run(self, sender: int, *lines: str) -> Received:
        """Let one connection send lines at once, and settle."""
        words = [[self._word(word) for word in shlex.split(line)] for line in lines]
        first = self.peers[sender].exchange(*words)
        answers = [
            first if number == sender else peer.exchange() if peer.open else ()
            for number, peer in enumerate(self.peers)
        ]
        # what the echo itself may still bring: a message that is sent at the end of a wake-up
        late = self.peers[sender].exchange()
        normal = [tuple(map(self._normal, answer)) for answer in (*answers, late)]
        for number, answer in zip((*range(len(self.peers)), sender), normal, strict=True):
            self._pushes[number] += (reply for reply in answer if reply[0] == "push")
        if lines == ("CLIENT GETREDIR",):
            normal[sender] = tuple(map(self._place, normal[sender]))
        others = tuple(answer for number, answer in enumerate(normal[:-1]) if number != sender)
        return Received((*normal[sender], *normal[-1]), others)

    def invalidations(self, peer: int) -> list[tuple[Tagged, ...]]:
        """The keys of each message that a connection has got since it was last asked."""
        pushes, self._pushes[peer] = self._pushes[peer], []
        return [push[1][1][1] for push in pushes if push[1][0] == ("bulk", b"invalidate")]

    def close(self) -> None:
        for peer in self.peers:
            peer.close()

    def _word(self, word: str) -> str:
        return str(self.peers[int(word[1:])].number) if word.startswith("@") else word

    def _normal(self, reply: Tagged) -> Tagged:
        """Put places for connections' numbers, where those stand."""
        if reply[0] not in {"push", "map", "array"}:
            return reply
        parts = list(reply[1])
        for index, part in enumerate(parts[:-1]):
            if part[0] == "bulk" and part[1] in _WITH_NUMBERS:
                parts[index + 1] = self._place(parts[index + 1])
        if reply[0] == "map":
            parts = [
                (key, self._place(value) if key[1] in _WITH_NUMBERS else value)
                for key, value in parts
            ]
        elif reply[0] == "array":
            parts = [self._normal(part) for part in parts]
        return (reply[0], tuple(parts))

    def _place(self, number: Tagged) -> Tagged:
        for index, peer in enumerate(self.peers):
            if number == ("int", peer.number):
                return ("peer", index)
        return number


def both(worlds: tuple[World, World], sender: int, *lines: str) -> Received:
    """Run a step in a redis-server's world and in ours, and compare all that came."""
    theirs, ours = (world.run(sender, *lines) for world in worlds)
    assert theirs == ours, f"connection {sender}: {lines}\n{theirs}\n{ours}"
    return ours
