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
from contextlib import suppress
from itertools import accumulate

from shmcache.commands.hyperloglog_registers import REGISTERS
from shmcache.commands.replies import CommandError

__all__ = ["EMPTY", "SparseRegisters", "TooDense", "corrupted"]

_LONG, _VALUE = 0x4000, 0x80  # the opcodes' upper bits, a long one as a number of 16 bits
_LONG_BYTE = re.compile(rb"[\x40-\x7f]")
_MOST_ZEROS = 64
"""Longer runs of zeros take two bytes."""
_MOST_VALUE, _MOST_VALUES = 32, 4
_JOINED = 5
"""So many opcodes from the one before a change are looked at for others to join them with."""
_SPANS = bytes((code & 3) + 1 if code & _VALUE else (code & 63) + 1 for code in range(256))
"""How many registers an opcode of one byte covers."""

EMPTY = (_LONG + REGISTERS - 1).to_bytes(2, "big")


class TooDense(Exception):
    """The sparse form has no room for a change."""


def corrupted() -> CommandError:
    """A string that looks like a HyperLogLog and is none."""
    return CommandError("INVALIDOBJ Corrupted HLL object detected")


def _zeros(length: int) -> list[int]:
    if length <= 0:
        return []
    return [_LONG | length - 1] if length > _MOST_ZEROS else [length - 1]


def _values(value: int, length: int) -> list[int]:
    return [_VALUE | value - 1 << 2 | length - 1] if length > 0 else []


def _span(opcode: int) -> int:
    return (opcode & 0x3FFF) + 1 if opcode >= _LONG else _SPANS[opcode]


def _is_value(opcode: int) -> bool:
    return _VALUE <= opcode < _LONG


def _value(opcode: int) -> int:
    return (opcode >> 2 & 31) + 1 if _is_value(opcode) else 0


class SparseRegisters:
    """Registers in their sparse form, to be changed.

    :param data: opcodes; damaged ones may cover more registers than there are, or fewer
    :raises CommandError: there are more than registers could need
    """

    def __init__(self, data: bytes) -> None:
        if len(data) > 2 * REGISTERS:
            raise corrupted()
        self._opcodes: list[int] = []
        spans: list[int] = []
        position = 0
        while position < len(data):
            found = _LONG_BYTE.search(data, position)
            end = found.start() if found else len(data)
            self._opcodes += data[position:end]
            spans += data[position:end].translate(_SPANS)
            if found:
                opcode = int.from_bytes(data[end : end + 2].ljust(2, b"\0"), "big")
                self._opcodes.append(opcode)
                spans.append(_span(opcode))
            position = end + 2
        self._firsts = [*accumulate(spans, initial=0)]
        """The first register of each opcode."""
        self._registers = self._firsts.pop()
        self._size = len(data)

    def require_whole(self) -> None:
        """Refuse opcodes that do not cover the registers.

        :raises CommandError: they do not
        """
        if self._registers != REGISTERS:
            raise corrupted()

    def to_bytes(self) -> bytes:
        """The opcodes."""
        with suppress(ValueError):
            return bytes(self._opcodes)  # if none is of two bytes
        return b"".join(
            [opcode.to_bytes(2 if opcode >= _LONG else 1, "big") for opcode in self._opcodes]
        )

    def to_registers(self) -> bytes:
        """A byte for each register."""
        return b"".join([bytes((_value(opcode),)) * _span(opcode) for opcode in self._opcodes])

    def histogram(self) -> list[int]:
        """How many registers are 0, 1, 2 and so on."""
        counts = [0] * 64
        for opcode, times in Counter(self._opcodes).items():
            counts[_value(opcode)] += times * _span(opcode)
        return counts

    def describe(self) -> str:
        """The opcodes for people: ``Z:9000 v:1,2 z:60``."""
        words = []
        for opcode in self._opcodes:
            length = _span(opcode)
            if _is_value(opcode):
                words.append(f"v:{_value(opcode)},{length}")
            else:
                words.append(f"{'Z' if opcode >= _LONG else 'z'}:{length}")
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
        place = bisect_right(self._firsts, index) - 1
        opcode, first = self._opcodes[place], self._firsts[place]
        old, length = _value(opcode), _span(opcode)
        if old >= least:
            return False
        before, after = index - first, first + length - 1 - index
        new = _values(least, 1)
        if _is_value(opcode):
            new = _values(old, before) + new + _values(old, after)
        else:
            new = _zeros(before) + new + _zeros(after)
        self._replace(place, new, room)
        self._join(max(place - 1, 0))
        return True

    def _replace(self, place: int, new: list[int], room: int) -> None:
        grown = sum(1 + (opcode >= _LONG) for opcode in new) - 1
        grown -= self._opcodes[place] >= _LONG
        if grown > 0 and self._size + grown > room:
            raise TooDense
        self._size += grown
        starts = accumulate(map(_span, new[:-1]), initial=self._firsts[place])
        self._firsts[place : place + 1] = starts
        self._opcodes[place : place + 1] = new

    def _join(self, place: int) -> None:
        """Join neighbours of the same value, from one opcode on."""
        opcodes = self._opcodes
        for _ in range(_JOINED):
            if place + 1 >= len(opcodes):
                return
            value, length = _value(opcodes[place]), _span(opcodes[place])
            if value and value == _value(opcodes[place + 1]):
                length += _span(opcodes[place + 1])
                if length <= _MOST_VALUES:
                    opcodes[place : place + 2] = _values(value, length)
                    del self._firsts[place + 1]
                    self._size -= 1
                    continue
            place += 1
