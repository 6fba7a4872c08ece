"""The configuration's share in the arena: limits, eviction policy, frequency counters, and until
when containers are packed and HyperLogLogs sparse.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from shmcache.arena import POLICIES
from shmcache.errors import ConfigurationError

if TYPE_CHECKING:
    from shmcache.arena import Arena
    from shmcache.config import Config

__all__ = ["ARENA_OPTIONS", "check_limit", "configure_arena"]

_UINT32_MAX: Final = 2**32 - 1
_COUNTS: Final = {
    "maxmemory-samples": "samples",
    "lfu-log-factor": "lfu_log_factor",
    "lfu-decay-time": "lfu_decay_minutes",
    "hash-max-listpack-entries": "hash_max_listpack_entries",
    "hash-max-listpack-value": "hash_max_listpack_value",
    "set-max-intset-entries": "set_max_intset_entries",
    "set-max-listpack-entries": "set_max_listpack_entries",
    "set-max-listpack-value": "set_max_listpack_value",
    "zset-max-listpack-entries": "zset_max_listpack_entries",
    "zset-max-listpack-value": "zset_max_listpack_value",
    "hll-sparse-max-bytes": "hll_sparse_max_bytes",
}
"""Options that are a number in the arena, by their fields in :class:`~shmcache.arena.Tuning`."""

ARENA_OPTIONS: Final = ("maxmemory", "maxmemory-policy", "list-max-listpack-size", *_COUNTS)
"""Every option that :func:`configure_arena` brings into the arena."""


def check_limit(arena: Arena, maxmemory: int) -> None:
    """Check a ``maxmemory`` against an arena that exists: its size was settled when it was made.

    :raises ConfigurationError: it is more than the arena has
    """
    data_bytes = arena.statistics().data_bytes
    if maxmemory > data_bytes:
        raise ConfigurationError(
            f"the arena has {data_bytes} bytes and cannot grow: for a larger maxmemory stop the "
            "daemon, remove its segments and start it again"
        )


def configure_arena(arena: Arena, config: Config) -> None:
    """Bring :data:`ARENA_OPTIONS` into the arena.

    ``maxmemory`` below the arena's size is a soft limit; 0, or the size or more, is all of it.

    :raises ReadOnly: the attachment is not writable
    """
    maxmemory = config.integer("maxmemory")
    if maxmemory >= arena.statistics().data_bytes:
        maxmemory = 0
    counts = {field: min(config.integer(name), _UINT32_MAX) for name, field in _COUNTS.items()}
    tuning = arena.get_tuning()._replace(
        maxmemory=maxmemory,
        policy=POLICIES.index(config.text("maxmemory-policy")),
        list_max_listpack_size=config.integer("list-max-listpack-size"),
        **counts,
    )
    arena.set_tuning(tuning)
