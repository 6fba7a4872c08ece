"""Commands that are newer than the oracle, by example, as their documentation describes them.

https://redis.io/docs/latest/commands/hexpire/ and its neighbours, hgetdel, hgetex, hsetex, zrank.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from differential.sides import Side
    from differential.wire import Tagged

FAR = 4_000_000_000
NO_FIELD, NO_TTL = -2, -1
REFUSED, SET, DELETED = 0, 1, 2
PERSISTED = 1


@pytest.fixture
def door(ours: Side) -> Side:
    ours.select(0)
    assert ours.execute(b"FLUSHALL") == ("simple", b"OK")
    return ours


def run(door: Side, line: str) -> Tagged:
    return door.execute(*(word.encode() for word in line.split()))


def value(door: Side, line: str) -> Any:
    """A reply without the names of its types."""
    return _plain(run(door, line))


def _plain(reply: Tagged) -> Any:
    match reply:
        case ("null",):
            return None
        case ("array" | "set", parts):
            return [_plain(part) for part in parts]
        case ("map", pairs):
            return {_plain(name): _plain(part) for name, part in pairs}
        case ("error", text):
            raise AssertionError(text)
    return reply[1]


def fails(door: Side, line: str) -> bool:
    return bool(run(door, line)[0] == "error")


def hash_of(door: Side, key: str = "h") -> dict[bytes, bytes]:
    flat = value(door, f"HGETALL {key}")
    return flat if isinstance(flat, dict) else dict(zip(flat[::2], flat[1::2], strict=True))


# ---- HEXPIRE, HPEXPIRE, HEXPIREAT, HPEXPIREAT ----------------------------------------------------

TIMES = {"HEXPIRE": 100, "HPEXPIRE": 100_000, "HEXPIREAT": FAR, "HPEXPIREAT": FAR * 1000}
LATER = {"HEXPIRE": 900, "HPEXPIRE": 900_000, "HEXPIREAT": FAR + 9, "HPEXPIREAT": FAR * 1000 + 9000}


@pytest.mark.parametrize("command", TIMES)
def test_one_code_for_each_field(door: Side, command: str) -> None:
    moment = TIMES[command]
    assert value(door, f"{command} none {moment} FIELDS 2 a b") == [NO_FIELD, NO_FIELD]
    assert value(door, "EXISTS none") == 0
    value(door, "HSET h a 1 b 2")
    assert value(door, f"{command} h {moment} FIELDS 3 a nosuch b") == [SET, NO_FIELD, SET]
    assert all(left > 0 for left in value(door, "HTTL h FIELDS 2 a b"))
    assert hash_of(door) == {b"a": b"1", b"b": b"2"}


@pytest.mark.parametrize("command", TIMES)
def test_conditions(door: Side, command: str) -> None:
    sooner, later = TIMES[command], LATER[command]
    value(door, "HSET h a 1 b 2")
    assert value(door, f"{command} h {sooner} XX FIELDS 1 a") == [REFUSED]
    # a field without a TTL lives for ever: nothing is greater, everything is less
    assert value(door, f"{command} h {sooner} GT FIELDS 1 a") == [REFUSED]
    assert value(door, f"{command} h {sooner} LT FIELDS 1 a") == [SET]
    assert value(door, f"{command} h {sooner} NX FIELDS 2 a b") == [REFUSED, SET]
    assert value(door, f"{command} h {later} GT FIELDS 1 a") == [SET]
    assert value(door, f"{command} h {later} LT FIELDS 1 b") == [REFUSED]
    assert value(door, f"{command} h {later} XX FIELDS 2 b nosuch") == [SET, NO_FIELD]


@pytest.mark.parametrize("line", ["HEXPIRE h 0", "HPEXPIRE h 0", "HEXPIREAT h 1", "HPEXPIREAT h 1"])
def test_a_time_in_the_past_deletes(door: Side, line: str) -> None:
    value(door, "HSET h a 1 b 2")
    assert value(door, f"{line} FIELDS 2 a nosuch") == [DELETED, NO_FIELD]
    assert hash_of(door) == {b"b": b"2"}
    assert value(door, f"{line} FIELDS 1 b") == [DELETED]
    assert value(door, "EXISTS h") == 0


@pytest.mark.parametrize(
    "line",
    [
        "HEXPIRE h",
        "HEXPIRE h 10",
        "HEXPIRE h 10 FIELDS",
        "HEXPIRE h 10 FIELDS 1",
        "HEXPIRE h 10 FIELDS 0 a",
        "HEXPIRE h 10 FIELDS -1 a",
        "HEXPIRE h 10 FIELDS x a",
        "HEXPIRE h 10 FIELDS 2 a",
        "HEXPIRE h 10 FIELDS 1 a b",
        "HEXPIRE h 10 NX",
        "HEXPIRE h 10 NX XX FIELDS 1 a",
        "HEXPIRE h 10 a FIELDS 1 a",
        "HEXPIRE h x FIELDS 1 a",
        "HEXPIRE h -1 FIELDS 1 a",
        "HEXPIRE h 9223372036854775807 FIELDS 1 a",
        "HPEXPIRE h 9223372036854775807 FIELDS 1 a",
        "HEXPIREAT h 9223372036854775807 FIELDS 1 a",
        "HPEXPIREAT h -5 FIELDS 1 a",
        "HTTL h",
        "HTTL h FIELDS 1",
        "HTTL h FIELDS 0 a",
        "HTTL h FIELDS 3 a b",
        "HTTL h a",
        "HPERSIST h FIELDS 2 a",
        "HPERSIST h",
        "HGETDEL h",
        "HGETDEL h FIELDS 0 a",
        "HGETDEL h FIELDS 2 a",
        "HGETDEL h FIELDS 1 a b",
        "HGETDEL h 1 a",
        "HGETEX h FIELDS 0 a",
        "HGETEX h FIELDS 2 a",
        "HGETEX h EX 10 PX 10 FIELDS 1 a",
        "HGETEX h EX 10 PERSIST FIELDS 1 a",
        "HGETEX h EX 0 a",
        "HGETEX h EX x FIELDS 1 a",
        "HGETEX h EX -1 FIELDS 1 a",
        "HGETEX h KEEPTTL FIELDS 1 a",
        "HSETEX h FIELDS 1 a",
        "HSETEX h FIELDS 2 a 1",
        "HSETEX h FIELDS 1 a 1 b",
        "HSETEX h FIELDS 0 a 1",
        "HSETEX h FNX FXX FIELDS 1 a 1",
        "HSETEX h FXX EX 60 KEEPTTL FIELDS 1 a 1",
        "HSETEX h EX 60 PX 60 FIELDS 1 a 1",
        "HSETEX h EX -1 FIELDS 1 a 1",
        "HSETEX h EX x FIELDS 1 a 1",
        "HSETEX h NX FIELDS 1 a 1",
        "HSETEX h a 1",
    ],
)
def test_wrong_lines_change_nothing(door: Side, line: str) -> None:
    value(door, "HSET h a 7")
    assert fails(door, line)
    assert hash_of(door) == {b"a": b"7"}
    assert value(door, "HTTL h FIELDS 1 a") == [NO_TTL]


ON_A_HASH = [
    "HEXPIRE k 10 FIELDS 1 a",
    "HPEXPIREAT k 4000000000000 FIELDS 1 a",
    "HTTL k FIELDS 1 a",
    "HPEXPIRETIME k FIELDS 1 a",
    "HPERSIST k FIELDS 1 a",
    "HGETDEL k FIELDS 1 a",
    "HGETEX k EX 10 FIELDS 1 a",
    "HSETEX k EX 10 FIELDS 1 a 1",
]


@pytest.mark.parametrize("line", ON_A_HASH)
def test_other_types_are_refused(door: Side, line: str) -> None:
    for make in ("SET k x", "RPUSH k x", "ZADD k 1 x"):
        value(door, "DEL k")
        value(door, make)
        reply = run(door, line)
        assert reply[0] == "error"
        assert reply[1].startswith(b"WRONGTYPE ")


# ---- HTTL, HPTTL, HEXPIRETIME, HPEXPIRETIME, HPERSIST --------------------------------------------


def test_times_that_are_left(door: Side) -> None:
    for command in ("HTTL", "HPTTL", "HEXPIRETIME", "HPEXPIRETIME"):
        assert value(door, f"{command} none FIELDS 2 a b") == [NO_FIELD, NO_FIELD]
    value(door, "HSET h a 1 b 2")
    value(door, "HEXPIRE h 300 FIELDS 1 a")
    (seconds, none, missing) = value(door, "HTTL h FIELDS 3 a b nosuch")
    assert 290 <= seconds <= 300
    assert (none, missing) == (NO_TTL, NO_FIELD)
    (milliseconds, none, missing) = value(door, "HPTTL h FIELDS 3 a b nosuch")
    assert 290_000 <= milliseconds <= 300_000
    assert (none, missing) == (NO_TTL, NO_FIELD)
    (moment, none, missing) = value(door, "HEXPIRETIME h FIELDS 3 a b nosuch")
    assert abs(moment - time.time() - 300) < 10
    assert (none, missing) == (NO_TTL, NO_FIELD)


def test_times_of_death_come_back_as_they_were_given(door: Side) -> None:
    value(door, "HSET h a 1 b 2")
    value(door, f"HEXPIREAT h {FAR} FIELDS 1 a")
    value(door, f"HPEXPIREAT h {FAR * 1000 + 1} FIELDS 1 b")
    assert value(door, "HEXPIRETIME h FIELDS 1 a") == [FAR]
    assert value(door, "HPEXPIRETIME h FIELDS 2 a b") == [FAR * 1000, FAR * 1000 + 1]


def test_persisting(door: Side) -> None:
    assert value(door, "HPERSIST none FIELDS 2 a b") == [NO_FIELD, NO_FIELD]
    value(door, "HSET h a 1 b 2")
    value(door, "HEXPIRE h 300 FIELDS 1 a")
    assert value(door, "HPERSIST h FIELDS 3 a b nosuch") == [PERSISTED, NO_TTL, NO_FIELD]
    assert value(door, "HTTL h FIELDS 2 a b") == [NO_TTL, NO_TTL]


# ---- what a TTL means to the other commands ------------------------------------------------------


def _wait_until_gone(door: Side, line: str) -> None:
    deadline = time.monotonic() + 20
    while value(door, line) is not None:
        assert time.monotonic() < deadline, line


def test_a_dead_field_is_gone_for_every_command(door: Side) -> None:
    value(door, "HSET h a 1 b 2")
    value(door, "HPEXPIRE h 20 FIELDS 1 a")
    _wait_until_gone(door, "HGET h a")
    assert value(door, "HMGET h a b") == [None, b"2"]
    assert value(door, "HEXISTS h a") == 0
    assert value(door, "HSTRLEN h a") == 0
    assert hash_of(door) == {b"b": b"2"}
    assert value(door, "HKEYS h") == [b"b"]
    assert value(door, "HVALS h") == [b"2"]
    assert value(door, "HTTL h FIELDS 1 a") == [NO_FIELD]
    assert value(door, "HRANDFIELD h 10") == [b"b"]
    assert value(door, "HSCAN h 0") == [b"0", [b"b", b"2"]]
    assert value(door, "HDEL h a") == 0
    assert value(door, "HSETNX h a 3") == 1
    assert value(door, "HTTL h FIELDS 1 a") == [NO_TTL]


def test_the_last_dead_field_takes_the_key(door: Side) -> None:
    value(door, "HSET h a 1")
    value(door, "HPEXPIRE h 20 FIELDS 1 a")
    _wait_until_gone(door, "HGET h a")
    assert hash_of(door) == {}
    assert value(door, "HINCRBY h a 5") == 5
    assert value(door, "HTTL h FIELDS 1 a") == [NO_TTL]


def test_setting_a_field_clears_its_ttl_and_counting_keeps_it(door: Side) -> None:
    value(door, "HSET h a 1 b 2 c 3.5")
    value(door, f"HEXPIREAT h {FAR} FIELDS 3 a b c")
    assert value(door, "HSET h a 9") == 0
    value(door, "HINCRBY h b 1")
    value(door, "HINCRBYFLOAT h c 1")
    assert value(door, "HEXPIRETIME h FIELDS 3 a b c") == [NO_TTL, FAR, FAR]


def test_ttls_travel_with_the_hash(door: Side) -> None:
    value(door, "HSET h a 1 b 2")
    value(door, f"HEXPIREAT h {FAR} FIELDS 1 a")
    value(door, "RENAME h i")
    value(door, "COPY i j")
    for key in ("i", "j"):
        assert value(door, f"HEXPIRETIME {key} FIELDS 2 a b") == [FAR, NO_TTL]


def test_ttls_in_a_large_hash(door: Side) -> None:
    pairs = " ".join(f"f{number} {number}" for number in range(1000))
    value(door, f"HSET h {pairs}")
    some = " ".join(f"f{number}" for number in range(0, 1000, 2))
    assert value(door, f"HEXPIREAT h {FAR} FIELDS 500 {some}") == [SET] * 500
    codes = value(door, "HEXPIRETIME h FIELDS 4 f0 f1 f998 f999")
    assert codes == [FAR, NO_TTL, FAR, NO_TTL]
    assert value(door, f"HEXPIREAT h 1 FIELDS 500 {some}") == [DELETED] * 500
    assert value(door, "HLEN h") == 500


# ---- HGETDEL, HGETEX, HSETEX ---------------------------------------------------------------------


def test_get_and_delete(door: Side) -> None:
    assert value(door, "HGETDEL none FIELDS 2 a b") == [None, None]
    value(door, "HSET h a 1 b 2 c 3")
    assert value(door, "HGETDEL h FIELDS 3 a nosuch b") == [b"1", None, b"2"]
    assert hash_of(door) == {b"c": b"3"}
    assert value(door, "HGETDEL h FIELDS 1 c") == [b"3"]
    assert value(door, "EXISTS h") == 0


def test_get_and_expire(door: Side) -> None:
    assert value(door, "HGETEX none EX 100 FIELDS 2 a b") == [None, None]
    assert value(door, "EXISTS none") == 0
    value(door, "HSET h a 1 b 2")
    assert value(door, "HGETEX h FIELDS 2 a nosuch") == [b"1", None]
    assert value(door, "HTTL h FIELDS 1 a") == [NO_TTL]
    assert value(door, f"HGETEX h EXAT {FAR} FIELDS 2 a nosuch") == [b"1", None]
    assert value(door, f"HGETEX h PXAT {FAR * 1000 + 3} FIELDS 1 b") == [b"2"]
    assert value(door, "HPEXPIRETIME h FIELDS 2 a b") == [FAR * 1000, FAR * 1000 + 3]
    assert value(door, "HGETEX h FIELDS 1 a") == [b"1"]
    assert value(door, "HEXPIRETIME h FIELDS 1 a") == [FAR]
    assert value(door, "HGETEX h PERSIST FIELDS 2 a b") == [b"1", b"2"]
    assert value(door, "HTTL h FIELDS 2 a b") == [NO_TTL, NO_TTL]
    value(door, "HGETEX h EX 100 FIELDS 1 a")
    value(door, "HGETEX h PX 100000 FIELDS 1 b")
    assert all(90 <= left <= 100 for left in value(door, "HTTL h FIELDS 2 a b"))


def test_getting_with_a_time_in_the_past_deletes(door: Side) -> None:
    value(door, "HSET h a 1 b 2")
    assert value(door, "HGETEX h EXAT 1 FIELDS 1 a") == [b"1"]
    assert hash_of(door) == {b"b": b"2"}


def test_set_and_expire(door: Side) -> None:
    assert value(door, f"HSETEX h EXAT {FAR} FIELDS 2 a 1 b 2") == 1
    assert hash_of(door) == {b"a": b"1", b"b": b"2"}
    assert value(door, "HEXPIRETIME h FIELDS 2 a b") == [FAR, FAR]
    assert value(door, "HSETEX h KEEPTTL FIELDS 1 a 3") == 1
    assert value(door, "HEXPIRETIME h FIELDS 1 a") == [FAR]
    assert value(door, "HSETEX h FIELDS 1 a 4") == 1
    assert value(door, "HTTL h FIELDS 2 a b")[0] == NO_TTL
    assert value(door, f"HSETEX h PXAT {FAR * 1000 + 1} FIELDS 1 c 5") == 1
    assert value(door, "HPEXPIRETIME h FIELDS 1 c") == [FAR * 1000 + 1]
    value(door, "HSETEX h EX 100 FIELDS 1 a 6")
    value(door, "HSETEX h PX 100000 FIELDS 1 b 6")
    assert all(90 <= left <= 100 for left in value(door, "HTTL h FIELDS 2 a b"))


def test_setting_under_a_condition_is_all_or_nothing(door: Side) -> None:
    assert value(door, "HSETEX h FXX FIELDS 1 a 1") == 0
    assert value(door, "EXISTS h") == 0
    assert value(door, "HSETEX h FNX EX 60 FIELDS 2 a 1 b 2") == 1
    assert value(door, "HSETEX h FNX EX 60 FIELDS 2 b 3 c 3") == 0
    assert value(door, "HSETEX h FXX EX 60 FIELDS 2 b 3 c 3") == 0
    assert hash_of(door) == {b"a": b"1", b"b": b"2"}
    assert value(door, "HSETEX h FXX FIELDS 2 a 5 b 6") == 1
    assert hash_of(door) == {b"a": b"5", b"b": b"6"}


# ---- ZRANK and ZREVRANK WITHSCORE ----------------------------------------------------------------


def test_rank_with_score(door: Side) -> None:
    value(door, "ZADD z 1 one 2 two 3.5 three")
    score = "3.5"
    for line, rank in (("ZRANK z three WITHSCORE", 2), ("ZREVRANK z three WITHSCORE", 0)):
        kind = ("double", score) if door.resp == 3 else ("bulk", score.encode())
        assert run(door, line) == ("array", (("int", rank), kind))
    assert run(door, "ZRANK z four WITHSCORE") == ("null",)
    assert run(door, "ZREVRANK none one WITHSCORE") == ("null",)
    assert run(door, "ZRANK z one") == ("int", 0)
    assert fails(door, "ZRANK z one WITHSCORES")
    assert fails(door, "ZRANK z one WITHSCORE x")


# ---- OBJECT ENCODING as 7.2 names it -------------------------------------------------------------


def _filled(command: str, count: int, form: str) -> str:
    return f"{command} k " + " ".join(form.format(n) for n in range(count))


@pytest.mark.parametrize(
    ("line", "encoding"),
    [
        (_filled("SADD", 512, "{}"), b"intset"),
        (_filled("SADD", 513, "{}"), b"hashtable"),
        (_filled("SADD", 128, "m{}"), b"listpack"),
        (_filled("SADD", 129, "m{}"), b"hashtable"),
        (_filled("SADD", 100, "{} x"), b"listpack"),
        ("SADD k " + "m" * 64, b"listpack"),
        ("SADD k " + "m" * 65, b"hashtable"),
        (_filled("HSET", 128, "f{0} {0}"), b"listpack"),
        (_filled("HSET", 512, "f{0} {0}"), b"listpack"),
        (_filled("HSET", 513, "f{0} {0}"), b"hashtable"),
        ("HSET k f " + "v" * 64, b"listpack"),
        ("HSET k f " + "v" * 65, b"hashtable"),
        (_filled("ZADD", 128, "{0} m{0}"), b"listpack"),
        (_filled("ZADD", 129, "{0} m{0}"), b"skiplist"),
        ("ZADD k 1 " + "m" * 65, b"skiplist"),
        (_filled("RPUSH", 100, "m{}"), b"listpack"),
        (_filled("RPUSH", 3000, "element{}"), b"quicklist"),
        ("XADD k 1-1 f v", b"stream"),
    ],
)
def test_encodings(door: Side, line: str, encoding: bytes) -> None:
    value(door, line)
    assert value(door, "OBJECT ENCODING k") == encoding
