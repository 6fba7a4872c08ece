"""What SCAN, HSCAN, SSCAN and ZSCAN have in common: their cursors and options."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from shmcache.commands.arguments import integer
from shmcache.commands.glob import compile_glob
from shmcache.commands.replies import CommandError, syntax_error

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shmcache.commands.context import Context

__all__ = ["ScanOptions", "is_given_whole", "parse_scan_cursor", "parse_scan_options"]

_DEFAULT_COUNT = 10
_PACKED = frozenset({"intset", "listpack", "listpackex"})
_UINT64, _UINT64_DIGITS = 1 << 64, 20
_CURSOR = re.compile(rb"([+-]?)(\d*)", re.ASCII)


class ScanOptions(NamedTuple):
    """What a scan was asked for besides its cursor."""

    batch: int = _DEFAULT_COUNT
    """COUNT."""
    fits: Callable[[bytes], bool] | None = None
    """Tells whether a name matches; None: all do."""
    type: str | None = None
    values: bool = True


def parse_scan_cursor(word: bytes) -> int:
    """What C's strtoul reads: Redis takes a sign, and an empty word for 0.

    :raises CommandError: no cursor
    """
    match = _CURSOR.fullmatch(word)
    if match is None or (match[1] and not match[2]):
        raise CommandError("ERR invalid cursor")
    digits = match[2].lstrip(b"0")
    magnitude = int(digits or b"0") if len(digits) <= _UINT64_DIGITS else _UINT64
    if magnitude >= _UINT64:
        raise CommandError("ERR invalid cursor")
    return -magnitude % _UINT64 if match[1] == b"-" else magnitude


def is_given_whole(context: Context, key: bytes) -> bool:
    """Whether Redis would return all of the key's elements in the first step, whatever the COUNT.

    It does where they are packed, and says so: scripts may do without the second step.
    """
    info = context.arena.describe(context.db, key)
    return info is not None and info.encoding in _PACKED


def parse_scan_options(
    words: Sequence[bytes], *, of_keys: bool = False, of_pairs: bool = False
) -> ScanOptions:
    """The options after the cursor.

    :param of_keys: TYPE is one of them
    :param of_pairs: NOVALUES is one of them
    :raises CommandError: an unknown option, a missing value or a COUNT below 1
    """
    count, fits, wanted_type, values = _DEFAULT_COUNT, None, None, True
    rest = iter(words)
    for word in rest:
        option = word.upper()
        if option == b"NOVALUES" and of_pairs:
            values = False
            continue
        value = next(rest, None)
        if value is None:
            raise syntax_error()
        if option == b"COUNT":
            count = integer(value)
            if count < 1:
                raise syntax_error()
        elif option == b"MATCH":
            fits = None if value == b"*" else compile_glob(value)
        elif option == b"TYPE" and of_keys:
            wanted_type = value.decode("utf-8", "surrogateescape").lower()
        else:
            raise syntax_error()
    return ScanOptions(count, fits, wanted_type, values)
