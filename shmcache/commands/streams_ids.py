"""Stream IDs as users write them: ``ms-seq``, ``ms``, ``ms-*``, ``-``, ``+``, ``(ms-seq``."""

from __future__ import annotations

import re

from shmcache.commands.arguments import integer_or_none
from shmcache.commands.replies import CommandError
from shmcache.commands.streams_layout import MAX_ID, MIN_ID, pack_id, unpack_id

__all__ = [
    "ID_PATTERN_BYTES",
    "MAX_PART",
    "format_id",
    "id_or_edge",
    "id_or_none",
    "interval_end",
    "interval_start",
    "next_id",
    "previous_id",
    "strict_id",
    "wanted_id",
]

MAX_PART = (1 << 64) - 1
"""Of milliseconds and of sequence numbers."""
ID_PATTERN_BYTES = 127
"""Redis refuses longer words without looking at them."""
_SAFE_DIGITS = 19
_STRTOULL = re.compile(rb"[ \t\n\v\f\r]*([+-]?)(\d+)", re.ASCII)


def format_id(entry_id: bytes) -> bytes:
    """``ms-seq``."""
    return b"%d-%d" % unpack_id(entry_id)


def next_id(entry_id: bytes) -> bytes | None:
    """The least ID above this one."""
    if entry_id == MAX_ID:
        return None
    return (int.from_bytes(entry_id, "big") + 1).to_bytes(16, "big")


def previous_id(entry_id: bytes) -> bytes | None:
    """The greatest ID below this one."""
    if entry_id == MIN_ID:
        return None
    return (int.from_bytes(entry_id, "big") - 1).to_bytes(16, "big")


def _part(word: bytes) -> int | None:
    """What Redis reads as an unsigned number: canonical, else by C's strtoull."""
    number = integer_or_none(word)
    if number is not None:
        return number if number >= 0 else None
    match = _STRTOULL.fullmatch(word)
    if match is None or len(match[2].lstrip(b"0")) > _SAFE_DIGITS + 1:
        return None
    number = int(match[2])
    if number > MAX_PART:
        return None
    return -number % (MAX_PART + 1) if match[1] == b"-" else number


def _parts(word: bytes) -> tuple[int, bytes | None] | None:
    """Milliseconds, and the word after the dash if there is one; None: no ID."""
    if len(word) > ID_PATTERN_BYTES:
        return None
    ms, dash, sequence = word.partition(b"\0")[0].partition(b"-")
    number = _part(ms)
    return None if number is None else (number, sequence if dash else None)


def _invalid() -> CommandError:
    return CommandError("ERR Invalid stream ID specified as stream command argument")


def id_or_none(word: bytes, missing_sequence: int = 0) -> bytes | None:
    """The ID that a word is, if it is one; neither ``-`` nor ``+`` is."""
    ms, dash, sequence = word.partition(b"-")
    if len(word) <= _SAFE_DIGITS and ms.isdigit():
        if not dash:
            return pack_id(int(ms), missing_sequence)
        if sequence.isdigit():
            return pack_id(int(ms), int(sequence))
    parts = _parts(word)
    if parts is None:
        return None
    number = missing_sequence if parts[1] is None else _part(parts[1])
    return None if number is None else pack_id(parts[0], number)


def strict_id(word: bytes, missing_sequence: int = 0) -> bytes:
    """An ID; neither ``-`` nor ``+``.

    :raises CommandError: it is none
    """
    entry_id = id_or_none(word, missing_sequence)
    if entry_id is None:
        raise _invalid()
    return entry_id


def id_or_edge(word: bytes, missing_sequence: int = 0) -> bytes:
    """An ID, ``-`` for the least one or ``+`` for the greatest.

    :raises CommandError: it is none
    """
    if word == b"-":
        return MIN_ID
    if word == b"+":
        return MAX_ID
    return strict_id(word, missing_sequence)


def wanted_id(word: bytes) -> tuple[int, int | None]:
    """XADD's ID: milliseconds and sequence, None for the ``*`` in ``ms-*``.

    :raises CommandError: it is none
    """
    parts = _parts(word)
    if parts is None:
        raise _invalid()
    ms, sequence = parts
    if sequence == b"*":
        return ms, None
    number = 0 if sequence is None else _part(sequence)
    if number is None:
        raise _invalid()
    return ms, number


def interval_start(word: bytes) -> bytes:
    """The first ID of an interval that begins at, or after a ``(`` behind, what the word says.

    :raises CommandError: no ID, or none can follow it
    """
    if len(word) <= 1 or word[:1] != b"(":
        return id_or_edge(word)
    entry_id = next_id(strict_id(word[1:]))
    if entry_id is None:
        raise CommandError("ERR invalid start ID for the interval")
    return entry_id


def interval_end(word: bytes) -> bytes:
    """The last ID of an interval that ends at, or after a ``(`` before, what the word says.

    :raises CommandError: no ID, or none comes before it
    """
    if len(word) <= 1 or word[:1] != b"(":
        return id_or_edge(word, MAX_PART)
    entry_id = previous_id(strict_id(word[1:], MAX_PART))
    if entry_id is None:
        raise CommandError("ERR invalid end ID for the interval")
    return entry_id
