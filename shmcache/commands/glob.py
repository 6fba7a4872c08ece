"""Redis's glob patterns: ``*``, ``?``, ``[a-z]``, ``[^a]``, and a backslash before a literal.

A pattern becomes one regular expression in which each part between two stars is found once, at the
first place it fits, and never tried again: matching takes time proportional to pattern times
string, whatever the pattern.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["compile_glob", "glob_matches"]

_STAR, _ANY, _OPEN, _CLOSE, _ESCAPE, _NOT, _DASH = b"*?[]\\^-"
_CACHED_PATTERNS = 256


def glob_matches(pattern: bytes, text: bytes) -> bool:
    """Whether the pattern fits the whole text."""
    return compile_glob(pattern)(text)


@lru_cache(maxsize=_CACHED_PATTERNS)
def compile_glob(pattern: bytes) -> Callable[[bytes], bool]:
    """A function that tells whether a text fits the pattern."""
    if b"*" not in pattern and b"?" not in pattern and b"[" not in pattern:
        literal = re.sub(rb"\\(.)", rb"\1", pattern, flags=re.DOTALL)
        return literal.__eq__
    fits = re.compile(_expression(pattern), re.DOTALL).fullmatch

    # Redis looks at a pattern only while there is text left: nothing but the pattern of no
    # characters fits the empty text, not even a star.
    return lambda text: text != b"" and fits(text) is not None


def _expression(pattern: bytes) -> bytes:
    """The regular expression for a pattern."""
    parts = _parts_between_stars(pattern)
    if len(parts) == 1:
        return parts[0]
    middle = b"".join(b"(?>.*?" + part + b")" for part in parts[1:-1] if part)
    return parts[0] + middle + b".*" + parts[-1]


def _parts_between_stars(pattern: bytes) -> list[bytes]:
    parts = [b""]
    position = 0
    while position < len(pattern):
        byte = pattern[position]
        if byte == _STAR:
            parts.append(b"")
        elif byte == _ANY:
            parts[-1] += b"."
        elif byte == _OPEN:
            expression, position = _class(pattern, position + 1)
            parts[-1] += expression
        else:
            if byte == _ESCAPE and position + 1 < len(pattern):
                position += 1
            parts[-1] += re.escape(pattern[position : position + 1])
        position += 1
    return parts


def _class(pattern: bytes, position: int) -> tuple[bytes, int]:
    """The expression for ``[...]`` and where it ends; one that is never closed ends with the text.

    :param position: just past the opening bracket
    """
    negated = pattern[position : position + 1] == b"^"
    position += negated
    members = set[int]()
    end = len(pattern)
    while position < end and pattern[position] != _CLOSE:
        if pattern[position] == _ESCAPE and position + 1 < end:
            position += 1
            members.add(pattern[position])
        elif position + 2 < end and pattern[position + 1] == _DASH:
            members.update(_range(pattern[position], pattern[position + 2]))
            position += 2
        else:
            members.add(pattern[position])
        position += 1
    if not members:
        return (b"." if negated else b"(?!)"), position
    listed = b"".join(re.escape(bytes((member,))) for member in sorted(members))
    return b"[" + (b"^" if negated else b"") + listed + b"]", position


def _range(first: int, last: int) -> set[int]:
    """The bytes between two, in the order of C's signed char, whichever comes first."""
    low, high = sorted((_signed(first), _signed(last)))
    return {value & 0xFF for value in range(low, high + 1)}


def _signed(byte: int) -> int:
    return byte - 256 if byte > 127 else byte
