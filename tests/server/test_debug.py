"""DEBUG: as far as it can be, what redis-server answers; and what becomes of its victims."""

from __future__ import annotations

import re
import signal
import time
from random import Random
from typing import TYPE_CHECKING

import pytest

from server.wire import request

if TYPE_CHECKING:
    from collections.abc import Callable

    from server.processes import FrontEnd, RedisServer
    from server.wire import Wire

TYPES = "string integer double bignum null array set map attrib verbatim true false push nosuch"
LINES = (
    *("DEBUG", "DEBUG BOGUS", "DEBUG SLEEP", "DEBUG SLEEP 0", "DEBUG SLEEP x", "DEBUG SLEEP -1"),
    *("DEBUG SET-ACTIVE-EXPIRE 1", "DEBUG SET-ACTIVE-EXPIRE", "DEBUG JMAP", "DEBUG OBJECT"),
    *("DEBUG STRINGMATCH-LEN 1 2", "DEBUG QUICKLIST-PACKED-THRESHOLD 100b"),
    *("DEBUG QUICKLIST-PACKED-THRESHOLD x", "DEBUG QUICKLIST-PACKED-THRESHOLD 5gb"),
    *("DEBUG OBJECT nokey", "DEBUG LISTPACK s", "DEBUG LISTPACK h", "DEBUG LISTPACK nokey"),
    *("DEBUG CHANGE-REPL-ID", "DEBUG DIGEST-VALUE", "DEBUG HTSTATS 99", "DEBUG HTSTATS x"),
    *("DEBUG HTSTATS-KEY s", "DEBUG HTSTATS-KEY nokey", "DEBUG POPULATE x", "DEBUG POPULATE -1"),
    *("DEBUG POPULATE 2 p 1 x", "DEBUG POPULATE 3 p 5", "MGET p:0 p:1 p:2 p:3"),
    *("DEBUG POPULATE 3 p 20", "MGET p:0 p:1 p:2 p:3", "DEBUG POPULATE 2", "MGET key:0 key:1"),
    *("DEBUG POPULATE 1 q 20", "GET q:0", "DEBUG ERROR FOO", "DEBUG ERROR", "DEBUG LOG hello"),
    *("DEBUG LOG a b", "DEBUG LEAK x", "DEBUG RELOAD", "DEBUG RELOAD BOGUS"),
    *("DEBUG PAUSE-CRON 0", "DEBUG RESTART x", "DEBUG CRASH-AND-RECOVER x", "DEBUG DIGEST-VALUE s"),
)


@pytest.mark.parametrize("resp", [2, 3])
def test_answers_are_redis_own(front_end: FrontEnd, redis_server: RedisServer, resp: int) -> None:
    with front_end.connect(resp=resp) as ours, redis_server.connect(resp=resp) as theirs:
        theirs.run("FLUSHALL")
        for wire in (ours, theirs):
            wire.run("SET", "s", "text")
            wire.run("HSET", "h", "f", "1")
        for line in LINES:
            words = [line] if line == "DEBUG" else line.split()
            assert ours.run(*words) == theirs.run(*words), line


@pytest.mark.parametrize("resp", [2, 3])
@pytest.mark.parametrize("kind", TYPES.split())
def test_every_type_of_reply(
    front_end: FrontEnd, redis_server: RedisServer, kind: str, resp: int
) -> None:
    received = []
    for server in (front_end, redis_server):
        with server.connect(resp=resp) as wire:
            wire.send(request("DEBUG", "PROTOCOL", kind) + request("QUIT"))
            received.append(wire.rest())
    assert received[0] == received[1]


def random_lines(random: Random) -> list[str]:
    """Commands that fill two databases with values of all types."""
    lines = []
    for number in range(60):
        key, word, score = f"k{random.randrange(12)}", f"w{number}", random.uniform(-9, 9)
        choices = (
            f"SET s{key} {word}",
            f"INCRBY n{key} {number}",
            f"RPUSH l{key} {word} {number}",
            f"SADD t{key} {word} {number}",
            f"ZADD z{key} {score} {word} {number} {key}",
            f"HSET h{key} {word} {number} f {score}",
            f"XADD x{key} {number + 1}-{number} f {word} g {score}",
            f"EXPIRE s{key} 1000",
            f"SELECT {number % 2 * 5}",
        )
        lines.append(random.choice(choices))
    return lines


@pytest.mark.parametrize("seed", range(5))
def test_digests_are_redis_own(front_end: FrontEnd, redis_server: RedisServer, seed: int) -> None:
    """Of everything and of each value, whatever the encoding."""
    with front_end.connect() as ours, redis_server.connect() as theirs:
        wires = (ours, theirs)
        keys: set[str] = set()
        for wire in wires:
            wire.run("FLUSHALL")
            wire.run("CONFIG", "SET", "hash-max-listpack-entries", str(seed % 3 * 2))
        for line in random_lines(Random(seed)):
            for wire in wires:
                wire.run(*line.split())
            keys.update(line.split()[1:2])
        for wire in wires:
            wire.run("CONFIG", "SET", "hash-max-listpack-entries", "128")
        digests = [wire.run("DEBUG", "DIGEST") for wire in wires]
        assert digests[0] == digests[1] != b"+" + b"0" * 40 + b"\r\n"
        values = [wire.run("DEBUG", "DIGEST-VALUE", *sorted(keys), "nokey") for wire in wires]
        assert values[0] == values[1]


def test_a_field_s_time_to_live_changes_the_digest(client: Wire) -> None:
    client.run("HSET", "h", "a", "1", "b", "2")
    before = client.run("DEBUG", "DIGEST")
    client.run("HEXPIRE", "h", "100", "FIELDS", "1", "a")
    assert client.run("DEBUG", "DIGEST") != before
    client.run("HPERSIST", "h", "FIELDS", "1", "a")
    assert client.run("DEBUG", "DIGEST") == before


def test_the_arena_stays(client: Wire) -> None:
    client.run("SET", "a", "1")
    before = client.run("DEBUG", "DIGEST")
    for line in ("DEBUG RELOAD", "DEBUG RELOAD NOFLUSH MERGE", "DEBUG LOADAOF"):
        assert client.run(*line.split()) == b"+OK\r\n"
        assert client.run("DEBUG", "DIGEST") == before
    assert client.run("DEBUG", "RELOAD", "NOSAVE")[:1] == b"-"  # there is no file


def test_object_and_log(front_end: FrontEnd, client: Wire) -> None:
    client.run("RPUSH", "l", "a", "b")
    shown = client.text("DEBUG", "OBJECT", "l")
    assert re.fullmatch(
        r"Value at:0x0 refcount:1 encoding:listpack serializedlength:\d+ lru:\d+ "
        r"lru_seconds_idle:0 memory:\d+",
        shown,
    )
    client.run("DEBUG", "LOG", "look here")
    assert "DEBUG LOG: look here" in front_end.log()
    assert "number of elements: 1\n" in client.text("DEBUG", "HTSTATS", "0")
    titles = client.run("DEBUG", "HELP").split(b"\r\n")
    assert b"+POPULATE <count> [<prefix>] [<size>]" in titles


def test_change_of_the_replication_id(client: Wire) -> None:
    before = client.text("INFO", "replication", "server")
    client.run("DEBUG", "CHANGE-REPL-ID")
    after = client.text("INFO", "replication", "server")
    ids = [re.findall(r"(?:master_replid|run_id):(\w+)", text) for text in (before, after)]
    assert ids[0][0] == ids[1][0]  # the run's
    assert ids[0][1] != ids[1][1]


def test_sleep_stops_everybody(front_end: FrontEnd, client: Wire) -> None:
    with front_end.connect() as other:
        client.send(request("DEBUG", "SLEEP", "0.2"))
        started = time.monotonic()
        assert client.reply() == b"+OK\r\n"
        assert time.monotonic() - started > 0.15
        assert other.run("PING") == b"+PONG\r\n"


@pytest.mark.parametrize(("allowed", "unix", "tcp"), [("no", b"-", b"-"), ("local", b"+", b"+")])
def test_the_option(
    start_front_end: Callable[..., FrontEnd],
    tmp_path_factory: pytest.TempPathFactory,
    allowed: str,
    unix: bytes,
    tcp: bytes,
) -> None:
    from server.processes import RedisServer  # noqa: PLC0415

    front_end = start_front_end(enable_debug_command=allowed)
    redis = RedisServer(tmp_path_factory.mktemp("r"), enable_debug_command=allowed)
    try:
        with front_end.connect() as ours, redis.connect() as theirs:
            for line in ("DEBUG DIGEST", "DEBUG BOGUS", "DEBUG", "MULTI", "DEBUG DIGEST", "EXEC"):
                assert ours.run(*line.split()) == theirs.run(*line.split()), line
            assert ours.run("DEBUG", "LEAK", "x")[:1] == unix
        with front_end.connect(tcp=True) as wire:
            assert wire.run("DEBUG", "LEAK", "x")[:1] == tcp
            assert b"immutable" in wire.run("CONFIG", "SET", "enable-debug-command", "yes")
    finally:
        redis.close()


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("SEGFAULT", -signal.SIGSEGV),
        ("PANIC", -signal.SIGABRT),
        ("CRASH-AND-RECOVER", -signal.SIGKILL),
        ("RESTART 10", 0),
    ],
)
def test_ends(start_front_end: Callable[..., FrontEnd], line: str, status: int) -> None:
    front_end = start_front_end(enable_debug_command="yes")
    with front_end.connect() as wire:
        wire.run("SET", "a", "1")
        wire.send(request("DEBUG", *line.split()))
        assert front_end.process.wait(20) == status
        wire.rest()
