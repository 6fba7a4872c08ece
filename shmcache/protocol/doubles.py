"""Doubles as text, in the two ways in which Redis 7.2 prints them."""

from __future__ import annotations

import math

__all__ = ["HumanDouble", "double_text", "human_text"]

_MOST_INTEGER = 1 << 62
"""Up to it whole numbers are printed as integers, all digits of them."""
_MOST_ZEROS = 7
"""How many digits a whole number may have beyond those that matter."""
_MOST_DECIMALS, _MOST_DECIMALS_OF_SMALL = 6, 3
_HUMAN_DECIMALS = 17


class HumanDouble(float):
    """A double that replies print as :func:`human_text`, such as a coordinate."""

    __slots__ = ()


def double_text(value: float) -> bytes:
    """The fewest digits that give the double back: ``3``, ``0.1``, ``1e+22``, ``-inf``.

    A score or a distance. The point at which an exponent is used is that of Redis 7.2, whose
    numbers have it sooner than Python's: ``1.23456789012345e+5``.
    """
    if -_MOST_INTEGER <= value <= _MOST_INTEGER:
        whole = int(value)
        if whole == value:
            return b"%d" % whole if whole or math.copysign(1.0, value) > 0 else b"-0"
    elif math.isnan(value):
        return b"nan"
    elif math.isinf(value):
        return b"inf" if value > 0 else b"-inf"
    sign, digits, exponent = _decimal(value)
    return (sign + _laid_out(digits, exponent)).encode()


def _decimal(value: float) -> tuple[str, str, int]:
    """The sign, the digits without zeros around them, and the power of ten that they count."""
    mantissa, _, exponent = repr(value).partition("e")
    sign = "-" if mantissa.startswith("-") else ""
    whole, _, fraction = mantissa.lstrip("-").partition(".")
    digits = (whole + fraction).lstrip("0")
    scale = int(exponent or 0) - len(fraction)
    kept = digits.rstrip("0")
    return sign, kept, scale + len(digits) - len(kept)


def _laid_out(digits: str, exponent: int) -> str:
    """``digits * 10**exponent``, with or without an exponent."""
    count = len(digits)
    magnitude = abs(exponent + count - 1)  # the exponent that one digit before the point needs
    if exponent >= 0 and magnitude < count + _MOST_ZEROS:
        return digits + "0" * exponent
    if -_MOST_DECIMALS <= exponent < 0 or (exponent < 0 and magnitude <= _MOST_DECIMALS_OF_SMALL):
        padded = digits.rjust(1 - exponent, "0")
        return f"{padded[:exponent]}.{padded[exponent:]}"
    point = "." if count > 1 else ""
    return f"{digits[0]}{point}{digits[1:]}e{exponent + count - 1:+d}"


def human_text(value: float) -> bytes:
    """At most 17 decimals and no exponent: a coordinate."""
    text = b"%.*f" % (_HUMAN_DECIMALS, value)
    text = text.rstrip(b"0").rstrip(b".")
    return b"0" if text == b"-0" else text
