"""Hashes, sets, lists and sorted sets: beside private Python data, and beside redis-server."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from statistics import fmean
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

import redis

from benchmarks.growth import measure_growth
from benchmarks.loops import keys_for, quiet, time_calls, time_members
from benchmarks.rounds import interleaved, median_ratio, medians
from benchmarks.servers import redis_server
from benchmarks.type_commands import measure_commands
from support.daemon import Daemon

if TYPE_CHECKING:
    from benchmarks.report import Bench

__all__ = ["run"]

_MEMBERS = 1_000
_FIELDS = 20
_RANGE = 10
_VALUE = b"v" * 16
_BUDGET_NS = 15e6
_HASH, _SET, _LIST, _BOARD = b"bench:hash", b"bench:set", b"bench:list", b"bench:board"
_SMALL = b"bench:small"
_NEW = b"bench:new"

_LOOKUPS = ("hget", "sismember", "zscore", "lindex")

Measure = Callable[[], float]
Contender = tuple[str, str]
_OURS, _PRIVATE, _REDIS = "shmcache", "private Python data", "redis-py, Unix socket"


def run(bench: Bench) -> None:
    """Measure single calls in-process, redis-benchmark's commands, and growth."""
    _measure_calls(bench)
    measure_commands(bench)
    measure_growth(bench)


def _measure_calls(bench: Bench) -> None:
    with ExitStack() as stack:
        daemon = stack.enter_context(
            Daemon(bench.cache_name, bench.directory, maxmemory="256mb", save="")
        )
        cache = daemon.attach()
        members = keys_for(_MEMBERS)
        _fill(cache, members)
        contenders: dict[Contender, Measure] = {
            **_lookups(cache, members),
            **_builds(cache, members),
            **_writes(cache, _OURS),
        }
        path = stack.enter_context(redis_server(bench.directory))
        if path is None:
            bench.leave_out("redis-py to a redis-server (redis-server is not installed)")
        else:
            contenders |= _writes(redis.Redis(unix_socket_path=str(path)), _REDIS)
        rounds = 2 * bench.rounds + 1
        with bench.progress(len(contenders) * rounds) as progress:
            measured = interleaved(contenders, rounds, progress)
    for (command, name), nanoseconds in medians(measured).items():
        bench.figure(f"{command}  {name}", nanoseconds, "ns")
    _judge(bench, measured)


def _judge(bench: Bench, measured: dict[Contender, list[float]]) -> None:
    for (command, name), times in measured.items():
        ours = measured.get((command, _OURS), [])
        if name == _REDIS:
            bench.target(f"{command}-redis", median_ratio(times, ours))
        elif name == _PRIVATE:
            beside = "dict" if command in _LOOKUPS else "build"
            bench.target(f"{command}-{beside}", median_ratio(ours, times))


def _fill(cache: redis.Redis, members: Sequence[bytes]) -> None:
    cache.hset(_HASH, mapping=dict.fromkeys(members, _VALUE))
    cache.sadd(_SET, *members)
    cache.rpush(_LIST, *members)
    cache.zadd(_BOARD, {member: float(rank) for rank, member in enumerate(members)})
    cache.hset(_SMALL, mapping=dict.fromkeys(members[:_FIELDS], _VALUE))


# ---- one element of 1,000, beside dict.get in the same loop


def _lookups(cache: redis.Redis, members: list[bytes]) -> dict[Contender, Measure]:
    values = {member: bytes(bytearray(_VALUE)) for member in members}
    order = list(range(_MEMBERS))
    random.Random(2).shuffle(order)
    by_index = dict(enumerate(members))
    calls: dict[str, tuple[Callable[..., object], bytes, list[Any], Callable[..., object]]] = {
        "hget": (cache.hget, _HASH, members, values.get),
        "sismember": (cache.sismember, _SET, members, values.get),
        "zscore": (cache.zscore, _BOARD, members, values.get),
        "lindex": (cache.lindex, _LIST, order, by_index.get),
    }
    contenders: dict[Contender, Measure] = {}
    for command, (call, key, asked, private) in calls.items():
        many = asked * 50
        contenders[command, _OURS] = _timed(time_members, call, key, many)
        contenders[command, _PRIVATE] = _timed(time_calls, private, many)
    return contenders


def _timed(timer: Callable[..., float], *arguments: Any) -> Measure:
    return lambda: timer(*arguments)


# ---- a small collection as a Python object


def _builds(cache: redis.Redis, members: list[bytes]) -> dict[Contender, Measure]:
    return {
        **_hash_builds(cache, members[:_FIELDS]),
        **_list_builds(cache, members),
        **_board_builds(cache, members),
    }


_TURNS = range(10_000)
_START, _STOP = _MEMBERS // 2, _MEMBERS // 2 + _RANGE


def _hash_builds(cache: redis.Redis, names: list[bytes]) -> dict[Contender, Measure]:
    fields = {name: bytes(bytearray(_VALUE)) for name in names}

    def build() -> None:
        for _ in _TURNS:
            {field: value for field, value in fields.items()}  # noqa: C416

    def call() -> None:
        for _ in _TURNS:
            cache.hgetall(_SMALL)

    return {("hgetall", _OURS): _turns(call), ("hgetall", _PRIVATE): _turns(build)}


def _list_builds(cache: redis.Redis, members: list[bytes]) -> dict[Contender, Measure]:
    def build() -> None:
        for _ in _TURNS:
            [element for element in members[_START:_STOP]]  # noqa: C416

    def call() -> None:
        for _ in _TURNS:
            cache.lrange(_LIST, _START, _STOP - 1)

    return {("lrange", _OURS): _turns(call), ("lrange", _PRIVATE): _turns(build)}


def _board_builds(cache: redis.Redis, members: list[bytes]) -> dict[Contender, Measure]:
    board = [(member, float(rank)) for rank, member in enumerate(members)]

    def build() -> None:
        for _ in _TURNS:
            [member for member, _ in board[_START:_STOP]]

    def call() -> None:
        for _ in _TURNS:
            cache.zrange(_BOARD, _START, _STOP - 1)

    return {("zrange", _OURS): _turns(call), ("zrange", _PRIVATE): _turns(build)}


def _turns(loop: Callable[[], None]) -> Measure:
    def measure() -> float:
        with quiet():
            started = perf_counter_ns()
            loop()
            return (perf_counter_ns() - started) / len(_TURNS)

    return measure


# ---- writes


def _writes(cache: redis.Redis, name: str) -> dict[Contender, Measure]:
    """Writes of the elements of a value of 1,000, which is deleted before each time."""
    pool = keys_for(_MEMBERS)
    scores = [{member: float(number)} for number, member in enumerate(pool)]
    calls: dict[str, tuple[Callable[[Sequence[Any]], float], Sequence[Any]]] = {
        "hset": (lambda members: time_fields(cache.hset, _NEW, members), pool),
        "sadd": (lambda members: time_members(cache.sadd, _NEW, members), pool),
        "zadd": (lambda members: time_members(cache.zadd, _NEW, members), scores),
        "lpush": (lambda members: time_members(cache.lpush, _NEW, members), pool),
    }
    contenders: dict[Contender, Measure] = {}
    for command, (timer, members) in calls.items():
        cache.delete(_NEW)
        turns = max(1, int(_BUDGET_NS / timer(members) / len(members)))
        contenders[command, name] = _afresh(cache, timer, members, turns)
    return contenders


def time_fields(call: Callable[..., object], name: bytes, fields: Sequence[bytes]) -> float:
    """Nanoseconds that ``call(name, field, value)`` takes, the loop around it included."""
    with quiet():
        started = perf_counter_ns()
        for field in fields:
            call(name, field, _VALUE)
        return (perf_counter_ns() - started) / len(fields)


def _afresh(
    cache: redis.Redis,
    timer: Callable[[Sequence[Any]], float],
    members: Sequence[Any],
    turns: int,
) -> Measure:
    def measure() -> float:
        times = []
        for _ in range(turns):
            cache.delete(_NEW)
            times.append(timer(members))
        return fmean(times)

    return measure
