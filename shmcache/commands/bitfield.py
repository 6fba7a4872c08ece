"""BITFIELD: a string as an array of integers of any width, at any bit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, Self

from shmcache.arena import SET_APPENDED, SET_KEEP_TTL
from shmcache.commands.arguments import INT64_MAX, integer, integer_or_none
from shmcache.commands.bitmaps import bit_offset
from shmcache.commands.replies import CommandError, Reply, syntax_error

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shmcache.arena import Transaction
    from shmcache.commands.context import Context

__all__ = ["bitfield", "bitfield_key_flags", "bitfield_ro"]

_WRAP, _SATURATE, _FAIL = b"WRAP", b"SAT", b"FAIL"
_VALUES: Final = {b"GET": 2, b"SET": 3, b"INCRBY": 3}
"""How many words follow each of them."""
_UINT64 = 1 << 64


class _Kind(NamedTuple):
    """``i16`` or ``u8``: whether there is a sign, and how many bits there are."""

    signed: bool
    bits: int

    @property
    def least(self) -> int:
        return -1 << (self.bits - 1) if self.signed else 0

    @property
    def most(self) -> int:
        return (1 << (self.bits - self.signed)) - 1

    @property
    def least_settable(self) -> int:
        """SET takes numbers below this for large ones: there Redis's 64-bit arithmetic wraps."""
        if not self.signed:
            return 0
        return self.most - INT64_MAX if self.bits < 64 else self.least

    def wrap(self, number: int) -> int:
        """The number that is left of one that does not fit."""
        return (number - self.least) % (1 << self.bits) + self.least


class _Step(NamedTuple):
    """One GET, SET or INCRBY."""

    name: bytes
    kind: _Kind
    offset: int
    operand: int
    overflow: bytes

    @property
    def end(self) -> int:
        """How many bytes a string must have to hold these bits."""
        return (self.offset + self.kind.bits + 7) >> 3

    def moved(self, size: int) -> Self:
        """The same step on what is left of a string without its first bytes."""
        return self._replace(offset=self.offset - size * 8)


def bitfield(context: Context, args: Sequence[bytes]) -> Reply:
    """BITFIELD key [GET type offset | [OVERFLOW WRAP | SAT | FAIL]
    SET type offset value | INCRBY type offset increment ...].
    """
    db, key = context.db, args[0]
    steps = _parse(context, args[1:])
    size = max((step.end for step in steps if step.name != b"GET"), default=0)
    if not size:
        return _read(context, key, steps)
    with context.arena.transaction([(db, key)], "") as transaction:
        return _write(transaction, db, key, steps, size)


def bitfield_ro(context: Context, args: Sequence[bytes]) -> Reply:
    """BITFIELD_RO key [GET type offset ...]."""
    steps = _parse(context, args[1:])
    if any(step.name != b"GET" for step in steps):
        raise CommandError("ERR BITFIELD_RO only supports the GET subcommand")
    return _read(context, args[0], steps)


def bitfield_key_flags(words: Sequence[bytes]) -> tuple[str, ...]:
    """What one call does to its key, by COMMAND GETKEYSANDFLAGS' flags."""
    position = 2
    while position < len(words):
        word = words[position].upper()
        position += 1
        if word == b"GET" and position + 1 < len(words):
            position += 2
        elif word == b"OVERFLOW" and position < len(words):
            position += 1
        else:
            return ("RW", "access", "update")
    return ("RO", "access")


# ---- what is asked for ---------------------------------------------------------------------------


def _parse(context: Context, words: Sequence[bytes]) -> list[_Step]:
    steps = []
    overflow = _WRAP
    position = 0
    while position < len(words):
        name = words[position].upper()
        left = len(words) - position - 1
        if name == b"OVERFLOW" and left:
            overflow = words[position + 1].upper()
            if overflow not in {_WRAP, _SATURATE, _FAIL}:
                raise CommandError("ERR Invalid OVERFLOW type specified")
            position += 2
            continue
        count = _VALUES.get(name)
        if count is None or left < count:
            raise syntax_error()
        kind = _kind(words[position + 1])
        offset = bit_offset(context, words[position + 2], kind.bits)
        operand = integer(words[position + 3]) if count == 3 else 0
        steps.append(_Step(name, kind, offset, operand, overflow))
        position += 1 + count
    return steps


def _kind(word: bytes) -> _Kind:
    bits = integer_or_none(word[1:])
    signed = word[:1] == b"i"
    if word[:1] not in {b"i", b"u"} or bits is None or not 1 <= bits <= 63 + signed:
        raise CommandError(
            "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported "
            "but i64 is."
        )
    return _Kind(signed, bits)


# ---- carrying it out -----------------------------------------------------------------------------


def _read(context: Context, key: bytes, steps: Sequence[_Step]) -> Reply:
    """GETs only: no more of the string is read than they need."""
    first, last = _window(steps)
    data = context.arena.get_range(context.db, key, first, last)
    return [_get(step.moved(first), data) for step in steps]


def _write(
    transaction: Transaction, db: int, key: bytes, steps: Sequence[_Step], size: int
) -> list[Reply]:
    """Carry out steps that need a string of so many bytes."""
    first, last = _window(steps)
    data = bytearray(transaction.get_range(db, key, first, last))
    if first + len(data) >= size:  # it is long enough, and the rest of it stays as it is
        outcomes = [_carry_out(step.moved(first), data) for step in steps]
        if any(outcome.changed for outcome in outcomes):
            transaction.event("setbit")
        if transaction.patch(db, key, first, bytes(data)):
            return [outcome.reply for outcome in outcomes]
    data = bytearray(transaction.get(db, key) or b"")
    grows = size > len(data)
    data.extend(bytes(max(size - len(data), 0)))
    outcomes = [_carry_out(step, data) for step in steps]
    if any(outcome.changed or (grows and outcome.wrote) for outcome in outcomes):
        transaction.event("setbit")
    transaction.set(db, key, bytes(data), 0, SET_KEEP_TTL | SET_APPENDED)
    return [outcome.reply for outcome in outcomes]


class _Outcome(NamedTuple):
    reply: int | None
    """None: it failed for an overflow."""
    wrote: bool = False
    changed: bool = False


def _window(steps: Sequence[_Step]) -> tuple[int, int]:
    """The first and the last byte that steps look at."""
    first = min((step.offset >> 3 for step in steps), default=0)
    return first, max((step.end for step in steps), default=1) - 1


def _get(step: _Step, data: bytes | bytearray) -> int:
    """The integer; what is behind the string is zeros."""
    kind = step.kind
    window = data[step.offset >> 3 : step.end]
    number = int.from_bytes(window, "big") << (step.end - (step.offset >> 3) - len(window)) * 8
    return kind.wrap(number >> (-(step.offset + kind.bits) & 7))


def _carry_out(step: _Step, data: bytearray) -> _Outcome:
    """Do one step."""
    old = _get(step, data)
    if step.name == b"GET":
        return _Outcome(old)
    kind = step.kind
    new = step.operand
    if step.name == b"INCRBY":
        new += old
    elif new < kind.least_settable:
        new += _UINT64
    if not kind.least <= new <= kind.most:
        if step.overflow == _FAIL:
            return _Outcome(None)
        if step.overflow == _WRAP:
            new = kind.wrap(new)
        else:
            new = kind.most if new > kind.most else kind.least
    _put(step, data, new)
    return _Outcome(old if step.name == b"SET" else new, True, _get(step, data) != old)


def _put(step: _Step, data: bytearray, number: int) -> None:
    first, end = step.offset >> 3, step.end
    shift = -(step.offset + step.kind.bits) & 7
    mask = ((1 << step.kind.bits) - 1) << shift
    window = int.from_bytes(data[first:end], "big")
    window = (window & ~mask) | (number << shift & mask)
    data[first:end] = window.to_bytes(end - first, "big")
