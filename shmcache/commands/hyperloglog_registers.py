"""HyperLogLog's registers: what elements do to them, and how many elements they tell of.

16,384 registers of 6 bits. In a dense string four of them share three bytes, the first one in the
lowest bits. Here registers are a byte each.

An element's hash is that of MurmurHash64A (https://github.com/aappleby/smhasher). The estimate is
that of O. Ertl, "New cardinality estimation algorithms for HyperLogLog sketches", 2017
(https://arxiv.org/abs/1702.01284), algorithm 6.
"""

from __future__ import annotations

import math
import struct
from binascii import a2b_base64, b2a_base64
from typing import TYPE_CHECKING

from shmcache.commands.arguments import INT64_MAX

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "DENSE_BYTES",
    "REGISTERS",
    "estimate",
    "histogram",
    "locate",
    "maxima",
    "pack",
    "place",
    "raise_register",
    "raised",
    "unpack",
]

_INDEX_BITS = 14
REGISTERS = 1 << _INDEX_BITS
_REST_BITS = 64 - _INDEX_BITS
_REGISTER_BITS = 6
_REGISTER_MOST = (1 << _REGISTER_BITS) - 1
DENSE_BYTES = REGISTERS * _REGISTER_BITS // 8

# ---- what an element does ------------------------------------------------------------------------

_SEED = 0xADC83B19
_MULTIPLIER, _SHIFT = 0xC6A4A7935BD1E995, 47
_UINT64_MASK = (1 << 64) - 1


def _murmur64a(data: bytes) -> int:
    mask, multiplier, shift = _UINT64_MASK, _MULTIPLIER, _SHIFT
    mixed = _SEED ^ (len(data) * multiplier & mask)
    words, rest = divmod(len(data), 8)
    for word in struct.unpack_from(f"<{words}Q", data):
        word = word * multiplier & mask  # noqa: PLW2901 - mixed in several steps
        word = (word ^ word >> shift) * multiplier & mask  # noqa: PLW2901
        mixed = (mixed ^ word) * multiplier & mask
    if rest:
        mixed = (mixed ^ int.from_bytes(data[-rest:], "little")) * multiplier & mask
    mixed = (mixed ^ mixed >> shift) * multiplier & mask
    return mixed ^ mixed >> shift


def locate(element: bytes) -> tuple[int, int]:
    """The register that an element belongs to, and what it must be at least: 1 to 51."""
    hashed = _murmur64a(element)
    rest = hashed >> _INDEX_BITS | 1 << _REST_BITS
    return hashed & REGISTERS - 1, (rest & -rest).bit_length()


# ---- the dense form ------------------------------------------------------------------------------

# Base64 cuts three bytes into four pieces of six bits, the highest bits first. Backwards that is
# what is wanted here, and it is done in C.
_ALPHABET = b2a_base64(
    sum(number << 6 * (63 - number) for number in range(64)).to_bytes(48, "big"), newline=False
)
_FROM_ALPHABET = bytes(max(_ALPHABET.find(code), 0) for code in range(256))
_TO_ALPHABET = _ALPHABET.ljust(256, b"A")


def unpack(dense: bytes) -> bytes:
    """A byte for each register."""
    return b2a_base64(dense[::-1], newline=False).translate(_FROM_ALPHABET)[::-1]


def pack(registers: bytes) -> bytes:
    """The opposite of :func:`unpack`."""
    return a2b_base64(registers.translate(_TO_ALPHABET)[::-1])[::-1]


def place(index: int) -> tuple[int, int]:
    """The two bytes that have a register in them, by the first one, and how far up it is there."""
    return index * _REGISTER_BITS >> 3, index * _REGISTER_BITS & 7


def raised(window: bytes | bytearray, shift: int, least: int) -> bytes | None:
    """The bytes after a register was made at least so much; None if it is that already."""
    number = int.from_bytes(window, "little")
    if number >> shift & _REGISTER_MOST >= least:
        return None
    number = number & ~(_REGISTER_MOST << shift) | least << shift
    return number.to_bytes(len(window), "little")


def raise_register(dense: bytearray, index: int, least: int) -> bool:
    """Make a register at least so much; whether it was less."""
    position, shift = place(index)
    window = raised(dense[position : position + 2], shift, least)
    if window is not None:
        dense[position : position + 2] = window
    return window is not None


# ---- many registers ------------------------------------------------------------------------------

_HIGH_BITS = int.from_bytes(b"\x80" * REGISTERS, "little")


def maxima(all_registers: Iterable[bytes]) -> bytes:
    """Of each register the greatest there is; zeros if there are none."""
    greatest = 0
    for registers in all_registers:
        number = int.from_bytes(registers, "little")
        # a byte's highest bit stays set where the first one is not below the second
        wins = ((greatest | _HIGH_BITS) - number) & _HIGH_BITS
        wins |= wins - (wins >> 7)
        greatest = number ^ ((greatest ^ number) & wins)
    return greatest.to_bytes(REGISTERS, "little")


def histogram(registers: bytes) -> list[int]:
    """How many registers are 0, 1, 2 and so on."""
    counts = [0] * (_REGISTER_MOST + 1)
    left = len(registers)
    for value in range(_REGISTER_MOST + 1):
        counts[value] = registers.count(value)
        left -= counts[value]
        if not left:
            break
    return counts


# ---- the estimate --------------------------------------------------------------------------------

_ALPHA = 0.721347520444481703680  # 1 / (2 ln 2)


def estimate(counts: Sequence[int]) -> int:
    """About how many elements there were.

    :param counts: what :func:`histogram` gives
    """
    size = float(REGISTERS)
    total = size * _tau((size - counts[_REST_BITS + 1]) / size)
    for value in range(_REST_BITS, 0, -1):
        total = (total + counts[value]) * 0.5
    total += size * _sigma(counts[0] / size)
    if not total:  # no elements fill all registers to the brim, but a SET can
        return INT64_MAX
    elements = _ALPHA * size * size / total
    return math.floor(elements) + (elements % 1 >= 0.5)


def _sigma(x: float) -> float:
    if x == 1:
        return math.inf
    y, z = 1.0, x
    while True:
        x *= x
        before = z
        z += x * y
        y += y
        if z == before:
            return z


def _tau(x: float) -> float:
    if x in {0, 1}:
        return 0.0
    y, z = 1.0, 1 - x
    while True:
        x = math.sqrt(x)
        before = z
        y *= 0.5
        z -= (1 - x) ** 2 * y
        if z == before:
            return z / 3
