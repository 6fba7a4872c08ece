"""The naive arena's reads and writes of containers: plain, slow and evidently right."""

from __future__ import annotations

import math
import zlib
from abc import ABC, abstractmethod
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from model_values import Field, Hash, List, SortedSet, Stream, UnorderedSet, Value, new_value

from shmcache import errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import model_arena

__all__ = ["OneShots", "Reads", "Writes", "page"]

PUT_NX, PUT_XX, PUT_KEEP_TTL = 1, 2, 4
ZADD_NX, ZADD_XX, ZADD_GT, ZADD_LT, ZADD_INCR = 1, 2, 4, 8, 16
STREAM_META = 96

_Value = TypeVar("_Value", bound=Value)
_Element = TypeVar("_Element")


def scan_tag(name: bytes) -> int:
    return zlib.crc32(name) >> 5


def page(names: Sequence[bytes], cursor: int, count: int) -> tuple[int, list[bytes]]:
    """A step of a scan: at least ``count`` names from the cursor on, and where to go on."""
    rest = sorted((scan_tag(name), name) for name in names if scan_tag(name) >= cursor)
    if len(rest) <= count:
        return 0, [name for _, name in rest]
    last_tag = rest[max(count, 1) - 1][0]
    return last_tag + 1, [name for tag, name in rest if tag <= last_tag]


def _flat(pairs: dict[bytes, bytes]) -> list[bytes]:
    return [part for pair in pairs.items() for part in pair]


def _ranked(value: SortedSet, first: int, count: int, reverse: bool) -> list[tuple[bytes, float]]:
    assert first >= 0
    assert count >= 0
    order = value.ranked[::-1] if reverse else value.ranked
    return [(member, score) for score, member in order[first : first + count]]


class Reads(ABC):
    """Reads of containers; who inherits says how to get at the arena for a key."""

    @abstractmethod
    def _to_read(self, db: int, key: bytes) -> model_arena.Arena:
        """The arena, if it may be asked for this key now."""

    def _value(self, db: int, key: bytes, made: type[_Value]) -> _Value:
        """The key's container; an empty one where there is none."""
        item = self._to_read(db, key)._find(db, key, touch=True)
        if item is None:
            return made()
        if not isinstance(item.value, made):
            raise errors.WrongType("the key holds another type")
        return item.value

    def _exists(self, db: int, key: bytes) -> bool:
        return self._to_read(db, key)._find(db, key) is not None

    def _sample(
        self, db: int, key: bytes, all_of_it: Sequence[_Element], count: int, *, distinct: bool
    ) -> list[_Element]:
        assert count >= 0
        random = self._to_read(db, key)._random
        if distinct:
            return random.sample(all_of_it, min(count, len(all_of_it)))
        return random.choices(all_of_it, k=count) if all_of_it else []

    def fingerprint(self, db: int, key: bytes) -> int:
        """Changes with what the key holds, and with its time of death; 0 without a key."""
        item = self._to_read(db, key)._find(db, key)
        if item is None:
            return 0
        value = item.value if isinstance(item.value, bytes) else vars(item.value)
        return zlib.crc32(repr((value, item.expire_ms)).encode()) + 1

    def length(self, db: int, key: bytes, kind: str) -> int:
        return len(self._value(db, key, type(new_value(kind))))

    # ---- hashes

    def _live(self, db: int, key: bytes) -> dict[bytes, bytes]:
        return self._value(db, key, Hash).live(self._to_read(db, key)._clock())

    def hash_get(self, db: int, key: bytes, field: bytes) -> bytes | None:
        return self._live(db, key).get(field)

    def hash_get_many(self, db: int, key: bytes, fields: Sequence[bytes]) -> list[bytes | None]:
        return [*map(self._live(db, key).get, fields)]

    def hash_all(self, db: int, key: bytes) -> list[bytes]:
        return _flat(self._live(db, key))

    def hash_fields(self, db: int, key: bytes) -> list[bytes]:
        return [*self._live(db, key)]

    def hash_values(self, db: int, key: bytes) -> list[bytes]:
        return [*self._live(db, key).values()]

    def hash_scan(self, db: int, key: bytes, cursor: int, count: int) -> tuple[int, list[bytes]]:
        live = self._live(db, key)
        after, names = page([*live], cursor, count)
        return after, _flat({name: live[name] for name in names})

    def hash_random(self, db: int, key: bytes, count: int, *, distinct: bool) -> list[bytes]:
        pairs = [*self._live(db, key).items()]
        chosen = self._sample(db, key, pairs, count, distinct=distinct)
        return [part for pair in chosen for part in pair]

    def hash_expiries(
        self, db: int, key: bytes, fields: Sequence[bytes]
    ) -> list[int | None] | None:
        now_ms = self._to_read(db, key)._clock()
        value = self._value(db, key, Hash)
        if not value:
            return None
        found = map(value.fields.get, fields)
        return [field.expire_ms if field and field.lives(now_ms) else None for field in found]

    # ---- sets

    def set_has(self, db: int, key: bytes, members: Sequence[bytes]) -> list[bool]:
        value = self._value(db, key, UnorderedSet)
        return [member in value.members for member in members]

    def set_members(self, db: int, key: bytes) -> list[bytes]:
        return [*self._value(db, key, UnorderedSet).members]

    def set_scan(self, db: int, key: bytes, cursor: int, count: int) -> tuple[int, list[bytes]]:
        return page([*self._value(db, key, UnorderedSet).members], cursor, count)

    def set_random(self, db: int, key: bytes, count: int, *, distinct: bool) -> list[bytes]:
        return self._sample(db, key, self.set_members(db, key), count, distinct=distinct)

    # ---- lists

    def list_at(self, db: int, key: bytes, index: int) -> bytes | None:
        elements = self._value(db, key, List).elements
        return elements[index] if -len(elements) <= index < len(elements) else None

    def list_range(self, db: int, key: bytes, start: int, stop: int) -> list[bytes]:
        elements = self._value(db, key, List).elements
        start = max(start + len(elements), 0) if start < 0 else start
        stop = stop + len(elements) if stop < 0 else stop
        return elements[start : stop + 1] if stop >= start else []

    # ---- sorted sets

    def zset_scores(self, db: int, key: bytes, members: Sequence[bytes]) -> list[float | None]:
        return [*map(self._value(db, key, SortedSet).scores.get, members)]

    def zset_rank(self, db: int, key: bytes, member: bytes) -> tuple[int, float] | None:
        value = self._value(db, key, SortedSet)
        score = value.scores.get(member)
        return None if score is None else (value.rank(member, score), score)

    def zset_members(
        self, db: int, key: bytes, first: int, count: int, reverse: bool = False
    ) -> list[bytes]:
        return [member for member, _ in self.zset_range(db, key, first, count, reverse)]

    def zset_range(
        self, db: int, key: bytes, first: int, count: int, reverse: bool = False
    ) -> list[tuple[bytes, float]]:
        return _ranked(self._value(db, key, SortedSet), first, count, reverse)

    def zset_seek(self, db: int, key: bytes, score: float, including: bool) -> int:
        scores = self._value(db, key, SortedSet).scores.values()
        return sum(other < score or (including and other == score) for other in scores)

    def zset_seek_lex(self, db: int, key: bytes, member: bytes, including: bool) -> int:
        members = self._value(db, key, SortedSet).scores
        return sum(other < member or (including and other == member) for other in members)

    def zset_scan(
        self, db: int, key: bytes, cursor: int, count: int
    ) -> tuple[int, list[tuple[bytes, float]]]:
        scores = self._value(db, key, SortedSet).scores
        after, names = page([*scores], cursor, count)
        return after, [(name, scores[name]) for name in names]

    def zset_random(
        self, db: int, key: bytes, count: int, *, distinct: bool
    ) -> list[tuple[bytes, float]]:
        pairs = [*self._value(db, key, SortedSet).scores.items()]
        return self._sample(db, key, pairs, count, distinct=distinct)

    # ---- streams

    def stream_meta(self, db: int, key: bytes) -> bytes | None:
        return self._value(db, key, Stream).meta if self._exists(db, key) else None

    def tree_get(self, db: int, key: bytes, tree: int, name: bytes) -> bytes | None:
        return self._value(db, key, Stream).trees[tree].get(name)

    def tree_range(
        self,
        db: int,
        key: bytes,
        tree: int,
        least: bytes,
        most: bytes,
        limit: int = -1,
        reverse: bool = False,
    ) -> list[tuple[bytes, bytes]]:
        value = self._value(db, key, Stream)
        names = value.between(tree, least, most)[:: -1 if reverse else 1]
        chosen = names if limit < 0 else names[:limit]
        return [(name, value.trees[tree][name]) for name in chosen]

    def tree_count(self, db: int, key: bytes, tree: int, least: bytes, most: bytes) -> int:
        return len(self._value(db, key, Stream).between(tree, least, most))


class OneShots(Reads):
    """The writes that the arena has as calls of their own and a transaction has too."""

    @abstractmethod
    def _to_write(self, db: int, key: bytes) -> model_arena.Arena:
        """The arena, if this key may be written now."""

    @contextmanager
    def _changing(self, db: int, key: bytes, made: type[_Value]) -> Iterator[_Value]:
        """A container to change: afterwards it is the key's, or the key is gone if it is empty.

        Nothing happens if that would take more memory than there is.
        """
        arena = self._to_write(db, key)
        value = self._value(db, key, made)
        if arena._tuning.maxmemory:
            value = value.copy()
        if isinstance(value, Hash):
            value.drop_dead(arena._clock())
        yield value
        arena._keep(db, key, value)

    def hash_set(self, db: int, key: bytes, pairs: Sequence[bytes], flags: int = 0) -> int:
        added = 0
        with self._changing(db, key, Hash) as value:
            for name, text in zip(pairs[::2], pairs[1::2], strict=True):
                old = value.fields.get(name)
                if flags & (PUT_XX if old is None else PUT_NX):
                    continue
                expire_ms = old.expire_ms if old and flags & PUT_KEEP_TTL else 0
                value.fields[name] = Field(text, expire_ms)
                value.encode(self._to_read(db, key)._tuning)
                added += old is None
        return added

    def hash_delete(self, db: int, key: bytes, fields: Sequence[bytes]) -> int:
        with self._changing(db, key, Hash) as value:
            return sum(value.fields.pop(name, None) is not None for name in fields)

    def set_add(self, db: int, key: bytes, members: Sequence[bytes]) -> int:
        with self._changing(db, key, UnorderedSet) as value:
            before = len(value)
            value.members.update(dict.fromkeys(members))
            return len(value) - before

    def set_remove(self, db: int, key: bytes, members: Sequence[bytes]) -> int:
        with self._changing(db, key, UnorderedSet) as value:
            before = len(value)
            for member in members:
                value.members.pop(member, None)
            return before - len(value)

    def set_pop(self, db: int, key: bytes, count: int) -> list[bytes]:
        with self._changing(db, key, UnorderedSet) as value:
            popped = self._sample(db, key, [*value.members], count, distinct=True)
            for member in popped:
                del value.members[member]
            return popped

    def list_push(
        self,
        db: int,
        key: bytes,
        elements: Sequence[bytes],
        *,
        left: bool,
        must_exist: bool = False,
    ) -> int:
        with self._changing(db, key, List) as value:
            if value or not must_exist:
                for element in elements:
                    value.elements.insert(0 if left else len(value), element)
            return len(value)

    def list_pop(self, db: int, key: bytes, count: int, *, left: bool) -> list[bytes]:
        assert count >= 0
        with self._changing(db, key, List) as value:
            return [value.elements.pop(0 if left else -1) for _ in range(min(count, len(value)))]

    def zset_add(
        self, db: int, key: bytes, member: bytes, score: float, flags: int = 0
    ) -> tuple[bool, bool, float] | None:
        with self._changing(db, key, SortedSet) as value:
            return _add_scored(value, member, score, flags)

    def zset_add_many(
        self, db: int, key: bytes, members: Sequence[bytes], scores: Sequence[float], flags: int = 0
    ) -> tuple[int, int]:
        added = changed = 0
        if any(map(math.isnan, scores)):
            raise errors.NotFinite("not a number")
        with self._changing(db, key, SortedSet) as value:
            for member, score in zip(members, scores, strict=True):
                outcome = _add_scored(value, member, score, flags) or (False, False)
                added += outcome[0]
                changed += outcome[1]
        return added, changed

    def zset_remove(self, db: int, key: bytes, members: Sequence[bytes]) -> int:
        with self._changing(db, key, SortedSet) as value:
            return sum(map(value.drop, members))

    def zset_pop(
        self, db: int, key: bytes, count: int, *, highest: bool
    ) -> list[tuple[bytes, float]]:
        with self._changing(db, key, SortedSet) as value:
            popped = _ranked(value, 0, count, highest)
            for member, _ in popped:
                value.drop(member)
            return popped


def _add_scored(
    value: SortedSet, member: bytes, score: float, flags: int
) -> tuple[bool, bool, float] | None:
    if flags & ZADD_NX and flags & (ZADD_XX | ZADD_GT | ZADD_LT):
        raise ValueError("contradicting flags")
    old = value.scores.get(member)
    if flags & (ZADD_XX if old is None else ZADD_NX):
        return None
    if old is not None and flags & ZADD_INCR:
        score += old
    if math.isnan(score):
        raise errors.NotFinite("not a number")
    if old is not None:
        if (flags & ZADD_GT and score <= old) or (flags & ZADD_LT and score >= old):
            return None
        if score == old:
            return False, False, old
    value.put(member, score)
    return old is None, old is not None, score


class Writes(OneShots):
    """What only a transaction can do."""

    def store(
        self,
        db: int,
        key: bytes,
        kind: str,
        items: Sequence[bytes],
        scores: Sequence[float] = (),
        expire_ms: int = 0,
    ) -> None:
        arena = self._to_write(db, key)
        value = new_value(kind)
        _fill(value, items, scores)
        arena._keep(db, key, value, expire_ms)

    def hash_expire(self, db: int, key: bytes, field: bytes, expire_ms: int) -> bool:
        with self._changing(db, key, Hash) as value:
            found = value.fields.get(field)
            if found is not None:
                found.expire_ms = expire_ms
            return found is not None

    def list_replace(self, db: int, key: bytes, index: int, element: bytes) -> bool:
        assert index >= 0
        with self._changing(db, key, List) as value:
            if index >= len(value):
                return False
            value.elements[index] = element
            return True

    def list_insert(self, db: int, key: bytes, index: int, element: bytes) -> int:
        with self._changing(db, key, List) as value:
            if not value or not 0 <= index <= len(value):
                raise IndexError("no such place in the list")
            value.elements.insert(index, element)
            return len(value)

    def list_remove(self, db: int, key: bytes, index: int, count: int) -> int:
        assert index >= 0
        with self._changing(db, key, List) as value:
            before = len(value)
            del value.elements[index : index + count]
            return before - len(value)

    def zset_remove_range(self, db: int, key: bytes, first: int, count: int) -> int:
        with self._changing(db, key, SortedSet) as value:
            gone = _ranked(value, first, count, False)
            return sum(value.drop(member) for member, _ in gone)

    def stream_create(self, db: int, key: bytes, meta: bytes) -> None:
        assert len(meta) == STREAM_META
        assert not self._exists(db, key), "the key exists"
        with self._changing(db, key, Stream) as value:
            value.meta = meta

    def stream_set_meta(self, db: int, key: bytes, meta: bytes) -> None:
        assert len(meta) == STREAM_META
        self._change_stream(db, key, lambda value: setattr(value, "meta", meta))

    def _change_stream(
        self, db: int, key: bytes, change: Callable[[Stream], _Element]
    ) -> _Element | None:
        if not self._exists(db, key):
            return None
        with self._changing(db, key, Stream) as value:
            return change(value)

    def tree_put(self, db: int, key: bytes, tree: int, name: bytes, value: bytes) -> bool:
        if not self._exists(db, key):
            raise KeyError("no such stream")
        with self._changing(db, key, Stream) as stream:
            new = name not in stream.trees[tree]
            stream.trees[tree][name] = value
            return new

    def tree_remove(self, db: int, key: bytes, tree: int, name: bytes) -> bool:
        gone = self._change_stream(db, key, lambda value: value.trees[tree].pop(name, None))
        return gone is not None

    def tree_remove_range(
        self, db: int, key: bytes, tree: int, least: bytes, most: bytes, limit: int = -1
    ) -> int:
        def remove(value: Stream) -> int:
            names = value.between(tree, least, most)
            chosen = names if limit < 0 else names[:limit]
            for name in chosen:
                del value.trees[tree][name]
            return len(chosen)

        return self._change_stream(db, key, remove) or 0


def _fill(value: Value, items: Sequence[bytes], scores: Sequence[float]) -> None:
    if isinstance(value, Hash):
        pairs = zip(items[::2], items[1::2], strict=True)
        value.fields = {name: Field(text) for name, text in pairs}
    elif isinstance(value, UnorderedSet):
        value.members = dict.fromkeys(items)
    elif isinstance(value, List):
        value.elements = list(items)
    else:
        assert isinstance(value, SortedSet), "a stream is not stored whole"
        for member, score in zip(items, scores, strict=True):
            value.put(member, score)
