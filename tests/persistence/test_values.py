"""Values to bytes and back, and bytes that are damaged."""

from __future__ import annotations

from struct import pack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from persistence.made import VALUES, ziplist_of, zipmap_of
from shmcache.errors import DamagedFile
from shmcache.persistence._crc64 import crc64
from shmcache.persistence.decode import RdbType, read_value
from shmcache.persistence.encode import encode_value
from shmcache.persistence.forms import encode_length, encode_string
from shmcache.persistence.packed import (
    make_listpack,
    read_intset,
    read_listpack,
    read_ziplist,
    read_zipmap,
)
from shmcache.persistence.payload import dump_value, has_valid_footer, load_value
from shmcache.persistence.source import Source
from shmcache.persistence.values import (
    HashValue,
    ListValue,
    SetValue,
    SortedSetValue,
    StreamValue,
    Value,
)

ELEMENTS = [b"", b"0", b"-1", b"12", b"13", b"4095", b"-4096", b"4096", b"70000", b"-8388608"]
ELEMENTS += [b"2147483648", b"%d" % (1 << 62), b"%d" % -(1 << 63), b"007", b"text", b"x" * 63]
ELEMENTS += [b"x" * 64, b"y" * 300, b"z" * 4096, b"w" * 20000, b"\r\n\0\xff"]


@given(VALUES, st.booleans())
@settings(max_examples=60, deadline=None)
def test_what_was_written_is_read(value: Value, compress: bool) -> None:
    kind, data = encode_value(value, compress=compress)
    source = Source(data)
    assert read_value(source, kind) == value
    assert source.at == len(data)


def offset_of_damage(data: bytes, kind: int) -> int:
    """Where the only exception that may come says that something is wrong; 0 when nothing is."""
    try:
        read_value(Source(data), kind)
    except DamagedFile as error:
        return error.offset
    return 0


@given(VALUES, st.data())
@settings(max_examples=80, deadline=None)
def test_damage_is_told_or_harmless(value: Value, data: st.DataObject) -> None:
    kind, whole = encode_value(value)
    damaged = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.sampled_from([len(damaged), data.draw(st.integers(0, len(damaged)))]))
    assert 0 <= offset_of_damage(bytes(damaged[:cut]), kind) <= cut


@given(st.sampled_from(list(RdbType)), st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_bytes_that_nobody_wrote(kind: RdbType, data: bytes) -> None:
    assert 0 <= offset_of_damage(data, kind) <= len(data)


@given(st.lists(st.one_of(st.sampled_from(ELEMENTS), st.binary(max_size=100)), max_size=50))
@settings(max_examples=50, deadline=None)
def test_compact_forms(elements: list[bytes]) -> None:
    assert read_listpack(make_listpack(elements), 0) == elements
    assert read_ziplist(ziplist_of(elements), 0) == elements
    pairs = elements[: len(elements) // 2 * 2]
    assert read_zipmap(zipmap_of(pairs), 0) == pairs


@pytest.mark.parametrize(("width", "form"), [(2, "h"), (4, "i"), (8, "q")])
def test_integer_sets(width: int, form: str) -> None:
    numbers = [-(1 << 8 * width - 1), -1, 0, 77, (1 << 8 * width - 1) - 1]
    data = pack("<II", width, len(numbers)) + pack(f"<{len(numbers)}{form}", *numbers)
    assert read_intset(data, 0) == [b"%d" % number for number in numbers]
    with pytest.raises(DamagedFile, match="at byte 9"):
        read_intset(data[:-1], 9)


def string(data: bytes) -> bytes:
    return encode_length(len(data)) + data


PAIRS = [b"a", b"1", b"b", b"two", b"c", b"3.5"]
ID = pack(">QQ", 5, 1)
OLD_FORMS = {
    "list of ziplist": (RdbType.LIST_ZIPLIST, string(ziplist_of(PAIRS)), ListValue(PAIRS)),
    "quicklist": (
        RdbType.LIST_QUICKLIST,
        encode_length(2) + string(ziplist_of(PAIRS[:4])) + string(ziplist_of(PAIRS[4:])),
        ListValue(PAIRS),
    ),
    "quicklist with a long element": (
        RdbType.LIST_QUICKLIST_2,
        encode_length(2) + b"\x01" + string(b"long") + b"\x02" + string(make_listpack(PAIRS)),
        ListValue([b"long", *PAIRS]),
    ),
    "hash of ziplist": (RdbType.HASH_ZIPLIST, string(ziplist_of(PAIRS)), HashValue(PAIRS, {})),
    "hash of zipmap": (RdbType.HASH_ZIPMAP, string(zipmap_of(PAIRS)), HashValue(PAIRS, {})),
    "set of listpack": (RdbType.SET_LISTPACK, string(make_listpack(PAIRS)), SetValue(PAIRS)),
    "scores in text": (
        RdbType.ZSET,
        encode_length(3)
        + string(b"x")
        + b"\x031.5"
        + string(b"y")
        + b"\xff"
        + string(b"z")
        + b"\xfe",
        SortedSetValue([b"x", b"y", b"z"], [1.5, float("-inf"), float("inf")]),
    ),
    "scores in a ziplist": (
        RdbType.ZSET_ZIPLIST,
        string(ziplist_of([b"x", b"1.25", b"y", b"-3"])),
        SortedSetValue([b"x", b"y"], [1.25, -3.0]),
    ),
    "lifetimes in a hash table": (
        RdbType.HASH_METADATA,
        pack("<q", 1000)
        + encode_length(2)
        + b"".join([encode_length(7), string(b"f"), string(b"v")])
        + b"".join([encode_length(0), string(b"g"), string(b"w")]),
        HashValue([b"f", b"v", b"g", b"w"], {b"f": 1006}),
    ),
    "lifetimes before they were relative": (
        RdbType.HASH_METADATA_PRE_GA,
        encode_length(1) + encode_length(1006) + string(b"f") + string(b"v"),
        HashValue([b"f", b"v"], {b"f": 1006}),
    ),
    "lifetimes in a listpack": (
        RdbType.HASH_LISTPACK_EX,
        pack("<q", 1006) + string(make_listpack([b"f", b"v", b"1006", b"g", b"w", b"0"])),
        HashValue([b"f", b"v", b"g", b"w"], {b"f": 1006}),
    ),
    "stream of Redis 5": (
        RdbType.STREAM_LISTPACKS,
        encode_length(1)
        + string(ID)
        + string(make_listpack(b"1 1 1 f 0  2 0 0 v 4  3 1 0 gone 4".split()))
        + encode_length(1)
        + encode_length(6)
        + encode_length(0)
        + encode_length(0),
        StreamValue([(ID, [b"f", b"v"])], pack(">QQ", 6, 0), bytes(16), 1, []),
    ),
}


@pytest.mark.parametrize("name", OLD_FORMS)
def test_forms_of_other_versions(name: str) -> None:
    kind, data, value = OLD_FORMS[name]
    assert read_value(Source(data), kind) == value


def test_payloads() -> None:
    payload = dump_value(HashValue([b"f", b"v"], {}))
    assert has_valid_footer(payload)
    assert load_value(payload) == HashValue([b"f", b"v"], {})
    assert not has_valid_footer(payload[:-1] + bytes((payload[-1] ^ 1,)))
    assert not has_valid_footer(payload[-10:])
    newer = payload[:-10] + pack("<H", 200)
    assert not has_valid_footer(newer + pack("<Q", crc64(newer)))
    longer = payload[:-10] + b"?" + pack("<H", 10)
    with pytest.raises(DamagedFile, match="left behind"):
        load_value(longer + bytes(8))


def test_checksum_goes_on() -> None:
    data = bytes(range(256)) * 9 + b"123"
    assert crc64(b"123456789") == 0xE9C6D914C4B8D9CA
    assert crc64(data[700:], crc64(data[:700])) == crc64(data)
    assert crc64(b"", 77) == 77


@pytest.mark.parametrize("text", [b"", b"-1", b"127", b"128", b"-32768", b"2147483647", b"01"])
def test_strings_that_are_numbers(text: bytes) -> None:
    assert Source(encode_string(text)).string() == text
