"""A command that reads several things sees all of them at one instant, whoever writes meanwhile."""

from __future__ import annotations

import os
import random
import traceback
from typing import TYPE_CHECKING, Any

import pytest
from differential.conftest import make_arena

from shmcache.commands.context import Context
from shmcache.commands.dispatch import Dispatcher

if TYPE_CHECKING:
    from shmcache.arena import Arena

MOVES = 4000
LARGEST_SCORE = 2**52


def _move_about(arena: Arena, names: list[bytes]) -> None:
    """Move members between two sorted sets; each is always in exactly one of them."""
    numbers = random.Random(2)
    for _ in range(MOVES):
        name = numbers.choice(names)
        with arena.transaction([(0, b"a"), (0, b"b")]) as transaction:
            source, target = b"a", b"b"
            if transaction.zset_scores(0, source, [name]) == [None]:
                source, target = target, source
            transaction.zset_remove(0, source, [name])
            transaction.zset_add(0, target, name, float(numbers.randrange(LARGEST_SCORE)))


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


@pytest.mark.parametrize("members", [60, 1000])  # packed, and not
def test_readers_see_whole_moves(members: int) -> None:
    arena, dispatcher = make_arena(), Dispatcher()
    context = Context(arena, resp=3)
    names = [b"m%d" % number for number in range(members)]
    arena.zset_add_many(0, b"a", names, [float(number) for number in range(members)])

    def ask(line: str) -> list[Any]:
        reply = dispatcher.execute(context, line.encode().split())
        assert isinstance(reply, list), reply
        return reply

    pid = _forked(arena, names)
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        union = ask("ZUNION 2 a b")
        assert len(union) == len(set(union)) == members
        assert ask("ZINTER 2 a b") == []
        for key in "ab":
            scores = [pair[1] for pair in ask(f"ZRANGE {key} inf (9 BYSCORE REV WITHSCORES")]
            assert scores == sorted(scores, reverse=True)
            ask(f"GEOSEARCH {key} FROMLONLAT 10 10 BYRADIUS 3000 km ASC")
        if ended:
            break
    assert os.waitstatus_to_exitcode(status) == 0
    assert arena.validate() == []
    arena.close()
