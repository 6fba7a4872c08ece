"""SPOP, SRANDMEMBER, HRANDFIELD, ZRANDMEMBER: valid replies of the same shape, then one outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from differential.wire import Tagged
    from differential.world import Answering

RANDOM_COMMANDS = frozenset({b"SPOP", b"SRANDMEMBER", b"HRANDFIELD", b"ZRANDMEMBER"})
_VALUED = frozenset({b"WITHVALUES", b"WITHSCORES"})
_READERS = {
    b"set": (b"SMEMBERS",),
    b"hash": (b"HGETALL",),
    b"zset": (b"ZRANGE", b"0", b"-1", b"WITHSCORES"),
}


class Before(NamedTuple):
    """What a key held before a command that takes from it at random."""

    members: dict[bytes, bytes | None]
    """With values or scores, or without."""
    lines: list[list[bytes]]
    """What puts everything back."""

    def check(
        self, words: Sequence[bytes], oracle: Answering, side: Answering
    ) -> tuple[bool, Tagged, Tagged]:
        theirs, ours = oracle.execute(*words), side.execute(*words)
        for either in (oracle, side):
            either.execute_many(self.lines)
        return self._alike(words, theirs, ours), theirs, ours

    def _alike(self, words: Sequence[bytes], theirs: Tagged, ours: Tagged) -> bool:
        if theirs[0] in {"error", "null", "int"}:
            return theirs == ours
        if _form(theirs) != _form(ours):
            return False
        drawn = list(_leaves(ours))
        if words[-1].upper() in _VALUED:
            pairs = list(zip(drawn[::2], drawn[1::2], strict=True))
            if not all(self._has(member, value) for member, value in pairs):
                return False
            drawn = drawn[::2]
        names = [_text(member) for member in drawn]
        repeats = len(words) > 2 and words[2].startswith(b"-")
        return all(name in self.members for name in names) and (
            repeats or len(set(names)) == len(names)
        )

    def _has(self, member: Tagged, value: Tagged) -> bool:
        expected = self.members.get(_text(member), b"")
        text = _text(value)
        if value[0] == "double" or expected is None:
            return expected is not None and float(expected) == float(text)
        return expected == text or _is_same_number(expected, text)


def restored_by(judge: Answering, words: Sequence[bytes]) -> Before:
    """Look at the key of a random command, before it."""
    kind = judge.execute(b"TYPE", *words[1:2])[-1] if len(words) > 1 else b"none"
    if kind not in _READERS:
        return Before({}, [])
    key = words[1]
    name, *options = _READERS[kind]
    leaves = [_text(leaf) for leaf in _leaves(judge.execute(name, key, *options))]
    if kind == b"set":
        death = judge.execute(b"PEXPIRETIME", key)[1]
        lines = [[b"DEL", key], [b"SADD", key, *leaves]]
        if death > 0:
            lines.append([b"PEXPIREAT", key, b"%d" % death])
        return Before(dict.fromkeys(leaves), lines if words[0].upper() == b"SPOP" else [])
    return Before(dict(zip(leaves[::2], leaves[1::2], strict=True)), [])


def _form(reply: Tagged) -> object:
    """The types of all parts."""
    kind, *content = reply
    match kind:
        case "array" | "set" | "tuple":
            return kind, [_form(part) for part in content[0]]
        case "map":
            return kind, [(_form(name), _form(value)) for name, value in content[0]]
    return kind


def _leaves(reply: Tagged) -> Iterator[Tagged]:
    kind, *content = reply
    match kind:
        case "array" | "set" | "tuple":
            for part in content[0]:
                yield from _leaves(part)
        case "map":
            for pair in content[0]:
                for part in pair:
                    yield from _leaves(part)
        case _:
            yield reply


def _text(leaf: Tagged) -> bytes:
    content = leaf[1]
    return content if isinstance(content, bytes) else str(content).encode()


def _is_same_number(expected: bytes, text: bytes) -> bool:
    try:
        return float(expected) == float(text)
    except ValueError:
        return False
