"""Values of every kind, made at random; and forms that Redis 7.0 reads and does not write."""

from __future__ import annotations

from struct import pack
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from shmcache.persistence.values import (
    HashValue,
    ListValue,
    SetValue,
    SortedSetValue,
    StreamConsumer,
    StreamGroup,
    StreamPending,
    StreamValue,
    Value,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["VALUES", "ziplist_of", "zipmap_of"]

numbers = st.integers(-(1 << 63), (1 << 63) - 1).map(lambda number: b"%d" % number)
small_numbers = st.integers(-5000, 5000).map(lambda number: b"%d" % number)
repetitive = st.tuples(st.binary(min_size=1, max_size=4), st.integers(1, 2000)).map(
    lambda made: made[0] * made[1]
)
texts = st.one_of(st.binary(max_size=80), numbers, small_numbers, repetitive)
distinct = st.lists(texts, min_size=1, max_size=40, unique=True)
scores = st.floats(allow_nan=False).map(lambda score: score + 0.0)
times = st.integers(1, (1 << 47) - 1)


@st.composite
def sorted_sets(draw: st.DrawFn) -> SortedSetValue:
    members = draw(distinct)
    return SortedSetValue(members, [draw(scores) for _ in members])


@st.composite
def hashes(draw: st.DrawFn) -> HashValue:
    fields = draw(distinct)
    items = [item for field in fields for item in (field, draw(texts))]
    lasting = draw(st.lists(st.sampled_from(fields), unique=True))
    return HashValue(items, {field: draw(times) for field in lasting})


def ids_of(numbers: Sequence[tuple[int, int]]) -> list[bytes]:
    return [pack(">QQ", *each) for each in sorted(numbers)]


id_numbers = st.tuples(st.integers(1, 1 << 48), st.integers(0, (1 << 64) - 1))


@st.composite
def groups(draw: st.DrawFn, name: bytes) -> StreamGroup:
    known = ids_of(draw(st.lists(id_numbers, max_size=12, unique=True)))
    pending = [StreamPending(each, draw(times), draw(st.integers(0, 1 << 40))) for each in known]
    names = draw(distinct) if known else draw(st.lists(texts, max_size=3, unique=True))
    owners = [draw(st.sampled_from(names)) for _ in known]
    consumers = []
    for owner in names:
        seen = draw(times)
        owned = [each for each, its in zip(known, owners, strict=True) if its == owner]
        consumers.append(StreamConsumer(owner, seen, seen, owned))
    last = ids_of([draw(id_numbers)])[0]
    read = draw(st.integers(-1, (1 << 63) - 1))
    return StreamGroup(name, last, read, pending, consumers)


@st.composite
def streams(draw: st.DrawFn) -> StreamValue:
    known = ids_of(draw(st.lists(id_numbers, max_size=250, unique=True)))
    common = draw(st.lists(texts, min_size=1, max_size=4))
    entries = []
    for each in known:
        if draw(st.booleans()):
            items = [item for field in common for item in (field, draw(texts))]
        else:
            items = [b"other", draw(texts)]
        entries.append((each, items))
    last = max([*known, ids_of([draw(id_numbers)])[0]])
    names = draw(st.lists(texts, max_size=3, unique=True))
    made = [draw(groups(name)) for name in names]
    return StreamValue(entries, last, draw(st.sampled_from([bytes(16), last])), len(known), made)


VALUES: st.SearchStrategy[Value] = st.one_of(
    texts,
    st.lists(texts, min_size=1, max_size=60).map(ListValue),
    distinct.map(SetValue),
    sorted_sets(),
    hashes(),
    streams(),
)


def ziplist_of(entries: Sequence[bytes]) -> bytes:
    """A ziplist, written down by hand: the short forms of numbers are chosen as ziplist.c does."""
    body, before = b"", 0
    last = 10
    for entry in entries:
        head = bytes((before,)) if before < 254 else b"\xfe" + pack("<I", before)
        encoded = head + _ziplist_entry(entry)
        last, before = 10 + len(body), len(encoded)
        body += encoded
    return pack("<IIH", 11 + len(body), last, len(entries)) + body + b"\xff"


def _ziplist_entry(entry: bytes) -> bytes:
    number = int(entry) if entry.lstrip(b"-").isdigit() and b"%d" % int(entry) == entry else None
    if number is not None and 0 <= number <= 12:
        return bytes((0xF1 + number,))
    if number is not None:
        for first, width in ((0xFE, 1), (0xC0, 2), (0xF0, 3), (0xD0, 4), (0xE0, 8)):
            if -(1 << 8 * width - 1) <= number < 1 << 8 * width - 1:
                return bytes((first,)) + number.to_bytes(width, "little", signed=True)
    if len(entry) < 1 << 6:
        return bytes((len(entry),)) + entry
    if len(entry) < 1 << 14:
        return pack(">H", 0x4000 | len(entry)) + entry
    return b"\x80" + pack(">I", len(entry)) + entry


def zipmap_of(items: Sequence[bytes]) -> bytes:
    """A zipmap with a byte of unused room behind each value."""
    body = b""
    for field, value in zip(items[::2], items[1::2], strict=True):
        body += _zipmap_length(field) + field + _zipmap_length(value) + b"\x01" + value + b"?"
    return bytes((min(len(items) // 2, 254),)) + body + b"\xff"


def _zipmap_length(text: bytes) -> bytes:
    return bytes((len(text),)) if len(text) < 254 else b"\xfe" + pack("<I", len(text))
