"""The engine's binding: one attachment to one arena. Converts, calls, raises; holds no policy.

Keys are ``(db, key)`` with ``db`` 0-15 and ``key`` bytes. Times are absolute Unix milliseconds, 0
meaning never. Every method may raise :class:`~shmcache.errors.ArenaBusy` (a stripe stayed locked
past the limit) and :class:`~shmcache.errors.CorruptArena`; every write also
:class:`~shmcache.errors.ReadOnly`, :class:`~shmcache.errors.OutOfMemory`,
:class:`~shmcache.errors.KeyTooLong` and :class:`~shmcache.errors.ValueTooLong`.
"""

from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import NamedTuple, Self

SET_NX: int
SET_XX: int
SET_KEEP_TTL: int
SET_APPENDED: int
"""Keep the bytes as they are, encoded ``raw``, as APPEND and SETRANGE do."""
EXPIRE_NX: int
EXPIRE_XX: int
EXPIRE_GT: int
EXPIRE_LT: int
POLICIES: tuple[str, ...]
"""Redis's maxmemory-policy names; the index is the number in :class:`Tuning`."""
BEAT_SUPERVISOR: int
BEAT_FRONTEND: int
BEAT_MAINTENANCE: int
BEAT_PERSISTER: int

class Info(NamedTuple):
    """What :meth:`Arena.describe` knows of a key."""

    type: str
    """``string`` (Redis's TYPE)."""
    encoding: str
    """``int``, ``embstr`` or ``raw`` (Redis's OBJECT ENCODING)."""
    expire_ms: int
    value_bytes: int
    memory: int
    idle_ms: int
    frequency: int

class Tuning(NamedTuple):
    maxmemory: int
    policy: int
    samples: int
    lfu_log_factor: int
    lfu_decay_minutes: int
    reserve_permille: int

class Statistics(NamedTuple):
    generation: int
    created_ms: int
    data_bytes: int
    access_bytes: int
    heap_bytes: int
    used_bytes: int
    """Bytes in blocks: live data with their headers, tables, and what writers hold ready."""
    page_bytes: int
    pages: int
    free_pages: int
    stripes: int
    slots: int
    slots_used: int
    keys: int
    index_bytes: int
    hits: int
    misses: int
    retries: int
    evicted: int
    expired: int
    max_key_bytes: int

class Transaction:
    """All the given keys locked; use as a context manager: commits, or rolls back on an exception.

    Between enter and exit the thread must use nothing else of the arena.
    """

    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...
    def get(self, db: int, key: bytes) -> bytes | None: ...
    def describe(self, db: int, key: bytes) -> Info | None: ...
    def set(
        self, db: int, key: bytes, value: bytes, expire_ms: int = 0, flags: int = 0
    ) -> bool: ...
    def delete(self, db: int, key: bytes) -> bool: ...
    def expire(self, db: int, key: bytes, expire_ms: int, flags: int = 0) -> int:
        """1 changed, 0 a condition was not met, -1 no such key."""
    def copy(
        self, from_db: int, from_key: bytes, to_db: int, to_key: bytes, replace: bool = False
    ) -> int:
        """1 copied, 0 the target exists, -1 no such source."""

class Arena:
    """An attachment. Safe in threads; survives fork.

    :raises LayoutMismatch: not an arena, truncated, or of another layout
    :raises OSError: the segments cannot be mapped
    """

    def __init__(self, data_fd: int, access_fd: int, *, writable: bool = False) -> None: ...
    @property
    def writable(self) -> bool: ...
    @property
    def max_key_bytes(self) -> int: ...
    @property
    def touching(self) -> bool:
        """Do reads leave access marks? False for a client under CLIENT NO-TOUCH."""
    @touching.setter
    def touching(self, touching: bool) -> None: ...
    def close(self) -> None: ...

    # reads
    def get(self, db: int, key: bytes) -> bytes | None: ...
    def get_range(self, db: int, key: bytes, start: int, end: int) -> bytes:
        """GETRANGE: inclusive, negative from the end; empty when the key is missing."""
    def get_many(self, db: int, keys: Sequence[bytes]) -> list[bytes | None]:
        """All as of one instant; a key of another type counts as missing, as in MGET."""
    def describe(self, db: int, key: bytes, touch: bool = False) -> Info | None: ...
    def scan(self, db: int, cursor: int, count: int = 10) -> tuple[int, list[bytes]]: ...
    def random_key(self, db: int) -> bytes | None: ...
    def db_keys(self, db: int) -> int: ...
    def db_expires(self, db: int) -> int: ...

    # one-key writes
    def set(self, db: int, key: bytes, value: bytes, expire_ms: int = 0, flags: int = 0) -> bool:
        """False when NX or XX forbade it."""
    def set_get(
        self, db: int, key: bytes, value: bytes, expire_ms: int = 0, flags: int = 0
    ) -> tuple[bool, bytes | None]:
        """SET ... GET: whether it was set, and the old value."""
    def incr(self, db: int, key: bytes, by: int = 1) -> int:
        """:raises NotAnInteger: :raises ValueOverflow:"""
    def append(self, db: int, key: bytes, value: bytes) -> int: ...
    def delete(self, db: int, key: bytes) -> bool: ...
    def get_delete(self, db: int, key: bytes) -> bytes | None: ...
    def expire(self, db: int, key: bytes, expire_ms: int, flags: int = 0) -> int:
        """1 changed, 0 a condition was not met (or PERSIST found no TTL), -1 no such key."""

    # several keys
    def transaction(self, keys: Iterable[tuple[int, bytes]] | None) -> Transaction:
        """None locks the whole arena."""

    # databases
    def flush_db(self, db: int) -> None:
        """-1: all databases at one instant."""
    def swap_db(self, a: int, b: int) -> None: ...

    # configuration in the arena
    def get_tuning(self) -> Tuning: ...
    def set_tuning(self, tuning: Tuning) -> None: ...
    @property
    def socket_path(self) -> str: ...
    @socket_path.setter
    def socket_path(self, path: str) -> None: ...
    @property
    def name(self) -> str: ...
    def beat(self, process: int) -> None:
        """Store this process's pid and the time as heartbeat ``process`` (BEAT_*)."""
    def get_beat(self, process: int) -> tuple[int, int]:
        """``(pid, beat_ms)``; pid 0 when it never beat."""

    # maintenance
    def sweep_slots(self) -> int: ...
    def expire_cycle(self, budget_us: int) -> int: ...
    def reserve_cycle(self, budget_us: int) -> None: ...
    def tick(self) -> None: ...
    def statistics(self) -> Statistics: ...
    def reset_statistics(self) -> None: ...

    # proofs and pictures
    def validate(self) -> list[str]:
        """Problems found, empty when the arena is whole."""
    def dump(self) -> str: ...

def hash64(data: bytes, seed: int = 0) -> int: ...
def format_arena(data_fd: int, access_fd: int, name: str, hash_seed: int) -> None:
    """Format two zeroed segments of the right sizes."""

def access_bytes(data_bytes: int) -> int:
    """Size of the access segment that goes with a data segment."""

def min_data_bytes() -> int: ...
