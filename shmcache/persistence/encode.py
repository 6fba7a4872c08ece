"""A value into an RDB object: the type that holds it in the lowest version, and its bytes.

Redis loads the plain forms of containers and packs them itself where its limits say so, so that
nothing here depends on how small a container is.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Final

from shmcache.persistence.decode import RdbType
from shmcache.persistence.forms import encode_length, encode_string
from shmcache.persistence.streams import write_stream
from shmcache.persistence.values import (
    HashValue,
    ListValue,
    SetValue,
    SortedSetValue,
    StreamValue,
    Value,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["VERSION", "VERSION_WITH_LIFETIMES", "encode_value", "version_for"]

VERSION: Final = 10
"""Redis 7.0's: it holds everything but fields with lifetimes."""
VERSION_WITH_LIFETIMES: Final = 12

_MILLISECONDS: Final = Struct("<q")
_SCORE: Final = Struct("<d")


def version_for(value: Value) -> int:
    """The lowest version of RDB that holds a value."""
    if isinstance(value, HashValue) and value.expiries:
        return VERSION_WITH_LIFETIMES
    return VERSION


def encode_value(value: Value, *, compress: bool = True) -> tuple[int, bytes]:
    """An RDB type and the object's bytes.

    :param compress: whether long strings are tried to be made shorter (``rdbcompression``)
    """
    match value:
        case bytes():
            kind, data = RdbType.STRING, encode_string(value, compress=compress)
        case ListValue():
            kind, data = RdbType.LIST, _encode_counted(value.elements, compress)
        case SetValue():
            kind, data = RdbType.SET, _encode_counted(value.members, compress)
        case SortedSetValue():
            kind, data = RdbType.ZSET_2, _encode_scored(value, compress)
        case HashValue() if value.expiries:
            kind, data = RdbType.HASH_METADATA, _encode_with_lifetimes(value, compress)
        case HashValue():
            count = encode_length(len(value.items) // 2)
            kind, data = RdbType.HASH, count + _encode_all(value.items, compress)
        case StreamValue():
            kind, data = RdbType.STREAM_LISTPACKS_2, write_stream(value, compress=compress)
    return kind, data


def _encode_all(items: Iterable[bytes], compress: bool) -> bytes:
    return b"".join([encode_string(item, compress=compress) for item in items])


def _encode_counted(items: list[bytes], compress: bool) -> bytes:
    return encode_length(len(items)) + _encode_all(items, compress)


def _encode_scored(value: SortedSetValue, compress: bool) -> bytes:
    parts = [encode_length(len(value.members))]
    for member, score in zip(value.members, value.scores, strict=True):
        parts += (encode_string(member, compress=compress), _SCORE.pack(score))
    return b"".join(parts)


def _encode_with_lifetimes(value: HashValue, compress: bool) -> bytes:
    """Each field after its expiry, counted from just before the least one; 0: none."""
    least = min(value.expiries.values())
    parts = [_MILLISECONDS.pack(least), encode_length(len(value.items) // 2)]
    for field, content in zip(value.items[::2], value.items[1::2], strict=True):
        expiry = value.expiries.get(field, 0)
        parts.append(encode_length(expiry - least + 1 if expiry else 0))
        parts.append(encode_string(field, compress=compress))
        parts.append(encode_string(content, compress=compress))
    return b"".join(parts)
