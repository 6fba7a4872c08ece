"""What a key holds, as plain Python data. A string is its bytes."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

__all__ = [
    "HashValue",
    "ListValue",
    "SetValue",
    "SortedSetValue",
    "StreamConsumer",
    "StreamGroup",
    "StreamPending",
    "StreamValue",
    "Value",
]


class ListValue(NamedTuple):
    """A list, from its left end."""

    elements: list[bytes]


class SetValue(NamedTuple):
    """A set; the order of its members has no meaning."""

    members: list[bytes]


class SortedSetValue(NamedTuple):
    """A sorted set: as many members as scores, in any order."""

    members: list[bytes]
    scores: list[float]


class HashValue(NamedTuple):
    """A hash: fields and values in turn."""

    items: list[bytes]
    expiries: dict[bytes, int]
    """Unix milliseconds of the fields that have a lifetime."""


class StreamPending(NamedTuple):
    """An entry that a group was given and has not acknowledged."""

    entry_id: bytes
    delivered_ms: int
    deliveries: int


class StreamConsumer(NamedTuple):
    """A group's member."""

    name: bytes
    seen_ms: int
    active_ms: int
    """-1: not known."""
    pending: list[bytes]
    """IDs, all of them among the group's."""


class StreamGroup(NamedTuple):
    """A consumer group."""

    name: bytes
    last_id: bytes
    entries_read: int
    """-1: not known."""
    pending: list[StreamPending]
    consumers: list[StreamConsumer]


class StreamValue(NamedTuple):
    """A stream. An ID is 16 bytes, big-endian: milliseconds, sequence."""

    entries: list[tuple[bytes, list[bytes]]]
    """IDs, and fields and values in turn."""
    last_id: bytes
    max_deleted_id: bytes
    entries_added: int
    groups: list[StreamGroup]


Value: TypeAlias = bytes | ListValue | SetValue | SortedSetValue | HashValue | StreamValue
