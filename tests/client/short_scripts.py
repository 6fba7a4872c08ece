"""Calls of the methods on containers that are bound natively, odd arguments included."""

from __future__ import annotations

from typing import Any

from client.scripts import BINARY, LONG, MAX64, MIN64, Script, call

__all__ = ["CONTAINER_SCRIPTS"]


def _hashes() -> Script:
    script = [
        call("hset", "h", "f", "v"),
        call("hset", "h", "f", "w"),
        call("hset", b"h", b"g", 12),
        call("hset", "h", "n", -5),
        call("hset", "h", 7, 1.5),
        call("hset", "h", "wide", "wörld"),
        call("hset", "h", mapping={"a": 1, b"b": "two", 3: b"three"}),
        call("hset", "h", mapping={"a": 2, "new": 2}),
        call("hset", "h", "x", "y", mapping={"z": 1}),
        call("hset", "h", items=["i", "j"]),
        call("hset", "h", mapping={f"many:{n}": n for n in range(20)}),
        call("hset", "h"),
        call("hset", "h", mapping={}),
        call("hset", "h", "f"),
        call("hset", "h", "f", None),
        call("hset", "h", mapping={"f": None}),
        call("hset", name="named", key="f", value="v"),
        call("hset", "big", "f", LONG),
        call("hset", "big", BINARY, BINARY),
    ]
    script += [
        call("hget", "h", field) for field in ("f", b"g", 7, "wide", "missing", "", None, 1.5)
    ]
    script += [call("hget", "missing", "f"), call("hget", "h"), call("hget", name="h", key="f")]
    script += [call("hget", "big", "f"), call("hget", "big", BINARY)]
    script += [call("hexists", "h", field) for field in ("f", b"b", 3, "nope")]
    script += [call("hexists", "missing", "f"), call("hlen", "h"), call("hlen", "missing")]
    return script


def _more_of_hashes() -> Script:
    return [
        call("hset", "h", mapping={"f": "v", b"g": 12, "n": -5, 7: "seven"}),
        call("hset", "named", "f", "v"),
        call("hmget", "h", ["f", "nope", b"g"]),
        call("hmget", "h", ("f",)),
        call("hmget", "h", "f", "g", "nope"),
        call("hmget", "h", ["f"], "g"),
        call("hmget", "h", [7, "f"]),
        call("hmget", "h", []),
        call("hmget", "missing", ["a", "b"]),
        call("hmget", "h", {"f": 1}),
        call("hgetall", "named"),
        call("hgetall", "missing"),
        call("hincrby", "h", "n"),
        call("hincrby", "h", "n", 10),
        call("hincrby", "h", "n", -20),
        call("hincrby", "h", "n", MAX64),
        call("hincrby", "h", "n", MAX64),
        call("hincrby", "h", "n", MIN64),
        call("hincrby", "h", "f"),
        call("hincrby", "h", "fresh", 3),
        call("hincrby", "h", "fresh", "4"),
        call("hincrby", "h", "fresh", 1 << 63),
        call("hincrby", "h", "fresh", 1.5),
        call("hincrby", "h", "fresh", amount=2),
        call("hdel", "h", "f"),
        call("hdel", "h", "f", "g", "nope", 7),
        call("hdel", "h"),
        call("hdel", "missing", "f"),
        call("hdel", "named", "f"),
        call("exists", "named"),
    ]


def _sets() -> Script:
    return [
        call("sadd", "s", "a", b"b", 3, -4, 1.5, "ü"),
        call("sadd", "s", "a", "c"),
        call("sadd", "s"),
        call("sadd", "s", None),
        call("sadd", "s", *range(20)),
        call("smembers", "s"),
        call("smembers", "missing"),
        call("scard", "s"),
        call("scard", "missing"),
        *(call("sismember", "s", member) for member in ("a", b"b", 3, "3", "no", 1.5, None)),
        call("sismember", "missing", "a"),
        call("sismember", name="s", value="a"),
        call("srem", "s", "a"),
        call("srem", "s", "a", 3, b"b", "no"),
        call("srem", "s"),
        call("srem", "missing", "a"),
        call("sadd", "gone", "only"),
        call("srem", "gone", "only"),
        call("exists", "gone"),
        call("smembers", "s"),
    ]


def _lists() -> Script:
    script = [
        call("rpush", "l", "a", b"b", 3, 1.5, "ü"),
        call("lpush", "l", "x", "y"),
        call("lpush", "l"),
        call("rpush", "l", None),
        call("rpush", "l", *range(20)),
        call("llen", "l"),
        call("llen", "missing"),
        call("rpush", "big", LONG, BINARY),
        call("lrange", "big", 0, -1),
    ]
    script += [call("lindex", "l", index) for index in (0, 1, -1, 99, -99, "2", "x", 1 << 63, None)]
    script += [call("lindex", "missing", 0), call("lindex", name="l", index=2)]
    script += [
        call("lrange", "l", start, end)
        for start in (0, 1, -3, 99, "1", MIN64)
        for end in (-1, 0, 5, -99, "3", MAX64)
    ]
    script += [
        call("lrange", "missing", 0, -1),
        call("lrange", "l", "x", 1),
        call("lpop", "l"),
        call("rpop", "l"),
        call("lpop", "l", 2),
        call("rpop", "l", 3),
        call("rpop", "l", count=2),
        call("lpop", "l", 0),
        call("lpop", "l", -1),
        call("lpop", "l", "1"),
        call("lpop", "missing"),
        call("rpop", "missing", 2),
        call("lpop", "missing", 0),
        call("lpop", "l", 100),
        call("exists", "l"),
    ]
    return script


def _sorted_sets() -> Script:
    inf, nan = float("inf"), float("nan")
    script = [
        call("zadd", "z", {"a": 1, b"b": 2.5, "c": -3}),
        call("zadd", "z", {"a": 2}),
        call("zadd", "z", {"i": inf, "j": -inf, 7: 0.1}),
        call("zadd", "z", {"n": nan}),
        call("zadd", "z", {"t": "1.5"}),
        call("zadd", "z", {"t": "x"}),
        call("zadd", "z", {"t": True}),
        call("zadd", "z", {}),
        call("zadd", "z", {"large": (1 << 53) + 1, "larger": 1 << 70, "zero": -0.0}),
        call("zadd", "z", {f"many:{n}": n for n in range(20)}),
        call("zadd", "z", {"a": 9}, nx=True),
        call("zadd", "z", {"a": 9}, xx=True, ch=True),
        call("zadd", "z", {"a": 1}, incr=True),
        call("zcard", "z"),
        call("zcard", "missing"),
    ]
    members = ("a", b"b", 7, "i", "j", "large", "zero", "nope", None, 1.5)
    script += [call("zscore", "z", member) for member in members]
    script += [call("zrank", "z", member) for member in members]
    script += [
        call("zscore", "missing", "a"),
        call("zrank", "missing", "a"),
        call("zrange", "z", 0, -1),
        call("zrange", "z", 0, -1, withscores=True),
        call("zrange", "z", 0, 2, withscores=False),
        call("zrange", "z", 0, 2, withscores=1),
        call("zrange", "z", 0, 2, True),
        call("zrange", "z", 0, 2, withscores=True, score_cast_func=int),
        call("zrange", "z", 0, 2, withscores=True, desc=True),
        call("zrange", "z", -5, -2),
        call("zrange", "z", 5, 2),
        call("zrange", "z", 99, 100),
        call("zrange", "z", MIN64, MAX64),
        call("zrange", "z", "1", "2"),
        call("zrange", "z", "x", 2),
        call("zrange", "missing", 0, -1, withscores=True),
        call("zincrby", "z", 2, "a"),
        call("zincrby", "z", 0.5, "a"),
        call("zincrby", "z", "1", "a"),
        call("zincrby", "z", -inf, "i"),
        call("zincrby", "z", nan, "a"),
        call("zincrby", "z", 5, "fresh"),
        call("zrange", "z", 0, -1, withscores=True),
    ]
    return script


def _wrong_types() -> Script:
    """Every method on a key of every other type."""
    reads: list[tuple[Any, ...]] = [
        ("hget", "f"),
        ("hgetall",),
        ("hlen",),
        ("hexists", "f"),
        ("hmget", ["f"]),
    ]
    reads += [("sismember", "m"), ("smembers",), ("scard",), ("lindex", 0), ("lrange", 0, -1)]
    reads += [("llen",), ("zscore", "m"), ("zrank", "m"), ("zcard",), ("zrange", 0, -1)]
    reads += [("lrange", 5, 2), ("zrange", 5, 2), ("get",), ("strlen",)]
    writes: list[tuple[Any, ...]] = [
        ("hset", "f", "v"),
        ("hdel", "f"),
        ("hincrby", "f"),
        ("sadd", "m"),
        ("srem", "m"),
    ]
    writes += [("lpush", "m"), ("rpush", "m"), ("lpop",), ("rpop",), ("lpop", 2)]
    writes += [("zadd", {"m": 1}), ("zincrby", 1, "m"), ("incr",), ("append", "x")]
    script = [
        call("set", "string", "v"),
        call("hset", "hash", "x", "y"),
        call("sadd", "set", "x"),
        call("rpush", "list", "x"),
        call("zadd", "zset", {"x": 1}),
    ]
    own = {"hash": "h", "set": "s", "list": "lr", "zset": "z", "string": "gia"}
    for key, letters in own.items():
        for name, *arguments in [*reads, *writes]:
            if name[0] not in letters or name in {"strlen", "smembers", "sismember"}:
                script.append(call(name, key, *arguments))
    script += [call("type", key) for key in own]
    return script


CONTAINER_SCRIPTS: dict[str, Script] = {
    "short-hashes": _hashes(),
    "more-of-hashes": _more_of_hashes(),
    "short-sets": _sets(),
    "short-lists": _lists(),
    "short-sorted-sets": _sorted_sets(),
    "wrong-types": _wrong_types(),
}
