"""Redis, and this package's doors to compare with it: those of the differential tests."""

from __future__ import annotations

from client.conftest import daemon, redis_server, shared_daemon
from differential.conftest import arena, front_end, ours, pair, redis, redis_path, resp

__all__ = [
    "arena",
    "daemon",
    "front_end",
    "ours",
    "pair",
    "redis",
    "redis_path",
    "redis_server",
    "resp",
    "shared_daemon",
]
