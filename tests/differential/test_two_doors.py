"""Several processes at one arena, some in-process, some through the socket: nothing gets lost."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from differential.sides import InProcessSide, Side, SocketSide
from shmcache.arena.segments import attach_arena

if TYPE_CHECKING:
    from server.processes import FrontEnd

ROUNDS = 400
PER_DOOR = 2
JOIN_SECONDS = 50.0

Work: TypeAlias = Callable[[Side, int], Any]


def _take_part(door: str, address: str, work: Work, number: int, results: Any) -> None:
    """One process: attach or connect, work, tell what came of it."""
    if door == "socket":
        side: Side = SocketSide(address)
    else:
        side = InProcessSide(attach_arena(address, writable=True))
    results.put(work(side, number))
    side.close()


def run_together(front_end: FrontEnd, work: Work) -> list[Any]:
    """Run the same work at both doors at once; what each process returned."""
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    doors = [("socket", front_end.path), ("arena", front_end.name)] * PER_DOOR
    processes = [
        context.Process(target=_take_part, args=(door, address, work, number, results))
        for number, (door, address) in enumerate(doors)
    ]
    for process in processes:
        process.start()
    returned = [results.get(timeout=JOIN_SECONDS) for _ in processes]
    for process in processes:
        process.join(JOIN_SECONDS)
        assert process.exitcode == 0
    return returned


@pytest.fixture
def side(front_end: FrontEnd) -> Any:
    """A connection to look at the outcome, the arena being empty before."""
    side = SocketSide(front_end.path)
    assert side.execute(b"FLUSHALL") == ("simple", b"OK")
    yield side
    arena = attach_arena(front_end.name, writable=True)
    assert arena.validate() == []
    arena.close()
    side.close()


WORKERS = 2 * PER_DOOR


def test_no_update_is_lost(front_end: FrontEnd, side: Side) -> None:
    def work(side: Side, number: int) -> int:
        mark = b"%d" % number
        for turn in range(ROUNDS):
            side.execute(b"INCR", b"integer")
            side.execute(b"INCRBYFLOAT", b"float", b"0.5")
            side.execute(b"APPEND", b"text", mark)
            side.execute(b"SETRANGE", b"places", b"%d" % (turn * WORKERS + number), mark)
        return number

    run_together(front_end, work)
    total = ROUNDS * WORKERS
    assert side.execute(b"GET", b"integer") == ("bulk", b"%d" % total)
    assert side.execute(b"GET", b"float") == ("bulk", b"%d" % (total // 2))
    _, text = side.execute(b"GET", b"text")
    assert sorted(text) == sorted(b"0123"[:WORKERS] * ROUNDS)
    assert side.execute(b"GET", b"places") == ("bulk", b"0123"[:WORKERS] * ROUNDS)


def test_one_winner_for_each_prize(front_end: FrontEnd, side: Side) -> None:
    """SETNX, MSETNX, RENAMENX, GETDEL, MOVE: of all who try, exactly one succeeds."""
    for turn in range(ROUNDS):
        side.execute(b"MSET", b"token:%d" % turn, b"x", b"taken:%d" % turn, b"x")

    def work(side: Side, number: int) -> list[int]:
        won = [0] * 5
        for turn in range(ROUNDS):
            mark = b"%d" % turn
            won[0] += side.execute(b"SETNX", b"lock:" + mark, b"x")[1]
            won[1] += side.execute(b"MSETNX", b"left:" + mark, b"x", b"right:" + mark, b"x")[1]
            won[2] += side.execute(b"RENAME", b"token:" + mark, b"%d" % number)[0] == "simple"
            won[3] += side.execute(b"GETDEL", b"taken:" + mark)[0] == "bulk"
            won[4] += side.execute(b"MOVE", b"lock:" + mark, b"1")[1]
        return won

    returned = run_together(front_end, work)
    assert [sum(prizes) for prizes in zip(*returned, strict=True)][1:4] == [ROUNDS] * 3
    # A lock that was moved away can be taken again, so those two only balance.
    taken, moved = (sum(won[prize] for won in returned) for prize in (0, 4))
    assert taken == moved + int(side.execute(b"EXISTS", *_locks())[1])


def _locks() -> list[bytes]:
    return [b"lock:%d" % turn for turn in range(ROUNDS)]


def test_several_keys_are_seen_as_of_one_instant(front_end: FrontEnd, side: Side) -> None:
    names = [b"part:%d" % number for number in range(5)]
    side.execute(b"MSET", *(word for name in names for word in (name, b"0")))

    def work(side: Side, number: int) -> int:
        torn = 0
        for turn in range(ROUNDS):
            if number % 4 < 2:
                value = b"%d:%d" % (number, turn)
                side.execute(b"MSET", *(word for name in names for word in (name, value)))
            elif turn % 2:
                _, values = side.execute(b"MGET", *names)
                torn += len(set(values)) != 1
            else:
                torn += side.execute(b"EXISTS", *names) != ("int", len(names))
        return torn

    assert run_together(front_end, work) == [0] * WORKERS


def test_a_renamed_key_is_always_somewhere(front_end: FrontEnd, side: Side) -> None:
    side.execute(b"SET", b"here", b"value", b"EX", b"1000")

    def work(side: Side, number: int) -> int:
        lost = 0
        for _ in range(ROUNDS):
            if number % 2:
                side.execute(b"RENAME", b"here", b"there")
                side.execute(b"RENAME", b"there", b"here")
            else:
                lost += side.execute(b"EXISTS", b"here", b"there") != ("int", 1)
        return lost

    assert sum(run_together(front_end, work)) == 0
    _, (here, there) = side.execute(b"MGET", b"here", b"there")
    assert {here, there} == {("bulk", b"value"), ("null",)}


def test_threads_of_one_process_lose_nothing(front_end: FrontEnd, side: Side) -> None:
    arena = attach_arena(front_end.name, writable=True)

    def work(_: int) -> None:
        own = InProcessSide(arena)
        for _turn in range(ROUNDS):
            own.execute(b"INCRBYFLOAT", b"float", b"0.5")
            own.execute(b"APPEND", b"text", b"x")
            own.execute(b"COPY", b"text", b"copy", b"REPLACE")

    with ThreadPoolExecutor(WORKERS) as pool:
        assert list(pool.map(work, range(WORKERS))) == [None] * WORKERS
    arena.close()
    total = ROUNDS * WORKERS
    assert side.execute(b"GET", b"float") == ("bulk", b"%d" % (total // 2))
    assert side.execute(b"STRLEN", b"text") == ("int", total)
    assert side.execute(b"STRLEN", b"copy") == ("int", total)
