"""Lengths and strings as bytes, in the shortest of their forms. `source` shows the forms."""

from __future__ import annotations

from struct import Struct
from typing import Final

import lzf

from shmcache.persistence.source import SPECIAL_INT8, SPECIAL_INT16, SPECIAL_INT32, SPECIAL_LZF
from shmcache.protocol.integers import integer_or_none

__all__ = ["encode_length", "encode_string"]

_SHORT_FORMS: Final = (
    (SPECIAL_INT8, Struct("<b"), 1 << 7),
    (SPECIAL_INT16, Struct("<h"), 1 << 15),
    (SPECIAL_INT32, Struct("<i"), 1 << 31),
)
_LONGEST_SHORT_NUMBER: Final = 11
_COMPRESS_FROM_BYTES: Final = 21


def encode_length(value: int) -> bytes:
    """A number of up to 64 bits in the shortest form of a length."""
    if value < 1 << 6:
        return bytes((value,))
    if value < 1 << 14:
        return bytes((0x40 | value >> 8, value & 0xFF))
    if value < 1 << 32:
        return b"\x80" + value.to_bytes(4, "big")
    return b"\x81" + value.to_bytes(8, "big")


def encode_string(text: bytes, *, compress: bool = True) -> bytes:
    """A string in the shortest of its forms."""
    length = len(text)
    if length <= _LONGEST_SHORT_NUMBER:
        number = integer_or_none(text)
        if number is not None:
            for special, form, limit in _SHORT_FORMS:
                if -limit <= number < limit:
                    return bytes((0xC0 | special,)) + form.pack(number)
    elif compress and length >= _COMPRESS_FROM_BYTES:
        packed = lzf.compress(text, length - 4)
        if packed is not None:
            head = bytes((0xC0 | SPECIAL_LZF,)) + encode_length(len(packed)) + encode_length(length)
            return head + packed  # type: ignore[no-any-return]
    return encode_length(length) + text
