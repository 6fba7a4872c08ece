"""Replies as bytes, in both versions of the protocol."""

from __future__ import annotations

import math

import pytest

from shmcache.commands.replies import NULL_ARRAY, CommandError, SetReply, Verbatim
from shmcache.protocol import Encoder
from shmcache.protocol.doubles import HumanDouble, double_text, human_text
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
        (0.1, b"$3\r\n0.1\r\n", b",0.1\r\n"),
        (math.inf, b"$3\r\ninf\r\n", b",inf\r\n"),
        (HumanDouble(0.1), b"$19\r\n0.10000000000000001\r\n", b",0.10000000000000001\r\n"),
        (NULL_ARRAY, b"*-1\r\n", b"_\r\n"),
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


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3.0, b"3"),
        (-17.0, b"-17"),
        (0.0, b"0"),
        (-0.0, b"-0"),
        (math.nan, b"nan"),
        (-math.inf, b"-inf"),
        (0.001, b"0.001"),
        (-0.0001, b"-0.0001"),
        (1e-6, b"0.000001"),
        (1e-7, b"1e-7"),
        (0.00012345678, b"1.2345678e-4"),
        (1701234567.123456, b"1701234567.123456"),
        (123456.789012345, b"1.23456789012345e+5"),
        (1234.567890123456, b"1234.567890123456"),
        (4503599627370496.0, b"4503599627370496"),
        (1e17, b"100000000000000000"),
        (2.0**62, b"4611686018427387904"),
        (-(2.0**63), b"-9223372036854776000"),
        (1e19, b"1e+19"),
        (1e7 * 2**53, b"90071992547409920000000"),
        (123456789012345680.0, b"123456789012345680"),
        (1e22, b"1e+22"),
        (1.7976931348623157e308, b"1.7976931348623157e+308"),
        (5e-324, b"5e-324"),
        (-2.5e-100, b"-2.5e-100"),
    ],
)
def test_doubles(value: float, text: bytes) -> None:
    assert double_text(value) == text
    assert math.isnan(value) or float(text) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [(13.0, b"13"), (-1e-20, b"0"), (0.5, b"0.5"), (13.361389338970184, b"13.36138933897018433")],
)
def test_human_doubles(value: float, text: bytes) -> None:
    assert human_text(value) == text


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
