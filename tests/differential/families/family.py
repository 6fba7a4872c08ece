"""What the families have in common: their keys, their odd values, and the commands on any type."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import NamedTuple, TypeAlias

from differential.grammar import (
    Shape,
    Words,
    absolute_milliseconds,
    absolute_seconds,
    after,
    always,
    choice,
    either,
    integers,
    just,
    many,
    mostly,
    one,
    relative_times,
    some,
    values,
    words,
)

OF_OTHER_TYPES: list[list[bytes]] = [
    [b"SET", b"text", b"some text"],
    [b"SET", b"number", b"12"],
    [b"RPUSH", b"list", b"x", b"1", b"y"],
    [b"SADD", b"set", b"x", b"1", b"y"],
    [b"ZADD", b"zset", b"1", b"x", b"2", b"1", b"3", b"y"],
    [b"HSET", b"hash", b"x", b"1", b"y", b"2"],
    [b"XADD", b"stream", b"1-1", b"x", b"1"],
]
"""One key of each type for commands that want another."""

OWN_KEYS = [b"a", b"b", b"c", b"", b"k\x00\xff\r\n"]
own_keys = mostly(choice([b"a", b"a", b"a", b"b", b"b", b"c"]), choice([b"", b"k\x00\xff\r\n"]))
other_keys = choice([*(line[1] for line in OF_OTHER_TYPES), b"missing"])
keys = mostly(own_keys, other_keys)
key = one(keys)

LONG = [b"m" * 63, b"m" * 64, b"m" * 65, b"v" * 300]
"""Around the longest element that stays packed, and a longer one."""
ELEMENTS = [
    b"x",
    b"y",
    b"z",
    b"1",
    b"2",
    b"-3",
    b"12345678901",
    b"",
    b"\x00\xff\r\n",
    b"1.0",
    b"01",
]
elements = choice(ELEMENTS * 3 + LONG)
"""Few, so that they meet again."""
any_elements = mostly(elements, values, 0.4)


Script: TypeAlias = Callable[[Random], list[list[bytes]]]


class Family(NamedTuple):
    """Commands that are tried together.

    ``randoms`` have random outcomes; ``scans`` are ``[name, key, cursor, options ...]``; each of
    the ``preparations`` is one way in which an example may begin.
    """

    name: str
    shapes: dict[bytes, Shape]
    preparations: Script
    randoms: Words | None = None
    scans: Words | None = None


_absolute_conditions = some(words(b"NX", b"XX", b"GT", b"LT"), most=1)

GENERIC: dict[bytes, Shape] = {
    b"DEL": (many(keys, most=2),),
    b"UNLINK": (key,),
    b"EXISTS": (many(keys),),
    b"TYPE": (key,),
    b"RENAME": (key, key),
    b"RENAMENX": (key, key),
    b"COPY": (key, key, some(words(b"REPLACE"), most=1)),
    b"EXPIRE": (key, one(relative_times)),
    b"EXPIREAT": (key, one(absolute_seconds), _absolute_conditions),
    b"PEXPIREAT": (key, one(absolute_milliseconds), _absolute_conditions),
    b"PEXPIRETIME": (key,),
    b"PERSIST": (key,),
    b"OBJECT": (words(b"ENCODING"), key),
}
"""Commands on a key of any type."""

_key = one(mostly(other_keys, own_keys, 0.1))

SIMPLE: dict[bytes, Shape] = {
    b"SET": (_key, one(any_elements), some(words(b"NX", b"XX", b"GET", b"KEEPTTL"), most=1)),
    b"GET": (_key,),
    b"SADD": (_key, many(elements)),
    b"HSET": (_key, many(elements, elements, most=2)),
    b"RPUSH": (_key, many(elements)),
    b"ZADD": (_key, one(choice([b"1", b"2", b"-1.5"])), one(elements)),
    b"XADD": (
        key,
        one(choice([b"2-1", b"3-1", b"9-9"])),
        many(elements, elements, most=1),
    ),
    b"APPEND": (_key, one(any_elements)),
    b"INCR": (_key,),
    b"STRLEN": (_key,),
    b"MGET": (many(keys),),
    b"GETSET": (_key, one(any_elements)),
}
"""Commands that put other types into the same keys, or fail to."""

counts = mostly(choice([b"0", b"1", b"2", b"3", b"5", b"100"]), integers, 0.2)
"""Any number of things asked for, where only what is there can come."""
random_counts = choice(
    [
        *(b"0", b"1", b"2", b"5", b"100", b"9223372036854775807", b"-1", b"-5", b"-20"),
        *(b"-9223372036854775808", b"x", b"", b"1.0", b"9223372036854775808"),
    ]
)
"""A negative one makes so many repetitions: none may be huge."""

cursors = choice([b"0"] * 8 + [b"", b"x", b" 0", b"18446744073709551616"])
_globs = choice([b"*", b"*1*", b"x", b"f[1-3]?", b"", b"[", b"m*"])
scan_options = some(after(b"MATCH", _globs), after(b"COUNT", counts), just(b"FOO"), most=2)


def filled(
    make: Script,
) -> Script:
    """Half of the examples begin with nothing, the others with something large."""
    return either(always([]), make)
