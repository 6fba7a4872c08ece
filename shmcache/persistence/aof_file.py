"""Append-only files: one file of commands, or Redis 7's directory of several with a manifest.

A file is a sequence of commands as clients send them, perhaps after an RDB file as its preamble. A
line that begins with ``#`` is a remark. A manifest has a line for each file::

    file appendonly.aof.1.base.rdb seq 1 type b
    file appendonly.aof.1.incr.aof seq 1 type i
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from shmcache.errors import DamagedFile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from mmap import mmap

__all__ = ["Part", "read_commands", "read_manifest"]

_LONGEST_LINE: Final = 64
_MOST_WORDS: Final = 1 << 20
_LONGEST_WORD: Final = 512 << 20
_PART: Final = re.compile(rb"file (\"(?:[^\"\\]|\\.)*\"|\S+) seq (\d+) type ([bih])")


class Part(NamedTuple):
    """One of a manifest's files."""

    name: str
    sequence: int
    kind: str
    """``b`` the base, ``i`` increments, ``h`` history: no longer needed."""


def read_commands(data: bytes | mmap, at: int = 0) -> Iterator[tuple[int, list[bytes]]]:
    """The offset and the words of each command.

    :raises DamagedFile: something else, or the last command is cut short; offset: where it begins
    """
    end = len(data)
    while at < end:
        if data[at] == ord("#"):
            at = _line_end(data, at, at) + 2
            continue
        start = at
        count, at = _number(data, at, start, ord("*"), _MOST_WORDS)
        words: list[bytes] = []
        for _ in range(count):
            length, at = _number(data, at, start, ord("$"), _LONGEST_WORD)
            if data[at + length : at + length + 2] != b"\r\n":
                raise DamagedFile(_why(at + length + 2 > end, "a word of a wrong length"), start)
            words.append(data[at : at + length])
            at += length + 2
        if not words:
            raise DamagedFile("a command without words", start)
        yield start, words


def _why(cut_short: bool, else_wrong: str) -> str:
    return "the last command is cut short" if cut_short else else_wrong


def _line_end(data: bytes | mmap, at: int, start: int) -> int:
    found = data.find(b"\r\n", at, at + (1 << 16))
    if found < 0:
        raise DamagedFile(_why(at + (1 << 16) > len(data), "a line without an end"), start)
    return found


def _number(data: bytes | mmap, at: int, start: int, mark: int, most: int) -> tuple[int, int]:
    """The number of a line ``*3`` or ``$5``, and where the next line begins."""
    found = data.find(b"\r\n", at, at + _LONGEST_LINE)
    if found < 0:
        raise DamagedFile(_why(at + _LONGEST_LINE > len(data), "no command"), start)
    digits = data[at + 1 : found]
    if data[at] != mark or not digits.isdigit() or int(digits) > most:
        raise DamagedFile("no command", start)
    return int(digits), found + 2


def read_manifest(data: bytes) -> list[Part]:
    """The files that a manifest names, in the order in which they are to be read.

    :raises DamagedFile: it is none
    """
    parts: list[Part] = []
    at = 0
    for line in data.split(b"\n"):
        text = line.strip()
        if text and not text.startswith(b"#"):
            match = _PART.fullmatch(text)
            if match is None:
                raise DamagedFile("not a line of a manifest", at)
            parts.append(Part(_plain(match[1], at), int(match[2]), match[3].decode()))
        at += len(line) + 1
    if sum(part.kind == "b" for part in parts) > 1:
        raise DamagedFile("a manifest with several bases", 0)
    sequences = [part.sequence for part in parts if part.kind == "i"]
    if sequences != sorted(set(sequences)):
        raise DamagedFile("increments that are not in order", 0)
    return parts


def _plain(name: bytes, at: int) -> str:
    if name.startswith(b'"'):
        name = re.sub(rb"\\(.)", rb"\1", name[1:-1])
    text = name.decode("utf-8", "surrogateescape")
    if "/" in text or text in {"", ".", ".."}:
        raise DamagedFile(f"a manifest's file must lie beside it: {text!r}", at)
    return text
