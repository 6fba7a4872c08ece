"""The sorted-set and geo commands: Redis's replies line by line, and 7.2's where Redis is older."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from differential.compare import require_same, require_same_contents
from differential.scripts import lines_of

from commands.zset_scripts import GEO, SORTED_SETS

if TYPE_CHECKING:
    from differential.sides import Pair, Side


@pytest.mark.parametrize("name", SORTED_SETS)
def test_sorted_sets(pair: Pair, name: str) -> None:
    for line in lines_of(SORTED_SETS[name]):
        require_same(pair, line)
    require_same_contents(pair)


@pytest.mark.parametrize("name", GEO)
def test_geo(pair: Pair, name: str) -> None:
    for line in lines_of(GEO[name]):
        require_same(pair, line)
    require_same_contents(pair)


def test_a_large_sorted_set(pair: Pair) -> None:
    """Redis keeps this one in a skip list; the same questions at every place of it."""
    numbers = random.Random(5)
    names = [b"member:%d" % number for number in range(700)]
    numbers.shuffle(names)
    for start in range(0, len(names), 70):
        some = names[start : start + 70]
        words = [part for name in some for part in (b"%d" % numbers.randrange(200), name)]
        require_same(pair, [b"ZADD", b"k", *words])
    for _ in range(150):
        low, high = (b"%d" % numbers.randrange(-720, 720) for _ in range(2))
        name = numbers.choice(names)
        for line in (
            [b"ZRANGE", b"k", low, high, b"WITHSCORES"],
            [b"ZRANGE", b"k", low, high, b"REV"],
            [b"ZRANGEBYSCORE", b"k", low, b"(" + high, b"WITHSCORES", b"LIMIT", b"2", b"5"],
            [b"ZREVRANGEBYSCORE", b"k", high, b"(" + low, b"LIMIT", b"3", b"4"],
            [b"ZCOUNT", b"k", low, high],
            [b"ZRANK", b"k", name],
            [b"ZREVRANK", b"k", name],
            [b"ZSCORE", b"k", name],
        ):
            require_same(pair, line)
    for line in (
        [b"ZREMRANGEBYRANK", b"k", b"10", b"300"],
        [b"ZREMRANGEBYSCORE", b"k", b"(150", b"160"],
        [b"ZPOPMAX", b"k", b"20"],
        [b"ZREM", b"k", *names[:350]],
    ):
        require_same(pair, line)
    require_same_contents(pair)


def test_a_large_order_of_bytes(pair: Pair) -> None:
    numbers = random.Random(6)
    names = [b"%d" % numbers.randrange(100_000) for _ in range(400)]
    require_same(pair, [b"ZADD", b"k", *(part for name in names for part in (b"1", name))])
    for _ in range(100):
        low, high = (numbers.choice(b"[(").to_bytes() + numbers.choice(names) for _ in range(2))
        for line in (
            [b"ZRANGEBYLEX", b"k", low, high],
            [b"ZREVRANGEBYLEX", b"k", high, low, b"LIMIT", b"1", b"3"],
            [b"ZLEXCOUNT", b"k", low, high],
            [b"ZRANGE", b"k", low, b"+", b"BYLEX", b"LIMIT", b"5", b"2"],
        ):
            require_same(pair, line)
    require_same(pair, [b"ZREMRANGEBYLEX", b"k", b"[3", b"(7"])
    require_same_contents(pair)


def test_rank_with_score(ours: Side) -> None:
    """Since Redis 7.2."""
    ours.execute(b"FLUSHALL")
    ours.execute(b"ZADD", b"k", b"1.5", b"a", b"2", b"b")
    score = ("double", "1.5") if ours.resp == 3 else ("bulk", b"1.5")
    assert ours.execute(b"ZRANK", b"k", b"a", b"WITHSCORE") == ("array", (("int", 0), score))
    assert ours.execute(b"ZREVRANK", b"k", b"a", b"withscore") == ("array", (("int", 1), score))
    for name in (b"ZRANK", b"ZREVRANK"):
        assert ours.execute(name, b"k", b"nosuch", b"WITHSCORE") == ("null",)
        assert ours.execute(name, b"k", b"a", b"FOO") == ("error", b"ERR syntax error")
        assert ours.execute(name, b"k", b"a", b"WITHSCORE", b"x") == (
            "error",
            b"ERR wrong number of arguments for '%b' command" % name.lower(),
        )


def test_scanning_gives_every_member_once(ours: Side) -> None:
    ours.execute(b"FLUSHALL")
    names = {b"member:%d" % number for number in range(500)}
    ours.execute(b"ZADD", b"k", *(part for name in names for part in (b"0.5", name)))
    cursor, found, calls = b"0", list[bytes](), 0
    while True:
        _, ((_, cursor), (_, items)) = ours.execute(b"ZSCAN", b"k", cursor, b"COUNT", b"50")
        assert set(items[1::2]) == {("bulk", b"0.5")}
        found += (name for _, name in items[::2])
        calls += 1
        if cursor == b"0":
            break
    assert sorted(found) == sorted(names)
    assert calls > 1


def test_samples_are_members(ours: Side) -> None:
    ours.execute(b"FLUSHALL")
    names = {b"%d" % number for number in range(50)}
    ours.execute(b"ZADD", b"k", *(part for name in names for part in (name, name)))
    _, different = ours.execute(b"ZRANDMEMBER", b"k", b"20")
    assert len(set(different)) == 20
    _, repeated = ours.execute(b"ZRANDMEMBER", b"k", b"-200")
    assert len(repeated) == 200
    assert len(set(repeated)) > 1
    assert {name for _, name in (*different, *repeated)} <= names
    _, pairs = ours.execute(b"ZRANDMEMBER", b"k", b"-30", b"WITHSCORES")
    if ours.resp == 2:
        pairs = list(zip(pairs[::2], pairs[1::2], strict=True))
    else:
        pairs = [pair for _, pair in pairs]
    assert len(pairs) == 30
    assert all(float(name[1]) == float(score[1]) for name, score in pairs)
    too_many = ours.execute(b"ZRANDMEMBER", b"k", b"-9000000000000000000")
    assert too_many == ("error", b"ERR value is out of range")
