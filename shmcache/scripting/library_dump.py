"""What FUNCTION DUMP gives and FUNCTION RESTORE takes: sources of libraries, as RDB has them.

| (245:8 | source: string) ... | RDB version:16 | CRC-64 of all before it:64 |      little-endian
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Final

from shmcache.errors import DamagedFile
from shmcache.persistence._crc64 import crc64
from shmcache.persistence.forms import encode_string
from shmcache.persistence.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["dump_libraries", "load_libraries"]

_LIBRARY: Final = 245
_VERSION: Final = 10
"""That of Redis 7.0, the first to have functions."""
_FOOTER: Final = Struct("<HQ")
_NEWEST_VERSION: Final = 12
"""Redis loads payloads of versions up to its own; nothing has changed in this part up to here."""


def dump_libraries(sources: Iterable[bytes]) -> bytes:
    """The payload that holds these libraries."""
    body = b"".join(bytes((_LIBRARY,)) + encode_string(source) for source in sources)
    body += _VERSION.to_bytes(2, "little")
    return body + crc64(body).to_bytes(8, "little")


def load_libraries(payload: bytes) -> list[bytes] | None:
    """The libraries' sources; None if version or checksum are wrong.

    :raises DamagedFile: it holds something else than libraries
    """
    end = len(payload) - _FOOTER.size
    if end < 0:
        return None
    version, checksum = _FOOTER.unpack_from(payload, end)
    if version > _NEWEST_VERSION or checksum not in {0, crc64(payload[:-8])}:
        return None
    sources = []
    at = 0
    while at < end:
        if payload[at] != _LIBRARY:
            raise DamagedFile("this is no library", at)
        source = Source(payload, at + 1, end)
        sources.append(source.string())
        at = source.at
    return sources
