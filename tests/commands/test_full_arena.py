"""Lists, bits and HyperLogLogs where there is no memory left: a command is done, or nothing is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from differential.conftest import make_arena
from differential.sides import InProcessSide

from shmcache.arena import min_data_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from differential.wire import Tagged

OOM = ("error", b"OOM command not allowed when used memory > 'maxmemory'.")


@pytest.fixture
def full() -> Iterator[InProcessSide]:
    """Some keys, and what is left of the arena filled up."""
    side = InProcessSide(make_arena(min_data_bytes()))
    side.execute(b"RPUSH", b"list", *[b"%d" % (number % 50) for number in range(400)])
    side.execute(b"RPUSH", b"short", b"b", b"a")
    side.execute(b"PFADD", b"sketch", *[b"%d" % number for number in range(300)])
    side.execute(b"PFADD", b"dense", b"x")
    side.execute(b"PFDEBUG", b"TODENSE", b"dense")
    side.execute(b"SETBIT", b"bits", b"4000", b"1")
    size = 1 << 16
    number = 0
    while size >= 16:
        if side.execute(b"SET", b"filler:%d" % number, bytes(size)) == OOM:
            size //= 2
        number += 1
    yield side
    side.close()


def contents(side: InProcessSide) -> list[Tagged]:
    lines = (
        [b"LRANGE", b"list", b"0", b"-1"],
        [b"LRANGE", b"short", b"0", b"-1"],
        [b"LRANGE", b"new", b"0", b"-1"],
        [b"GET", b"sketch"],
        [b"GET", b"bits"],
    )
    return [side.execute(*line) for line in lines]


@pytest.mark.parametrize(
    "line",
    [
        [b"RPUSH", b"list", *[b"x" * 100] * 300],
        [b"LPUSH", b"list", b"x" * 100_000],
        [b"LSET", b"list", b"7", b"x" * 100_000],
        [b"LINSERT", b"list", b"AFTER", b"7", b"x" * 100_000],
        [b"SORT", b"list", b"GET", b"#", b"GET", b"filler:*", b"STORE", b"short"],
        [b"SETBIT", b"bits", b"800000", b"1"],
        [b"BITOP", b"OR", b"bits", b"bits", b"filler:0"],
        [b"BITFIELD", b"bits", b"SET", b"u8", b"#100000", b"1"],
        [b"PFADD", b"sketch", *[b"%d" % number for number in range(3000)]],
        [b"PFMERGE", b"new", b"dense", b"sketch"],
        [b"PFDEBUG", b"TODENSE", b"sketch"],
    ],
    ids=lambda line: b" ".join(line[:2]).decode(),
)
def test_nothing_changes(full: InProcessSide, line: list[bytes]) -> None:
    before = contents(full)
    assert full.execute(*line) == OOM
    assert contents(full) == before


def test_what_makes_lists_shorter_works(full: InProcessSide) -> None:
    """Eight each of 50 different elements to begin with."""
    for line, expected in (
        ([b"LREM", b"list", b"0", b"7"], ("int", 8)),
        ([b"LREM", b"list", b"-2", b"8"], ("int", 2)),
        ([b"LLEN", b"list"], ("int", 390)),
        ([b"LPOP", b"list"], ("bulk", b"0")),
        ([b"LTRIM", b"list", b"10", b"-11"], ("simple", b"OK")),
        ([b"LLEN", b"list"], ("int", 369)),
        ([b"LTRIM", b"list", b"1", b"0"], ("simple", b"OK")),
        ([b"EXISTS", b"list"], ("int", 0)),
    ):
        assert full.execute(*line) == expected, line


def test_an_estimate_that_cannot_be_kept_is_told(full: InProcessSide) -> None:
    kind, estimated = full.execute(b"PFCOUNT", b"sketch")
    assert kind == "int"
    assert abs(estimated - 300) < 15
