"""Hashes whose fields die one by one: newer than the oracle, so the naive arena takes its place."""

from __future__ import annotations

from differential.families.family import Family, any_elements, elements, filled, key
from differential.families.hashes import SHAPES as HASH_SHAPES
from differential.grammar import (
    absolute_milliseconds,
    absolute_seconds,
    after,
    choice,
    counted,
    drawn,
    either,
    joined,
    just,
    many,
    mostly,
    number,
    one,
    relative_times,
    some,
    words,
)

_fields = either(elements, number(0, 40, b"f%d"))
_some_fields = joined(words(b"FIELDS"), counted(_fields, most=4))
_anytime = some(words(b"NX", b"XX"), most=1)
_ordered = some(words(b"NX", b"XX", b"GT", b"LT"), most=1)
_lifetimes = (
    after(b"EX", relative_times),
    after(b"PX", relative_times),
    after(b"EXAT", absolute_seconds),
    after(b"PXAT", absolute_milliseconds),
)
_pairs = many(_fields, any_elements, most=1)
_two_pairs = joined(_pairs, _pairs)

SHAPES = {
    **HASH_SHAPES,
    b"HEXPIRE": (key, one(relative_times), _anytime, _some_fields),
    b"HPEXPIRE": (key, one(relative_times), _anytime, _some_fields),
    b"HEXPIREAT": (key, one(absolute_seconds), _ordered, _some_fields),
    b"HPEXPIREAT": (key, one(absolute_milliseconds), _ordered, _some_fields),
    b"HTTL": (key, _some_fields),
    b"HPTTL": (key, _some_fields),
    b"HEXPIRETIME": (key, _some_fields),
    b"HPEXPIRETIME": (key, _some_fields),
    b"HPERSIST": (key, _some_fields),
    b"HGETDEL": (key, _some_fields),
    b"HGETEX": (key, some(*_lifetimes, words(b"PERSIST"), most=1), _some_fields),
    b"HSETEX": (
        key,
        some(words(b"FNX", b"FXX", b"KEEPTTL"), *_lifetimes, most=2),
        either(
            joined(just(b"FIELDS", b"1"), _pairs),
            joined(just(b"FIELDS", b"2"), _two_pairs),
            mostly(joined(just(b"FIELDS", b"2"), _two_pairs), just(b"FIELDS", b"2", b"x")),
        ),
    ),
}


def _large(count: int) -> list[list[bytes]]:
    pairs = [word for n in range(count) for word in (b"f%d" % n, b"%d" % n)]
    some_fields = [b"f%d" % n for n in range(0, count, 3)]
    dying = [b"HEXPIREAT", b"a", b"4102444800", b"FIELDS", b"%d" % len(some_fields), *some_fields]
    return [[b"HSET", b"a", *pairs], dying]


FIELD_LIFETIMES = Family(
    "field lifetimes", SHAPES, preparations=filled(drawn(_large, choice([10, 511, 512, 513, 1500])))
)
