"""Every exception of the package, each also the redis-py exception for the same failure."""

from __future__ import annotations

# Not `import redis.exceptions as ...`, which imports all of redis-py, and with it ssl and asyncio:
# most of what the daemon's restart could cost.
from redis.exceptions import (
    ConnectionError as _ConnectionError,
)
from redis.exceptions import (
    InvalidResponse as _InvalidResponse,
)
from redis.exceptions import (
    OutOfMemoryError as _OutOfMemoryError,
)
from redis.exceptions import (
    ReadOnlyError as _ReadOnlyError,
)
from redis.exceptions import (
    RedisError as _RedisError,
)
from redis.exceptions import (
    ResponseError as _ResponseError,
)
from redis.exceptions import (
    TimeoutError as _TimeoutError,
)

__all__ = [
    "ArenaBusy",
    "CacheNotFound",
    "ConfigurationError",
    "CorruptArena",
    "DamagedFile",
    "KeyTooLong",
    "LayoutMismatch",
    "MessagesLost",
    "NotAnInteger",
    "NotFinite",
    "OutOfMemory",
    "ProtocolError",
    "ReadOnly",
    "ShmcacheError",
    "ValueOverflow",
    "ValueTooLong",
    "WrongType",
]


class ShmcacheError(_RedisError):
    """Base of everything the package raises on purpose."""


class CacheNotFound(ShmcacheError, _ConnectionError):
    """No arena and no socket of that name: the daemon was never started, or under another name."""


class LayoutMismatch(ShmcacheError, _ConnectionError):
    """The segment is no arena, is truncated, or was made by an incompatible version."""


class MessagesLost(ShmcacheError, _ConnectionError):
    """A subscriber fell so far behind that messages were overwritten, or one was too long for the
    bus. It stays subscribed: reading on gives what is published from now on.
    """


class CorruptArena(ShmcacheError, _ResponseError):
    """A structure in the arena is damaged."""


class ArenaBusy(ShmcacheError, _TimeoutError):
    """A stripe stayed locked past the limit, or no writer slot is free."""


class ReadOnly(ShmcacheError, _ReadOnlyError):
    """A write through an attachment that may only read, with no socket to send it through."""


class OutOfMemory(ShmcacheError, _OutOfMemoryError):
    """The arena is full and the eviction policy lets nothing go."""


class WrongType(ShmcacheError, _ResponseError):
    """The key holds another type."""


class NotAnInteger(ShmcacheError, _ResponseError):
    """The value is not a 64-bit signed integer in decimal."""


class ValueOverflow(ShmcacheError, _ResponseError):
    """An increment or decrement would overflow."""


class NotFinite(ShmcacheError, _ResponseError):
    """An increment of a sorted set's score gives no number."""


class KeyTooLong(ShmcacheError, _ResponseError):
    """The key is longer than the arena's page allows."""


class ValueTooLong(ShmcacheError, _ResponseError):
    """The value is longer than 512 MiB, or than the arena could ever hold."""


class ProtocolError(ShmcacheError, _InvalidResponse):
    """Bytes that are not RESP."""


class ConfigurationError(ShmcacheError, ValueError):
    """A configuration file, option or value that cannot be used."""


class DamagedFile(ShmcacheError, ValueError):
    """Bytes of a snapshot, an append-only file or a dumped value that make no sense.

    :ivar offset: where, in bytes from the beginning
    """

    def __init__(self, what: str, offset: int) -> None:
        super().__init__(f"{what} (at byte {offset})")
        self.offset = offset
