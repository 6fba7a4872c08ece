"""ZRANGE and the older commands that it replaces, and ZRANGESTORE."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from shmcache.commands.arguments import INT64_MAX, integer
from shmcache.commands.replies import CommandError, Reply, syntax_error
from shmcache.commands.sorted_set_arguments import (
    LexRange,
    RankRange,
    ScoreRange,
    Window,
    lex_range,
    score_range,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shmcache.arena import Reads
    from shmcache.commands.context import Context

__all__ = [
    "zrange",
    "zrangebylex",
    "zrangebyscore",
    "zrangestore",
    "zrevrange",
    "zrevrangebylex",
    "zrevrangebyscore",
]

_Pairs: TypeAlias = "list[tuple[bytes, float]]"


class _Asked(NamedTuple):
    """What the words after a key ask for."""

    range: RankRange | ScoreRange | LexRange
    reverse: bool
    with_scores: bool
    offset: int
    limit: int

    def window(self, reads: Reads, db: int, key: bytes) -> Window:
        """The members, ``first`` counting from the side that the reading starts at."""
        if isinstance(self.range, RankRange):
            window = self.range.window(reads, db, key, reverse=self.reverse)
        else:
            window = self.range.window(
                reads, db, key, reverse=self.reverse, offset=self.offset
            ).limited(self.limit, reverse=self.reverse)
        if self.reverse and window.size:
            first = reads.length(db, key, "zset") - window.first - window.size
            window = window._replace(first=first)
        return window

    def pairs(self, reads: Reads, db: int, key: bytes) -> _Pairs:
        """The members with their scores."""
        window = self.window(reads, db, key)
        return reads.zset_range(db, key, *window, self.reverse) if window.size else []

    def members(self, reads: Reads, db: int, key: bytes) -> list[bytes]:
        """The members alone."""
        window = self.window(reads, db, key)
        return reads.zset_members(db, key, *window, self.reverse) if window.size else []


class _Options:
    """The words after the bounds."""

    __slots__ = ("by", "limit", "offset", "reverse", "with_scores")

    def __init__(self, by: bytes, *, reverse: bool) -> None:
        self.by = by
        """RANK, BYSCORE or BYLEX."""
        self.reverse = reverse
        self.with_scores = False
        self.offset, self.limit = 0, -1

    def check(self) -> None:
        """Refuse what goes with one kind of range only."""
        if self.limit != -1 and self.by == b"RANK":
            raise CommandError(
                "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or "
                "BYLEX"
            )
        if self.with_scores and self.by == b"BYLEX":
            raise CommandError(
                "ERR syntax error, WITHSCORES not supported in combination with BYLEX"
            )


def _parse(words: Sequence[bytes], by: bytes, *, reverse: bool, store: bool = False) -> _Asked:
    """Read what follows the key.

    :param by: the kind of range; empty when the words may choose, and whether to reverse it too
    """
    options = _Options(by or b"RANK", reverse=reverse)
    chosen = bool(by)
    position = 2
    while position < len(words):
        word = words[position].upper()
        if word == b"WITHSCORES" and not store:
            options.with_scores = True
        elif word == b"LIMIT" and position + 2 < len(words):
            options.offset = integer(words[position + 1])
            options.limit = integer(words[position + 2])
            position += 2
        elif word == b"REV" and not by and not options.reverse:
            options.reverse = True
        elif word in {b"BYSCORE", b"BYLEX"} and not chosen:
            options.by, chosen = word, True
        else:
            raise syntax_error()
        position += 1
    options.check()
    return _Asked(
        _range(options, words),
        options.reverse,
        options.with_scores,
        options.offset,
        options.limit,
    )


def _range(options: _Options, words: Sequence[bytes]) -> RankRange | ScoreRange | LexRange:
    low, high = words[0], words[1]
    if options.by == b"RANK":
        return RankRange(integer(low), integer(high))
    if options.reverse:
        low, high = high, low
    return score_range(low, high) if options.by == b"BYSCORE" else lex_range(low, high)


def _reply(context: Context, key: bytes, asked: _Asked) -> Reply:
    db, ranks = context.db, asked.range
    if isinstance(ranks, RankRange) and 0 <= ranks.start <= ranks.stop:  # no need of the length
        count = min(ranks.stop - ranks.start + 1, INT64_MAX)
        if not asked.with_scores:
            return context.arena.zset_members(db, key, ranks.start, count, asked.reverse)
        pairs = context.arena.zset_range(db, key, ranks.start, count, asked.reverse)
        return _with_scores(context, pairs)
    if not asked.with_scores:
        return context.arena.read([(db, key)], lambda view: asked.members(view, db, key))
    pairs = context.arena.read([(db, key)], lambda view: asked.pairs(view, db, key))
    return _with_scores(context, pairs)


def _with_scores(context: Context, pairs: _Pairs) -> Reply:
    return pairs if context.resp == 3 else [part for pair in pairs for part in pair]


def zrange(context: Context, args: Sequence[bytes]) -> Reply:
    """ZRANGE key start stop [BYSCORE | BYLEX] [REV] [LIMIT offset count] [WITHSCORES]."""
    return _reply(context, args[0], _parse(args[1:], b"", reverse=False))


def zrevrange(context: Context, args: Sequence[bytes]) -> Reply:
    """ZREVRANGE key start stop [WITHSCORES]."""
    return _reply(context, args[0], _parse(args[1:], b"RANK", reverse=True))


def zrangebyscore(context: Context, args: Sequence[bytes]) -> Reply:
    """ZRANGEBYSCORE key min max [WITHSCORES] [LIMIT offset count]."""
    return _reply(context, args[0], _parse(args[1:], b"BYSCORE", reverse=False))


def zrevrangebyscore(context: Context, args: Sequence[bytes]) -> Reply:
    """ZREVRANGEBYSCORE key max min [WITHSCORES] [LIMIT offset count]."""
    return _reply(context, args[0], _parse(args[1:], b"BYSCORE", reverse=True))


def zrangebylex(context: Context, args: Sequence[bytes]) -> Reply:
    """ZRANGEBYLEX key min max [LIMIT offset count]."""
    return _reply(context, args[0], _parse(args[1:], b"BYLEX", reverse=False))


def zrevrangebylex(context: Context, args: Sequence[bytes]) -> Reply:
    """ZREVRANGEBYLEX key max min [LIMIT offset count]."""
    return _reply(context, args[0], _parse(args[1:], b"BYLEX", reverse=True))


def zrangestore(context: Context, args: Sequence[bytes]) -> Reply:
    """ZRANGESTORE destination source start stop [BYSCORE | BYLEX] [REV] [LIMIT offset count]."""
    destination, source = args[:2]
    asked = _parse(args[2:], b"", reverse=False, store=True)
    db = context.db
    keys = [(db, destination), (db, source)]
    with context.arena.transaction(keys, "zrangestore") as transaction:
        pairs = asked.pairs(transaction, db, source)
        members = [member for member, _ in pairs]
        transaction.store(db, destination, "zset", members, [score for _, score in pairs])
    return len(pairs)
