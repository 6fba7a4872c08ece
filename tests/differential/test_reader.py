"""What a process that may only read is answered in-process, and what it is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import model_arena
import pytest

from differential.compare import same_reply
from differential.right_lines import KEYS, WITH_FUNCTION, right_line
from differential.sides import InProcessSide, SocketSide
from shmcache.arena.segments import attach_arena
from shmcache.commands.table import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from server.processes import FrontEnd

    from differential.sides import Side

REFUSAL = ("error", b"READONLY You can't write against a read only replica.")
RANDOM = {"time", "randomkey", "srandmember", "hrandfield", "zrandmember"}
ANY_ORDER = {"scan", "keys", "hscan", "sscan", "zscan"}
NEEDS_LFU = {"object|freq"}


def fill(side: Side) -> None:
    assert side.execute(b"FLUSHALL") == ("simple", b"OK")
    for line in KEYS:
        assert side.execute(*line.encode().split())[0] != "error", line


@pytest.fixture(scope="module")
def writer(front_end: FrontEnd) -> Iterator[Side]:
    """Refused writes change nothing, so once is enough."""
    side = SocketSide(front_end.path)
    fill(side)
    yield side
    side.close()


@pytest.fixture
def reader(front_end: FrontEnd, writer: Side) -> Iterator[Side]:
    side = InProcessSide(attach_arena(front_end.name))
    yield side
    side.close()


def _flags(name: str) -> tuple[str, ...]:
    container, _, subcommand = name.partition("|")
    command = COMMANDS[container]
    return (command.subcommands[name] if subcommand else command).flags


@pytest.mark.parametrize("name", WITH_FUNCTION)
def test_readers_may_read_and_nothing_else(reader: Side, name: str) -> None:
    words = right_line(name)
    reply = reader.execute(*words)
    if "write" in _flags(name):
        assert reply == REFUSAL
        return
    model = InProcessSide(model_arena.Arena())
    fill(model)
    expected = model.execute(*words)
    assert reply[0] == expected[0]
    # only COMMAND's subcommands have no arguments here
    assert (expected[0] != "error") or name in NEEDS_LFU or name.startswith("command|")
    assert name in RANDOM | ANY_ORDER or same_reply(words, expected, reply)
