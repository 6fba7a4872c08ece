"""The supervisor's hold on the arena: made anew, or found and taken over."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from shmcache.arena import Arena
from shmcache.arena.segments import (
    create_segments,
    open_segments,
    remove_unfinished,
    set_access,
)
from shmcache.arena.tuning import configure_arena
from shmcache.errors import CacheNotFound, ConfigurationError, LayoutMismatch, ReadOnly

if TYPE_CHECKING:
    from shmcache.arena.segments import Segments
    from shmcache.config import Config
    from shmcache.supervisor.log import Log

__all__ = ["Held", "hold_arena", "limit_to_arena"]


class Held(NamedTuple):
    """An attached, configured arena."""

    arena: Arena
    adopted: bool
    """It was there already, with whatever is in it."""


def hold_arena(config: Config, log: Log) -> Held:
    """Attach to the cache's arena; create it if there is none.

    The caller holds the lock on the name. An arena that is taken over keeps its size and content;
    what writers that died have left behind is rolled back, and modes, limits and policy become
    those of ``config``.

    :raises ConfigurationError: an arena is there and cannot be used, or none can be made; one line
        that says what to do
    """
    name = config.text("name")
    try:
        if remove_unfinished(name):
            log.warning(f"Removed the segments of cache '{name}', which were never finished")
    except PermissionError as error:
        raise ConfigurationError(_foreign(name, error)) from error
    segments, adopted = _find_or_create(name, config, log)
    try:
        if adopted:
            _check_owner(name, segments)
            set_access(segments, config.integer("shm-mode"), _group(config))
        arena = Arena(*segments, writable=True)
    except LayoutMismatch as error:
        raise ConfigurationError(
            f"cache '{name}' in /dev/shm cannot be adopted: {error}; {_remedy(name)}"
        ) from error
    finally:
        segments.close()
    if adopted:
        _take_over(arena, config, log)
    configure_arena(arena, config)
    return Held(arena, adopted)


def _find_or_create(name: str, config: Config, log: Log) -> tuple[Segments, bool]:
    try:
        return open_segments(name, writable=True), True
    except CacheNotFound:
        pass
    except LayoutMismatch as error:
        raise ConfigurationError(f"{error}; {_remedy(name)}") from error
    except (ReadOnly, PermissionError) as error:
        raise ConfigurationError(_foreign(name, error)) from error
    data_bytes = config.integer("maxmemory")
    if data_bytes == 0:
        data_bytes = config.default("maxmemory")
        log.warning(f"maxmemory is 0: the arena gets {data_bytes} bytes")
    try:
        segments = create_segments(
            name, data_bytes, mode=config.integer("shm-mode"), group=_group(config)
        )
    except OSError as error:
        raise ConfigurationError(
            f"can't create the segments of cache '{name}': {_reason(error)}"
        ) from error
    log.notice(f"Created the arena of cache '{name}', {data_bytes} bytes")
    return segments, False


def _take_over(arena: Arena, config: Config, log: Log) -> None:
    recovered = arena.sweep_slots()
    statistics = arena.statistics()
    log.notice(
        f"Adopted the arena of cache '{config.text('name')}': {statistics.data_bytes} bytes, "
        f"{statistics.keys} keys, {recovered} dead writers' slots recovered"
    )
    limit_to_arena(config, arena, log)


def limit_to_arena(config: Config, arena: Arena, log: Log) -> None:
    """Say what a ``maxmemory`` other than the arena's size means; cut it down to that size."""
    wanted = config.integer("maxmemory")
    has = arena.statistics().data_bytes
    if wanted > has:
        log.warning(
            f"maxmemory is {wanted} but the arena was made with {has} bytes and keeps them; "
            f"{_remedy(config.text('name'))}"
        )
        config.commit({"maxmemory": has})
    elif 0 < wanted < has:
        log.notice(
            f"maxmemory is {wanted}, less than the arena's {has} bytes: it limits what keys use"
        )


def _check_owner(name: str, segments: Segments) -> None:
    """Refuse segments that another user made: they may have been prepared to mislead."""
    for fd in segments:
        owner = os.fstat(fd).st_uid
        if owner != os.geteuid():
            raise ConfigurationError(_foreign(name, f"its segments' owner is {owner}"))


def _foreign(name: str, reason: Exception | str) -> str:
    why = reason if isinstance(reason, str) else _reason(reason)
    return (
        f"cache '{name}' belongs to another user: {why}; run shmcached as that user, or with "
        "another --name"
    )


def _group(config: Config) -> str | None:
    return config.text("shm-group") or None


def _remedy(name: str) -> str:
    return (
        f"to start with a new, empty arena remove /dev/shm/shmcache.{name}.data and its like, "
        "or use another --name"
    )


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror} ({error.filename})" if error.filename else error.strerror
    return str(error)
