"""Strings as rows of bits: the first bit is the highest of the first byte."""

from __future__ import annotations

from functools import reduce
from operator import and_, or_, xor
from typing import TYPE_CHECKING

from shmcache.arena import SET_APPENDED, SET_KEEP_TTL
from shmcache.commands.arguments import integer, integer_or_none
from shmcache.commands.replies import CommandError, Reply, syntax_error

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shmcache.commands.context import Context

__all__ = ["bit_offset", "bitcount", "bitop", "bitpos", "getbit", "setbit"]

_INVERTED = bytes(range(255, -1, -1))
_OPERATIONS = {b"AND": and_, b"OR": or_, b"XOR": xor}
_FIRST_LOOK = 4096
"""So many bytes BITPOS looks at before it reads a whole string."""
_COUNTED = 1 << 15
"""So many bytes BITCOUNT counts at once."""
_STRIDE = 1024
"""So many bytes BITPOS looks at at once."""


def bit_offset(context: Context, word: bytes, width: int = 0) -> int:
    """The number of a bit.

    :param width: ``#3`` counts in units of so many bits; 0 means there is no such form
    :raises CommandError: no number, or of a bit that no string can have
    """
    unit = 1
    if width and word[:1] == b"#":
        word, unit = word[1:], width
    offset = integer_or_none(word)
    if offset is None or not 0 <= offset * unit >> 3 < context.max_bulk_bytes:
        raise CommandError("ERR bit offset is not an integer or out of range")
    return offset * unit


def getbit(context: Context, args: Sequence[bytes]) -> Reply:
    """GETBIT key offset."""
    offset = bit_offset(context, args[1])
    index = offset >> 3
    byte = context.arena.get_range(context.db, args[0], index, index)
    return byte[0] >> (~offset & 7) & 1 if byte else 0


def setbit(context: Context, args: Sequence[bytes]) -> Reply:
    """SETBIT key offset value."""
    db, key = context.db, args[0]
    offset, bit = bit_offset(context, args[1]), integer_or_none(args[2])
    if bit not in {0, 1}:
        raise CommandError("ERR bit is not an integer or out of range")
    index, mask = offset >> 3, 0x80 >> (offset & 7)
    with context.arena.transaction([(db, key)], "setbit") as transaction:
        found = transaction.get_range(db, key, index, index)
        byte = found[0] if found else 0
        changed = bytes((byte | mask if bit else byte & ~mask,))
        if found == changed:  # written all the same: it is raw bytes then
            transaction.event("")
        if not transaction.patch(db, key, index, changed):
            old = transaction.get(db, key) or b""
            new = b"".join((old[:index].ljust(index, b"\0"), changed, old[index + 1 :]))
            transaction.set(db, key, new, 0, SET_KEEP_TTL | SET_APPENDED)
    return int(byte & mask != 0)


# ---- ranges --------------------------------------------------------------------------------------


def _in_bits(word: bytes) -> bool:
    """Whether a range counts bits, not bytes."""
    unit = word.upper()
    if unit not in {b"BIT", b"BYTE"}:
        raise syntax_error()
    return unit == b"BIT"


def _bounds(start: int, end: int, length: int) -> tuple[int, int]:
    """The first and the last index; the last is the lesser one if there is nothing between."""
    first = max(start + length, 0) if start < 0 else start
    last = max(end + length, 0) if end < 0 else end
    return first, min(last, length - 1)


def bitcount(context: Context, args: Sequence[bytes]) -> Reply:
    """BITCOUNT key [start end [BYTE | BIT]]."""
    arena, db, key = context.arena, context.db, args[0]
    if len(args) == 1:
        return _count(arena.get(db, key) or b"")
    try:
        if len(args) not in {3, 4}:
            raise syntax_error()
        start, end = integer(args[1]), integer(args[2])
        # Redis has its answer before it looks at the unit
        backward = start < 0 and end < 0 and start > end
        in_bits = not backward and len(args) == 4 and _in_bits(args[3])
    except CommandError:
        # the key comes first: a missing one has no bits, wherever they are looked for
        if arena.get(db, key) is None:
            return 0
        raise
    if start >= 0 and end >= 0:
        shift = 3 if in_bits else 0
        index = start >> shift
        data = arena.get_range(db, key, index, max(end >> shift, index - 1))
    else:
        index, data = 0, arena.get(db, key) or b""
    if backward:
        return 0
    return _count_between(data, index, start, end, in_bits=in_bits)


def _count_between(data: bytes, index: int, start: int, end: int, *, in_bits: bool) -> int:
    """How many bits are set between two places of a string.

    :param data: a part of it, which begins at byte ``index``; if there is a negative place, all
    """
    unit = 8 if in_bits else 1
    first, last = _bounds(start, end, (index + len(data)) * unit)
    if first > last:
        return 0
    if not in_bits:
        return _count(data[first - index : last + 1 - index])
    whole = data[(first >> 3) - index : (last >> 3) + 1 - index]
    before = whole[0] >> (8 - (first & 7))
    after = whole[-1] & (0x7F >> (last & 7))
    return _count(whole) - before.bit_count() - after.bit_count()


def _count(data: bytes) -> int:
    if len(data) <= _COUNTED:
        return int.from_bytes(data, "little").bit_count()
    whole = memoryview(data)  # no need for a number as long as a long string
    pieces = (whole[start : start + _COUNTED] for start in range(0, len(data), _COUNTED))
    return sum(int.from_bytes(piece, "little").bit_count() for piece in pieces)


def bitpos(context: Context, args: Sequence[bytes]) -> Reply:
    """BITPOS key bit [start [end [BYTE | BIT]]]."""
    arena, db, key = context.arena, context.db, args[0]
    bit = integer(args[1])
    if bit not in {0, 1}:
        raise CommandError("ERR The bit argument must be 1 or 0.")
    if len(args) == 2:
        place = _find(arena.get_range(db, key, 0, _FIRST_LOOK - 1), bit)
        if place is not None:
            return place
    value = arena.get(db, key)
    if value is None:
        return -1 if bit else 0
    if len(args) > 5:
        raise syntax_error()
    start = integer(args[2]) if len(args) > 2 else 0
    in_bits = len(args) == 5 and _in_bits(args[4])
    unit = 8 if in_bits else 1
    end = integer(args[3]) if len(args) > 3 else -1
    first, last = _bounds(start, end, len(value) * unit)
    if first > last:
        return -1
    first_bit, last_bit = first * 8 // unit, (last + 1) * 8 // unit - 1
    place = _find_between(value, bit, first_bit, last_bit)
    if place is None:
        # what follows a string counts as zeros, but not what follows a range
        return -1 if bit or len(args) > 3 else last_bit + 1
    return place


def _find(data: bytes | bytearray, bit: int) -> int | None:
    """The first bit that is set, or clear."""
    other = bytes((0x00 if bit else 0xFF,))
    same = other * _STRIDE
    for start in range(0, len(data), _STRIDE):
        piece = data[start : start + _STRIDE]
        if piece == same:  # far faster than byte after byte
            continue
        rest = piece.lstrip(other)
        if rest:
            byte = rest[0] if bit else rest[0] ^ 0xFF
            return (start + len(piece) - len(rest)) * 8 + 8 - byte.bit_length()
    return None


def _find_between(value: bytes, bit: int, first: int, last: int) -> int | None:
    """The number of the first bit that is set, or clear, from one to another, both included."""
    data = bytearray(value[first >> 3 : (last >> 3) + 1])
    before, after = 0xFF00 >> (first & 7) & 0xFF, 0x7F >> (last & 7)
    if bit:
        data[0] &= ~before
        data[-1] &= ~after
    else:
        data[0] |= before
        data[-1] |= after
    place = _find(data, bit)
    return None if place is None else (first & ~7) + place


# ---- several strings -----------------------------------------------------------------------------


def bitop(context: Context, args: Sequence[bytes]) -> Reply:
    """BITOP AND | OR | XOR | NOT destkey key [key ...]."""
    operation, target, keys = args[0].upper(), args[1], args[2:]
    if operation not in _OPERATIONS and operation != b"NOT":
        raise syntax_error()
    if operation == b"NOT" and len(keys) != 1:
        raise CommandError("ERR BITOP NOT must be called with a single source key.")
    db = context.db
    with context.arena.transaction([(db, key) for key in args[1:]]) as transaction:
        result = _combined(operation, [transaction.get(db, key) or b"" for key in keys])
        if result:
            transaction.set(db, target, result, 0, SET_APPENDED)
        else:
            transaction.delete(db, target)
    return len(result)


def _combined(operation: bytes, values: list[bytes]) -> bytes:
    """All values as long as the longest, with zeros behind."""
    if operation == b"NOT":
        return values[0].translate(_INVERTED)
    if len(values) == 1:
        return values[0]
    # the first byte is the lowest one, so zeros behind change nothing
    numbers = (int.from_bytes(value, "little") for value in values)
    return reduce(_OPERATIONS[operation], numbers).to_bytes(max(map(len, values)), "little")
