"""The sorted-set commands on members, scores and ranks of one key; and ZMPOP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shmcache.arena import ZADD_GT, ZADD_INCR, ZADD_LT, ZADD_NX, ZADD_XX
from shmcache.commands.arguments import INT64_MAX, integer, integer_from
from shmcache.commands.replies import NULL_ARRAY, CommandError, Reply, syntax_error, wrong_arity
from shmcache.commands.samples import check_repetitions, sample_size
from shmcache.commands.scans import parse_scan_cursor, parse_scan_options
from shmcache.commands.sorted_set_arguments import (
    NO_SIGN,
    double,
    lex_range,
    score_range,
)
from shmcache.protocol.doubles import double_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shmcache.arena import Reads
    from shmcache.commands.context import Context
    from shmcache.commands.sorted_set_arguments import LexRange, ScoreRange

__all__ = [
    "zadd",
    "zcard",
    "zcount",
    "zincrby",
    "zlexcount",
    "zmpop",
    "zmscore",
    "zpopmax",
    "zpopmin",
    "zrandmember",
    "zrank",
    "zrem",
    "zremrangebylex",
    "zremrangebyrank",
    "zremrangebyscore",
    "zrevrank",
    "zscan",
    "zscore",
]


# ---- scores --------------------------------------------------------------------------------------


_ZADD_FLAGS = {
    b"NX": ZADD_NX,
    b"XX": ZADD_XX,
    b"GT": ZADD_GT,
    b"LT": ZADD_LT,
    b"INCR": ZADD_INCR,
    b"CH": 0,
}


def zadd(context: Context, args: Sequence[bytes]) -> Reply:
    """ZADD key [NX | XX] [GT | LT] [CH] [INCR] score member [score member ...]."""
    flags, first, count_changed = 0, 1, False
    while first < len(args) and (flag := _ZADD_FLAGS.get(args[first].upper())) is not None:
        flags |= flag
        count_changed |= not flag
        first += 1
    words = args[first:]
    if not words or len(words) % 2:
        raise syntax_error()
    _check_zadd(flags, len(words) // 2)
    scores = [double(word) for word in words[::2]]
    if flags & ZADD_INCR:
        return _increment(context, args[0], words[1], scores[0], flags)
    arena, scores = context.arena, [score + NO_SIGN for score in scores]
    added, changed = arena.zset_add_many(context.db, args[0], words[1::2], scores, flags)
    return added + changed if count_changed else added


def _check_zadd(flags: int, members: int) -> None:
    """Refuse flags that exclude each other."""
    if flags & ZADD_NX and flags & ZADD_XX:
        raise CommandError("ERR XX and NX options at the same time are not compatible")
    if (flags & (ZADD_GT | ZADD_LT | ZADD_NX)).bit_count() > 1:
        raise CommandError("ERR GT, LT, and/or NX options at the same time are not compatible")
    if flags & ZADD_INCR and members > 1:
        raise CommandError("ERR INCR option supports a single increment-element pair")


def zincrby(context: Context, args: Sequence[bytes]) -> Reply:
    """ZINCRBY key increment member."""
    return _increment(context, args[0], args[2], double(args[1]), ZADD_INCR)


def _increment(context: Context, key: bytes, member: bytes, by: float, flags: int) -> Reply:
    """The score afterwards; None when a flag forbade it."""
    outcome = context.arena.zset_add(context.db, key, member, by + NO_SIGN, flags)
    if outcome is None:
        return None
    added, _, score = outcome
    return by if added else score  # of a new member even a negative zero is told, once


def zscore(context: Context, args: Sequence[bytes]) -> Reply:
    """ZSCORE key member."""
    return context.arena.zset_scores(context.db, args[0], args[1:])[0]


def zmscore(context: Context, args: Sequence[bytes]) -> Reply:
    """ZMSCORE key member [member ...]."""
    return context.arena.zset_scores(context.db, args[0], args[1:])


def zrem(context: Context, args: Sequence[bytes]) -> Reply:
    """ZREM key member [member ...]."""
    return context.arena.zset_remove(context.db, args[0], args[1:])


def zscan(context: Context, args: Sequence[bytes]) -> Reply:
    """ZSCAN key cursor [MATCH pattern] [COUNT count]."""
    cursor = parse_scan_cursor(args[1])
    if len(args) > 2 and not context.arena.length(context.db, args[0], "zset"):
        return [b"0", []]  # whatever the options are
    options = parse_scan_options(args[2:])
    next_cursor, pairs = context.arena.zset_scan(context.db, args[0], cursor, options.batch)
    fits = options.fits
    items: list[Reply] = []
    for member, score in pairs:
        if fits is None or fits(member):
            items += (member, double_text(score))
    return [b"%d" % next_cursor, items]


# ---- ranks and counts ----------------------------------------------------------------------------


def zcard(context: Context, args: Sequence[bytes]) -> Reply:
    """ZCARD key."""
    return context.arena.length(context.db, args[0], "zset")


def _count(context: Context, key: bytes, wanted: ScoreRange | LexRange) -> int:
    db = context.db
    return context.arena.read([(db, key)], lambda view: wanted.window(view, db, key).size)


def zcount(context: Context, args: Sequence[bytes]) -> Reply:
    """ZCOUNT key min max."""
    return _count(context, args[0], score_range(args[1], args[2]))


def zlexcount(context: Context, args: Sequence[bytes]) -> Reply:
    """ZLEXCOUNT key min max."""
    return _count(context, args[0], lex_range(args[1], args[2]))


def zrank(context: Context, args: Sequence[bytes]) -> Reply:
    """ZRANK key member [WITHSCORE]."""
    with_score = _rank_option(args, "zrank")
    found = context.arena.zset_rank(context.db, args[0], args[1])
    if found is None:
        return NULL_ARRAY if with_score else None
    return list(found) if with_score else found[0]


def zrevrank(context: Context, args: Sequence[bytes]) -> Reply:
    """ZREVRANK key member [WITHSCORE]."""
    with_score = _rank_option(args, "zrevrank")
    db, key, member = context.db, args[0], args[1]

    def look(view: Reads) -> tuple[int, float] | None:
        found = view.zset_rank(db, key, member)
        if found is None:
            return None
        return view.length(db, key, "zset") - 1 - found[0], found[1]

    found = context.arena.read([(db, key)], look)
    if found is None:
        return NULL_ARRAY if with_score else None
    return list(found) if with_score else found[0]


def _rank_option(args: Sequence[bytes], command: str) -> bool:
    if len(args) == 2:
        return False
    if len(args) > 3:
        raise wrong_arity(command)
    if args[2].upper() != b"WITHSCORE":
        raise syntax_error()
    return True


def zremrangebyrank(context: Context, args: Sequence[bytes]) -> Reply:
    """ZREMRANGEBYRANK key start stop."""
    db, key = context.db, args[0]
    start, stop = integer(args[1]), integer(args[2])
    with context.arena.transaction([(db, key)]) as transaction:
        length = transaction.length(db, key, "zset")
        first = max(start + length if start < 0 else start, 0)
        last = min(stop + length if stop < 0 else stop, length - 1)
        if first > last:
            return 0
        return transaction.zset_remove_range(db, key, first, last - first + 1)


def _remove(context: Context, key: bytes, wanted: ScoreRange | LexRange) -> int:
    db = context.db
    with context.arena.transaction([(db, key)]) as transaction:
        window = wanted.window(transaction, db, key)
        return transaction.zset_remove_range(db, key, *window) if window.size else 0


def zremrangebyscore(context: Context, args: Sequence[bytes]) -> Reply:
    """ZREMRANGEBYSCORE key min max."""
    return _remove(context, args[0], score_range(args[1], args[2]))


def zremrangebylex(context: Context, args: Sequence[bytes]) -> Reply:
    """ZREMRANGEBYLEX key min max."""
    return _remove(context, args[0], lex_range(args[1], args[2]))


# ---- taking members out --------------------------------------------------------------------------


def zpopmin(context: Context, args: Sequence[bytes]) -> Reply:
    """ZPOPMIN key [count]."""
    return _pop(context, args, highest=False)


def zpopmax(context: Context, args: Sequence[bytes]) -> Reply:
    """ZPOPMAX key [count]."""
    return _pop(context, args, highest=True)


def _pop(context: Context, args: Sequence[bytes], *, highest: bool) -> Reply:
    if len(args) > 2:
        raise syntax_error()
    count = 1
    if len(args) == 2:
        count = integer_from(args[1], 0, complaint="value is out of range, must be positive")
    if not count:
        context.arena.length(context.db, args[0], "zset")  # whose type counts nevertheless
        return []
    pairs = context.arena.zset_pop(context.db, args[0], count, highest=highest)
    return pairs if context.resp == 3 and len(args) == 2 else _flat(pairs)


def _flat(pairs: Sequence[tuple[bytes, float]]) -> list[Reply]:
    return [part for pair in pairs for part in pair]


def zmpop(context: Context, args: Sequence[bytes]) -> Reply:
    """ZMPOP numkeys key [key ...] MIN | MAX [COUNT count]."""
    number = integer_from(args[0], 1, complaint="numkeys should be greater than 0")
    if number > len(args) - 2:
        raise syntax_error()
    where = args[number + 1].upper()
    if where not in {b"MIN", b"MAX"}:
        raise syntax_error()
    count = _mpop_count(args[number + 2 :])
    db, keys = context.db, args[1 : number + 1]
    with context.arena.transaction([(db, key) for key in keys]) as transaction:
        for key in keys:
            if transaction.length(db, key, "zset"):
                return [key, transaction.zset_pop(db, key, count, highest=where == b"MAX")]
    return NULL_ARRAY


def _mpop_count(words: Sequence[bytes]) -> int:
    if not words:
        return 1
    if len(words) == 1 or words[0].upper() != b"COUNT":
        raise syntax_error()
    count = integer_from(words[1], 1, complaint="count should be greater than 0")
    if len(words) > 2:
        raise syntax_error()
    return count


def zrandmember(context: Context, args: Sequence[bytes]) -> Reply:
    """ZRANDMEMBER key [count [WITHSCORES]]."""
    if len(args) == 1:
        pairs = context.arena.zset_random(context.db, args[0], 1, distinct=True)
        return pairs[0][0] if pairs else None
    count = sample_size(args[1])
    with_scores = len(args) == 3 and args[2].upper() == b"WITHSCORES"
    if len(args) > 2 and not with_scores:
        raise syntax_error()
    if with_scores and abs(count) > INT64_MAX // 2:
        raise CommandError("ERR value is out of range")
    if count < 0:
        check_repetitions(context.arena.length(context.db, args[0], "zset"), count)
    pairs = context.arena.zset_random(context.db, args[0], abs(count), distinct=count > 0)
    if not with_scores:
        return [member for member, _ in pairs]
    return pairs if context.resp == 3 else _flat(pairs)
