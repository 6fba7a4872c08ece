"""What the project wants to reach: one line a claim, checked by the section that measures it."""

from __future__ import annotations

from typing import Literal, NamedTuple

__all__ = ["TARGETS", "Target"]


class Target(NamedTuple):
    """A bound on one measured figure."""

    name: str
    section: str
    what: str
    sense: Literal["at most", "at least"]
    bound: float
    unit: str

    def reached(self, value: float) -> bool:
        """Whether a measured value keeps the bound."""
        return value <= self.bound if self.sense == "at most" else value >= self.bound


def _at_most(name: str, section: str, what: str, bound: float, unit: str) -> Target:
    return Target(name, section, what, "at most", bound, unit)


def _at_least(name: str, section: str, what: str, bound: float, unit: str) -> Target:
    return Target(name, section, what, "at least", bound, unit)


_TRACES = ("web07", "web12", "orm-busy", "orm-night")
_COMMANDS = ("get", "set", "incr", "mset")
_TYPE_COMMANDS = (
    *("lpush", "rpush", "lpop", "rpop", "sadd", "hset", "spop", "zadd", "zpopmin", "lrange_100"),
)
_ELEMENT_BYTES = {"hash": 40, "set": 32, "zset": 56, "list": 4}

TARGETS: dict[str, Target] = {
    target.name: target
    for target in [
        _at_most("get-bytes", "inprocess", "GET, bytes key / dict", 1.6, "×"),
        _at_most("get-str", "inprocess", "GET, str key / dict", 1.6, "×"),
        _at_most("set-uwsgi", "inprocess", "SET / uWSGI cache_update", 0.75, "×"),
        _at_most("incr-uwsgi", "inprocess", "INCR / uWSGI cache_inc", 0.75, "×"),
        _at_least("set-lmdb", "inprocess", "LMDB put / SET", 6, "×"),
        _at_least("incr-lmdb", "inprocess", "LMDB put / INCR", 6, "×"),
        _at_least("get-redis", "inprocess", "GET of redis-py / GET", 500, "×"),
        *(
            _at_most(
                f"{operation}-notified",
                "feed",
                f"{operation} with notifications / without",
                1.6,
                "×",
            )
            for operation in ("set", "hset", "incr")
        ),
        _at_least("two-readers", "scaling", "two processes reading / one", 1.9, "×"),
        _at_most(
            "disturbed", "scaling", "read beside a writer of the same 1,000 keys / alone", 1.5, "×"
        ),
        _at_most("failed-reads", "scaling", "reads that failed or were torn", 0, "reads"),
        *(
            _at_least(f"{command}-1", "socket", f"{command}, 50 clients / redis-server", 0.9, "×")
            for command in _COMMANDS
        ),
        *(
            _at_least(
                f"{command}-16", "socket", f"{command}, 50 clients, -P 16 / redis-server", 0.6, "×"
            )
            for command in _COMMANDS
        ),
        *(
            _at_most(f"{command}-dict", "types", f"{command.upper()} of 1,000 / dict.get", 3, "×")
            for command in ("hget", "sismember", "zscore", "lindex")
        ),
        *(
            _at_most(f"{command}-build", "types", f"{what} / building it in Python", 3, "×")
            for command, what in (
                ("hgetall", "HGETALL of 20"),
                ("lrange", "LRANGE of 10"),
                ("zrange", "ZRANGE of 10"),
            )
        ),
        *(
            _at_least(
                f"{command}-redis",
                "types",
                f"{command} of redis-py / {command}",
                100,
                "×",
            )
            for command in ("hset", "sadd", "zadd", "lpush")
        ),
        *(
            _at_least(f"{command}-1", "types", f"{command}, 50 clients / redis-server", 0.9, "×")
            for command in _TYPE_COMMANDS
        ),
        *(
            _at_least(
                f"{command}-16", "types", f"{command}, 50 clients, -P 16 / redis-server", 0.6, "×"
            )
            for command in _TYPE_COMMANDS
        ),
        *(
            _at_most(
                f"grown-{call}", "types", f"{call.upper()}, 5 million / 50,000 members", 2, "×"
            )
            for call in ("zadd", "zrank", "zrange")
        ),
        *(
            _at_most(
                f"element-{kind}",
                "memory",
                f"{kind} of 100,000, beyond its data",
                most,
                "bytes an element",
            )
            for kind, most in _ELEMENT_BYTES.items()
        ),
        _at_least("multi-10", "transactions", "MULTI, 10 commands, EXEC / redis-server", 0.8, "×"),
        *(
            _at_least(
                f"fan-out-{depth}", "pubsub", f"PUBLISH -P {depth} to 100 / redis-server", 0.9, "×"
            )
            for depth in (1, 16)
        ),
        _at_most("message", "pubsub", "publish to receive / redis-server and redis-py", 0.5, "×"),
        _at_least("evalsha-10", "scripts", "EVALSHA, 10 commands / redis-server", 0.5, "×"),
        _at_most("idle-memory", "connections", "10,000 idle connections", 100, "MB"),
        _at_most("idle-latency", "connections", "GET among 10,000 idle clients / alone", 1.2, "×"),
        _at_most("overhead", "memory", "beyond key and value, TTL included", 48, "bytes a key"),
        _at_least("fill-mixed", "memory", "live data, 50 B to 100 KB, steady eviction", 90, "%"),
        _at_least("fill-changed", "memory", "live data after all sizes changed", 90, "%"),
        *(
            _at_least(
                f"lru-{trace}-{share}-{sizes}",
                "eviction",
                f"{trace}, {share} % of its keys, {sizes} size, minus exact LRU",
                -1,
                "points",
            )
            for trace in _TRACES
            for share in (5, 20)
            for sizes in ("one", "own")
        ),
        _at_most("adopt", "restart", "SIGKILL of all to first answered GET, 1 GiB", 100, "ms"),
        _at_most("lost", "restart", "acknowledged writes lost by it", 0, "keys"),
    ]
}
