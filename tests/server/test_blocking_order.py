"""Blocking commands beside a real redis-server: who is served what, and in which order."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.scenes import Step, play_scene, steps_of

if TYPE_CHECKING:
    from server.processes import FrontEnd, RedisServer

SCENES = {
    "first come first served": """
        a BLPOP k 0
        b BRPOP k 0
        c BLPOP k 0
        d RPUSH k 1 2
        d RPUSH k 3 4""",
    "at once when there is something": """
        d RPUSH k 1 2 3 4 5 6
        d ZADD z 1 a 2 b 3 c 4 d
        a BLPOP x k 0
        a BRPOP x k 0
        a BLMOVE k l LEFT RIGHT 0
        a BRPOPLPUSH k l 0
        a BLMPOP 0 2 x k RIGHT COUNT 5
        a BZPOPMIN x z 0
        a BZPOPMAX z 0
        a BZMPOP 0 1 z MAX COUNT 9
        a3 BLPOP l 0
        d ZADD z 1.5 a
        a3 BZPOPMIN z 0
        d ZADD z 1.5 a
        a3 BZMPOP 0 1 z MIN""",
    "the first key first, for each client": """
        a BLPOP k l 0
        b BLPOP l k 0
        d RPUSH l 1
        d RPUSH k 2""",
    "the key that was ready first": """
        a BLPOP k l 0
        d MULTI
        d RPUSH l 1
        d RPUSH k 2
        d EXEC""",
    "the same key twice": """
        a BLPOP k k 0
        d RPUSH k 1
        a BLPOP k k 0
        d RPUSH k 2""",
    "pushed and popped in one transaction": """
        a BLPOP k 0
        d MULTI
        d RPUSH k 1
        d LPOP k
        d EXEC
        d RPUSH k 2""",
    "a chain of moves": """
        a BLMOVE k l LEFT LEFT 0
        b BLMOVE l m RIGHT LEFT 0
        c BRPOPLPUSH m k 0
        e BLPOP k 0
        d RPUSH k 1""",
    "a move in a circle": """
        a BLMOVE k k LEFT RIGHT 0
        d RPUSH k 1 2""",
    "a destination of the wrong type": """
        d SET l x
        a BLMOVE k l LEFT LEFT 0
        b BLPOP k 0
        d RPUSH k 1""",
    "a key of the wrong type": """
        a BLPOP k 0
        b BZPOPMIN k 0
        d SET k x
        c BLPOP k 0
        c BLPOP m k 0
        d DEL k
        d ZADD k 1 x
        d RPUSH k 1
        d DEL k
        d RPUSH k 1""",
    "several at once": """
        a BLMPOP 0 2 x k LEFT COUNT 2
        b BLMPOP 0 1 k RIGHT
        c BLMPOP 0 1 k RIGHT COUNT 10
        d RPUSH k 1 2 3 4 5
        a3 BLMPOP 0 1 k LEFT COUNT 3
        d RPUSH k 6""",
    "sorted sets": """
        a BZPOPMIN z y 0
        b BZPOPMAX z 0
        c3 BZMPOP 0 2 y z MAX COUNT 2
        d ZADD z 1 a 2 b 3 c 4 d
        a BZPOPMIN z 0
        d GEOADD z 1 1 there
        b BZPOPMIN z 0
        d ZINCRBY z 3.5 x""",
    "keys that commands leave": """
        d RPUSH l 3 1 2
        a BLPOP k 0
        d SORT l STORE k
        d DEL k
        a BLPOP k 0
        d COPY l k
        d DEL k
        a BLPOP k 0
        d RENAME l k
        d DEL k
        a BLPOP k 0
        d RPUSH l 1
        d LMOVE l k LEFT LEFT
        a BLPOP k 0
        d RPUSH l 1
        d RPOPLPUSH l k
        d ZADD y 1 a 2 b
        b BZPOPMIN z 0
        d ZUNIONSTORE z 1 y
        d DEL z
        b BZPOPMIN z 0
        d ZRANGESTORE z y 0 0
        a BLPOP k 0
        d LPUSHX k 1
        d LPUSH k 1""",
    "from another database": """
        a BLPOP k 0
        d SELECT 1
        d RPUSH k 1 2
        d SWAPDB 0 1
        a BLPOP l 0
        d RPUSH l 5
        d MOVE l 0
        a BLPOP m 0
        d RPUSH m 5
        d COPY m m DB 0""",
    "swapped away": """
        d SELECT 3
        d RPUSH k 1
        a SELECT 3
        a BLPOP l 0
        d SWAPDB 3 0
        d RPUSH l 1
        d SELECT 0
        d RPUSH l 2""",
    "flushed": """
        a BLPOP k 0
        b XREAD BLOCK 0 STREAMS x $
        d FLUSHALL
        d FLUSHDB
        d RPUSH k 1""",
    "in a transaction": """
        a MULTI
        a BLPOP k 0
        a BRPOP k l 0
        a BLMOVE k l LEFT LEFT 0
        a BRPOPLPUSH k l 0
        a BLMPOP 0 1 k LEFT
        a BZPOPMIN z 0
        a BZMPOP 0 1 z MIN
        a XREAD BLOCK 0 STREAMS x $
        a RPUSH k 1 2
        a BLPOP k 0
        a EXEC
        a3 MULTI
        a3 BLPOP l 0
        a3 BLMOVE l k LEFT LEFT 0
        a3 EXEC""",
    "from a script": """
        a BLPOP k l 0
        b BLMOVE l m LEFT LEFT 0
        c BLPOP m 0
        d EVAL "redis.call('rpush', KEYS[1], 1) return redis.call('lpop', KEYS[1])" 1 k
        d EVAL "redis.call('rpush', KEYS[2], 1, 2) return redis.call('rpush', KEYS[1], 3)" 2 k l
        d EVAL "return redis.call('llen', 'k') + redis.call('llen', 'l')" 0
        e XREAD BLOCK 0 STREAMS x $
        d EVAL "redis.call('xadd', 'x', 1, 'f', 'v') return redis.call('xadd', 'x', 2, 'f', 'v')" 0
        d MULTI
        d EVAL "return redis.call('zadd', KEYS[1], 1, 'one')" 1 z
        d EVAL "return redis.call('zcard', KEYS[1])" 1 z
        d BZPOPMIN z 0
        d BZPOPMIN z 0
        d EXEC""",
    "what follows in the pipeline": """
        a BLPOP k 0
        a BLPOP k 0
        a INCR n
        b BLPOP k 0
        d RPUSH k 1
        d RPUSH k 2 3
        b GET n""",
    "a client that hung up": """
        a BLPOP k 0
        b BLPOP k 0
        a HANGUP
        d RPUSH k 1""",
    "streams": """
        a XREAD BLOCK 0 STREAMS x $
        b3 XREAD BLOCK 0 STREAMS x y 5 $
        c XREAD COUNT 1 BLOCK 0 STREAMS y x 0 0
        d XADD x 3 f v
        d XADD x 7 f v
        d XADD y 1 f v
        a XREAD BLOCK 0 STREAMS x 3
        a XREAD BLOCK 0 STREAMS x $
        d XDEL x 7
        d XTRIM x MAXLEN 0
        d XADD x 8 f v""",
    "a stream out of nowhere": """
        a XREAD BLOCK 0 STREAMS x $
        b XREAD BLOCK 0 STREAMS x 18446744073709551615-18446744073709551615
        d SET x 1
        c XREAD BLOCK 0 STREAMS x $
        d DEL x
        d XGROUP CREATE x g $ MKSTREAM
        d XSETID x 5
        d XADD x 6 f v
        b HANGUP""",
    "two streams of one transaction": """
        a XREAD BLOCK 0 STREAMS x y $ $
        d MULTI
        d XADD y 1 f v
        d XADD x 1 f v
        d XADD y 2 f v
        d EXEC""",
    "consumer groups": """
        d XADD x 1 f v
        d XGROUP CREATE x g $
        d XGROUP CREATE x h $
        a XREADGROUP GROUP g one BLOCK 0 STREAMS x >
        b XREADGROUP GROUP g two BLOCK 0 STREAMS x >
        c3 XREADGROUP GROUP h one BLOCK 0 NOACK STREAMS x >
        e XREAD BLOCK 0 STREAMS x $
        d XADD x 2 f v
        d XADD x 3 f v
        d XPENDING x g
        d XPENDING x h
        a XREADGROUP GROUP g one BLOCK 0 STREAMS x 0
        b XREADGROUP GROUP g three COUNT 1 BLOCK 0 STREAMS x >
        d MULTI
        d XGROUP SETID x g 0
        d XADD x 4 f v
        d XADD x 5 f v
        d EXEC""",
    "a stream with its group anew": """
        d XGROUP CREATE x g $ MKSTREAM
        a XREADGROUP GROUP g c BLOCK 0 STREAMS x >
        d MULTI
        d DEL x
        d XADD x 7 f v
        d XGROUP CREATE x g 0
        d EXEC""",
    "in RESP3": """
        a3 BLPOP k 0
        b3 BLMOVE k l LEFT LEFT 0
        c3 BZPOPMAX z 0
        e3 XREADGROUP GROUP g c BLOCK 0 STREAMS x >
        d XGROUP CREATE x g $ MKSTREAM
        e3 XREADGROUP GROUP g c BLOCK 0 STREAMS x >
        d RPUSH k 1 2
        d ZADD z 1.25 m
        d XADD x 7 f v""",
}


@pytest.mark.parametrize("name", SCENES)
def test_scene(front_end: FrontEnd, redis_server: RedisServer, name: str) -> None:
    steps = steps_of(SCENES[name])
    assert play_scene(front_end, steps) == play_scene(redis_server, steps)


KEYS = st.sampled_from("kl")
SIDES = st.sampled_from(("LEFT", "RIGHT"))
ENDS = st.sampled_from(("MIN", "MAX"))
STREAM_IDS = st.sampled_from(("$", "0", "3-1"))


def line(*parts: str | st.SearchStrategy[str]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.tuples(*(st.just(part) if isinstance(part, str) else part for part in parts))


WAITING = st.one_of(
    line("BLPOP", KEYS, "0"),
    line("BRPOP", KEYS, KEYS, "0"),
    line("BLMOVE", KEYS, KEYS, SIDES, SIDES, "0"),
    line("BRPOPLPUSH", KEYS, "m", "0"),
    line("BLMPOP", "0", "2", KEYS, "m", SIDES, "COUNT", "2"),
    line("BZPOPMIN", "z", KEYS, "0"),
    line("BZMPOP", "0", "1", "z", ENDS, "COUNT", "2"),
    line("XREAD", "BLOCK", "0", "STREAMS", "x", "y", STREAM_IDS, STREAM_IDS),
    line("XREAD", "COUNT", "1", "BLOCK", "0", "STREAMS", "x", STREAM_IDS),
)
WORKING = st.one_of(
    line("RPUSH", KEYS, "1"),
    line("LPUSH", KEYS, "2", "3"),
    line("LPOP", KEYS),
    line("DEL", KEYS),
    line("SET", KEYS, "s"),
    line("RENAME", KEYS, "m"),
    line("RENAME", "m", KEYS),
    line("LMOVE", "m", KEYS, SIDES, SIDES),
    line("SORT", KEYS, "BY", "nosort", "STORE", KEYS),
    line("ZADD", "z", "1", "a", "2", "b"),
    line("ZUNIONSTORE", KEYS, "1", "z"),
    line("XADD", "x", "*", "f", "v"),
    line("XADD", "y", "3-2", "f", "v"),
    line("SWAPDB", "0", "1"),
    line("MULTI"),
    line("EXEC"),
    line("EXEC"),
)
STEPS = st.lists(
    st.one_of(
        st.builds(Step, st.sampled_from("abc"), WAITING),
        st.builds(Step, st.sampled_from("abde"), WORKING),
    ),
    max_size=25,
)


def without_clock(transcript: list[object]) -> object:
    """A transcript without the IDs that streams took from the clock."""
    return re.sub(r"\d{13}-\d+", "TIME", repr(transcript))


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
def test_any_schedule(front_end: FrontEnd, redis_server: RedisServer, steps: list[Step]) -> None:
    ours, theirs = play_scene(front_end, steps), play_scene(redis_server, steps)
    assert without_clock(ours) == without_clock(theirs)
