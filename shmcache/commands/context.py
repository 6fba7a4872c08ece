"""What a command may need to know of its caller, and nothing of a server."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shmcache.arena import Arena

__all__ = ["DATABASES", "DEFAULT_MAX_BULK_BYTES", "Context"]

DATABASES = 16
"""What SELECT accepts; the arena's layout fixes it."""

DEFAULT_MAX_BULK_BYTES = 512 * 1024 * 1024


class Context:
    """One caller's view: the arena, the database it selected, the protocol it speaks.

    Commands read it and never change it. The server derives its client from it; the in-process
    client makes one for each database.
    """

    __slots__ = ("arena", "db", "max_bulk_bytes", "may_block", "resp")

    def __init__(
        self,
        arena: Arena,
        db: int = 0,
        resp: Literal[2, 3] = 2,
        max_bulk_bytes: int = DEFAULT_MAX_BULK_BYTES,
    ) -> None:
        self.arena = arena
        self.db = db
        self.resp: Literal[2, 3] = resp
        self.max_bulk_bytes = max_bulk_bytes
        """proto-max-bulk-len: no command may make a string longer than this."""
        self.may_block = False
        """Whether a command that finds nothing may wait; else it gives up at once, as in EXEC."""

    def reads_any_key(self, name: str, args: Sequence[bytes]) -> bool:  # noqa: ARG002
        """Whether a command may also read keys that its line does not name.

        :param name: the command's full name
        :param args: the words after it
        """
        return True

    def now_us(self) -> int:
        """Unix microseconds."""
        return time.time_ns() // 1000

    def now_ms(self) -> int:
        """Unix milliseconds, by the clock that the arena expires keys by."""
        return time.time_ns() // 1_000_000
