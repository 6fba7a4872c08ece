"""One cache for all the processes of a host, at the price of a dict lookup.

>>> import shmcache
>>> cache = shmcache.attach()
>>> cache.get("user:1")

:func:`attach` returns a :class:`redis.Redis` whose reads, and when writable writes, happen in this
process, in shared memory. :mod:`shmcache.asyncio` has its asyncio counterpart.

Importing this package imports nothing else: what it exports is loaded at first use, because the
daemon's processes, which never speak to a Redis client library, must start in milliseconds.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if sys.platform != "linux":
    raise ImportError(
        f"shmcache runs on Linux only, not on {sys.platform}: its shared memory is guarded by "
        "robust process-shared mutexes, and dead processes are told apart by /proc"
    )

if TYPE_CHECKING:
    from shmcache.client import Client, attach
    from shmcache.errors import (
        ArenaBusy,
        CacheNotFound,
        ConfigurationError,
        CorruptArena,
        KeyTooLong,
        LayoutMismatch,
        MessagesLost,
        NotAnInteger,
        OutOfMemory,
        ProtocolError,
        ReadOnly,
        ShmcacheError,
        ValueOverflow,
        ValueTooLong,
        WrongType,
    )

__all__ = [
    "ArenaBusy",
    "CacheNotFound",
    "Client",
    "ConfigurationError",
    "CorruptArena",
    "KeyTooLong",
    "LayoutMismatch",
    "MessagesLost",
    "NotAnInteger",
    "OutOfMemory",
    "ProtocolError",
    "ReadOnly",
    "ShmcacheError",
    "ValueOverflow",
    "ValueTooLong",
    "WrongType",
    "__version__",
    "attach",
]

__version__ = "0.1.0"
"""Also in pyproject.toml, as a test makes sure: to ask the installation takes 15 ms."""

_FROM_CLIENT = frozenset({"Client", "attach"})


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = _load(name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))


def _load(name: str) -> object:
    import importlib  # noqa: PLC0415 - see the module's docstring

    module = "shmcache.client" if name in _FROM_CLIENT else "shmcache.errors"
    return getattr(importlib.import_module(module), name)
