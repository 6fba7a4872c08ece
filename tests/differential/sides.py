"""What can be asked to carry out a command: a real redis-server, or one of this package's doors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol, cast

from differential.wire import Connection, Tagged, tag
from shmcache.commands.context import Context
from shmcache.commands.dispatch import Dispatcher

if TYPE_CHECKING:
    from collections.abc import Sequence

    import model_arena

    from shmcache.arena import Arena


class Side(Protocol):
    resp: Literal[2, 3]

    def execute(self, *words: bytes) -> Tagged: ...
    def select(self, db: int) -> None: ...
    def close(self) -> None: ...


class SocketSide:
    """A server on a Unix socket, spoken to as plainly as can be."""

    def __init__(self, path: str, resp: Literal[2, 3] = 2) -> None:
        self.resp: Literal[2, 3] = resp
        self._connection = Connection(path, resp)

    def execute(self, *words: bytes) -> Tagged:
        return self._connection.execute(words)

    def execute_many(self, lines: Sequence[Sequence[bytes]]) -> list[Tagged]:
        return self._connection.execute_many(lines)

    def select(self, db: int) -> None:
        assert self.execute(b"SELECT", b"%d" % db) == ("simple", b"OK")

    def close(self) -> None:
        self._connection.close()


class InProcessSide:
    """Dispatch over an arena, the model or the real one, in this process."""

    def __init__(
        self, arena: Arena | model_arena.Arena, resp: Literal[2, 3] = 2, **limits: int
    ) -> None:
        self.resp: Literal[2, 3] = resp
        self._dispatcher = Dispatcher()
        self._context = Context(cast("Arena", arena), resp=resp, **limits)

    def execute(self, *words: bytes) -> Tagged:
        return tag(self._dispatcher.execute(self._context, words), self.resp)

    def execute_many(self, lines: Sequence[Sequence[bytes]]) -> list[Tagged]:
        return [self.execute(*words) for words in lines]

    def select(self, db: int) -> None:
        self._context.db = db

    def close(self) -> None:
        self._context.arena.close()


class Pair:
    """A real redis-server and one of ours, in step: empty to begin with, database 0 selected."""

    def __init__(self, theirs: Side, ours: Side) -> None:
        self.theirs = theirs
        self.ours = ours
        assert theirs.resp == ours.resp

    def reset(self) -> None:
        self.select(0)
        for side in (self.theirs, self.ours):
            assert side.execute(b"FLUSHALL") == ("simple", b"OK")

    def select(self, db: int) -> None:
        self.theirs.select(db)
        self.ours.select(db)

    def ask(self, words: Sequence[bytes]) -> tuple[Tagged, Tagged]:
        return self.theirs.execute(*words), self.ours.execute(*words)
