"""The hash and set commands: Redis's replies line by line, and what chance or size decides."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from differential.compare import require_same, require_same_contents
from differential.scripts import lines_of

from commands.hash_scripts import HASHES, KEYSPACE, SETS

if TYPE_CHECKING:
    from differential.sides import Pair, Side
    from differential.wire import Tagged

SCRIPTS = {
    f"{family}: {name}": script
    for family, scripts in (("hash", HASHES), ("set", SETS), ("keys", KEYSPACE))
    for name, script in scripts.items()
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_script(pair: Pair, name: str) -> None:
    for line in lines_of(SCRIPTS[name]):
        require_same(pair, line)
    require_same_contents(pair)


@pytest.fixture
def side(ours: Side) -> Side:
    """One of our doors, empty."""
    assert ours.execute(b"FLUSHALL") == ("simple", b"OK")
    return ours


def _texts(reply: Tagged) -> list[bytes]:
    """The strings in a reply, in order, however they are nested."""
    kind, *content = reply
    if kind in {"bulk", "simple"}:
        return [content[0]]
    if kind == "map":
        return [text for pair in content[0] for part in pair for text in _texts(part)]
    assert kind in {"array", "set"}, reply
    return [text for part in content[0] for text in _texts(part)]


def _scan_all(side: Side, name: bytes, *options: bytes) -> tuple[list[bytes], int]:
    """All that a scan of ``k`` returns, and in how many steps."""
    cursor, found, steps = b"0", list[bytes](), 0
    while True:
        _, ((_, cursor), items) = side.execute(name, b"k", cursor, *options)
        found += _texts(items)
        steps += 1
        if cursor == b"0":
            return found, steps


# ---- hashes --------------------------------------------------------------------------------------


def _fill_hash(pair: Pair, size: int) -> list[bytes]:
    names = [b"field:%d" % number for number in range(size)]
    for start in range(0, size, 100):
        some = names[start : start + 100]
        require_same(pair, [b"HSET", b"k", *(part for name in some for part in (name, name * 2))])
    return names


@pytest.mark.parametrize("size", [128, 129, 1500])
def test_hash_of_many_fields(pair: Pair, size: int) -> None:
    numbers = random.Random(size)
    names = _fill_hash(pair, size)
    for _ in range(30):
        some = numbers.choices([*names, b"nosuch"], k=3)
        for line in (
            [b"HMGET", b"k", *some],
            [b"HSTRLEN", b"k", some[0]],
            [b"HINCRBY", b"k", b"counter", b"7"],
            [b"HSETNX", b"k", some[0], b"x"],
            [b"HSET", b"k", some[1], b"y" * numbers.randrange(60)],
            [b"HDEL", b"k", some[2], some[2]],
            [b"HEXISTS", b"k", some[2]],
        ):
            require_same(pair, line)
    for line in ([b"HLEN", b"k"], [b"HGETALL", b"k"], [b"HKEYS", b"k"], [b"HVALS", b"k"]):
        require_same(pair, line)
    require_same(pair, [b"HDEL", b"k", b"counter", *names])
    require_same(pair, [b"EXISTS", b"k"])


def test_long_values_of_fields(pair: Pair) -> None:
    for length in (64, 65, 2000, 5000, 100_000):
        value = bytes(number * 7 & 0xFF for number in range(length))
        require_same(pair, [b"HSET", b"k", b"field:%d" % length, value, value, b"x"])
        require_same(pair, [b"HGET", b"k", value])
        require_same(pair, [b"HSTRLEN", b"k", b"field:%d" % length])
    require_same(pair, [b"HGETALL", b"k"])
    require_same_contents(pair)


def test_keys_and_values_of_a_hash_go_together(side: Side) -> None:
    side.execute(b"HSET", b"k", *(b"%d" % (number // 2) for number in range(2000)))
    names, values = (_texts(side.execute(name, b"k")) for name in (b"HKEYS", b"HVALS"))
    assert len(names) == 1000
    assert values == names


@pytest.mark.parametrize("size", [5, 1000])
def test_scanning_a_hash(side: Side, size: int) -> None:
    names = [b"field:%d" % number for number in range(size)]
    side.execute(b"HSET", b"k", *(part for name in names for part in (name, name + b"!")))
    found, steps = _scan_all(side, b"HSCAN", b"COUNT", b"100")
    assert sorted(found[::2]) == sorted(names)
    assert found[1::2] == [name + b"!" for name in found[::2]]
    assert steps == 1 if size == 5 else steps > 1
    found, _ = _scan_all(side, b"HSCAN", b"NOVALUES")
    assert sorted(found) == sorted(names)
    found, _ = _scan_all(side, b"HSCAN", b"MATCH", b"*3", b"NOVALUES", b"COUNT", b"50")
    assert sorted(found) == sorted(name for name in names if name.endswith(b"3"))
    found, _ = _scan_all(side, b"HSCAN", b"MATCH", b"*:3")
    assert found == [b"field:3", b"field:3!"]


@pytest.mark.parametrize("size", [10, 1000])
def test_fields_at_random(side: Side, size: int) -> None:
    names = {b"field:%d" % number for number in range(size)}
    side.execute(b"HSET", b"k", *(part for name in names for part in (name, name + b"!")))
    assert _texts(side.execute(b"HRANDFIELD", b"k"))[0] in names
    different = _texts(side.execute(b"HRANDFIELD", b"k", b"7"))
    assert len(set(different)) == 7
    assert set(different) <= names
    assert set(_texts(side.execute(b"HRANDFIELD", b"k", b"5000"))) == names
    repeated = _texts(side.execute(b"HRANDFIELD", b"k", b"-300"))
    assert len(repeated) == 300
    assert 1 < len(set(repeated)) < 300
    pairs = side.execute(b"HRANDFIELD", b"k", b"-20", b"WITHVALUES")
    assert {part[0] for part in pairs[1]} == {"bulk" if side.resp == 2 else "array"}
    flat = _texts(pairs)
    assert len(flat) == 40
    assert flat[1::2] == [name + b"!" for name in flat[::2]]


def test_a_reply_without_end_is_refused(side: Side) -> None:
    side.execute(b"HSET", b"h", b"a", b"1")
    side.execute(b"SADD", b"s", b"a")
    refusal = ("error", b"ERR value is out of range")
    assert side.execute(b"HRANDFIELD", b"h", b"-9000000000000000000") == refusal
    assert side.execute(b"SRANDMEMBER", b"s", b"-9000000000000000000") == refusal


# ---- sets ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", [b"%d", b"member:%d", b"%060d"])
@pytest.mark.parametrize("size", [128, 129, 512, 513, 1500])
def test_set_of_many_members(pair: Pair, form: bytes, size: int) -> None:
    numbers = random.Random(size)
    names = [form % number for number in range(size)]
    for start in range(0, size, 128):
        require_same(pair, [b"SADD", b"k", *names[start : start + 128]])
        require_same(pair, [b"OBJECT", b"ENCODING", b"k"])
    for _ in range(20):
        some = numbers.choices([*names, b"nosuch"], k=3)
        for line in (
            [b"SMISMEMBER", b"k", *some],
            [b"SREM", b"k", some[0], some[0]],
            [b"SMOVE", b"k", b"other", some[1]],
            [b"SADD", b"k", some[2]],
        ):
            require_same(pair, line)
    for line in (
        [b"SMEMBERS", b"k"],
        [b"SINTER", b"k", b"other"],
        [b"SUNION", b"other", b"k"],
        [b"SDIFF", b"k", b"other"],
        [b"SDIFF", b"other", b"k"],
        [b"SUNIONSTORE", b"whole", b"other", b"k"],
        [b"OBJECT", b"ENCODING", b"whole"],
        [b"SINTERCARD", b"2", b"whole", b"k", b"LIMIT", b"100"],
        [b"SDIFFSTORE", b"k", b"k", b"whole"],
        [b"EXISTS", b"k"],
        [b"SPOP", b"whole", b"0"],
    ):
        require_same(pair, line)
    require_same_contents(pair)


@pytest.mark.parametrize("size", [5, 1000])
def test_scanning_a_set(side: Side, size: int) -> None:
    names = [b"member:%d" % number for number in range(size)]
    side.execute(b"SADD", b"k", *names)
    found, steps = _scan_all(side, b"SSCAN", b"COUNT", b"100")
    assert sorted(found) == sorted(names)
    assert steps == 1 if size == 5 else steps > 1
    found, _ = _scan_all(side, b"SSCAN", b"MATCH", b"*3")
    assert sorted(found) == sorted(name for name in names if name.endswith(b"3"))


@pytest.mark.parametrize("limit", [b"512", b"513"])
def test_packed_values_are_scanned_in_one_step(pair: Pair, limit: bytes) -> None:
    """As Redis does, and documents."""
    size = int(limit)
    numbers = [b"%d" % number for number in range(size)]
    pair.ask([b"SADD", b"k", *numbers])
    pair.ask([b"SADD", b"words", *(b"%060d" % number for number in range(size // 4))])
    pair.ask([b"HSET", b"h", *(part for name in numbers for part in (name, b"x" * 60))])
    for words in ([b"SSCAN", b"k"], [b"SSCAN", b"words"], [b"HSCAN", b"h"]):
        theirs, ours = (reply[1] for reply in pair.ask([*words, b"0"]))
        if words[1] == b"words":  # packed since 7.2 only
            assert ours[0] == ("bulk", b"0")
            continue
        assert {theirs[0] == ("bulk", b"0"), ours[0] == ("bulk", b"0")} == {size == 512}
        assert size > 512 or sorted(theirs[1][1]) == sorted(ours[1][1])


@pytest.mark.parametrize("form", [b"%d", b"member:%d"])
@pytest.mark.parametrize("size", [10, 1000])
def test_members_at_random(side: Side, form: bytes, size: int) -> None:
    names = {form % number for number in range(size)}
    side.execute(b"SADD", b"k", *names)
    different = _texts(side.execute(b"SRANDMEMBER", b"k", b"7"))
    assert len(set(different)) == 7
    assert set(_texts(side.execute(b"SRANDMEMBER", b"k", b"5000"))) == names
    repeated = _texts(side.execute(b"SRANDMEMBER", b"k", b"-300"))
    assert len(repeated) == 300
    assert 1 < len(set(repeated)) < 300
    popped = _texts(side.execute(b"SPOP", b"k", b"7"))
    popped += _texts(side.execute(b"SPOP", b"k"))
    assert len(set(popped)) == 8
    assert {*different, *repeated, *popped} <= names
    assert side.execute(b"SCARD", b"k") == ("int", size - 8)
    assert set(_texts(side.execute(b"SPOP", b"k", b"5000"))) == names - set(popped)
    assert side.execute(b"EXISTS", b"k") == ("int", 0)
