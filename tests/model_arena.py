"""A naive arena: dictionaries, no sharing, no cleverness. What the real one is compared with.

It has every method of ``shmcache.arena.Arena`` that has an effect on keys, with the same replies
and exceptions, and a clock that a test may turn by hand. It is also a stand-in where a test wants
an arena without shared memory.
"""

from __future__ import annotations

import random
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple, Self, TypeVar

from model_containers import OneShots, Reads, Writes, page
from model_values import INT64_MAX, INT64_MIN, Hash, Stream, Tuning, Value, integer_or_none

from shmcache import errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from types import TracebackType

_Result = TypeVar("_Result")

SET_NX, SET_XX, SET_KEEP_TTL, SET_APPENDED = 1, 2, 4, 8
EXPIRE_NX, EXPIRE_XX, EXPIRE_GT, EXPIRE_LT = 1, 2, 4, 8
POLICIES = (
    "noeviction",
    "allkeys-lru",
    "allkeys-lfu",
    "allkeys-random",
    "volatile-lru",
    "volatile-lfu",
    "volatile-random",
    "volatile-ttl",
)
DATABASES = 16
MAX_VALUE_BYTES = 512 * 1024 * 1024
EMBSTR_BYTES = 44
MAX_PATCH_BYTES = 4096
ENTRY_OVERHEAD_BYTES = 48


class Info(NamedTuple):
    type: str
    encoding: str
    expire_ms: int
    value_bytes: int
    memory: int
    idle_ms: int
    frequency: int


@dataclass
class Item:
    value: bytes | Value
    expire_ms: int
    touched_ms: int
    frequency: int = 5
    appended: bool = False

    def copy(self) -> Item:
        value = self.value
        return replace(self, value=value if isinstance(value, bytes) else value.copy())

    def text(self) -> bytes:
        """The string that it has to be."""
        if not isinstance(self.value, bytes):
            raise errors.WrongType("the key holds another type")
        return self.value

    def size(self) -> int:
        return _size(self.value)


def wall_clock_ms() -> int:
    return time.time_ns() // 1_000_000


def _size(value: bytes | Value) -> int:
    return len(value) if isinstance(value, bytes) else value.size()


def _part(value: bytes, start: int, end: int) -> bytes:
    if start < 0 and end < 0 and start > end:
        return b""
    start = max(start + len(value), 0) if start < 0 else start
    end = max(end + len(value), 0) if end < 0 else end
    return value[start : end + 1]


class View(Reads):
    """What is read in one go; only of the keys that were named beforehand."""

    def __init__(self, arena: Arena, keys: Iterable[tuple[int, bytes]] | None) -> None:
        self._arena = arena
        self._keys = None if keys is None else frozenset(keys)

    def _declared(self, db: int, key: bytes) -> Arena:
        assert self._arena._running is self, "used outside its time"
        assert self._keys is None or (db, key) in self._keys, f"undeclared key {key!r}"
        return self._arena

    def _to_read(self, db: int, key: bytes) -> Arena:
        return self._declared(db, key)

    def get(self, db: int, key: bytes) -> bytes | None:
        return self._declared(db, key)._get(db, key)

    def get_range(self, db: int, key: bytes, start: int, end: int) -> bytes:
        return _part(self.get(db, key) or b"", start, end)

    def describe(self, db: int, key: bytes) -> Info | None:
        return self._declared(db, key)._describe(db, key, touch=False)


class Transaction(View, Writes):
    def event(self, name: str | None) -> None:
        """The model has no feed."""

    def notify(self, db: int, key: bytes, name: str) -> None:
        """The model has no feed."""

    def __enter__(self) -> Self:
        arena = self._arena
        arena._require_writable()
        assert arena._running is None, "a transaction runs already on this thread"
        arena._running = self
        self._saved = {(db, key): arena._saved(db, key) for db, key in self._locked()}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        arena = self._arena
        arena._running = None
        if kind is None:
            return
        for db, key in self._locked():
            arena._databases[db].pop(key, None)
        for (db, key), item in self._saved.items():
            if item is not None:
                arena._databases[db][key] = item

    def _locked(self) -> list[tuple[int, bytes]]:
        if self._keys is not None:
            return [*self._keys]
        return [(db, key) for db, keys in enumerate(self._arena._databases) for key in keys]

    def _to_write(self, db: int, key: bytes) -> Arena:
        return self._declared(db, key)

    def set(self, db: int, key: bytes, value: bytes, expire_ms: int = 0, flags: int = 0) -> bool:
        return self._declared(db, key)._set(db, key, value, expire_ms, flags)

    def patch(self, db: int, key: bytes, offset: int, value: bytes) -> bool:
        old = self.get(db, key)
        info = self.describe(db, key)
        if old is None or info is None or info.encoding == "int" or len(value) > MAX_PATCH_BYTES:
            return False
        if offset + len(value) > len(old):
            return False
        new = old[:offset] + value + old[offset + len(value) :]
        return self.set(db, key, new, 0, SET_KEEP_TTL | SET_APPENDED)

    def delete(self, db: int, key: bytes) -> bool:
        return self._declared(db, key)._pop(db, key) is not None

    def expire(self, db: int, key: bytes, expire_ms: int, flags: int = 0) -> int:
        return self._declared(db, key)._expire(db, key, expire_ms, flags)

    def set_access(self, db: int, key: bytes, idle_ms: int = -1, frequency: int = -1) -> bool:
        return self._declared(db, key)._find(db, key) is not None

    def copy(
        self, from_db: int, from_key: bytes, to_db: int, to_key: bytes, replace: bool = False
    ) -> int:
        arena = self._declared(from_db, from_key)
        self._declared(to_db, to_key)
        item = arena._find(from_db, from_key)
        if item is None:
            return -1
        if arena._find(to_db, to_key) is not None and not replace:
            return 0
        twin = item.copy()
        flags = SET_APPENDED if item.appended else 0
        if isinstance(twin.value, bytes):
            arena._set(to_db, to_key, twin.value, item.expire_ms, flags)
        else:
            arena._keep(to_db, to_key, twin.value, item.expire_ms)
        return 1

    def rename(self, from_db: int, from_key: bytes, to_db: int, to_key: bytes) -> bool:
        arena = self._declared(from_db, from_key)
        self._declared(to_db, to_key)
        item = arena._pop(from_db, from_key)
        if item is not None:
            arena._databases[to_db][to_key] = item
        return item is not None


class Arena(OneShots):
    """The model itself.

    :param clock: Unix milliseconds; the wall clock unless a test wants its own
    """

    def __init__(
        self,
        *,
        writable: bool = True,
        max_key_bytes: int = 16_000,
        max_value_bytes: int = MAX_VALUE_BYTES,
        clock: Callable[[], int] = wall_clock_ms,
        seed: int = 0,
    ) -> None:
        self._writable = writable
        self._max_key_bytes = max_key_bytes
        self._max_value_bytes = max_value_bytes
        self._clock = clock
        self._random = random.Random(seed)
        self._databases: list[dict[bytes, Item]] = [{} for _ in range(DATABASES)]
        self._running: View | None = None
        self._tuning = Tuning()
        self.socket_path = ""
        self.name = "model"

    @property
    def writable(self) -> bool:
        return self._writable

    @property
    def max_key_bytes(self) -> int:
        return self._max_key_bytes

    def close(self) -> None:
        self._databases = []

    # ---- the few steps everything else is made of ----------------------------------------------

    def _require_writable(self) -> None:
        if not self._writable:
            raise errors.ReadOnly("the arena is attached for reading")

    def _outside_transaction(self) -> None:
        assert self._running is None, "the arena was used inside a transaction"

    def _write(self) -> None:
        self._outside_transaction()
        self._require_writable()

    def _to_read(self, db: int, key: bytes) -> Arena:
        self._outside_transaction()
        return self

    def _to_write(self, db: int, key: bytes) -> Arena:
        self._write()
        return self

    def _saved(self, db: int, key: bytes) -> Item | None:
        item = self._databases[db].get(key)
        return None if item is None else item.copy()

    def _find(self, db: int, key: bytes, touch: bool = False) -> Item | None:
        database = self._databases[db]
        item = database.get(key)
        if item is None:
            return None
        now_ms = self._clock()
        if 0 < item.expire_ms <= now_ms:
            del database[key]
            return None
        if touch:
            item.touched_ms = now_ms
            item.frequency = min(item.frequency + 1, 255)
        return item

    def _pop(self, db: int, key: bytes) -> Item | None:
        item = self._find(db, key)
        if item is not None:
            del self._databases[db][key]
        return item

    def _get(self, db: int, key: bytes) -> bytes | None:
        item = self._find(db, key, touch=True)
        return None if item is None else item.text()

    def _used_bytes(self) -> int:
        return sum(
            len(key) + item.size() + ENTRY_OVERHEAD_BYTES
            for database in self._databases
            for key, item in database.items()
        )

    def _make_room(self, db: int, key: bytes, value: bytes | Value) -> None:
        limit = self._tuning.maxmemory
        if limit == 0:
            return
        policy = POLICIES[self._tuning.policy]
        old = self._databases[db].get(key)
        wanted = len(key) + _size(value) + ENTRY_OVERHEAD_BYTES
        if old is not None:
            wanted -= len(key) + old.size() + ENTRY_OVERHEAD_BYTES
        while wanted > 0 and self._used_bytes() + wanted > limit:
            victims = [
                (number, name)
                for number, database in enumerate(self._databases)
                for name, item in database.items()
                if not self._holds(number, name)
                and (number, name) != (db, key)
                and (policy.startswith("allkeys") or item.expire_ms > 0)
            ]
            if policy == "noeviction" or not victims:
                raise errors.OutOfMemory("the model is full")
            number, name = self._random.choice(victims)
            del self._databases[number][name]

    def _holds(self, db: int, key: bytes) -> bool:
        """Whether the running transaction has locked the key."""
        running = self._running
        return running is not None and (running._keys is None or (db, key) in running._keys)

    def _keep(self, db: int, key: bytes, value: Value, expire_ms: int | None = None) -> None:
        """Let the key hold a container, or nothing if that is empty.

        :param expire_ms: None leaves the key's time of death alone
        """
        database = self._databases[db]
        if len(key) > self._max_key_bytes:
            raise errors.KeyTooLong(f"{len(key)} bytes")
        if value.longest() > self._max_value_bytes:
            raise errors.ValueTooLong("an element is too long")
        if not value and not isinstance(value, Stream):
            database.pop(key, None)
            return
        old = database.get(key)
        if expire_ms is None:
            expire_ms = 0 if old is None else old.expire_ms
        value.encode(self._tuning)
        self._make_room(db, key, value)
        database[key] = Item(value, expire_ms, self._clock(), old.frequency if old else 5)
        self._find(db, key)  # is its time past already?

    def _store(self, db: int, key: bytes, value: bytes, expire_ms: int, *, appended: bool) -> None:
        if len(key) > self._max_key_bytes:
            raise errors.KeyTooLong(f"{len(key)} bytes")
        if len(value) > self._max_value_bytes:
            raise errors.ValueTooLong(f"{len(value)} bytes")
        if 0 < expire_ms <= self._clock():
            self._databases[db].pop(key, None)
            return
        self._make_room(db, key, value)
        self._databases[db][key] = Item(value, expire_ms, self._clock(), appended=appended)

    def _set(self, db: int, key: bytes, value: bytes, expire_ms: int, flags: int) -> bool:
        if (flags & SET_NX and flags & SET_XX) or (flags & SET_KEEP_TTL and expire_ms):
            raise ValueError("contradicting arguments")
        item = self._find(db, key)
        if (flags & SET_NX and item is not None) or (flags & SET_XX and item is None):
            return False
        if flags & SET_KEEP_TTL and item is not None:
            expire_ms = item.expire_ms
        self._store(db, key, value, expire_ms, appended=bool(flags & SET_APPENDED))
        return True

    def _describe(self, db: int, key: bytes, touch: bool) -> Info | None:
        item = self._find(db, key, touch)
        if item is None:
            return None
        return Info(
            type="string" if isinstance(item.value, bytes) else item.value.kind,
            encoding=_encoding(item),
            expire_ms=item.expire_ms,
            value_bytes=item.size(),
            memory=len(key) + item.size() + ENTRY_OVERHEAD_BYTES,
            idle_ms=max(self._clock() - item.touched_ms, 0),
            frequency=item.frequency,
        )

    def _expire(self, db: int, key: bytes, expire_ms: int, flags: int) -> int:
        item = self._find(db, key)
        if item is None:
            return -1
        if not _expire_allowed(item.expire_ms, expire_ms, flags):
            return 0
        if 0 < expire_ms <= self._clock():
            del self._databases[db][key]
        else:
            item.expire_ms = expire_ms
        return 1

    def _live_items(self, db: int) -> Iterator[tuple[bytes, Item]]:
        for key in list(self._databases[db]):
            item = self._find(db, key)
            if item is not None:
                yield key, item

    # ---- reads ---------------------------------------------------------------------------------

    def get(self, db: int, key: bytes) -> bytes | None:
        self._outside_transaction()
        return self._get(db, key)

    def get_range(self, db: int, key: bytes, start: int, end: int) -> bytes:
        return _part(self.get(db, key) or b"", start, end)

    def get_many(self, db: int, keys: Sequence[bytes]) -> list[bytes | None]:
        self._outside_transaction()
        found = [self._find(db, key, touch=True) for key in keys]
        return [item.value if item and isinstance(item.value, bytes) else None for item in found]

    def describe(self, db: int, key: bytes, touch: bool = False) -> Info | None:
        self._outside_transaction()
        return self._describe(db, key, touch)

    def scan(self, db: int, cursor: int, count: int = 10) -> tuple[int, list[bytes]]:
        self._outside_transaction()
        return page([key for key, _ in self._live_items(db)], cursor, count)

    def read(
        self, keys: Iterable[tuple[int, bytes]] | None, work: Callable[[View], _Result]
    ) -> _Result:
        """Does the work twice, because the real arena may."""
        self._outside_transaction()
        self._running = view = View(self, keys)
        try:
            with suppress(Exception):  # what the first round says does not count
                work(view)
            return work(view)
        finally:
            self._running = None

    def random_key(self, db: int) -> bytes | None:
        self._outside_transaction()
        keys = [key for key, _ in self._live_items(db)]
        return self._random.choice(keys) if keys else None

    def db_keys(self, db: int) -> int:
        self._outside_transaction()
        return sum(1 for _ in self._live_items(db))

    def db_expires(self, db: int) -> int:
        self._outside_transaction()
        return sum(1 for _, item in self._live_items(db) if item.expire_ms)

    # ---- one-key writes ------------------------------------------------------------------------

    def set(self, db: int, key: bytes, value: bytes, expire_ms: int = 0, flags: int = 0) -> bool:
        self._write()
        return self._set(db, key, value, expire_ms, flags)

    def set_get(
        self, db: int, key: bytes, value: bytes, expire_ms: int = 0, flags: int = 0
    ) -> tuple[bool, bytes | None]:
        self._write()
        old = self._get(db, key)
        return self._set(db, key, value, expire_ms, flags), old

    def incr(self, db: int, key: bytes, by: int = 1) -> int:
        self._write()
        item = self._find(db, key, touch=True)
        number = 0 if item is None else integer_or_none(item.text())
        if number is None:
            raise errors.NotAnInteger("the value is no integer")
        if not INT64_MIN <= number + by <= INT64_MAX:
            raise errors.ValueOverflow("the sum needs more than 64 bits")
        self._set(db, key, str(number + by).encode(), 0, SET_KEEP_TTL)
        return number + by

    def append(self, db: int, key: bytes, value: bytes) -> int:
        self._write()
        old = self._get(db, key)
        longer = (old or b"") + value
        self._set(db, key, longer, 0, SET_KEEP_TTL | (0 if old is None else SET_APPENDED))
        return len(longer)

    def delete(self, db: int, key: bytes) -> bool:
        self._write()
        return self._pop(db, key) is not None

    def get_delete(self, db: int, key: bytes) -> bytes | None:
        self._write()
        item = self._find(db, key)
        if item is None:
            return None
        text = item.text()
        del self._databases[db][key]
        return text

    def expire(self, db: int, key: bytes, expire_ms: int, flags: int = 0) -> int:
        self._write()
        return self._expire(db, key, expire_ms, flags)

    # ---- the rest ------------------------------------------------------------------------------

    def transaction(
        self,
        keys: Iterable[tuple[int, bytes]] | None,
        event: str | None = None,
    ) -> Transaction:
        return Transaction(self, keys)

    def flush_db(self, db: int) -> None:
        self._write()
        for number in range(DATABASES) if db == -1 else (db,):
            self._databases[number] = {}

    def swap_db(self, a: int, b: int) -> None:
        self._write()
        databases = self._databases
        databases[a], databases[b] = databases[b], databases[a]

    def get_tuning(self) -> Tuning:
        return self._tuning

    def set_tuning(self, tuning: Tuning) -> None:
        self._write()
        self._tuning = Tuning(*tuning)

    def expire_cycle(self, budget_us: int) -> int:
        self._write()
        before = sum(map(len, self._databases))
        for db in range(DATABASES):
            for key, item in self._live_items(db):
                if isinstance(item.value, Hash):
                    item.value.drop_dead(self._clock())
                    if not item.value:
                        del self._databases[db][key]
        return before - sum(self.db_keys(db) for db in range(DATABASES))

    def validate(self) -> list[str]:
        return []


def _encoding(item: Item) -> str:
    if not isinstance(item.value, bytes):
        return item.value.encoding
    if item.appended:
        return "raw"
    if integer_or_none(item.value) is not None:
        return "int"
    return "embstr" if len(item.value) <= EMBSTR_BYTES else "raw"


def _expire_allowed(current_ms: int, wanted_ms: int, flags: int) -> bool:
    """EXPIRE's conditions; 0 is "never", and removing a time of death knows no conditions."""
    if wanted_ms == 0:
        return current_ms != 0
    if (flags & EXPIRE_NX and current_ms) or (flags & EXPIRE_XX and not current_ms):
        return False
    current = current_ms or float("inf")
    if flags & EXPIRE_GT and wanted_ms <= current:
        return False
    return not (flags & EXPIRE_LT and wanted_ms >= current)
