"""What a command sees of the arena while a whole pipeline runs as one atomic step.

Command functions expect an :class:`~shmcache.arena.Arena`. Inside a transaction they get one of
these instead: the part of its interface that commands on keys use, over keys that are locked
already, or, for an attachment that may not lock, over values that were read at one instant.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from shmcache.arena import SET_KEEP_TTL, SET_NX, SET_XX
from shmcache.commands.arguments import INT64_MAX, INT64_MIN, integer_or_none
from shmcache.errors import NotAnInteger, ShmcacheError, ValueOverflow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from shmcache.arena import Arena, Info, Transaction, Tuning

__all__ = ["LockedKeys", "Snapshot"]

Key = tuple[int, bytes]


class _Values:
    """Reads of values, whichever way a value is come by."""

    def get(self, db: int, key: bytes) -> bytes | None:
        raise NotImplementedError

    def get_many(self, db: int, keys: Sequence[bytes]) -> list[bytes | None]:
        """MGET."""
        return [self.get(db, key) for key in keys]

    def get_range(self, db: int, key: bytes, start: int, end: int) -> bytes:
        """GETRANGE: inclusive, negative from the end."""
        value = self.get(db, key) or b""
        if start < 0 and end < start:
            return b""
        first = max(start + len(value) if start < 0 else start, 0)
        last = max(end + len(value) if end < 0 else end, 0)
        return value[first : last + 1]


class Snapshot(_Values):
    """Values of some keys as they were at one instant."""

    def __init__(self, values: Mapping[Key, bytes | None]) -> None:
        self._values = values

    def get(self, db: int, key: bytes) -> bytes | None:
        """GET."""
        return self._values[db, key]


class LockedKeys(_Values):
    """An arena inside a transaction of its own.

    :ivar failure: what ended a command of several keys half-way, when its first keys may have been
        changed already: then the transaction must not be committed
    """

    def __init__(self, arena: Arena, transaction: Transaction) -> None:
        self.failure: ShmcacheError | None = None
        self._arena = arena
        self._transaction = transaction
        self.delete = transaction.delete
        self.expire = transaction.expire
        self.copy = transaction.copy
        self.set = transaction.set

    @contextmanager
    def transaction(self, keys: Iterable[Key]) -> Iterator[LockedKeys]:  # noqa: ARG002
        """The keys of one command, which are among those locked already."""
        try:
            yield self
        except ShmcacheError as error:
            self.failure = error
            raise

    def get_tuning(self) -> Tuning:
        """The arena's tuning: OBJECT's answers depend on the policy."""
        return self._arena.get_tuning()

    def get(self, db: int, key: bytes) -> bytes | None:
        """GET."""
        return self._transaction.get(db, key)

    def describe(self, db: int, key: bytes, touch: bool = False) -> Info | None:  # noqa: ARG002
        """Like :meth:`Arena.describe`."""
        return self._transaction.describe(db, key)

    def set_get(
        self, db: int, key: bytes, value: bytes, expire_ms: int = 0, flags: int = 0
    ) -> tuple[bool, bytes | None]:
        """SET with GET."""
        old = self.get(db, key)
        if (flags & SET_NX and old is not None) or (flags & SET_XX and old is None):
            return False, old
        return self.set(db, key, value, expire_ms, flags & SET_KEEP_TTL), old

    def incr(self, db: int, key: bytes, by: int = 1) -> int:
        """INCRBY."""
        old = self.get(db, key)
        number = 0 if old is None else integer_or_none(old)
        if number is None:
            raise NotAnInteger
        number += by
        if not INT64_MIN <= number <= INT64_MAX:
            raise ValueOverflow
        self.set(db, key, b"%d" % number, 0, SET_KEEP_TTL)
        return number

    def append(self, db: int, key: bytes, value: bytes) -> int:
        """APPEND."""
        new = (self.get(db, key) or b"") + value
        self.set(db, key, new, 0, SET_KEEP_TTL)
        return len(new)

    def get_delete(self, db: int, key: bytes) -> bytes | None:
        """GETDEL."""
        old = self.get(db, key)
        self.delete(db, key)
        return old
