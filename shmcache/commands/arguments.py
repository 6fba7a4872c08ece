"""Reading arguments as Redis reads them, down to what it refuses and how it says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from shmcache.commands.context import DATABASES
from shmcache.commands.replies import (
    CommandError,
    as_c_string,
    not_an_integer,
    one_line,
    syntax_error,
)
from shmcache.protocol.integers import INT64_MAX, INT64_MIN, integer_or_none

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shmcache.commands.context import Context

__all__ = [
    "INT64_MAX",
    "INT64_MIN",
    "ExpireCondition",
    "StringOptions",
    "database_index",
    "database_number",
    "expire_arguments",
    "integer",
    "integer_from",
    "integer_or_none",
    "parse_getex_options",
    "parse_set_options",
    "require_databases",
    "set_expire_ms",
]

_INT32_MIN, _INT32_MAX = -(1 << 31), (1 << 31) - 1


def integer(word: bytes) -> int:
    """A 64-bit signed integer argument.

    :raises CommandError: it is none
    """
    number = integer_or_none(word)
    if number is None:
        raise not_an_integer()
    return number


def integer_from(
    word: bytes, least: int, most: int = INT64_MAX, *, complaint: str | None = None
) -> int:
    """An integer within limits.

    :param complaint: Redis's words for one outside of them, and for an argument that is none
    :raises CommandError: it is no integer, or not within the limits
    """
    number = integer_or_none(word)
    if number is not None and least <= number <= most:
        return number
    if complaint is not None:
        raise CommandError(f"ERR {complaint}")
    if number is None:
        raise not_an_integer()
    raise CommandError(f"ERR value is out of range, value must between {least} and {most}")


def database_number(word: bytes, complaint: str | None = None) -> int:
    """A 32-bit number; whether there is such a database is another question.

    :param complaint: Redis's words for an argument that is none
    :raises CommandError: it is none
    """
    number = integer_or_none(word)
    if complaint and (number is None or not _INT32_MIN <= number <= _INT32_MAX):
        raise CommandError(f"ERR {complaint}")
    if number is None:
        raise not_an_integer()
    if not _INT32_MIN <= number <= _INT32_MAX:
        raise CommandError(
            f"ERR value is out of range, value must between {_INT32_MIN} and {_INT32_MAX}"
        )
    return number


def require_databases(*numbers: int) -> None:
    """Refuse numbers that are no database's.

    :raises CommandError: there is no such database
    """
    if not all(0 <= number < DATABASES for number in numbers):
        raise CommandError("ERR DB index is out of range")


def database_index(word: bytes) -> int:
    """The number of a database that exists.

    :raises CommandError: no 32-bit integer, or no such database
    """
    number = database_number(word)
    require_databases(number)
    return number


# ---- SET's and GETEX's options -------------------------------------------------------------------


class StringOptions:
    """What the words after a string's key and value ask for."""

    __slots__ = ("absolute", "if_exists", "if_missing", "in_seconds", "keep", "return_old", "time")

    def __init__(self) -> None:
        self.if_missing = False
        self.if_exists = False
        self.return_old = False
        self.keep = False
        """KEEPTTL for SET, PERSIST for GETEX: they exclude a time."""
        self.time: bytes | None = None
        self.in_seconds = False
        self.absolute = False


_TIMES = {  # word: (in seconds, absolute)
    b"EX": (True, False),
    b"PX": (False, False),
    b"EXAT": (True, True),
    b"PXAT": (False, True),
}


def parse_set_options(words: Sequence[bytes]) -> StringOptions:
    """What follows ``SET key value``.

    :raises CommandError: unknown words, or words that exclude each other
    """
    options = StringOptions()
    position = 0
    while position < len(words):
        word = words[position].upper()
        if word == b"NX" and not options.if_exists:
            options.if_missing = True
        elif word == b"XX" and not options.if_missing:
            options.if_exists = True
        elif word == b"GET":
            options.return_old = True
        elif word == b"KEEPTTL" and options.time is None:
            options.keep = True
        else:
            _take_time(options, word, words, position)
            position += 1
        position += 1
    return options


def parse_getex_options(words: Sequence[bytes]) -> StringOptions:
    """What follows ``GETEX key``.

    :raises CommandError: unknown words, or words that exclude each other
    """
    options = StringOptions()
    position = 0
    while position < len(words):
        word = words[position].upper()
        if word == b"PERSIST" and options.time is None:
            options.keep = True
        else:
            _take_time(options, word, words, position)
            position += 1
        position += 1
    return options


def _take_time(options: StringOptions, word: bytes, words: Sequence[bytes], position: int) -> None:
    """Accept ``EX seconds`` and its kin. The same word may come twice; the last one counts."""
    unit = _TIMES.get(word)
    if unit is None or position + 1 == len(words) or options.keep:
        raise syntax_error()
    if options.time is not None and unit != (options.in_seconds, options.absolute):
        raise syntax_error()
    options.time = words[position + 1]
    options.in_seconds, options.absolute = unit


def _invalid_expire_time(command: str) -> CommandError:
    return CommandError(f"ERR invalid expire time in '{command}' command")


def set_expire_ms(
    context: Context, time: bytes, *, in_seconds: bool, absolute: bool, command: str
) -> int:
    """The time of death, in Unix milliseconds, that SET and its kin were given; never in 1970.

    :param command: lower case, for the error line
    :raises CommandError: not an integer, not positive, or beyond 64 bits
    """
    expire_ms = integer(time)
    if expire_ms <= 0:
        raise _invalid_expire_time(command)
    if in_seconds:
        expire_ms *= 1000
    if not absolute:
        expire_ms += context.now_ms()
    if expire_ms > INT64_MAX:
        raise _invalid_expire_time(command)
    return expire_ms


# ---- EXPIRE and its kin --------------------------------------------------------------------------


class ExpireCondition(NamedTuple):
    """NX, XX, GT and LT of EXPIRE."""

    if_none: bool = False
    if_some: bool = False
    if_later: bool = False
    if_sooner: bool = False


_CONDITIONS = (b"NX", b"XX", b"GT", b"LT")


def _expire_condition(words: Sequence[bytes]) -> ExpireCondition:
    asked = set[bytes]()
    for word in words:
        option = word.upper()
        if option not in _CONDITIONS:
            raise CommandError(f"ERR Unsupported option {one_line(as_c_string(word))}")
        asked.add(option)
    condition = ExpireCondition(*(option in asked for option in _CONDITIONS))
    if condition.if_none and len(asked) > 1:
        raise CommandError("ERR NX and XX, GT or LT options at the same time are not compatible")
    if condition.if_later and condition.if_sooner:
        raise CommandError("ERR GT and LT options at the same time are not compatible")
    return condition


def expire_arguments(
    args: Sequence[bytes], base_ms: int, *, in_seconds: bool, command: str
) -> tuple[int, ExpireCondition]:
    """What follows EXPIRE's key: the time of death in Unix milliseconds, and the condition.

    The time may be long past, and negative; it fits 64 bits.

    :param base_ms: what the time counts from
    :raises CommandError: unknown or contradictory options, not an integer, or beyond 64 bits
    """
    condition = _expire_condition(args[1:])
    when_ms = integer(args[0])
    if in_seconds:
        when_ms *= 1000
        if not INT64_MIN <= when_ms <= INT64_MAX:
            raise _invalid_expire_time(command)
    if when_ms > INT64_MAX - base_ms:
        raise _invalid_expire_time(command)
    return when_ms + base_ms, condition
