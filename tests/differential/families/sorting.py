"""SORT and SORT_RO, of lists, sets and sorted sets, by keys and by fields of hashes."""

from __future__ import annotations

from differential.families.family import Family, elements, key, keys
from differential.grammar import (
    after,
    always,
    choice,
    drawn,
    either,
    integers,
    many,
    number,
    one,
    some,
    words,
)

_patterns = choice(
    [
        *(b"weight_*", b"weight_*", b"hash_*->weight", b"hash_*->name", b"nosort", b"*", b"->*"),
        *(b"hash_*->", b"weight_", b"*_*", b"", b"hash_*->*", b"list", b"#"),
    ]
)
_options = (
    after(b"BY", _patterns),
    after(b"GET", _patterns),
    after(b"GET", always(b"#")),
    after(b"LIMIT", integers, integers),
    words(b"ASC", b"DESC", b"ALPHA", b"ALPHA", b"FOO"),
)
_numbers = number(-5, 30)

SHAPES = {
    b"SORT": (key, some(*_options, most=4), some(after(b"STORE", keys), most=1)),
    b"SORT_RO": (key, some(*_options, most=4)),
    b"RPUSH": (key, many(_numbers, most=6)),
    b"SADD": (key, many(_numbers, most=6)),
    b"ZADD": (key, one(_numbers), one(either(elements, _numbers))),
}


def _weights(count: int, by_number: bool) -> list[list[bytes]]:
    order = [b"%d" % (item * 7919 % count) for item in range(count)]
    lines = [[b"RPUSH", b"a", *order], [b"SADD", b"b", *order[::2]]]
    for item in range(0, min(count, 30), 2):
        weight = b"%d" % (item * 31 % 17) if by_number else b"w%d" % (item * 31 % 17)
        lines.append([b"SET", b"weight_%d" % item, weight])
        lines.append([b"HSET", b"hash_%d" % item, b"weight", weight, b"name", b"n%d" % item])
    return lines


def leaves_order_open(line: list[bytes]) -> bool:
    """Whether a list is stored whose order, of elements with equal weights, no server promises."""
    line = [word.upper() for word in line]
    return line[0] == b"SORT" and {b"BY", b"ALPHA", b"STORE"} <= set(line)


SORTING = Family(
    "sort",
    SHAPES,
    preparations=either(
        always([[b"RPUSH", b"a", b"3", b"1", b"2"], [b"SADD", b"b", b"x", b"10", b"9"]]),
        drawn(_weights, choice([12, 40, 700]), choice([True, False])),
        drawn(_weights, choice([12, 40]), always(True)),
    ),
)
