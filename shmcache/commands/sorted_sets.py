"""The sorted-set commands on members, scores and ranks of one key; and ZMPOP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shmcache.arena import ZADD_GT, ZADD_INCR, ZADD_LT, ZADD_NX, ZADD_XX, Arena
from shmcache.commands.arguments import INT64_MAX, integer, integer_from
from shmcache.commands.replies import NULL_ARRAY, CommandError, Reply, syntax_error, wrong_arity
from shmcache.commands.samples import check_repetitions, sample_size
from shmcache.commands.scans import parse_scan_cursor, parse_scan_options
from shmcache.commands.sorted_set_arguments import (
    NO_SIGN,
    RankRange,
    double,
    lex_range,
    score_range,
)
from shmcache.errors import OutOfMemory
from shmcache.protocol.doubles import double_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shmcache.arena import Reads
    from shmcache.commands.context import Context
    from shmcache.commands.sorted_set_arguments import LexRange, ScoreRange, Window

__all__ = [
    "take_from_first",
    "zadd",
    "zcard",
    "zcount",
    "zincrby",
    "zlexcount",
    "zmpop",
    "zmpop_line",
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
    """ZINCRBY key increment member. To Redis it is a form of ZADD, so that a flag is no number."""
    if args[1].upper() in _ZADD_FLAGS:
        raise syntax_error()
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


# ---- taking members out --------------------------------------------------------------------------


# To remember many changes for the case of a crash takes memory, and a full cache has little of it.
# One removal takes hardly any; and to make room is worth more than to vanish together.


def zrem(context: Context, args: Sequence[bytes]) -> Reply:
    """ZREM key member [member ...]."""
    arena, db, key, members = context.arena, context.db, args[0], args[1:]
    try:
        return arena.zset_remove(db, key, members)
    except OutOfMemory:
        if len(members) == 1 or _is_part_of_more(arena):
            raise
    return sum(arena.zset_remove(db, key, [member]) for member in members)


def _is_part_of_more(arena: Arena) -> bool:
    """Whether it stands for a larger transaction, which must not be broken up."""
    return not isinstance(arena, Arena)


def _remove(context: Context, key: bytes, find: Callable[[Reads], Window], command: str) -> int:
    """Remove the neighbours that ``find`` finds; how many there were."""
    arena, db = context.arena, context.db
    try:
        with arena.transaction([(db, key)], command) as transaction:
            window = find(transaction)
            return transaction.zset_remove_range(db, key, *window) if window.size else 0
    except OutOfMemory:
        if _is_part_of_more(arena):
            raise
    members = arena.read([(db, key)], lambda view: view.zset_members(db, key, *find(view)))
    return sum(arena.zset_remove(db, key, [member]) for member in members)


def zremrangebyrank(context: Context, args: Sequence[bytes]) -> Reply:
    """ZREMRANGEBYRANK key start stop."""
    db, key, ranks = context.db, args[0], RankRange(integer(args[1]), integer(args[2]))
    return _remove(context, key, lambda reads: ranks.window(reads, db, key), "zremrangebyrank")


def zremrangebyscore(context: Context, args: Sequence[bytes]) -> Reply:
    """ZREMRANGEBYSCORE key min max."""
    db, key, scores = context.db, args[0], score_range(args[1], args[2])
    return _remove(context, key, lambda reads: scores.window(reads, db, key), "zremrangebyscore")


def zremrangebylex(context: Context, args: Sequence[bytes]) -> Reply:
    """ZREMRANGEBYLEX key min max."""
    db, key, texts = context.db, args[0], lex_range(args[1], args[2])
    return _remove(context, key, lambda reads: texts.window(reads, db, key), "zremrangebylex")


def zpopmin(context: Context, args: Sequence[bytes]) -> Reply:
    """ZPOPMIN key [count]."""
    return _pop(context, args, highest=False)


def zpopmax(context: Context, args: Sequence[bytes]) -> Reply:
    """ZPOPMAX key [count]."""
    return _pop(context, args, highest=True)


def _pop(context: Context, args: Sequence[bytes], *, highest: bool) -> Reply:
    if len(args) > 2:
        raise syntax_error()
    if len(args) == 1:
        return _flat(context.arena.zset_pop(context.db, args[0], 1, highest=highest))
    count = integer_from(args[1], 0, complaint="value is out of range, must be positive")
    _, pairs = take_from_first(context, args[:1], count, highest=highest)
    return pairs if context.resp == 3 else _flat(pairs)


def _flat(pairs: Sequence[tuple[bytes, float]]) -> list[Reply]:
    return [part for pair in pairs for part in pair]


def take_from_first(
    context: Context, keys: Sequence[bytes], count: int, *, highest: bool
) -> tuple[bytes, list[tuple[bytes, float]]]:
    """Take members out of the first key that has any; all at once costs less than each alone."""
    arena, db = context.arena, context.db
    if count == 1 and len(keys) == 1:
        return keys[0], arena.zset_pop(db, keys[0], 1, highest=highest)
    try:
        named = "zpopmax" if highest else "zpopmin"
        with arena.transaction([(db, key) for key in keys], named) as transaction:
            key, pairs = _at_end(transaction, db, keys, count, highest=highest)
            if pairs:
                first = transaction.length(db, key, "zset") - len(pairs) if highest else 0
                transaction.zset_remove_range(db, key, first, len(pairs))
            return key, pairs
    except OutOfMemory:
        if _is_part_of_more(arena):
            raise
    key, pairs = arena.read(
        [(db, key) for key in keys],
        lambda view: _at_end(view, db, keys, count, highest=highest),
    )
    return key, [pair for pair in pairs if arena.zset_remove(db, key, pair[:1])]


def _at_end(
    reads: Reads, db: int, keys: Sequence[bytes], count: int, *, highest: bool
) -> tuple[bytes, list[tuple[bytes, float]]]:
    """The lowest or highest members of the first key that has any."""
    for key in keys:
        length = reads.length(db, key, "zset")
        if length:
            return key, reads.zset_range(db, key, 0, min(count, length), highest)
    return b"", []


def zmpop(context: Context, args: Sequence[bytes]) -> Reply:
    """ZMPOP numkeys key [key ...] MIN | MAX [COUNT count]."""
    keys, highest, count = zmpop_line(args)
    key, pairs = take_from_first(context, keys, count, highest=highest)
    return [key, pairs] if pairs else NULL_ARRAY


def zmpop_line(args: Sequence[bytes]) -> tuple[Sequence[bytes], bool, int]:
    """The keys of a ZMPOP, whether it takes the highest, and how many members at most.

    :raises CommandError: it makes no sense
    """
    number = integer_from(args[0], 1, complaint="numkeys should be greater than 0")
    if number > len(args) - 2:
        raise syntax_error()
    where = args[number + 1].upper()
    if where not in {b"MIN", b"MAX"}:
        raise syntax_error()
    return args[1 : number + 1], where == b"MAX", _mpop_count(args[number + 2 :])


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
