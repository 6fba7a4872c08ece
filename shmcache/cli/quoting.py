"""Words as people type and read them: Redis's quotes and escapes, and JSON's."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["QuotingError", "json_quote", "quote", "quoted_json", "split_line", "unquote"]

_ESCAPES: Final = {0x5C: b"\\\\", 0x22: b'\\"', 10: b"\\n", 13: b"\\r", 9: b"\\t", 7: b"\\a"}
_REPRESENTATION: Final = {
    byte: _ESCAPES.get(byte)
    or (b"\\b" if byte == 8 else b"%c" % byte if 0x20 <= byte < 0x7F else b"\\x%02x" % byte)
    for byte in range(256)
}
_JSON: Final = {
    0x5C: b"\\\\",
    0x22: b'\\"',
    10: b"\\n",
    12: b"\\f",
    13: b"\\r",
    9: b"\\t",
    8: b"\\b",
}
_JSON_SPECIAL: Final = re.compile(rb'[\x00-\x1f"\\]')
_PLAIN: Final = re.compile(rb'[^\s"\'\0]+')
_SPACES: Final = re.compile(rb"[\s\0]*")
_UNESCAPED: Final = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"a": b"\a"}
_HEX: Final = re.compile(rb"\\x([0-9a-fA-F]{2})")


class QuotingError(ValueError):
    """Quotes that do not match."""


def quote(text: bytes) -> bytes:
    """Return ``text`` in double quotes, unprintable bytes escaped."""
    return b'"' + b"".join(map(_REPRESENTATION.__getitem__, text)) + b'"'


def json_quote(text: bytes) -> bytes:
    """Return a JSON string; bytes that are no UTF-8 stay as they are."""

    def escape(found: re.Match[bytes]) -> bytes:
        byte = found[0][0]
        return _JSON.get(byte) or b"\\u%04x" % byte

    return b'"' + _JSON_SPECIAL.sub(escape, text) + b'"'


def quoted_json(text: bytes) -> bytes:
    """Return :func:`quote`'s text with its backslashes doubled: ASCII only."""
    return quote(text).replace(b"\\", b"\\\\")


def split_line(line: bytes) -> list[bytes]:
    r"""Split a line into words as Redis does.

    Double quotes know ``\n \r \t \b \a \xHH``, single quotes ``\'`` only.

    :raises QuotingError: a quote is open at the end, or something follows a closing one
    """
    words: list[bytes] = []
    at = _end_of(_SPACES, line, 0)
    while at < len(line):
        word, at = _word(line, at)
        words.append(word)
        at = _end_of(_SPACES, line, at)
    return words


def unquote(text: bytes) -> bytes:
    """Return what a word of :func:`split_line` stands for.

    :raises QuotingError: it is not exactly one word
    """
    words = split_line(text)
    if len(words) != 1:
        raise QuotingError
    return words[0]


def _end_of(pattern: re.Pattern[bytes], line: bytes, at: int) -> int:
    found = pattern.match(line, at)
    return found.end() if found else at


def _word(line: bytes, at: int) -> tuple[bytes, int]:
    """One word, in which plain parts may come before a quoted one, and where it ends."""
    word = b""
    while at < len(line) and not line[at : at + 1].isspace() and line[at] != 0:
        if line[at : at + 1] in (b'"', b"'"):
            quoted, at = _quoted(line, at)
            return word + quoted, at
        end = _end_of(_PLAIN, line, at)
        word += line[at:end]
        at = end
    return word, at


def _quoted(line: bytes, at: int) -> tuple[bytes, int]:
    mark = line[at : at + 1]
    word = bytearray()
    at += 1
    while at < len(line):
        byte = line[at : at + 1]
        if byte == mark:
            if line[at + 1 : at + 2] not in (b"", b"\0") and not line[at + 1 : at + 2].isspace():
                raise QuotingError
            return bytes(word), at + 1
        taken, at = _escaped(line, at) if mark == b'"' else _single_escaped(line, at)
        word += taken
    raise QuotingError


def _escaped(line: bytes, at: int) -> tuple[bytes, int]:
    if line[at : at + 1] != b"\\" or at + 1 == len(line):
        return line[at : at + 1], at + 1
    if found := _HEX.match(line, at):
        return bytes([int(found[1], 16)]), at + 4
    following = line[at + 1 : at + 2]
    return _UNESCAPED.get(following, following), at + 2


def _single_escaped(line: bytes, at: int) -> tuple[bytes, int]:
    if line[at : at + 2] == b"\\'":
        return b"'", at + 2
    return line[at : at + 1], at + 1
