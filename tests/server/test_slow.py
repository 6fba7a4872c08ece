"""SLOWLOG and LATENCY: what is noted, how it is cut, how it is told."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest

from server.inside import play
from server.wire import request
from shmcache.server.latency import LatencyEvent, LatencyMonitor, draw_graph

if TYPE_CHECKING:
    from collections.abc import Iterator

    from server.inside import Stage
    from server.processes import FrontEnd, RedisServer
    from server.wire import Wire
    from shmcache.arena import Arena

SECRETS = [
    "HELLO 2 SETNAME me AUTH default secret",
    "HELLO 2 AUTH default",
    "AUTH secret",
    "AUTH default secret",
    "AUTH a b c",
    "CONFIG SET masterauth secret maxmemory-samples 5",
    "CONFIG SET tls-key-file-pass",
    "CONFIG GET requirepass",
]
LONG: list[list[str | bytes]] = [
    ["MSET", *map(str, range(30))],
    ["MSET", *map(str, range(32))],
    ["MSET", *map(str, range(200))],
    ["SET", "a" * 128, "b" * 129],
    ["SET", "a", b"\x00" * 1000],
]


@pytest.fixture
def all_noted(front_end: FrontEnd, redis_server: RedisServer) -> Iterator[tuple[Wire, Wire]]:
    """Both servers, with a slow log that takes everything."""
    with front_end.connect() as ours, redis_server.connect() as theirs:
        for wire in (ours, theirs):
            wire.run("CONFIG", "SET", "slowlog-log-slower-than", "0", "slowlog-max-len", "128")
            wire.run("SLOWLOG", "RESET")
        yield ours, theirs
        for wire in (ours, theirs):
            wire.run("CONFIG", "SET", "slowlog-log-slower-than", "10000")


def comparable(wire: Wire) -> list[bytes]:
    """The entries without their ids, times and addresses."""
    reply = wire.run("SLOWLOG", "GET", "-1")
    entries = re.split(rb"\*6\r\n:\d+\r\n:\d+\r\n:\d+\r\n", reply)[1:]
    address = rb"\$\d+\r\n[^\r]*\.sock:0\r\n"
    return [re.sub(address, b"ADDRESS ", entry) for entry in entries]


def test_entries_are_redis_own(all_noted: tuple[Wire, Wire]) -> None:
    """Native commands, transactions, refused and failing ones, secrets, and long lines."""
    lines: list[list[str | bytes]] = [
        ["SET", "a", "1"],
        ["GET", "a"],
        ["LPUSH", "a", "1"],
        ["GET"],
        ["NOSUCH"],
        ["MULTI"],
    ]
    lines += [["INCR", "a"], ["SET", "b", "2"], ["EXEC"], ["MULTI"], ["PING"], ["EXEC"]]
    lines += [["CLIENT", "SETNAME", "me"], *LONG]
    lines.extend([*line.split()] for line in SECRETS)
    for words in lines:
        assert len({wire.run(*words)[:1] for wire in all_noted}) == 1, words
    ours, theirs = map(comparable, all_noted)
    assert ours == theirs


def test_numbers_go_on(all_noted: tuple[Wire, Wire]) -> None:
    ours, _ = all_noted
    ours.run("SLOWLOG", "RESET")
    first = ours.run("SLOWLOG", "GET", "1")
    assert b"SLOWLOG\r\n$5\r\nRESET" in first
    ours.run("SLOWLOG", "RESET")
    second = ours.run("SLOWLOG", "GET", "1")
    number = [int(reply.split(b":")[1].split(b"\r")[0]) for reply in (first, second)]
    assert number[1] == number[0] + 2
    stamp, spent = (int(part) for part in re.findall(rb":(\d+)\r\n", second)[1:3])
    assert abs(stamp - time.time()) < 100
    assert 0 <= spent < 10_000_000
    assert ours.run("SLOWLOG", "LEN") == b":2\r\n"


def test_the_length_is_kept(all_noted: tuple[Wire, Wire]) -> None:
    for wire in all_noted:
        wire.run("CONFIG", "SET", "slowlog-max-len", "3")
        for _ in range(5):
            wire.run("PING")
        assert wire.run("SLOWLOG", "LEN") == b":3\r\n"
        assert wire.run("SLOWLOG", "GET", "9").startswith(b"*3\r\n")
        wire.run("CONFIG", "SET", "slowlog-max-len", "0")
        assert wire.run("SLOWLOG", "LEN") == b":0\r\n"
        wire.run("CONFIG", "SET", "slowlog-log-slower-than", "-1", "slowlog-max-len", "128")
        wire.run("PING")
        assert wire.run("SLOWLOG", "LEN") == b":0\r\n"


@pytest.mark.parametrize("way", ["handler", "queue"])
def test_a_slow_command_is_an_event(arena: Arena, way: str) -> None:
    """Whichever way it took; the monitor's threshold is in milliseconds."""

    async def scene(stage: Stage) -> None:
        def slowly(_client: object, _args: object) -> str:
            time.sleep(0.005)
            return "OK"

        for name in (b"ECHO", b"KEYS"):
            stage.server.dispatcher.lookup([name]).function = slowly
        peer = await stage.connect()
        lines = [["ECHO", "x"], ["KEYS", "*"]]
        if way == "queue":
            lines = [["MULTI"], *lines, ["EXEC"]]
        await stage.loop.sock_sendall(peer, b"".join(request(*line) for line in lines))
        events = stage.server.latency.events
        while len(events) < 2:
            await stage.loop.sock_recv(peer, 10_000)
        assert {"fast-command", "command"} <= set(events)
        assert all(5 <= event.most_ms < 5000 for event in events.values())
        assert {entry.words[0] for entry in stage.server.slowlog.newest(9)} == {b"ECHO", b"KEYS"}
        peer.close()

    play(arena, scene, latency_monitor_threshold="3", slowlog_log_slower_than="4000")


def test_samples_of_one_second_are_one() -> None:
    event = LatencyEvent()
    for second, spent in ((10, 5), (10, 9), (10, 7), (11, 2)):
        event.add(second, spent)
    assert list(event.samples) == [(10, 9), (11, 2)]
    assert event.most_ms == 9
    for second in range(1000):
        event.add(second, 1)
    assert len(event.samples) == 160


def test_nothing_below_the_threshold() -> None:
    monitor = LatencyMonitor()
    monitor.note("x", 1000)
    monitor.threshold_ms = 10
    monitor.note("x", 9)
    assert not monitor.events
    monitor.note("x", 10)
    monitor.note("y", 10)
    assert monitor.reset(["x", "x", "z"]) == 1
    assert monitor.reset([]) == 1


def test_the_graph() -> None:
    """Redis's picture of the same samples."""
    event = LatencyEvent()
    now = int(time.time())
    for age, spent in ((90_000, 4), (7300, 20), (65, 103), (3, 33), (0, 2)):
        event.add(now - age, spent)
    lines = draw_graph("command", event).splitlines()
    assert lines[0] == "command - high 103 ms, low 2 ms (all time high 103 ms)"
    assert lines[1] == "-" * 80
    assert lines[2:6] == ["  #  ", "  |  ", "  |_ ", "_#||_"]
    assert lines[6:8] == ["     ", "121" + lines[7][3:]]
    assert lines[8] == "dhmss"


def test_latency_is_told(arena: Arena) -> None:
    async def scene(stage: Stage) -> None:
        latency = stage.server.latency
        assert b"latency-monitor-threshold" in await stage.ask(
            await stage.connect(), "LATENCY", "DOCTOR"
        )
        latency.threshold_ms = 1
        latency.note("command", 1234)
        now = int(time.time())
        answers = [
            await stage.ask(await stage.connect(), "LATENCY", *words.split())
            for words in ("LATEST", "HISTORY command", "DOCTOR", "GRAPH command", "RESET command")
        ]
        assert re.fullmatch(
            rb"\*1\r\n\*4\r\n\$7\r\ncommand\r\n:(\d+)\r\n:1234\r\n:1234\r\n", answers[0]
        )
        assert abs(int(answers[1].split(b"\r\n")[2][1:]) - now) < 100
        assert b"at most 1234 ms" in answers[2]
        assert b"high 1234 ms" in answers[3]
        assert answers[4] == b":1\r\n"
        assert not latency.events

    play(arena, scene)


def test_histograms(client: Wire) -> None:
    client.run("CONFIG", "RESETSTAT")
    for _ in range(10):
        client.run("SET", "a", "1")
    client.run("CONFIG", "GET", "port")
    reply = client.run("LATENCY", "HISTOGRAM", "set", "config", "nosuch")
    assert reply.startswith(b"*6\r\n$")
    edges = re.search(
        rb"\$3\r\nset\r\n\*4\r\n\$5\r\ncalls\r\n:10\r\n\$14\r\nhistogram_usec\r\n", reply
    )
    assert edges is not None
    count, *numbers = re.split(rb"\r\n", reply[edges.end() :])
    pairs = [int(number[1:]) for number in numbers[: int(count[1:])]]
    assert pairs[1::2] == sorted(set(pairs[1::2]))
    assert pairs[-1] == 10
    usual = {1, 2, 4, 8, 16, 33, 66, 132, 264, 528, 1056, 2113, 4227, 8454, 16908, 33816, 67633}
    assert set(pairs[::2]) <= usual
    assert b"config|get" in reply
    assert b"config|resetstat" in reply
    assert client.run("LATENCY", "HISTOGRAM", "nosuch") == b"*0\r\n"
    client.run("CONFIG", "RESETSTAT")
    assert b"\r\nset\r\n" not in client.run("LATENCY", "HISTOGRAM")
