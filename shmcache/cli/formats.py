"""Replies as text, byte for byte as redis-cli writes them.

Every function returns whole output, its last newline included.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from shmcache.cli.quoting import json_quote, quote, quoted_json
from shmcache.cli.resp import Reply

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Style", "format_push", "format_reply", "raw_text"]

_EMPTY: Final = {
    "array": b"(empty array)",
    "map": b"(empty hash)",
    "set": b"(empty set)",
    "push": b"(empty push)",
}
_INDEX_MARK: Final = {"array": b")", "push": b")", "map": b"#", "set": b"~"}


class Style(NamedTuple):
    """How replies are shown."""

    output: str
    """``standard raw csv json quoted-json``."""
    between: bytes = b"\n"
    """Raw: between the parts of a reply (``-d``)."""
    after: bytes = b"\n"
    """Raw: after a reply (``-D``)."""


def format_reply(reply: Reply, style: Style, *, plain: bool = False) -> bytes:
    """Return a reply as output.

    :param plain: its text alone, as for INFO, whatever the style
    """
    if plain:
        return raw_text(reply, style.between)
    if style.output == "raw":
        return raw_text(reply, style.between) + style.after
    if style.output == "csv":
        return _csv(reply) + b"\n"
    if style.output == "standard":
        return _standard(reply, b"")
    return _json(reply, json_quote if style.output == "json" else quoted_json) + b"\n"


def format_push(reply: Reply, style: Style) -> bytes:
    """Return what the server said without being asked."""
    items = reply.items
    if (
        style.output == "standard"
        and len(items) == 2
        and items[0] == Reply("string", b"invalidate")
        and items[1].kind == "array"
    ):
        keys = b", ".join(b"'%s'" % key.text for key in items[1].items)
        return b"-> invalidate: " + keys + b"\n"
    return format_reply(reply, style)


def raw_text(reply: Reply, between: bytes) -> bytes:
    """Return a reply's text without any decoration."""
    if reply.kind == "error":
        return reply.text + b"\n"
    if reply.kind == "bool":
        return b"(%s)" % reply.text
    if reply.kind == "map":
        pairs = zip(reply.items[::2], reply.items[1::2], strict=True)
        return between.join(
            raw_text(key, between) + b" " + raw_text(value, between) for key, value in pairs
        )
    if reply.is_aggregate:
        return between.join(raw_text(item, between) for item in reply.items)
    return reply.text


def _standard(reply: Reply, prefix: bytes) -> bytes:
    if reply.is_aggregate:
        return _indexed(reply, prefix) if reply.items else _EMPTY[reply.kind] + b"\n"
    if reply.kind == "string":
        return quote(reply.text) + b"\n"
    if reply.kind in {"status", "verbatim", "number"}:
        return reply.text + b"\n"
    if reply.kind == "nil":
        return b"(nil)\n"
    if reply.kind == "bool":
        return b"(%s)\n" % reply.text
    return b"(%s) %s\n" % (reply.kind.encode(), reply.text)


def _indexed(reply: Reply, prefix: bytes) -> bytes:
    """One numbered line an element; what is inside an element is indented below its number."""
    step = 2 if reply.kind == "map" else 1
    width = len(str(len(reply.items) // step))
    inner = prefix + b" " * (width + 2)
    mark = _INDEX_MARK[reply.kind]
    lines = []
    for at in range(0, len(reply.items), step):
        indent = prefix if at else b""  # the first stands where the caller's number ends
        lines.append(indent + b"%*d%s " % (width, at // step + 1, mark))
        if step == 1:
            lines.append(_standard(reply.items[at], inner))
            continue
        key, value = reply.items[at : at + 2]
        shown = _standard(value, inner)
        lines.append(_standard(key, inner)[:-1] + b" => ")
        lines.append(b"\n" + inner + shown if _has_several(value) else shown)
    return b"".join(lines)


def _has_several(reply: Reply) -> bool:
    """Whether it, or the one thing in it, has more than one element."""
    while reply.is_aggregate and reply.items:
        if len(reply.items) > (2 if reply.kind == "map" else 1):
            return True
        reply = reply.items[-1]
    return False


def _csv(reply: Reply) -> bytes:
    if reply.is_aggregate:
        return b",".join(map(_csv, reply.items))
    if reply.kind == "error":
        return b"ERROR," + quote(reply.text)
    if reply.kind == "nil":
        return b"NULL"
    if reply.kind in {"integer", "double", "bool", "number"}:
        return reply.text
    return quote(reply.text)


def _json(reply: Reply, as_string: Callable[[bytes], bytes]) -> bytes:
    if reply.kind == "map":
        pairs = zip(reply.items[::2], reply.items[1::2], strict=True)
        members = [
            _json_key(key, as_string) + b":" + _json(value, as_string) for key, value in pairs
        ]
        return b"{" + b",".join(members) + b"}"
    if reply.is_aggregate:
        return b"[" + b",".join(_json(item, as_string) for item in reply.items) + b"]"
    if reply.kind == "error":
        return b"error:" + as_string(reply.text)
    if reply.kind == "nil":
        return b"null"
    if reply.kind in {"integer", "double", "bool", "number"}:
        return reply.text
    return as_string(reply.text)


def _json_key(key: Reply, as_string: Callable[[bytes], bytes]) -> bytes:
    """Names must be strings in JSON: the text of what is none becomes one. redis-cli 7.0 forgets to
    escape the quotes in it.
    """
    if key.kind in {"status", "string", "verbatim", "error"}:
        return _json(key, as_string)
    return as_string(_json(key, as_string))
