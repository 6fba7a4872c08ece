"""The parts that imitate C code of Redis's, with more and odder input than whole commands get."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import model_arena
import pytest

from differential.sides import InProcessSide, SocketSide
from shmcache.commands import lcs, long_double
from shmcache.commands.arguments import integer_or_none
from shmcache.commands.glob import glob_matches

if TYPE_CHECKING:
    from collections.abc import Iterator

    from differential.sides import Side


@pytest.fixture
def oracle(redis_path: str) -> Iterator[Side]:
    side = SocketSide(redis_path)
    assert side.execute(b"FLUSHALL") == ("simple", b"OK")
    yield side
    side.close()


# ---- INCRBYFLOAT's numbers -----------------------------------------------------------------------

ODD_NUMBERS = [
    *(b"inf", b"-inf", b"Infinity", b"-INFINITY", b"infin", b"nan", b"NaN(1)", b"", b" 1", b"1 "),
    *(b"+1", b".5", b"5.", b".", b"1e", b"1e+5", b"1E5", b"1_0", b"1\0", b"-0", b"0", b"--1"),
    *(b"0x1p3", b"0x.8", b"0x1.8P-3", b"0x", b"0X1P+4", b"0x1p", b"1p3", b"0x1.g"),
    *(b"1e4932", b"1.18973149535723176502e4932", b"1.2e4932", b"-1e4933", b"1e4000"),
    *(b"1e-4950", b"3e-4951", b"1e-4952", b"1e99999999999999999999", b"0e99999999999999"),
    *(b"0x1p16383", b"0x1p16384", b"0x1p-16445", b"0x1p-16446", b"0x1.8p-16446"),
    *(b"0x1p-999999999999", b"9" * 4900, b"9" * 5119, b"9" * 5120, b"1e-17", b"5e-18", b"15e-18"),
    *(b"9223372036854775807", b"-9223372036854775808", b"0x1.ffffffffffffffffp0"),
    *(b"0x1.fffffffffffffffep0", b"0x1.fffffffffffffffdp0", b"1e3990", b"1e-3990"),
]


def _random_number(chance: random.Random) -> bytes:
    match chance.randrange(6):
        case 0:
            return chance.choice(ODD_NUMBERS)
        case 1:
            digits = chance.randrange(10 ** chance.randrange(1, 25))
            return b"%d.%d" % (chance.randrange(-(10**18), 10**18), digits)
        case 2:
            return b"%r" % chance.uniform(-1e3, 1e3)
        case 3:
            return b"%r" % (chance.uniform(-10, 10) * 10 ** chance.randrange(-20, 25))
        case 4:
            mantissa, exponent = chance.randrange(-(10**15), 10**15), chance.randrange(-4970, 4930)
            return b"%de%d" % (mantissa, exponent)
        case _:
            bits = chance.getrandbits(chance.randrange(1, 80))
            return b"0x%x.%xp%d" % (bits, chance.getrandbits(64), chance.randrange(-100, 100))


def _sum(a: bytes, b: bytes) -> tuple[str, bytes]:
    left, right = long_double.parse(a), long_double.parse(b)
    if left is None or right is None:
        return ("error", b"ERR value is not a valid float")
    total = long_double.add(left, right)
    if total is None:
        return ("error", b"ERR increment would produce NaN or Infinity")
    return ("bulk", long_double.to_text(total))


def test_sums_are_redis_digit_for_digit(oracle: Side) -> None:
    chance = random.Random(20)
    pairs = [(odd, b"0") for odd in ODD_NUMBERS] + [(b"0.5", odd) for odd in ODD_NUMBERS]
    pairs += [(_random_number(chance), _random_number(chance)) for _ in range(3000)]
    for a, b in pairs:
        oracle.execute(b"SET", b"number", a)
        assert _sum(a, b) == oracle.execute(b"INCRBYFLOAT", b"number", b), (a, b)


def test_integers_are_those_of_redis(oracle: Side) -> None:
    words = [b"0", b"-0", b"00", b"01", b"+1", b"-", b"", b" 1", b"1 ", b"1\0", b"1_0", b"\xd9\xa1"]
    words += [b"%d" % (edge + step) for edge in (2**63, -(2**63)) for step in range(-2, 3)]
    words += [b"1e3", b"1.0", b"0x1", b"-1", b"9" * 19, b"9" * 20, b"-" + b"9" * 30, b"NaN", b"--1"]
    for word in words:
        kind, _ = oracle.execute(b"INCRBY", b"zero", word)
        oracle.execute(b"DEL", b"zero")
        assert (integer_or_none(word) is not None) == (kind == "int"), word


# ---- patterns ------------------------------------------------------------------------------------

PATTERN_BYTES = [bytes((byte,)) for byte in b"abc*?[]^-\\\xff\x80"]
KEY_BYTES = [bytes((byte,)) for byte in b"abc[]^-\\*\xff\x80\n"]


def test_patterns_fit_what_redis_says(oracle: Side) -> None:
    chance = random.Random(3)
    keys = {b"".join(chance.choices(KEY_BYTES, k=chance.randrange(5))) for _ in range(300)}
    for key in keys:
        oracle.execute(b"SET", key, b"")
    for _ in range(2500):
        pattern = b"".join(chance.choices(PATTERN_BYTES, k=chance.randrange(8)))
        if pattern == b"*":  # KEYS takes a short cut, which is not the pattern's affair
            continue
        _, found = oracle.execute(b"KEYS", pattern)
        expected = {key for _, key in found}
        assert {key for key in keys if glob_matches(pattern, key)} == expected, pattern


def test_a_pattern_of_many_stars_takes_no_time() -> None:
    """With backtracking, this would not end before the universe does."""
    assert not glob_matches(b"a*" * 60 + b"b", b"a" * 5000)
    assert glob_matches(b"a*" * 60 + b"b", b"a" * 5000 + b"b")


# ---- LCS -----------------------------------------------------------------------------------------


def test_subsequences_are_those_of_redis(oracle: Side) -> None:
    chance = random.Random(7)
    for _ in range(300):
        a, b = (bytes(chance.choices(b"abcd", k=chance.randrange(30))) for _ in range(2))
        oracle.execute(b"MSET", b"a", a, b"b", b)
        assert ("bulk", lcs.common_subsequence(a, b)) == oracle.execute(b"LCS", b"a", b"b"), (a, b)
        assert ("int", lcs.common_length(a, b)) == oracle.execute(b"LCS", b"a", b"b", b"LEN")
        _, idx = oracle.execute(b"LCS", b"a", b"b", b"IDX", b"WITHMATCHLEN")
        expected = [
            (ranges[0][1][0][1], ranges[1][1][0][1], ranges[2][1]) for _, ranges in idx[1][1]
        ]
        assert [tuple(match) for match in lcs.matches(a, b)] == expected


def test_a_table_that_would_stall_the_server_is_refused() -> None:
    side = InProcessSide(model_arena.Arena())
    side.execute(b"MSET", b"a", bytes(5 << 20), b"b", b"x", b"c", bytes(50_000))
    refusal = b"ERR Insufficient memory, failed allocating transient memory for LCS"
    for keys in ((b"a", b"b"), (b"b", b"a"), (b"c", b"c")):
        assert side.execute(b"LCS", *keys) == ("error", refusal)
        assert side.execute(b"LCS", *keys, b"LEN") == ("error", refusal)
