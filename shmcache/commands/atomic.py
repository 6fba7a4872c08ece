"""Several commands as one atomic step: EXEC, and an in-process pipeline.

Command functions expect an :class:`~shmcache.arena.Arena`. Inside a transaction they get one of
these instead: the part of its interface that commands on keys use, over keys that are locked
already, or, for an attachment that may not lock, over what is there at one instant.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, TypeVar

from shmcache.arena import SET_KEEP_TTL, SET_NX, SET_XX, Transaction
from shmcache.commands.arguments import INT64_MAX, INT64_MIN, integer_or_none
from shmcache.commands.keys import keys_of
from shmcache.errors import NotAnInteger, OutOfMemory, ValueOverflow, WrongType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from shmcache.arena import Arena, Info, Tuning, View
    from shmcache.commands.spec import Command

__all__ = ["LockedKeys", "SeenKeys", "has_hidden_keys", "is_on_whole", "keys_to_lock"]

Key = tuple[int, bytes]
_Result = TypeVar("_Result")

_OTHER_DATABASES: Final = frozenset({"copy", "move"})
"""Commands with a key in a database that their key specifications do not tell."""


def has_hidden_keys(command: Command) -> bool:
    """Whether a command's words do not tell of all keys that it uses."""
    return command.name in _OTHER_DATABASES or any(
        spec.unknown or "incomplete" in spec.flags for spec in command.keys
    )


def is_on_whole(command: Command) -> bool:
    """Whether a command is one on a database as a whole: KEYS, FLUSHDB and their like."""
    return (
        not command.keys
        and command.function is not None
        and not {"readonly", "write"}.isdisjoint(command.flags)
    )


def keys_to_lock(lines: Iterable[tuple[int, Command, Sequence[bytes]]]) -> list[Key] | None:
    """The keys of several commands; None when it may be any.

    :param lines: database, command and whole command line of each
    """
    keys: list[Key] = []
    for db, command, words in lines:
        if has_hidden_keys(command) or is_on_whole(command):
            return None
        keys += ((db, use.key) for use in keys_of(command, words))
    return keys


class SeenKeys:
    """An arena inside a view of its own: what can be read at one instant."""

    writable = False

    def __init__(self, arena: Arena, view: View) -> None:
        self._arena = arena
        self._view = view

    def __getattr__(self, name: str) -> Any:
        """The reads of containers are a view's own."""
        return getattr(self._view, name)

    def read(self, keys: Iterable[Key] | None, work: Callable[[Any], _Result]) -> _Result:  # noqa: ARG002
        """A part of what is read at one instant anyway."""
        return work(self)

    def get_tuning(self) -> Tuning:
        """The arena's tuning: OBJECT's answers depend on the policy."""
        return self._arena.get_tuning()

    def get(self, db: int, key: bytes) -> bytes | None:
        """GET."""
        return self._view.get(db, key)

    def get_range(self, db: int, key: bytes, start: int, end: int) -> bytes:
        """GETRANGE."""
        return self._view.get_range(db, key, start, end)

    def get_many(self, db: int, keys: Sequence[bytes]) -> list[bytes | None]:
        """MGET."""
        values: list[bytes | None] = []
        for key in keys:
            try:
                values.append(self.get(db, key))
            except WrongType:
                values.append(None)
        return values

    def describe(self, db: int, key: bytes, touch: bool = False) -> Info | None:  # noqa: ARG002
        """Like :meth:`Arena.describe`."""
        return self._view.describe(db, key)


_READS: Final = frozenset({"get", "describe", "db_keys", "scan", "random_key", "event", "notify"})
_WRITES: Final = frozenset(
    name for name in vars(Transaction) if name not in _READS and not name.startswith("_")
)
"""A transaction's own methods are those that change something; most of what it reads it has from
View."""


class LockedKeys(SeenKeys):
    """An arena inside a transaction of its own.

    :ivar failure: what ended a command half-way, when it had changed something already: then the
        transaction must not be committed
    :ivar out_of_memory: a command was refused for want of memory
    :ivar step: the transaction itself
    :ivar needs_all: a script needs more than these keys: the transaction must not be committed, but
        be run again with all keys locked
    :ivar effects: what is to be done once it is committed

    :param keys: those that are locked; None: all
    """

    writable = True

    def __init__(
        self, arena: Arena, transaction: Transaction, keys: Iterable[Key] | None = None
    ) -> None:
        super().__init__(arena, transaction)
        self.step = transaction
        self.keys = None if keys is None else frozenset(keys)
        self.needs_all = False
        self.effects: list[Callable[[], object]] = []
        self.failure: Exception | SystemExit | None = None
        self.out_of_memory = False
        self._changes = 0

    def __getattr__(self, name: str) -> Any:
        """The transaction's own method, which is counted if it changes something."""
        method = super().__getattr__(name)
        if name in _WRITES:
            method = self._counted(method)
        setattr(self, name, method)  # for the next command of the pipeline
        return method

    def _counted(self, method: Callable[..., _Result]) -> Callable[..., _Result]:
        def change(*args: Any, **options: Any) -> _Result:
            try:
                result = method(*args, **options)
            except OutOfMemory:
                self.out_of_memory = True
                raise
            self._changes += 1
            return result

        return change

    @contextmanager
    def transaction(
        self,
        keys: Iterable[Key] | None,  # noqa: ARG002
        event: str | None = None,
    ) -> Iterator[LockedKeys]:
        """The keys of one command, which are among those locked already."""
        before = self._changes
        self.event(event)
        try:
            yield self
        except (Exception, SystemExit) as error:  # a module's command may do anything
            if self._changes != before:
                self.failure = error
            raise
        finally:
            self.event(None)

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
        with self.transaction(None, "incrby"):
            self.set(db, key, b"%d" % number, 0, SET_KEEP_TTL)
        return number

    def append(self, db: int, key: bytes, value: bytes) -> int:
        """APPEND."""
        new = (self.get(db, key) or b"") + value
        with self.transaction(None, "append"):
            self.set(db, key, new, 0, SET_KEEP_TTL)
        return len(new)

    def get_delete(self, db: int, key: bytes) -> bytes | None:
        """GETDEL."""
        old = self.get(db, key)
        self.delete(db, key)
        return old
