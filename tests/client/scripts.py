"""Calls whose results must not depend on who answers them, grouped into short scripts.

A script runs on an empty cache. It is a list of calls: a method, its positional and its keyword
arguments.
"""

from __future__ import annotations

import datetime
from typing import Any

__all__ = ["SCRIPTS", "Call", "Script"]

Call = tuple[str, tuple[Any, ...], dict[str, Any]]
Script = list[Call]

FAR = 4_000_000_000
"""A Unix time in seconds that will outlive the test."""
FAR_DATE = datetime.datetime.fromtimestamp(FAR, tz=datetime.UTC)
BINARY = bytes(range(256))
LONG = b"x" * 100_000
MIN64, MAX64 = -(1 << 63), (1 << 63) - 1


def call(name: str, /, *args: Any, **names: Any) -> Call:
    return name, args, names


def _types() -> Script:
    keys = (b"bytes", "str", "ünïcode", 7, 1.5, bytearray(b"array"), memoryview(b"view"), "", b"")
    values = (b"bytes", "str", "wörld", 0, -12, MAX64 + 1, 3.25, 1e300, bytearray(b"a"), b"", "")
    script = [call("set", key, value) for key in keys for value in values[:3]]
    script += [call("set", "v", value) for value in values]
    for value in values:
        script += [call("set", "v", value), call("get", "v"), call("strlen", "v")]
    script += [call("get", key) for key in keys]
    script += [call("exists", key) for key in keys]
    odd: list[Any] = [None, True, [1], {"a": 1}, object]
    script += [call("set", "k", wrong) for wrong in odd]
    odd = [None, True, (1,), {}]
    script += [call("get", wrong) for wrong in odd]
    return script


def _set_options() -> Script:
    return [
        call("set", "a", 1, nx=True),
        call("set", "a", 2, nx=True),
        call("set", "a", 3, xx=True),
        call("set", "b", 3, xx=True),
        call("set", "b", 3, xx=True, nx=True),
        call("set", "a", 4, get=True),
        call("set", "new", 4, get=True),
        call("set", "new2", 4, get=True, nx=True),
        call("set", "a", 5, ex=100),
        call("expiretime", "missing"),
        call("set", "a", 5, exat=FAR),
        call("expiretime", "a"),
        call("set", "a", 6, keepttl=True),
        call("pexpiretime", "a"),
        call("set", "a", 6, pxat=FAR * 1000 + 5),
        call("pexpiretime", "a"),
        call("set", "a", 6, exat=FAR_DATE),
        call("expiretime", "a"),
        call("set", "a", 7),
        call("ttl", "a"),
        call("set", "a", 7, ex=datetime.timedelta(days=1)),
        call("set", "a", 7, px=datetime.timedelta(milliseconds=100_000)),
        call("set", "a", 7, ex=0),
        call("set", "a", 7, ex=-1),
        call("set", "a", 7, px=0),
        call("set", "a", 7, ex=1 << 62),
        call("set", "a", 7, ex="12"),
        call("set", "a", 7, ex=1.5),
        call("set", "a", 7, ex=None, px=None, nx=False, xx=False, keepttl=False, get=False),
        call("set", "a", 7, ex=1, px=1),
        call("set", "a", 7, ex=1, keepttl=True),
        call("set", name="a", value="by name", ex=77),
        call("get", name="a"),
        call("set", "a"),
        call("set", "a", 1, 2, 3, 4),
        call("set", "a", 1, wrong=1),
        call("get"),
        call("get", "a", "b"),
    ]


def _set_family() -> Script:
    return [
        call("setnx", "s", "1"),
        call("setnx", "s", "2"),
        call("setex", "s", 100, "3"),
        call("setex", "s", 0, "3"),
        call("setex", "s", "x", "3"),
        call("psetex", "s", 100_000, "4"),
        call("psetex", "s", -5, "4"),
        call("get", "s"),
        call("getset", "s", "5"),
        call("getset", "t", "5"),
        call("getdel", "s"),
        call("getdel", "s"),
        call("getex", "t", exat=FAR),
        call("expiretime", "t"),
        call("getex", "t", persist=True),
        call("ttl", "t"),
        call("getex", "missing", ex=5),
        call("getex", "t", ex=0),
    ]


def _numbers() -> Script:
    return [
        call("incr", "n"),
        call("incr", "n", 41),
        call("incrby", "n", -2),
        call("incrby", "n", amount=5),
        call("decr", "n"),
        call("decr", "n", 10),
        call("decrby", "n", 3),
        call("get", "n"),
        call("incr", "n", 0),
        call("set", "max", MAX64),
        call("incr", "max"),
        call("decr", "max"),
        call("set", "min", MIN64),
        call("decr", "min"),
        call("decrby", "n", MIN64),
        call("incrby", "n", MIN64),
        call("incrby", "n", MAX64 + 1),
        call("incrby", "n", "7"),
        call("incrby", "n", "x"),
        call("incrby", "n", 1.5),
        call("incrby", "n", True),
        call("set", "text", "ten"),
        call("incr", "text"),
        call("set", "padded", " 10"),
        call("incr", "padded"),
        call("incrbyfloat", "f", 1.5),
        call("incrbyfloat", "f", "0.25"),
        call("incrbyfloat", "f"),
        call("incrbyfloat", "text", 1),
        call("incrbyfloat", "f", "nan"),
        call("set", "keeps", 1, exat=FAR),
        call("incr", "keeps"),
        call("expiretime", "keeps"),
    ]


def _strings() -> Script:
    return [
        call("set", "s", "Hello World"),
        call("append", "s", "!"),
        call("append", "missing", b"new"),
        call("append", "s", "é"),
        call("append", "s", 12),
        call("get", "s"),
        call("strlen", "s"),
        call("strlen", "none"),
        call("getrange", "s", 0, 4),
        call("getrange", "s", -3, -1),
        call("getrange", "s", 5, 2),
        call("getrange", "none", 0, -1),
        call("getrange", "s", "x", 1),
        call("substr", "s", 0, 4),
        call("setrange", "s", 6, "Redis"),
        call("setrange", "pad", 3, "x"),
        call("setrange", "none", 2, ""),
        call("setrange", "s", -1, "x"),
        call("get", "s"),
        call("get", "pad"),
        call("set", "binary", BINARY),
        call("strlen", "binary"),
        call("getrange", "binary", 0, 10),
        call("set", "long", LONG),
        call("get", "long"),
        call("getrange", "long", 99_990, -1),
        call("set", "x", "ohmytext"),
        call("set", "y", "mynewtext"),
        call("lcs", "x", "y"),
        call("lcs", "x", "y", len=True),
        call("lcs", "x", "y", idx=True),
        call("lcs", "x", "y", idx=True, minmatchlen=4, withmatchlen=True),
        call("lcs", "x", "y", len=True, idx=True),
    ]


def _several() -> Script:
    return [
        call("mset", {"a": 1, b"b": "two", "c": b"3", 4: 5.5}),
        call("mget", ["a", "b", "c", "d"]),
        call("mget", "a", "b"),
        call("mget", ("a", b"b")),
        call("mget", ["a"], "b"),
        call("mget", "a"),
        call("mget", [4, "ü"]),
        call("mget", []),
        call("mget"),
        call("mget", {"a": 1, "c": 2}),
        call("mget", [None]),
        call("mset", {}),
        call("msetnx", {"a": 1, "z": 1}),
        call("msetnx", {"y": 1, "z": 1}),
        call("exists", "a", "b", "zz"),
        call("exists", "a", "a"),
        call("exists", "zz"),
        call("exists"),
        call("__contains__", "a"),
        call("__contains__", "zz"),
        call("__getitem__", "a"),
        call("__getitem__", "zz"),
        call("__setitem__", "item", "value"),
        call("__getitem__", "item"),
        call("__delitem__", "item"),
        call("__delitem__", "item"),
        call("touch", "a", "b", "zz"),
        call("delete", "a"),
        call("delete", "a"),
        call("delete", "b", "c", "zz"),
        call("delete"),
        call("unlink", "y"),
        call("unlink", "z", "zz"),
        call("dbsize"),
    ]


def _keys() -> Script:
    return [
        call("mset", {"a": 1, "b": "text", "c": "x" * 50}),
        call("type", "a"),
        call("type", "zz"),
        call("object", "encoding", "a"),
        call("object", "encoding", "b"),
        call("object", "encoding", "c"),
        call("object", "encoding", "zz"),
        call("object", "refcount", "b"),
        call("object", "freq", "b"),
        call("object", "idletime", "zz"),
        call("object", "nonsense", "a"),
        call("rename", "a", "a2"),
        call("rename", "zz", "a2"),
        call("renamenx", "a2", "b"),
        call("renamenx", "a2", "a3"),
        call("copy", "a3", "a4"),
        call("copy", "a3", "b"),
        call("copy", "a3", "b", replace=True),
        call("copy", "a3", "a3"),
        call("copy", "a3", "d1", destination_db=1),
        call("copy", "a3", "d1", destination_db=99),
        call("move", "a4", 1),
        call("move", "a4", 1),
        call("move", "b", 16),
        call("get", "a4"),
        call("dbsize"),
        call("swapdb", 0, 1),
        call("dbsize"),
        call("get", "d1"),
        call("swapdb", 0, 1),
        call("swapdb", 0, 77),
        call("flushdb"),
        call("dbsize"),
        call("flushdb", asynchronous=True),
        call("flushall"),
        call("randomkey"),
        call("keys"),
        call("set", "only", 1),
        call("randomkey"),
        call("keys"),
        call("keys", "o*"),
        call("keys", "x*"),
        call("scan"),
        call("scan", 0, match="o*", count=1000),
        call("scan", cursor="x"),
        call("scan", count=0),
        call("memory_usage", "zz"),
    ]


def _expiry() -> Script:
    return [
        call("set", "k", 1),
        call("ttl", "k"),
        call("pttl", "k"),
        call("ttl", "zz"),
        call("pttl", "zz"),
        call("expire", "k", 1000),
        call("ttl", "k"),
        call("expire", "zz", 1000),
        call("expire", "k", datetime.timedelta(hours=1)),
        call("ttl", "k"),
        call("expire", "k", 5000, nx=True),
        call("expire", "k", 5000, xx=True),
        call("expire", "k", 100, gt=True),
        call("expire", "k", 100, lt=True),
        call("expire", "k", 100, nx=True, xx=True),
        call("expire", "k", "100"),
        call("expire", "k", "x"),
        call("expire", "k", 1 << 62),
        call("pexpire", "k", 1_000_000),
        call("ttl", "k"),
        call("expireat", "k", FAR),
        call("expiretime", "k"),
        call("pexpireat", "k", FAR * 1000 + 7),
        call("pexpiretime", "k"),
        call("expireat", "k", FAR_DATE),
        call("expiretime", "k"),
        call("persist", "k"),
        call("persist", "k"),
        call("persist", "zz"),
        call("expire", "k", 0),
        call("exists", "k"),
        call("set", "k", 1),
        call("expire", "k", -5),
        call("get", "k"),
        call("set", "k", 1),
        call("pexpire", "k", -1),
        call("exists", "k"),
        call("set", "k", 1),
        call("expireat", "k", 1),
        call("strlen", "k"),
    ]


def _raw() -> Script:
    return [
        call("execute_command", "SET", "a", "1"),
        call("execute_command", "set", "a", "2"),
        call("execute_command", "GET", "a"),
        call("execute_command", "get", "a"),
        call("execute_command", "Get", "a"),
        call("execute_command", b"GET", "a"),
        call("execute_command", "GET"),
        call("execute_command", "GET", "a", "b"),
        call("execute_command", "MGET", "a", "b"),
        call("execute_command", "OBJECT ENCODING", "a"),
        call("execute_command", "OBJECT", "ENCODING", "a"),
        call("execute_command", "OBJECT"),
        call("execute_command", "OBJECT", "BAD", "a"),
        call("execute_command", "SET", "a", "1", "EX"),
        call("execute_command", "SET", "a", "1", "BAD"),
        call("execute_command", "NOSUCH", "a", "b"),
        call("execute_command", "SELECT", "x"),
        call("execute_command", "SELECT", "99"),
        call("execute_command", "SELECT"),
        call("execute_command", "TTL", "a"),
        call("execute_command", "STRLEN", "a"),
        call("execute_command", "INCR", "a"),
        call("execute_command", "PING"),
        call("ping"),
        call("echo", "hello"),
    ]


def _databases() -> Script:
    return [
        call("set", "k", "zero"),
        call("select", 1),
        call("get", "k"),
        call("set", "k", "one"),
        call("incr", "n"),
        call("keys"),
        call("mget", "k", "n"),
        call("ping"),
        call("select", 0),
        call("get", "k"),
        call("get", "n"),
        call("dbsize"),
    ]


SCRIPTS: dict[str, Script] = {
    "types": _types(),
    "set-options": _set_options(),
    "set-family": _set_family(),
    "numbers": _numbers(),
    "strings": _strings(),
    "several": _several(),
    "keys": _keys(),
    "expiry": _expiry(),
    "raw": _raw(),
    "databases": _databases(),
}
