"""What ACL LOG shows: who was refused what, the newest first."""

from __future__ import annotations

import time
from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["AclLog", "LogEntry"]

_LOOKED_AT: Final = 10
"""Among so many of the newest entries one for the same event is looked for."""
_SAME_EVENT_MS: Final = 60_000


class LogEntry:
    """An event, and how often it happened in a row.

    :ivar reason: ``command``, ``key``, ``channel`` or ``auth``
    :ivar context: ``toplevel``, ``multi`` or ``lua``
    :ivar created_ms: Unix milliseconds of the first time
    :ivar updated_ms: Unix milliseconds of the last time
    :ivar client: the client's line in CLIENT LIST, at the last time
    """

    __slots__ = (
        "client", "context", "count", "created_ms", "number", "object", "reason", "updated_ms",
        "username",
    )  # fmt: skip

    def __init__(
        self, number: int, reason: str, context: str, name: bytes, username: bytes, client: str
    ) -> None:
        self.number = number
        self.reason = reason
        self.context = context
        self.object = name
        self.username = username
        self.client = client
        self.count = 1
        self.created_ms = self.updated_ms = time.time_ns() // 1_000_000

    def is_same(self, other: LogEntry) -> bool:
        """Whether both tell of the same, at about the same time."""
        return (
            self.reason == other.reason
            and self.context == other.context
            and self.object == other.object
            and self.username == other.username
            and abs(self.updated_ms - other.updated_ms) <= _SAME_EVENT_MS
        )


class AclLog:
    """A bounded log of events; repeated ones are counted, not listed again."""

    def __init__(self) -> None:
        self._entries: deque[LogEntry] = deque()
        self._next_number = 0
        self._most = 0

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[LogEntry]:
        return iter(self._entries)

    def limit(self, most: int) -> None:
        """Keep so many entries from now on (acllog-max-len)."""
        self._most = most
        self._trim()

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()

    def add(self, reason: str, context: str, name: bytes, username: bytes, client: str) -> None:
        """Note an event."""
        entry = LogEntry(self._next_number, reason, context, name, username, client)
        for known in islice(self._entries, _LOOKED_AT):
            if known.is_same(entry):
                known.count += 1
                known.updated_ms = entry.updated_ms
                known.client = client
                self._entries.remove(known)
                self._entries.appendleft(known)
                return
        self._next_number += 1
        self._entries.appendleft(entry)
        self._trim()

    def _trim(self) -> None:
        while len(self._entries) > self._most:
            self._entries.pop()
