"""Which words of a command line are keys, and what happens to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from shmcache.commands.arguments import integer_or_none

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shmcache.commands.spec import Command, KeySpec

__all__ = ["KeyRange", "KeyUse", "key_range", "keys_of"]


class KeyUse(NamedTuple):
    """One key of a command line and the flags of its use, such as ``RW`` and ``access``."""

    key: bytes
    flags: tuple[str, ...]


class KeyRange(NamedTuple):
    """The first key's position, the last one's (negative: from the end), and the step."""

    first: int
    last: int
    step: int


def keys_of(command: Command, words: Sequence[bytes]) -> list[KeyUse]:
    """The keys of a whole command line, names included, whose arity is right.

    A line that breaks the command's syntax has none.
    """
    if command.find_keys is not None:
        return [KeyUse(words[position], flags) for position, flags in command.find_keys(words)]
    uses: list[KeyUse] = []
    for spec in command.keys:
        first = _begin(spec, words)
        if first is None or "not_key" in spec.flags:
            continue
        positions = _positions(spec, first, words)
        if not positions:
            return []
        flags = spec.flags if command.variable_flags is None else command.variable_flags(words)
        uses += (KeyUse(words[position], flags) for position in positions)
    return uses


def _begin(spec: KeySpec, words: Sequence[bytes]) -> int | None:
    """Where the search for keys begins; None if this line has no such keys."""
    if spec.unknown:
        return None
    if not spec.keyword:
        return spec.first
    keyword = spec.keyword.encode()
    for position in range(spec.first, len(words) - 1):
        if words[position].upper() == keyword:
            return position + 1
    return None


def _positions(spec: KeySpec, first: int, words: Sequence[bytes]) -> range:
    """Where the keys of one specification are; empty if the line does not fit it."""
    if spec.counted:
        number = integer_or_none(words[first]) if first < len(words) else None
        first, last = first + 1, first + (number or 0)
    elif spec.last >= 0:
        last = first + spec.last
    elif spec.limit > 1:
        last = first + (len(words) - first) // spec.limit + spec.last
    else:
        last = len(words) + spec.last
    return range(first, last + 1, spec.step) if last < len(words) else range(0)


def key_range(command: Command) -> KeyRange:
    """The one range that COMMAND INFO squeezes all key specifications into; zeros without keys."""
    if len(command.keys) == 1 and command.keys[0].is_range:
        head = command.keys[0]
        return KeyRange(
            head.first, head.first + head.last if head.last >= 0 else head.last, head.step
        )
    first, last = 0, 0
    for spec in command.keys:
        gap = last and last != spec.first - 1
        if spec.is_range and spec.step == 1 and not gap:
            first = first or spec.first
            # one that counts from the end lies behind all others
            last = spec.first + spec.last if spec.last >= 0 else spec.last
    return KeyRange(first, last, 1 if first else 0)
