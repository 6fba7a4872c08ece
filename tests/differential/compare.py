"""When two replies count as the same, and what two keyspaces must have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

from differential.exceptions import is_exception
from differential.stream_facts import forget_times
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


def _in_order(reply: Tagged) -> Tagged:
    kind, *content = reply
    if kind in {"array", "set", "tuple", "map"}:
        return kind, tuple(sorted(content[0], key=repr))
    return reply


def same_members(theirs: Tagged, ours: Tagged) -> bool:
    return _in_order(theirs) == _in_order(ours)


def same_pairs(theirs: Tagged, ours: Tagged) -> bool:
    """HGETALL, which is flat in RESP2."""
    if theirs[0] != "array" or ours[0] != "array":
        return same_members(theirs, ours)
    return sorted(_pairs(theirs[1])) == sorted(_pairs(ours[1]))


def _pairs(flat: Sequence[Tagged]) -> list[tuple[Tagged, Tagged]]:
    return list(zip(flat[::2], flat[1::2], strict=True))


def same_kind(theirs: Tagged, ours: Tagged) -> bool:
    """For replies whose content is each server's own affair."""
    return bool(theirs[0] == ours[0]) and (theirs[0] != "error" or theirs == ours)


def same_stream_facts(theirs: Tagged, ours: Tagged) -> bool:
    """XINFO, XPENDING: times that passed since an earlier call are not compared."""
    return bool(forget_times(theirs) == forget_times(ours))


def each_within(tolerance: int) -> Comparison:
    """The same of several times."""
    compare = within(tolerance)

    def close_enough(theirs: Tagged, ours: Tagged) -> bool:
        if theirs[0] != "array" or ours[0] != "array" or len(theirs[1]) != len(ours[1]):
            return bool(theirs == ours)
        return all(compare(one, other) for one, other in zip(theirs[1], ours[1], strict=True))

    return close_enough


_COMPARISONS: dict[tuple[bytes, ...], Comparison] = {
    (b"TTL",): within(2),
    (b"PTTL",): within(5000),
    (b"EXPIRETIME",): within(2),
    (b"PEXPIRETIME",): within(5000),
    **dict.fromkeys(
        (
            *((b"KEYS",), (b"SMEMBERS",), (b"HKEYS",), (b"HVALS",)),
            *((b"SUNION",), (b"SINTER",), (b"SDIFF",)),
        ),
        same_members,
    ),
    (b"HGETALL",): same_pairs,
    (b"HTTL",): each_within(2),
    (b"HPTTL",): each_within(5000),
    (b"HEXPIRETIME",): each_within(2),
    (b"HPEXPIRETIME",): each_within(5000),
    **dict.fromkeys(
        ((b"XINFO", part) for part in (b"STREAM", b"GROUPS", b"CONSUMERS")), same_stream_facts
    ),
    (b"XPENDING",): same_stream_facts,
    (b"RANDOMKEY",): same_kind,
    (b"TIME",): same_kind,
    (b"SCAN",): same_kind,
    (b"OBJECT", b"IDLETIME"): same_kind,  # Redis shares small integers, and their idle time
    (b"OBJECT", b"REFCOUNT"): same_kind,
    (b"OBJECT", b"HELP"): same_kind,
    (b"MEMORY", b"USAGE"): same_kind,
    (b"MEMORY", b"HELP"): same_kind,
}
_UNSORTED_SORT = frozenset({b"SORT", b"SORT_RO"})
_GEO_SEARCHES = (b"GEOSEARCH", b"GEORADIUS")


def same_reply(words: Sequence[bytes], theirs: Tagged, ours: Tagged) -> bool:
    """Whether ours will do as the reply to a command line that Redis answered with theirs."""
    if theirs == ours or _agree(words, theirs, ours):
        return True
    comparison = _comparison_for([word.upper() for word in words])
    return comparison is not None and comparison(theirs, ours)


def _agree(words: Sequence[bytes], theirs: Tagged, ours: Tagged) -> bool:
    """Equal but for the listed exceptions, in every part."""
    if theirs == ours or is_exception(words, theirs, ours):
        return True
    if theirs[0] != ours[0] or theirs[0] not in {"array", "set", "tuple", "map"}:
        return False
    mine, yours = (
        [part for pair in reply[1] for part in pair] if reply[0] == "map" else reply[1]
        for reply in (theirs, ours)
    )
    return len(mine) == len(yours) and all(
        _agree(words, one, other) for one, other in zip(mine, yours, strict=True)
    )


def _comparison_for(words: Sequence[bytes]) -> Comparison | None:
    name = words[0]
    if name in _UNSORTED_SORT and _leaves_order_open(words):
        return same_members if b"LIMIT" not in words else same_size
    if name.startswith(_GEO_SEARCHES) and not {b"ASC", b"DESC", b"COUNT"} & set(words):
        return same_members
    return _COMPARISONS.get(tuple(words[:2])) or _COMPARISONS.get(tuple(words[:1]))


def _leaves_order_open(words: Sequence[bytes]) -> bool:
    """BY nosort: a set's members come in any order; by text: so do those of equal weights."""
    if b"BY" in words and b"ALPHA" in words:
        return True
    return any(word == b"BY" and b"*" not in by for word, by in pairwise(words[2:]))


def same_size(theirs: Tagged, ours: Tagged) -> bool:
    return same_kind(theirs, ours) and (theirs[0] != "array" or len(theirs[1]) == len(ours[1]))


def require_same(pair: Pair, words: Sequence[bytes]) -> None:
    """Send a command to both sides and fail unless they agree."""
    theirs, ours = pair.ask(words)
    assert same_reply(words, theirs, ours), f"\ncommand {words}\nredis   {theirs}\nours    {ours}"


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
