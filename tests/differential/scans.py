"""HSCAN, SSCAN, ZSCAN: whole iterations, whose parts come in any order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from differential.compare import same_reply

if TYPE_CHECKING:
    from collections.abc import Sequence

    from differential.wire import Tagged
    from differential.world import Answering

MOST_CALLS = 20_000


def check_scan(
    words: Sequence[bytes], oracle: Answering, side: Answering
) -> tuple[bool, Tagged, Tagged]:
    """Iterate on both sides. The words are ``[name, key, cursor, options ...]``."""
    theirs, ours = _iterate(oracle, words), _iterate(side, words)
    if theirs[0] == "error" or ours[0] == "error":
        return theirs == ours, theirs, ours
    size = 1 if words[0].upper() == b"SSCAN" else 2
    expected, found = (_rows(reply[1], size) for reply in (theirs, ours))
    # Redis may give a row twice; ours gives each once.
    alike = len(set(expected)) == len(found) and all(
        same_reply(words, ("array", one), ("array", other))
        for one, other in zip(sorted(set(expected)), sorted(found), strict=True)
    )
    return alike, theirs, ours


def _iterate(side: Answering, words: Sequence[bytes]) -> Tagged:
    """All parts of all replies, or the first error."""
    name, key, *rest = words
    cursor, options = (rest[0], rest[1:]) if rest else (b"", [])
    parts: list[Tagged] = []
    for _ in range(MOST_CALLS):
        reply = side.execute(name, key, cursor, *options) if rest else side.execute(name, key)
        if reply[0] == "error":
            return reply
        after, found = reply[1]
        parts += _flat(found)
        cursor = after[1] if isinstance(after[1], bytes) else b"%d" % after[1]
        if cursor == b"0":
            return ("array", tuple(parts))
    return ("error", b"an iteration without end")


def _flat(found: Tagged) -> list[Tagged]:
    kind, content = found
    if kind == "map":
        return [part for pair in content for part in pair]
    return [inner for part in content for inner in (part[1] if part[0] == "tuple" else (part,))]


def _rows(parts: Sequence[Tagged], size: int) -> list[tuple[Tagged, ...]]:
    return [tuple(parts[at : at + size]) for at in range(0, len(parts), size)]
