"""What the naive arena's keys hold besides strings: dictionaries and lists with Redis's names."""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_left, insort
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Self

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["INT64_MAX", "INT64_MIN", "Hash", "List", "SortedSet", "Stream", "Value", "new_value"]
__all__ += ["Tuning", "UnorderedSet", "integer_or_none"]

INT64_MIN, INT64_MAX = -(1 << 63), (1 << 63) - 1
STREAM_TREES = 5
ELEMENT_OVERHEAD_BYTES = 16
_LISTPACK_ITEM_BYTES = 11  # at most, beside the element's own bytes
_SIZES_BYTES = (4096, 8192, 16384, 32768, 65536)  # of list-max-listpack-size -1 to -5


class Tuning(NamedTuple):
    """The real arena's, with Redis 7.2's defaults."""

    maxmemory: int = 0
    policy: int = 0
    samples: int = 5
    lfu_log_factor: int = 10
    lfu_decay_minutes: int = 1
    reserve_permille: int = 50
    hash_max_listpack_entries: int = 512
    hash_max_listpack_value: int = 64
    set_max_intset_entries: int = 512
    set_max_listpack_entries: int = 128
    set_max_listpack_value: int = 64
    zset_max_listpack_entries: int = 128
    zset_max_listpack_value: int = 64
    list_max_listpack_size: int = -2
    hll_sparse_max_bytes: int = 3000


def integer_or_none(value: bytes) -> int | None:
    """The value as Redis's string2ll reads it: canonical decimal of 64 bits, nothing else."""
    try:
        number = int(value)
    except ValueError:
        return None
    canonical = str(number).encode() == value
    return number if canonical and INT64_MIN <= number <= INT64_MAX else None


class Value(ABC):
    """A container. Its encoding only ever grows, as Redis's does (a list's apart)."""

    kind: ClassVar[str]
    encoding: str

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def copy(self) -> Self:
        """The same again, sharing nothing that can change."""

    @abstractmethod
    def parts(self) -> Sequence[bytes]:
        """Every string in it."""

    @abstractmethod
    def encode(self, tuning: Tuning) -> None:
        """Take the encoding that fits what is in it by now."""

    def size(self) -> int:
        """Bytes it might take."""
        return sum(len(part) + ELEMENT_OVERHEAD_BYTES for part in self.parts())

    def longest(self) -> int:
        return max(map(len, self.parts()), default=0)


@dataclass
class Field:
    value: bytes
    expire_ms: int = 0

    def lives(self, now_ms: int) -> bool:
        return self.expire_ms == 0 or self.expire_ms > now_ms


class Hash(Value):
    kind = "hash"

    def __init__(self) -> None:
        self.fields: dict[bytes, Field] = {}
        self.encoding = "listpack"

    def __len__(self) -> int:
        return len(self.fields)

    def copy(self) -> Self:
        twin = type(self)()
        twin.fields = {
            name: Field(field.value, field.expire_ms) for name, field in self.fields.items()
        }
        twin.encoding = self.encoding
        return twin

    def parts(self) -> list[bytes]:
        return [*self.fields, *(field.value for field in self.fields.values())]

    def encode(self, tuning: Tuning) -> None:
        fits = len(self) <= tuning.hash_max_listpack_entries
        if not fits or self.longest() > tuning.hash_max_listpack_value:
            self.encoding = "hashtable"
        elif self.encoding == "listpack" and any(f.expire_ms for f in self.fields.values()):
            self.encoding = "listpackex"

    def live(self, now_ms: int) -> dict[bytes, bytes]:
        return {name: f.value for name, f in self.fields.items() if f.lives(now_ms)}

    def drop_dead(self, now_ms: int) -> None:
        self.fields = {name: f for name, f in self.fields.items() if f.lives(now_ms)}


class UnorderedSet(Value):
    kind = "set"

    def __init__(self) -> None:
        self.members: dict[bytes, None] = {}
        self.encoding = "intset"

    def __len__(self) -> int:
        return len(self.members)

    def copy(self) -> Self:
        twin = type(self)()
        twin.members, twin.encoding = dict(self.members), self.encoding
        return twin

    def parts(self) -> list[bytes]:
        return list(self.members)

    def encode(self, tuning: Tuning) -> None:
        if self.encoding == "intset":
            if all(integer_or_none(member) is not None for member in self.members):
                if len(self) > tuning.set_max_intset_entries:
                    self.encoding = "hashtable"
                return
            self.encoding = "listpack"
        fits = len(self) <= tuning.set_max_listpack_entries
        if not fits or self.longest() > tuning.set_max_listpack_value:
            self.encoding = "hashtable"


class List(Value):
    kind = "list"

    def __init__(self) -> None:
        self.elements: list[bytes] = []
        self.encoding = "listpack"

    def __len__(self) -> int:
        return len(self.elements)

    def copy(self) -> Self:
        twin = type(self)()
        twin.elements, twin.encoding = list(self.elements), self.encoding
        return twin

    def parts(self) -> list[bytes]:
        return self.elements

    def encode(self, tuning: Tuning) -> None:
        limit = tuning.list_max_listpack_size
        if limit >= 0:
            used = len(self)
        else:
            limit = _SIZES_BYTES[min(-limit, len(_SIZES_BYTES)) - 1]
            used = sum(len(element) + _LISTPACK_ITEM_BYTES for element in self.elements)
        if used > limit:
            self.encoding = "quicklist"


class SortedSet(Value):
    kind = "zset"

    def __init__(self) -> None:
        self.scores: dict[bytes, float] = {}
        self.ranked: list[tuple[float, bytes]] = []
        self.encoding = "listpack"

    def __len__(self) -> int:
        return len(self.scores)

    def copy(self) -> Self:
        twin = type(self)()
        twin.scores, twin.ranked = dict(self.scores), list(self.ranked)
        twin.encoding = self.encoding
        return twin

    def parts(self) -> list[bytes]:
        return list(self.scores)

    def encode(self, tuning: Tuning) -> None:
        fits = len(self) <= tuning.zset_max_listpack_entries
        if not fits or self.longest() > tuning.zset_max_listpack_value:
            self.encoding = "skiplist"

    def put(self, member: bytes, score: float) -> None:
        self.drop(member)
        self.scores[member] = score
        insort(self.ranked, (score, member))

    def drop(self, member: bytes) -> bool:
        score = self.scores.pop(member, None)
        if score is None:
            return False
        del self.ranked[self.rank(member, score)]
        return True

    def rank(self, member: bytes, score: float) -> int:
        return bisect_left(self.ranked, (score, member))


class Stream(Value):
    kind = "stream"
    encoding = "stream"

    def __init__(self) -> None:
        self.meta = b""
        self.trees: list[dict[bytes, bytes]] = [{} for _ in range(STREAM_TREES)]

    def __len__(self) -> int:
        return len(self.trees[0])

    def copy(self) -> Self:
        twin = type(self)()
        twin.meta, twin.trees = self.meta, [dict(tree) for tree in self.trees]
        return twin

    def parts(self) -> list[bytes]:
        return [part for tree in self.trees for pair in tree.items() for part in pair]

    def encode(self, tuning: Tuning) -> None:
        pass

    def between(self, tree: int, least: bytes, most: bytes) -> list[bytes]:
        return sorted(name for name in self.trees[tree] if least <= name <= most)


def new_value(kind: str) -> Value:
    kinds: dict[str, type[Value]] = {
        made.kind: made for made in (Hash, UnorderedSet, List, SortedSet, Stream)
    }
    return kinds[kind]()
