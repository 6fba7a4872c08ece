"""Calls of redis-py's sorted-set and geo methods, in scripts that begin with an empty cache."""

from __future__ import annotations

import math

from client.scripts import Script, call

__all__ = ["CALLS"]

PLACES = (
    *(2.1909389952632, 41.433791470673, "place1"),
    *(2.1873744593677, 41.406342043777, b"place2"),
)

_SCORES: Script = [
    call("zadd", "k", {"a": 1, "b": 2.5, "c": math.inf}),
    call("zadd", "k", {"a": 2}, ch=True),
    call("zadd", "k", {"a": 0.1}, incr=True),
    call("zadd", "k", {"a": 1}, nx=True),
    call("zadd", "k", {"x": 1}, xx=True, incr=True),
    call("zadd", "k", {"a": 1, "b": 9}, gt=True, ch=True),
    call("zadd", "k", {}),
    call("zadd", "k", {"a": math.nan}),
    call("zscore", "k", "a"),
    call("zscore", "k", "no"),
    call("zmscore", "k", ["a", "no"]),
    call("zcard", "k"),
    call("zcount", "k", "-inf", "+inf"),
    call("zcount", "k", 1, "(2.5"),
    call("zlexcount", "k", "-", "+"),
    call("zincrby", "k", 1.5, "a"),
    call("zrank", "k", "a"),
    call("zrank", "k", "no"),
    call("zrevrank", "k", "a"),
    call("zscan", "no"),
    call("zrandmember", "no"),
    call("zrandmember", "no", 2),
    call("zpopmin", "k"),
    call("zpopmax", "k", 2),
    call("zpopmin", "no"),
    call("zadd", "k", {"a": 1, "b": 2}),
    call("zmpop", 2, ["no", "k"], min=True, count=1),
    call("zmpop", 1, ["no"], max=True),
    call("zadd", "r", {str(number): number for number in range(10)}),
    call("zrem", "r", "1", "2", "no"),
    call("zremrangebyrank", "r", 0, 0),
    call("zremrangebyscore", "r", 3, 4),
    call("zremrangebylex", "r", "[5", "[5"),
    call("zrange", "r", 0, -1),
    call("set", "text", "x"),
    call("zadd", "text", {"a": 1}),
    call("zscore", "text", "a"),
    call("zrange", "text", 0, -1),
]

_RANGES: Script = [
    call("zadd", "k", {"a": 1, "b": 2.5, "c": math.inf, "d": 0.1}),
    call("zadd", "k2", {"a": 10, "z": 1.25}),
    call("sadd", "s", "a"),
    call("zrange", "k", 0, -1),
    call("zrange", "k", 0, -1, withscores=True),
    call("zrange", "k", 0, -1, desc=True, withscores=True),
    call("zrange", "k", 0, 10, byscore=True, offset=0, num=1, withscores=True),
    call("zrange", "k", "-", "+", bylex=True),
    call("zrange", "k", 0, 1, withscores=True, score_cast_func=str),
    call("zrevrange", "k", 0, -1, withscores=True),
    call("zrangebyscore", "k", 0, 10, withscores=True),
    call("zrangebyscore", "k", 0, 10, start=0, num=1),
    call("zrangebyscore", "k", "x", "y"),
    call("zrevrangebyscore", "k", 10, 0, withscores=True),
    call("zrangebylex", "k", "-", "+"),
    call("zrevrangebylex", "k", "+", "-"),
    call("zrangestore", "d", "k", 0, 1),
    call("zunion", ["k", "k2"]),
    call("zunion", ["k", "k2"], withscores=True),
    call("zunion", {"k": 2, "k2": 3}, aggregate="MAX", withscores=True),
    call("zinter", ["k", "k2"], withscores=True),
    call("zdiff", ["k", "k2"]),
    call("zdiff", ["k", "k2"], withscores=True),
    call("zintercard", 2, ["k", "k2"]),
    call("zunionstore", "d", ["k", "k2", "s"]),
    call("zrange", "d", 0, -1, withscores=True),
    call("zinterstore", "d", {"k": 1, "k2": 2}),
    call("zdiffstore", "d", ["k", "k2"]),
    call("zrange", "d", 0, -1, withscores=True),
]

_GEO: Script = [
    call("geoadd", "g", PLACES),
    call("geoadd", "g", (2.19, 41.43, "place1"), ch=True),
    call("geodist", "g", "place1", "place2", "km"),
    call("geodist", "g", "place1", "no"),
    call("geohash", "g", "place1", "no"),
    call("geopos", "g", "place1", "no"),
    call("georadius", "g", 2.191, 41.433, 1000),
    call(
        "georadius", "g", 2.191, 41.433, 10_000, withdist=True, withcoord=True, withhash=True,
        sort="ASC",
    ),
    call("georadiusbymember", "g", "place1", 4000, withdist=True, sort="DESC"),
    call("georadius", "g", 2.191, 41.433, 10, unit="km", store="d"),
    call("zrange", "d", 0, -1, withscores=True),
    call("georadius", "g", 2.191, 41.433, 10, unit="km", store_dist="d"),
    call("zrange", "d", 0, -1, withscores=True),
    call("geosearch", "g", longitude=2.191, latitude=41.433, radius=1000),
    call(
        "geosearch", "g", member="place1", width=10, height=10, unit="km", withdist=True,
        withcoord=True, withhash=True, sort="DESC", count=2,
    ),
    call("geosearch", "g", member="no", radius=1),
    call("geosearchstore", "d", "g", longitude=2.191, latitude=41.433, radius=10_000),
    call(
        "geosearchstore", "d", "g", longitude=2.191, latitude=41.433, radius=10_000, storedist=True
    ),
    call("zrange", "d", 0, -1, withscores=True),
    call("set", "text", "x"),
    call("geopos", "text", "a"),
]  # fmt: skip

CALLS = {"scores": _SCORES, "ranges": _RANGES, "geo": _GEO}
