"""The request parser alone: any bytes, in any pieces."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.wire import request
from shmcache.errors import ProtocolError
from shmcache.protocol import RequestLimits, RequestParser

Outcome = tuple[list[list[bytes]], str]

words = st.lists(st.binary(max_size=40), min_size=1, max_size=6)
inline_words = st.lists(st.binary(min_size=1, max_size=12), min_size=1, max_size=5)
protocol_pieces = st.sampled_from(
    [
        *(b"*", b"$", b"\r\n", b"\n", b"\r", b"1", b"3", b"-1", b"0", b" ", b'"', b"'"),
        *(b"\\", b"\\x4", b"abc", b"\0", b"\xff", b"*2\r\n", b"$3\r\nfoo\r\n", b":1\r\n"),
        b"99999999999999999999",
    ]
)
soup = st.lists(st.one_of(protocol_pieces, st.binary(max_size=8)), max_size=40).map(b"".join)


def quote(word: bytes) -> bytes:
    return b'"' + b"".join(b"\\x%02x" % byte for byte in word) + b'"'


def parse(pieces: list[bytes], *, trusted: bool = True, limit: int = 1 << 20) -> Outcome:
    """All requests, and the error that ended them."""
    parser = RequestParser(RequestLimits(limit))
    parser.trusted = trusted
    found: list[list[bytes]] = []
    try:
        for piece in pieces:
            parser.feed(piece)
            found.extend(parser)
    except ProtocolError as error:
        return found, str(error)
    return found, ""


def cut(stream: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(stream) + 1) for place in places), len(stream)]
    return [stream[start:end] for start, end in pairwise(edges)]


@given(st.lists(words, max_size=8), st.lists(st.integers(0, 1 << 16), max_size=8))
def test_every_split_gives_the_same_requests(
    requests: list[list[bytes]], places: list[int]
) -> None:
    stream = b"".join(request(*each) for each in requests)
    assert parse(cut(stream, places)) == (requests, "")


@given(st.lists(words, max_size=4))
@settings(max_examples=30)
def test_byte_by_byte(requests: list[list[bytes]]) -> None:
    stream = b"".join(request(*each) for each in requests)
    assert parse([stream[i : i + 1] for i in range(len(stream))]) == (requests, "")


@given(st.lists(inline_words, max_size=6), st.lists(st.integers(0, 1 << 16), max_size=6))
def test_quoted_inline_requests(requests: list[list[bytes]], places: list[int]) -> None:
    stream = b"".join(b" ".join(map(quote, each)) + b"\r\n" for each in requests)
    assert parse(cut(stream, places)) == (requests, "")


@given(soup, st.lists(st.integers(0, 1 << 16), max_size=6), st.booleans())
@settings(max_examples=500)
def test_any_bytes_in_any_pieces(stream: bytes, places: list[int], trusted: bool) -> None:
    """Never a crash; and what is found does not depend on how the bytes arrived."""
    whole = parse([stream], trusted=trusted, limit=64)
    assert parse(cut(stream, places), trusted=trusted, limit=64) == whole


@given(st.binary(max_size=300))
def test_arbitrary_bytes(stream: bytes) -> None:
    parse([stream])
    parse([stream], trusted=False)


def test_an_error_is_for_ever() -> None:
    parser = RequestParser()
    parser.feed(b"*1\r\n:1\r\n")
    with pytest.raises(ProtocolError, match=r"expected '\$', got ':'"):
        next(parser)
    parser.feed(request("PING"))
    with pytest.raises(ProtocolError):
        next(parser)


def test_a_large_argument_in_many_pieces() -> None:
    """Memory follows what arrives, and the request comes out whole."""
    value = bytes(range(256)) * 4096
    stream = request("SET", "k", value) + request("PING")
    pieces = [stream[start : start + 1000] for start in range(0, len(stream), 1000)]
    assert parse(pieces) == ([[b"SET", b"k", value], [b"PING"]], "")


def test_an_announced_length_takes_no_memory() -> None:
    parser = RequestParser()
    stream = b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$536870912\r\nabc"
    parser.feed(stream)
    assert list(parser) == []
    parser.feed(b"def")
    assert list(parser) == []
    assert parser.pending == len(stream) + 3
    assert parser.capacity < 100_000


def test_a_request_with_many_arguments() -> None:
    wanted = [b"%d" % number for number in range(50000)]
    assert parse([request(*wanted), request("PING")]) == ([wanted, [b"PING"]], "")


@pytest.mark.parametrize(
    ("stream", "error"),
    [
        (b"*11\r\n", "unauthenticated multibulk length"),
        (b"*1\r\n$16385\r\n", "unauthenticated bulk length"),
        (b"*10\r\n$16384\r\n", ""),
    ],
)
def test_limits_before_auth(stream: bytes, error: str) -> None:
    _, found = parse([stream], trusted=False)
    assert found == (f"ERR Protocol error: {error}" if error else "")
    assert parse([stream]) == ([], "")


def test_bulk_limit_changes_while_it_works() -> None:
    limits = RequestLimits(10)
    parser = RequestParser(limits)
    parser.feed(request("GET", b"x" * 10))
    assert list(parser) == [[b"GET", b"x" * 10]]
    limits.bulk_bytes = 9
    parser.feed(request("GET", b"x" * 10))
    with pytest.raises(ProtocolError, match="invalid bulk length"):
        list(parser)
