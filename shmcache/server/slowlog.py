"""The slow log: the last commands that took longer than an option allows."""

from __future__ import annotations

import time
from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["SlowEntry", "SlowLog"]

_MOST_WORDS: Final = 32
_MOST_WORD_BYTES: Final = 128


class SlowEntry(NamedTuple):
    """One slow command."""

    number: int
    unix_s: int
    microseconds: int
    words: list[bytes]
    """Cut short as Redis cuts them."""
    address: str
    name: bytes


class SlowLog:
    """The newest entries first, at most :attr:`most` of them."""

    def __init__(self) -> None:
        self._entries: deque[SlowEntry] = deque()
        self._next_number = 0
        self._most = 0

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def most(self) -> int:
        """How many entries are kept."""
        return self._most

    @most.setter
    def most(self, most: int) -> None:
        self._most = most
        self._trim()

    def add(self, words: Sequence[bytes], microseconds: int, address: str, name: bytes) -> None:
        """Note a command, the secrets of which have been taken out."""
        entry = SlowEntry(
            self._next_number, int(time.time()), microseconds, _shortened(words), address, name
        )
        self._next_number += 1
        self._entries.appendleft(entry)
        self._trim()

    def newest(self, count: int) -> Iterator[SlowEntry]:
        """So many entries, or as many as there are."""
        return islice(self._entries, min(count, len(self._entries)))

    def clear(self) -> None:
        """Forget all; numbers go on."""
        self._entries.clear()

    def _trim(self) -> None:
        while len(self._entries) > self._most:
            self._entries.pop()


def _shortened(words: Sequence[bytes]) -> list[bytes]:
    if len(words) <= _MOST_WORDS:
        return [_shortened_word(word) for word in words]
    kept = [_shortened_word(word) for word in words[: _MOST_WORDS - 1]]
    return [*kept, b"... (%d more arguments)" % (len(words) - len(kept))]


def _shortened_word(word: bytes) -> bytes:
    rest = len(word) - _MOST_WORD_BYTES
    return word if rest <= 0 else word[:_MOST_WORD_BYTES] + b"... (%d more bytes)" % rest
