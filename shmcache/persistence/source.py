"""Numbers, lengths and strings of an RDB, read with bounds.

A length is one to nine bytes:

    00xxxxxx                        6 bits
    01xxxxxx yyyyyyyy               14 bits
    10000000 and 4 bytes            32 bits, big-endian
    10000001 and 8 bytes            64 bits, big-endian
    11xxxxxx                        no length: a string in a special form, see SPECIAL_*
"""

from __future__ import annotations

from struct import Struct, error
from typing import TYPE_CHECKING, Final

import lzf

from shmcache.errors import DamagedFile

if TYPE_CHECKING:
    from mmap import mmap

__all__ = ["SPECIAL_INT8", "SPECIAL_INT16", "SPECIAL_INT32", "SPECIAL_LZF", "UINT64", "Source"]

SPECIAL_INT8, SPECIAL_INT16, SPECIAL_INT32, SPECIAL_LZF = range(4)

UINT64: Final = Struct("<Q")
_DOUBLE: Final = Struct("<d")
_INTEGERS: Final = {
    SPECIAL_INT8: Struct("<b"),
    SPECIAL_INT16: Struct("<h"),
    SPECIAL_INT32: Struct("<i"),
}
_LENGTH_32: Final = Struct(">I")
_LENGTH_64: Final = Struct(">Q")
_LONGEST_STRING: Final = 512 << 20
_TEXT_DOUBLES: Final = {253: float("nan"), 254: float("inf"), 255: float("-inf")}


class Source:
    """Bytes, and how far they were read.

    :param data: the whole of them
    :param at: where to begin
    :param base: the offset of the first byte in the file, for errors

    Every method raises :class:`~shmcache.errors.DamagedFile` when the bytes do not suffice or make
    no sense.
    """

    __slots__ = ("at", "base", "data", "end")

    def __init__(
        self, data: bytes | mmap, at: int = 0, end: int | None = None, base: int = 0
    ) -> None:
        self.data = data
        self.at = at
        self.end = len(data) if end is None else end
        self.base = base

    def damaged(self, what: str) -> DamagedFile:
        """The exception that tells what is wrong here."""
        return DamagedFile(what, self.base + self.at)

    def take(self, count: int) -> bytes:
        """The next bytes."""
        start, end = self.at, self.at + count
        if end > self.end:
            raise self.damaged(f"{count} bytes wanted, {self.end - start} left")
        self.at = end
        return self.data[start:end]

    def byte(self) -> int:
        """The next byte as a number."""
        if self.at >= self.end:
            raise self.damaged("it ends too early")
        self.at += 1
        return self.data[self.at - 1]

    def milliseconds(self) -> int:
        """Eight bytes, little-endian, signed: a time."""
        value = self._number(UINT64)
        return value - (1 << 64) if value >> 63 else value

    def double(self) -> float:
        """Eight bytes, little-endian."""
        return float(self._number(_DOUBLE))

    def text_double(self) -> float:
        """A double as RDB had it before version 8: a byte's length and decimal digits."""
        length = self.byte()
        special = _TEXT_DOUBLES.get(length)
        if special is not None:
            return special
        text = self.take(length)
        try:
            return float(text)
        except ValueError:
            raise self.damaged("a score is no number") from None

    def _number(self, form: Struct) -> int:
        at = self.at
        if at + form.size > self.end:
            raise self.damaged("it ends too early")
        self.at = at + form.size
        try:
            return form.unpack_from(self.data, at)[0]  # type: ignore[no-any-return]
        except error:
            raise self.damaged("it ends too early") from None

    def length(self) -> int:
        """A length, or any number that is kept like one."""
        value, special = self._length_or_special()
        if special:
            raise self.damaged("a string where a length should be")
        return value

    def count(self, least_bytes: int = 1) -> int:
        """A number of things that follow and take at least so many bytes each: bounds memory."""
        value = self.length()
        if value * least_bytes > self.end - self.at:
            raise self.damaged(f"{value} elements cannot follow")
        return value

    def _length_or_special(self) -> tuple[int, bool]:
        first = self.byte()
        kind = first >> 6
        if kind == 0:
            return first, False
        if kind == 1:
            return (first & 0x3F) << 8 | self.byte(), False
        if kind == 3:
            return first & 0x3F, True
        if first == 0x80:
            return self._number(_LENGTH_32), False
        if first == 0x81:
            return self._number(_LENGTH_64), False
        raise self.damaged(f"no length begins with {first:#x}")

    def string(self) -> bytes:
        """A string in whichever form."""
        value, special = self._length_or_special()
        if not special:
            if value > _LONGEST_STRING:
                raise self.damaged(f"a string of {value} bytes")
            return self.take(value)
        form = _INTEGERS.get(value)
        if form is not None:
            return b"%d" % self._number(form)
        if value == SPECIAL_LZF:
            return self._compressed()
        raise self.damaged(f"an unknown form of strings: {value}")

    def _compressed(self) -> bytes:
        packed_bytes, length = self.count(), self.length()
        # no more than 264 bytes come out of three
        if length > _LONGEST_STRING or length > 88 * packed_bytes + 264:
            raise self.damaged(f"{packed_bytes} bytes cannot be {length} compressed ones")
        packed = self.take(packed_bytes)
        try:
            plain: bytes | None = lzf.decompress(packed, length)
        except ValueError:
            plain = None
        if plain is None or len(plain) != length:
            raise self.damaged("compressed bytes are damaged")
        return plain
