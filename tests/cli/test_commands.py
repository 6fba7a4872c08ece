"""Commands as arguments and as lines: as the real redis-cli runs them."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from cli.scripted import OURS, ScriptedServer, free_port, run, theirs

if TYPE_CHECKING:
    from pathlib import Path

    from client.processes import RedisServer

SAME = [
    ("ping",),
    ("-3", "--no-raw", "config", "get", "maxmemory-p*"),
    ("-n", "3", "set", "a", "b"),
    ("-n", "99", "get", "a"),
    ("-a", "bad", "ping"),
    ("--pass", "bad", "--no-auth-warning", "ping"),
    ("--user", "nobody", "-a", "bad", "ping"),
    ("-e", "get"),
    ("-e", "--no-raw", "get"),
    ("get",),
    ("--no-raw", "get"),
    ("-r", "3", "incr", "n"),
    ("-r", "2", "-i", "0.01", "echo", "x"),
    ("-r", "0", "incr", "n"),
    ("-3", "--json", "config", "get", "maxmemory-p*"),
    ("--json", "config", "get", "maxmemory-p*"),
    ("-2", "--json", "config", "get", "maxmemory-p*"),
    ("--no-raw", "memory", "doctor"),
    ("-3", "--no-raw", "memory", "doctor"),
    ("--no-raw", "lolwut"),
    ("--quoted-input", "set", '"a\\x00b"', "'it\\'s'"),
    ("-2", "-3", "ping"),
    ("-x", "-X", "t", "ping"),
    ("-X", "t", "set", "a", "b"),
    ("-X", "t", "set", "t", "b"),
    ("-x", "set", "a"),
    ("-x", "-r", "2", "append", "a"),
    ("shutdown", "bogus"),
    ("--eval", "/nowhere/x.lua"),
    ("--bogus",),
    ("-n",),
    ("--scan", "--pattern"),
    ("",),
]


@pytest.mark.parametrize("words", SAME, ids=" ".join)
def test_the_same_as_redis_cli(server: str, redis_server: RedisServer, words: tuple[str]) -> None:
    outcomes = []
    for program in (theirs(), OURS):
        with redis_server.connect() as plain:
            plain.flushall()
        outcomes.append(run(program, "-s", server, *words, stdin=b"in put\n"))
    assert outcomes[1] == outcomes[0]


LINES = b"""\
set a 1
  get   a

3 incr a
0 get a
99999999999999999999 get a
2 x
get "a
get "a"b
get 'a\\'b'
set "q\\x41\\n\\q" 'x\\n'
get "qA\\nq"
set pre"fixed" 1
nosuch
select 3
get a
select 0
multi
get a
nosuch
get a
exec
multi
discard
select 99
clear
hello 3
config get maxmemory-p*
reset
config get maxmemory-p*
auth x
quit now
get a
"""


@pytest.mark.parametrize("output", ["--raw", "--no-raw", "--csv", "--json"])
def test_lines_as_redis_cli_reads_them(server: str, redis_server: RedisServer, output: str) -> None:
    outcomes = []
    for program in (theirs(), OURS):
        with redis_server.connect() as plain:
            plain.flushall()
        outcome = run(program, "-s", server, output, stdin=LINES)
        # each connection has another number
        outcomes.append(
            outcome._replace(
                out=re.sub(rb'(id"?( =>|:|,)?( \(integer\))? ?)\d+', rb"\1N", outcome.out)
            )
        )
    assert outcomes[1] == outcomes[0]
    assert outcomes[0].out.count(b"N") >= 1


@pytest.mark.parametrize("word", ['"open', "'a'b", 'pla"in', "two words", ""])
def test_quoted_input_that_is_not_one_word(server: str, word: str) -> None:
    # redis-cli says so on standard output
    expected = run(theirs(), "-s", server, "--quoted-input", "get", word)
    outcome = run(OURS, "-s", server, "--quoted-input", "get", word)
    assert outcome == (expected.err, expected.out, 1)


def test_what_a_command_is_sent_with(scripted: ScriptedServer, tmp_path: Path) -> None:
    """What goes over the wire, in order."""
    script = tmp_path / "script.lua"
    script.write_bytes(b"return 1")
    for words in (
        ("-n", "2", "-a", "secret", "--user", "me", "-3", "get", "x"),
        ("-u", "redis://me:se%20cret@localhost/4", "get", "x"),
        ("--eval", str(script), "k1", "k2", ",", "a1"),
        ("--eval", str(script)),
        ("--no-auth-warning", "-a", "x", "get", b"\xff\xfe"),
    ):
        sent = []
        for program in (theirs(), OURS):
            scripted.commands.clear()
            run(program, "-s", scripted.path, *words)
            sent.append(list(scripted.commands))
        # redis-cli wants the protocol before it wants the database
        assert sorted(sent[1]) == sorted(sent[0])
        assert sent[1][-1] == sent[0][-1]


def test_password_of_the_environment(scripted: ScriptedServer) -> None:
    assert run(OURS, "-s", scripted.path, "ping", REDISCLI_AUTH="secret").err == b""
    assert scripted.commands == [[b"AUTH", b"secret"], [b"ping"]]


def test_asking_for_the_password(scripted: ScriptedServer) -> None:
    # without a terminal to ask on, the password is the first line of standard input
    assert run(OURS, "-s", scripted.path, "--askpass", "ping", stdin=b"secret\n").out == b"OK\n"
    assert scripted.commands == [[b"AUTH", b"secret"], [b"ping"]]


def test_a_server_that_goes_away(scripted: ScriptedServer) -> None:
    expected = run(theirs(), "-s", scripted.path, "close")
    assert expected.status == 1
    assert run(OURS, "-s", scripted.path, "close") == expected


def test_lines_reconnect(scripted: ScriptedServer) -> None:
    scripted.replies = [b"+one\r\n"]
    outcome = run(OURS, "-s", scripted.path, stdin=b"close\nreply 0\n")
    # the command that met the end was tried once more, as redis-cli does
    assert outcome == (b"one\n", b"Error: Server closed the connection\n", 0)
    assert scripted.commands == [[b"close"], [b"close"], [b"reply", b"0"]]


def test_shutting_down_is_no_failure(scripted: ScriptedServer) -> None:
    expected = run(theirs(), "-s", scripted.path, "shutdown")
    assert expected == (b"", b"", 0)
    assert run(OURS, "-s", scripted.path, "shutdown") == expected


@pytest.mark.parametrize(
    "words", [("ping",), ("--scan",), ("--pipe",), ("--stat",), ("--latency",)]
)
def test_nobody_there(tmp_path: Path, words: tuple[str, ...]) -> None:
    path = tmp_path / "nobody.sock"
    port = str(free_port())
    for place, where in ((("-s", path), path), (("-p", port), f"127.0.0.1:{port}")):
        expected = run(theirs(), *place, *words)
        outcome = run(OURS, *place, *words)
        assert outcome == (b"", expected.err.replace(b"Redis", b"shmcache"), 1)
        assert str(where).encode() in outcome.err


def test_nobody_there_for_lines(tmp_path: Path) -> None:
    path = tmp_path / "nobody.sock"
    expected = run(theirs(), "-s", path, stdin=b"ping\nping\n")
    outcome = run(OURS, "-s", path, stdin=b"ping\nping\n")
    assert outcome == (b"", expected.err.replace(b"Redis", b"shmcache"), expected.status)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-p", "x"), "-p needs a whole number from 1 to 65535, not 'x'"),
        (("-i", "-1"), "-i needs a number of seconds, not '-1'"),
        (("-n", "3x"), "-n needs a whole number from 0 to 2147483647, not '3x'"),
        (("--show-pushes", "x"), "Unknown --show-pushes value 'x' (valid: '[y]es', '[n]o')"),
        (("--cluster", "help"), "--cluster is not supported: there are no clusters here"),
        (("--tls-ciphersuites", "x"), "--tls-ciphersuites is not supported: Python's ssl"),
        (("--tls", "--cacert", "/nowhere", "ping"), "TLS cannot be set up: No such file"),
        (("-u", "http://x"), "Invalid URI scheme: use redis://HOST:PORT/DB or unix://SOCKET"),
        (("-u", "redis://x:y"), "Invalid URI: 'redis://x:y'"),
        (("--name", "a/b", "ping"), "invalid cache name 'a/b': use 1 to 63 letters"),
    ],
)
def test_wrong_options(words: tuple[str, ...], said: str) -> None:
    outcome = run(OURS, *words)
    assert (outcome.out, outcome.status) == (b"", 1)
    assert outcome.err.decode().startswith(said)
    assert outcome.err.count(b"\n") == 1


def test_help_and_version() -> None:
    assert run(OURS, "--help").out.startswith(b"usage: shmcache-cli ")
    assert run(OURS, "-h").out == run(OURS, "--help").out
    assert run(OURS, "--version").out.startswith(b"shmcache-cli ")
    assert b"\x1b[1mHGET\x1b[0m \x1b[90mkey field\x1b[0m\r\n" in run(OURS, "help", "hget").out
    assert run(OURS, "help", "nosuch").out == run(theirs(), "help", "nosuch").out
    assert run(OURS, "help", "@hash").out.count(b"summary:") > 20


def test_a_reader_that_has_had_enough(server: str) -> None:
    command = f"{' '.join(OURS)} -s {server} -r 100000 echo x | head -n 1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], capture_output=True, timeout=30, check=False
    )
    assert done.stdout == b"x\n"
    assert done.stderr == b""
