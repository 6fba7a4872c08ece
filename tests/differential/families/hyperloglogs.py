"""HyperLogLogs, whose strings are Redis's own, byte for byte."""

from __future__ import annotations

from differential.families.family import Family, any_elements, filled, key, keys
from differential.grammar import always, blob, choice, drawn, either, many, number, one, some

_elements = either(any_elements, number(0, 5000, b"e%d"))
_HEADER = b"HYLL\x01\x00\x00\x00"
_ZEROS = b"\x3f" * 256  # sixteen thousand empty registers
# All longer than 44 bytes: PFCOUNT makes shorter ones `raw` in Redis even when it changes nothing.
# None with damaged registers: of what PFADD adds, Redis keeps what it did before it met the damage.
_strings = choice(
    [
        *(
            b"HYLL" + bytes(50),
            b"HYLL\x02" + bytes(50),
            b"HALL" + bytes(50),
            b"HYLL" + bytes(12287),
        ),
        *(_HEADER + bytes(8) + _ZEROS, _HEADER + bytes(7) + b"\x80" + _ZEROS),
        b"HYLL" + bytes(12 + 12288),
    ]
)

SHAPES = {
    b"PFADD": (key, some(many(_elements, most=6), most=1)),
    b"PFCOUNT": (many(keys),),
    b"PFMERGE": (key, some(many(keys), most=1)),
    b"SET": (key, one(_strings)),
    b"SETRANGE": (
        key,
        # the form only: Redis writes into damaged registers until it meets the damage, and what it
        # keeps as the estimate is not in everybody's string
        one(choice([b"4", b"5"])),
        one(blob(1, 1)),
    ),
    b"GETRANGE": (key, one(always(b"0")), one(choice([b"3", b"15", b"-1"]))),
}


def _large(count: int) -> list[list[bytes]]:
    elements = [b"e%d" % number for number in range(count)]
    return [[b"PFADD", b"a", *elements], [b"PFADD", b"b", *elements[::3]]]


HYPERLOGLOGS = Family(
    "hyperloglog",
    SHAPES,
    preparations=filled(drawn(_large, choice([30, 500, 3000, 12000]))),
)
