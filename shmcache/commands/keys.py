"""Which words of a command line are keys, and what happens to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

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
    """The keys of a whole command line, names included, whose arity is right."""
    uses: list[KeyUse] = []
    for spec in command.keys:
        flags = spec.flags if command.variable_flags is None else command.variable_flags(words)
        last = _last_position(spec, len(words))
        uses += (
            KeyUse(words[position], flags) for position in range(spec.first, last + 1, spec.step)
        )
    return uses


def _last_position(spec: KeySpec, count: int) -> int:
    return spec.first + spec.last if spec.last >= 0 else count + spec.last


def key_range(command: Command) -> KeyRange:
    """The one range that COMMAND INFO squeezes all key specifications into; zeros without keys."""
    if not command.keys:
        return KeyRange(0, 0, 0)
    head = command.keys[0]
    if len(command.keys) == 1:
        last = head.first + head.last if head.last >= 0 else head.last
        return KeyRange(head.first, last, head.step)
    return KeyRange(head.first, max(spec.first + spec.last for spec in command.keys), 1)
