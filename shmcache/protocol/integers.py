"""Numbers as strings: which words Redis takes for an integer."""

from __future__ import annotations

from typing import Final

__all__ = ["INT64_MAX", "INT64_MIN", "integer_or_none"]

INT64_MIN: Final = -(1 << 63)
INT64_MAX: Final = (1 << 63) - 1
_INT64_DIGITS: Final = 20


def integer_or_none(word: bytes) -> int | None:
    """The 64-bit signed integer that a word is in its shortest decimal form, else None.

    Neither ``+1`` nor ``01``, ``-0``, blanks or underscores are integers.
    """
    if len(word) > _INT64_DIGITS:
        return None
    try:
        number = int(word)
    except ValueError:
        return None
    if b"%d" % number != word or not INT64_MIN <= number <= INT64_MAX:
        return None
    return number
