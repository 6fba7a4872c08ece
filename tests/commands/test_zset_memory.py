"""Sorted-set commands in a cache that is full: all or nothing."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import pytest
from differential.conftest import make_arena
from differential.sides import InProcessSide

from shmcache.arena import min_data_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shmcache.arena import Arena

OOM = ("error", b"OOM command not allowed when used memory > 'maxmemory'.")


def _fill(side: InProcessSide) -> None:
    """Take all the memory that there is, in large pieces and then in small ones."""
    for size in (3000, 100):
        for number in count():
            if side.execute(b"SET", b"filler:%d:%d" % (size, number), bytes(size)) == OOM:
                break


@pytest.fixture
def full_arena() -> Iterator[Arena]:
    """Sorted sets ``a``, ``b`` and ``d``, and then nothing but filling."""
    arena = make_arena(min_data_bytes())
    arena.zset_add_many(0, b"a", [b"a%d" % n for n in range(500)], [float(n) for n in range(500)])
    arena.zset_add_many(0, b"b", [b"b%d" % n for n in range(500)], [float(n) for n in range(500)])
    arena.zset_add(0, b"d", b"x", 1.0)
    yield arena
    assert arena.validate() == []
    arena.close()


def _line(text: str) -> list[bytes]:
    return text.encode().split()


@pytest.mark.parametrize(
    "line",
    [
        [b"ZADD", b"a", *(part for n in range(3000) for part in (b"7", b"%050d" % n))],
        [b"ZADD", b"new", b"1", bytes(3000)],
        [b"ZINCRBY", b"a", b"1", bytes(4000)],
        [b"GEOADD", b"a", b"1", b"1", bytes(4000)],
        _line("ZUNIONSTORE d 2 a b"),
        _line("ZUNIONSTORE a 2 a b"),
        _line("ZDIFFSTORE d 2 a b"),
        _line("ZRANGESTORE d a 0 -1"),
        _line("GEOSEARCHSTORE d a FROMLONLAT -180 -85 BYRADIUS 1000000 km"),
    ],
    ids=lambda line: b" ".join(line)[:20].decode(),
)
def test_what_does_not_fit_changes_nothing(full_arena: Arena, line: list[bytes]) -> None:
    side = InProcessSide(full_arena)
    _fill(side)
    questions = [[b"ZRANGE", key, b"0", b"-1", b"WITHSCORES"] for key in (b"a", b"b", b"d")]
    before = [side.execute(*question) for question in questions]
    assert side.execute(*line) == OOM
    assert [side.execute(*question) for question in questions] == before
    assert side.execute(b"EXISTS", b"new") == ("int", 0)


@pytest.mark.parametrize(
    ("line", "left"),
    [
        ([b"ZREM", b"a", *(b"a%d" % number for number in range(0, 500, 2))], 250),
        (_line("ZPOPMIN a 300"), 200),
        (_line("ZPOPMAX a 300"), 200),
        (_line("ZMPOP 1 a MIN COUNT 499"), 1),
        (_line("ZREMRANGEBYRANK a 1 -2"), 2),
        (_line("ZREMRANGEBYSCORE a 100 (400"), 200),
        (_line("ZREMRANGEBYRANK a 0 -1"), 0),
    ],
    ids=lambda line: b" ".join(line)[:20].decode() if isinstance(line, list) else None,
)
def test_taking_away_needs_no_room(full_arena: Arena, line: list[bytes], left: int) -> None:
    side = InProcessSide(full_arena)
    _fill(side)
    assert side.execute(*line)[0] in {"int", "array"}
    assert side.execute(b"ZCARD", b"a") == ("int", left)
