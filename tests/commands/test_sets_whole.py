"""Hash and set commands whole: in a full cache, and beside somebody who writes."""

from __future__ import annotations

import os
import random
import traceback
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from differential.conftest import make_arena
from differential.sides import InProcessSide

from shmcache.arena import min_data_bytes
from shmcache.commands.context import Context
from shmcache.commands.dispatch import Dispatcher

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shmcache.arena import Arena

MOVES = 20_000
MEMBERS = [b"a%d" % number for number in range(600)]
FIELDS = [b"%d" % number for number in range(600)]
OOM = ("error", b"OOM command not allowed when used memory > 'maxmemory'.")

# ---- at one instant ------------------------------------------------------------------------------


def _move_about(arena: Arena, names: list[bytes]) -> None:
    """Move members between sets and amounts between fields: each is always somewhere, once."""
    numbers, dispatcher, context = random.Random(3), Dispatcher(), Context(arena)
    for _ in range(MOVES):
        name = numbers.choice(names)
        source, target = numbers.sample([b"a", b"b", b"c"], 2)
        dispatcher.execute(context, [b"SMOVE", source, target, name])
        one, other = numbers.sample(names, 2)
        with arena.transaction([(0, b"h")]) as transaction:
            held = [int(value or b"") for value in transaction.hash_get_many(0, b"h", [one, other])]
            moved = [one, b"%d" % (held[0] - 1), other, b"%d" % (held[1] + 1)]
            transaction.hash_set(0, b"h", moved)


def _forked(arena: Arena, names: list[bytes]) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            _move_about(arena, names)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return pid


@pytest.mark.parametrize("size", [40, 700])  # packed, and not
def test_readers_see_whole_moves(size: int) -> None:
    arena, dispatcher = make_arena(), Dispatcher()
    context = Context(arena, resp=3)
    names = [b"m%d" % number for number in range(size)]
    arena.set_add(0, b"a", names)
    arena.set_add(0, b"all", names)
    arena.hash_set(0, b"h", [part for name in names for part in (name, b"100")])

    def ask(line: str) -> Any:
        return dispatcher.execute(context, line.encode().split())

    pid = _forked(arena, names)
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        assert sorted(ask("SUNION a b c")) == sorted(names)
        assert len(ask("SUNION c b a")) == size
        assert list(ask("SINTER a b")) == []
        assert ask("SINTERCARD 2 c a") == 0
        assert list(ask("SDIFF all a b c")) == []
        assert ask("SUNIONSTORE d a b c") == size
        whole = ask("HGETALL h")
        assert len(whole) == size
        for values in (whole.values(), ask("HVALS h")):
            assert sum(map(int, values)) == 100 * size
        if ended:
            break
    assert os.waitstatus_to_exitcode(status) == 0
    assert arena.validate() == []
    arena.close()


# ---- without memory ------------------------------------------------------------------------------


def _fill(side: InProcessSide) -> None:
    """Take all the memory that there is, in large pieces and then in smaller ones."""
    for size in (3000, 1900, 900, 400, 100):
        for number in count():
            if side.execute(b"SET", b"filler:%d:%d" % (size, number), bytes(size)) == OOM:
                break


@pytest.fixture
def full() -> Iterator[InProcessSide]:
    """Sets ``a``, ``b`` and ``d``, a hash ``h``, and then nothing but filling."""
    arena = make_arena(min_data_bytes())
    arena.set_add(0, b"a", MEMBERS)
    arena.set_add(0, b"b", [b"b%d" % number for number in range(600)])
    arena.set_add(0, b"d", [b"x"])
    arena.hash_set(0, b"h", [part for field in FIELDS for part in (field, field)])
    side = InProcessSide(arena)
    _fill(side)
    yield side
    assert arena.validate() == []
    arena.close()


def _contents(side: InProcessSide) -> list[Any]:
    sets = [side.execute(b"SMEMBERS", key) for key in (b"a", b"b", b"d")]
    return [sorted(members) for _, members in (*sets, side.execute(b"HGETALL", b"h"))]


def _many(count: int) -> list[bytes]:
    return [b"%050d" % number for number in range(count)]


@pytest.mark.parametrize(
    "line",
    [
        [b"HSET", b"h", *_many(6000)],
        [b"HMSET", b"new", *_many(6000)],
        [b"HSETNX", b"h", b"large", bytes(6000)],
        [b"HINCRBY", b"h", bytes(6000), b"1"],
        [b"HINCRBYFLOAT", b"new", bytes(6000), b"1"],
        [b"HSETEX", b"h", b"EX", b"10", b"FIELDS", b"3000", *_many(6000)],
        [b"SADD", b"a", *_many(3000)],
        [b"SADD", b"new", bytes(6000)],
        [b"SUNIONSTORE", b"d", b"a", b"b"],
        [b"SUNIONSTORE", b"a", b"a", b"b"],
        [b"SDIFFSTORE", b"new", b"a", b"b"],
        [b"SINTERSTORE", b"d", b"a", b"a"],
    ],
    ids=lambda line: b" ".join(line)[:16].decode(),
)
def test_what_does_not_fit_changes_nothing(full: InProcessSide, line: list[bytes]) -> None:
    before = _contents(full)
    assert full.execute(*line) == OOM
    assert _contents(full) == before
    assert full.execute(b"EXISTS", b"new") == ("int", 0)


@pytest.mark.parametrize(
    "line",
    [
        [b"HDEL", b"h", *FIELDS],
        [b"HGETDEL", b"h", b"FIELDS", b"%d" % len(FIELDS), *FIELDS],
        [b"SREM", b"a", *MEMBERS],
        [b"SPOP", b"a", b"300"],
        [b"SPOP", b"a", b"%d" % (2 * len(MEMBERS))],
        [b"SPOP", b"a"],
        [b"SDIFFSTORE", b"a", b"a", b"a"],
        [b"RENAME", b"h", b"new"],
        [b"DEL", b"a", b"b", b"h"],
    ],
    ids=lambda line: b" ".join(line)[:12].decode(),
)
def test_what_makes_room_needs_none(full: InProcessSide, line: list[bytes]) -> None:
    before = _contents(full)
    assert full.execute(*line)[0] != "error"
    assert _contents(full) != before
