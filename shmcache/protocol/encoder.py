"""Replies as bytes of RESP2 and RESP3.

Python's own types are built in; a caller names further kinds when it makes an :class:`Encoder`:

==============  ==============  ==================
Python          RESP3           RESP2
==============  ==============  ==================
``bytes``       ``$`` bulk      the same
``str``         ``+`` simple    the same
``int``         ``:`` integer   the same
``bool``        ``#``           ``:1``, ``:0``
``None``        ``_``           ``$-1``
``float``       ``,`` double    ``$`` bulk
list, tuple     ``*`` array     the same
``dict``        ``%`` map       ``*`` flat array
set, frozenset  ``~`` set       ``*`` array
==============  ==============  ==================

The forms are those of https://github.com/redis/redis-specifications/blob/master/protocol/RESP3.md.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeAlias

from shmcache.protocol._reply import encode_reply
from shmcache.protocol.doubles import HumanDouble, double_text, human_text

__all__ = ["Encoder", "Writer", "write_aggregate", "write_error", "write_push", "write_verbatim"]

Writer: TypeAlias = Callable[["Encoder", Any, list[bytes], int], None]
"""``writer(encoder, reply, out, resp)`` appends a reply's bytes to ``out``."""

_LONGEST_INTEGER = 1 << 63


class Encoder:
    """Encodes replies.

    :param kinds: writers of types beyond Python's own; subclasses go with their nearest base
    """

    def __init__(self, kinds: Mapping[type, Writer] | None = None) -> None:
        self._writers: dict[type, Writer] = {**_WRITERS, **(kinds or {})}

    def encode(self, reply: object, resp: int) -> bytes:
        """A whole reply.

        :param resp: 2 or 3
        :raises TypeError: there is no writer for something in it
        """
        return encode_reply(reply, resp, self._write_other)

    def write(self, reply: object, out: list[bytes], resp: int) -> None:
        """Append a reply's bytes to ``out``."""
        out.append(encode_reply(reply, resp, self._write_other))

    def _write_other(self, reply: object, out: list[bytes], resp: int) -> None:
        """Append what is not one of the types that are compiled in."""
        writer = self._writers.get(type(reply)) or self._find(type(reply))
        writer(self, reply, out, resp)

    def _find(self, kind: type) -> Writer:
        for base in kind.__mro__:
            writer = self._writers.get(base)
            if writer is not None:
                self._writers[kind] = writer
                return writer
        raise TypeError(f"no reply can be made of {kind.__name__}")


def write_error(out: list[bytes], line: str) -> None:
    """Append an error; ``line`` begins with its code and may hold bytes as surrogate escapes."""
    out.append(b"-%b\r\n" % _one_line(line))


def write_verbatim(out: list[bytes], text: str, kind: str, resp: int) -> None:
    """Append text with its format (``txt``, ``mkd``), which only RESP3 can tell."""
    encoded = text.encode("utf-8", "surrogateescape")
    if resp == 3:
        out.append(b"=%d\r\n%b:%b\r\n" % (len(encoded) + 4, kind.encode(), encoded))
    else:
        out.append(b"$%d\r\n%b\r\n" % (len(encoded), encoded))


def write_aggregate(
    encoder: Encoder, items: Collection[object], out: list[bytes], resp: int, mark: bytes
) -> None:
    """Append an array or what looks like one: ``mark`` is the first byte."""
    out.append(b"%b%d\r\n" % (mark, len(items)))
    for item in items:
        encoder.write(item, out, resp)


def write_push(encoder: Encoder, items: Collection[object], out: list[bytes], resp: int) -> None:
    """Append an out-of-band message."""
    write_aggregate(encoder, items, out, resp, b">" if resp == 3 else b"*")


def _one_line(text: str) -> bytes:
    line = text.encode("utf-8", "surrogateescape")
    return line.replace(b"\r", b" ").replace(b"\n", b" ")


def _write_str(_encoder: Encoder, reply: str, out: list[bytes], _resp: int) -> None:
    out.append(b"+%b\r\n" % _one_line(reply))


def _write_int(_encoder: Encoder, reply: int, out: list[bytes], resp: int) -> None:
    if -_LONGEST_INTEGER <= reply < _LONGEST_INTEGER:
        out.append(b":%d\r\n" % reply)
    elif resp == 3:
        out.append(b"(%d\r\n" % reply)
    else:
        raise TypeError("RESP2 has no integer of more than 64 bits")


def _write_float(_encoder: Encoder, reply: float, out: list[bytes], resp: int) -> None:
    _write_double_text(double_text(reply), out, resp)


def _write_human(_encoder: Encoder, reply: HumanDouble, out: list[bytes], resp: int) -> None:
    _write_double_text(human_text(reply), out, resp)


def _write_double_text(text: bytes, out: list[bytes], resp: int) -> None:
    if resp == 3:
        out.append(b",%b\r\n" % text)
    else:
        out.append(b"$%d\r\n%b\r\n" % (len(text), text))


def _write_array(encoder: Encoder, reply: list[object], out: list[bytes], resp: int) -> None:
    write_aggregate(encoder, reply, out, resp, b"*")


def _write_set(encoder: Encoder, reply: set[object], out: list[bytes], resp: int) -> None:
    write_aggregate(encoder, reply, out, resp, b"~" if resp == 3 else b"*")


def _write_map(
    encoder: Encoder, reply: Mapping[object, object], out: list[bytes], resp: int
) -> None:
    size = len(reply)
    out.append(b"%%%d\r\n" % size if resp == 3 else b"*%d\r\n" % (2 * size))
    for key, value in reply.items():
        encoder.write(key, out, resp)
        encoder.write(value, out, resp)


# Of int, str, list, tuple and dict only what is not compiled: odd ones, and subclasses.
_WRITERS: dict[type, Writer] = {
    str: _write_str,
    int: _write_int,
    float: _write_float,
    HumanDouble: _write_human,
    list: _write_array,
    tuple: _write_array,
    dict: _write_map,
    set: _write_set,
    frozenset: _write_set,
}
