"""HyperLogLog's sparse form: runs of equal registers, in opcodes of one or two bytes.

========================  ==============================================
``00xxxxxx``              x + 1 registers are zero
``01xxxxxx xxxxxxxx``     x + 1 registers are zero
``1vvvvvxx``              x + 1 registers are v + 1
========================  ==============================================

How the runs lie depends on what was added when, and a string has to be the one that Redis makes
of the same additions. So they are split and joined here just as there.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from itertools import accumulate
from typing import TYPE_CHECKING

from shmcache.commands.hyperloglog_registers import REGISTERS
from shmcache.commands.replies import CommandError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["EMPTY", "SparseRegisters", "TooDense", "corrupted"]

_LONG, _VALUE = 0x40, 0x80  # the opcodes' upper bits
_LONG_BYTE = re.compile(rb"[\x40-\x7f]")
_MOST_ZEROS = 64
"""Longer runs of zeros take two bytes."""
_MOST_VALUE, _MOST_VALUES = 32, 4
_JOINED = 5
"""So many opcodes from the one before a change are looked at for others to join them with."""


def _zeros(length: int) -> bytes:
    if length > _MOST_ZEROS:
        return (_LONG << 8 | length - 1).to_bytes(2, "big")
    return bytes((length - 1,)) if length else b""


def _values(value: int, length: int) -> bytes:
    return bytes((_VALUE | value - 1 << 2 | length - 1,)) if length else b""


def _value(opcode: int) -> int:
    """What the registers of an opcode are."""
    return (opcode >> 2 & 31) + 1 if opcode & _VALUE else 0


def _span(opcode: int) -> int:
    """How many registers an opcode of one byte covers."""
    return (opcode & 3 if opcode & _VALUE else opcode & 63) + 1


_SPANS = bytes(map(_span, range(256)))
_RUNS = [bytes((_value(opcode),)) * _span(opcode) for opcode in range(256)]
EMPTY = _zeros(REGISTERS)


class TooDense(Exception):
    """The sparse form has no room for a change."""


def corrupted() -> CommandError:
    """A string that looks like a HyperLogLog and is none."""
    return CommandError("INVALIDOBJ Corrupted HLL object detected")


def _parts(data: bytes) -> Iterator[tuple[bytes, int]]:
    """Opcodes of one byte, and how many registers the one of two bytes behind them covers."""
    position = 0
    while position < len(data):
        found = _LONG_BYTE.search(data, position)
        end = found.start() if found else len(data)
        long = int.from_bytes(data[end : end + 2].ljust(2, b"\0"), "big")
        yield data[position:end], (long & 0x3FFF) + 1 if found else 0
        position = end + 2


def _firsts(data: bytes) -> list[int]:
    """Of each byte the first register that it, or what comes after it, covers; then their number.

    So to say, the second byte of an opcode covers nothing.
    """
    spans: list[int] = []
    for short, long in _parts(data):
        spans += short.translate(_SPANS)
        if long:
            spans += (long, 0)
    return [*accumulate(spans[: len(data)], initial=0)]


class SparseRegisters:
    """Registers in their sparse form, to be changed.

    :param data: opcodes; damaged ones may cover more registers than there are, or fewer
    :raises CommandError: there are more than registers could need
    """

    def __init__(self, data: bytes) -> None:
        if len(data) > 2 * REGISTERS:
            raise corrupted()
        self._data = bytearray(data)
        self._firsts = _firsts(data)
        self._registers = self._firsts.pop()

    def require_whole(self) -> None:
        """Refuse opcodes that do not cover the registers.

        :raises CommandError: they do not
        """
        if self._registers != REGISTERS:
            raise corrupted()

    def to_bytes(self) -> bytes:
        """The opcodes."""
        return bytes(self._data)

    def to_registers(self) -> bytes:
        """A byte for each register."""
        runs: list[bytes] = []
        for short, long in _parts(self.to_bytes()):
            runs += map(_RUNS.__getitem__, short)
            runs.append(bytes(long))
        return b"".join(runs)

    def histogram(self) -> list[int]:
        """How many registers are 0, 1, 2 and so on."""
        counts = [0] * 64
        for short, long in _parts(self.to_bytes()):
            counts[0] += long
            for opcode, times in Counter(short).items():
                counts[_value(opcode)] += times * _span(opcode)
        return counts

    def describe(self) -> str:
        """The opcodes for people: ``Z:9000 v:1,2 z:60``."""
        words = []
        for short, long in _parts(self.to_bytes()):
            for opcode in short:
                value, length = _value(opcode), _span(opcode)
                words.append(f"v:{value},{length}" if value else f"z:{length}")
            if long:
                words.append(f"Z:{long}")
        return " ".join(words)

    def raise_register(self, index: int, least: int, room: int) -> bool:
        """Make a register at least so much; whether it was less.

        :param room: how many bytes the opcodes may take, if the change makes them more
        :raises TooDense: they would take more, or a register cannot be so much; nothing changed
        :raises CommandError: there is no such register
        """
        if least > _MOST_VALUE:
            raise TooDense
        if index >= self._registers:
            raise corrupted()
        position = bisect_right(self._firsts, index) - 1
        opcode, first = self._data[position], self._firsts[position]
        old = _value(opcode)
        if old >= least:
            return False
        size = 2 if _LONG <= opcode < _VALUE else 1
        after = position + size
        end = self._firsts[after] if after < len(self._firsts) else self._registers
        changed = _values(least, 1)
        if old:
            changed = _values(old, index - first) + changed + _values(old, end - index - 1)
        else:
            changed = _zeros(index - first) + changed + _zeros(end - index - 1)
        if len(changed) > size and len(self._data) + len(changed) - size > room:
            raise TooDense
        self._data[position:after] = changed
        self._firsts[position:after] = [first + start for start in _firsts(changed)[:-1]]
        self._join(self._before(position))
        return True

    def _before(self, position: int) -> int:
        """The opcode before another one, if there is one."""
        if position == 0:
            return 0
        second = position > 1 and self._firsts[position - 1] == self._firsts[position]
        return position - 1 - second

    def _join(self, position: int) -> None:
        """Join neighbours of the same value, from one opcode on."""
        data = self._data
        for _ in range(_JOINED):
            if position + 1 >= len(data):
                return
            opcode, following = data[position], data[position + 1]
            if opcode & _VALUE and opcode >> 2 == following >> 2:
                length = _span(opcode) + _span(following)
                if length <= _MOST_VALUES:
                    data[position : position + 2] = _values(_value(opcode), length)
                    del self._firsts[position + 1]
                    continue
            position += 2 if _LONG <= opcode < _VALUE else 1
