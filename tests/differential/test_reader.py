"""What a process that may only read is answered in-process, and what it is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import model_arena
import pytest

from differential.sides import InProcessSide, SocketSide
from shmcache.arena.segments import attach_arena
from shmcache.commands.table import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from server.processes import FrontEnd

    from differential.sides import Side

REFUSAL = ("error", b"READONLY You can't write against a read only replica.")

# A right command line for each command that has a function; keys are `a` and `b`.
ARGUMENTS = {
    **dict.fromkeys(("append", "getset", "setnx", "rename", "renamenx", "copy"), b"a b"),
    **dict.fromkeys(("decrby", "incrby", "incrbyfloat", "move"), b"a 1"),
    **dict.fromkeys(("expire", "pexpire", "expireat", "pexpireat"), b"a 100"),
    **dict.fromkeys(("set", "mset", "msetnx"), b"a x"),
    **dict.fromkeys(("setex", "psetex"), b"a 10 x"),
    **dict.fromkeys(("getrange", "substr"), b"a 0 -1"),
    **dict.fromkeys(("dbsize", "flushall", "flushdb", "randomkey", "time", "command"), b""),
    **dict.fromkeys(("lcs", "exists", "touch", "mget", "del", "unlink"), b"a b"),
    "getex": b"a PERSIST",
    "keys": b"*",
    "scan": b"0",
    "setrange": b"a 0 x",
    "swapdb": b"0 1",
}
COMMAND_NAMES = sorted(name for name, command in COMMANDS.items() if command.function is not None)


@pytest.fixture
def reader(front_end: FrontEnd) -> Iterator[Side]:
    writer = SocketSide(front_end.path)
    writer.execute(b"FLUSHALL")
    writer.execute(b"MSET", b"a", b"1", b"b", b"12")
    writer.close()
    side = InProcessSide(attach_arena(front_end.name))
    yield side
    side.close()


@pytest.mark.parametrize("name", COMMAND_NAMES)
def test_readers_may_read_and_nothing_else(reader: Side, name: str) -> None:
    words = [name.encode(), *ARGUMENTS.get(name, b"a").split()]
    reply = reader.execute(*words)
    if "write" in COMMANDS[name].flags:
        assert reply == REFUSAL
    else:
        writer = InProcessSide(model_arena.Arena())
        writer.execute(b"MSET", b"a", b"1", b"b", b"12")
        assert reply[0] == writer.execute(*words)[0] != "error"
        if name not in {"time", "randomkey", "scan", "keys"}:
            assert reply == writer.execute(*words)
