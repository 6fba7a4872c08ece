"""Command lines chosen by hand, each script run against both sides from an empty start."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Literal

import pytest

from differential.compare import require_same, require_same_contents, scan_all
from differential.conftest import make_arena
from differential.families.family import OF_OTHER_TYPES
from differential.scripts import SCRIPTS, lines_of
from differential.sides import InProcessSide, Pair
from differential.world import CONTENTS
from shmcache.arena import POLICIES, min_data_bytes

if TYPE_CHECKING:
    import model_arena

    from differential.sides import Side
    from shmcache.arena import Arena


@pytest.mark.parametrize("name", SCRIPTS)
def test_script(pair: Pair, name: str) -> None:
    for line in lines_of(SCRIPTS[name]):
        require_same(pair, line)
    require_same_contents(pair)


def test_long_and_binary_words_in_error_lines(pair: Pair) -> None:
    for line in (
        [b"FOO" * 100, b"x" * 200, b"y"],
        [b"FOO", *[b"word%d" % number for number in range(60)]],
        [b"FOO\0BAR", b"a\0b", b"\xff\xfe", b"\r\n+OK\r\n"],
        [b"OBJECT", b"x" * 300],
        [b"OBJECT", b"\xff\0z"],
        [b"obj\xffect", b"x"],
        [b"EXPIRE", b"a", b"1", b"x\r\ny\0z"],
        [b"EXPIRE", b"a", b"1", b"\xfe" * 500],
    ):
        require_same(pair, line)


def test_a_longer_lcs(pair: Pair) -> None:
    a = bytes(index * index % 251 for index in range(900))
    b = bytes(index * 7 % 253 for index in range(1100))
    for words in ([b"MSET", b"a", a, b"b", b], [b"LCS", b"a", b"b"], [b"LCS", b"b", b"a", b"LEN"]):
        require_same(pair, words)
    require_same(pair, [b"LCS", b"a", b"b", b"IDX", b"WITHMATCHLEN", b"MINMATCHLEN", b"2"])


def test_the_longest_string_is_configurable(
    redis: Side, arena: model_arena.Arena | Arena, resp: Literal[2, 3]
) -> None:
    limit = 1 << 20
    pair = Pair(redis, InProcessSide(arena, resp, max_bulk_bytes=limit))
    pair.reset()
    assert redis.execute(b"CONFIG", b"SET", b"proto-max-bulk-len", b"%d" % limit)[1] == b"OK"
    try:
        for line in (
            [b"SETRANGE", b"a", b"%d" % (limit - 1), b"x"],
            [b"SETRANGE", b"a", b"%d" % (limit - 1), b"xy"],
            [b"APPEND", b"a", b""],
            [b"APPEND", b"a", b"x"],
            [b"SETRANGE", b"b", b"%d" % limit, b"x"],
            [b"APPEND", b"b", b"x"],
            [b"APPEND", b"b", b"y"],
        ):
            require_same(pair, line)
        require_same_contents(pair)
    finally:
        redis.execute(b"CONFIG", b"SET", b"proto-max-bulk-len", b"536870912")


def test_out_of_memory(redis: Side, resp: Literal[2, 3]) -> None:
    ours = InProcessSide(make_arena(min_data_bytes()), resp)
    pair = Pair(redis, ours)
    pair.reset()
    require_same(pair, [b"SET", b"a", b"1"])
    for number in count():
        reply = ours.execute(b"SET", b"filler:%d" % number, bytes(3000))
        if reply[0] == "error":
            break
    assert redis.execute(b"CONFIG", b"SET", b"maxmemory", b"1")[1] == b"OK"
    try:
        large = bytes(5000)
        for line in (
            [b"SET", b"b", large],
            [b"SET", b"b", large, b"EX", b"100", b"GET"],
            [b"MSET", b"b", large, b"c", large],
            [b"MSETNX", b"b", large, b"c", large],
            [b"APPEND", b"a", large],
            [b"SETRANGE", b"a", b"5000", b"x"],
            [b"GETSET", b"a", large],
            [b"EXISTS", b"b", b"c"],
            [b"GET", b"a"],
            [b"DEL", b"a"],
        ):
            require_same(pair, line)
    finally:
        redis.execute(b"CONFIG", b"SET", b"maxmemory", b"0")
        ours.close()


def test_an_lfu_policy_changes_what_object_tells(
    redis: Side, arena: model_arena.Arena | Arena, resp: Literal[2, 3]
) -> None:
    pair = Pair(redis, InProcessSide(arena, resp))
    pair.reset()
    tuning = arena.get_tuning()
    arena.set_tuning(tuning._replace(policy=POLICIES.index("allkeys-lfu")))  # type: ignore[arg-type]
    redis.execute(b"CONFIG", b"SET", b"maxmemory-policy", b"allkeys-lfu")
    try:
        require_same(pair, [b"SET", b"a", b"abc"])
        require_same(pair, [b"OBJECT", b"IDLETIME", b"a"])
        require_same(pair, [b"OBJECT", b"IDLETIME", b"missing"])
        theirs, ours = pair.ask([b"OBJECT", b"FREQ", b"a"])
        assert theirs[0] == ours[0] == "int"
        assert ours[1] > 0
    finally:
        redis.execute(b"CONFIG", b"SET", b"maxmemory-policy", b"noeviction")


TYPES = (b"string", b"list", b"set", b"zset", b"hash", b"stream", b"ReJSON-RL", b"nosuch")


def test_keys_are_found_by_type(pair: Pair) -> None:
    for line in OF_OTHER_TYPES:
        require_same(pair, line)
    for kind in TYPES:
        options = (b"COUNT", b"1000", b"TYPE", kind)
        assert scan_all(pair.ours, *options) == scan_all(pair.theirs, *options)


def test_every_type_is_moved_copied_and_renamed(pair: Pair) -> None:
    keys = [line[1] for line in OF_OTHER_TYPES]
    for line in OF_OTHER_TYPES:
        require_same(pair, line)
    for key in keys:
        for line in (
            [b"EXPIREAT", key, b"4102444800"],
            [b"COPY", key, key + b":copy"],
            [b"COPY", key, key, b"DB", b"2"],
            [b"MOVE", key, b"1"],
            [b"RENAME", key + b":copy", key],
            [b"MOVE", key, b"1"],
            [b"COPY", key, b"text", b"REPLACE"],
            [b"MEMORY", b"USAGE", key],
            [b"TOUCH", key],
        ):
            require_same(pair, line)
    for line in ([b"SWAPDB", b"0", b"1"], [b"DBSIZE"], [b"UNLINK", *keys], [b"DBSIZE"]):
        require_same(pair, line)
    for db in (0, 1, 2):
        pair.select(db)
        for key in keys:
            name, *options = CONTENTS[pair.theirs.execute(b"TYPE", key)[1]]
            require_same(pair, [name, key, *options])
            require_same(pair, [b"PEXPIRETIME", key])


def test_the_harness_notices_a_wrong_reply(pair: Pair) -> None:
    class Wrong:
        resp = pair.ours.resp

        def execute(self, *words: bytes) -> tuple[object, ...]:
            reply = pair.ours.execute(*words)
            return ("int", reply[1] + 1) if words[0] == b"INCR" else reply

        def select(self, db: int) -> None:
            pair.ours.select(db)

        def close(self) -> None:
            """Nothing is held."""

    wrong = Pair(pair.theirs, Wrong())
    require_same(wrong, [b"SET", b"a", b"1"])
    with pytest.raises(AssertionError, match="command"):
        require_same(wrong, [b"INCR", b"a"])
    pair.theirs.execute(b"SET", b"only there", b"1")
    with pytest.raises(AssertionError):
        require_same_contents(wrong)
