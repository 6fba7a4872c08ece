"""How a stream lies in the arena, and the bytes it is made of.

A stream is five ordered maps (trees) and 96 bytes beside them. Numbers are big-endian, so that they
sort as bytes do. An ID is 16 bytes, ``| milliseconds:64 | sequence:64 |``.

::

    meta  | last ID:128 | greatest deleted ID:128 | entries ever added:64 | next number:64 | 0 ... |

    ENTRIES    ID                              -> fields and values
    GROUPS     00 group's name                 -> number:64 | last delivered:128 | entries read:64
    PENDING    group's number, short ID        -> consumer's number, delivery time, deliveries
    OWNED      consumer's number, short ID     -> (nothing)
    CONSUMERS  group's number, 00 name         -> number:64 | seen ms:64 | active ms:64
               consumer's number, 01           -> name

Groups and consumers get their numbers from one counter and never a used one. A number in a name is
one byte, or from 224 on a byte that says how many follow; no number is the beginning of another.
Names of consumers come after their group's number and a zero, so that ``number, 01`` is above all
of them. Entries read and the time when a consumer was active are -1 when unknown.

A short ID leaves out the milliseconds' first byte, which will be zero for two million years: with
a group's number it has 16 bytes, the part of a name that the trees' nodes compare. Later IDs follow
an ``ff``, which sorts them behind all short ones.

Fields and values in turn, most often as ``| how many:8 | their lengths, 8 each | bytes ... |``; if
there are more than 254 or a longer one, as ``| ff | how many:32 | their lengths, 32 each | ... |``.

Nothing is counted twice: pending entries of groups and consumers are counted by the trees, which
know the number of names between any two.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "CONSUMER",
    "CONSUMERS",
    "ENTRIES",
    "FIRST_NUMBER",
    "GROUP",
    "GROUPS",
    "GROUPS_END",
    "MAX_ID",
    "META",
    "MIN_ID",
    "NO_COUNT",
    "OWNED",
    "PENDING",
    "UNTIL_NOW_INACTIVE",
    "consumer_key",
    "consumers_end",
    "group_key",
    "name_key",
    "number_prefix",
    "pack_fields",
    "pack_id",
    "pack_pending",
    "prefix_end",
    "short_id",
    "unpack_fields",
    "unpack_id",
    "unpack_pending",
    "unshort_id",
]

ENTRIES, GROUPS, PENDING, OWNED, CONSUMERS = range(5)

META = Struct(">QQ16sQQ48x")
"""Last ID's milliseconds and sequence, greatest deleted ID, entries added, next number."""
GROUP = Struct(">Q16sq")
"""Number, last delivered ID, entries read."""
CONSUMER = Struct(">QQq")
"""Number, seen ms, active ms."""

FIRST_NUMBER = 1
NO_COUNT = -1
"""Entries read by a group, when that cannot be told."""
UNTIL_NOW_INACTIVE = -1

MIN_ID, MAX_ID = bytes(16), b"\xff" * 16

_ID = Struct(">QQ")
pack_id = _ID.pack
"""The 16 bytes of an ID, of its milliseconds and sequence."""
unpack_id = _ID.unpack
"""Milliseconds and sequence."""

# ---- names ---------------------------------------------------------------------------------------

_ONE_BYTE_NUMBERS = 224
_LONG_IDS = b"\x00\xff"
GROUPS_END = b"\x01"
"""Above all names of groups."""


def number_prefix(number: int) -> bytes:
    """The beginning of the names that belong to a group or a consumer."""
    if number < _ONE_BYTE_NUMBERS:
        return bytes((number,))
    length = (number.bit_length() + 7) // 8
    return bytes((_ONE_BYTE_NUMBERS + length,)) + number.to_bytes(length, "big")


def prefix_end(prefix: bytes) -> bytes:
    """Above all that begins with a number and goes on with an ID."""
    return prefix + b"\xff" + MAX_ID


def short_id(entry_id: bytes) -> bytes:
    """An ID as it follows a number."""
    return entry_id[1:] if entry_id < _LONG_IDS else b"\xff" + entry_id


def unshort_id(name: bytes, prefix: bytes) -> bytes:
    """The ID in a name that begins with ``prefix``."""
    at = len(prefix)
    return name[at + 1 :] if name[at] == 0xFF else b"\x00" + name[at:]


def group_key(name: bytes) -> bytes:
    """A group's name in GROUPS."""
    return b"\x00" + name


def consumer_key(group_prefix: bytes, name: bytes) -> bytes:
    """A consumer's name in CONSUMERS."""
    return group_prefix + b"\x00" + name


def consumers_end(group_prefix: bytes) -> bytes:
    """Above all names of a group's consumers."""
    return group_prefix + b"\x01"


def name_key(number: int) -> bytes:
    """Where CONSUMERS has the name of the consumer with this number."""
    return number_prefix(number) + b"\x01"


# ---- values --------------------------------------------------------------------------------------

_NARROW_COUNT = 254
_WIDE = 0xFF


def pack_fields(items: Sequence[bytes]) -> bytes:
    """Fields and values in turn, as an entry keeps them."""
    count = len(items)
    if count <= _NARROW_COUNT:
        try:
            return bytes((count, *map(len, items))) + b"".join(items)
        except ValueError:  # one is longer than a byte tells
            pass
    lengths = Struct(f">{count}I").pack(*map(len, items))
    return b"".join((b"\xff", count.to_bytes(4, "big"), lengths, *items))


def unpack_fields(packed: bytes) -> list[bytes]:
    """The fields and values in turn of what `pack_fields` made."""
    count = packed[0]
    if count == 2:
        middle = 3 + packed[1]
        return [packed[3:middle], packed[middle:]]
    lengths: Sequence[int]
    if count != _WIDE:
        lengths, at = packed[1 : count + 1], count + 1
    else:
        count = int.from_bytes(packed[1:5], "big")
        lengths, at = Struct(f">{count}I").unpack_from(packed, 5), 5 + 4 * count
    items: list[bytes] = []
    for length in lengths:
        items.append(packed[at : at + length])
        at += length
    return items


_SHORT_PENDING = Struct(">IQB")
_LONG_PENDING = Struct(">QQQ")


def pack_pending(consumer: int, delivered_ms: int, deliveries: int) -> bytes:
    """What PENDING tells of an entry: its owner, when it was delivered last and how often."""
    if deliveries < 1 << 8 and consumer < 1 << 32:
        return _SHORT_PENDING.pack(consumer, delivered_ms, deliveries)
    return _LONG_PENDING.pack(consumer, delivered_ms, deliveries)


def unpack_pending(value: bytes) -> tuple[int, int, int]:
    """What `pack_pending` was given."""
    form = _SHORT_PENDING if len(value) == _SHORT_PENDING.size else _LONG_PENDING
    return form.unpack(value)
