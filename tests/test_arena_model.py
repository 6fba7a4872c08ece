"""The real arena against the naive one: random operations on both, every outcome compared."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import model_arena
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from shmcache import errors
from shmcache.arena import (
    EXPIRE_GT,
    EXPIRE_LT,
    EXPIRE_NX,
    EXPIRE_XX,
    POLICIES,
    SET_APPENDED,
    SET_KEEP_TTL,
    SET_NX,
    SET_XX,
    Arena,
    format_arena,
    min_data_bytes,
    segment_sizes,
)

if TYPE_CHECKING:
    from collections.abc import Callable

EXAMPLES = int(os.environ.get("SHMCACHE_MODEL_EXAMPLES", "60"))
DATABASES = (0, 1, 15)
FAR_MS = 4_102_444_800_000  # in the year 2100
PAST_MS = 1000

Operation: TypeAlias = tuple[str, tuple[Any, ...]]
Outcome: TypeAlias = tuple[str, Any]
# What the model need not foresee; nothing may have changed after it, so the model is left alone.
UNDONE: tuple[Outcome, ...] = (("raised", "OutOfMemory"), ("raised", "KeyTooLong"))

SETTINGS = settings(
    max_examples=EXAMPLES,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    # Shrinking a failure of a whole machine takes minutes; ask for it when one has to be found.
    phases=[
        phase for phase in Phase if phase is not Phase.shrink or "SHMCACHE_SHRINK" in os.environ
    ],
)

# ---- what to do ----------------------------------------------------------------------------------

keys = st.one_of(
    st.sampled_from([b"a", b"b", b"c", b"", b"k\x00\xff"]),
    st.sampled_from([3000, 20_000]).map(lambda length: b"L" * length),
    st.integers(0, 300).map(lambda number: b"key:%d" % number),
)
numbers = st.sampled_from([b"0", b"-1", b"10", b"9223372036854775807", b"-9223372036854775808"])
values = st.one_of(
    numbers,
    st.binary(max_size=50),
    st.sampled_from([1, 44, 45, 60, 100, 500, 1000, 3000, 4040, 4096, 5000, 20_000]).map(
        lambda length: bytes(index * 7 & 0xFF for index in range(length))
    ),
)
dbs = st.sampled_from(DATABASES)
times = st.sampled_from([0, 0, 0, PAST_MS, FAR_MS, FAR_MS + 1, FAR_MS + 10**9])
set_flags = st.sampled_from(
    [0, 0, 0, SET_NX, SET_XX, SET_KEEP_TTL, SET_KEEP_TTL | SET_XX, SET_APPENDED]
)
expire_flags = st.sampled_from(
    [0, 0, EXPIRE_NX, EXPIRE_XX, EXPIRE_GT, EXPIRE_LT, EXPIRE_XX | EXPIRE_GT]
)
bounds = st.sampled_from([0, 1, 3, -1, -3, 50, 4000, -4000, 2**63 - 1, -(2**63)])
steps = st.sampled_from([1, -1, 7, 2**63 - 1, -(2**63)])


def _operation(name: str, *arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[Operation]:
    return st.tuples(st.just(name), st.tuples(*arguments))


writes = st.one_of(
    _operation("set", dbs, keys, values, times, set_flags),
    _operation("set", dbs, keys, values),
    _operation("set_get", dbs, keys, values, times, set_flags),
    _operation("set", dbs, keys, numbers),
    _operation("incr", dbs, keys, steps),
    _operation("append", dbs, keys, values),
    _operation("delete", dbs, keys),
    _operation("get_delete", dbs, keys),
    _operation("expire", dbs, keys, times, expire_flags),
)
reads = st.one_of(
    _operation("get", dbs, keys),
    _operation("get_range", dbs, keys, bounds, bounds),
    _operation("get_many", dbs, st.lists(keys, max_size=4)),
    _operation("describe", dbs, keys),
)
whole = st.one_of(
    _operation("flush_db", st.sampled_from([0, 1, -1])),
    _operation("swap_db", dbs, dbs),
    _operation("db_keys", dbs),
    _operation("db_expires", dbs),
)
inner = st.one_of(
    _operation("get", dbs, keys),
    _operation("get_range", dbs, keys, bounds, bounds),
    _operation("patch", dbs, keys, st.integers(0, 60) | st.integers(0, 20_000), values),
    _operation("describe", dbs, keys),
    _operation("set", dbs, keys, values, times, set_flags),
    _operation("delete", dbs, keys),
    _operation("expire", dbs, keys, times, expire_flags),
    _operation("copy", dbs, keys, dbs, keys, st.booleans()),
)
batches = st.lists(st.one_of(writes, writes, reads), min_size=1, max_size=12)


# ---- doing it ------------------------------------------------------------------------------------


class RollbackError(Exception):
    """Raised inside a transaction to undo it."""


def attempt(act: Callable[[], Any]) -> Outcome:
    try:
        return ("returned", act())
    except (errors.ShmcacheError, RollbackError, ValueError) as error:
        return ("raised", type(error).__name__)


def comparable(outcome: Outcome) -> Outcome:
    """Without what the two may differ in: memory, idle time, access frequency."""
    kind, result = outcome
    if hasattr(result, "encoding"):
        result = (result.type, result.encoding, result.expire_ms, result.value_bytes)
    if isinstance(result, list) and result and isinstance(result[0], tuple):
        result = [comparable(part) for part in result]
    return (kind, result)


def declared_keys(operations: list[Operation]) -> list[tuple[int, bytes]]:
    pairs = []
    for name, arguments in operations:
        pairs.append((arguments[0], arguments[1]))
        if name == "copy":
            pairs.append((arguments[2], arguments[3]))
    return pairs


def transact(arena: Any, operations: list[Operation], *, declare: bool, fail: bool) -> Any:
    outcomes = []
    with arena.transaction(declared_keys(operations) if declare else None) as transaction:
        for name, arguments in operations:
            outcomes.append(("returned", getattr(transaction, name)(*arguments)))
        if fail:
            raise RollbackError
    return outcomes


def scan_all(arena: Any, db: int, count: int) -> list[bytes]:
    found: list[bytes] = []
    cursor = 0
    while True:
        cursor, batch = arena.scan(db, cursor, count)
        found += batch
        if cursor == 0:
            return sorted(found)


def make_arena(data_bytes: int) -> Arena:
    """An arena that has no name and goes with its attachment."""
    sizes = segment_sizes(data_bytes)
    fds = [os.memfd_create(kind) for kind in sizes._fields]
    for fd, size in zip(fds, sizes, strict=True):
        os.truncate(fd, size)
    data, access, feed, bus = fds
    format_arena(data, access, feed, bus, "model", 7)
    arena = Arena(data, access, feed, bus, writable=True)
    for fd in fds:
        os.close(fd)
    return arena


class Machine(RuleBasedStateMachine):
    """Both arenas, fed the same."""

    data_bytes: ClassVar[int]
    policy: ClassVar[str] = "noeviction"

    def __init__(self) -> None:
        super().__init__()
        self.real = make_arena(self.data_bytes)
        tuning = self.real.get_tuning()
        self.real.set_tuning(tuning._replace(policy=POLICIES.index(self.policy)))
        self.model = model_arena.Arena(max_key_bytes=self.real.max_key_bytes)

    def settle(self) -> None:
        """Bring the model in line with what the real arena may do by itself; here nothing."""

    def both(self, name: str, arguments: tuple[Any, ...]) -> None:
        real = attempt(lambda: getattr(self.real, name)(*arguments))
        if real not in UNDONE:
            model = attempt(lambda: getattr(self.model, name)(*arguments))
            assert comparable(real) == comparable(model), (name, arguments)
        self.settle()

    @rule(batch=batches)
    def one_key(self, batch: list[Operation]) -> None:
        for name, arguments in batch:
            self.both(name, arguments)

    @rule(db=dbs, first=st.integers(0, 250), length=st.sampled_from([0, 100, 3000, 9000]))
    def fill(self, db: int, first: int, length: int) -> None:
        for number in range(first, first + 50):
            self.both("set", (db, b"key:%d" % number, bytes(length)))

    @rule(operation=whole)
    def all_keys(self, operation: Operation) -> None:
        # Neither counts the dead, but the real arena counts those it has not come across yet.
        self.real.expire_cycle(1_000_000)
        self.both(*operation)

    @rule(
        operations=st.lists(inner, min_size=1, max_size=6),
        declare=st.booleans(),
        fail=st.booleans(),
    )
    def together(self, operations: list[Operation], declare: bool, fail: bool) -> None:
        self.both_transact(operations, declare=declare, fail=fail)

    def both_transact(self, operations: list[Operation], **options: bool) -> None:
        real = attempt(lambda: transact(self.real, operations, **options))
        if real not in UNDONE:
            model = attempt(lambda: transact(self.model, operations, **options))
            assert comparable(real) == comparable(model), (operations, options)
        self.settle()

    @rule(db=dbs, count=st.sampled_from([1, 7, 1000]))
    def scan(self, db: int, count: int) -> None:
        assert scan_all(self.real, db, count) == scan_all(self.model, db, count)

    @rule(db=dbs)
    def random_key(self, db: int) -> None:
        key = self.real.random_key(db)
        assert (key is None) == (self.model.random_key(db) is None)
        assert key is None or self.model.get(db, key) is not None

    @rule(db=dbs, batch=st.lists(st.tuples(keys, values), min_size=1, max_size=5))
    def let_them_die(self, db: int, batch: list[tuple[bytes, bytes]]) -> None:
        soon_ms = model_arena.wall_clock_ms() + 3
        for key, value in batch:
            self.both("set", (db, key, value, soon_ms))
        while model_arena.wall_clock_ms() <= soon_ms + 1:
            time.sleep(0.001)

    @rule()
    def maintain(self) -> None:
        self.real.expire_cycle(10_000)
        self.real.reserve_cycle(10_000)
        self.settle()

    def teardown(self) -> None:
        for db in range(16):
            found = scan_all(self.real, db, 50)
            assert found == scan_all(self.model, db, 50)
            for key in found:
                self.both("get", (db, key))
                self.both("describe", (db, key))
        assert self.real.validate() == []
        self.real.close()


class Roomy(Machine):
    """Enough room for everything: index growth, transactions, expiry."""

    data_bytes = 8 << 20


class Cramped(Machine):
    """The smallest arena, nothing evicted: out of memory all the time, and nothing half done."""

    data_bytes = min_data_bytes()


class Evicting(Machine):
    """The smallest arena, keys evicted: what is there is right, and validates."""

    data_bytes = min_data_bytes()
    policy = "allkeys-lru"

    def settle(self) -> None:
        for db in range(16):
            there = set(scan_all(self.real, db, 1000))
            for key in scan_all(self.model, db, 1000):
                if key not in there:
                    self.model.delete(db, key)


def test_keys_have_a_longest_length() -> None:
    arena = make_arena(min_data_bytes())
    longest = b"k" * arena.max_key_bytes
    for value in (b"", b"value", bytes(10_000)):
        assert arena.set(0, longest, value)
        assert arena.get(0, longest) == value
    assert attempt(lambda: arena.set(0, longest + b"k", b"value")) == ("raised", "KeyTooLong")
    assert arena.get(0, longest + b"k") is None
    assert scan_all(arena, 0, 10) == [longest]
    assert arena.validate() == []
    arena.close()


def test_a_value_that_can_never_fit_changes_nothing() -> None:
    arena = make_arena(min_data_bytes())
    arena.set(0, b"a", b"before", FAR_MS)
    for write in (
        lambda: arena.set(0, b"a", bytes(1 << 20)),
        lambda: arena.append(0, b"a", bytes(1 << 20)),
        lambda: arena.set_get(0, b"a", bytes(1 << 20)),
    ):
        assert attempt(write) == ("raised", "ValueTooLong")
    assert arena.get(0, b"a") == b"before"
    info = arena.describe(0, b"a")
    assert info is not None
    assert info.expire_ms == FAR_MS
    assert arena.validate() == []
    arena.close()


@pytest.mark.parametrize("machine", [Roomy, Cramped, Evicting])
def test_against_the_model(machine: type[Machine]) -> None:
    run_state_machine_as_test(machine, settings=SETTINGS)
