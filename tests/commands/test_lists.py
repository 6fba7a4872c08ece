"""The list commands and SORT: Redis's replies line by line, and 7.2's where Redis is older."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from differential.compare import require_same, require_same_contents
from differential.scripts import lines_of

from commands.list_scripts import LISTS, SORTS

if TYPE_CHECKING:
    from differential.sides import Pair, Side


@pytest.mark.parametrize("name", LISTS)
def test_lists(pair: Pair, name: str) -> None:
    for line in lines_of(LISTS[name]):
        require_same(pair, line)
    require_same_contents(pair)


@pytest.mark.parametrize("name", SORTS)
def test_sort(pair: Pair, name: str) -> None:
    for line in lines_of(SORTS[name]):
        require_same(pair, line)
    require_same_contents(pair)


def test_a_long_list(pair: Pair) -> None:
    """Elements are looked for in pieces, and removed one run after the other or all at once."""
    numbers = random.Random(3)
    for _ in range(30):
        elements = [b"%d" % numbers.randrange(40) for _ in range(100)]
        require_same(pair, [b"RPUSH", b"k", *elements])
    require_same(pair, [b"EXPIRE", b"k", b"1000"])
    for number in range(40):
        element = b"%d" % number
        rank = b"%d" % numbers.choice([-60, -3, -1, 1, 3, 60])
        limit = b"%d" % numbers.randrange(3000)
        for line in (
            [b"LPOS", b"k", element, b"RANK", rank, b"MAXLEN", limit],
            [b"LPOS", b"k", element, b"COUNT", b"0"],
            [b"LPOS", b"k", element, b"COUNT", b"7", b"RANK", rank, b"MAXLEN", limit],
            [b"LINSERT", b"k", b"AFTER", element, b"pivot:" + element],
            [b"LINDEX", b"k", limit],
            [b"LRANGE", b"k", b"-" + limit, limit],
        ):
            require_same(pair, line)
    for element, count in ((b"1", b"0"), (b"2", b"30"), (b"3", b"-30"), (b"4", b"-100")):
        require_same(pair, [b"LREM", b"k", count, element])
    require_same(pair, [b"TTL", b"k"])
    require_same(pair, [b"SORT", b"k", b"ALPHA", b"LIMIT", b"100", b"50"])
    require_same(pair, [b"LTRIM", b"k", b"500", b"-700"])
    require_same_contents(pair)


def test_the_least_rank_is_refused_since_redis_7_2(ours: Side) -> None:
    ours.execute(b"FLUSHALL")
    reply = ours.execute(b"LPOS", b"k", b"x", b"RANK", b"-9223372036854775808")
    assert reply == (
        "error",
        b"ERR value is out of range, value must between -9223372036854775807 and "
        b"9223372036854775807",
    )
