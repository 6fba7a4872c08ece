"""The modes beside single commands, compared with redis-cli's."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from cli.scripted import OURS, Outcome, Terminal, run, theirs

if TYPE_CHECKING:
    from client.processes import RedisServer

    from cli.scripted import ScriptedServer


@pytest.fixture
def filled(server: str, redis_server: RedisServer) -> str:
    """A redis-server with something of every type."""
    with redis_server.connect() as plain:
        for size in range(1, 40):
            plain.set(f"string:{size}", "x" * size)
        plain.rpush('l"1\n', *range(30))
        plain.sadd("set", *range(20))
        plain.zadd("zset", {"a": 1, "b": 2})
        plain.hset("hash", mapping={"f": 1, "g": 2})
        plain.xadd("stream", {"f": "v"})
    return server


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--pattern", "string:1*"),
        ("--quoted-pattern", '"\\x73*:2?"'),
        ("--no-raw",),
        ("-i", "0.001"),
        ("-n", "7"),
    ],
    ids=" ".join,
)
def test_scan(filled: str, options: tuple[str, ...]) -> None:
    expected = run(theirs(), "-s", filled, "--scan", *options)
    assert run(OURS, "-s", filled, "--scan", *options) == expected


def test_scan_in_one_step(filled: str) -> None:
    everything = run(theirs(), "-s", filled, "--scan").out.splitlines()
    outcome = run(OURS, "-s", filled, "--scan", "--count", "1000")
    assert sorted(outcome.out.splitlines()) == sorted(everything)


@pytest.mark.parametrize("mode", [("--bigkeys",), ("--memkeys",), ("--memkeys-samples", "2")])
@pytest.mark.parametrize("db", ["0", "7"])
def test_big_keys(filled: str, mode: tuple[str, ...], db: str) -> None:
    expected = run(theirs(), "-s", filled, "-n", db, *mode)
    got = run(OURS, "-s", filled, "-n", db, *mode)
    walks, summaries = zip(
        *(shown.out.split(b"- summary -") for shown in (expected, got)), strict=True
    )
    assert walks[0] == walks[1]
    # the order of the types in it is that of a hash table with a random seed
    assert sorted(summaries[0].splitlines()) == sorted(summaries[1].splitlines())
    assert got._replace(out=b"") == expected._replace(out=b"")


def test_hot_keys(filled: str, redis_server: RedisServer) -> None:
    refused = run(OURS, "-s", filled, "--hotkeys")
    assert refused.status == 1
    assert refused.err.startswith(b"Error: ERR An LFU maxmemory policy is not selected")
    with redis_server.connect() as plain:
        plain.config_set("maxmemory-policy", "allkeys-lfu")
        plain.set("hot", 1)
        for _ in range(100):
            plain.get("hot")
        most = plain.object("FREQ", "hot")
    got = run(OURS, "-s", filled, "--hotkeys")
    assert b'hot key found with counter: %d\tkeyname: "hot"\n' % most in got.out
    assert b"\nSampled 45 keys in the keyspace!\n" in got.out
    expected = run(theirs(), "-s", filled, "--hotkeys")
    assert got.out.splitlines()[:5] == expected.out.splitlines()[:5]
    found = re.compile(rb"^hot key found with counter: \d+\tkeyname: .*$", re.MULTILINE)
    assert found.search(expected.out)
    assert len(found.findall(got.out)) == len(found.findall(expected.out))


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"set a 1\r\nget a\r\n",
        b"set a 1\r\nbogus\r\nget a\r\nget\r\n",
        b"*3\r\n$3\r\nset\r\n$1\r\na\r\n$4\r\n\r\n\x00\xff\r\n",
        b"ping",
        b"set k 1\r\n" * 5000,
    ],
    ids=["nothing", "inline", "errors", "binary", "unfinished", "many"],
)
def test_pipe(server: str, sent: bytes) -> None:
    expected = run(theirs(), "-s", server, "--pipe", stdin=sent)
    assert run(OURS, "-s", server, "--pipe", stdin=sent) == expected


def test_pipe_to_a_server_that_goes_away(scripted: ScriptedServer) -> None:
    outcome = run(OURS, "-s", scripted.path, "--pipe", stdin=b"*1\r\n$5\r\nclose\r\n")
    assert outcome.status == 1
    assert b"Error: " in outcome.err
    assert outcome.out.endswith(b"errors: 1, replies: 0\n")


def test_pipe_to_a_server_that_says_nothing(scripted: ScriptedServer) -> None:
    scripted.replies = [b""]
    sent = b"*2\r\n$5\r\nreply\r\n$1\r\n0\r\n" + b"*1\r\n$5\r\nstall\r\n"
    outcome = run(OURS, "-s", scripted.path, "--pipe", "--pipe-timeout", "1", stdin=sent)
    assert outcome.err.startswith(b"No replies for 1 seconds: exiting.\n")
    assert outcome.status == 1


def shape(outcome: Outcome) -> tuple[bytes, bytes, int]:
    return (re.sub(rb"\d+(\.\d\d)?", b"N", outcome.out), outcome.err, outcome.status)


@pytest.mark.parametrize("output", [(), ("--raw",), ("--csv",), ("--json",)])
def test_latency(server: str, output: tuple[str, ...]) -> None:
    options = ("--latency", "-i", "0.05", *output)
    expected = run(theirs(), "-s", server, *options)
    assert b"." in expected.out
    assert shape(run(OURS, "-s", server, *options)) == shape(expected)


@pytest.mark.parametrize("mode", ["--latency", "--latency-history"])
def test_latency_on_a_terminal(server: str, mode: str) -> None:
    """Both rewrite one line; the history begins a new one after a while."""
    figures = rb"\x1b\[0G\x1b\[2Kmin: \d+, max: \d+, avg: \d+\.\d\d \(\d+ samples\)"
    line = re.compile(rb"^(%s){2,}" % figures)
    for program in (theirs(), OURS):
        terminal = Terminal(*program, "-s", server, mode, "-i", "0.05")
        if mode == "--latency-history":
            first = terminal.read_lines(1)[0]
            line = re.compile(rb"^(%s){2,} -- 0\.\d\d seconds range$" % figures)
            assert line.match(first), first
        else:
            terminal.wait_for(b"(9 samples)", keep=True)
            assert line.match(terminal.seen)
        terminal.process.kill()
        terminal.finish()


def test_statistics(scripted: ScriptedServer) -> None:
    """Both programs on one frozen INFO, past the second headline."""
    info = (
        b"# Server\r\nused_memory:123456789\r\nconnected_clients:12\r\nblocked_clients:3\r\n"
        b"total_commands_processed:4567\r\ntotal_connections_received:89\r\nloading:0\r\n"
        b"rdb_bgsave_in_progress:1\r\naof_rewrite_in_progress:0\r\n"
        b"# Keyspace\r\ndb0:keys=5,expires=0,avg_ttl=0\r\ndb3:keys=2000,expires=0,avg_ttl=0\r\n"
    )
    scripted.info = b"$%d\r\n%s\r\n" % (len(info), info)
    terminal = Terminal(*theirs(), "-s", scripted.path, "--stat", "-i", "0.01")
    expected = terminal.read_lines(26)
    terminal.process.kill()
    terminal.finish()
    assert b"2005" in expected[2]
    got = run(OURS, "-s", scripted.path, "--stat", "-i", "0.01", "-r", "22")
    assert got.out.splitlines() == expected
