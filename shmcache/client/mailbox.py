"""One in-process subscriber: what it listens to on the bus, and what it has not taken yet.

It answers as a server's connection in subscriber mode does, reply for reply, so that redis-py's own
classes make their messages of it.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Any, Final, Literal

import redis

from shmcache.arena import CHANNEL, PATTERN, SHARD_CHANNEL, BusReader, bus_rouse
from shmcache.arena.bus import Register
from shmcache.commands.glob import glob_matches
from shmcache.errors import MessagesLost

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shmcache.arena import Arena

__all__ = ["Mailbox"]

_SUBSCRIBE: Final = {
    b"SUBSCRIBE": (CHANNEL, b"subscribe"),
    b"PSUBSCRIBE": (PATTERN, b"psubscribe"),
    b"SSUBSCRIBE": (SHARD_CHANNEL, b"ssubscribe"),
}
_UNSUBSCRIBE: Final = {
    b"UNSUBSCRIBE": (CHANNEL, b"unsubscribe"),
    b"PUNSUBSCRIBE": (PATTERN, b"punsubscribe"),
    b"SUNSUBSCRIBE": (SHARD_CHANNEL, b"sunsubscribe"),
}


class Mailbox:
    """A subscriber's state. Several threads may use it, as they may a socket.

    :param protocol: whose forms the replies have
    :param decode: what a connection does to the bytes that it receives
    """

    def __init__(self, arena: Arena, protocol: Literal[2, 3], decode: Callable[[Any], Any]) -> None:
        self.arena = arena
        self._protocol: Literal[2, 3] = protocol
        self._decode = decode
        self._reader = BusReader(arena)
        self._register = Register(arena)
        self._names: dict[int, dict[bytes, None]] = {CHANNEL: {}, PATTERN: {}, SHARD_CHANNEL: {}}
        self._replies: deque[Any] = deque()
        self._lock = threading.Lock()
        self._sleepers = 0

    def command(self, words: Sequence[bytes]) -> None:
        """Carry out what a subscriber may send; the answers wait to be taken.

        :raises redis.ResponseError: it is no command for subscribers
        """
        name = words[0].upper()
        with self._lock:
            self._collect()  # what was published before this command is judged by what held then
            if name in _SUBSCRIBE:
                self._subscribe(*_SUBSCRIBE[name], words[1:])
            elif name in _UNSUBSCRIBE:
                self._unsubscribe(*_UNSUBSCRIBE[name], words[1:])
            elif name == b"PING":
                self._replies.append(self._pong(words[1:]))
            else:
                raise redis.ResponseError(
                    f"Can't execute '{words[0].decode(errors='replace').lower()}': only "
                    "(P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING are allowed in this context"
                )
        if self._sleepers:
            bus_rouse(self.arena)

    def take(self) -> Any:
        """The next reply or message as a connection would have parsed it; None if there is none.

        :raises MessagesLost: this subscriber was too slow; it may go on
        """
        with self._lock:
            if not self._replies:
                self._collect(1)
            if not self._replies:
                return None
            reply = self._replies.popleft()
        if isinstance(reply, MessagesLost):
            raise reply
        if isinstance(reply, list):
            return [self._decode(item) if isinstance(item, bytes) else item for item in reply]
        return self._decode(reply)

    def wait(self, seconds: float) -> None:
        """Sleep until there may be something to take; a second at most."""
        self._sleepers += 1
        try:
            if not self._replies:
                self._reader.wait(min(1000, int(seconds * 1000) + 1))
        finally:
            self._sleepers -= 1

    def close(self) -> None:
        """Listen to nothing any more."""
        with self._lock:
            for names in self._names.values():
                names.clear()
            self._register.clear()
            self._replies.clear()
        if self._sleepers:
            bus_rouse(self.arena)

    def _collect(self, wanted: int = -1) -> None:
        """Move what was published for this subscriber to what waits, until so much does."""
        while wanted < 0 or len(self._replies) < wanted:
            try:
                message = self._reader.read()
            except MessagesLost as error:
                self._replies.append(error)
                continue
            if message is None:
                return
            self._sort_in(*message)

    def _sort_in(self, kind: int, _own: bool, channel: bytes, text: bytes) -> None:
        add, names = self._replies.append, self._names
        if kind == CHANNEL:
            if channel in names[CHANNEL]:
                add([b"message", channel, text])
            for pattern in names[PATTERN]:
                if glob_matches(pattern, channel):
                    add([b"pmessage", pattern, channel, text])
        elif kind == SHARD_CHANNEL:
            if channel in names[SHARD_CHANNEL]:
                add([b"smessage", channel, text])
        elif self._hears(channel):
            add(MessagesLost(f"a message to {channel!r} was too long for the bus"))

    def _hears(self, channel: bytes) -> bool:
        names = self._names
        return (
            channel in names[CHANNEL]
            or channel in names[SHARD_CHANNEL]
            or any(glob_matches(pattern, channel) for pattern in names[PATTERN])
        )

    def _count(self, kind: int) -> int:
        """What a confirmation counts: shard channels by themselves, the others together."""
        names = self._names
        if kind == SHARD_CHANNEL:
            return len(names[SHARD_CHANNEL])
        return len(names[CHANNEL]) + len(names[PATTERN])

    def _subscribe(self, kind: int, word: bytes, names: Sequence[bytes]) -> None:
        own = self._names[kind]
        for name in names:
            own[name] = None
            self._register.set(kind, name, 1)
            self._replies.append([word, name, self._count(kind)])

    def _unsubscribe(self, kind: int, word: bytes, names: Sequence[bytes]) -> None:
        own = self._names[kind]
        wanted = names or list(own)
        for name in wanted:
            if name in own:
                del own[name]
                self._register.set(kind, name, 0)
            self._replies.append([word, name, self._count(kind)])
        if not wanted:
            self._replies.append([word, None, self._count(kind)])

    def _pong(self, words: Sequence[bytes]) -> list[bytes] | bytes:
        if self._protocol == 2 and any(self._names.values()):
            return [b"pong", words[0] if words else b""]
        return words[0] if words else b"PONG"
