"""Hash fields' times of death: what the documentation of Redis 7.4 and 8.0 says of each command."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from differential.scripts import lines_of
from differential.sides import InProcessSide

if TYPE_CHECKING:
    import model_arena
    from differential.sides import Side
    from differential.wire import Tagged

    from shmcache.arena import Arena

NO_FIELD, NO_EXPIRY = -2, -1
REFUSED, DONE, DELETED = 0, 1, 2
SETTERS = (b"HEXPIRE", b"HPEXPIRE", b"HEXPIREAT", b"HPEXPIREAT")
TELLERS = (b"HTTL", b"HPTTL", b"HEXPIRETIME", b"HPEXPIRETIME")
LAST_MS = (1 << 46) - 1

WRONG_TYPE = "WRONGTYPE Operation against a key holding the wrong kind of value"
NOT_AN_INTEGER = "ERR value is not an integer or out of range"
NO_FIELDS_WORD = "ERR Mandatory argument FIELDS is missing or not at the right position"
NOT_ALL_FIELDS = "ERR The `numfields` parameter must match the number of arguments"
NOT_POSITIVE = "ERR Number of fields must be a positive integer"
NOT_POSITIVE_HERE = "ERR Parameter `numFields` should be greater than 0"
NEGATIVE = "ERR invalid expire time, must be >= 0"
ONE_TIME = "ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified"
ONE_CONDITION = "ERR Only one of FXX or FNX arguments can be specified"


def _arity(name: str) -> str:
    return f"ERR wrong number of arguments for '{name}' command"


@pytest.fixture
def side(ours: Side) -> Side:
    """One of our doors, with a hash ``h`` and a string ``s``."""
    assert ours.execute(b"FLUSHALL") == ("simple", b"OK")
    assert _ask(ours, "HSET h a 1 b 2 c 3") == 3
    assert _ask(ours, "SET s x") == b"OK"
    return ours


def _plain(reply: Tagged) -> object:
    kind, *content = reply
    if kind == "null":
        return None
    if kind in {"array", "set"}:
        return [_plain(part) for part in content[0]]
    return content[0].decode() if kind == "error" else content[0]


def _ask(side: Side, line: str) -> object:
    """A command line's reply; the text of an error."""
    return _plain(side.execute(*lines_of(line)[0]))


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _let_die(side: Side, *fields: str, key: str = "h") -> None:
    """Give fields a time of death and wait until it is past."""
    when_ms = _now_ms() + 15
    words = f"HPEXPIREAT {key} {when_ms} FIELDS {len(fields)} {' '.join(fields)}"
    outcomes = _ask(side, words)
    assert isinstance(outcomes, list)
    assert set(outcomes) <= {DONE, DELETED}  # the latter if this took longer than that
    while _now_ms() <= when_ms + 1:
        time.sleep(0.002)


# ---- HEXPIRE and its kin -------------------------------------------------------------------------


@pytest.mark.parametrize("name", SETTERS)
def test_setting_and_telling(side: Side, name: bytes) -> None:
    now_ms = _now_ms()
    unit_ms = 1 if name.startswith(b"HP") else 1000
    base_ms = now_ms if name.endswith(b"AT") else 0
    word = b"%d" % ((base_ms + 100_000) // unit_ms)
    reply = side.execute(name, b"h", word, b"FIELDS", b"3", b"a", b"nosuch", b"a")
    assert _plain(reply) == [DONE, NO_FIELD, DONE]
    told = {
        asked: side.execute(asked, b"h", b"FIELDS", b"3", b"a", b"b", b"nosuch")[1]
        for asked in TELLERS
    }
    assert {reply[1:] for reply in told.values()} == {(("int", NO_EXPIRY), ("int", NO_FIELD))}
    tolerance_ms = 5000
    assert abs(told[b"HPTTL"][0][1] - 100_000) <= tolerance_ms
    assert abs(told[b"HTTL"][0][1] - 100) <= tolerance_ms // 1000
    assert abs(told[b"HPEXPIRETIME"][0][1] - now_ms - 100_000) <= tolerance_ms
    assert told[b"HEXPIRETIME"][0][1] == -(-told[b"HPEXPIRETIME"][0][1] // 1000)


@pytest.mark.parametrize("name", SETTERS)
def test_a_missing_key_has_no_fields(side: Side, name: bytes) -> None:
    assert _ask(side, f"{name.decode()} missing 9999999999 FIELDS 2 a b") == [NO_FIELD, NO_FIELD]
    assert _ask(side, "EXISTS missing") == 0


@pytest.mark.parametrize("name", [*TELLERS, b"HPERSIST"])
def test_a_missing_key_has_no_fields_to_tell_of(side: Side, name: bytes) -> None:
    assert _ask(side, f"{name.decode()} missing FIELDS 2 a b") == [NO_FIELD, NO_FIELD]


def test_conditions(side: Side) -> None:
    for line, expected in (
        ("HEXPIRE h 1000 XX FIELDS 1 a", [REFUSED]),
        ("HEXPIRE h 1000 GT FIELDS 1 a", [REFUSED]),
        ("HEXPIRE h 1000 NX FIELDS 2 a nosuch", [DONE, NO_FIELD]),
        ("HEXPIRE h 2000 NX FIELDS 2 a b", [REFUSED, DONE]),
        ("HEXPIRE h 500 GT FIELDS 2 a b", [REFUSED, REFUSED]),
        ("HEXPIRE h 1500 gt FIELDS 2 a b", [DONE, REFUSED]),
        ("HEXPIRE h 1200 LT FIELDS 3 a b c", [DONE, DONE, DONE]),
        ("HEXPIRE h 1900 lt fields 1 a", [REFUSED]),
        ("HEXPIRE h 1900 XX FIELDS 1 a", [DONE]),
    ):
        assert _ask(side, line) == expected, line
    left = _ask(side, "HTTL h FIELDS 3 a b c")
    assert isinstance(left, list)
    assert [round(seconds / 100) for seconds in left] == [19, 12, 12]


def test_a_time_that_is_past_removes_the_field(side: Side) -> None:
    assert _ask(side, "HEXPIRE h 1000 FIELDS 1 b") == [DONE]
    assert _ask(side, "HPEXPIREAT h 1 NX FIELDS 4 a b nosuch a") == [
        DELETED,
        REFUSED,
        NO_FIELD,
        NO_FIELD,
    ]
    assert _ask(side, "HEXISTS h a") == 0
    assert _ask(side, "HEXPIREAT h 0 FIELDS 1 b") == [DELETED]
    assert _ask(side, "HLEN h") == 1
    assert _ask(side, "HEXPIRE h 0 FIELDS 1 c") == [DELETED]
    assert _ask(side, "EXISTS h") == 0


def test_the_last_time_of_death(side: Side) -> None:
    too_late = "ERR invalid expire time in '{}' command"
    for line, expected in (
        (f"HPEXPIREAT h {LAST_MS} FIELDS 1 a", [DONE]),
        (f"HPEXPIREAT h {LAST_MS + 1} FIELDS 1 a", too_late.format("hpexpireat")),
        (f"HEXPIREAT h {LAST_MS // 1000} FIELDS 1 a", [DONE]),
        (f"HEXPIREAT h {LAST_MS // 1000 + 1} FIELDS 1 a", too_late.format("hexpireat")),
        (f"HPEXPIRE h {LAST_MS} FIELDS 1 a", too_late.format("hpexpire")),
        (f"HEXPIRE h {LAST_MS} FIELDS 1 a", too_late.format("hexpire")),
        ("HEXPIRE h 9223372036854775807 FIELDS 1 a", too_late.format("hexpire")),
        (f"HGETEX h PXAT {LAST_MS + 1} FIELDS 1 a", too_late.format("hgetex")),
        (f"HSETEX h EX {LAST_MS} FIELDS 1 a 1", too_late.format("hsetex")),
    ):
        assert _ask(side, line) == expected, line


@pytest.mark.parametrize("name", [name.decode() for name in SETTERS])
def test_what_setting_refuses(side: Side, name: str) -> None:
    for words, expected in (
        ("h", _arity(name.lower())),
        ("h 10 FIELDS 1", _arity(name.lower())),
        ("h 10 FIELD 1 a", NO_FIELDS_WORD),
        ("h 10 NX XX FIELDS 1 a", NO_FIELDS_WORD),
        ("h 10 FIELDS 0 a", NOT_POSITIVE_HERE),
        ("h 10 FIELDS -1 a", NOT_POSITIVE_HERE),
        ("h 10 FIELDS x a", NOT_POSITIVE_HERE),
        ("h 10 FIELDS 9223372036854775808 a", NOT_POSITIVE_HERE),
        ("h 10 FIELDS 2 a", NOT_ALL_FIELDS),
        ("h 10 FIELDS 1 a b", NOT_ALL_FIELDS),
        ("h x FIELDS 1 a", NOT_AN_INTEGER),
        ("h 1.5 FIELDS 1 a", NOT_AN_INTEGER),
        ("h 9223372036854775808 FIELDS 1 a", NOT_AN_INTEGER),
        ("h -1 FIELDS 1 a", NEGATIVE),
        ("s 10 FIELDS 1 a", WRONG_TYPE),
        ("s x FIELDS 1 a", WRONG_TYPE),
        ("missing x FIELDS 1 a", NOT_AN_INTEGER),
    ):
        assert _ask(side, f"{name} {words}") == expected, words


@pytest.mark.parametrize("name", [name.decode() for name in (*TELLERS, b"HPERSIST", b"HGETDEL")])
def test_what_telling_refuses(side: Side, name: str) -> None:
    for words, expected in (
        ("h", _arity(name.lower())),
        ("h FIELDS 1", _arity(name.lower())),
        ("h FIELD 1 a", NO_FIELDS_WORD),
        ("h FIELDS 0 a", NOT_POSITIVE),
        ("h FIELDS x a", NOT_POSITIVE),
        ("h FIELDS 2 a", NOT_ALL_FIELDS),
        ("h FIELDS 1 a b", NOT_ALL_FIELDS),
        ("s FIELDS 1 a", WRONG_TYPE),
        ("s FIELDS 0 a", WRONG_TYPE),
        ("missing FIELDS 0 a", NOT_POSITIVE),
    ):
        assert _ask(side, f"{name} {words}") == expected, words


def test_persist(side: Side) -> None:
    assert _ask(side, "HEXPIRE h 100 FIELDS 1 a") == [DONE]
    assert _ask(side, "HPERSIST h FIELDS 4 a b nosuch a") == [DONE, NO_EXPIRY, NO_FIELD, NO_EXPIRY]
    assert _ask(side, "HTTL h FIELDS 1 a") == [NO_EXPIRY]


# ---- what other commands do to times of death ----------------------------------------------------


def test_setting_a_value_removes_the_time_and_adding_keeps_it(side: Side) -> None:
    assert _ask(side, "HEXPIRE h 100 FIELDS 3 a b c") == [DONE] * 3
    assert _ask(side, "HSET h a 5") == 0
    assert _ask(side, "HINCRBY h b 5") == 7
    assert _ask(side, "HINCRBYFLOAT h c 0.5") == b"3.5"
    assert _ask(side, "HSETNX h b 9") == 0
    left = _ask(side, "HTTL h FIELDS 3 a b c")
    assert isinstance(left, list)
    assert left[0] == NO_EXPIRY
    assert min(left[1:]) > 90


def test_times_go_with_the_hash(side: Side) -> None:
    assert _ask(side, "HEXPIRE h 100 FIELDS 1 a") == [DONE]
    assert _ask(side, "COPY h copy") == 1
    assert _ask(side, "RENAME h renamed") == b"OK"
    for key in ("copy", "renamed"):
        left = _ask(side, f"HTTL {key} FIELDS 2 a b")
        assert isinstance(left, list)
        assert left[0] > 90
        assert left[1] == NO_EXPIRY


def test_dead_fields_are_not_there(side: Side) -> None:
    _let_die(side, "a", "b")
    for line, expected in (
        ("HGET h a", None),
        ("HMGET h a c", [None, b"3"]),
        ("HGETALL h", [b"c", b"3"] if side.resp == 2 else ((("bulk", b"c"), ("bulk", b"3")),)),
        ("HKEYS h", [b"c"]),
        ("HVALS h", [b"3"]),
        ("HEXISTS h a", 0),
        ("HSTRLEN h b", 0),
        ("HSCAN h 0", [b"0", [b"c", b"3"]]),
        ("HRANDFIELD h", b"c"),
        ("HRANDFIELD h 5", [b"c"]),
        ("HRANDFIELD h -2", [b"c", b"c"]),
        ("HTTL h FIELDS 2 a c", [NO_FIELD, NO_EXPIRY]),
        ("HPEXPIRETIME h FIELDS 1 b", [NO_FIELD]),
        ("HGETEX h EX 10 FIELDS 1 a", [None]),
        ("HPERSIST h FIELDS 1 a", [NO_FIELD]),
        ("HEXPIRE h 10 FIELDS 1 a", [NO_FIELD]),
        ("HDEL h a", 0),
        ("HSETNX h a new", 1),
        ("HTTL h FIELDS 1 a", [NO_EXPIRY]),
        ("HINCRBY h b 5", 5),
        ("HLEN h", 3),
    ):
        assert _ask(side, line) == expected, line


@pytest.mark.parametrize("size", [3, 300])
def test_dead_fields_are_removed_in_time(arena: Arena | model_arena.Arena, size: int) -> None:
    """HLEN and EXISTS count them until then, as Redis's do."""
    side = InProcessSide(arena)
    names = [f"f{number}" for number in range(size)]
    for key, kept in (("part", "kept 1"), ("whole", "")):
        assert _ask(side, f"HSET {key} {' '.join(f'{name} x' for name in names)} {kept}")
        _let_die(side, *names, key=key)
    assert _ask(side, "HGETALL whole") == []
    assert _ask(side, "HRANDFIELD whole") is None
    arena.expire_cycle(1_000_000)
    assert _ask(side, "EXISTS whole part") == 1
    assert _ask(side, "HLEN part") == 1
    assert _ask(side, "HGETALL part") == [b"kept", b"1"]
    assert arena.validate() == []


def test_encodings(side: Side) -> None:
    assert _ask(side, "OBJECT ENCODING h") == b"listpack"
    assert _ask(side, "HEXPIRE h 100 FIELDS 1 a") == [DONE]
    assert _ask(side, "OBJECT ENCODING h") == b"listpackex"
    assert _ask(side, f"HSET h long {'x' * 65}") == 1
    assert _ask(side, "OBJECT ENCODING h") == b"hashtable"
    assert _ask(side, "HTTL h FIELDS 2 b long") == [NO_EXPIRY, NO_EXPIRY]
    left = _ask(side, "HTTL h FIELDS 1 a")
    assert isinstance(left, list)
    assert left[0] > 90


# ---- HGETDEL, HGETEX, HSETEX ---------------------------------------------------------------------


def test_getdel(side: Side) -> None:
    assert _ask(side, "HGETDEL h FIELDS 3 a nosuch a") == [b"1", None, None]
    assert _ask(side, "HGETDEL missing FIELDS 2 a b") == [None, None]
    assert _ask(side, "HLEN h") == 2
    assert _ask(side, "HGETDEL h fields 2 b c") == [b"2", b"3"]
    assert _ask(side, "EXISTS h") == 0


def test_getex(side: Side) -> None:
    assert _ask(side, "HGETEX h FIELDS 2 a nosuch") == [b"1", None]
    assert _ask(side, "HTTL h FIELDS 1 a") == [NO_EXPIRY]
    now_s = _now_ms() // 1000
    for option in ("EX 100", "px 100000", f"EXAT {now_s + 100}", f"PXAT {now_s * 1000 + 100_000}"):
        assert _ask(side, "HPERSIST h FIELDS 3 a b c") != [NO_EXPIRY, DONE, DONE]
        assert _ask(side, f"HGETEX h {option} FIELDS 2 a b") == [b"1", b"2"]
        left = _ask(side, "HTTL h FIELDS 3 a b c")
        assert isinstance(left, list)
        assert min(left[:2]) > 90
        assert left[2] == NO_EXPIRY
    assert _ask(side, "HGETEX h FIELDS 1 a") == [b"1"]
    assert _ask(side, "HGETEX h PERSIST FIELDS 1 b") == [b"2"]
    left = _ask(side, "HTTL h FIELDS 2 a b")
    assert isinstance(left, list)
    assert left[0] > 90
    assert left[1] == NO_EXPIRY
    assert _ask(side, "HGETEX missing EX 10 FIELDS 2 a b") == [None, None]
    assert _ask(side, "HGETEX h PXAT 1 FIELDS 4 a b c a") == [b"1", b"2", b"3", None]
    assert _ask(side, "EXISTS h missing") == 0


def test_what_getex_refuses(side: Side) -> None:
    for words, expected in (
        ("h FIELDS 1", _arity("hgetex")),
        ("h XFIELDX 1 a", NO_FIELDS_WORD),
        ("h PXAT 1 1", NO_FIELDS_WORD),
        ("h PERSIST 1 FIELDS 1 a", NO_FIELDS_WORD),
        ("h KEEPTTL FIELDS 1 a", NO_FIELDS_WORD),
        ("h EX 100 PERSIST FIELDS 1 a", NO_FIELDS_WORD),
        ("h FIELDS 2 a", NOT_ALL_FIELDS),
        ("h FIELDS 0 a", NOT_POSITIVE),
        ("h FIELDS 9223372036854775808 a", NOT_POSITIVE),
        ("h EX x FIELDS 1 a", NOT_AN_INTEGER),
        ("h EXAT 9223372036854775808 FIELDS 1 a", NOT_AN_INTEGER),
        ("h PX -1 FIELDS 1 a", NEGATIVE),
        ("h EX 9223372036854775807 FIELDS 1 a", "ERR invalid expire time in 'hgetex' command"),
        ("s FIELDS 1 a", WRONG_TYPE),
        ("s FIELDS 0 a", WRONG_TYPE),
    ):
        assert _ask(side, f"HGETEX {words}") == expected, words


def test_setex(side: Side) -> None:
    assert _ask(side, "HSETEX new EX 100 FIELDS 2 a 1 b 2") == 1
    left = _ask(side, "HTTL new FIELDS 2 a b")
    assert isinstance(left, list)
    assert min(left) > 90
    assert _ask(side, "HSETEX new KEEPTTL FIELDS 2 a 5 c 6") == 1
    assert _ask(side, "HMGET new a b c") == [b"5", b"2", b"6"]
    left = _ask(side, "HTTL new FIELDS 2 a c")
    assert isinstance(left, list)
    assert left[0] > 90
    assert left[1] == NO_EXPIRY
    assert _ask(side, "HSETEX new FIELDS 1 a 7") == 1
    assert _ask(side, "HTTL new FIELDS 1 a") == [NO_EXPIRY]
    assert _ask(side, "HSETEX new PXAT 1 FIELDS 3 a 1 b 2 c 3") == 1
    assert _ask(side, "EXISTS new") == 0
    assert _ask(side, "HSETEX new EXAT 1 FIELDS 1 a 1") == 1
    assert _ask(side, "EXISTS new") == 0


def test_setex_under_conditions(side: Side) -> None:
    for line, expected in (
        ("HSETEX missing FXX FIELDS 1 a 1", 0),
        ("EXISTS missing", 0),
        ("HSETEX h FXX FIELDS 2 a 5 new 6", 0),
        ("HSETEX h FNX FIELDS 2 a 5 new 6", 0),
        ("HMGET h a new", [b"1", None]),
        ("HSETEX h FXX PX 100000 FIELDS 2 a 5 b 6", 1),
        ("HSETEX h EX 100 fnx fields 2 new 7 newer 8", 1),
        ("HMGET h a b new newer", [b"5", b"6", b"7", b"8"]),
        ("HSETEX missing FNX FIELDS 1 a 1", 1),
    ):
        assert _ask(side, line) == expected, line
    left = _ask(side, "HTTL h FIELDS 4 a b new newer")
    assert isinstance(left, list)
    assert min(left) > 90
    _let_die(side, "new")
    assert _ask(side, "HSETEX h FXX FIELDS 1 new 9") == 0
    assert _ask(side, "HSETEX h FNX FIELDS 1 new 9") == 1


def test_what_setex_refuses(side: Side) -> None:
    for words, expected in (
        ("h FIELDS 1 a", _arity("hsetex")),
        ("h FIELDS 2 a b", _arity("hsetex")),
        ("h FIELDS 2 a b c", _arity("hsetex")),
        ("h FIELDS 1 a b c", _arity("hsetex")),
        ("h FNX FIELDS 1 a", _arity("hsetex")),
        ("h nx FIELDS 1 a b", "ERR unknown argument: nx"),
        ("h 1 FIELDS 1 a b", "ERR unknown argument: 1"),
        ("h FXX FXX FIELDS 1 a b", ONE_CONDITION),
        ("h FNX EX 10 FXX FIELDS 1 a b", ONE_CONDITION),
        ("h EX 100 PX 100 FIELDS 1 a b", ONE_TIME),
        ("h EX 100 EX 100 FIELDS 1 a b", ONE_TIME),
        ("h KEEPTTL PXAT 1 FIELDS 1 a b", ONE_TIME),
        ("h KEEPTTL KEEPTTL FIELDS 1 a b", ONE_TIME),
        ("h EX FIELDS 1 a b", "ERR unknown argument: 1"),
        ("h EX x FIELDS 1 a b", NOT_AN_INTEGER),
        ("h PX -1 FIELDS 1 a b", NEGATIVE),
        ("h FIELDS x a b", "ERR invalid number of fields"),
        ("h FIELDS 0 a b", "ERR invalid number of fields"),
        ("h FIELDS 9223372036854775808 a b", "ERR invalid number of fields"),
        ("s FIELDS 1 a b", WRONG_TYPE),
        ("s FXX FIELDS 1 a b", WRONG_TYPE),
    ):
        assert _ask(side, f"HSETEX {words}") == expected, words
