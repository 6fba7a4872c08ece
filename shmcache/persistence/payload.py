"""What DUMP gives and RESTORE takes: an RDB object with a footer.

| type:8 | object ... | RDB version:16 | CRC-64 of all before it:64 |      little-endian
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Final

from shmcache.errors import DamagedFile
from shmcache.persistence._crc64 import crc64
from shmcache.persistence.decode import read_value
from shmcache.persistence.encode import VERSION_WITH_LIFETIMES, encode_value, version_for
from shmcache.persistence.source import Source

if TYPE_CHECKING:
    from shmcache.persistence.values import Value

__all__ = ["dump_value", "has_valid_footer", "load_value"]

_VERSION: Final = Struct("<H")
_CHECKSUM: Final = Struct("<Q")
_FOOTER_BYTES: Final = _VERSION.size + _CHECKSUM.size
NEWEST_VERSION: Final = VERSION_WITH_LIFETIMES


def dump_value(value: Value) -> bytes:
    """A value as DUMP's payload, of the lowest version that holds it."""
    kind, data = encode_value(value)
    payload = bytes((kind,)) + data + _VERSION.pack(version_for(value))
    return payload + _CHECKSUM.pack(crc64(payload))


def has_valid_footer(payload: bytes) -> bool:
    """Whether version and checksum let the payload be read; a checksum of 0 is none."""
    if len(payload) <= _FOOTER_BYTES:
        return False
    (version,) = _VERSION.unpack_from(payload, len(payload) - _FOOTER_BYTES)
    (checksum,) = _CHECKSUM.unpack_from(payload, len(payload) - _CHECKSUM.size)
    return version <= NEWEST_VERSION and checksum in {0, crc64(payload[: -_CHECKSUM.size])}


def load_value(payload: bytes) -> Value:
    """The value of a payload whose footer was found valid.

    :raises DamagedFile: it holds no value, or more than one
    """
    source = Source(payload, 1, len(payload) - _FOOTER_BYTES)
    value = read_value(source, payload[0])
    if source.at != source.end:
        raise DamagedFile("something is left behind the value", source.at)
    return value
