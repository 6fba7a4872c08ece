"""The configuration's share in the arena: limits, eviction policy, frequency counters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from shmcache.arena import POLICIES
from shmcache.errors import ConfigurationError

if TYPE_CHECKING:
    from shmcache.arena import Arena
    from shmcache.config import Config

__all__ = ["check_limit", "configure_arena"]

_UINT32_MAX: Final = 2**32 - 1


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
    """Bring ``maxmemory``, the eviction policy and the counters' options into the arena.

    ``maxmemory`` below the arena's size is a soft limit; 0, or the size or more, is all of it.

    :raises ReadOnly: the attachment is not writable
    """
    maxmemory = config.integer("maxmemory")
    if maxmemory >= arena.statistics().data_bytes:
        maxmemory = 0
    tuning = arena.get_tuning()._replace(
        maxmemory=maxmemory,
        policy=POLICIES.index(config.text("maxmemory-policy")),
        samples=min(config.integer("maxmemory-samples"), _UINT32_MAX),
        lfu_log_factor=min(config.integer("lfu-log-factor"), _UINT32_MAX),
        lfu_decay_minutes=min(config.integer("lfu-decay-time"), _UINT32_MAX),
    )
    arena.set_tuning(tuning)
