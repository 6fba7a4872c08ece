"""The commands that wait for a list or a sorted set to have something.

Each tries what the plain command does, at all its keys, and says what it waits for if that yields
nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shmcache.commands import lists, sorted_sets
from shmcache.commands.waiting import seconds, wait_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shmcache.commands.context import Context
    from shmcache.commands.replies import Reply
    from shmcache.commands.waiting import Awaited

__all__ = [
    "blmove",
    "blmpop",
    "blpop",
    "brpop",
    "brpoplpush",
    "bzmpop",
    "bzpopmax",
    "bzpopmin",
]


def blpop(context: Context, args: Sequence[bytes]) -> Reply:
    """BLPOP key [key ...] timeout."""
    return _pop_element(context, args, left=True)


def brpop(context: Context, args: Sequence[bytes]) -> Reply:
    """BRPOP key [key ...] timeout."""
    return _pop_element(context, args, left=False)


def _pop_element(context: Context, args: Sequence[bytes], *, left: bool) -> Reply:
    keys, timeout = args[:-1], args[-1]
    timeout_ms = seconds(timeout)
    found = lists.take_from_first(context, keys, 1, left=left)
    if found is None:
        return wait_for(context, "list", keys, timeout_ms, lambda key: [key, timeout])
    key, elements = found
    return [key, *elements]


def bzpopmin(context: Context, args: Sequence[bytes]) -> Reply:
    """BZPOPMIN key [key ...] timeout."""
    return _pop_member(context, args, highest=False)


def bzpopmax(context: Context, args: Sequence[bytes]) -> Reply:
    """BZPOPMAX key [key ...] timeout."""
    return _pop_member(context, args, highest=True)


def _pop_member(context: Context, args: Sequence[bytes], *, highest: bool) -> Reply:
    keys, timeout = args[:-1], args[-1]
    timeout_ms = seconds(timeout)
    key, pairs = sorted_sets.take_from_first(context, keys, 1, highest=highest)
    if not pairs:
        return wait_for(context, "zset", keys, timeout_ms, lambda key: [key, timeout])
    return [key, *pairs[0]]


def blmpop(context: Context, args: Sequence[bytes]) -> Reply:
    """BLMPOP timeout numkeys key [key ...] LEFT | RIGHT [COUNT count]."""
    keys, left, count = lists.lmpop_line(args[1:])
    timeout_ms = seconds(args[0])
    found = lists.take_from_first(context, keys, count, left=left)
    return list(found) if found else _wait_for_many(context, "list", keys, timeout_ms, args)


def bzmpop(context: Context, args: Sequence[bytes]) -> Reply:
    """BZMPOP timeout numkeys key [key ...] MIN | MAX [COUNT count]."""
    keys, highest, count = sorted_sets.zmpop_line(args[1:])
    timeout_ms = seconds(args[0])
    key, pairs = sorted_sets.take_from_first(context, keys, count, highest=highest)
    return [key, pairs] if pairs else _wait_for_many(context, "zset", keys, timeout_ms, args)


def _wait_for_many(
    context: Context,
    awaited: Awaited,
    keys: Sequence[bytes],
    timeout_ms: int,
    args: Sequence[bytes],
) -> Reply:
    options = args[2 + len(keys) :]
    return wait_for(context, awaited, keys, timeout_ms, lambda key: [args[0], b"1", key, *options])


def blmove(context: Context, args: Sequence[bytes]) -> Reply:
    """BLMOVE source destination LEFT | RIGHT LEFT | RIGHT timeout."""
    lists.sides_of_move(args)
    timeout_ms = seconds(args[4])
    return _move(context, args, lists.lmove(context, args[:4]), timeout_ms)


def brpoplpush(context: Context, args: Sequence[bytes]) -> Reply:
    """BRPOPLPUSH source destination timeout."""
    timeout_ms = seconds(args[2])
    return _move(context, args, lists.rpoplpush(context, args[:2]), timeout_ms)


def _move(context: Context, args: Sequence[bytes], moved: Reply, timeout_ms: int) -> Reply:
    if moved is not None:
        return moved
    return wait_for(context, "list", args[:1], timeout_ms, lambda _key: list(args), None)
