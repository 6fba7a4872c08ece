from __future__ import annotations

from server.conftest import (
    client,
    front_end,
    redis_server,
    shared_front_end,
    shared_redis_server,
    start_front_end,
)

__all__ = [
    "client",
    "front_end",
    "redis_server",
    "shared_front_end",
    "shared_redis_server",
    "start_front_end",
]
