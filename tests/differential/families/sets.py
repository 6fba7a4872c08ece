"""Sets: of integers, packed and large."""

from __future__ import annotations

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
    after,
    choice,
    counted,
    drawn,
    either,
    joined,
    many,
    number,
    one,
    some,
    values,
    words,
)

_integers = choice(
    [b"%d" % number for number in (0, 1, 2, 32767, 32768, -32769, 1 << 31, 1 << 40, (1 << 63) - 1)]
)
_members = either(elements, _integers, number(0, 600), values)
_member = one(_members)

SHAPES = {
    b"SADD": (key, many(_members, most=6)),
    b"SREM": (key, many(_members)),
    b"SISMEMBER": (key, _member),
    b"SMISMEMBER": (key, many(_members)),
    b"SCARD": (key,),
    b"SMEMBERS": (key,),
    b"SMOVE": (key, key, _member),
    b"SINTER": (many(keys),),
    b"SUNION": (many(keys),),
    b"SDIFF": (many(keys),),
    b"SINTERSTORE": (key, many(keys)),
    b"SUNIONSTORE": (key, many(keys)),
    b"SDIFFSTORE": (key, many(keys)),
    b"SINTERCARD": (counted(keys), some(after(b"LIMIT", counts), words(b"LIMIT"), most=1)),
}


def _large(count: int, form: bytes) -> list[list[bytes]]:
    members = [form % number for number in range(count)]
    return [[b"SADD", b"a", *members], [b"SADD", b"b", *members[::2], b"more"]]


SETS = Family(
    "set",
    SHAPES,
    preparations=filled(
        drawn(
            _large,
            choice([127, 128, 129, 511, 512, 513, 1500]),
            choice([b"%d", b"f%d"]),
        )
    ),
    randoms=joined(words(b"SPOP", b"SRANDMEMBER"), key, some(one(random_counts), most=1)),
    scans=joined(words(b"SSCAN"), one(own_keys), one(cursors), scan_options),
)
