"""XINFO: what a stream, its groups and their consumers are like."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shmcache.commands.arguments import integer
from shmcache.commands.consumer_groups import quoted
from shmcache.commands.replies import CommandError, Reply
from shmcache.commands.streams import entries_reply
from shmcache.commands.streams_ids import format_id
from shmcache.commands.streams_layout import ENTRIES, MAX_ID, MIN_ID, NO_COUNT, UNTIL_NOW_INACTIVE
from shmcache.commands.streams_store import Stream, signed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shmcache.arena import View
    from shmcache.commands.context import Context
    from shmcache.commands.streams_store import Consumer, Group

__all__ = ["xinfo_consumers", "xinfo_groups", "xinfo_stream"]

_DEFAULT_COUNT = 10
_ENTRIES_A_NODE = 100
"""Redis keeps so many entries in a node of its radix tree. There is none here: what is told of it
is what it would be like."""


def _read(context: Context, key: bytes, tell: Callable[[Stream], Reply]) -> Reply:
    """What ``tell`` has to say of the stream at one instant.

    :raises CommandError: there is no such key
    """

    def read(view: View) -> Reply:
        stream = Stream(view, context.db, key)
        if not stream.load():
            raise CommandError("ERR no such key")
        return tell(stream)

    return context.arena.read(((context.db, key),), read)


def _known(count: int) -> int | None:
    return None if count == NO_COUNT else count


def xinfo_groups(context: Context, args: Sequence[bytes]) -> Reply:
    """XINFO GROUPS key."""

    def tell(stream: Stream) -> Reply:
        return [
            {
                b"name": name,
                b"consumers": stream.count_consumers(group),
                b"pending": stream.count_pending(group),
                b"last-delivered-id": format_id(group.last),
                b"entries-read": _known(group.read),
                b"lag": stream.lag(group),
            }
            for name, group in stream.groups()
        ]

    return _read(context, args[0], tell)


def xinfo_consumers(context: Context, args: Sequence[bytes]) -> Reply:
    """XINFO CONSUMERS key group."""
    now_ms = context.now_ms()

    def tell(stream: Stream) -> Reply:
        group = stream.group(args[1])
        if group is None:
            raise CommandError(
                f"NOGROUP No such consumer group '{quoted(args[1])}'"
                f" for key name '{quoted(args[0])}'"
            )
        return [
            {
                b"name": consumer.name(group),
                b"pending": stream.count_pending(consumer),
                b"idle": max(now_ms - consumer.seen_ms, 0),
                b"inactive": _inactive(consumer, now_ms),
            }
            for consumer in stream.consumers(group)
        ]

    return _read(context, args[0], tell)


def _inactive(consumer: Consumer, now_ms: int) -> int:
    if consumer.active_ms == UNTIL_NOW_INACTIVE:
        return -1
    return max(now_ms - consumer.active_ms, 0)


# ---- XINFO STREAM --------------------------------------------------------------------------------


def xinfo_stream(context: Context, args: Sequence[bytes]) -> Reply:
    """XINFO STREAM key [FULL [COUNT count]]."""

    def tell(stream: Stream) -> Reply:
        count = _full_count(args)  # only now: a missing key is worse than wrong words
        nodes = -(-stream.length // _ENTRIES_A_NODE)
        told: dict[Reply, Reply] = {
            b"length": stream.length,
            b"radix-tree-keys": nodes,
            b"radix-tree-nodes": nodes + 1,
            b"last-generated-id": format_id(stream.last),
            b"max-deleted-entry-id": format_id(stream.deleted),
            b"entries-added": signed(stream.added),
            b"recorded-first-entry-id": format_id(stream.first_id()),
        }
        if count is None:
            told[b"groups"] = stream.count_groups()
            told[b"first-entry"] = _edge(stream, last=False)
            told[b"last-entry"] = _edge(stream, last=True)
        else:
            read, limit = stream.view.tree_range, count or -1
            entries = read(stream.db, stream.key, ENTRIES, MIN_ID, MAX_ID, limit)
            told[b"entries"] = entries_reply(entries)
            told[b"groups"] = [
                _full_group(stream, name, group, count) for name, group in stream.groups()
            ]
        return told

    return _read(context, args[0], tell)


def _full_count(args: Sequence[bytes]) -> int | None:
    """How many of everything FULL shows, 0 for all; None without it.

    :raises CommandError: other words
    """
    if len(args) == 1:
        return None
    if len(args) not in {2, 4} or args[1].upper() != b"FULL":
        raise _bad_arguments()
    if len(args) == 2:
        return _DEFAULT_COUNT
    if args[2].upper() != b"COUNT":
        raise _bad_arguments()
    count = integer(args[3])
    return _DEFAULT_COUNT if count < 0 else count


def _bad_arguments() -> CommandError:
    return CommandError(
        "ERR unknown subcommand or wrong number of arguments for 'STREAM'. Try XINFO HELP."
    )


def _edge(stream: Stream, *, last: bool) -> Reply:
    """The first entry or the last."""
    found = stream.view.tree_range(stream.db, stream.key, ENTRIES, MIN_ID, MAX_ID, 1, reverse=last)
    return entries_reply(found)[0] if found else None


def _full_group(stream: Stream, name: bytes, group: Group, count: int) -> Reply:
    pending: list[Reply] = []
    for entry_id, (owner, delivered_ms, deliveries) in stream.pending(group):
        consumer = stream.consumer_name(owner)
        pending.append([format_id(entry_id), consumer, delivered_ms, deliveries])
        if len(pending) == count:
            break
    return {
        b"name": name,
        b"last-delivered-id": format_id(group.last),
        b"entries-read": _known(group.read),
        b"lag": stream.lag(group),
        b"pel-count": stream.count_pending(group),
        b"pending": pending,
        b"consumers": [
            _full_consumer(stream, group, consumer, count) for consumer in stream.consumers(group)
        ],
    }


def _full_consumer(stream: Stream, group: Group, consumer: Consumer, count: int) -> Reply:
    pending: list[Reply] = []
    for entry_id, (_, delivered_ms, deliveries) in stream.owned(group, consumer):
        pending.append([format_id(entry_id), delivered_ms, deliveries])
        if len(pending) == count:
            break
    return {
        b"name": consumer.name(group),
        b"seen-time": consumer.seen_ms,
        b"active-time": consumer.active_ms,
        b"pel-count": stream.count_pending(consumer),
        b"pending": pending,
    }
