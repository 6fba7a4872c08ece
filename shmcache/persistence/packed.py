"""The compact forms of small containers: listpack, ziplist, intset, zipmap.

Each function takes one apart, or makes one, as a whole. All are little-endian but where a ziplist's
lengths are concerned.
"""

from __future__ import annotations

from itertools import pairwise
from struct import Struct, error
from typing import TYPE_CHECKING, Final

from shmcache.errors import DamagedFile
from shmcache.protocol.integers import integer_or_none

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = [
    "make_listpack",
    "pairs_of",
    "read_intset",
    "read_listpack",
    "read_ziplist",
    "read_zipmap",
]

_END: Final = 0xFF
_INT_STRUCTS: Final = {2: Struct("<h"), 4: Struct("<i"), 8: Struct("<q")}


def _guarded(
    what: str, read: Callable[[bytes], list[bytes]]
) -> Callable[[bytes, int], list[bytes]]:
    """Let bytes that end too early be an error like any other."""

    def guarded(data: bytes, offset: int) -> list[bytes]:
        try:
            return read(data)
        except (error, IndexError):
            raise DamagedFile(f"a {what} ends too early", offset) from None
        except _WrongError as wrong:
            raise DamagedFile(f"a {what} {wrong}", offset) from None

    return guarded


class _WrongError(Exception):
    """What is wrong with such a structure."""


# ---- listpack ------------------------------------------------------------------------------------
#
#   | bytes in all:32 | elements:16 | element ... | ff |
#   element: | encoding, number or length | bytes | the two's length, last byte first |

_LISTPACK_HEAD: Final = Struct("<IH")
_UNKNOWN_COUNT: Final = 0xFFFF


def _read_listpack(data: bytes) -> list[bytes]:
    total, count = _LISTPACK_HEAD.unpack_from(data)
    if total != len(data) or data[-1] != _END:
        raise _WrongError("has a wrong length")
    elements: list[bytes] = []
    at, end = _LISTPACK_HEAD.size, total - 1
    while at < end:
        element, length = _listpack_element(data, at)
        elements.append(element)
        at += length + _backward_bytes(length)
    if at != end or (count not in {len(elements), _UNKNOWN_COUNT}):
        raise _WrongError("does not hold what its head says")
    return elements


def _listpack_element(data: bytes, at: int) -> tuple[bytes, int]:
    """An element, and the bytes of its encoding and itself."""
    first = data[at]
    if first < 0x80:
        return b"%d" % first, 1
    if first < 0xC0:
        return _text(data, at + 1, first & 0x3F, 1)
    if first < 0xE0:
        number = (first & 0x1F) << 8 | data[at + 1]
        return b"%d" % (number - (1 << 13) if number >> 12 else number), 2
    if first < 0xF0:
        return _text(data, at + 2, (first & 0x0F) << 8 | data[at + 1], 2)
    if first == 0xF0:
        return _text(data, at + 5, int.from_bytes(data[at + 1 : at + 5], "little"), 5)
    width = {0xF1: 2, 0xF2: 3, 0xF3: 4, 0xF4: 8}.get(first)
    if width is None:
        raise _WrongError(f"has an element of an unknown kind, {first:#x}")
    return b"%d" % _integer(data, at + 1, width), 1 + width


def _text(data: bytes, at: int, length: int, head: int) -> tuple[bytes, int]:
    if at + length > len(data):
        raise IndexError
    return data[at : at + length], head + length


def _integer(data: bytes, at: int, width: int) -> int:
    if at + width > len(data):
        raise IndexError
    return int.from_bytes(data[at : at + width], "little", signed=True)


def _backward_bytes(length: int) -> int:
    return max(1, (length.bit_length() + 6) // 7)


def make_listpack(elements: Sequence[bytes]) -> bytes:
    """A listpack of these elements, numbers in their short forms."""
    parts: list[bytes] = []
    for element in elements:
        encoded = _encoded_element(element)
        parts += (encoded, _backward_length(len(encoded)))
    body = b"".join(parts)
    count = min(len(elements), _UNKNOWN_COUNT)
    return _LISTPACK_HEAD.pack(_LISTPACK_HEAD.size + len(body) + 1, count) + body + b"\xff"


def _encoded_element(element: bytes) -> bytes:
    number = integer_or_none(element)
    if number is not None:
        return _encoded_integer(number)
    length = len(element)
    if length < 1 << 6:
        return bytes((0x80 | length,)) + element
    if length < 1 << 12:
        return bytes((0xE0 | length >> 8, length & 0xFF)) + element
    return b"\xf0" + length.to_bytes(4, "little") + element


def _encoded_integer(number: int) -> bytes:
    if 0 <= number < 1 << 7:
        return bytes((number,))
    if -(1 << 12) <= number < 1 << 12:
        bits = number & 0x1FFF
        return bytes((0xC0 | bits >> 8, bits & 0xFF))
    for first, width in ((0xF1, 2), (0xF2, 3), (0xF3, 4), (0xF4, 8)):
        if -(1 << 8 * width - 1) <= number < 1 << 8 * width - 1:
            return bytes((first,)) + number.to_bytes(width, "little", signed=True)
    raise AssertionError("a canonical integer has 64 bits")


def _backward_length(length: int) -> bytes:
    """Seven bits a byte, the highest first; all but the first one say that another is before it."""
    width = _backward_bytes(length)
    groups = [length >> 7 * place & 0x7F for place in reversed(range(width))]
    return bytes([groups[0], *(0x80 | group for group in groups[1:])])


# ---- ziplist -------------------------------------------------------------------------------------
#
#   | bytes in all:32 | offset of the last:32 | entries:16 | entry ... | ff |
#   entry: | length of the one before: 8, or fe and 32 | encoding | bytes |

_ZIPLIST_HEAD: Final = Struct("<IIH")
_ZIPLIST_INTEGERS: Final = {0xC0: 2, 0xD0: 4, 0xE0: 8, 0xF0: 3, 0xFE: 1}


def _read_ziplist(data: bytes) -> list[bytes]:
    total, _, count = _ZIPLIST_HEAD.unpack_from(data)
    if total != len(data) or data[-1] != _END:
        raise _WrongError("has a wrong length")
    entries: list[bytes] = []
    at, end = _ZIPLIST_HEAD.size, total - 1
    while at < end:
        at += 5 if data[at] == 0xFE else 1
        entry, length = _ziplist_entry(data, at)
        entries.append(entry)
        at += length
    if at != end or (count not in {len(entries), _UNKNOWN_COUNT}):
        raise _WrongError("does not hold what its head says")
    return entries


def _ziplist_entry(data: bytes, at: int) -> tuple[bytes, int]:
    first = data[at]
    kind = first >> 6
    if kind == 0:
        return _text(data, at + 1, first, 1)
    if kind == 1:
        return _text(data, at + 2, (first & 0x3F) << 8 | data[at + 1], 2)
    if kind == 2:
        return _text(data, at + 5, int.from_bytes(data[at + 1 : at + 5], "big"), 5)
    width = _ZIPLIST_INTEGERS.get(first)
    if width is not None:
        return b"%d" % _integer(data, at + 1, width), 1 + width
    if 0xF1 <= first <= 0xFD:
        return b"%d" % ((first & 0x0F) - 1), 1
    raise _WrongError(f"has an entry of an unknown kind, {first:#x}")


# ---- intset and zipmap ---------------------------------------------------------------------------


def _read_intset(data: bytes) -> list[bytes]:
    """``| bytes a number:32 | numbers:32 | number ... |``, the numbers ascending."""
    width, count = int.from_bytes(data[:4], "little"), int.from_bytes(data[4:8], "little")
    form = _INT_STRUCTS.get(width)
    if form is None or len(data) != 8 + width * count:
        raise _WrongError("has a wrong length")
    numbers = [number for (number,) in form.iter_unpack(data[8:])]
    if any(a >= b for a, b in pairwise(numbers)):
        raise _WrongError("is not in order")
    return [b"%d" % number for number in numbers]


def _read_zipmap(data: bytes) -> list[bytes]:
    """``| pairs:8 | length, field, length, unused:8, value, unused bytes ... | ff |``."""
    items: list[bytes] = []
    at = 1
    while data[at] != _END:
        for unused_bytes in (0, 1):
            length, at = _zipmap_length(data, at)
            unused = data[at] if unused_bytes else 0
            at += unused_bytes
            item, _ = _text(data, at, length, 0)
            items.append(item)
            at += length + unused
    if at != len(data) - 1:
        raise _WrongError("has a wrong length")
    return items


def _zipmap_length(data: bytes, at: int) -> tuple[int, int]:
    first = data[at]
    if first < 0xFE:
        return first, at + 1
    if at + 5 > len(data):
        raise IndexError
    return int.from_bytes(data[at + 1 : at + 5], "little"), at + 5


read_listpack = _guarded("listpack", _read_listpack)
"""``read_listpack(data, offset)``: its elements.

:raises DamagedFile: it is none; offset says where it lies in the file
"""
read_ziplist = _guarded("ziplist", _read_ziplist)
"""The same for a ziplist's entries."""
read_intset = _guarded("intset", _read_intset)
"""The same for an intset's numbers in decimal."""
read_zipmap = _guarded("zipmap", _read_zipmap)
"""The same for a zipmap's fields and values in turn."""


def pairs_of(items: list[bytes], offset: int) -> list[bytes]:
    """The same items, which must be pairs.

    :raises DamagedFile: one is missing
    """
    if len(items) % 2:
        raise DamagedFile("the last of the pairs is half a pair", offset)
    return items
