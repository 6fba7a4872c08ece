"""The compiled encoder against one that can be read at a glance, for replies of every kind."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shmcache.commands.replies import NULL_ARRAY, CommandError, SetReply, Verbatim
from shmcache.commands.streams_read import RepeatedKeys
from shmcache.protocol.doubles import HumanDouble
from shmcache.server.replies import ENCODER


class Number(IntEnum):
    """An int that is not quite one."""

    SEVEN = 7


FIXED: list[tuple[Any, bytes, bytes]] = [
    (None, b"$-1\r\n", b"_\r\n"),
    (True, b":1\r\n", b"#t\r\n"),
    (False, b":0\r\n", b"#f\r\n"),
    (Number.SEVEN, b":7\r\n", b":7\r\n"),
    (1.5, b"$3\r\n1.5\r\n", b",1.5\r\n"),
    (HumanDouble(0.5), b"$3\r\n0.5\r\n", b",0.5\r\n"),
    (NULL_ARRAY, b"*-1\r\n", b"_\r\n"),
    (CommandError("ERR a\nb"), b"-ERR a b\r\n", b"-ERR a b\r\n"),
    (Verbatim("a"), b"$1\r\na\r\n", b"=5\r\ntxt:a\r\n"),
    (SetReply(("a", b"b")), b"*2\r\n+a\r\n$1\r\nb\r\n", b"~2\r\n+a\r\n$1\r\nb\r\n"),
    (RepeatedKeys([(b"a", 1), (b"a", [])]), b"", b""),
]
REPEATED = b"$1\r\na\r\n:1\r\n$1\r\na\r\n*0\r\n"


def plain(reply: Any, resp: int) -> bytes:
    """What a reply looks like, without any regard to speed."""
    for example, in_resp2, in_resp3 in FIXED:
        if reply is example and not isinstance(reply, RepeatedKeys):
            return in_resp3 if resp == 3 else in_resp2
    match reply:
        case bytes():
            return b"$" + str(len(reply)).encode() + b"\r\n" + reply + b"\r\n"
        case str():
            line = reply.encode("utf-8", "surrogateescape")
            return b"+" + line.replace(b"\r", b" ").replace(b"\n", b" ") + b"\r\n"
        case int():
            mark = b":" if -(1 << 63) <= reply < 1 << 63 else b"("
            return mark + str(reply).encode() + b"\r\n"
        case RepeatedKeys():
            return (b"%2\r\n" if resp == 3 else b"*4\r\n") + REPEATED
        case dict():
            parts = [part for pair in reply.items() for part in pair]
            mark, count = (b"%", len(reply)) if resp == 3 else (b"*", len(parts))
        case _:
            parts, mark, count = list(reply), b"*", len(reply)
    head = mark + str(count).encode() + b"\r\n"
    return head + b"".join(plain(part, resp) for part in parts)


keys = st.binary(max_size=3) | st.text(max_size=3)
leaves = st.one_of(
    st.sampled_from([example for example, _, _ in FIXED]),
    st.binary(max_size=40),
    st.text(alphabet=st.characters(codec="utf-8"), max_size=10),
    st.sampled_from(["OK", "", "a\r\nb", "\udcff", "é"]),
    st.integers(-(1 << 63), (1 << 63) - 1),
    st.sampled_from([0, 9, 10, -1, -10, (1 << 63) - 1, -(1 << 63)]),
)
replies = st.recursive(
    leaves,
    lambda parts: st.one_of(
        st.lists(parts, max_size=5),
        st.lists(parts, max_size=5).map(tuple),
        st.dictionaries(keys, parts, max_size=4),
    ),
    max_leaves=20,
)


@settings(max_examples=300, deadline=None)
@given(reply=replies)
def test_every_reply_has_its_bytes(reply: Any) -> None:
    for resp in (2, 3):
        assert ENCODER.encode(reply, resp) == plain(reply, resp)


@pytest.mark.parametrize("size", [0, 1, 500, 511, 512, 513, 5000, 3_000_000])
def test_lengths(size: int) -> None:
    reply = [bytes(size), b"x", ["y" * size], (size,)]
    for resp in (2, 3):
        assert ENCODER.encode(reply, resp) == plain(reply, resp)
    many = [b"%d" % number for number in range(size // 100)]
    assert ENCODER.encode(many, 2) == plain(many, 2)


@pytest.mark.parametrize("number", [1 << 63, -(1 << 63) - 1, 1 << 200])
def test_long_integers(number: int) -> None:
    assert ENCODER.encode([number], 3) == plain([number], 3)
    with pytest.raises(TypeError):
        ENCODER.encode([number], 2)


@pytest.mark.parametrize("reply", [object(), [b"a", {b"b": [1j]}], bytearray(b"x")])
def test_what_is_no_reply(reply: object) -> None:
    for resp in (2, 3):
        with pytest.raises(TypeError):
            ENCODER.encode(reply, resp)
