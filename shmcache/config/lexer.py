r"""Arguments of a configuration line, split and quoted as redis.conf has them.

Arguments are separated by white space. In "double quotes" ``\n \r \t \b \a \\ \"`` and ``\xHH`` are
escapes; in 'single quotes' only ``\'`` is. A closing quote ends its argument. See "Redis
configuration file format", https://redis.io/docs/latest/operate/oss_and_stack/management/config/.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["decode", "encode", "quote", "split_arguments"]

_ESCAPES: Final = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"a": b"\a"}
_QUOTED_AS: Final = {
    0x5C: "\\\\",
    0x22: '\\"',
    0x0A: "\\n",
    0x0D: "\\r",
    0x09: "\\t",
    0x07: "\\a",
    0x08: "\\b",
}
# One argument: a run of plain bytes, then perhaps one quoted part, which must end it.
_PLAIN: Final = re.compile(rb"[^\s\"']*")
_SPACE: Final = re.compile(rb"\s*")
_DOUBLE: Final = re.compile(rb'"((?:[^"\\]|\\.)*)"(?=\s|\Z)', re.DOTALL)
_SINGLE: Final = re.compile(rb"'((?:[^'\\]|\\'|\\(?!'))*)'(?=\s|\Z)")
_DOUBLE_ESCAPE: Final = re.compile(rb"\\(x[0-9a-fA-F]{2}|.)", re.DOTALL)


def decode(raw: bytes) -> str:
    """Turn bytes into text without loss."""
    return raw.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    """Undo :func:`decode`."""
    return text.encode("utf-8", "surrogateescape")


def split_arguments(line: bytes) -> list[str]:
    """Split a line into its arguments.

    :raises ValueError: a quote is not closed, or is closed in the middle of an argument
    """
    if b"\0" in line:
        raise ValueError("NUL byte in configuration line")
    if b'"' not in line and b"'" not in line:
        return [decode(word) for word in line.split()]
    arguments: list[str] = []
    position = 0
    while True:
        position = _skip_space(line, position)
        if position == len(line):
            return arguments
        argument, position = _argument(line, position)
        arguments.append(decode(argument))


def _skip_space(line: bytes, position: int) -> int:
    space = _SPACE.match(line, position)
    assert space is not None
    return space.end()


def _argument(line: bytes, position: int) -> tuple[bytes, int]:
    """Return the argument that starts at ``position``, and where it ends."""
    plain = _PLAIN.match(line, position)
    assert plain is not None
    position = plain.end()
    following = line[position : position + 1]
    if following not in {b'"', b"'"}:
        return plain[0], position
    double = following == b'"'
    quoted = (_DOUBLE if double else _SINGLE).match(line, position)
    if quoted is None:
        raise ValueError("Unbalanced quotes in configuration line")
    inner = quoted[1]
    inner = _DOUBLE_ESCAPE.sub(_unescape, inner) if double else inner.replace(b"\\'", b"'")
    return plain[0] + inner, quoted.end()


def _unescape(match: re.Match[bytes]) -> bytes:
    escape = match[1]
    if len(escape) == 3:
        return bytes((int(escape[1:], 16),))
    return _ESCAPES.get(escape, escape)


def quote(text: str) -> str:
    """Return ``text`` in double quotes, so that :func:`split_arguments` gives it back.

    Everything but printable ASCII is escaped: the result is a line of ASCII in any locale.
    """
    parts = [
        _QUOTED_AS.get(byte) or (chr(byte) if 0x20 <= byte < 0x7F else f"\\x{byte:02x}")
        for byte in encode(text)
    ]
    return '"' + "".join(parts) + '"'
