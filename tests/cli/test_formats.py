"""Every reply in every output, byte for byte as the real redis-cli writes it."""

from __future__ import annotations

import json
import os
import random
from typing import TYPE_CHECKING

import pytest

from cli.scripted import OURS, Terminal, run, theirs

if TYPE_CHECKING:
    from cli.scripted import ScriptedServer

REPLIES = [
    b"+OK\r\n",
    b"+\r\n",
    b"-ERR bad\r\n",
    b"-\r\n",
    b":0\r\n",
    b":-9223372036854775808\r\n",
    b'$8\r\na\x00\xff"\\\r\n\x1b\r\n',
    b"$8\r\n\t\a\b\x0c\x7f\xc3\xa9~\r\n",
    b"$0\r\n\r\n",
    b"$-1\r\n",
    b"_\r\n",
    b"*-1\r\n",
    b"*0\r\n",
    b"%0\r\n",
    b"~0\r\n",
    b"#t\r\n",
    b"#f\r\n",
    b",1.5\r\n",
    b",1.50\r\n",
    b",inf\r\n",
    b",-inf\r\n",
    b"=9\r\ntxt:ab\ncd\r\n",
    b"=4\r\ntxt:\r\n",
    b"*3\r\n:1\r\n*2\r\n$1\r\na\r\n*0\r\n-ERR x\r\n",
    b"*2\r\n*-1\r\n%1\r\n+a\r\n$-1\r\n",
    b"%2\r\n+a\r\n:1\r\n$1\r\nb\r\n%1\r\n$1\r\nc\r\n*2\r\n:1\r\n:2\r\n",
    b"%3\r\n:1\r\n~2\r\n:2\r\n:3\r\n#t\r\n,2.5\r\n*1\r\n:5\r\n=5\r\ntxt:v\r\n",
    b"%2\r\n+a\r\n*0\r\n+b\r\n%0\r\n",
    b"%2\r\n+a\r\n=9\r\ntxt:ab\ncd\r\n+b\r\n*1\r\n=9\r\ntxt:ab\ncd\r\n",
    b"~2\r\n:1\r\n%1\r\n:2\r\n$1\r\n3\r\n",
    b"*12\r\n" + b":7\r\n" * 11 + b"*10\r\n" + b"+x\r\n" * 10,
    b"%10\r\n" + b"".join(b":%d\r\n~1\r\n+v\r\n" % index for index in range(10)),
    b">2\r\n+invalidate\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n+after\r\n",
    b">2\r\n$10\r\ninvalidate\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n+after\r\n",
    b">2\r\n$10\r\ninvalidate\r\n_\r\n+after\r\n",
    b">2\r\n+message\r\n*2\r\n$1\r\na\r\n:3\r\n+after\r\n",
]
OUTPUTS = ("--raw", "--no-raw", "--csv", "--json", "--quoted-json")
WAYS = [*((output,) for output in OUTPUTS), ("-d", "; ", "-D", "|\n"), ("--show-pushes", "yes")]
WAYS += [("--show-pushes", "yes", output) for output in ("--no-raw", "--csv", "--json")]


def lines_of(server: ScriptedServer) -> bytes:
    return b"".join(b"reply %d\n" % index for index in range(len(server.replies)))


@pytest.mark.parametrize("options", WAYS, ids=" ".join)
def test_all_replies(scripted: ScriptedServer, options: tuple[str, ...]) -> None:
    scripted.replies = REPLIES
    lines = lines_of(scripted)
    expected = run(theirs(), "-s", scripted.path, *options, stdin=lines)
    assert expected.out
    assert run(OURS, "-s", scripted.path, *options, stdin=lines) == expected


@pytest.mark.parametrize("options", [(), ("--raw",), ("--json",), ("--show-pushes", "no")], ids=str)
def test_all_replies_on_a_terminal(scripted: ScriptedServer, options: tuple[str, ...]) -> None:
    scripted.replies = REPLIES
    seen = []
    for program in (theirs(), OURS):
        reading, writing = os.pipe()
        terminal = Terminal(*program, "-s", scripted.path, *options, stdin=reading)
        os.close(reading)
        os.write(writing, lines_of(scripted))
        os.close(writing)
        seen.append((terminal.finish(), terminal.process.returncode))
    assert seen[0][0]
    assert seen[1] == seen[0]


def random_reply(choice: random.Random, depth: int = 0) -> bytes:
    if depth < 4 and choice.random() < 0.5:
        mark = choice.choice("*%~")
        length = choice.choice((0, 1, 2, 3, 11))
        count = 2 * length if mark == "%" else length
        # as a key an aggregate, or a string within one, is wrongly escaped by redis-cli's JSON
        parts = [
            b":%d\r\n" % index
            if mark == "%" and index % 2 == 0
            else random_reply(choice, depth + 1 + length // 4)
            for index in range(count)
        ]
        return f"{mark}{length}\r\n".encode() + b"".join(parts)
    text = bytes(choice.choices(range(256), k=choice.choice((0, 1, 5, 40))))
    line = text.translate(None, b"\r\n\0")  # redis-cli ends them at a NUL
    return choice.choice(
        (
            b"$%d\r\n%s\r\n" % (len(text), text),
            b"+%s\r\n" % line,
            b"-%s\r\n" % line,
            b":%d\r\n" % choice.randrange(-(2**63), 2**63),
            b",%r\r\n" % choice.uniform(-10, 10),
            b"#%c\r\n" % choice.choice(b"tf"),
            b"_\r\n",
        )
    )


@pytest.mark.parametrize("output", OUTPUTS)
def test_random_replies(scripted: ScriptedServer, output: str) -> None:
    choice = random.Random(output)
    scripted.replies = [random_reply(choice) for _ in range(400)]
    lines = lines_of(scripted)
    expected = run(theirs(), "-s", scripted.path, output, stdin=lines)
    got = run(OURS, "-s", scripted.path, output, stdin=lines)
    assert got.out == expected.out


def test_json_keys_are_json(scripted: ScriptedServer) -> None:
    scripted.replies = [b'%1\r\n*2\r\n$1\r\nq\r\n_\r\n=6\r\ntxt:a"\r\n']
    got = run(OURS, "-s", scripted.path, "--json", "reply", "0").out
    assert json.loads(got) == {'["q",null]': 'a"'}


def test_what_redis_cli_cannot_show(scripted: ScriptedServer) -> None:
    """redis-cli ends at these; here they are shown."""
    scripted.replies = [b",nan\r\n", b"(12345678901234567890123\r\n"]
    lines = lines_of(scripted)
    expected = b"(double) nan\n12345678901234567890123\n"
    assert run(OURS, "-s", scripted.path, "--no-raw", stdin=lines).out == expected


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (b"?x\r\n", b'Error: Protocol error, got "?" as reply type byte\n'),
        (b"*x\r\n", b"Error: Protocol error, bad number in a reply\n"),
        (b"*1\r\n" * 2000, b"Error: Protocol error, replies nested too deeply\n"),
    ],
)
def test_what_is_no_reply(scripted: ScriptedServer, sent: bytes, said: bytes) -> None:
    scripted.replies = [sent]
    assert run(OURS, "-s", scripted.path, "reply", "0") == (b"", said, 1)
