"""Scores and bounds: what C's strtod reads, and what is printed of it."""

from __future__ import annotations

import ctypes
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shmcache.commands.replies import CommandError
from shmcache.commands.sorted_set_arguments import (
    double,
    double_or_none,
    lex_range,
    score_range,
    strtod,
)
from shmcache.protocol.doubles import double_text

_LIBC = ctypes.CDLL(None, use_errno=True)
_LIBC.strtod.restype = ctypes.c_double
_LIBC.strtod.argtypes = [ctypes.c_void_p, ctypes.POINTER(ctypes.c_void_p)]
_ERANGE = 34

_pieces = st.sampled_from(
    [
        *(b"0", b"1", b"9", b"12", b".", b"e", b"E", b"+", b"-", b"x", b"0x", b"p", b"a", b"F"),
        *(b"inf", b"INFINITY", b"nan", b"nan(1)", b" ", b"\t", b"_", b"400", b"308", b"\xff"),
    ]
)
texts = st.lists(_pieces, max_size=8).map(b"".join)


def _by_c(text: bytes) -> tuple[float, int, bool]:
    """What the C library makes of a text: the number, how much of it was read, and ERANGE."""
    buffer = ctypes.create_string_buffer(text)
    end = ctypes.c_void_p()
    ctypes.set_errno(0)
    value = _LIBC.strtod(ctypes.addressof(buffer), ctypes.byref(end))
    assert end.value is not None
    out_of_range = ctypes.get_errno() == _ERANGE and (math.isinf(value) or value == 0)
    return value, end.value - ctypes.addressof(buffer), out_of_range


@given(texts)
def test_texts_are_read_as_c_reads_them(text: bytes) -> None:
    value, end, out_of_range = _by_c(text)
    ours = strtod(text)
    assert ours.end == end
    assert repr(abs(ours.value)) == repr(abs(value))  # of a nan the sign is nobody's
    assert math.copysign(1, ours.value) == math.copysign(1, value) or math.isnan(value)
    if not math.isinf(value) or b"i" not in text.lower():
        assert ours.out_of_range == out_of_range


@given(st.floats())
def test_printed_doubles_are_read_back(value: float) -> None:
    text = double_text(value)
    again = double_or_none(text)
    if math.isnan(value):
        assert (text, again) == (b"nan", None)
    else:
        assert repr(again) == repr(value)


@pytest.mark.parametrize("word", [b"", b" 1", b"1 ", b"nan", b"1e400", b"1e-400", b"1_0", b"1\0"])
def test_words_that_are_no_scores(word: bytes) -> None:
    with pytest.raises(CommandError, match="ERR value is not a valid float"):
        double(word)


def test_bounds() -> None:
    assert score_range(b"(1", b"+inf") == (1.0, math.inf, True, False)
    assert score_range(b"", b"(") == (0.0, 0.0, False, True)
    assert score_range(b"1e400", b"-1\0junk") == (math.inf, -1.0, False, False)
    with pytest.raises(CommandError, match="ERR min or max is not a float"):
        score_range(b"1", b"1x")
    assert lex_range(b"-", b"(b\0") == (None, (b"b\0", True), False)
    assert lex_range(b"[a", b"+") == ((b"a", False), None, False)
    assert lex_range(b"+", b"[b").empty
    assert lex_range(b"[a", b"-").empty
    with pytest.raises(CommandError, match="ERR min or max not valid string range item"):
        lex_range(b"[a", b"b")
