"""The commands on bits: Redis's replies line by line."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Literal

import pytest
from differential.compare import require_same, require_same_contents
from differential.scripts import lines_of
from differential.sides import InProcessSide, Pair

from commands.bitmap_scripts import BITMAPS

if TYPE_CHECKING:
    import model_arena
    from differential.sides import Side

    from shmcache.arena import Arena


@pytest.mark.parametrize("name", BITMAPS)
def test_bitmaps(pair: Pair, name: str) -> None:
    for line in lines_of(BITMAPS[name]):
        require_same(pair, line)
    require_same_contents(pair)


def test_every_range(pair: Pair) -> None:
    require_same(pair, [b"SET", b"k", b"\x00\x0f\xff"])
    for start in range(-26, 27):
        for end in range(-26, 27, 3):
            bounds = (b"%d" % start, b"%d" % end)
            for unit in (b"BIT", b"BYTE"):
                require_same(pair, [b"BITCOUNT", b"k", *bounds, unit])
                require_same(pair, [b"BITPOS", b"k", b"0", *bounds, unit])
                require_same(pair, [b"BITPOS", b"k", b"1", *bounds, unit])


def test_every_width_at_any_bit(pair: Pair) -> None:
    """Fields of random contents, read and added to across the borders of bytes."""
    numbers = random.Random(11)
    require_same(pair, [b"SET", b"k", numbers.randbytes(40)])
    for _ in range(250):
        kind = numbers.choice((b"u%d" % numbers.randint(1, 63), b"i%d" % numbers.randint(1, 64)))
        offset = b"%d" % numbers.randrange(330)
        exponent = numbers.randint(0, 63)
        number = b"%d" % numbers.randint(-(1 << exponent), (1 << exponent) - 1)
        mode = numbers.choice((b"WRAP", b"SAT", b"FAIL"))
        steps = [b"GET", kind, offset, b"OVERFLOW", mode, b"INCRBY", kind, offset, number]
        require_same(pair, [b"BITFIELD", b"k", *steps, b"SET", kind, offset, number])
    require_same_contents(pair)


def test_a_long_string(pair: Pair) -> None:
    """BITPOS does not read all of it at once."""
    zeros, ones = bytes(20_000), b"\xff" * 20_000
    for value in (zeros, ones, zeros + b"\x01" + ones, ones + b"\xfe" + zeros):
        require_same(pair, [b"SET", b"k", value])
        for words in ([], [b"10"], [b"10", b"-10"], [b"100001", b"159999", b"BIT"]):
            require_same(pair, [b"BITPOS", b"k", b"0", *words])
            require_same(pair, [b"BITPOS", b"k", b"1", *words])
        require_same(pair, [b"BITCOUNT", b"k"])
        require_same(pair, [b"BITCOUNT", b"k", b"9", b"-10"])
        require_same(pair, [b"BITCOUNT", b"k", b"70", b"-80", b"BIT"])
        require_same(pair, [b"SETBIT", b"k", b"160003", b"1"])
        require_same(pair, [b"BITOP", b"XOR", b"k", b"k", b"other"])
    require_same_contents(pair)


def test_the_longest_string_is_configurable(
    redis: Side, arena: model_arena.Arena | Arena, resp: Literal[2, 3]
) -> None:
    limit = 1 << 20
    pair = Pair(redis, InProcessSide(arena, resp, max_bulk_bytes=limit))
    pair.reset()
    assert redis.execute(b"CONFIG", b"SET", b"proto-max-bulk-len", b"%d" % limit)[1] == b"OK"
    try:
        for line in (
            [b"SETBIT", b"a", b"%d" % (limit * 8), b"1"],
            [b"SETBIT", b"a", b"%d" % (limit * 8 - 1), b"1"],
            [b"GETBIT", b"a", b"%d" % (limit * 8)],
            [b"BITFIELD", b"a", b"GET", b"u8", b"%d" % (limit * 8)],
            [b"BITFIELD", b"a", b"GET", b"u8", b"#%d" % limit],
            [b"BITFIELD", b"a", b"GET", b"u8", b"#%d" % (limit - 1)],
        ):
            require_same(pair, line)
        require_same_contents(pair)
    finally:
        redis.execute(b"CONFIG", b"SET", b"proto-max-bulk-len", b"536870912")
