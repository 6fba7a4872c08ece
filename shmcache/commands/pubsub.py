"""Publishing in shared memory, and who listens: what needs no server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shmcache.arena import CHANNEL, PATTERN, SHARD_CHANNEL, bus_entries, bus_publish
from shmcache.commands.glob import glob_matches
from shmcache.commands.replies import CommandError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shmcache.arena import Arena
    from shmcache.commands.context import Context
    from shmcache.commands.replies import Reply

__all__ = ["IN_PROCESS", "count_listeners", "listened_to"]


def count_listeners(
    arena: Arena, kind: int, channel: bytes, *, of_others: bool = False, patterns: bool = False
) -> int:
    """How many subscriptions to a channel the bus's register knows.

    :param kind: CHANNEL or SHARD_CHANNEL
    :param of_others: leave out this process's
    :param patterns: count those to fitting patterns too
    """
    entries = bus_entries(arena, kind, channel)
    if patterns:
        entries += (
            entry
            for entry in bus_entries(arena, PATTERN)
            if entry.whole and glob_matches(entry.name, channel)
        )
    return sum(entry.subscriptions for entry in entries if not (of_others and entry.own))


def listened_to(arena: Arena, kind: int, *, of_others: bool = False) -> list[bytes]:
    """The names of one kind that the bus's register knows, each once."""
    entries = bus_entries(arena, kind)
    return list(
        dict.fromkeys(
            entry.name for entry in entries if entry.whole and not (of_others and entry.own)
        )
    )


def _publish(context: Context, args: Sequence[bytes]) -> Reply:
    channel, message = args
    receivers = count_listeners(context.arena, CHANNEL, channel, patterns=True)
    bus_publish(context.arena, CHANNEL, channel, message)
    return receivers


def _spublish(context: Context, args: Sequence[bytes]) -> Reply:
    channel, message = args
    receivers = count_listeners(context.arena, SHARD_CHANNEL, channel)
    bus_publish(context.arena, SHARD_CHANNEL, channel, message)
    return receivers


def _names(context: Context, kind: int, args: Sequence[bytes]) -> Reply:
    if len(args) > 1:
        raise CommandError("ERR wrong number of arguments for 'pubsub' command")
    pattern = args[0] if args else b"*"
    return [name for name in listened_to(context.arena, kind) if glob_matches(pattern, name)]


def _channels(context: Context, args: Sequence[bytes]) -> Reply:
    return _names(context, CHANNEL, args)


def _shardchannels(context: Context, args: Sequence[bytes]) -> Reply:
    return _names(context, SHARD_CHANNEL, args)


def _counts(context: Context, kind: int, names: Sequence[bytes]) -> Reply:
    return [item for name in names for item in (name, count_listeners(context.arena, kind, name))]


def _numsub(context: Context, args: Sequence[bytes]) -> Reply:
    return _counts(context, CHANNEL, args)


def _shardnumsub(context: Context, args: Sequence[bytes]) -> Reply:
    return _counts(context, SHARD_CHANNEL, args)


def _numpat(context: Context, _args: Sequence[bytes]) -> Reply:
    return len(listened_to(context.arena, PATTERN))


IN_PROCESS = {
    "publish": _publish,
    "pubsub|channels": _channels,
    "pubsub|numpat": _numpat,
    "pubsub|numsub": _numsub,
    "pubsub|shardchannels": _shardchannels,
    "pubsub|shardnumsub": _shardnumsub,
    "spublish": _spublish,
}
"""Functions for a worker, by command; a server has handlers that know its own clients too."""
