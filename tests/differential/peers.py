"""Several connections to one server, and everything that each of them receives, in order.

After each step every connection is asked for an answer that is known: whatever the server wrote to
it because of the step came before. That settles a step without waiting for time to pass. Who waits
in a blocking command is not asked; what it was sent is there once all others are settled.
"""

from __future__ import annotations

import io
import select
import shlex
import socket
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple, cast

from differential.wire import TIMEOUT_SECONDS, Tagged, encoded, read_reply

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Received", "World", "both"]

_WITH_NUMBERS: Final = frozenset((b"tracking-redir-broken", b"redirect"))
_NESTED: Final = ("error", b"ERR MULTI calls can not be nested")
_ENDS: Final = frozenset(("EXEC", "DISCARD", "RESET"))
BLOCKING: Final = frozenset(
    ("BLPOP", "BRPOP", "BLMOVE", "BRPOPLPUSH", "BLMPOP", "BZPOPMIN", "BZPOPMAX", "BZMPOP")
)


class Received(NamedTuple):
    """What a step brought: the replies to its sender with pushes among them, and to all others."""

    sender: tuple[Tagged, ...]
    others: tuple[tuple[Tagged, ...], ...]

    def merged(self) -> Received:
        """The same with all invalidations as sets, behind the rest.

        What EXEC or a script changes is told when it commits here, and there command by command: a
        key that it reads and writes in turn may be told later or more often there.
        """
        return Received(_merged(self.sender), tuple(map(_merged, self.others)))

    def told(self) -> tuple[frozenset[tuple[bytes, bytes | None]], ...]:
        """Which keys each connection is told to forget, None for all, and under which name."""
        return tuple(
            frozenset(key for reply in replies if _is_invalidation(reply) for key in _keys(reply))
            for replies in (self.sender, *self.others)
        )

    @property
    def reply(self) -> Tagged:
        """The first reply that is no push."""
        return next(reply for reply in self.sender if reply[0] != "push")


def _merged(replies: tuple[Tagged, ...]) -> tuple[Tagged, ...]:
    own = {reply for reply in replies if _is_invalidation(reply)}
    return (*(reply for reply in replies if reply not in own), *sorted(own))


def _is_invalidation(reply: Tagged) -> bool:
    if reply[0] not in {"push", "array"} or len(reply[1]) < 2:
        return False
    return bool(
        reply[1][0] == ("bulk", b"invalidate")
        or reply[1][:2] == (("bulk", b"message"), ("bulk", b"__redis__:invalidate"))
    )


def _keys(message: Tagged) -> Iterator[tuple[bytes, bytes | None]]:
    name, keys = message[1][0][1], message[1][-1]
    if keys == ("null",):
        yield name, None
    else:
        yield from ((name, key) for _, key in keys[1])


class _Incomplete(Exception):
    """The rest of a reply has not come yet."""


class _Bytes(io.BytesIO):
    def readline(self, size: int | None = -1, /) -> bytes:
        line = super().readline(size)
        if not line.endswith(b"\r\n"):
            raise _Incomplete
        return line

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        if size is not None and len(data) < size:
            raise _Incomplete
        return data


class _Peer:
    """One connection.

    :ivar waiting: it may be blocked: a blocking command of its has not been answered
    """

    def __init__(self, path: str, resp: int) -> None:
        self.open = True
        self.waiting = False
        self._queueing = False
        self._received = b""
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(TIMEOUT_SECONDS)
        self._socket.connect(path)
        self._echoes = 0
        if resp == 3:
            self.exchange(["HELLO", "3"])
        self.number: int = self.exchange(["CLIENT", "ID"])[-1][1]

    def exchange(self, *lines: Sequence[str]) -> list[Tagged]:
        """Send lines; return all that comes until they are answered, as far as they are."""
        self._send(lines)
        for line in lines:
            self._note_state(line)
        return [] if self.waiting else self.settle()

    def settle(self) -> list[Tagged]:
        """Return what else has been sent by now, and is not a known answer asked for here."""
        if self.waiting:
            return self._available()
        self._echoes += 1
        echo = f"echo-{self._echoes}"
        plain = ("bulk", echo.encode())
        wanted = [plain, ("array", (("bulk", b"pong"), plain))]
        if self._queueing:
            wanted = [_NESTED]
        self._send([["MULTI"] if self._queueing else ["PING", echo]])
        received: list[Tagged] = []
        while True:
            reply = self._next()
            if reply in wanted:
                return received
            received.append(reply)

    def close(self) -> None:
        self.open = False
        self._socket.close()

    def _send(self, lines: Sequence[Sequence[str]]) -> None:
        self._socket.sendall(b"".join(encoded([word.encode() for word in line]) for line in lines))

    def _note_state(self, line: Sequence[str]) -> None:
        name = line[0].upper()
        if name == "MULTI":
            self._queueing = True
        elif name in _ENDS:
            self._queueing = False
        elif not self._queueing:
            blocks = name in BLOCKING or (name == "XREAD" and "BLOCK" in line)
            self.waiting = self.waiting or blocks

    def _next(self) -> Tagged:
        while True:
            reply = self._parse()
            if reply is not None:
                return reply
            received = self._socket.recv(1 << 16)
            assert received, "the server hung up"
            self._received += received

    def _available(self) -> list[Tagged]:
        while select.select([self._socket], [], [], 0)[0]:
            received = self._socket.recv(1 << 16)
            assert received, "the server hung up"
            self._received += received
        replies: list[Tagged] = []
        while (reply := self._parse()) is not None:
            replies.append(reply)
            if reply[0] != "push":
                self.waiting = False
        return replies

    def _parse(self) -> Tagged | None:
        stream = _Bytes(self._received)
        try:
            reply = read_reply(cast("BinaryIO", stream))
        except _Incomplete:
            return None
        self._received = self._received[stream.tell() :]
        return reply


class World:
    """A server's connections, of which the last one never blocks.

    :param versions: of the protocol, one for each connection; ``@2`` in a line is the third one's
        number, and in what comes the place of a number of theirs
    """

    def __init__(self, path: str, versions: Sequence[int]) -> None:
        self.peers = [_Peer(path, version) for version in versions]
        self._pushes: list[list[Tagged]] = [[] for _ in versions]

    def waits(self, peer: int) -> bool:
        """Whether a connection may be blocked."""
        return self.peers[peer].waiting

    def run(self, sender: int, *lines: str) -> Received:
        """Let one connection send lines at once, and settle."""
        words = [[self._word(word) for word in shlex.split(line)] for line in lines]
        received: list[list[Tagged]] = [[] for _ in self.peers]
        received[sender] += self.peers[sender].exchange(*words)
        # twice: what the answer asked for may still bring is sent at the end of its wake-up
        for _ in range(2):
            for number in sorted(range(len(self.peers)), key=self.waits):
                if self.peers[number].open:
                    received[number] += self.peers[number].settle()
        normal = [tuple(map(self._normal, replies)) for replies in received]
        if lines == ("CLIENT GETREDIR",):
            normal[sender] = tuple(map(self._place, normal[sender]))
        for number, replies in enumerate(normal):
            self._pushes[number] += (reply for reply in replies if reply[0] == "push")
        others = tuple(replies for number, replies in enumerate(normal) if number != sender)
        return Received(normal[sender], others)

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
        if reply[0] == "map":
            parts = [
                (key, self._place(value) if key[1] in _WITH_NUMBERS else value)
                for key, value in parts
            ]
            return ("map", tuple(parts))
        for index, part in enumerate(parts[:-1]):
            if part[0] == "bulk" and part[1] in _WITH_NUMBERS:
                parts[index + 1] = self._place(parts[index + 1])
        return (reply[0], tuple(map(self._normal, parts)))

    def _place(self, number: Tagged) -> Tagged:
        for index, peer in enumerate(self.peers):
            if number == ("int", peer.number):
                return ("peer", index)
        return number


def both(worlds: tuple[World, World], sender: int, *lines: str) -> Received:
    """Run a step in a redis-server's world and in ours, and compare all that came."""
    theirs, ours = (world.run(sender, *lines) for world in worlds)
    if lines[-1].startswith(("EXEC", "EVAL")):
        theirs, ours = theirs.merged(), ours.merged()
    assert theirs == ours, f"connection {sender}: {lines}\n{theirs}\n{ours}"
    return ours
