"""What two replies on streams have in common: all but the times, and how data are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from differential.wire import Tagged

OWN_FACTS = {
    # how the entries are kept
    *(b"radix-tree-keys", b"radix-tree-nodes"),
    # since 7.2
    *(b"active-time", b"inactive"),
    # times; seen-time is another moment since 7.2
    *(b"seen-time", b"idle"),
}
FACTS = {b"length", b"name", b"groups", b"entries"}
RECENT_MS = 1_500_000_000_000


def forget_times(reply: Tagged) -> Any:
    """The reply without the facts that differ, and with one word for every recent moment."""
    kind, *content = reply
    match kind:
        case "array" | "tuple" | "set":
            return _forget_in_array(content[0])
        case "map":
            pairs = content[0]
        case "int" if content[0] >= RECENT_MS:
            return "a recent moment"
        case "bulk" | "simple":
            return _as_bytes(content[0])
        case _:
            return reply
    return {
        _as_bytes(name[1]): forget_times(value)
        for name, value in pairs
        if _as_bytes(name[1]) not in OWN_FACTS
    }


def _forget_in_array(parts: tuple[Tagged, ...]) -> Any:
    if len(parts) % 2 == 0 and parts and parts[0] in [("bulk", fact) for fact in FACTS]:
        pairs = tuple(zip(parts[::2], parts[1::2], strict=True))
        return forget_times(("map", pairs))
    if _is_pending(parts):
        return [forget_times(part) for part in (*parts[:2], parts[3])]
    return [forget_times(part) for part in parts]


def _is_pending(parts: tuple[Tagged, ...]) -> bool:
    """XPENDING's [id, consumer, idle time, deliveries], or XINFO's with the time of delivery."""
    return [part[0] for part in parts] == ["bulk", "bulk", "int", "int"]


def _as_bytes(text: bytes | str) -> bytes:
    return text.encode() if isinstance(text, str) else text
