"""Streams in a full cache, and under several processes at once."""

from __future__ import annotations

import os
from collections import Counter
from itertools import count
from typing import TYPE_CHECKING

import pytest
from differential.conftest import make_arena
from differential.scripts import lines_of
from differential.sides import InProcessSide

from commands.stream_scripts import GROUPS
from shmcache.arena import min_data_bytes
from shmcache.commands.streams_layout import (
    CONSUMER,
    GROUP,
    name_key,
    number_prefix,
    unpack_pending,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from differential.wire import Tagged

    from shmcache.arena import Arena


@pytest.fixture
def full() -> Iterator[tuple[Arena, InProcessSide, list[bytes]]]:
    """An arena full to the brim, most of it one stream; and the IDs of its entries."""
    arena = make_arena(min_data_bytes())
    side = InProcessSide(arena)
    side.execute(b"XGROUP", b"CREATE", b"s", b"g", b"0", b"MKSTREAM")
    ids: list[bytes] = []
    for number in count(1):
        reply = side.execute(b"XADD", b"s", b"1-%d" % number, b"f", bytes(number % 50))
        if reply[0] == "error":
            break
        ids.append(reply[1])
        if number % 3 == 0:
            consumer = b"c%d" % (number % 7)
            side.execute(b"XREADGROUP", b"GROUP", b"g", consumer, b"STREAMS", b"s", b">")
    for length in (300, 100, 10, 0):
        for number in count():
            if side.execute(b"SET", b"k%d:%d" % (length, number), bytes(length))[0] == "error":
                break
    yield arena, side, ids
    assert arena.validate() == []
    require_whole_groups(arena)
    side.close()


def require_whole_groups(arena: Arena) -> None:
    """What a group, its consumers and their names say of one another is the same."""
    everything = b"\xff" * 40
    trees = [dict(arena.tree_range(0, b"s", tree, b"", everything)) for tree in range(5)]
    _, groups, waiting, owned, members = trees
    group_numbers = {GROUP.unpack(value)[0] for value in groups.values()}
    consumers = {}
    names = {}
    for key, value in members.items():
        if len(value) == CONSUMER.size and key[1:2] == b"\x00":
            consumers[CONSUMER.unpack(value)[0]] = (key[0], key[2:])
        else:
            names[key] = value
    assert {number for number, _ in consumers.values()} <= group_numbers
    assert names == {name_key(number): name for number, (_, name) in consumers.items()}
    expected = set()
    for key, value in waiting.items():
        owner = unpack_pending(value)[0]
        assert consumers[owner][0] == key[0]
        expected.add(number_prefix(owner) + key[1:])
    assert owned.keys() == expected


Full = tuple["Arena", InProcessSide, list[bytes]]


def test_a_full_stream_can_be_trimmed(full: Full) -> None:
    _, side, ids = full
    left = len(ids)
    for length in (left - 1, left // 2, 10, 0):
        assert side.execute(b"XTRIM", b"s", b"MAXLEN", b"%d" % length) == ("int", left - length)
        left = length
    assert side.execute(b"XLEN", b"s") == ("int", 0)


def test_a_full_stream_can_lose_its_old_entries(full: Full) -> None:
    _, side, ids = full
    assert side.execute(b"XTRIM", b"s", b"MINID", ids[-1]) == ("int", len(ids) - 1)
    assert side.execute(b"XADD", b"s", b"2-0", b"f", b"v") == ("bulk", b"2-0")


def test_all_entries_of_a_full_stream_can_be_deleted(full: Full) -> None:
    _, side, ids = full
    assert side.execute(b"XDEL", b"s", *ids) == ("int", len(ids))
    facts = side.execute(b"XINFO", b"STREAM", b"s")[1]
    deleted = facts.index(("bulk", b"max-deleted-entry-id"))
    assert facts[deleted + 1] == ("bulk", ids[-1])


def pending(side: InProcessSide) -> Tagged:
    """How many entries are pending, and by consumer."""
    _, (total, _, _, consumers) = side.execute(b"XPENDING", b"s", b"g")
    return total[1], dict(part for _, part in consumers[1]) if consumers != ("null",) else {}


def test_all_entries_of_a_full_stream_can_be_acknowledged(full: Full) -> None:
    _, side, ids = full
    total, _ = pending(side)
    assert side.execute(b"XACK", b"s", b"g", *ids) == ("int", total)
    assert pending(side) == (0, {})


def test_a_consumer_of_a_full_stream_can_be_removed(full: Full) -> None:
    _, side, _ = full
    total, consumers = pending(side)
    of_one = int(consumers[("bulk", b"c3")][1])
    assert side.execute(b"XGROUP", b"DELCONSUMER", b"s", b"g", b"c3") == ("int", of_one)
    left, others = pending(side)
    assert left == total - of_one
    assert ("bulk", b"c3") not in others


def test_a_group_of_a_full_stream_can_be_removed(full: Full) -> None:
    _, side, ids = full
    assert side.execute(b"XGROUP", b"DESTROY", b"s", b"g") == ("int", 1)
    assert side.execute(b"XINFO", b"GROUPS", b"s") == ("array", ())
    assert side.execute(b"XLEN", b"s") == ("int", len(ids))


def test_too_much_to_read_changes_nothing(full: Full) -> None:
    _, side, _ = full
    side.execute(b"XGROUP", b"SETID", b"s", b"g", b"0")
    before = side.execute(b"XINFO", b"GROUPS", b"s"), pending(side)
    reply = side.execute(b"XREADGROUP", b"GROUP", b"g", b"new", b"STREAMS", b"s", b">")
    assert reply == ("error", b"OOM command not allowed when used memory > 'maxmemory'.")
    assert (side.execute(b"XINFO", b"GROUPS", b"s"), pending(side)) == before


# ---- several processes ---------------------------------------------------------------------------

PRODUCERS, CONSUMERS, ENTRIES_EACH = 2, 3, 400


def forked(arena: Arena, work: Callable[[InProcessSide], list[bytes]]) -> tuple[int, int]:
    """Start work in a child: its pid, and where it writes what the work returns, in lines."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writing)
        return pid, reading
    status = 1
    try:
        with os.fdopen(writing, "wb") as out:
            out.write(b"\n".join(work(InProcessSide(arena))))
        status = 0
    finally:
        os._exit(status)


def produce(side: InProcessSide) -> list[bytes]:
    return [side.execute(b"XADD", b"s", b"*", b"f", b"v")[1] for _ in range(ENTRIES_EACH)]


def consume(name: bytes) -> Callable[[InProcessSide], list[bytes]]:
    def work(side: InProcessSide) -> list[bytes]:
        done: list[bytes] = []
        line = (b"XREADGROUP", b"GROUP", b"g", name, b"COUNT", b"7", b"STREAMS", b"s", b">")
        while side.execute(b"GET", b"acknowledged") != ("bulk", b"%d" % TOTAL):
            reply = side.execute(*line)
            if reply != ("null",):
                ids = [entry[1][0][1] for entry in reply[1][0][1][1][1]]
                assert side.execute(b"XACK", b"s", b"g", *ids) == ("int", len(ids))
                side.execute(b"INCRBY", b"acknowledged", b"%d" % len(ids))
                done += ids
        return done

    return work


TOTAL = PRODUCERS * ENTRIES_EACH


def lines_of_child(pid: int, reading: int) -> list[bytes]:
    with os.fdopen(reading, "rb") as lines:
        content = lines.read()
    assert os.waitpid(pid, 0)[1] == 0
    return content.split(b"\n") if content else []


def test_every_entry_goes_to_one_consumer() -> None:
    arena = make_arena()
    side = InProcessSide(arena)
    side.execute(b"XGROUP", b"CREATE", b"s", b"g", b"0", b"MKSTREAM")
    consumers = [forked(arena, consume(b"c%d" % number)) for number in range(CONSUMERS)]
    producers = [forked(arena, produce) for _ in range(PRODUCERS)]
    added = [line for child in producers for line in lines_of_child(*child)]
    consumed = [line for child in consumers for line in lines_of_child(*child)]
    assert Counter(added) == Counter(consumed)
    assert len(set(added)) == TOTAL
    assert pending(side) == (0, {})
    (facts,) = side.execute(b"XINFO", b"GROUPS", b"s")[1]
    assert facts[1][-3] == ("int", TOTAL)
    assert facts[1][-1] == ("int", 0)
    assert arena.validate() == []
    require_whole_groups(arena)
    side.close()


def test_groups_stay_whole_whatever_is_sent() -> None:
    arena = make_arena()
    side = InProcessSide(arena)
    for script in GROUPS.values():
        for line in lines_of(script):
            side.execute(*line)
            if side.execute(b"TYPE", b"s") == ("simple", b"stream"):
                require_whole_groups(arena)
        side.execute(b"FLUSHALL")
    side.close()
