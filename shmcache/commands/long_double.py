"""INCRBYFLOAT's arithmetic: the 80-bit floating point of x86, which Redis computes with.

A number is ``mantissa * 2**exponent`` with a mantissa of at most 64 bits, so that Redis's replies
come out digit for digit, on every machine. Format: Intel 64 and IA-32 Architectures Software
Developer's Manual, volume 1, section 4.2 (double extended precision).
"""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["INFINITY", "LongDouble", "add", "ceiling", "multiply", "parse", "to_text"]

_PRECISION_BITS = 64
_MIN_EXPONENT = -16445  # of the smallest subnormal
_MAX_BITS = 16384  # a finite number is below 2**16384
_DECIMALS = 17
_MAX_TEXT_BYTES = 5 * 1024  # Redis refuses texts of this length or more
_MAX_DECIMAL_EXPONENT = 6000  # beyond it every number of fewer digits overflows or vanishes


class LongDouble(NamedTuple):
    """``mantissa * 2**exponent``; the infinities have no exponent."""

    mantissa: int
    exponent: int | None

    @property
    def is_finite(self) -> bool:
        """Whether it is no infinity."""
        return self.exponent is not None


INFINITY = LongDouble(1, None)

_DECIMAL = re.compile(rb"([+-]?)(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?")
_HEXADECIMAL = re.compile(rb"([+-]?)0[xX]([0-9a-fA-F]*)\.?([0-9a-fA-F]*)(?:[pP]([+-]?\d+))?")
_INFINITE = re.compile(rb"([+-]?)inf(?:inity)?", re.IGNORECASE)


def parse(text: bytes) -> LongDouble | None:
    """The number that C's strtold reads from all of the text, or None.

    None too for not-a-number, and for what overflows or vanishes to zero.
    """
    if not text or len(text) >= _MAX_TEXT_BYTES:
        return None
    if match := _INFINITE.fullmatch(text):
        return LongDouble(-1 if match[1] == b"-" else 1, None)
    if match := _HEXADECIMAL.fullmatch(text):
        base_bits = 4
    elif match := _DECIMAL.fullmatch(text):
        base_bits = 0
    else:
        return None
    digits = match[2] + match[3]
    if not digits:
        return None
    number = int(digits, 16) if base_bits else _integer(digits)
    magnitude = _from_digits(number, len(match[3]), match[4], base_bits)
    if magnitude is None or match[1] != b"-":
        return magnitude
    return LongDouble(-magnitude.mantissa, magnitude.exponent)


def _from_digits(
    number: int, fraction_digits: int, exponent_text: bytes | None, base_bits: int
) -> LongDouble | None:
    if number == 0:
        return LongDouble(0, 0)
    exponent = _clamped_integer(exponent_text or b"0")
    if base_bits:
        rounded = _round(number, 1, exponent - base_bits * fraction_digits)
    else:
        scale = exponent - fraction_digits
        numerator, denominator = 1, 1
        if not -2 * _MAX_DECIMAL_EXPONENT <= scale <= _MAX_DECIMAL_EXPONENT:
            return None
        if scale >= 0:
            numerator = 10**scale
        else:
            denominator = 10**-scale
        rounded = _round(number * numerator, denominator, 0)
    return rounded if rounded.is_finite and rounded.mantissa else None


def _clamped_integer(text: bytes) -> int:
    """An exponent, cut to what is far beyond every number anyway."""
    sign = -1 if text.startswith(b"-") else 1
    digits = text.lstrip(b"+-").lstrip(b"0")
    return sign * (int(digits or b"0") if len(digits) < 9 else 10**9)


def _round(numerator: int, denominator: int, exponent: int) -> LongDouble:
    """``numerator / denominator * 2**exponent``, positive, to 64 bits, ties to even."""
    top = numerator.bit_length() - denominator.bit_length()  # of the quotient's highest bit ...
    if numerator << max(-top, 0) < denominator << max(top, 0):
        top -= 1  # ... which the lengths alone tell only to within one
    if top + exponent >= _MAX_BITS:
        return INFINITY
    if top + exponent < _MIN_EXPONENT - 1:
        return LongDouble(0, 0)
    shift = min(_PRECISION_BITS - 1 - top, exponent - _MIN_EXPONENT)
    mantissa = _divide(numerator, denominator, shift)
    if mantissa.bit_length() > _PRECISION_BITS:
        mantissa, shift = mantissa >> 1, shift - 1
    if mantissa.bit_length() + exponent - shift > _MAX_BITS:
        return INFINITY
    return LongDouble(mantissa, exponent - shift)


def _divide(numerator: int, denominator: int, shift: int) -> int:
    """``numerator * 2**shift / denominator`` to the nearest integer, ties to even."""
    if shift >= 0:
        numerator <<= shift
    else:
        denominator <<= -shift
    quotient, rest = divmod(numerator, denominator)
    if 2 * rest > denominator or (2 * rest == denominator and quotient & 1):
        quotient += 1
    return quotient


def add(a: LongDouble, b: LongDouble) -> LongDouble | None:
    """The rounded sum; None when it is not a finite number."""
    if a.exponent is None or b.exponent is None:
        return None
    exponent = min(a.exponent, b.exponent)
    total = (a.mantissa << (a.exponent - exponent)) + (b.mantissa << (b.exponent - exponent))
    if total == 0:
        return LongDouble(0, 0)
    rounded = _round(abs(total), 1, exponent)
    if not rounded.is_finite:
        return None
    return LongDouble(-rounded.mantissa, rounded.exponent) if total < 0 else rounded


def multiply(number: LongDouble, factor: int) -> LongDouble:
    """The rounded product with a positive integer."""
    if number.exponent is None or number.mantissa == 0:
        return number
    rounded = _round(abs(number.mantissa) * factor, 1, number.exponent)
    return LongDouble(-rounded.mantissa, rounded.exponent) if number.mantissa < 0 else rounded


def ceiling(number: LongDouble) -> int:
    """The least integer that is not below a finite number."""
    assert number.exponent is not None
    if number.exponent >= 0:
        return number.mantissa << number.exponent
    return -(-number.mantissa >> -number.exponent)


def to_text(number: LongDouble) -> bytes:
    """Decimal, at most 17 digits after the point, no trailing zeros, never ``-0``."""
    assert number.exponent is not None
    scaled = _divide(abs(number.mantissa) * 10**_DECIMALS, 1, number.exponent)
    whole, fraction = divmod(scaled, 10**_DECIMALS)
    text = f"{_decimal(whole)}.{fraction:0{_DECIMALS}}".rstrip("0").rstrip(".")
    sign = "-" if number.mantissa < 0 and text != "0" else ""
    return (sign + text).encode()


# Python converts at most 4300 digits at once, so as not to be stalled by longer ones; here the
# longest has 5119.
_CHUNK_DIGITS = 4000
_CHUNK_BITS = 13_000  # any number of fewer bits has at most so many digits


def _integer(digits: bytes) -> int:
    if len(digits) <= _CHUNK_DIGITS:
        return int(digits)
    head, tail = digits[:-_CHUNK_DIGITS], digits[-_CHUNK_DIGITS:]
    scale: int = 10 ** len(tail)
    return int(head) * scale + int(tail)


def _decimal(number: int) -> str:
    if number.bit_length() < _CHUNK_BITS:
        return str(number)
    head, tail = divmod(number, 10**_CHUNK_DIGITS)
    return f"{head}{tail:0{_CHUNK_DIGITS}}" if head else str(tail)
