"""Arguments of a configuration line."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shmcache.config.lexer import decode, encode, quote, split_arguments

LINES = [
    (rb"", []),
    (rb"   ", []),
    (rb"port 6379", ["port", "6379"]),
    (b"\tport \t 6379\r", ["port", "6379"]),
    (rb'save ""', ["save", ""]),
    (rb'requirepass "a b"', ["requirepass", "a b"]),
    (rb'a "\x41\n\r\t\b\a\"\\\q" b', ["a", 'A\n\r\t\b\a"\\q', "b"]),
    (rb"a 'it\'s' b", ["a", "it's", "b"]),
    (rb"a 'a\n\x41' b", ["a", r"a\n\x41", "b"]),
    (rb'pre"fix" x', ["prefix", "x"]),
    (rb'a "\xzz"', ["a", "xzz"]),
    (b'a "\xff"', ["a", "\udcff"]),
    (rb'a "\xff"', ["a", "\udcff"]),
    ("a é".encode(), ["a", "é"]),
    (rb"dir C:\new", ["dir", r"C:\new"]),
]


@pytest.mark.parametrize(("line", "arguments"), LINES)
def test_split(line: bytes, arguments: list[str]) -> None:
    assert split_arguments(line) == arguments


@pytest.mark.parametrize(
    "line",
    [rb'a "b', rb"a 'b", rb'a "b"c', rb"a 'b'c", rb'a "b\"', rb"a 'b\'", rb'a b"', b'a "b\0"'],
)
def test_unbalanced_quotes_are_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"Unbalanced quotes|NUL byte"):
        split_arguments(line)


@given(st.lists(st.binary().filter(lambda word: b"\0" not in word)))
@settings(deadline=None)
def test_what_is_quoted_is_read_back(words: list[bytes]) -> None:
    texts = [decode(word) for word in words]
    line = encode(" ".join(map(quote, texts)))
    assert line.isascii()
    assert b"\n" not in line
    assert split_arguments(line) == texts


@given(st.binary())
@settings(deadline=None)
def test_any_bytes_are_split_or_refused(line: bytes) -> None:
    try:
        arguments = split_arguments(line)
    except ValueError:
        return
    assert split_arguments(encode(" ".join(map(quote, arguments)))) == arguments
