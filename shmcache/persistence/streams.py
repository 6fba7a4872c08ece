"""Streams in an RDB.

    | nodes | node ... | entries | last ID | [first ID | greatest deleted ID | entries added] |
    | groups | group ... |
    node:     | first ID, 16 bytes as a string | a listpack as a string |
    group:    | name | last ID | [entries read] | pending | consumers |
    pending:  | how many | ID, 16 bytes | delivered ms, 8 bytes | deliveries | ...
    consumer: | name | seen ms, 8 bytes | [active ms, 8 bytes] | how many | ID, 16 bytes | ...

What is in brackets came with type 2 (Redis 7.0) and, the consumer's active time, with type 3 (7.2).
An ID outside of nodes and pending entries is two lengths. A node's listpack begins with a master
entry whose fields need not be repeated by the entries that have the same ones:

    | entries | deleted ones | fields | field ... | 0 |
    entry: | flags | ms - first ID's | sequence - first ID's |
           | fields | field value ... |  or only  | value ... |
           | elements of this entry before this one |
"""

from __future__ import annotations

from itertools import pairwise
from struct import Struct
from typing import TYPE_CHECKING, Final

from shmcache.errors import DamagedFile
from shmcache.persistence.forms import encode_length, encode_string
from shmcache.persistence.packed import make_listpack, read_listpack
from shmcache.persistence.values import (
    StreamConsumer,
    StreamGroup,
    StreamPending,
    StreamValue,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from shmcache.persistence.source import Source

__all__ = ["read_stream", "write_stream"]

_ID: Final = Struct(">QQ")
_ID_BYTES: Final = 16
_MILLISECONDS: Final = Struct("<q")
_DELETED, _SAME_FIELDS = 1, 2
_NODE_ENTRIES: Final = 100
_NODE_BYTES: Final = 4096
"""Redis's own limits of a node, stream-node-max-entries and stream-node-max-bytes."""
_SIGN: Final = 1 << 63

Entry = tuple[bytes, list[bytes]]

# ---- reading -------------------------------------------------------------------------------------


def read_stream(source: Source, version: int) -> StreamValue:
    """Read a stream.

    :param version: 1 to 3, see above
    :raises DamagedFile: it is none
    """
    entries: list[Entry] = []
    for _ in range(source.count()):
        entries += _read_node(source)
    if any(a[0] >= b[0] for a, b in pairwise(entries)):
        raise source.damaged("a stream's entries are not in order")
    if source.length() != len(entries):
        raise source.damaged("a stream has not as many entries as it says")
    last_id = _read_id(source)
    if entries and last_id < entries[-1][0]:
        raise source.damaged("a stream's last ID is below its last entry's")
    deleted, added = bytes(_ID_BYTES), len(entries)
    if version >= 2:
        _read_id(source)  # the first entry's, which is known already
        deleted, added = _read_id(source), source.length()
    groups = [_read_group(source, version) for _ in range(source.count())]
    if len({group.name for group in groups}) != len(groups):
        raise source.damaged("a group twice")
    return StreamValue(entries, last_id, deleted, added, groups)


def _read_id(source: Source) -> bytes:
    return _ID.pack(source.length(), source.length())


def _read_node(source: Source) -> Iterator[Entry]:
    first = source.string()
    if len(first) != _ID_BYTES:
        raise source.damaged("a stream's ID has not 16 bytes")
    offset = source.base + source.at
    node = _Node(first, read_listpack(source.string(), offset), offset)
    return node.entries()


class _Node:
    """A node's elements, read one after the other."""

    def __init__(self, first: bytes, elements: list[bytes], offset: int) -> None:
        self._first = _ID.unpack(first)
        self._elements = elements
        self._offset = offset
        self._at = 0

    def _damaged(self, what: str) -> DamagedFile:
        return DamagedFile(f"a stream's node {what}", self._offset)

    def _next(self) -> bytes:
        self._at += 1
        if self._at > len(self._elements):
            raise self._damaged("ends too early")
        return self._elements[self._at - 1]

    def _number(self) -> int:
        text = self._next()
        try:
            return int(text)
        except ValueError:
            raise self._damaged("has text where a number should be") from None

    def _take(self, count: int) -> list[bytes]:
        if not 0 <= count <= len(self._elements) - self._at:
            raise self._damaged("ends too early")
        self._at += count
        return self._elements[self._at - count : self._at]

    def entries(self) -> Iterator[Entry]:
        """The entries that are not deleted."""
        valid, deleted, fields = self._number(), self._number(), self._number()
        master = self._take(fields)
        if self._number() != 0:
            raise self._damaged("has no end of its master entry")
        found = 0
        for _ in range(valid + deleted):
            entry = self._entry(master)
            if entry is not None:
                found += 1
                yield entry
        if found != valid or self._at != len(self._elements):
            raise self._damaged("does not hold what its head says")

    def _entry(self, master: list[bytes]) -> Entry | None:
        start = self._at
        flags = self._number()
        ms, sequence = self._first[0] + self._number(), self._first[1] + self._number()
        if not (0 <= ms < 1 << 64 and 0 <= sequence < 1 << 64):
            raise self._damaged("has an ID out of range")
        if flags & _SAME_FIELDS:
            values = self._take(len(master))
            items = [item for pair in zip(master, values, strict=True) for item in pair]
        else:
            items = self._take(2 * self._number())
        length = self._at - start
        if self._number() != length:
            raise self._damaged("has an entry of a wrong length")
        if flags & _DELETED:
            return None
        if not items:
            raise self._damaged("has an entry without fields")
        return _ID.pack(ms, sequence), items


def _read_group(source: Source, version: int) -> StreamGroup:
    name, last_id = source.string(), _read_id(source)
    entries_read = _signed(source.length()) if version >= 2 else -1
    pending: dict[bytes, StreamPending] = {}
    for _ in range(source.count(_ID_BYTES)):
        entry_id = source.take(_ID_BYTES)
        pending[entry_id] = StreamPending(entry_id, source.milliseconds(), source.length())
    owned: set[bytes] = set()
    consumers: list[StreamConsumer] = []
    for _ in range(source.count()):
        consumer = _read_consumer(source, version)
        if not pending.keys() >= set(consumer.pending) or not owned.isdisjoint(consumer.pending):
            raise source.damaged("a consumer owns what its group does not know as pending")
        owned.update(consumer.pending)
        consumers.append(consumer)
    if owned != pending.keys():
        raise source.damaged("a pending entry without its consumer")
    if len({consumer.name for consumer in consumers}) != len(consumers):
        raise source.damaged("a consumer twice")
    return StreamGroup(name, last_id, entries_read, list(pending.values()), consumers)


def _read_consumer(source: Source, version: int) -> StreamConsumer:
    name, seen_ms = source.string(), source.milliseconds()
    active_ms = source.milliseconds() if version >= 3 else seen_ms
    pending = [source.take(_ID_BYTES) for _ in range(source.count(_ID_BYTES))]
    return StreamConsumer(name, seen_ms, active_ms, pending)


def _signed(count: int) -> int:
    return count - (_SIGN << 1) if count & _SIGN else count


# ---- writing -------------------------------------------------------------------------------------


def write_stream(value: StreamValue, *, compress: bool = True) -> bytes:
    """A stream as an object of type 2, which every server from Redis 7.0 on loads."""
    nodes = list(_nodes(value.entries))
    parts = [encode_length(len(nodes))]
    for node in nodes:
        parts.append(encode_string(node[0][0], compress=False))
        parts.append(encode_string(make_listpack(_node_elements(node)), compress=compress))
    parts.append(encode_length(len(value.entries)))
    first_id = value.entries[0][0] if value.entries else bytes(_ID_BYTES)
    parts += map(_encode_id, (value.last_id, first_id, value.max_deleted_id))
    parts += (encode_length(value.entries_added % (_SIGN << 1)), encode_length(len(value.groups)))
    for group in value.groups:
        parts += (encode_string(group.name), _encode_id(group.last_id))
        parts.append(encode_length(group.entries_read % (_SIGN << 1)))
        parts += _group_parts(group)
    return b"".join(parts)


def _group_parts(group: StreamGroup) -> Iterator[bytes]:
    yield encode_length(len(group.pending))
    for entry in group.pending:
        yield entry.entry_id + _MILLISECONDS.pack(entry.delivered_ms)
        yield encode_length(entry.deliveries)
    yield encode_length(len(group.consumers))
    for consumer in group.consumers:
        yield encode_length(len(consumer.name)) + consumer.name
        yield _MILLISECONDS.pack(consumer.seen_ms) + encode_length(len(consumer.pending))
        yield b"".join(consumer.pending)


def _encode_id(entry_id: bytes) -> bytes:
    ms, sequence = _ID.unpack(entry_id)
    return encode_length(ms) + encode_length(sequence)


def _nodes(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    """The entries, in pieces of a node each."""
    node: list[Entry] = []
    size = 0
    for entry in entries:
        entry_bytes = sum(map(len, entry[1]))
        if node and (len(node) == _NODE_ENTRIES or size + entry_bytes > _NODE_BYTES):
            yield node
            node, size = [], 0
        node.append(entry)
        size += entry_bytes
    if node:
        yield node


def _node_elements(node: list[Entry]) -> list[bytes]:
    master = node[0][1][::2]
    elements = [b"%d" % len(node), b"0", b"%d" % len(master), *master, b"0"]
    first_ms, first_sequence = _ID.unpack(node[0][0])
    for entry_id, items in node:
        ms, sequence = _ID.unpack(entry_id)
        same = items[::2] == master
        entry = [b"%d" % (_SAME_FIELDS if same else 0)]
        entry += (b"%d" % (ms - first_ms), b"%d" % (sequence - first_sequence))
        entry += items[1::2] if same else [b"%d" % (len(items) // 2), *items]
        elements += (*entry, b"%d" % len(entry))
    return elements
