"""maxmemory-clients: the clients that take the most memory go when all together take too much."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from shmcache.server.server import Server

__all__ = ["evict_clients"]

_log = logging.getLogger("shmcache.server")

_LEAST_BYTES: Final = 128 << 10
"""A lower limit means this one, as in Redis."""


def _limit_bytes(server: Server) -> int | None:
    """What the option allows; None: anything."""
    limit = server.config.integer("maxmemory-clients")
    if limit < 0:  # a share
        limit = -limit * server.config.integer("maxmemory") // 100
    return max(limit, _LEAST_BYTES) if limit else None


def evict_clients(server: Server) -> None:
    """Close the largest clients until the rest keeps the limit.

    Those that sent CLIENT NO-EVICT count, and stay.
    """
    limit = _limit_bytes(server)
    if limit is None:
        return
    sizes = {client: client.memory_bytes() for client in server.clients.values()}
    total = sum(sizes.values())
    for client in sorted(sizes, key=lambda each: -sizes[each]):
        if total < limit:
            return
        if not client.no_evict:
            _log.warning("client closed for maxmemory-clients: %s", client.describe())
            total -= sizes[client]
            server.statistics.evicted_clients += 1
            client.connection.close()
