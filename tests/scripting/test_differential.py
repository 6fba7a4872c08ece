"""Scripts given to a real redis-server and to the front-end: the same replies, byte by byte."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Iterator

    from server.processes import FrontEnd, RedisServer
    from server.wire import Wire

LINES = Path(__file__).with_name("lines.txt").read_text(encoding="utf-8").splitlines()
KEYS_AND_ARGUMENTS = ("2", "k1", "k2", "a1", "a2")


@pytest.fixture(scope="module")
def pair(
    shared_front_end: FrontEnd, shared_redis_server: RedisServer
) -> Iterator[tuple[Wire, Wire]]:
    with shared_redis_server.connect() as theirs, shared_front_end.connect() as ours:
        for wire in (theirs, ours):
            wire.run("FLUSHALL")
        yield theirs, ours


@pytest.mark.parametrize("resp", [2, 3])
def test_each_line(shared_front_end: FrontEnd, shared_redis_server: RedisServer, resp: int) -> None:
    """What conversions, errors, the sandbox and the libraries make of a line."""
    with (
        shared_redis_server.connect(resp=resp) as theirs,
        shared_front_end.connect(resp=resp) as ours,
    ):
        for wire in (theirs, ours):
            wire.run("FLUSHALL")
        different = [
            (line, expected, got)
            for line in LINES
            if (expected := theirs.run("EVAL", line, *KEYS_AND_ARGUMENTS))
            != (got := ours.run("EVAL", line, *KEYS_AND_ARGUMENTS))
        ]
    assert not different


def same(pair: tuple[Wire, Wire], script: str, *arguments: bytes) -> bytes:
    theirs, ours = (wire.run("EVAL", script, "0", *arguments) for wire in pair)
    assert ours == theirs, (script, arguments)
    return ours


json_text = st.recursive(
    st.sampled_from([b"1", b"-0", b"1e3", b"0x1f", b"nan", b'"a"', b'"\\u00e9"', b"null", b"true"])
    | st.binary(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda parts: b"[" + b",".join(parts) + b"]")
        | st.lists(inner, max_size=3).map(
            lambda parts: b"{" + b",".join(b'"k":' + part for part in parts) + b"}"
        )
    ),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(json_text)
def test_decoding_json(pair: tuple[Wire, Wire], text: bytes) -> None:
    same(
        pair,
        "local ok, v = pcall(cjson.decode, ARGV[1]) if not ok then return v end "
        "return {type(v), tostring(v):gsub('0x%x+', ''), cmsgpack.pack(v)}",
        text,
    )


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=40))
def test_unpacking_any_bytes(pair: tuple[Wire, Wire], data: bytes) -> None:
    same(
        pair,
        "local r = {pcall(cmsgpack.unpack, ARGV[1])} "
        "if not r[1] then return r[2] end "
        "local ok, packed = pcall(cmsgpack.pack, unpack(r, 2, table.maxn(r))) return packed",
        data,
    )


@settings(max_examples=150, deadline=None)
@given(st.floats(), st.integers(-(2**53), 2**53))
def test_numbers(pair: tuple[Wire, Wire], number: float, whole: int) -> None:
    """The same double through every library; NaN's sign is the compiler's affair."""
    same(
        pair,
        "local x, w = struct.unpack('<d', ARGV[1]), tonumber(ARGV[2]) local json = '' "
        "if x == x then json = cjson.encode({w}) .. tostring(x) end "
        "if x ~= x then x = 1 end "
        "return {cmsgpack.pack(w, x), struct.pack('>dfi8', x, 1, w), "
        "json, bit.tobit(w), bit.band(w, 0xffff), bit.rol(w, 7), bit.tohex(w), "
        "bit.arshift(w, 3)}",
        struct.pack("<d", number),
        b"%d" % whole,
    )


@settings(max_examples=150, deadline=None)
@given(st.text("<>!bBhHlLTiIfdsc x0123489", max_size=6), st.binary(max_size=24))
def test_unpacking_structs(pair: tuple[Wire, Wire], form: str, data: bytes) -> None:
    same(
        pair,
        "local r = {pcall(struct.unpack, ARGV[1], ARGV[2])} "
        "if not r[1] then return r[2] end r[1] = nil local t = {} "
        "for i = 2, table.maxn(r) do t[#t + 1] = tostring(r[i]) end "
        "return {t, {pcall(struct.size, ARGV[1])}, {pcall(struct.pack, ARGV[1], unpack(r, 2))}}",
        form.encode(),
        data,
    )
