"""Sorted sets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from differential.families.family import (
    Family,
    counts,
    cursors,
    elements,
    filled,
    key,
    keys,
    own_keys,
    random_counts,
    scan_options,
)
from differential.grammar import (
    Words,
    after,
    always,
    choice,
    counted,
    drawn,
    either,
    floats,
    integers,
    joined,
    just,
    many,
    mostly,
    number,
    one,
    some,
    words,
)

if TYPE_CHECKING:
    from random import Random

_plain_scores = choice([b"0", b"0", b"1", b"1", b"2", b"-1", b"1.5", b"1e3", b"inf", b"-inf"])
_scores = mostly(_plain_scores, floats, 0.25)
_members = either(elements, number(0, 600, b"f%d"))
_member = one(_members)
_index = one(integers)
_borders = mostly(
    choice(
        [
            b"-inf",
            b"+inf",
            b"inf",
            b"(1",
            b"(inf",
            b"(-inf",
            b"1",
            b"0",
            b"(-1",
            b"2",
            b"5",
            b"(300",
        ]
    ),
    either(choice([b"(", b"(x", b"nan", b"x", b""]), floats),
)
_lex = mostly(
    choice([b"-", b"+", b"-", b"+", b"[x", b"(x", b"[", b"(", b"[f1", b"(f3", b"[\xff"]),
    choice([b"x", b"", b"-x", b"+x"]),
    0.07,
)
_border, _lex_border = one(_borders), one(_lex)
_limit = after(b"LIMIT", integers, integers)
_reverse = words(b"REV", b"WITHSCORES")
_adding = words(b"NX", b"XX", b"GT", b"LT", b"CH", b"CH", b"INCR")
_by_score = some(mostly(words(b"WITHSCORES"), words(b"FOO")), _limit, most=2)
_by_lex = some(mostly(_limit, words(b"WITHSCORES")), most=1)
_aggregate = joined(words(b"AGGREGATE"), mostly(words(b"SUM", b"MIN", b"MAX"), words(b"AVG")))


def _combined(options: Words) -> Words:
    """``numkeys key [key ...] [WEIGHTS weight [weight ...]]``, mostly as many weights as keys."""

    def draw(source: Random) -> list[bytes]:
        keys_words = counted(keys)(source)
        if source.random() < 0.3:
            weights = len(keys_words) - 1 + (source.random() < 0.1)
            keys_words += [b"WEIGHTS", *(_scores(source) for _ in range(weights))]
        return keys_words + options(source)

    return draw


_combining = _combined(
    some(mostly(either(_aggregate, words(b"WITHSCORES")), words(b"FOO")), most=2)
)
_storing = _combined(some(mostly(_aggregate, words(b"WITHSCORES")), most=1))
# What a range by lexicographical order gives is unspecified unless all scores are equal: the key
# `lex` is for that.
_lex_key = one(mostly(always(b"lex"), choice([b"text", b"set", b"no lex"])))
_any_borders = either(_borders, _lex)


def _ranges(before: Words) -> Words:
    return either(
        joined(before, key, _index, _index, some(words(b"REV", b"WITHSCORES"), most=2)),
        joined(before, key, _border, _border, just(b"BYSCORE"), some(_reverse, _limit, most=3)),
        joined(before, _lex_key, _lex_border, _lex_border, just(b"BYLEX"), some(_limit, most=1)),
        joined(before, _lex_key, _lex_border, _lex_border, just(b"BYLEX", b"REV")),
        joined(
            *(before, _lex_key, one(_any_borders), one(_any_borders)),
            some(words(b"BYLEX", b"BYSCORE", b"REV", b"WITHSCORES"), _limit, most=4),
        ),
    )


_count = some(one(counts), most=1)

SHAPES = {
    b"ZADD": (
        either(
            joined(key, some(_adding, most=2), many(_scores, _members)),
            joined(key, some(_adding, most=1), many(_scores, _members)),
            joined(just(b"lex"), many(always(b"0"), _members, most=6)),
        ),
    ),
    b"ZINCRBY": (key, one(_scores), _member),
    b"ZSCORE": (key, _member),
    b"ZMSCORE": (key, many(_members)),
    b"ZCARD": (key,),
    b"ZCOUNT": (key, _border, _border),
    b"ZLEXCOUNT": (_lex_key, _lex_border, _lex_border),
    b"ZRANK": (key, _member),
    b"ZREVRANK": (key, _member),
    b"ZRANGE": (_ranges(just()),),
    b"ZRANGESTORE": (_ranges(key),),
    b"ZREVRANGE": (key, _index, _index, some(words(b"WITHSCORES", b"FOO"), most=1)),
    b"ZRANGEBYSCORE": (key, _border, _border, _by_score),
    b"ZREVRANGEBYSCORE": (key, _border, _border, _by_score),
    b"ZRANGEBYLEX": (_lex_key, _lex_border, _lex_border, _by_lex),
    b"ZREVRANGEBYLEX": (_lex_key, _lex_border, _lex_border, _by_lex),
    b"ZREM": (key, many(_members)),
    b"ZREMRANGEBYRANK": (key, _index, _index),
    b"ZREMRANGEBYSCORE": (key, _border, _border),
    b"ZREMRANGEBYLEX": (_lex_key, _lex_border, _lex_border),
    b"ZPOPMIN": (key, _count),
    b"ZPOPMAX": (key, _count),
    b"ZMPOP": (
        counted(keys),
        mostly(words(b"MIN", b"MAX"), words(b"MID")),
        some(mostly(after(b"COUNT", counts), words(b"FOO")), most=1),
    ),
    b"ZUNION": (_combining,),
    b"ZINTER": (_combining,),
    b"ZDIFF": (counted(keys), some(words(b"WITHSCORES"), most=1)),
    b"ZINTERCARD": (counted(keys), some(after(b"LIMIT", counts), words(b"LIMIT"), most=1)),
    b"ZUNIONSTORE": (key, _storing),
    b"ZINTERSTORE": (key, _storing),
    b"ZDIFFSTORE": (key, counted(keys), some(words(b"WITHSCORES"), most=1)),
}


def _large(count: int, spread: int) -> list[list[bytes]]:
    pairs = [word for n in range(count) for word in (b"%d" % (n % spread), b"f%d" % n)]
    return [[b"ZADD", b"a", *pairs], [b"ZADD", b"b", *pairs[: count // 2 * 2]]]


SORTED_SETS = Family(
    "sorted set",
    SHAPES,
    preparations=filled(drawn(_large, choice([127, 128, 129, 600]), choice([1, 7, 10_000]))),
    randoms=joined(
        words(b"ZRANDMEMBER"),
        key,
        some(one(random_counts), most=1),
        some(words(b"WITHSCORES", b"FOO"), most=1),
    ),
    scans=joined(words(b"ZSCAN"), one(own_keys), one(cursors), scan_options),
)
