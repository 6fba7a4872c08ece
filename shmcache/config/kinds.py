"""Kinds of option values: what each accepts, with Redis's words for what it does not.

A kind turns arguments into a value (``parse``), a value into CONFIG GET's text (``show``) and into
what follows the option's name in a configuration file, a line each (``lines``).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from shmcache.config.lexer import encode, quote

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = [
    "INT_MAX",
    "LONG_MAX",
    "Boolean",
    "Choice",
    "Frequency",
    "Integer",
    "Kind",
    "Memory",
    "MemoryOrPercent",
    "Octal",
    "Text",
    "format_memory",
    "parse_memory",
]

INT_MAX: Final = 2**31 - 1
LONG_MAX: Final = 2**63 - 1

_INTEGER: Final = re.compile(r"0|-?[1-9][0-9]{0,18}", re.ASCII)
_MEMORY: Final = re.compile(r"([0-9]+)(b|kb?|mb?|gb?|)", re.ASCII | re.IGNORECASE)
_PERCENT: Final = re.compile(r"([0-9]{1,18})%", re.ASCII)
_OCTAL: Final = re.compile(r"-?[0-7]{1,20}", re.ASCII)
_UNITS: Final = {
    "": 1,
    "b": 1,
    "k": 1000,
    "kb": 1 << 10,
    "m": 1000**2,
    "mb": 1 << 20,
    "g": 1000**3,
    "gb": 1 << 30,
}


def parse_memory(text: str) -> int:
    """Bytes of a size such as ``100``, ``1k`` (1000), ``1kb`` (1024), ``5mb`` or ``1GB``.

    :raises ValueError: not a size
    """
    match = _MEMORY.fullmatch(text)
    if match is None or len(text) > 24:
        raise ValueError("argument must be a memory value")
    return int(match[1]) * _UNITS[match[2].lower()]


def format_memory(count: int) -> str:
    """Return the shortest exact size in the binary units."""
    for unit in ("gb", "mb", "kb"):
        if count and count % _UNITS[unit] == 0:
            return f"{count // _UNITS[unit]}{unit}"
    return str(count)


def _check_range(value: int, low: int, high: int, shown: Callable[[int], str] = str) -> int:
    if not low <= value <= high:
        raise ValueError(f"argument must be between {shown(low)} and {shown(high)} inclusive")
    return value


class Kind:
    """One value of one argument; subclasses say which."""

    many: bool = False
    """Takes a list of arguments, which CONFIG SET gives as one text."""
    accumulates: bool = False
    """Further lines of a file add to the value; the first one replaces the default."""

    def parse(self, arguments: Sequence[str], old: Any) -> Any:  # noqa: ARG002
        """Return the value that the arguments mean.

        :param arguments: what followed the option's name
        :param old: the value so far, for options that are given piece by piece
        :raises ValueError: they mean nothing; the message is Redis's
        """
        if len(arguments) != 1:
            raise ValueError("wrong number of arguments")
        return self.parse_one(arguments[0])

    def parse_text(self, text: str, old: Any) -> Any:
        """Return the value of a text as CONFIG SET has it, and as :meth:`show` gives it.

        :raises ValueError: as :meth:`parse`
        """
        return self.parse(text.split(" ") if self.many else [text], old)

    def parse_one(self, text: str) -> Any:
        """Return the value of a single argument.

        :raises ValueError: as :meth:`parse`
        """
        raise NotImplementedError

    def show(self, value: Any) -> str:
        """Return CONFIG GET's text."""
        return str(value)

    def lines(self, value: Any) -> list[str]:
        """Return what CONFIG REWRITE puts after the name."""
        return [self.show(value)]


class Boolean(Kind):
    """``yes`` or ``no``."""

    def parse_one(self, text: str) -> bool:
        """See :class:`Kind`."""
        try:
            return {"yes": True, "no": False}[text.lower()]
        except KeyError:
            raise ValueError("argument must be 'yes' or 'no'") from None

    def show(self, value: bool) -> str:
        """See :class:`Kind`."""
        return "yes" if value else "no"


class Integer(Kind):
    """A decimal number in a range."""

    def __init__(self, low: int = 0, high: int = INT_MAX) -> None:
        self.low = low
        self.high = high

    def parse_one(self, text: str) -> int:
        """See :class:`Kind`."""
        if not _INTEGER.fullmatch(text) or not -LONG_MAX - 1 <= int(text) <= LONG_MAX:
            raise ValueError("argument couldn't be parsed into an integer")
        return _check_range(int(text), self.low, self.high)


class Frequency(Integer):
    """``hz``: any count is taken, and brought between 1 and 500."""

    def parse_one(self, text: str) -> int:
        """See :class:`Kind`."""
        return min(max(super().parse_one(text), 1), 500)


class Memory(Kind):
    """A size in bytes, with units."""

    def __init__(self, low: int = 0, high: int = LONG_MAX) -> None:
        self.low = low
        self.high = high

    def parse_one(self, text: str) -> int:
        """See :class:`Kind`."""
        return _check_range(parse_memory(text), self.low, self.high)

    def lines(self, value: int) -> list[str]:
        """See :class:`Kind`."""
        return [format_memory(value)]


class MemoryOrPercent(Kind):
    """A size, or a share of ``maxmemory``, which is kept as a negative number."""

    def parse_one(self, text: str) -> int:
        """See :class:`Kind`."""
        percent = _PERCENT.fullmatch(text)
        if percent is None:
            try:
                return _check_range(parse_memory(text), 0, LONG_MAX)
            except ValueError as error:
                raise ValueError("argument must be a memory or percent value") from error
        if int(percent[1]) > 100:
            raise ValueError("percentage argument must be less or equal to 100")
        return -int(percent[1])

    def show(self, value: int) -> str:
        """See :class:`Kind`."""
        return f"{-value}%" if value < 0 else str(value)

    def lines(self, value: int) -> list[str]:
        """See :class:`Kind`."""
        return [f"{-value}%" if value < 0 else format_memory(value)]


class Octal(Kind):
    """Permission bits."""

    def __init__(self, high: int = 0o777, digits: int = 1) -> None:
        self.high = high
        self.digits = digits

    def parse_one(self, text: str) -> int:
        """See :class:`Kind`."""
        if not _OCTAL.fullmatch(text):
            raise ValueError("argument couldn't be parsed as an octal number")
        return _check_range(int(text, 8), 0, self.high, lambda bound: f"{bound:o}")

    def show(self, value: int) -> str:
        """See :class:`Kind`."""
        return f"{value:0{self.digits}o}"


class Choice(Kind):
    """One of some names, in any case."""

    def __init__(self, *names: str) -> None:
        self.names = names

    def parse_one(self, text: str) -> str:
        """See :class:`Kind`."""
        name = text.lower()
        if name not in self.names:
            raise ValueError(f"argument(s) must be one of the following: {', '.join(self.names)}")
        return name


class Text(Kind):
    """Any text; ``check`` raises ValueError for what it does not like."""

    def __init__(self, check: Callable[[str], object] | None = None) -> None:
        self.check = check

    def parse_one(self, text: str) -> str:
        """See :class:`Kind`."""
        if "\0" in text:
            raise ValueError("argument must not contain a NUL byte")
        encode(text)  # lone surrogates that no bytes stand behind would fail later
        if self.check is not None:
            self.check(text)
        return text

    def lines(self, value: str) -> list[str]:
        """See :class:`Kind`."""
        return [quote(value)]
