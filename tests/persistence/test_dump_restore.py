"""DUMP and RESTORE: what one server dumps, the other restores, in both directions."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings

from persistence.made import VALUES
from shmcache.persistence._crc64 import crc64
from shmcache.persistence.payload import dump_value, load_value
from shmcache.persistence.values import (
    HashValue,
    SetValue,
    SortedSetValue,
    StreamValue,
    Value,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from server.wire import Wire

READS = {
    "string": [["GET", "k"]],
    "list": [["LRANGE", "k", "0", "-1"]],
    "set": [["SMEMBERS", "k"]],
    "hash": [["HGETALL", "k"]],
    "zset": [["ZRANGE", "k", "0", "-1", "WITHSCORES"]],
    "stream": [
        ["XRANGE", "k", "-", "+"],
        ["XINFO", "STREAM", "k"],
        ["XINFO", "GROUPS", "k"],
        ["XPENDING", "k", "g1"],
        ["XPENDING", "k", "g1", "-", "+", "100"],
    ],
}
UNORDERED = {"set", "hash"}


def lines_of(rng: random.Random, kind: str) -> list[list[str]]:
    """Commands that make a value of some size at the key ``k``."""
    count = rng.choice([1, 5, 127, 129, 600])
    words = [
        rng.choice(
            [f"{rng.randrange(-(1 << 40), 1 << 40)}", f"e{n}", "long" * rng.randrange(1, 60)]
        )
        + f":{n}" * rng.randrange(2)
        for n in range(count)
    ]
    if kind == "string":
        return [["SET", "k", rng.choice(["", "12", "-70000", "text", "ab" * 5000, words[0]])]]
    if kind == "stream":
        return stream_lines(rng, count)
    if kind == "set" and rng.random() < 0.4:
        words = [f"{rng.randrange(-(1 << 34), 1 << 34)}" for _ in range(count)]
    pairs = [item for n, word in enumerate(words) for item in (word, f"{n / 8}")]
    scored = [item for n, word in enumerate(words) for item in (f"{n / 8 - 9}", word)]
    return [
        {
            "list": ["RPUSH", "k", *words],
            "set": ["SADD", "k", *words],
            "hash": ["HSET", "k", *pairs],
            "zset": ["ZADD", "k", *scored],
        }[kind]
    ]


def stream_lines(rng: random.Random, count: int) -> list[list[str]]:
    lines = [["XGROUP", "CREATE", "k", name, "0", "MKSTREAM"] for name in ("g1", "g2")]
    for n in range(count):
        fields = ["f", str(n)] if rng.random() < 0.8 else ["other", "x" * 30, "f", "-5"]
        lines.append(["XADD", "k", f"{1000 + n // 3}-{n}", *fields])
    lines.append(["XREADGROUP", "GROUP", "g1", "ann", "COUNT", "7", "STREAMS", "k", ">"])
    lines.append(["XREADGROUP", "GROUP", "g1", "bob", "COUNT", "3", "STREAMS", "k", ">"])
    lines += [["XDEL", "k", f"{1000 + n // 3}-{n}"] for n in range(0, count, 4)]
    lines.append(["XSETID", "k", "5000-1", "ENTRIESADDED", "9999", "MAXDELETEDID", "1100-0"])
    return lines


def contents(wire: Wire, kind: str) -> list[object]:
    """What the key holds as far as it can be seen from outside; times of streams do not count."""
    found: list[object] = [wire.run("TYPE", "k")]
    for words in READS[kind]:
        lines = wire.run(*words).split(b"\r\n")
        if kind in UNORDERED:
            lines = sorted(lines)
        now = time.time() * 1000
        found.append([line for line in lines if not is_time(line, now)])
    return found


def is_time(line: bytes, now_ms: float) -> bool:
    """A time of some seconds ago, or how long ago that was."""
    number = line.removeprefix(b":")
    return number.isdigit() and (abs(int(number) - now_ms) < 1e6 or 0 < int(number) < 1e5)


def same_after(source: Wire, target: Wire, kind: str) -> None:
    payload = source.value("DUMP", "k")
    assert payload is not None
    target.run("DEL", "k")
    assert target.run("RESTORE", "k", "0", payload) == b"+OK\r\n"
    assert contents(target, kind) == contents(source, kind)


@pytest.mark.parametrize("kind", READS)
def test_there_and_back(wires: tuple[Wire, Wire], kind: str) -> None:
    redis, ours = wires
    rng = random.Random(kind)
    for _ in range(12):
        for wire in wires:
            wire.run("DEL", "k")
        for line in lines_of(rng, kind):
            assert not redis.run(*line).startswith(b"-")
        same_after(redis, ours, kind)
        redis.run("DEL", "k")
        same_after(ours, redis, kind)


@given(value=VALUES)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_value(wires: tuple[Wire, Wire], value: Value) -> None:
    """What is made here is loaded there, and comes back the same by way of both."""
    if isinstance(value, HashValue):
        value = HashValue(value.items, {})  # redis-server 7.0 has no lifetimes of fields
    for wire in wires:
        assert wire.run("RESTORE", "k", "0", dump_value(value), "REPLACE") == b"+OK\r\n"
        back = wire.value("DUMP", "k")
        assert back is not None
        assert comparable(load_value(back)) == comparable(value)


def comparable(value: Value) -> object:
    if isinstance(value, SetValue):
        return sorted(value.members)
    if isinstance(value, HashValue):
        return dict(zip(value.items[::2], value.items[1::2], strict=True))
    if isinstance(value, SortedSetValue):
        return dict(zip(value.members, value.scores, strict=True))
    if isinstance(value, StreamValue):
        groups = [
            group._replace(consumers=sorted(each._replace(active_ms=0) for each in group.consumers))
            for group in sorted(value.groups)
        ]
        return value._replace(groups=groups)
    return value


def restore(*words: bytes | str) -> list[bytes | str]:
    return ["RESTORE", *words]


def odd_lines(payload: bytes) -> Sequence[list[bytes | str]]:
    """Calls of RESTORE that something is wrong with, or that use an option."""
    strange = b"\x07" + payload[1:-8]
    return (
        restore("there", "0", payload),
        restore("k", "-1", payload),
        restore("k", "soon", payload),
        restore("k", "0", payload[:-1]),
        restore("k", "0", b""),
        restore("k", "0", b"short"),
        restore("k", "0", strange + crc64(strange).to_bytes(8, "little")),
        restore("k", "0", payload, "REPLACE", "FROG"),
        restore("k", "0", payload, "IDLETIME"),
        restore("k", "0", payload, "IDLETIME", "-1"),
        restore("k", "0", payload, "IDLETIME", "x"),
        restore("k", "0", payload, "FREQ", "256"),
        restore("k", "0", payload, "FREQ", "-1"),
        restore("k", "0", payload, "IDLETIME", "5", "FREQ", "5"),
        restore("k", "0"),
        restore("k", "0", payload, "IDLETIME", "1000"),
        restore("k", "0", payload, "FREQ", "100", "REPLACE"),
        restore("there", "100000", payload, "replace"),
        ["PEXPIRETIME", "gone"],
        restore("gone", "1", payload, "ABSTTL"),
        ["EXISTS", "gone"],
        restore("there", "1", payload, "ABSTTL", "REPLACE"),
        ["EXISTS", "there"],
        restore("later", "9999999999999", payload, "ABSTTL"),
        ["PEXPIRETIME", "later"],
        restore("later", "9223372036854775807", payload, "REPLACE"),
        ["DUMP", "nothing"],
        ["DUMP"],
    )


def test_errors_and_options(wires: tuple[Wire, Wire]) -> None:
    replies = []
    for wire in wires:
        wire.run("SET", "there", "value")
        payload = wire.value("DUMP", "there")
        assert payload is not None
        replies.append([(line, wire.run(*line)) for line in odd_lines(payload)])
    assert replies[1] == replies[0]


def test_what_eviction_goes_by(wires: tuple[Wire, Wire]) -> None:
    for wire in wires:
        wire.run("CONFIG", "SET", "maxmemory-policy", "allkeys-lfu")
        wire.run("SET", "k", "value")
        payload = wire.value("DUMP", "k")
        assert payload is not None
        wire.run("RESTORE", "k", "0", payload, "REPLACE", "FREQ", "77")
        assert wire.run("OBJECT", "FREQ", "k") == b":77\r\n"
        wire.run("CONFIG", "SET", "maxmemory-policy", "noeviction")


def test_lifetimes_of_fields(wires: tuple[Wire, Wire]) -> None:
    """Redis 7.0 has none, so ours come back to ours."""
    _, ours = wires
    ours.run("HSET", "k", "f", "1", "g", "2")
    ours.run("HPEXPIREAT", "k", "9999999999999", "FIELDS", "1", "f")
    payload = ours.value("DUMP", "k")
    assert payload is not None
    ours.run("RESTORE", "copy", "0", payload)
    assert ours.run("HPEXPIRETIME", "copy", "FIELDS", "2", "f", "g") == (
        b"*2\r\n:9999999999999\r\n:-1\r\n"
    )
