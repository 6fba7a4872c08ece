"""A RESP client as plain as can be, which keeps every reply's type.

A reply is a tuple: its kind, then its content. ``("int", 3)``, ``("bulk", b"x")``, ``("null",)``,
``("array", (...))``, ``("map", ((key, value), ...))`` and so on. A double is the text of Python's
float, so that NaN equals itself and the zeros differ.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import chain
from typing import Any, BinaryIO, TypeAlias

from shmcache.commands.replies import CommandError, NullArray, Reply, SetReply
from shmcache.protocol.doubles import HumanDouble, double_text, human_text

Tagged: TypeAlias = tuple[Any, ...]

TIMEOUT_SECONDS = 20.0


class Connection:
    """One client of a server on a Unix socket."""

    def __init__(self, path: str, resp: int = 2) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(TIMEOUT_SECONDS)
        self._socket.connect(path)
        self._stream: BinaryIO = self._socket.makefile("rb")
        if resp == 3:
            self.execute([b"HELLO", b"3"])

    def execute(self, words: Sequence[bytes]) -> Tagged:
        return self.execute_many([words])[0]

    def execute_many(self, lines: Sequence[Sequence[bytes]]) -> list[Tagged]:
        """Send them all, then read all the replies."""
        self._socket.sendall(b"".join(map(encoded, lines)))
        return [read_reply(self._stream) for _ in lines]

    def close(self) -> None:
        self._stream.close()
        self._socket.close()


def encoded(words: Sequence[bytes]) -> bytes:
    parts = [b"*%d\r\n" % len(words)]
    parts += (b"$%d\r\n%b\r\n" % (len(word), word) for word in words)
    return b"".join(parts)


def read_reply(stream: BinaryIO) -> Tagged:
    line = stream.readline()
    assert line.endswith(b"\r\n"), f"the server hung up after {line!r}"
    kind, rest = line[:1], line[1:-2]
    if kind in _SCALARS:
        name, convert = _SCALARS[kind]
        return (name, convert(rest))
    if kind == b"_" or (kind in b"$*" and rest == b"-1"):
        return ("null",)
    count = int(rest)
    if kind in b"$=":
        body = stream.read(count + 2)[:-2]
        return ("bulk" if kind == b"$" else "verbatim", body)
    if kind == b"%":
        return ("map", tuple((read_reply(stream), read_reply(stream)) for _ in range(count)))
    return (_AGGREGATES[kind], tuple(read_reply(stream) for _ in range(count)))


_SCALARS: dict[bytes, tuple[str, Callable[[bytes], Any]]] = {
    b"+": ("simple", bytes),
    b"-": ("error", bytes),
    b":": ("int", int),
    b",": ("double", lambda text: repr(float(text))),
    b"#": ("bool", lambda text: text == b"t"),
}
_AGGREGATES = {b"*": "array", b"~": "set", b">": "push"}


def tag(reply: Reply, resp: int) -> Tagged:
    """A command's reply as it would come over a connection that speaks ``resp``."""
    match reply:
        case bool():
            return ("bool", reply) if resp == 3 else ("int", int(reply))
        case Mapping():
            pairs = tuple((tag(key, resp), tag(value, resp)) for key, value in reply.items())
            return ("map", pairs) if resp == 3 else ("array", tuple(chain.from_iterable(pairs)))
        case SetReply() | AbstractSet():
            return ("set" if resp == 3 else "array", tuple(tag(part, resp) for part in reply))
        case list() | tuple():
            return ("array", tuple(tag(part, resp) for part in reply))
        case float():
            return ("double", repr(float(reply))) if resp == 3 else ("bulk", _double(reply))
    return _tag_scalar(reply)


def _double(value: float) -> bytes:
    return human_text(value) if isinstance(value, HumanDouble) else double_text(value)


def _tag_scalar(reply: Reply) -> Tagged:
    match reply:
        case None | NullArray():
            return ("null",)
        case int():
            return ("int", reply)
        case bytes():
            return ("bulk", reply)
        case str():
            return ("simple", reply.encode())
        case CommandError():
            return ("error", str(reply).encode("utf-8", "surrogateescape"))
    raise AssertionError(f"no command of a dispatcher's own replies with {type(reply)}")
