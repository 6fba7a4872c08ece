"""Strings as bitmaps."""

from __future__ import annotations

from differential.families.family import Family, counts, filled, key, keys
from differential.grammar import (
    after,
    blob,
    choice,
    drawn,
    either,
    integers,
    joined,
    many,
    mostly,
    number,
    one,
    some,
    words,
)

_offsets = mostly(
    number(0, 80),
    choice([b"0", b"7", b"8", b"1000", b"100000", b"4294967296", b"-1", b"x", b"", b"1.5"]),
)
_bits = mostly(choice([b"0", b"1"]), choice([b"2", b"-1", b"x"]), 0.06)
_index = one(integers)
_types = mostly(
    choice([b"u1", b"i1", b"u8", b"i8", b"i5", b"u16", b"i64", b"u63"]),
    choice([b"u64", b"i65", b"u0", b"x8", b"i", b""]),
    0.06,
)
_places = either(_offsets, number(0, 9, b"#%d"))
_get = after(b"GET", _types, _places)
_overflows = mostly(words(b"WRAP", b"SAT", b"FAIL"), words(b"FOO"), 0.06)
_unit = some(mostly(words(b"BYTE", b"BIT"), words(b"FOO"), 0.06), most=1)

SHAPES = {
    b"SETBIT": (key, one(_offsets), one(_bits)),
    b"GETBIT": (key, one(_offsets)),
    b"BITCOUNT": (key, some(joined(_index, _index, _unit), most=1)),
    b"BITPOS": (key, one(_bits), some(_index, most=1), some(_index, most=1), _unit),
    b"BITOP": (mostly(words(b"AND", b"OR", b"XOR", b"NOT"), words(b"NAND"), 0.05), key, many(keys)),
    b"BITFIELD": (
        key,
        some(
            _get,
            after(b"SET", _types, _places, integers),
            after(b"INCRBY", _types, _places, integers),
            joined(
                words(b"OVERFLOW"), mostly(words(b"WRAP", b"SAT", b"FAIL"), words(b"FOO"), 0.06)
            ),
            most=4,
        ),
    ),
    b"BITFIELD_RO": (key, some(_get, after(b"SET", _types, _places, counts), most=2)),
    b"SETRANGE": (
        key,
        one(mostly(number(0, 60), choice([b"-1", b"x", b"536870912", b"1000"]))),
        one(blob(9)),
    ),
    b"GETRANGE": (key, _index, _index),
}


def _large(content: bytes) -> list[list[bytes]]:
    return [[b"SET", b"a", content], [b"SET", b"b", content[::-1][:-3]]]


BITMAPS = Family(
    "bitmap",
    SHAPES,
    preparations=filled(
        drawn(
            _large,
            either(
                blob(40, 1),
                choice([b"\xff" * 100, bytes(3000) + b"\x01" + bytes(2000), b"\xff\xfe\xff" * 999]),
            ),
        )
    ),
)
