"""The real arena's containers against the naive ones: random operations on both, all compared.

What chance or a hash decides is compared as far as it can be: members at random must be members,
and what is popped from one set is taken out of the other.
"""

from __future__ import annotations

import time
from functools import partial
from itertools import chain, combinations
from typing import TYPE_CHECKING, Any, ClassVar

import model_arena
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from test_arena_model import (
    FAR_MS,
    SETTINGS,
    UNDONE,
    Operation,
    Outcome,
    RollbackError,
    attempt,
    make_arena,
    scan_all,
)

from shmcache.arena import (
    POLICIES,
    PUT_KEEP_TTL,
    PUT_NX,
    PUT_XX,
    STREAM_META,
    STREAM_TREES,
    ZADD_GT,
    ZADD_INCR,
    ZADD_LT,
    ZADD_NX,
    ZADD_XX,
    min_data_bytes,
)

if TYPE_CHECKING:
    from collections.abc import Callable

KINDS = ("hash", "set", "list", "zset")
SCORES = (0.0, 1.0, -1.5, 2.0**53, 1e300, float("inf"), float("-inf"))
ENDS = (-(2**63), -5, -1, 0, 1, 3, 100, 2**63 - 1)

# ---- what to do ----------------------------------------------------------------------------------

keys = st.sampled_from([b"a", b"b", b"", b"k\x00\xff"])
texts = st.one_of(
    st.integers(0, 6).map(lambda number: b"%d" % number),
    st.integers(0, 6).map(lambda number: b"member:%d" % number),
    st.integers(0, 400).map(lambda number: b"member:%d" % number),
    st.sampled_from([b"", b"\x00\xff", b"-1", b"01", b"9223372036854775807"]),
    st.sampled_from([64, 65, 300, 2100, 5000]).map(lambda length: b"x" * length),
)
some = st.lists(texts, min_size=1, max_size=6)
pairs = st.lists(st.tuples(texts, texts), min_size=1, max_size=4).map(
    lambda several: [part for pair in several for part in pair]
)
scores = st.sampled_from(SCORES)
places = st.integers(0, 200)
counts = st.sampled_from([0, 1, 2, 7, 150, 2**62])
ends = st.sampled_from(ENDS)
times = st.sampled_from([0, FAR_MS, FAR_MS + 5])
put_flags = st.sampled_from([0, 0, PUT_NX, PUT_XX, PUT_KEEP_TTL])
add_flags = st.sampled_from([0, 0, 0, ZADD_NX, ZADD_XX, ZADD_GT, ZADD_LT, ZADD_XX | ZADD_GT])
incr_flags = st.sampled_from([ZADD_INCR, ZADD_INCR | ZADD_XX, ZADD_INCR | ZADD_GT])
kinds = st.sampled_from(KINDS)
trees = st.sampled_from([0, 0, 0, STREAM_TREES - 1])


def _operation(
    name: str, *arguments: st.SearchStrategy[Any], **options: st.SearchStrategy[Any]
) -> st.SearchStrategy[Operation]:
    """``name(0, key, *arguments, **options)``; the options come last, as one dictionary."""
    return st.tuples(
        st.just(name), st.tuples(st.just(0), keys, *arguments, st.fixed_dictionaries(options))
    )


def _scored(flags: st.SearchStrategy[int]) -> st.SearchStrategy[Operation]:
    return _operation("zset_add", texts, scores, flags)


one_shots = st.one_of(
    _operation("hash_set", pairs, put_flags),
    _operation("hash_delete", some),
    _operation("set_add", some),
    _operation("set_remove", some),
    _operation("list_push", some, left=st.booleans(), must_exist=st.booleans()),
    _operation("list_pop", counts, left=st.booleans()),
    _scored(add_flags),
    _scored(incr_flags),
    _operation("zset_remove", some),
    _operation("zset_pop", counts, highest=st.booleans()),
    _operation("delete"),
    _operation("expire", times),
    _operation("set", texts),
)
reads = st.one_of(
    _operation("length", kinds),
    _operation("hash_get", texts),
    _operation("hash_get_many", some),
    _operation("hash_expiries", some),
    _operation("set_has", some),
    _operation("list_at", ends),
    _operation("list_at", places),
    _operation("list_range", ends, ends),
    _operation("list_range", places, places),
    _operation("zset_scores", some),
    _operation("zset_rank", texts),
    _operation("zset_members", places, counts, st.booleans()),
    _operation("zset_range", places, counts, st.booleans()),
    _operation("zset_seek", scores, st.booleans()),
    _operation("get"),
)
inner = st.one_of(
    one_shots,
    one_shots,
    reads,
    _operation("hash_expire", texts, times),
    _operation("list_replace", places, texts),
    _operation("list_remove", places, counts),
    _operation("zset_remove_range", places, counts),
    _operation("store", st.just("set"), some),
    _operation("store", st.just("list"), st.lists(texts, max_size=5), expire_ms=times),
    _operation("store", st.just("hash"), pairs),
    _operation("rename", st.just(0), keys),
    _operation("copy", st.just(0), keys, st.booleans()),
)


# ---- doing it ------------------------------------------------------------------------------------


def call(operation: Operation, arena: Any) -> Any:
    name, (*arguments, options) = operation
    return getattr(arena, name)(*arguments, **options)


def transact(operations: list[Operation], arena: Any, *, fail: bool) -> list[Outcome]:
    named = [(0, arguments[1]) for _, arguments in operations]
    named += [(0, args[3]) for name, args in operations if name in {"rename", "copy"}]
    with arena.transaction(named) as transaction:
        outcomes = [("returned", call(operation, transaction)) for operation in operations]
        if fail:
            raise RollbackError
    return outcomes


def everything(key: bytes, arena: Any) -> Any:
    """What a key holds, with its encoding and times of death, in an order that does not matter."""
    info = arena.describe(0, key)
    if info is None:
        return None
    contents, more = CONTENTS[info.type](key, arena)
    if info.type != "string":
        size = len(more[1][0]) if info.type == "stream" else len(contents)
        assert arena.length(0, key, info.type) == size
    # the limit of a packed list is one of bytes, which the model only guesses
    encoding = None if info.type == "list" else info.encoding
    return info.type, encoding, info.expire_ms, contents, more


def _hash(key: bytes, arena: Any) -> Any:
    flat = arena.hash_all(0, key)
    assert arena.hash_fields(0, key) == flat[::2]
    assert arena.hash_values(0, key) == flat[1::2]
    expiries = arena.hash_expiries(0, key, flat[::2])
    return sorted(zip(flat[::2], flat[1::2], strict=True)), dict(
        zip(flat[::2], expiries, strict=True)
    )


def _list(key: bytes, arena: Any) -> Any:
    whole = arena.list_range(0, key, 0, -1)
    parts = [arena.list_range(0, key, first, last) for first in ENDS for last in ENDS]
    return whole, (parts, [arena.list_at(0, key, end) for end in ENDS])


def _sorted_set(key: bytes, arena: Any) -> Any:
    whole = arena.zset_range(0, key, 0, 1 << 40)
    assert arena.zset_range(0, key, 0, 1 << 40, True) == whole[::-1]
    below = [arena.zset_seek(0, key, score, including) for score in SCORES for including in (0, 1)]
    return whole, (below, [arena.zset_rank(0, key, member) for member, _ in whole[::37]])


def _stream(key: bytes, arena: Any) -> Any:
    last = b"\xff" * 20
    trees = [arena.tree_range(0, key, tree, b"", last) for tree in range(STREAM_TREES)]
    for tree, names in enumerate(trees):
        assert arena.tree_range(0, key, tree, b"", last, -1, True) == names[::-1]
        assert arena.tree_count(0, key, tree, b"", last) == len(names)
    return None, (arena.stream_meta(0, key), trees)


CONTENTS: dict[str, Callable[[bytes, Any], Any]] = {
    "hash": _hash,
    "set": lambda key, arena: (sorted(arena.set_members(0, key)), None),
    "list": _list,
    "zset": _sorted_set,
    "stream": _stream,
    "string": lambda key, arena: (arena.get(0, key), None),
}


def sizes(arena: Any) -> dict[bytes, Any]:
    """Of each key its type, time of death and number of elements."""
    found = {}
    for key in scan_all(arena, 0, 1000):
        info = arena.describe(0, key)
        size = 1 if info.type == "string" else arena.length(0, key, info.type)
        found[key] = (info.type, info.expire_ms, size)
    return found


def scan_names(scan: Callable[..., tuple[int, list[Any]]], key: bytes, step: int) -> list[Any]:
    found: list[Any] = []
    cursor = 0
    while True:
        cursor, part = scan(0, key, cursor, step)
        found += part
        if cursor == 0:
            return found


class Containers(RuleBasedStateMachine):
    """Both arenas, fed the same; room for everything."""

    data_bytes: ClassVar[int] = 8 << 20
    policy: ClassVar[str] = "noeviction"

    def __init__(self) -> None:
        super().__init__()
        self.real = make_arena(self.data_bytes)
        tuning = self.real.get_tuning()
        self.real.set_tuning(tuning._replace(policy=POLICIES.index(self.policy)))
        self.now_ms = model_arena.wall_clock_ms()
        self.model = model_arena.Arena(
            max_key_bytes=self.real.max_key_bytes, clock=lambda: self.now_ms
        )

    def settle(self) -> None:
        """Bring the model in line with what the real arena may do by itself; here nothing."""

    def both(self, act: Callable[[Any], Any], what: object) -> None:
        real = attempt(lambda: act(self.real))
        if real not in UNDONE:
            assert real == attempt(lambda: act(self.model)), what
        self.settle()

    @rule(operations=st.lists(st.one_of(one_shots, one_shots, reads), min_size=1, max_size=15))
    def one_after_the_other(self, operations: list[Operation]) -> None:
        for operation in operations:
            self.both(partial(call, operation), operation)

    @rule(operations=st.lists(inner, min_size=1, max_size=6), fail=st.booleans())
    def together(self, operations: list[Operation], fail: bool) -> None:
        self.both(partial(transact, operations, fail=fail), operations)

    @rule(key=keys, kind=kinds, first=places, size=st.sampled_from([20, 140, 600]), width=places)
    def fill(self, key: bytes, kind: str, first: int, size: int, width: int) -> None:
        """Past every limit of being packed."""
        names = [b"member:%0*d" % (width // 8, number) for number in range(first, first + size)]
        if kind == "hash":
            flat = [part for name in names for part in (name, name)]
            self.both(lambda arena: arena.hash_set(0, key, flat), kind)
        elif kind == "set":
            numbers = [b"%d" % number for number in range(first, first + size)]
            chosen = numbers if width % 2 else names
            self.both(lambda arena: arena.set_add(0, key, chosen), kind)
        elif kind == "list":
            self.both(lambda arena: arena.list_push(0, key, names, left=width % 2 == 0), kind)
        else:
            ranks = [float(number % 50) for number in range(size)]
            self.both(lambda arena: arena.zset_add_many(0, key, names, ranks), kind)

    @rule(key=keys, count=counts)
    def pop_members(self, key: bytes, count: int) -> None:
        real = attempt(lambda: self.real.set_pop(0, key, count))
        if real[0] == "raised":
            assert real in UNDONE or real == attempt(lambda: self.model.set_pop(0, key, 0))
        else:
            wanted = min(count, self.model.length(0, key, "set"))
            assert len(real[1]) == len(set(real[1])) == wanted
            assert self.model.set_remove(0, key, real[1]) == wanted
        self.settle()

    @rule(key=keys, count=st.sampled_from([1, 5, 150, 1000]), distinct=st.booleans())
    def members_at_random(self, key: bytes, count: int, distinct: bool) -> None:
        info = self.real.describe(0, key)
        if info is None or info.type not in {"set", "hash", "zset"}:
            return
        chosen: list[Any] = getattr(self.real, f"{info.type}_random")(
            0, key, count, distinct=distinct
        )
        whole: list[Any] = everything(key, self.real)[3]
        if info.type == "hash":
            chosen = list(zip(chosen[::2], chosen[1::2], strict=True))
        assert set(chosen) <= set(whole)
        assert len(chosen) == (min(count, len(whole)) if distinct else count)
        assert not distinct or len(set(chosen)) == len(chosen)

    @rule(key=keys, step=st.sampled_from([1, 10, 1000]))
    def scan(self, key: bytes, step: int) -> None:
        found = everything(key, self.real)
        if found is None or found[0] not in {"set", "hash", "zset"}:
            return
        scanned: list[Any] = scan_names(getattr(self.real, f"{found[0]}_scan"), key, step)
        if found[0] == "hash":
            scanned = list(zip(scanned[::2], scanned[1::2], strict=True))
        assert sorted(scanned) == sorted(found[3])

    @rule(key=keys)
    def look(self, key: bytes) -> None:
        self.both(partial(everything, key), key)

    @rule(key=keys, fields=some)
    def let_fields_die(self, key: bytes, fields: list[bytes]) -> None:
        soon_ms = model_arena.wall_clock_ms() + 2
        for field in dict.fromkeys(fields):  # once each: it may be dead before the next one's turn
            operations: list[Operation] = [("hash_expire", (0, key, field, soon_ms, {}))]
            self.both(partial(transact, operations, fail=False), operations)
        while model_arena.wall_clock_ms() <= soon_ms + 1:
            time.sleep(0.001)
        self.sweep()

    @rule(key=keys, fields=some, flags=put_flags, when_ms=times)
    def fields_with_times(self, key: bytes, fields: list[bytes], flags: int, when_ms: int) -> None:
        flat = [part for field in fields for part in (field, b"value")]
        operations: list[Operation] = [
            ("hash_set", (0, key, flat, {})),
            *(("hash_expire", (0, key, field, when_ms, {})) for field in fields[:2]),
            ("hash_set", (0, key, flat[2:] or flat, flags, {})),
            ("hash_expiries", (0, key, fields, {})),
        ]
        self.both(partial(transact, operations, fail=False), operations)

    @rule()
    def sweep(self) -> None:
        """Remove dead fields. Until then the model's time stands still: it drops them sooner."""
        self.now_ms = model_arena.wall_clock_ms()
        self.real.expire_cycle(1_000_000)
        self.model.expire_cycle(1_000_000)
        self.real.reserve_cycle(10_000)
        self.settle()

    @rule(key=keys, tree=trees, names=some, values=st.lists(texts, min_size=6))
    def put_into_a_stream(
        self, key: bytes, tree: int, names: list[bytes], values: list[bytes]
    ) -> None:
        def put(arena: Any) -> Any:
            with arena.transaction([(0, key)]) as transaction:
                if transaction.describe(0, key) is None:
                    transaction.stream_create(0, key, bytes(STREAM_META))
                transaction.stream_set_meta(0, key, bytes([len(names)]) * STREAM_META)
                return [
                    transaction.tree_put(0, key, tree, name, value)
                    for name, value in zip(names, values, strict=False)
                ]

        self.both(put, names)

    @rule(key=keys, tree=trees, least=texts, most=texts, limit=st.integers(-1, 4))
    def look_into_a_stream(
        self, key: bytes, tree: int, least: bytes, most: bytes, limit: int
    ) -> None:
        def look(view: Any) -> Any:
            return (
                view.tree_range(0, key, tree, least, most, limit),
                view.tree_range(0, key, tree, least, most, limit, True),
                view.tree_count(0, key, tree, least, most),
                view.tree_get(0, key, tree, least),
            )

        self.both(lambda arena: arena.read([(0, key)], look), (key, least, most))

    @rule(key=keys, tree=trees, least=texts, most=texts, limit=st.integers(-1, 4))
    def take_from_a_stream(
        self, key: bytes, tree: int, least: bytes, most: bytes, limit: int
    ) -> None:
        operations: list[Operation] = [
            ("tree_remove", (0, key, tree, most, {})),
            ("tree_remove_range", (0, key, tree, least, most, limit, {})),
        ]
        self.both(partial(transact, operations, fail=False), operations)

    def teardown(self) -> None:
        self.sweep()
        found = scan_all(self.real, 0, 50)
        assert found == scan_all(self.model, 0, 50)
        for key in found:
            self.both(partial(everything, key), key)
        assert self.real.validate() == []
        self.real.close()


class Cramped(Containers):
    """The smallest arena, nothing evicted: out of memory all the time, and nothing half done."""

    data_bytes = min_data_bytes()


class Evicting(Containers):
    """The smallest arena, keys evicted: what is there is right, and validates."""

    data_bytes = min_data_bytes()
    policy = "allkeys-lru"

    def both(self, act: Callable[[Any], Any], what: object) -> None:
        """What had to make room for itself may have evicted the very keys that it then wrote."""
        real = attempt(lambda: act(self.real))
        before = {key: item.copy() for key, item in self.model._databases[0].items()}
        if real in UNDONE:
            self.settle()
            return
        for evicted in chain.from_iterable(combinations(before, n) for n in range(len(before) + 1)):
            self.model._databases[0] = {
                key: item.copy() for key, item in before.items() if key not in evicted
            }
            outcome = attempt(lambda: act(self.model))
            self.settle()
            if real == outcome and sizes(self.real) == sizes(self.model):
                return
        raise AssertionError(what)

    def settle(self) -> None:
        there = set(scan_all(self.real, 0, 1000))
        for key in scan_all(self.model, 0, 1000):
            if key not in there:
                self.model.delete(0, key)


def test_containers() -> None:
    run_state_machine_as_test(Containers, settings=SETTINGS)


def test_containers_without_room() -> None:
    run_state_machine_as_test(Cramped, settings=SETTINGS)


def test_containers_evicted() -> None:
    run_state_machine_as_test(Evicting, settings=SETTINGS)
