"""The longest common subsequence of two strings, and where its pieces lie.

One row of the classic table is kept as an integer with one bit a column: zero where the length
grows from the column before. A row follows from the last by a handful of operations on the whole
integer (H. Hyyrö, "Bit-parallel LCS-length computation revisited", 2004), which is what makes
strings of tens of kilobytes bearable in Python. The bits of all rows suffice to walk back through
the table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Match", "common_length", "common_subsequence", "matches"]


class Match(NamedTuple):
    """A run of bytes that both strings have: where it starts in each, and its length."""

    start_a: int
    start_b: int
    length: int


def _rows(a: bytes, b: bytes) -> Iterator[int]:
    """The bits of each row of the table, a row for each byte of ``a``."""
    positions = {byte: _positions(byte, b) for byte in set(a)}
    mask = (1 << len(b)) - 1
    row = mask
    for byte in a:
        met = row & positions[byte]
        row = ((row + met) | (row - met)) & mask
        yield row


def _positions(byte: int, text: bytes) -> int:
    """A bit for each place of a byte in a text, the first place lowest."""
    marks = bytearray(b"0" * 256)
    marks[byte] = ord("1")
    return int(text[::-1].translate(marks) or b"0", 2)


def common_length(a: bytes, b: bytes) -> int:
    """The length of the longest common subsequence."""
    row = (1 << len(b)) - 1
    for row in _rows(a, b):  # noqa: B007 - the last one is wanted
        pass
    return len(b) - row.bit_count()


def _pairs(a: bytes, b: bytes) -> Iterator[tuple[int, int]]:
    """The indexes of the bytes of the subsequence, last first; of several, the one Redis takes."""
    rows = list(_rows(a, b))
    i, j = len(a) - 1, len(b) - 1
    while i >= 0 and j >= 0:
        if a[i] == b[j]:
            yield i, j
            i, j = i - 1, j - 1
        elif rows[i] >> j & 1:
            j -= 1
        else:
            i -= 1


def common_subsequence(a: bytes, b: bytes) -> bytes:
    """The longest common subsequence itself."""
    return bytes(a[i] for i, _ in _pairs(a, b))[::-1]


def matches(a: bytes, b: bytes) -> list[Match]:
    """The contiguous runs that make up the subsequence, last first."""
    runs: list[Match] = []
    for i, j in _pairs(a, b):
        if runs and runs[-1].start_a == i + 1 and runs[-1].start_b == j + 1:
            runs[-1] = Match(i, j, runs[-1].length + 1)
        else:
            runs.append(Match(i, j, 1))
    return runs
