"""What the sorted-set commands are told: numbers as C reads them, ranges of scores and of bytes."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from shmcache.commands.replies import CommandError, as_c_string

if TYPE_CHECKING:
    from shmcache.arena import Reads

__all__ = [
    "NO_SIGN",
    "LexBound",
    "LexRange",
    "RankRange",
    "Read",
    "ScoreRange",
    "Window",
    "double",
    "double_or_none",
    "lex_range",
    "score_range",
    "strtod",
]

# What C's strtod takes from the beginning of a text.
_NUMBER = re.compile(
    rb"""[ \t\n\v\f\r]*
    (?P<sign>[+-]?)
    (?: (?P<infinity> inf(?:inity)? )
      | (?P<nan> nan(?:\([0-9a-z_]*\))? )
      | 0x (?P<hexadecimal> [0-9a-f]+\.?[0-9a-f]* | \.[0-9a-f]+ ) (?:p[+-]?[0-9]+)?
      | (?P<decimal> [0-9]+\.?[0-9]* | \.[0-9]+ ) (?:e[+-]?[0-9]+)?
    )""",
    re.IGNORECASE | re.VERBOSE,
)
NO_SIGN = 0.0
"""To add to a score that is stored: Redis tells no negative zero from a (small) sorted set."""
_ZERO_DIGITS = b"0."
_SURE_DIGITS = 15  # so many digits are a double, whatever they are


class Read(NamedTuple):
    """A number that strtod read: the double, where it ended, and whether ERANGE was set for it."""

    value: float
    end: int
    out_of_range: bool


def strtod(text: bytes) -> Read:
    """The number that C reads from the beginning of a text; nothing read is 0, ending there."""
    match = _NUMBER.match(text)
    if match is None:
        return Read(0.0, 0, False)
    found = match.group().lstrip()
    digits = match["hexadecimal"] or match["decimal"]
    if digits is None:
        return Read(float(found.partition(b"(")[0]), match.end(), False)
    if match["hexadecimal"] is None:
        value = float(found)
    else:
        try:
            value = float.fromhex(found.decode())
        except OverflowError:
            value = -math.inf if match["sign"] == b"-" else math.inf
    vanished = value == 0 and digits.strip(_ZERO_DIGITS) != b""
    return Read(value, match.end(), vanished or math.isinf(value))


def double_or_none(word: bytes) -> float | None:
    """The double that all of a word is, infinities included; None for not-a-number.

    None too for what overflows or vanishes to zero.
    """
    if word.isdigit() and len(word) <= _SURE_DIGITS:
        return float(word)
    value, end, out_of_range = strtod(word)
    if not word or word[:1].isspace() or end != len(word) or out_of_range or math.isnan(value):
        return None
    return value


def double(word: bytes, complaint: str = "value is not a valid float") -> float:
    """A double argument.

    :param complaint: Redis's words for an argument that is none
    :raises CommandError: it is none
    """
    value = double_or_none(word)
    if value is None:
        raise CommandError(f"ERR {complaint}")
    return value


# ---- ranges --------------------------------------------------------------------------------------


class Window(NamedTuple):
    """Neighbours in a sorted set: ``size`` of them from rank ``first`` on."""

    first: int
    size: int

    def without(self, offset: int, *, reverse: bool) -> Window:
        """All but ``offset`` of them, counted from the side that the reading starts at."""
        if not 0 <= offset < self.size:
            return Window(self.first, 0)
        return Window(self.first if reverse else self.first + offset, self.size - offset)

    def limited(self, limit: int, *, reverse: bool) -> Window:
        """At most ``limit`` of them, if it is not negative."""
        if not 0 <= limit < self.size:
            return self
        return Window(self.first + (self.size - limit if reverse else 0), limit)


def _between(low: int, high: int) -> Window:
    return Window(low, max(high - low, 0))


class RankRange(NamedTuple):
    """Ranks from ``start`` to ``stop``, inclusive, negative ones from the end."""

    start: int
    stop: int

    def window(self, reads: Reads, db: int, key: bytes, *, reverse: bool = False) -> Window:
        """The members in the range, by rank from the lowest."""
        length = reads.length(db, key, "zset")
        start = max(self.start + length if self.start < 0 else self.start, 0)
        stop = min(self.stop + length if self.stop < 0 else self.stop, length - 1)
        count = max(stop - start + 1, 0)
        return Window(length - start - count if reverse else start, count)


class ScoreRange(NamedTuple):
    """Scores from ``least`` to ``most``, with or without these."""

    least: float
    most: float
    without_least: bool
    without_most: bool

    def window(
        self, reads: Reads, db: int, key: bytes, *, reverse: bool = False, offset: int = 0
    ) -> Window:
        """The members in the range, without the first ``offset`` that the reading comes to."""
        low = reads.zset_seek(db, key, self.least, self.without_least)
        high = reads.zset_seek(db, key, self.most, not self.without_most)
        return _between(low, high).without(offset, reverse=reverse)


def _score_bound(word: bytes) -> tuple[float, bool]:
    """A bound and whether it is outside of the range. An empty one is 0, as strtod has it."""
    text = as_c_string(word)
    without = text.startswith(b"(")
    text = text[without:]
    value, end, _ = strtod(text)
    if end != len(text) or math.isnan(value):
        raise CommandError("ERR min or max is not a float")
    return value, without


def score_range(least: bytes, most: bytes) -> ScoreRange:
    """The range that ``(1`` and ``+inf`` make.

    :raises CommandError: one of them is no score
    """
    low, without_low = _score_bound(least)
    high, without_high = _score_bound(most)
    return ScoreRange(low, high, without_low, without_high)


LexBound: TypeAlias = "tuple[bytes, bool] | None"
"""Bytes, and whether they are outside of the range; None is beyond all bytes."""

_MIXED_MEMBERS = 128
"""Sorted sets of different scores have no order of bytes. Up to so many members Redis looks at one
after the other, and what comes of that is imitated."""


class LexRange(NamedTuple):
    """Bytes from ``least`` to ``most``; ``empty`` if it begins after, or ends before, all bytes."""

    least: LexBound
    most: LexBound
    empty: bool

    def window(
        self, reads: Reads, db: int, key: bytes, *, reverse: bool = False, offset: int = 0
    ) -> Window:
        """The members in the range, provided that all scores are the same.

        :param offset: how many to leave out of those that the reading comes to first
        """
        length = reads.length(db, key, "zset")
        if not length or self.empty or offset < 0:
            return Window(0, 0)
        if length <= _MIXED_MEMBERS and _scores_differ(reads, db, key):
            members = reads.zset_members(db, key, 0, length)
            return self._walked(members, reverse=reverse, offset=offset)
        low, high = 0, length
        if self.least is not None:
            low = reads.zset_seek_lex(db, key, *self.least)
        if self.most is not None:
            high = reads.zset_seek_lex(db, key, self.most[0], not self.most[1])
        return _between(low, high).without(offset, reverse=reverse)

    def _walked(self, members: list[bytes], *, reverse: bool, offset: int) -> Window:
        """Neighbours from the first that is not too low up to the first that is too high.

        Those left out are not looked at.
        """
        if not members or not (self._above(members[-1]) and self._below(members[0])):
            return Window(0, 0)
        in_turn = list(reversed(members)) if reverse else members
        starts, goes_on = (self._below, self._above) if reverse else (self._above, self._below)
        begin = next((at for at, member in enumerate(in_turn) if starts(member)), None)
        if begin is None or not goes_on(in_turn[begin]):
            return Window(0, 0)
        begin += offset
        rest = range(begin, len(members))
        end = next((at for at in rest if not goes_on(in_turn[at])), max(begin, len(members)))
        return Window(len(members) - end if reverse else begin, end - begin)

    def _above(self, member: bytes) -> bool:
        if self.least is None:
            return True
        return member > self.least[0] or (member == self.least[0] and not self.least[1])

    def _below(self, member: bytes) -> bool:
        if self.most is None:
            return True
        return member < self.most[0] or (member == self.most[0] and not self.most[1])


def _scores_differ(reads: Reads, db: int, key: bytes) -> bool:
    lowest, highest = reads.zset_range(db, key, 0, 1), reads.zset_range(db, key, 0, 1, True)
    return [score for _, score in lowest] != [score for _, score in highest]


def _lex_bound(word: bytes, endless: bytes) -> tuple[LexBound, bool]:
    """A bound and whether it leaves nothing. ``endless`` is the sign that leaves everything."""
    sign = word[:1]
    if sign in (b"+", b"-") and word[1:2] in (b"", b"\0"):
        return None, sign != endless
    if sign in (b"[", b"("):
        return (word[1:], sign == b"("), False
    raise CommandError("ERR min or max not valid string range item")


def lex_range(least: bytes, most: bytes) -> LexRange:
    """The range that ``[a`` and ``+`` make.

    :raises CommandError: one of them is neither such a text nor ``-`` or ``+``
    """
    low, nothing_above = _lex_bound(least, b"-")
    high, nothing_below = _lex_bound(most, b"+")
    return LexRange(low, high, nothing_above or nothing_below)
