"""What a command answers, and every error line a Redis client can be shown.

A reply is a plain Python object; :mod:`shmcache.protocol` gives it its RESP2 or RESP3 form:

====================  ================================
``bytes``             bulk string
``str``               simple string
``int``, ``float``    integer, double
``bool``, ``None``    boolean, null
``NULL_ARRAY``        null, an array's
``list``, ``tuple``   array
``dict``              map
``set``, SetReply     set
``Verbatim``          verbatim string
``CommandError``      error
====================  ================================
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final, NamedTuple, TypeAlias

from shmcache import errors

__all__ = [
    "NULL_ARRAY",
    "OK",
    "CommandError",
    "NullArray",
    "Reply",
    "SetReply",
    "Verbatim",
    "as_c_string",
    "error_for",
    "not_an_integer",
    "one_line",
    "syntax_error",
    "wrong_arity",
]

OK = "OK"


class CommandError(Exception):
    """An error reply. Its ``str`` is the whole line, Redis's code first: ``ERR syntax error``.

    Bytes of the client's that are not UTF-8 are in it as surrogate escapes.
    """


class Verbatim(NamedTuple):
    """Text with its format: a verbatim string in RESP3, a bulk string in RESP2."""

    text: str
    format: str = "txt"


class SetReply(tuple["Reply", ...]):
    """A set whose order is kept, or whose members (maps) cannot be hashed."""

    __slots__ = ()


class NullArray:
    """Nothing where there might have been an array: RESP2 has a null of its own for that."""

    __slots__ = ()


NULL_ARRAY: Final = NullArray()


Reply: TypeAlias = (
    bytes
    | str
    | int
    | float
    | Verbatim
    | SetReply
    | CommandError
    | NullArray
    | Sequence["Reply"]
    | Mapping["Reply", "Reply"]
    | AbstractSet["Reply"]
    | None
)


def one_line(text: bytes | str) -> str:
    """Text of the client's, fit to be quoted inside an error line."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "surrogateescape")
    return text.replace("\r", " ").replace("\n", " ")


def as_c_string(word: bytes, limit: int | None = None) -> bytes:
    """What Redis's printf shows of a word: nothing after a NUL, at most ``limit`` bytes."""
    return word.partition(b"\0")[0][:limit]


def syntax_error() -> CommandError:
    """Arguments that no form of the command takes."""
    return CommandError("ERR syntax error")


def not_an_integer() -> CommandError:
    """An argument that is no 64-bit signed integer."""
    return CommandError("ERR value is not an integer or out of range")


def wrong_arity(full_name: str) -> CommandError:
    """Too few or too many arguments.

    :param full_name: lower case, the subcommand after a bar: ``object|encoding``
    """
    return CommandError(f"ERR wrong number of arguments for '{full_name}' command")


_LINES: tuple[tuple[type[errors.ShmcacheError], str], ...] = (
    (errors.WrongType, "WRONGTYPE Operation against a key holding the wrong kind of value"),
    (errors.NotAnInteger, "ERR value is not an integer or out of range"),
    (errors.NotFinite, "ERR resulting score is not a number (NaN)"),
    (errors.ValueOverflow, "ERR increment or decrement would overflow"),
    (errors.OutOfMemory, "OOM command not allowed when used memory > 'maxmemory'."),
    (
        errors.ValueTooLong,
        "ERR string exceeds maximum allowed size (proto-max-bulk-len or the cache's memory)",
    ),
    (
        errors.KeyTooLong,
        "ERR key is longer than this cache can hold: 16320 bytes, 4032 in an arena below 16 MB",
    ),
    (errors.ReadOnly, "READONLY You can't write against a read only replica."),
    (errors.ArenaBusy, "BUSY the keys are locked by another process; try again"),
    (errors.CorruptArena, "ERR the cache's memory is damaged; see its log"),
)


def error_for(error: errors.ShmcacheError) -> CommandError:
    """The line that tells a client about an error of the engine's."""
    for kind, line in _LINES:
        if isinstance(error, kind):
            return CommandError(line)
    return CommandError(f"ERR {one_line(str(error))}")
