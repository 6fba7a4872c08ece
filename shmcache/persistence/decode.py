"""An RDB object's bytes into a value: every type of RDB 1 to 12, in every encoding.

Types are numbers that a file or a payload names before the object. What has several encodings (a
hash as hash table, zipmap, ziplist or listpack) has several types.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Final

from shmcache.persistence.packed import (
    pairs_of,
    read_intset,
    read_listpack,
    read_ziplist,
    read_zipmap,
)
from shmcache.persistence.streams import read_stream
from shmcache.persistence.values import HashValue, ListValue, SetValue, SortedSetValue, Value

if TYPE_CHECKING:
    from collections.abc import Callable

    from shmcache.persistence.source import Source

__all__ = ["RdbType", "read_value"]


class RdbType(IntEnum):
    """The numbers of rdb.h."""

    STRING = 0
    LIST = 1
    SET = 2
    ZSET = 3
    HASH = 4
    ZSET_2 = 5
    MODULE_PRE_GA = 6
    MODULE_2 = 7
    HASH_ZIPMAP = 9
    LIST_ZIPLIST = 10
    SET_INTSET = 11
    ZSET_ZIPLIST = 12
    HASH_ZIPLIST = 13
    LIST_QUICKLIST = 14
    STREAM_LISTPACKS = 15
    HASH_LISTPACK = 16
    ZSET_LISTPACK = 17
    LIST_QUICKLIST_2 = 18
    STREAM_LISTPACKS_2 = 19
    SET_LISTPACK = 20
    STREAM_LISTPACKS_3 = 21
    HASH_METADATA_PRE_GA = 22
    HASH_LISTPACK_EX_PRE_GA = 23
    HASH_METADATA = 24
    HASH_LISTPACK_EX = 25


_PLAIN_NODE, _PACKED_NODE = 1, 2


def read_value(source: Source, kind: int) -> Value:
    """Read the object of this type that comes next.

    :raises DamagedFile: the bytes are no such object, or the type is unknown
    """
    read = _READERS.get(kind)
    if read is None:
        raise source.damaged(f"an object of type {kind}, which nothing here can hold")
    return read(source)


def _strings(source: Source, count: int) -> list[bytes]:
    return [source.string() for _ in range(count)]


def _unpacked(source: Source, read: Callable[[bytes, int], list[bytes]]) -> list[bytes]:
    offset = source.base + source.at
    return read(source.string(), offset)


def _checked_pairs(source: Source, read: Callable[[bytes, int], list[bytes]]) -> list[bytes]:
    offset = source.base + source.at
    return pairs_of(_unpacked(source, read), offset)


def _distinct(source: Source, items: list[bytes], what: str) -> list[bytes]:
    if len(set(items)) != len(items):
        raise source.damaged(f"a {what} twice")
    if not items:
        raise source.damaged(f"a key without a {what}")
    return items


def _set(source: Source, members: list[bytes]) -> SetValue:
    return SetValue(_distinct(source, members, "member"))


def _sorted_set(source: Source, members: list[bytes], scores: list[float]) -> SortedSetValue:
    if any(score != score for score in scores):  # noqa: PLR0124 - only NaN differs from itself
        raise source.damaged("a score is no number") from None
    return SortedSetValue(_distinct(source, members, "member"), scores)


def _scored_pairs(source: Source, items: list[bytes]) -> SortedSetValue:
    try:
        scores = [float(score) for score in items[1::2]]
    except ValueError:
        raise source.damaged("a score is no number") from None
    return _sorted_set(source, items[::2], scores)


def _scored(source: Source, read_score: Callable[[], float]) -> SortedSetValue:
    members: list[bytes] = []
    scores: list[float] = []
    for _ in range(source.count(2)):
        members.append(source.string())
        scores.append(read_score())
    return _sorted_set(source, members, scores)


def _hash(
    source: Source, items: list[bytes], expiries: dict[bytes, int] | None = None
) -> HashValue:
    _distinct(source, items[::2], "field")
    return HashValue(items, expiries or {})


def _list(source: Source, elements: list[bytes]) -> ListValue:
    if not elements:
        raise source.damaged("a key without an element")
    return ListValue(elements)


def _quicklist(source: Source, *, with_containers: bool) -> ListValue:
    """A list's nodes: ziplists; or listpacks, and long elements by themselves."""
    elements: list[bytes] = []
    for _ in range(source.count()):
        container = source.length() if with_containers else None
        if container == _PLAIN_NODE:
            elements.append(source.string())
        elif container is None:
            elements += _unpacked(source, read_ziplist)
        elif container == _PACKED_NODE:
            elements += _unpacked(source, read_listpack)
        else:
            raise source.damaged(f"an unknown kind of node: {container}")
    return _list(source, elements)


def _hash_with_lifetimes(source: Source, *, relative: bool) -> HashValue:
    """Each field after its expiry, which counts from just before the least one (0: none)."""
    before_least = source.milliseconds() - 1 if relative else 0
    items: list[bytes] = []
    expiries: dict[bytes, int] = {}
    for _ in range(source.count(3)):
        expiry = source.length()
        field = source.string()
        items += (field, source.string())
        if expiry:
            expiries[field] = before_least + expiry
    return _hash(source, items, _plausible(source, expiries))


def _packed_hash_with_lifetimes(source: Source, *, with_least: bool) -> HashValue:
    """A listpack of fields, values and expiries (0: none); the least one stands before it."""
    if with_least:
        source.milliseconds()
    triples = _unpacked(source, read_listpack)
    if len(triples) % 3:
        raise source.damaged("the last field has no value or no expiry")
    items = [item for pair in zip(triples[::3], triples[1::3], strict=True) for item in pair]
    try:
        numbers = [int(text) for text in triples[2::3]]
    except ValueError:
        raise source.damaged("an expiry is no number") from None
    expiries = {
        field: number for field, number in zip(triples[::3], numbers, strict=True) if number
    }
    return _hash(source, items, _plausible(source, expiries))


def _plausible(source: Source, expiries: dict[bytes, int]) -> dict[bytes, int]:
    if any(not 0 < expiry < 1 << 48 for expiry in expiries.values()):
        raise source.damaged("an expiry is out of range")
    return expiries


_READERS: Final[dict[int, Callable[[Source], Value]]] = {
    RdbType.STRING: lambda source: source.string(),
    RdbType.LIST: lambda source: _list(source, _strings(source, source.count())),
    RdbType.SET: lambda source: _set(source, _strings(source, source.count())),
    RdbType.ZSET: lambda source: _scored(source, source.text_double),
    RdbType.HASH: lambda source: _hash(source, _strings(source, 2 * source.count(2))),
    RdbType.ZSET_2: lambda source: _scored(source, source.double),
    RdbType.HASH_ZIPMAP: lambda source: _hash(source, _checked_pairs(source, read_zipmap)),
    RdbType.LIST_ZIPLIST: lambda source: _list(source, _unpacked(source, read_ziplist)),
    RdbType.SET_INTSET: lambda source: _set(source, _unpacked(source, read_intset)),
    RdbType.ZSET_ZIPLIST: lambda source: _scored_pairs(
        source, _checked_pairs(source, read_ziplist)
    ),
    RdbType.HASH_ZIPLIST: lambda source: _hash(source, _checked_pairs(source, read_ziplist)),
    RdbType.LIST_QUICKLIST: lambda source: _quicklist(source, with_containers=False),
    RdbType.STREAM_LISTPACKS: lambda source: read_stream(source, 1),
    RdbType.HASH_LISTPACK: lambda source: _hash(source, _checked_pairs(source, read_listpack)),
    RdbType.ZSET_LISTPACK: lambda source: _scored_pairs(
        source, _checked_pairs(source, read_listpack)
    ),
    RdbType.LIST_QUICKLIST_2: lambda source: _quicklist(source, with_containers=True),
    RdbType.STREAM_LISTPACKS_2: lambda source: read_stream(source, 2),
    RdbType.SET_LISTPACK: lambda source: _set(source, _unpacked(source, read_listpack)),
    RdbType.STREAM_LISTPACKS_3: lambda source: read_stream(source, 3),
    RdbType.HASH_METADATA_PRE_GA: lambda source: _hash_with_lifetimes(source, relative=False),
    RdbType.HASH_LISTPACK_EX_PRE_GA: lambda source: _packed_hash_with_lifetimes(
        source, with_least=False
    ),
    RdbType.HASH_METADATA: lambda source: _hash_with_lifetimes(source, relative=True),
    RdbType.HASH_LISTPACK_EX: lambda source: _packed_hash_with_lifetimes(source, with_least=True),
}
