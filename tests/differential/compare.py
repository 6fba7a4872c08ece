"""When two replies count as the same, and what two keyspaces must have in common."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from differential.wire import Tagged

if TYPE_CHECKING:
    from differential.sides import Pair, Side

DATABASES = 16

Comparison: TypeAlias = Callable[[Tagged, Tagged], bool]


def within(tolerance: int) -> Comparison:
    """Times differ by what passes between two calls; -1 and -2 mean something and must be equal."""

    def close_enough(theirs: Tagged, ours: Tagged) -> bool:
        if theirs[0] != "int" or ours[0] != "int" or theirs[1] < 0 or ours[1] < 0:
            return theirs == ours
        return bool(abs(theirs[1] - ours[1]) <= tolerance)

    return close_enough


def same_members(theirs: Tagged, ours: Tagged) -> bool:
    if theirs[0] != "array" or ours[0] != "array":
        return theirs == ours
    return sorted(theirs[1]) == sorted(ours[1])


def same_kind(theirs: Tagged, ours: Tagged) -> bool:
    """For replies whose content is each server's own affair."""
    return theirs[0] == ours[0] and (theirs[0] != "error" or theirs == ours)


def no_looser_encoding(theirs: Tagged, ours: Tagged) -> bool:
    """Redis keeps what INCRBYFLOAT computed as text even where it is an integer."""
    if theirs[0] != "bulk" or ours[0] != "bulk":
        return theirs == ours
    return theirs == ours or (theirs[1], ours[1]) == (b"embstr", b"int")


_COMPARISONS: dict[tuple[bytes, ...], Comparison] = {
    (b"TTL",): within(2),
    (b"PTTL",): within(2000),
    (b"EXPIRETIME",): within(2),
    (b"PEXPIRETIME",): within(2000),
    (b"KEYS",): same_members,
    (b"RANDOMKEY",): same_kind,
    (b"TIME",): same_kind,
    (b"SCAN",): same_kind,
    (b"OBJECT", b"ENCODING"): no_looser_encoding,
    (b"OBJECT", b"IDLETIME"): same_kind,  # Redis shares small integers, and their idle time
    (b"OBJECT", b"REFCOUNT"): same_kind,
    (b"OBJECT", b"HELP"): same_kind,
    (b"MEMORY", b"USAGE"): same_kind,
    (b"MEMORY", b"HELP"): same_kind,
}


def comparison_for(words: Sequence[bytes]) -> Comparison:
    name = tuple(word.upper() for word in words[:2])
    return _COMPARISONS.get(name) or _COMPARISONS.get(name[:1]) or operator.eq


def require_same(pair: Pair, words: Sequence[bytes]) -> None:
    """Send a command to both sides and fail unless they agree."""
    theirs, ours = pair.ask(words)
    assert comparison_for(words)(theirs, ours), (
        f"\ncommand {words}\nredis   {theirs}\nours    {ours}"
    )


def require_same_contents(pair: Pair) -> None:
    """Every database: the same keys, values, times of death and types. Leaves 0 selected."""
    for db in range(DATABASES):
        pair.select(db)
        # Unlike KEYS, SCAN makes Redis drop expired keys, which DBSIZE would count.
        keys = scan_all(pair.theirs, b"COUNT", b"1000")
        assert scan_all(pair.ours, b"COUNT", b"1000") == keys, f"database {db}"
        for key in keys:
            for words in (
                [b"GET", key],
                [b"TYPE", key],
                [b"PEXPIRETIME", key],
                [b"OBJECT", b"ENCODING", key],
            ):
                require_same(pair, words)
        require_same(pair, [b"DBSIZE"])
    pair.select(0)


def scan_all(side: Side, *options: bytes) -> list[bytes]:
    """What a whole SCAN iteration returns."""
    found: list[bytes] = []
    cursor = b"0"
    while True:
        kind, parts = side.execute(b"SCAN", cursor, *options)
        assert kind == "array", parts
        cursor = parts[0][1]
        found += (key for _, key in parts[1][1])
        if cursor == b"0":
            return sorted(found)
