"""A stream and its consumer groups: what the commands on groups are made of.

`streams_layout` shows the bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shmcache.commands.streams_layout import (
    CONSUMER,
    CONSUMERS,
    ENTRIES,
    FIRST_NUMBER,
    GROUP,
    GROUPS,
    GROUPS_END,
    MAX_ID,
    META,
    MIN_ID,
    NO_COUNT,
    OWNED,
    PENDING,
    UNTIL_NOW_INACTIVE,
    consumer_key,
    consumers_end,
    group_key,
    name_key,
    number_prefix,
    pack_pending,
    prefix_end,
    short_id,
    unpack_id,
    unpack_pending,
    unshort_id,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shmcache.arena import Transaction, View

__all__ = ["BATCH", "Consumer", "Group", "PendingEntry", "Stream", "StreamWriter", "signed"]

PendingEntry = tuple[int, int, int]
"""The consumer's number, the time of the last delivery in Unix ms, the number of deliveries."""

BATCH = 128
"""Pending entries that are read at once when nobody knows how many will be needed."""


def signed(count: int) -> int:
    """A count as Redis has it, in 64 bits with a sign; ENTRIESADDED and ENTRIESREAD may be huge."""
    return (count + (1 << 63)) % (1 << 64) - (1 << 63)


class Group:
    """A consumer group."""

    __slots__ = ("key", "last", "number", "prefix", "read")

    def __init__(self, key: bytes, number: int, last: bytes, read: int) -> None:
        self.key = key
        self.number = number
        self.prefix = number_prefix(number)
        self.last = last
        """The ID that was delivered last."""
        self.read = read
        """How many entries, of all ever added, come up to that one; NO_COUNT: unknown."""


class Consumer:
    """A group's member."""

    __slots__ = ("active_ms", "key", "number", "prefix", "seen_ms")

    def __init__(self, key: bytes, number: int, seen_ms: int, active_ms: int) -> None:
        self.key = key
        self.number = number
        self.prefix = number_prefix(number)
        self.seen_ms = seen_ms
        self.active_ms = active_ms

    def name(self, group: Group) -> bytes:
        """What clients call it."""
        return self.key[len(group.prefix) + 1 :]


class Stream:
    """One stream, for reading. `load` comes before everything that is not about groups."""

    __slots__ = ("_names", "added", "db", "deleted", "key", "last", "next_number", "view")

    def __init__(self, view: View, db: int, key: bytes) -> None:
        self.view, self.db, self.key = view, db, key
        self.last = self.deleted = MIN_ID
        self.added = 0
        self.next_number = FIRST_NUMBER
        self._names: dict[int, bytes] = {}

    def load(self) -> bool:
        """Read what is beside the trees; False if there is no stream."""
        meta = self.view.stream_meta(self.db, self.key)
        if meta is None:
            return False
        _, _, self.deleted, self.added, self.next_number = META.unpack(meta)
        self.last = meta[:16]
        return True

    @property
    def length(self) -> int:
        """How many entries there are."""
        return self.view.length(self.db, self.key, "stream")

    # ---- entries ---------------------------------------------------------------------------------

    def first_id(self) -> bytes:
        """The first entry's ID, 0-0 without one."""
        first = self.view.tree_range(self.db, self.key, ENTRIES, MIN_ID, MAX_ID, 1)
        return first[0][0] if first else MIN_ID

    def has_holes_from(self, entry_id: bytes) -> bool:
        """Whether XDEL took an entry from this ID on, behind one that is still there."""
        deleted = self.deleted
        if deleted == MIN_ID or entry_id > deleted or not self.length:
            return False
        return self.first_id() <= deleted

    def entries_up_to(self, entry_id: bytes) -> int:
        """How many entries were ever added up to an ID; NO_COUNT if that cannot be told."""
        if not self.added:
            return 0
        length = self.length
        if entry_id == self.last or (not length and entry_id < self.last):
            return signed(self.added)
        if entry_id < self.last:
            first = self.first_id()
            if entry_id <= first and (self.deleted == MIN_ID or self.deleted < first):
                return signed(self.added - length + (entry_id == first))
        return NO_COUNT

    def lag(self, group: Group) -> int | None:
        """How many entries a group has yet to be delivered; None if that cannot be told."""
        if not self.added:
            return 0
        read = group.read
        if read == NO_COUNT or self.has_holes_from(group.last):
            read = self.entries_up_to(group.last)
        return None if read == NO_COUNT else signed(self.added - read)

    # ---- groups and consumers --------------------------------------------------------------------

    def group(self, name: bytes) -> Group | None:
        """The group of this name; None if the stream has none, or is none."""
        key = group_key(name)
        value = self.view.tree_get(self.db, self.key, GROUPS, key)
        return None if value is None else Group(key, *GROUP.unpack(value))

    def groups(self) -> list[tuple[bytes, Group]]:
        """Names and groups, by name."""
        found = self.view.tree_range(self.db, self.key, GROUPS, b"", GROUPS_END)
        return [(key[1:], Group(key, *GROUP.unpack(value))) for key, value in found]

    def count_groups(self) -> int:
        """How many groups there are."""
        return self.view.tree_count(self.db, self.key, GROUPS, b"", GROUPS_END)

    def consumer(self, group: Group, name: bytes) -> Consumer | None:
        """The consumer of this name, if the group has one."""
        key = consumer_key(group.prefix, name)
        value = self.view.tree_get(self.db, self.key, CONSUMERS, key)
        return None if value is None else Consumer(key, *CONSUMER.unpack(value))

    def consumers(self, group: Group) -> list[Consumer]:
        """A group's consumers, by name."""
        end = consumers_end(group.prefix)
        found = self.view.tree_range(self.db, self.key, CONSUMERS, group.prefix, end)
        return [Consumer(key, *CONSUMER.unpack(value)) for key, value in found]

    def count_consumers(self, group: Group) -> int:
        """How many consumers a group has."""
        end = consumers_end(group.prefix)
        return self.view.tree_count(self.db, self.key, CONSUMERS, group.prefix, end)

    def consumer_name(self, number: int) -> bytes:
        """What clients call the consumer with this number."""
        name = self._names.get(number)
        if name is None:
            found = self.view.tree_get(self.db, self.key, CONSUMERS, name_key(number))
            assert found is not None, "pending for a consumer that is not there"
            name = self._names[number] = found
        return name

    # ---- pending entries -------------------------------------------------------------------------

    def count_pending(self, owner: Group | Consumer) -> int:
        """How many entries a group, or a consumer, has not acknowledged."""
        tree = PENDING if isinstance(owner, Group) else OWNED
        start = owner.prefix
        return self.view.tree_count(self.db, self.key, tree, start, prefix_end(start))

    def last_pending(self, group: Group) -> bytes | None:
        """The greatest ID that a group has not acknowledged."""
        start = group.prefix
        found = self.view.tree_range(
            self.db, self.key, PENDING, start, prefix_end(start), 1, reverse=True
        )
        return unshort_id(found[0][0], start) if found else None

    def pending_entry(self, group: Group, entry_id: bytes) -> PendingEntry | None:
        """What is known of an entry, if it is pending."""
        name = group.prefix + short_id(entry_id)
        value = self.view.tree_get(self.db, self.key, PENDING, name)
        return None if value is None else unpack_pending(value)

    def pending(
        self, group: Group, least: bytes = MIN_ID, most: bytes = MAX_ID, batch: int = BATCH
    ) -> Iterator[tuple[bytes, PendingEntry]]:
        """What a group has not acknowledged. What was given already may be changed meanwhile.

        :param batch: how many are wanted, if that is known
        """
        for name, value in self._names_after(PENDING, group.prefix, least, most, batch):
            yield unshort_id(name, group.prefix), unpack_pending(value)

    def owned(
        self,
        group: Group,
        consumer: Consumer,
        least: bytes = MIN_ID,
        most: bytes = MAX_ID,
        batch: int = BATCH,
    ) -> Iterator[tuple[bytes, PendingEntry]]:
        """What one of a group's consumers has not acknowledged, like `pending`."""
        for name, _ in self._names_after(OWNED, consumer.prefix, least, most, batch):
            entry_id = unshort_id(name, consumer.prefix)
            entry = self.pending_entry(group, entry_id)
            assert entry is not None, "owned, but not pending"
            yield entry_id, entry

    def _names_after(
        self, tree: int, prefix: bytes, least: bytes, most: bytes, batch: int
    ) -> Iterator[tuple[bytes, bytes]]:
        start, end = prefix + short_id(least), prefix + short_id(most)
        while True:
            found = self.view.tree_range(self.db, self.key, tree, start, end, batch)
            yield from found
            if len(found) < batch:
                return
            start = found[-1][0] + b"\x00"  # the least name behind it


class StreamWriter(Stream):
    """One stream, in a transaction."""

    __slots__ = ("tx",)

    def __init__(self, tx: Transaction, db: int, key: bytes) -> None:
        super().__init__(tx, db, key)
        self.tx = tx

    def store(self) -> None:
        """Write what `load` reads."""
        self.tx.stream_set_meta(self.db, self.key, self._meta())

    def create(self) -> None:
        """Make an empty stream, where no key is."""
        self.tx.stream_create(self.db, self.key, self._meta())

    def _meta(self) -> bytes:
        ms, sequence = unpack_id(self.last)
        return META.pack(ms, sequence, self.deleted, self.added, self.next_number)

    def put_group(self, group: Group) -> None:
        """Write a group's record."""
        value = GROUP.pack(group.number, group.last, group.read)
        self.tx.tree_put(self.db, self.key, GROUPS, group.key, value)

    def create_group(self, name: bytes, last: bytes, read: int) -> None:
        """Add a group. The stream is loaded."""
        self.put_group(Group(group_key(name), self._take_number(), last, read))

    def _take_number(self) -> int:
        number = self.next_number
        self.next_number = number + 1
        self.store()
        return number

    def put_consumer(self, consumer: Consumer) -> None:
        """Write a consumer's record."""
        value = CONSUMER.pack(consumer.number, consumer.seen_ms, consumer.active_ms)
        self.tx.tree_put(self.db, self.key, CONSUMERS, consumer.key, value)

    def create_consumer(self, group: Group, name: bytes, now_ms: int) -> Consumer:
        """Add a consumer. The stream is loaded."""
        self.tx.event("xgroup-createconsumer")
        key = consumer_key(group.prefix, name)
        consumer = Consumer(key, self._take_number(), now_ms, UNTIL_NOW_INACTIVE)
        self.put_consumer(consumer)
        self.tx.tree_put(self.db, self.key, CONSUMERS, name_key(consumer.number), name)
        self.tx.event("")
        return consumer

    def put_pending(
        self, group: Group, entry_id: bytes, consumer: Consumer, delivered_ms: int, deliveries: int
    ) -> None:
        """Write that a consumer has to acknowledge an entry."""
        name, db, key = short_id(entry_id), self.db, self.key
        value = pack_pending(consumer.number, delivered_ms, deliveries)
        self.tx.tree_put(db, key, PENDING, group.prefix + name, value)
        self.tx.tree_put(db, key, OWNED, consumer.prefix + name, b"")

    def remove_pending(self, group: Group, entry_id: bytes, owner: int) -> None:
        """Write that nobody has to acknowledge an entry any more.

        :param owner: the number of the consumer who had to
        """
        name = short_id(entry_id)
        self.tx.tree_remove(self.db, self.key, PENDING, group.prefix + name)
        self.disown(entry_id, owner)

    def disown(self, entry_id: bytes, owner: int) -> None:
        """Forget that a consumer has to acknowledge an entry; the group still knows."""
        name = number_prefix(owner) + short_id(entry_id)
        self.tx.tree_remove(self.db, self.key, OWNED, name)

    def delete_pending(self, group: Group, consumer: Consumer, most: int) -> int:
        """Remove what a consumer has not acknowledged, at most so many entries; -1: all."""
        tx, db, key, start = self.tx, self.db, self.key, consumer.prefix
        end = prefix_end(start)
        removed = 0
        while removed != most:
            batch = BATCH if most < 0 else min(BATCH, most - removed)
            names = tx.tree_range(db, key, OWNED, start, end, batch)
            if not names:
                break
            self._delete_from_group(group, [name[len(start) :] for name, _ in names])
            removed += tx.tree_remove_range(db, key, OWNED, start, names[-1][0])
        return removed

    def _delete_from_group(self, group: Group, short_ids: list[bytes]) -> None:
        """Remove pending entries, at once if no other consumer's are between them."""
        tx, db, key = self.tx, self.db, self.key
        first, last = group.prefix + short_ids[0], group.prefix + short_ids[-1]
        if tx.tree_count(db, key, PENDING, first, last) == len(short_ids):
            tx.tree_remove_range(db, key, PENDING, first, last)
            return
        for name in short_ids:
            tx.tree_remove(db, key, PENDING, group.prefix + name)

    def delete_all_pending(self, group: Group) -> None:
        """Remove what all of a group's consumers have not acknowledged."""
        spans = [(PENDING, group.prefix)]
        spans += ((OWNED, consumer.prefix) for consumer in self.consumers(group))
        for tree, start in spans:
            self.tx.tree_remove_range(self.db, self.key, tree, start, prefix_end(start))

    def delete_consumer(self, consumer: Consumer) -> None:
        """Remove a consumer for whom nothing is pending."""
        self.tx.tree_remove(self.db, self.key, CONSUMERS, consumer.key)
        self.tx.tree_remove(self.db, self.key, CONSUMERS, name_key(consumer.number))

    def delete_group(self, group: Group) -> None:
        """Remove a group that has no consumers."""
        self.tx.tree_remove(self.db, self.key, GROUPS, group.key)
