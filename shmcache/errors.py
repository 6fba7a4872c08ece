"""Every exception of the package, each also the redis-py exception for the same failure."""

from __future__ import annotations

import redis.exceptions as _redis

__all__ = [
    "ArenaBusy",
    "CacheNotFound",
    "ConfigurationError",
    "CorruptArena",
    "KeyTooLong",
    "LayoutMismatch",
    "NotAnInteger",
    "OutOfMemory",
    "ProtocolError",
    "ReadOnly",
    "ShmcacheError",
    "ValueOverflow",
    "ValueTooLong",
    "WrongType",
]


class ShmcacheError(_redis.RedisError):
    """Base of everything the package raises on purpose."""


class CacheNotFound(ShmcacheError, _redis.ConnectionError):
    """No arena and no socket of that name: the daemon was never started, or under another name."""


class LayoutMismatch(ShmcacheError, _redis.ConnectionError):
    """The segment is no arena, is truncated, or was made by an incompatible version."""


class CorruptArena(ShmcacheError, _redis.ResponseError):
    """A structure in the arena is damaged."""


class ArenaBusy(ShmcacheError, _redis.TimeoutError):
    """A stripe stayed locked past the limit, or no writer slot is free."""


class ReadOnly(ShmcacheError, _redis.ReadOnlyError):
    """A write through an attachment that may only read, with no socket to send it through."""


class OutOfMemory(ShmcacheError, _redis.OutOfMemoryError):
    """The arena is full and the eviction policy lets nothing go."""


class WrongType(ShmcacheError, _redis.ResponseError):
    """The key holds another type."""


class NotAnInteger(ShmcacheError, _redis.ResponseError):
    """The value is not a 64-bit signed integer in decimal."""


class ValueOverflow(ShmcacheError, _redis.ResponseError):
    """An increment or decrement would overflow."""


class KeyTooLong(ShmcacheError, _redis.ResponseError):
    """The key is longer than the arena's page allows."""


class ValueTooLong(ShmcacheError, _redis.ResponseError):
    """The value is longer than 512 MiB, or than the arena could ever hold."""


class ProtocolError(ShmcacheError, _redis.InvalidResponse):
    """Bytes that are not RESP."""


class ConfigurationError(ShmcacheError, ValueError):
    """A configuration file, option or value that cannot be used."""
