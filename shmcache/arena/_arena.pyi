"""The engine's binding: one attachment to one arena. Converts, calls, raises; holds no policy.

Keys are ``(db, key)`` with ``db`` 0-15 and ``key`` bytes. Times are absolute Unix milliseconds, 0
meaning never. Every method may raise :class:`~shmcache.errors.ArenaBusy` (a stripe stayed locked
past the limit) and :class:`~shmcache.errors.CorruptArena`; every write also
:class:`~shmcache.errors.ReadOnly`, :class:`~shmcache.errors.OutOfMemory`,
:class:`~shmcache.errors.KeyTooLong` and :class:`~shmcache.errors.ValueTooLong`.
"""

from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Literal, NamedTuple, Self, TypeAlias, TypeVar

_Result = TypeVar("_Result")

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
EVENT_CLASSES: dict[str, str]
"""The letter by which ``notify-keyspace-events`` asks for each event."""
EVERY_DB: int
"""The database of a change of all of them."""

Container: TypeAlias = Literal["list", "set", "zset", "hash"]
PUT_NX: int
PUT_XX: int
PUT_KEEP_TTL: int
ZADD_NX: int
ZADD_XX: int
ZADD_GT: int
ZADD_LT: int
ZADD_INCR: int
STREAM_META: int
"""Bytes that a stream keeps beside its trees."""
STREAM_TREES: int
HIDDEN_DB: int
"""One database more than SELECT knows, for what the daemon must not lose: its keys are not flushed,
swapped or evicted, and no command sees them."""

class Info(NamedTuple):
    """What :meth:`Arena.describe` knows of a key."""

    type: str
    """Redis's TYPE: ``string``, ``list``, ``set``, ``zset``, ``hash`` or ``stream``."""
    encoding: str
    """Redis's OBJECT ENCODING: ``int``, ``embstr``, ``raw``, ``listpack``, ``listpackex``,
    ``intset``, ``quicklist``, ``hashtable``, ``skiplist`` or ``stream``."""
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
    hash_max_listpack_entries: int
    hash_max_listpack_value: int
    set_max_intset_entries: int
    set_max_listpack_entries: int
    set_max_listpack_value: int
    zset_max_listpack_entries: int
    zset_max_listpack_value: int
    list_max_listpack_size: int
    hll_sparse_max_bytes: int
    """Until when a HyperLogLog stays sparse."""

class Statistics(NamedTuple):
    generation: int
    created_ms: int
    data_bytes: int
    access_bytes: int
    feed_bytes: int
    bus_bytes: int
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

class SegmentSizes(NamedTuple):
    data: int
    access: int
    feed: int
    bus: int

class Reads:
    """What can be read of containers: lock-free of an :class:`Arena`, a call being of one instant;
    of a :class:`View`, all calls together; or of the keys that a :class:`Transaction` holds.

    A missing key is an empty container, unless said otherwise. A key of another type raises
    :class:`~shmcache.errors.WrongType`. A hash's field that has expired is not there.
    """

    def length(self, db: int, key: bytes, kind: Container | Literal["stream"]) -> int:
        """Number of elements; a stream's entries."""
    def fingerprint(self, db: int, key: bytes) -> int:
        """A number that changes with every change of a key's content or expiry, and with no other;
        0: no key. Whatever the key's type.
        """

    # hashes
    def hash_get(self, db: int, key: bytes, field: bytes) -> bytes | None: ...
    def hash_get_many(self, db: int, key: bytes, fields: Sequence[bytes]) -> list[bytes | None]: ...
    def hash_all(self, db: int, key: bytes) -> list[bytes]:
        """Fields and values in turn."""
    def hash_fields(self, db: int, key: bytes) -> list[bytes]: ...
    def hash_values(self, db: int, key: bytes) -> list[bytes]: ...
    def hash_scan(self, db: int, key: bytes, cursor: int, count: int) -> tuple[int, list[bytes]]:
        """Fields and values in turn, at least ``count`` pairs unless the end is reached."""
    def hash_random(self, db: int, key: bytes, count: int, *, distinct: bool) -> list[bytes]:
        """Fields and values in turn, of ``count`` fields, or of all when fewer and distinct."""
    def hash_expiries(
        self, db: int, key: bytes, fields: Sequence[bytes]
    ) -> list[int | None] | None:
        """Unix milliseconds, 0 never, None no such field; None when there is no key."""

    # sets
    def set_has(self, db: int, key: bytes, members: Sequence[bytes]) -> list[bool]: ...
    def set_members(self, db: int, key: bytes) -> list[bytes]: ...
    def set_scan(self, db: int, key: bytes, cursor: int, count: int) -> tuple[int, list[bytes]]: ...
    def set_random(self, db: int, key: bytes, count: int, *, distinct: bool) -> list[bytes]: ...

    # lists
    def list_at(self, db: int, key: bytes, index: int) -> bytes | None: ...
    def list_range(self, db: int, key: bytes, start: int, stop: int) -> list[bytes]:
        """As LRANGE: inclusive, negative from the end."""

    # sorted sets
    def zset_scores(self, db: int, key: bytes, members: Sequence[bytes]) -> list[float | None]: ...
    def zset_rank(self, db: int, key: bytes, member: bytes) -> tuple[int, float] | None:
        """Rank from the lowest, and score."""
    def zset_members(
        self, db: int, key: bytes, first: int, count: int, reverse: bool = False
    ) -> list[bytes]:
        """``count`` members from rank ``first`` on, neither negative; ``reverse`` counts from the
        highest.
        """
    def zset_range(
        self, db: int, key: bytes, first: int, count: int, reverse: bool = False
    ) -> list[tuple[bytes, float]]:
        """The same with their scores."""
    def zset_seek(self, db: int, key: bytes, score: float, including: bool) -> int:
        """How many members have a lower score, or (``including``) a lower or equal one."""
    def zset_seek_lex(self, db: int, key: bytes, member: bytes, including: bool) -> int:
        """The same by the order of bytes, for sets whose scores are all the same."""
    def zset_scan(
        self, db: int, key: bytes, cursor: int, count: int
    ) -> tuple[int, list[tuple[bytes, float]]]: ...
    def zset_random(
        self, db: int, key: bytes, count: int, *, distinct: bool
    ) -> list[tuple[bytes, float]]: ...

    # streams: STREAM_TREES maps from bytes to bytes in memcmp's order, and some bytes beside them
    def stream_meta(self, db: int, key: bytes) -> bytes | None:
        """STREAM_META bytes; None when there is no key."""
    def tree_get(self, db: int, key: bytes, tree: int, name: bytes) -> bytes | None: ...
    def tree_range(
        self,
        db: int,
        key: bytes,
        tree: int,
        least: bytes,
        most: bytes,
        limit: int = -1,
        reverse: bool = False,
    ) -> list[tuple[bytes, bytes]]:
        """Names and values from ``least`` to ``most``, inclusive; -1: no limit. Reverse starts from
        ``most``.
        """
    def tree_count(self, db: int, key: bytes, tree: int, least: bytes, most: bytes) -> int: ...

class View(Reads):
    """Several reads of one instant: what :meth:`Arena.read` hands to its work."""

    def get(self, db: int, key: bytes) -> bytes | None: ...
    def get_range(self, db: int, key: bytes, start: int, end: int) -> bytes: ...
    def describe(self, db: int, key: bytes) -> Info | None: ...

class Transaction(View):
    """All the given keys locked; use as a context manager: commits, or rolls back on an exception.

    Between enter and exit the thread must use nothing else of the arena. Any write may raise
    :class:`~shmcache.errors.OutOfMemory`; then let it end the transaction. A container is made by
    the first element added and deleted with the last one removed (a stream is not).
    """

    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...
    def event(self, name: str | None) -> None:
        """What the changes from now on are called in the feed, and then told once for a key; None:
        each step by a name of its own; empty: Redis has no name for it; ``silent``: not told.
        That a key came, died or was deleted is told besides.

        :raises KeyError: there is no such event
        """
    def notify(self, db: int, key: bytes, name: str) -> None:
        """Tell of a change although nothing is changed, as Redis does here and there."""
    def get(self, db: int, key: bytes) -> bytes | None: ...
    def describe(self, db: int, key: bytes) -> Info | None: ...
    def set(
        self, db: int, key: bytes, value: bytes, expire_ms: int = 0, flags: int = 0
    ) -> bool: ...
    def patch(self, db: int, key: bytes, offset: int, value: bytes) -> bool:
        """Write into the middle of a string, whose encoding is raw then and whose TTL stays. False:
        it is shorter than that, missing or kept as an integer, or these are more than 4096 bytes.
        """
    def delete(self, db: int, key: bytes) -> bool: ...
    def expire(self, db: int, key: bytes, expire_ms: int, flags: int = 0) -> int:
        """1 changed, 0 a condition was not met, -1 no such key."""
    def set_access(self, db: int, key: bytes, idle_ms: int = -1, frequency: int = -1) -> bool:
        """What eviction, OBJECT IDLETIME and OBJECT FREQ go by; -1: leave it. False: no such key.

        The time goes back as far as the access clock does; each is ignored under the other policy.
        """
    def copy(
        self, from_db: int, from_key: bytes, to_db: int, to_key: bytes, replace: bool = False
    ) -> int:
        """1 copied, 0 the target exists, -1 no such source."""
    def rename(self, from_db: int, from_key: bytes, to_db: int, to_key: bytes) -> bool:
        """Take the source, TTL included, to the place of the target; False: no such source."""

    # whole databases: only in a transaction on the whole arena (keys=None). Its further steps go by
    # what these did; nobody else does before it commits.
    def flush_db(self, db: int) -> None:
        """-1: all but HIDDEN_DB."""
    def swap_db(self, a: int, b: int) -> None: ...
    def db_keys(self, db: int) -> int: ...
    def scan(self, db: int, cursor: int, count: int = 10) -> tuple[int, list[bytes]]: ...
    def random_key(self, db: int) -> bytes | None: ...
    def store(
        self,
        db: int,
        key: bytes,
        kind: Container,
        items: Sequence[bytes],
        scores: Sequence[float] = (),
        expire_ms: int = 0,
    ) -> None:
        """Put a new container in the place of whatever was there: members, elements, fields and
        values in turn, or members with ``scores``. Of equal ones the last counts. Nothing: deletes.
        """

    def hash_set(self, db: int, key: bytes, pairs: Sequence[bytes], flags: int = 0) -> int:
        """Set fields to values (in turn); how many fields are new. ``flags`` PUT_NX leaves existing
        ones alone, PUT_XX missing ones; a field loses its TTL unless PUT_KEEP_TTL.
        """
    def hash_delete(self, db: int, key: bytes, fields: Sequence[bytes]) -> int: ...
    def hash_expire(self, db: int, key: bytes, field: bytes, expire_ms: int) -> bool:
        """0: never. A field whose time is past counts as missing. False: no such field."""
    def set_add(self, db: int, key: bytes, members: Sequence[bytes]) -> int: ...
    def set_remove(self, db: int, key: bytes, members: Sequence[bytes]) -> int: ...
    def set_pop(self, db: int, key: bytes, count: int) -> list[bytes]: ...
    def list_push(
        self,
        db: int,
        key: bytes,
        elements: Sequence[bytes],
        *,
        left: bool,
        must_exist: bool = False,
    ) -> int:
        """One after the other; the new length, 0 if the list had to exist and did not."""
    def list_pop(self, db: int, key: bytes, count: int, *, left: bool) -> list[bytes]: ...
    def list_replace(self, db: int, key: bytes, index: int, element: bytes) -> bool:
        """False: no such (non-negative) index."""
    def list_insert(self, db: int, key: bytes, index: int, element: bytes) -> int:
        """Before the element at ``index``, or at the end; the new length."""
    def list_remove(self, db: int, key: bytes, index: int, count: int) -> int:
        """Elements from ``index`` on; how many there were."""
    def zset_add(
        self, db: int, key: bytes, member: bytes, score: float, flags: int = 0
    ) -> tuple[bool, bool, float] | None:
        """``(added, changed, score now)``; None when a ZADD_* flag forbade it.

        :raises NotFinite: ZADD_INCR gives no number
        """
    def zset_add_many(
        self, db: int, key: bytes, members: Sequence[bytes], scores: Sequence[float], flags: int = 0
    ) -> tuple[int, int]:
        """How many were added, and how many others got a new score."""
    def zset_remove(self, db: int, key: bytes, members: Sequence[bytes]) -> int: ...
    def zset_remove_range(self, db: int, key: bytes, first: int, count: int) -> int:
        """By rank; how many there were."""
    def zset_pop(
        self, db: int, key: bytes, count: int, *, highest: bool
    ) -> list[tuple[bytes, float]]: ...
    def stream_create(self, db: int, key: bytes, meta: bytes) -> None:
        """An empty stream, where no key is."""
    def stream_set_meta(self, db: int, key: bytes, meta: bytes) -> None: ...
    def tree_put(self, db: int, key: bytes, tree: int, name: bytes, value: bytes) -> bool:
        """True: the name is new."""
    def tree_remove(self, db: int, key: bytes, tree: int, name: bytes) -> bool: ...
    def tree_remove_range(
        self, db: int, key: bytes, tree: int, least: bytes, most: bytes, limit: int = -1
    ) -> int: ...

class Feed:
    """A reader of the arena's feed. One thread reads; another one may wait."""

    lost: bool
    """Whether the last read has missed changes, from between what it returned and the next ones:
    anything may have changed.
    """

    def close(self) -> None: ...
    def want(self, changes: bool, new: bool = False) -> None:
        """Have writers record changes, and keys that come (``new``), for as long as this process
        lives. Who wants nothing reads what others wanted.

        :raises ReadOnly: the arena is attached as a reader
        :raises ArenaBusy: a writer has stopped in the middle of a change
        """
    def read(self, limit: int = 1000) -> list[tuple[int, bytes, str, bool]]:
        """Of each change its database (`EVERY_DB`: all), key, event, and whether this process made
        it; about ``limit`` of them at most, more if a transaction has more.
        """
    def wait(self, timeout: float) -> bool:
        """Sleep until another process has committed something that was not read yet.

        :param timeout: seconds
        :return: False: it has not, and the time is over or :meth:`rouse` was called
        """
    def rouse(self) -> None: ...

class Arena(Reads):
    """An attachment. Safe in threads; survives fork.

    :raises LayoutMismatch: not an arena, truncated, or of another layout
    :raises OSError: the segments cannot be mapped
    """

    def __init__(
        self, data_fd: int, access_fd: int, feed_fd: int, bus_fd: int, *, writable: bool = False
    ) -> None: ...
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
    def read(
        self, keys: Iterable[tuple[int, bytes]] | None, work: Callable[[View], _Result]
    ) -> _Result:
        """What ``work`` returns (or raises) of a view on one instant.

        It is called again as long as somebody changed what it read, so it must do nothing but read
        its view; what it sees meanwhile may contradict itself, and errors from that are dropped. A
        writer locks ``keys`` (None: everything) when that happens too often.
        """

    # one-key writes
    def hash_set(self, db: int, key: bytes, pairs: Sequence[bytes], flags: int = 0) -> int: ...
    def hash_delete(self, db: int, key: bytes, fields: Sequence[bytes]) -> int: ...
    def set_add(self, db: int, key: bytes, members: Sequence[bytes]) -> int: ...
    def set_remove(self, db: int, key: bytes, members: Sequence[bytes]) -> int: ...
    def set_pop(self, db: int, key: bytes, count: int) -> list[bytes]: ...
    def list_push(
        self,
        db: int,
        key: bytes,
        elements: Sequence[bytes],
        *,
        left: bool,
        must_exist: bool = False,
    ) -> int: ...
    def list_pop(self, db: int, key: bytes, count: int, *, left: bool) -> list[bytes]: ...
    def zset_add(
        self, db: int, key: bytes, member: bytes, score: float, flags: int = 0
    ) -> tuple[bool, bool, float] | None: ...
    def zset_add_many(
        self, db: int, key: bytes, members: Sequence[bytes], scores: Sequence[float], flags: int = 0
    ) -> tuple[int, int]: ...
    def zset_remove(self, db: int, key: bytes, members: Sequence[bytes]) -> int: ...
    def zset_pop(
        self, db: int, key: bytes, count: int, *, highest: bool
    ) -> list[tuple[bytes, float]]: ...
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
    def transaction(
        self, keys: Iterable[tuple[int, bytes]] | None, event: str | None = None
    ) -> Transaction:
        """None locks the whole arena. ``event``: as if :meth:`Transaction.event` came first."""
    def feed(self) -> Feed:
        """A reader of what is committed from now on."""

    # databases
    def flush_db(self, db: int) -> None:
        """-1: all databases but HIDDEN_DB, at one instant."""
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
def format_arena(
    data_fd: int, access_fd: int, feed_fd: int, bus_fd: int, name: str, hash_seed: int
) -> None:
    """Format zeroed segments of the right sizes."""

def segment_sizes(data_bytes: int) -> SegmentSizes:
    """Bytes of the segments of a cache whose data segment has that size."""

def min_data_bytes() -> int: ...

# publish and subscribe

CHANNEL: int
PATTERN: int
SHARD_CHANNEL: int

class Listening(NamedTuple):
    """One process's subscriptions to one name."""

    kind: int
    name: bytes
    subscriptions: int
    own: bool
    whole: bool
    """False: the name is longer than what is given."""

def bus_publish(arena: Arena, kind: int, channel: bytes, message: bytes) -> None:
    """Put a message on the bus.

    :param kind: CHANNEL or SHARD_CHANNEL; 0 for "one that was too long"
    :raises ValueTooLong: it does not fit
    """

def bus_enter(arena: Arena, kind: int, name: bytes) -> int:
    """Enter a name, with one subscription, into the register: its place, -1 when that is full."""

def bus_count(arena: Arena, place: int, count: int) -> None:
    """Set the number of subscriptions; 0 takes the name out."""

def bus_entries(arena: Arena, kind: int = 0, name: bytes | None = None) -> list[Listening]:
    """Who listens, or who listens to just this name."""

def bus_has_others(arena: Arena) -> bool:
    """Whether other processes may be listening."""

def bus_rouse(arena: Arena) -> None:
    """Wake every process that waits for a message."""

class BusReader:
    """A place on the bus: what is published from now on. For one thread at a time."""

    def __init__(self, arena: Arena) -> None: ...
    @property
    def arena(self) -> Arena: ...
    def restart(self) -> None:
        """Go to the end."""
    def read(self) -> tuple[int, bool, bytes, bytes] | None:
        """The next message: its kind, whether this process published it, channel and text.

        :return: None when there is none yet
        :raises MessagesLost: some were overwritten before they could be read
        """
    def wait(self, timeout_ms: int) -> None:
        """Sleep until there may be a message, a second at most, without the interpreter lock."""
