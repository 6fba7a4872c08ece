"""Which version this is, and which Redis it takes itself for."""

from __future__ import annotations

from functools import cache
from typing import Final

__all__ = ["REDIS_VERSION", "package_version"]

REDIS_VERSION: Final = "7.4.0"
"""What HELLO and INFO tell: clients choose by it which commands and options they may use. With less
redis-py refuses to cache on the client's side.
"""


@cache
def package_version() -> str:
    """The installed package's version."""
    from importlib import metadata  # noqa: PLC0415 - 15 ms that a restart should not wait for

    try:
        return metadata.version("shmcache")
    except metadata.PackageNotFoundError:
        return "not installed"
