"""The HyperLogLog commands: Redis's replies, and its strings byte for byte."""

from __future__ import annotations

import random
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal

import model_arena
import pytest
from differential.compare import require_same, require_same_contents
from differential.scripts import lines_of
from differential.sides import InProcessSide, Pair, SocketSide
from hypothesis import given, settings
from hypothesis import strategies as st

from shmcache.commands.hyperloglog_registers import (
    DENSE_BYTES,
    REGISTERS,
    estimate,
    histogram,
    maxima,
    pack,
    raise_register,
    unpack,
)
from shmcache.commands.hyperloglog_sparse import EMPTY, SparseRegisters, TooDense
from shmcache.commands.replies import CommandError

if TYPE_CHECKING:
    from differential.sides import Side
    from server.processes import FrontEnd

    from shmcache.arena import Arena

SCRIPTS = {
    "add and count": """
        PFADD a
        GET a
        PFADD a
        PFADD a x y z
        GET a
        PFCOUNT a
        GET a
        PFADD a x y z
        GET a
        PFADD a 1 2 3
        GET a
        PFCOUNT a
        EXPIRE a 1000
        PFADD a more
        TTL a
        PFCOUNT a
        TTL a
        OBJECT ENCODING a
        PFCOUNT nosuch
        PFCOUNT nosuch a nosuch
        PFCOUNT nosuch nosuch
        PFADD b x 1 new ""
        PFCOUNT a b
        PFCOUNT
        PFADD
    """,
    "merge": """
        PFADD a 1 2 3
        PFADD b 3 4 5
        PFMERGE d a b
        GET d
        PFCOUNT d
        PFMERGE d
        GET d
        PFMERGE a b
        GET a
        PFMERGE new
        GET new
        PFMERGE other nosuch
        GET other
        PFCOUNT other
        PFDEBUG TODENSE b
        PFMERGE sparse a b
        PFDEBUG ENCODING sparse
        EXPIRE a 1000
        PFMERGE a b nosuch
        TTL a
        PFMERGE
    """,
    "debug": """
        PFADD a 1 2 3
        PFDEBUG ENCODING a
        PFDEBUG decode a
        PFDEBUG FOO a
        PFDEBUG ENCODING nosuch
        PFDEBUG ENCODING
        PFDEBUG TODENSE a
        PFDEBUG TODENSE a
        PFDEBUG ENCODING a
        PFDEBUG DECODE a
        PFADD b 1 2 3
        PFDEBUG GETREG b
        PFDEBUG ENCODING b
    """,
    "other strings": """
        SET s text
        PFADD s x
        PFCOUNT s
        PFMERGE s
        PFMERGE d s
        SET s HYLLxxxxxxxxxxxxxxxx
        PFCOUNT s
        SET s "HYLL\\x00xxxxxxxxxxxxxxxx"
        PFCOUNT s
        SET s "HYLL\\x01"
        PFADD s x
        SET s "HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80"
        PFCOUNT s
        PFADD s x
        PFMERGE d s
        PFDEBUG TODENSE s
        SET s "HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80\\x00\\x00"
        PFCOUNT s
        PFCOUNT s s
        PFDEBUG DECODE s
        SET s "HYLL\\x01\\x00\\x00\\x00\\x05\\x00\\x00\\x00\\x00\\x00\\x00\\x00"
        PFCOUNT s
        SET s 1234567890123456789
        PFADD s x
        RPUSH l x
        PFADD l x
        PFCOUNT l
        PFCOUNT nosuch l
        PFMERGE d l
        PFMERGE l nosuch
        PFDEBUG ENCODING l
        EXISTS d
    """,
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_script(pair: Pair, name: str) -> None:
    for line in lines_of(SCRIPTS[name]):
        require_same(pair, line)
    require_same_contents(pair)


def test_from_empty_to_dense(pair: Pair) -> None:
    """Each step's string, through all the ways in which runs are split and joined."""
    numbers = random.Random(1)
    added = 0
    while added < 4000:
        size = numbers.randrange(1, 120)
        elements = [b"element:%d" % number for number in range(added, added + size)]
        added += size
        require_same(pair, [b"PFADD", b"k", *elements])
        require_same(pair, [b"PFADD", b"k", numbers.choice(elements)])
        require_same(pair, [b"GET", b"k"])
        require_same(pair, [b"PFADD", b"few", numbers.randbytes(numbers.randrange(40))])
        if numbers.random() < 0.2:
            require_same(pair, [b"PFCOUNT", b"k"])
            require_same(pair, [b"PFCOUNT", b"k", b"few"])
    require_same(pair, [b"PFDEBUG", b"ENCODING", b"k"])
    require_same(pair, [b"PFDEBUG", b"DECODE", b"few"])
    require_same_contents(pair)


def test_a_merge_of_sparse_ones_becomes_dense_when_it_is_too_long(pair: Pair) -> None:
    for name, start in ((b"a", 0), (b"b", 1000), (b"c", 500), (b"d", 2000)):
        elements = [b"%d" % number for number in range(start, start + 1000)]
        require_same(pair, [b"PFADD", name, *elements])
        require_same(pair, [b"PFDEBUG", b"ENCODING", name])
    for line in ([b"a", b"c"], [b"b", b"a"], [b"e", b"a", b"b", b"d"], [b"e", b"c"]):
        require_same(pair, [b"PFMERGE", *line])
        require_same(pair, [b"GET", line[0]])
        require_same(pair, [b"PFDEBUG", b"ENCODING", line[0]])
        require_same(pair, [b"PFCOUNT", line[0]])


@pytest.mark.parametrize("limit", [0, 17, 20, 100, 700, 20_000])
def test_sparse_ones_may_be_so_long(
    redis: Side, arena: model_arena.Arena | Arena, resp: Literal[2, 3], limit: int
) -> None:
    tuning: Any = arena.get_tuning()
    arena.set_tuning(tuning._replace(hll_sparse_max_bytes=limit))
    _promote(Pair(redis, InProcessSide(arena, resp)), [redis], limit)


def test_the_option_says_how_long(redis: Side, front_end: FrontEnd, resp: Literal[2, 3]) -> None:
    ours = SocketSide(front_end.path, resp)
    _promote(Pair(redis, ours), [redis, ours], 200)
    ours.close()


def _promote(pair: Pair, configured: list[Side], limit: int) -> None:
    pair.reset()
    for side in configured:
        assert side.execute(b"CONFIG", b"SET", b"hll-sparse-max-bytes", b"%d" % limit)[1] == b"OK"
    try:
        for number in range(60):
            require_same(pair, [b"PFADD", b"k", *[b"%d" % (number * 9 + i) for i in range(9)]])
            require_same(pair, [b"PFADD", b"other", b"%d" % number])
            require_same(pair, [b"PFMERGE", b"merged", b"merged", b"other"])
            require_same(pair, [b"GET", b"merged"])
        require_same_contents(pair)
    finally:
        for side in configured:
            side.execute(b"CONFIG", b"SET", b"hll-sparse-max-bytes", b"3000")


def test_many_elements(pair: Pair) -> None:
    for start in range(0, 60_000, 2000):
        elements = [b"%d" % number for number in range(start, start + 2000)]
        require_same(pair, [b"PFADD", b"k", *elements])
        require_same(pair, [b"PFCOUNT", b"k"])
    require_same(pair, [b"GET", b"k"])


def test_selftest() -> None:
    assert InProcessSide(model_arena.Arena()).execute(b"PFSELFTEST") == ("simple", b"OK")


def test_a_reader_counts_without_writing() -> None:
    arena = model_arena.Arena()
    writer = InProcessSide(arena)
    writer.execute(b"PFADD", b"k", b"a", b"b", b"c")
    before = arena.get(0, b"k")
    arena._writable = False
    assert writer.execute(b"PFCOUNT", b"k") == ("int", 3)
    arena._writable = True
    assert arena.get(0, b"k") == before
    assert writer.execute(b"PFCOUNT", b"k") == ("int", 3)
    assert arena.get(0, b"k") != before


# ---- the parts -----------------------------------------------------------------------------------

random_registers = st.integers(0, 2**32).map(
    lambda seed: bytes(byte & 63 for byte in random.Random(seed).randbytes(REGISTERS))
)
"""Not drawn one by one: there are too many to draw."""


@settings(max_examples=20, deadline=None)
@given(random_registers, random_registers, st.integers(0, REGISTERS - 1), st.integers(0, 63))
def test_registers(some: bytes, others: bytes, index: int, least: int) -> None:
    dense = bytearray(pack(some))
    assert len(dense) == DENSE_BYTES
    assert unpack(bytes(dense)) == some
    assert maxima([some, others]) == bytes(map(max, some, others))
    assert raise_register(dense, index, least) == (some[index] < least)
    expected = bytearray(some)
    expected[index] = max(some[index], least)
    assert unpack(bytes(dense)) == expected
    counts = histogram(some)
    assert counts == [some.count(value) for value in range(64)]


def test_no_registers_at_all() -> None:
    assert maxima([]) == bytes(REGISTERS)
    assert estimate(histogram(bytes(REGISTERS))) == 0


def test_registers_that_no_elements_can_make() -> None:
    """A string that somebody SET has an estimate, whatever is in it."""
    for value in (50, 51, 63):
        assert estimate(histogram(bytes((value,)) * REGISTERS)) >= 0


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 300), st.integers(1, 4)), max_size=400))
def test_sparse_registers(raised: list[tuple[int, int]]) -> None:
    sparse = SparseRegisters(EMPTY)
    expected = bytearray(REGISTERS)
    for index, least in raised:
        assert sparse.raise_register(index, least, 3000) == (expected[index] < least)
        expected[index] = max(expected[index], least)
    again = SparseRegisters(sparse.to_bytes())
    again.require_whole()
    assert sparse.to_registers() == again.to_registers() == expected
    assert sparse.histogram() == histogram(bytes(expected))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60), st.integers(0, REGISTERS - 1), st.integers(1, 51))
def test_damaged_sparse_registers_are_refused_or_changed(
    data: bytes, index: int, least: int
) -> None:
    value = b"HYLL\x01" + bytes(10) + b"\x80" + data
    with suppress(CommandError, TooDense):
        SparseRegisters(data).raise_register(index, least, 3000)
    side = InProcessSide(model_arena.Arena())
    side.execute(b"SET", b"k", value)
    for line in (
        [b"PFADD", b"k", b"%d" % index],
        [b"PFCOUNT", b"k"],
        [b"PFMERGE", b"other", b"k"],
        [b"PFDEBUG", b"DECODE", b"k"],
        [b"PFDEBUG", b"GETREG", b"k"],
    ):
        assert side.execute(*line)[0] in {"int", "simple", "bulk", "error", "array"}


def test_more_opcodes_than_registers_are_refused() -> None:
    with pytest.raises(CommandError, match="INVALIDOBJ"):
        SparseRegisters(bytes(2 * REGISTERS + 1))
