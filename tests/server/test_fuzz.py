"""Random commands and random bytes at a living front-end: it answers and stays alive."""

from __future__ import annotations

import random
import socket
from typing import TYPE_CHECKING

from server.wire import Wire, request
from shmcache.commands.table import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from server.processes import FrontEnd

WORDS = [
    *(b"a", b"b", b"", b"*", b"0", b"1", b"-1", b"9223372036854775807", b"1.5", b"nan", b"\xff\0"),
    *(b"GET", b"EX", b"NX", b"MATCH", b"COUNT", b"TYPE", b"ID", b"ON", b"OFF", b"YES", b"3"),
    *(b"maxclients", b"x" * 300, b"[a-", b"\\", b"REPLACE", b"DB", b"SAMPLES", b"LEN", b"IDX"),
]
NEVER = {"shutdown", "config|set", "config|rewrite"}
ROUNDS = 15


def command_names() -> Iterator[list[bytes]]:
    for command in COMMANDS.values():
        for leaf in (command, *command.subcommands.values()):
            if leaf.name not in NEVER:
                yield leaf.name.encode().split(b"|")


def test_random_arguments(start_front_end: Callable[..., FrontEnd]) -> None:
    """Every command with every number of arguments; an internal error would be a bug."""
    front_end = start_front_end(client_output_buffer_limit="normal 64mb 0 0")
    chance = random.Random(7)
    for name in command_names():
        for resp in (2, 3):
            with front_end.connect(resp=resp) as wire:
                lines = [
                    request(*name, *chance.choices(WORDS, k=chance.randrange(6)))
                    for _ in range(ROUNDS)
                ]
                wire.send(b"".join(lines) + request("QUIT"))
                wire.socket.shutdown(socket.SHUT_WR)  # one of them may wait for ever
                wire.rest()
    with front_end.connect() as wire:
        assert "unexpected_error_replies:0" in wire.text("INFO", "stats")
    assert "Traceback" not in front_end.log()


def test_random_bytes(front_end: FrontEnd, client: Wire) -> None:
    chance = random.Random(8)
    pieces = [b"*", b"$", b"\r\n", b"1", b"3", b"GET", b" ", b'"', b"\0", b"*1\r\n$4\r\nPING\r\n"]
    for _ in range(300):
        with front_end.connect() as wire:
            try:
                for _ in range(chance.randrange(6)):
                    soup = b"".join(chance.choices(pieces, k=30)) + chance.randbytes(20)
                    wire.send(soup)
            except BrokenPipeError:  # refused already
                continue
    assert client.run("PING") == b"+PONG\r\n"
    assert "unexpected_error_replies:0" in client.text("INFO", "stats")
