"""The commands that run without Python answer what their Python functions answer.

CLIENT NO-TOUCH sends a connection's commands through the functions: the same random commands go
both ways, each against a database of its own, and every byte must be the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.wire import request

if TYPE_CHECKING:
    from server.processes import FrontEnd
    from server.wire import Wire

keys = st.sampled_from([b"a", b"b", b"c", b"", b"\xff\0"])
values = st.one_of(
    st.sampled_from([b"1", b"-5", b"9223372036854775807", b"text", b"", b"01", b" 1", b"1.0"]),
    st.binary(max_size=20),
)
numbers = st.sampled_from(
    [
        *(b"1", b"-1", b"0", b"x", b"", b"+1", b"007", b"1000", b"2147483648"),
        *(b"9223372036854775807", b"-9223372036854775808", b"9223372036854775808"),
    ]
)

lifetimes = numbers.filter(lambda number: number not in {b"1", b"1000"})
"""None so short that a key could be gone on one way only."""


def commands() -> st.SearchStrategy[list[bytes]]:
    def line(*parts: st.SearchStrategy[bytes] | bytes) -> st.SearchStrategy[list[bytes]]:
        return st.tuples(
            *(part if isinstance(part, st.SearchStrategy) else st.just(part) for part in parts)
        ).map(list)

    def many(name: bytes, part: st.SearchStrategy[bytes]) -> st.SearchStrategy[list[bytes]]:
        return st.lists(part, max_size=5).map(lambda parts: [name, *parts])

    one_key = st.sampled_from([b"GET", b"get", b"Incr", b"DECR", b"STRLEN", b"TYPE", b"TTL"])
    return st.one_of(
        line(one_key, keys),
        line(st.sampled_from([b"SET", b"sEt", b"APPEND", b"SETNX"]), keys, values),
        line(b"SET", keys, values, st.sampled_from([b"EX", b"px", b"NX", b"foo"]), lifetimes),
        line(b"SET", keys, values, st.sampled_from([b"XX", b"NX", b"GET", b"KEEPTTL", b"EX"])),
        line(st.sampled_from([b"INCRBY", b"decrby"]), keys, numbers),
        many(b"MGET", keys),
        many(b"MSET", st.one_of(keys, values)),
        many(b"DEL", keys),
        many(b"UNLINK", keys),
        many(b"EXISTS", keys),
        many(b"PING", values),
        many(b"GET", keys),
    )


fields = st.sampled_from([b"f", b"g", b"", b"1", b"-7", b"\xff\0", b"x" * 100])
scores = st.sampled_from(
    [
        *(
            b"0",
            b"1",
            b"-3",
            b"1.5",
            b"1e3",
            b"-0",
            b"0.0",
            b"+1",
            b"inf",
            b"-inf",
            b"nan",
            b"x",
            b"",
        ),
        *(
            b" 1",
            b"1 ",
            b"0x10",
            b"1e400",
            b"1e-400",
            b"3.0",
            b"9007199254740993",
            b".5",
            b"5.",
            b"1E2",
        ),
    ]
)


def container_commands() -> st.SearchStrategy[list[bytes]]:
    """Those that are run natively, and some that say what became of it."""

    def line(*parts: st.SearchStrategy[bytes] | bytes) -> st.SearchStrategy[list[bytes]]:
        return st.tuples(
            *(part if isinstance(part, st.SearchStrategy) else st.just(part) for part in parts)
        ).map(list)

    def many(name: bytes, *parts: st.SearchStrategy[bytes]) -> st.SearchStrategy[list[bytes]]:
        group = st.tuples(*parts)
        return st.tuples(keys, st.lists(group, max_size=5)).map(
            lambda found: [name, found[0], *(part for parts in found[1] for part in parts)]
        )

    alone = [b"HGETALL", b"HLEN", b"SCARD", b"LLEN", b"ZCARD", b"LPOP", b"RPOP", b"ZPOPMIN"]
    alone += [b"ZPOPMAX", b"TYPE", b"GET", b"DEL"]
    with_field = [
        b"HGET",
        b"HDEL",
        b"SISMEMBER",
        b"sIsMember",
        b"ZSCORE",
        b"ZRANK",
        b"ZREM",
        b"SADD",
    ]
    with_field += [b"LPUSH", b"RPUSH", b"SREM", b"HSET"]
    with_number = [b"LINDEX", b"LPOP", b"RPOP", b"ZPOPMIN"]
    return st.one_of(
        line(st.sampled_from(alone), keys),
        line(st.sampled_from(with_field), keys, fields),
        line(st.sampled_from(with_number), keys, numbers),
        line(st.sampled_from([b"LRANGE", b"ZRANGE"]), keys, numbers, numbers),
        line(b"ZRANGE", keys, b"0", b"-1", b"WITHSCORES"),
        line(b"HINCRBY", keys, fields, numbers),
        line(b"ZINCRBY", keys, scores, fields),
        line(b"ZADD", keys, st.sampled_from([b"NX", b"XX", b"CH"]), scores, fields),
        many(b"HSET", fields, values),
        many(b"ZADD", scores, fields),
        *(many(name, fields) for name in (b"SADD", b"SREM", b"LPUSH", b"RPUSH", b"HDEL", b"ZREM")),
        *(many(name, fields) for name in (b"HGETALL", b"LLEN", b"LPOP", b"ZPOPMAX", b"SISMEMBER")),
        line(st.sampled_from(alone)),
    )


def answers(wire: Wire, lines: list[list[bytes]]) -> list[bytes]:
    wire.send(b"".join(request(*words) for words in lines))
    return [wire.reply() for _ in lines]


@given(st.lists(commands(), min_size=1, max_size=30), st.sampled_from([2, 3]))
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_both_ways_answer_the_same(
    front_end: FrontEnd, lines: list[list[bytes]], resp: int
) -> None:
    with front_end.connect(resp=resp) as native, front_end.connect(resp=resp) as python:
        native.run("SELECT", "1")
        python.run("SELECT", "2")
        python.run("CLIENT", "NO-TOUCH", "ON")
        for wire in (native, python):
            wire.run("FLUSHDB")
        assert answers(native, lines) == answers(python, lines)


@given(st.lists(container_commands(), min_size=1, max_size=40), st.sampled_from([2, 3]))
@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_both_ways_treat_containers_the_same(
    front_end: FrontEnd, lines: list[list[bytes]], resp: int
) -> None:
    with front_end.connect(resp=resp) as native, front_end.connect(resp=resp) as python:
        native.run("SELECT", "1")
        python.run("SELECT", "2")
        python.run("CLIENT", "NO-TOUCH", "ON")
        for wire in (native, python):
            wire.run("FLUSHDB")
        assert answers(native, lines) == answers(python, lines)


def test_popped_members_were_there(front_end: FrontEnd) -> None:
    """SPOP takes at random, so its two ways cannot be compared."""
    members = {b"member:%d" % number for number in range(300)}
    with front_end.connect() as wire:
        wire.run("FLUSHDB")
        wire.run(b"SADD", b"set", *members)
        popped = [wire.run(b"SPOP", b"set") for _ in members]
        assert set(popped) == {b"$%d\r\n%b\r\n" % (len(member), member) for member in members}
        assert wire.run(b"SPOP", b"set") == b"$-1\r\n"
        assert wire.run(b"EXISTS", b"set") == b":0\r\n"


def test_both_ways_count_the_same(front_end: FrontEnd) -> None:
    """commandstats, errorstats and the number of commands do not tell the ways apart."""
    lines = [
        [b"SET", b"a", b"x"],
        [b"GET", b"a"],
        [b"INCR", b"a"],
        [b"GET"],
        [b"MGET", b"a", b"b"],
        [b"INCRBY", b"a", b"y"],
    ]
    counted = []
    for mode in ("OFF", "ON"):
        with front_end.connect() as wire:
            wire.run("CLIENT", "NO-TOUCH", mode)
            wire.run("CONFIG", "RESETSTAT")
            answers(wire, lines)
            fields = wire.text("INFO", "commandstats", "errorstats", "stats").splitlines()
            counted.append(
                [
                    field.partition(",usec")[0] + field.partition("rejected")[2]
                    for field in fields
                    if field.startswith(("cmdstat_", "errorstat_", "total_commands", "total_error"))
                ]
            )
    assert counted[0] == counted[1]
    assert "cmdstat_get:calls=1_calls=1,failed_calls=0" in counted[0]
    assert "cmdstat_incr:calls=1_calls=0,failed_calls=1" in counted[0]
    assert "errorstat_ERR:count=3" in counted[0]
