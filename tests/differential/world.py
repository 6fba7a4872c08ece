"""Everybody who is to answer alike, in step: several doors of ours, each beside its oracle."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple, Protocol

from differential.compare import same_reply
from differential.randoms import restored_by
from differential.scans import check_scan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from differential.wire import Tagged

SHRINK_SECONDS = 30.0
MOST_WORDS = 40


class Answering(Protocol):
    def execute(self, *words: bytes) -> Tagged: ...
    def execute_many(self, lines: Sequence[Sequence[bytes]]) -> list[Tagged]: ...
    def close(self) -> None: ...


class Beside(NamedTuple):
    """An oracle, and those of ours that speak the same protocol, by name."""

    oracle: Answering
    ours: dict[str, Answering]


class Step(NamedTuple):
    """``send`` a line; a line with a ``random`` outcome; ``scan`` from the start to the end."""

    kind: str
    words: Sequence[bytes]


class Difference(AssertionError):
    """Two replies that should be alike are not."""


CONTENTS = {
    b"none": (b"EXISTS",),
    b"string": (b"GET",),
    b"list": (b"LRANGE", b"0", b"-1"),
    b"set": (b"SMEMBERS",),
    b"zset": (b"ZRANGE", b"0", b"-1", b"WITHSCORES"),
    b"hash": (b"HGETALL",),
    b"stream": (b"XRANGE", b"-", b"+"),
}


class World:
    """Sides that hold the same, by construction, as long as no difference was found."""

    def __init__(self, pairs: Iterable[Beside]) -> None:
        self._pairs = list(pairs)
        self._judge = self._pairs[0].oracle
        self.history: list[Step] = []

    def close(self) -> None:
        for side in self._everybody():
            side.close()

    def _everybody(self) -> list[Answering]:
        return [side for pair in self._pairs for side in (pair.oracle, *pair.ours.values())]

    def reset(self) -> None:
        """Delete every key, which also is a test of deleting."""
        self.history.clear()
        for side in self._everybody():
            keys = [part[1] for part in _parts(side.execute(b"KEYS", b"*"))]
            if keys:
                side.execute(b"DEL", *keys)
            assert side.execute(b"DBSIZE") == ("int", 0)

    # ---- steps -----------------------------------------------------------------------------------

    def send(self, lines: Sequence[Sequence[bytes]]) -> None:
        """Everybody carries the lines out, and every reply is compared.

        :raises Difference: with the shortest script that still shows one
        """
        self.history += (Step("send", line) for line in lines)
        self._or_explain(lambda: self._send(lines))

    def take(self, step: Step) -> None:
        """A step that is more than one line."""
        self.history.append(step)
        self._or_explain(lambda: self._take(step))

    def compare_contents(self) -> None:
        """Every key: type, encoding, time of death, and all that is in it."""
        self._or_explain(self._compare_contents)

    def _send(self, lines: Sequence[Sequence[bytes]]) -> None:
        for pair in self._pairs:
            expected = pair.oracle.execute_many(lines)
            for name, side in pair.ours.items():
                replies = side.execute_many(lines)
                for words, theirs, ours in zip(lines, expected, replies, strict=True):
                    _require(same_reply(words, theirs, ours), name, words, theirs, ours)

    def _take(self, step: Step) -> None:
        if step.kind == "send":
            self._send([step.words])
        elif step.kind == "scan":
            self._each(step.words, check_scan)
        else:
            self._each(step.words, restored_by(self._judge, step.words).check)

    def _each(
        self, words: Sequence[bytes], check: Callable[..., tuple[bool, Tagged, Tagged]]
    ) -> None:
        for pair in self._pairs:
            for name, side in pair.ours.items():
                alike, theirs, ours = check(words, pair.oracle, side)
                _require(alike, name, words, theirs, ours)

    def _compare_contents(self) -> None:
        keys = sorted(part[1] for part in _parts(self._judge.execute(b"KEYS", b"*")))
        types = self._judge.execute_many([[b"TYPE", key] for key in keys])
        lines = [[b"KEYS", b"*"], [b"DBSIZE"]]
        for key, (_, kind) in zip(keys, types, strict=True):
            name, *options = CONTENTS[kind]
            lines += [[b"TYPE", key], [b"OBJECT", b"ENCODING", key], [b"PEXPIRETIME", key]]
            lines.append([name, key, *options])
            if kind == b"stream":
                lines.append([b"XINFO", b"STREAM", key, b"FULL", b"COUNT", b"0"])
        self._send(lines)

    # ---- failing ---------------------------------------------------------------------------------

    def _or_explain(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Difference as difference:
            script = list(self.history)
            shortest, last = self._shrunk(script, difference)
            self.history = script
            raise Difference(f"{last}\n\n{as_text(shortest)}\n") from None

    def _shrunk(self, script: list[Step], difference: Difference) -> tuple[list[Step], Difference]:
        """Leave steps out as long as something still differs."""
        deadline = time.monotonic() + SHRINK_SECONDS
        size = len(script)
        while size and time.monotonic() < deadline:
            at = 0
            while at < len(script) and time.monotonic() < deadline:
                shorter = script[:at] + script[at + size :]
                found = self._replay(shorter)
                if found is None:
                    at += size
                else:
                    script, difference = shorter, found
            size //= 2
        return script, difference

    def _replay(self, script: Sequence[Step]) -> Difference | None:
        self.reset()
        try:
            for step in script:
                self._take(step)
            self._compare_contents()
        except Difference as difference:
            return difference
        return None


def _require(alike: bool, name: str, words: Sequence[bytes], theirs: Tagged, ours: Tagged) -> None:
    if not alike:
        raise Difference(
            f"{name} differs in {line_text(words)}\nredis  {_cut(theirs)}\nours   {_cut(ours)}"
            f"{_place(theirs, ours)}"
        )


def _place(theirs: Tagged, ours: Tagged, path: str = "") -> str:
    """Where the first difference inside long replies is."""
    if theirs[0] != ours[0] or theirs[0] not in {"array", "set", "tuple", "map"}:
        return f"\nat {path}: {_cut(theirs)}, {_cut(ours)}" if path else ""
    is_map = theirs[0] == "map"
    for at, (mine, yours) in enumerate(zip(theirs[1], ours[1], strict=False)):
        if mine != yours:
            one, other = (("array", mine), ("array", yours)) if is_map else (mine, yours)
            return _place(one, other, f"{path}[{at}]")
    return f"\nat {path}: {len(theirs[1])} and {len(ours[1])} parts"


def _cut(reply: Tagged, most: int = 3000) -> str:
    text = repr(reply)
    return text if len(text) <= most else f"{text[:most]}... ({len(text)} characters)"


def line_text(words: Sequence[bytes]) -> str:
    """As redis-cli takes it, but for lines so long that nobody reads them."""
    left_out = f" ... and {len(words) - MOST_WORDS} words" if len(words) > MOST_WORDS else ""
    return " ".join(map(_quoted, words[:MOST_WORDS])) + left_out


def _quoted(word: bytes) -> str:
    text = "".join(chr(byte) if 32 < byte < 127 else f"\\x{byte:02x}" for byte in word)
    return text if word and "\\" not in text and '"' not in text else f'"{text}"'


def as_text(script: Iterable[Step]) -> str:
    return "\n".join(
        line_text(step.words) + ("" if step.kind == "send" else f"   # {step.kind}")
        for step in script
    )


def _parts(reply: Tagged) -> Sequence[Tagged]:
    assert reply[0] in {"array", "set"}, reply
    return list(reply[1])
