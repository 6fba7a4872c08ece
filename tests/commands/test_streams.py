"""The stream commands: Redis's replies line by line, and 7.2's where Redis is older."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any, cast

import model_arena
import pytest
from differential.compare import require_same, require_same_contents
from differential.conftest import make_arena
from differential.scripts import lines_of
from differential.sides import InProcessSide

from commands.stream_scripts import GROUPS, STREAMS
from shmcache.arena import min_data_bytes
from shmcache.commands.context import Context
from shmcache.commands.dispatch import Dispatcher
from shmcache.commands.replies import NULL_ARRAY, CommandError
from shmcache.commands.streams_ids import id_or_none, next_id, previous_id
from shmcache.commands.streams_layout import (
    MAX_ID,
    MIN_ID,
    number_prefix,
    pack_fields,
    pack_id,
    pack_pending,
    prefix_end,
    short_id,
    unpack_fields,
    unpack_pending,
    unshort_id,
)

if TYPE_CHECKING:
    from differential.sides import Pair, Side

    from shmcache.arena import Arena
    from shmcache.commands.replies import Reply


@pytest.mark.parametrize("name", STREAMS)
def test_entries(pair: Pair, name: str) -> None:
    for line in lines_of(STREAMS[name]):
        require_same(pair, line)
    require_same_contents(pair)


@pytest.mark.parametrize("name", GROUPS)
def test_groups(pair: Pair, name: str) -> None:
    for line in lines_of(GROUPS[name]):
        require_same(pair, line)
    require_same_contents(pair)


def test_long_entries_and_binary_words(pair: Pair) -> None:
    binary = bytes(range(256))
    for fields in (
        [b"", b""],
        [binary, binary * 3],
        [b"f", bytes(100_000)],
        [part for number in range(200) for part in (b"f%d" % number, b"v" * number)],
        [b"x" * 255, b"y" * 256],
    ):
        require_same(pair, [b"XADD", binary, b"1-*", *fields])
        require_same(pair, [b"XRANGE", binary, b"-", b"+"])
    for word in (b"1-1\0x", b"1\0-1", b"$\0", b"(1", b"1" * 128, b"0" * 127 + b"1", b"1-" * 70):
        require_same(pair, [b"XADD", b"s", word, b"a", b"b"])
        require_same(pair, [b"XRANGE", b"s", word, b"+"])
    require_same(pair, [b"XCLAIM", b"s", b"g", b"c", b"0", b"1-1", b"\xff\r\n"])
    require_same(pair, [b"XREADGROUP", b"GROUP", binary, b"c", b"STREAMS", b"s", b">"])


def test_a_long_stream(pair: Pair) -> None:
    """More entries, and more of them pending, than are read at once."""
    require_same(pair, [b"XGROUP", b"CREATE", b"s", b"g", b"0", b"MKSTREAM"])
    for number in range(1, 1200):
        require_same(pair, [b"XADD", b"s", b"%d-%d" % (number // 7, number), b"f", b"%d" % number])
    for line in lines_of(
        """
        XRANGE s 50 60
        XREVRANGE s 60 50
        XREADGROUP GROUP g a COUNT 700 STREAMS s >
        XREADGROUP GROUP g b COUNT 400 STREAMS s >
        XREADGROUP GROUP g a COUNT 300 STREAMS s 0
        XREADGROUP GROUP g a STREAMS s 0
        XPENDING s g
        XPENDING s g - + 5000
        XPENDING s g - + 300 b
        XPENDING s g IDLE 1000000 - + 10
        XAUTOCLAIM s g c 0 - COUNT 150
        XAUTOCLAIM s g c 1000000 - COUNT 20
        XTRIM s MAXLEN 500
        XAUTOCLAIM s g c 0 - COUNT 300
        XREADGROUP GROUP g a COUNT 10 STREAMS s 0
        XPENDING s g
        XINFO STREAM s FULL COUNT 0
        XGROUP DELCONSUMER s g a
        XGROUP CREATE s h 0
        XREADGROUP GROUP h a NOACK STREAMS s >
        XGROUP DESTROY s g
        XINFO STREAM s FULL COUNT 0
        """
    ):
        require_same(pair, line)


def test_approximate_trimming_takes_runs_of_a_hundred(pair: Pair) -> None:
    for number in range(1, 1051):
        require_same(pair, [b"XADD", b"s", b"%d-0" % number, b"f", b"v"])
    for line in lines_of(
        """
        XTRIM s MAXLEN ~ 951
        XTRIM s MAXLEN ~ 950
        XTRIM s MAXLEN ~ 500 LIMIT 99
        XTRIM s MAXLEN ~ 500 LIMIT 250
        XTRIM s MINID ~ 399
        XTRIM s MINID ~ 401
        XTRIM s MINID ~ 900 LIMIT 100
        XADD s MAXLEN ~ 440 2000-0 f v
        XADD s MINID ~ 1050 2001-0 f v
        XRANGE s - + COUNT 1
        XLEN s
        XTRIM s MAXLEN ~ 0 LIMIT 51
        XTRIM s MAXLEN ~ 0 LIMIT 1000
        XLEN s
        """
    ):
        require_same(pair, line)


def test_ids_of_the_clock_grow(ours: Side) -> None:
    ours.execute(b"FLUSHALL")
    ids = [id_or_none(ours.execute(b"XADD", b"s", b"*", b"f", b"v")[1]) or b"" for _ in range(200)]
    assert ids == sorted(set(ids))
    assert ours.execute(b"XADD", b"s", b"18446744073709551614-18446744073709551615", b"f", b"v")
    assert ours.execute(b"XADD", b"s", b"*", b"f", b"v") == ("bulk", b"18446744073709551615-0")


def test_group_numbers_beyond_one_byte(pair: Pair) -> None:
    """Groups and consumers that come after hundreds of others keep apart."""
    require_same(pair, [b"XADD", b"s", b"1-1", b"f", b"v"])
    require_same(pair, [b"XGROUP", b"CREATE", b"s", b"first", b"0"])
    for number in range(300):
        require_same(pair, [b"XGROUP", b"CREATECONSUMER", b"s", b"first", b"%d" % number])
    for number in range(230, 260):
        name = b"%d" % number
        require_same(pair, [b"XGROUP", b"DELCONSUMER", b"s", b"first", name])
        require_same(pair, [b"XGROUP", b"CREATE", b"s", name, b"0"])
        require_same(pair, [b"XREADGROUP", b"GROUP", name, b"c", b"STREAMS", b"s", b">"])
    require_same(pair, [b"XREADGROUP", b"GROUP", b"first", b"299", b"STREAMS", b"s", b">"])
    require_same(pair, [b"XINFO", b"STREAM", b"s", b"FULL"])
    for number in range(230, 260, 3):
        require_same(pair, [b"XGROUP", b"DESTROY", b"s", b"%d" % number])
    require_same(pair, [b"XINFO", b"STREAM", b"s", b"FULL"])


# ---- what Redis 7.2 does differently -------------------------------------------------------------


class FrozenContext(Context):
    """A caller whose time stands still until a test turns it."""

    def __init__(self) -> None:
        self.time_ms = 1_700_000_000_000
        super().__init__(cast("Arena", model_arena.Arena(clock=lambda: self.time_ms)))
        self._dispatcher = Dispatcher()

    def now_ms(self) -> int:
        return self.time_ms

    def run(self, line: str) -> Any:
        """A command's reply."""
        return self._dispatcher.execute(self, [word.encode() for word in line.split()])

    def consumers(self) -> dict[bytes, tuple[int, int]]:
        """Idle and inactive milliseconds by name."""
        facts = self.run("XINFO CONSUMERS s g")
        return {each[b"name"]: (each[b"idle"], each[b"inactive"]) for each in facts}


@pytest.fixture
def frozen() -> FrozenContext:
    frozen = FrozenContext()
    assert frozen.run("XGROUP CREATE s g 0 MKSTREAM") == "OK"
    return frozen


def test_reading_makes_and_sees_the_consumer_even_in_vain(frozen: FrozenContext) -> None:
    assert frozen.run("XREADGROUP GROUP g a STREAMS s >") == NULL_ARRAY
    assert frozen.run("XCLAIM s g b 0 1-1") == []
    assert frozen.run("XAUTOCLAIM s g c 0 0") == [b"0-0", [], []]
    frozen.time_ms += 50
    assert frozen.consumers() == {b"a": (50, -1), b"b": (50, -1), b"c": (50, -1)}
    frozen.run("XREADGROUP GROUP g a STREAMS s >")
    frozen.time_ms += 5
    assert frozen.consumers()[b"a"] == (5, -1)


def test_a_consumer_is_active_when_it_gets_something(frozen: FrozenContext) -> None:
    frozen.run("XADD s 1-1 f v")
    frozen.run("XADD s 1-2 f v")
    frozen.run("XREADGROUP GROUP g a COUNT 1 STREAMS s >")
    frozen.time_ms += 10
    frozen.run("XREADGROUP GROUP g a STREAMS s 0")  # history is nothing new
    assert frozen.consumers()[b"a"] == (0, 10)
    frozen.run("XREADGROUP GROUP g b NOACK STREAMS s >")
    assert frozen.consumers()[b"b"] == (0, -1)
    frozen.time_ms += 10
    frozen.run("XCLAIM s g b 0 1-1")
    frozen.time_ms += 10
    assert frozen.consumers() == {b"a": (20, 30), b"b": (10, 10)}
    facts = frozen.run("XINFO STREAM s FULL")[b"groups"][0][b"consumers"]
    now_ms = frozen.time_ms
    assert [(each[b"seen-time"], each[b"active-time"]) for each in facts] == [
        (now_ms - 20, now_ms - 30),
        (now_ms - 10, now_ms - 10),
    ]


def test_idle_times(frozen: FrozenContext) -> None:
    frozen.run("XADD s 1-1 f v")
    frozen.run("XADD s 1-2 f v")
    frozen.run("XREADGROUP GROUP g a COUNT 1 STREAMS s >")
    frozen.time_ms += 100
    frozen.run("XREADGROUP GROUP g a COUNT 1 STREAMS s >")
    assert frozen.run("XPENDING s g - + 9") == [[b"1-1", b"a", 100, 1], [b"1-2", b"a", 0, 1]]
    assert frozen.run("XPENDING s g IDLE 100 - + 9") == [[b"1-1", b"a", 100, 1]]
    assert frozen.run("XPENDING s g IDLE 101 - + 9") == []
    assert frozen.run("XAUTOCLAIM s g b 101 0") == [b"0-0", [], []]
    assert frozen.run("XAUTOCLAIM s g b 100 0 JUSTID") == [b"0-0", [b"1-1"], []]
    assert frozen.run("XPENDING s g - + 9 b") == [[b"1-1", b"b", 0, 1]]
    assert frozen.run("XCLAIM s g a 1 1-1 1-2") == []
    assert frozen.run("XCLAIM s g a 0 1-1 IDLE 30 JUSTID") == [b"1-1"]
    assert frozen.run("XPENDING s g - + 9 a") == [[b"1-1", b"a", 30, 1], [b"1-2", b"a", 0, 1]]


def test_the_last_id_does_not_go_behind_a_deleted_one(frozen: FrozenContext) -> None:
    frozen.run("XADD s 5-5 f v")
    frozen.run("XDEL s 5-5")
    reply = frozen.run("XSETID s 5-4")
    assert isinstance(reply, CommandError)
    assert str(reply) == (
        "ERR The ID specified in XSETID is smaller than current max_deleted_entry_id"
    )
    assert frozen.run("XSETID s 5-5") == "OK"


def test_a_millisecond_may_be_full(frozen: FrozenContext) -> None:
    """7.0 says that the elements are too large."""
    frozen.run("XADD s 3-18446744073709551615 f v")
    assert str(frozen.run("XADD s 3-* f v")) == (
        "ERR The ID specified in XADD is equal or smaller than the target stream top item"
    )


def test_what_is_said_of_a_list_without_balance(frozen: FrozenContext) -> None:
    assert str(frozen.run("XREAD STREAMS s t 0")) == (
        "ERR Unbalanced 'xread' list of streams: for each stream key an ID or '$' must be"
        " specified."
    )
    assert str(frozen.run("XREADGROUP GROUP g a STREAMS s t 0")) == (
        "ERR Unbalanced 'xreadgroup' list of streams: for each stream key an ID or '>' must be"
        " specified."
    )


# ---- nulls, which RESP2 has two of ---------------------------------------------------------------


def test_which_null_it_is(frozen: FrozenContext) -> None:
    for line, null in (
        ("XADD missing NOMKSTREAM * f v", None),
        ("XREAD STREAMS missing 0", NULL_ARRAY),
        ("XREADGROUP GROUP g a STREAMS s >", NULL_ARRAY),
        ("XRANGE s - + COUNT 0", NULL_ARRAY),
        ("XREVRANGE s + - COUNT 0", NULL_ARRAY),
        ("XRANGE missing - + COUNT 0", []),
        ("XPENDING s g", [0, None, None, NULL_ARRAY]),
    ):
        reply = frozen.run(line)
        assert reply == null, line
        assert type(reply) is type(null), line
    frozen.run("XADD s 1-1 f v")
    frozen.run("XREADGROUP GROUP g a STREAMS s >")
    frozen.run("XDEL s 1-1")
    history: Reply = [[b"1-1", NULL_ARRAY]]
    assert frozen.run("XREADGROUP GROUP g a STREAMS s 0") == [(b"s", history)]


# ---- memory, and what it looks like --------------------------------------------------------------


def test_without_memory_nothing_changes() -> None:
    side = InProcessSide(make_arena(min_data_bytes()))
    side.execute(b"XGROUP", b"CREATE", b"s", b"g", b"0", b"MKSTREAM")
    side.execute(b"XADD", b"s", b"1-1", b"f", b"v")
    for number in count():
        if side.execute(b"SET", b"filler:%d" % number, bytes(3000))[0] == "error":
            break
    before = side.execute(b"XINFO", b"STREAM", b"s", b"FULL")
    refused = ("error", b"OOM command not allowed when used memory > 'maxmemory'.")
    assert side.execute(b"XADD", b"s", b"2-1", b"f", bytes(50_000)) == refused
    assert side.execute(b"XADD", b"t", b"2-1", b"f", bytes(50_000)) == refused
    assert side.execute(b"XINFO", b"STREAM", b"s", b"FULL") == before
    assert side.execute(b"EXISTS", b"t") == ("int", 0)
    side.close()


@pytest.mark.parametrize(
    "items",
    [
        [b"f", b"v"],
        [b"", b""],
        [b"f", b"v", b"", b"x" * 255],
        [b"f", b"x" * 256],
        [b"x"] * 254,
        [b"x"] * 256,
        [b"x" * 70_000] * 4,
    ],
)
def test_fields_survive_packing(items: list[bytes]) -> None:
    assert unpack_fields(pack_fields(items)) == items


@pytest.mark.parametrize("entry", [(0, 0, 0), (1, 5, 255), (1, 5, 256), (1 << 32, 1 << 60, 1)])
def test_pending_entries_survive_packing(entry: tuple[int, int, int]) -> None:
    assert unpack_pending(pack_pending(*entry)) == entry


def test_names_sort_as_numbers_and_ids_do() -> None:
    edges = [0, 1, 255, 1 << 48, 255 << 48, (255 << 48) + 1, (1 << 56) - 1, 1 << 56, (1 << 64) - 1]
    ids = [pack_id(ms, sequence) for ms in edges for sequence in edges]
    assert list(map(short_id, ids)) == sorted(map(short_id, ids))
    numbers = [number_prefix(number) for number in (0, 1, 223, 224, 255, 256, 65_535, 1 << 40)]
    for prefix in numbers:
        assert sum(other.startswith(prefix) for other in numbers) == 1
        for entry_id in ids:
            assert unshort_id(prefix + short_id(entry_id), prefix) == entry_id
            assert prefix < prefix + short_id(entry_id) <= prefix_end(prefix)


def test_neighbours_of_ids() -> None:
    assert next_id(pack_id(1, (1 << 64) - 1)) == pack_id(2, 0)
    assert previous_id(pack_id(2, 0)) == pack_id(1, (1 << 64) - 1)
    assert (next_id(MAX_ID), previous_id(MIN_ID)) == (None, None)
