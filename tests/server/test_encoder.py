"""Replies as bytes, in both versions of the protocol."""

from __future__ import annotations

import math

import pytest

from shmcache.commands.replies import CommandError, SetReply, Verbatim
from shmcache.protocol import Encoder
from shmcache.server.replies import ENCODER, NOTHING, Pushes


@pytest.mark.parametrize(
    ("reply", "resp2", "resp3"),
    [
        ("OK", b"+OK\r\n", b"+OK\r\n"),
        (b"a\r\nb", b"$4\r\na\r\nb\r\n", b"$4\r\na\r\nb\r\n"),
        (b"", b"$0\r\n\r\n", b"$0\r\n\r\n"),
        (-7, b":-7\r\n", b":-7\r\n"),
        (True, b":1\r\n", b"#t\r\n"),
        (False, b":0\r\n", b"#f\r\n"),
        (None, b"$-1\r\n", b"_\r\n"),
        (1.5, b"$3\r\n1.5\r\n", b",1.5\r\n"),
        (0.1, b"$19\r\n0.10000000000000001\r\n", b",0.10000000000000001\r\n"),
        (math.inf, b"$3\r\ninf\r\n", b",inf\r\n"),
        ([1, [None]], b"*2\r\n:1\r\n*1\r\n$-1\r\n", b"*2\r\n:1\r\n*1\r\n_\r\n"),
        ((), b"*0\r\n", b"*0\r\n"),
        ({b"a": 1}, b"*2\r\n$1\r\na\r\n:1\r\n", b"%1\r\n$1\r\na\r\n:1\r\n"),
        ({b"a"}, b"*1\r\n$1\r\na\r\n", b"~1\r\n$1\r\na\r\n"),
        (SetReply(("b", "a")), b"*2\r\n+b\r\n+a\r\n", b"~2\r\n+b\r\n+a\r\n"),
        (Verbatim("hé"), b"$3\r\nh\xc3\xa9\r\n", b"=7\r\ntxt:h\xc3\xa9\r\n"),
        (CommandError("ERR a\r\nb\udcff"), b"-ERR a  b\xff\r\n", b"-ERR a  b\xff\r\n"),
        (Pushes([(b"x", 1)]), b"*2\r\n$1\r\nx\r\n:1\r\n", b">2\r\n$1\r\nx\r\n:1\r\n"),
        (NOTHING, b"", b""),
    ],
)  # fmt: skip
def test_forms(reply: object, resp2: bytes, resp3: bytes) -> None:
    assert ENCODER.encode(reply, 2) == resp2
    assert ENCODER.encode(reply, 3) == resp3


def test_big_numbers_need_resp3() -> None:
    assert ENCODER.encode(1 << 64, 3) == b"(18446744073709551616\r\n"
    with pytest.raises(TypeError):
        ENCODER.encode(1 << 64, 2)


def test_unknown_kinds_are_refused() -> None:
    with pytest.raises(TypeError, match="object"):
        Encoder().encode([object()], 2)


def test_a_subclass_goes_with_its_base() -> None:
    class Text(str):
        __slots__ = ()

    assert Encoder().encode(Text("x"), 2) == b"+x\r\n"
