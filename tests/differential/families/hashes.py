"""Hashes, without what is newer than the oracle."""

from __future__ import annotations

from differential.families.family import (
    Family,
    any_elements,
    cursors,
    elements,
    filled,
    key,
    own_keys,
    random_counts,
    scan_options,
)
from differential.grammar import (
    choice,
    drawn,
    either,
    floats,
    integers,
    joined,
    many,
    number,
    one,
    some,
    words,
)

_fields = either(elements, number(0, 600, b"f%d"))
_field, _value = one(_fields), one(any_elements)

SHAPES = {
    b"HSET": (key, many(_fields, any_elements)),
    b"HMSET": (key, many(_fields, any_elements)),
    b"HSETNX": (key, _field, _value),
    b"HGET": (key, _field),
    b"HMGET": (key, many(_fields)),
    b"HGETALL": (key,),
    b"HDEL": (key, many(_fields)),
    b"HLEN": (key,),
    b"HEXISTS": (key, _field),
    b"HKEYS": (key,),
    b"HVALS": (key,),
    b"HSTRLEN": (key, _field),
    b"HINCRBY": (key, _field, one(integers)),
    b"HINCRBYFLOAT": (key, _field, one(floats)),
}


def _large(count: int) -> list[list[bytes]]:
    pairs = [word for n in range(count) for word in (b"f%d" % n, b"%d" % n)]
    return [[b"HSET", b"a", *pairs]]


HASHES = Family(
    "hash",
    SHAPES,
    preparations=filled(drawn(_large, choice([127, 128, 129, 510, 511, 512, 513, 1500]))),
    randoms=joined(
        words(b"HRANDFIELD"),
        key,
        some(one(random_counts), most=1),
        some(words(b"WITHVALUES", b"FOO"), most=1),
    ),
    scans=joined(words(b"HSCAN"), one(own_keys), one(cursors), scan_options),
)
