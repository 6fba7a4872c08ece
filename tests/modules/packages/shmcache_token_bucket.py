"""A rate limiter for shmcache: a token bucket as a command.

A bucket holds ``capacity`` tokens at most and gets ``refill`` new ones a second. Taking some either
takes them all or, when there are too few, none. A bucket is a hash of two fields that goes by
itself once it would be full again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shmcache.commands.arguments import integer_or_none
from shmcache.commands.modules import MODULE_API, Module, ModuleError, ModuleOption
from shmcache.commands.replies import CommandError, Reply
from shmcache.commands.spec import KEY, command, integer, key
from shmcache.config.kinds import Integer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shmcache.arena import Arena, Transaction
    from shmcache.commands.context import Context

__all__ = ["load"]

MICRO = 1_000_000
FIELDS = (b"microtokens", b"at_ms")


class TokenBuckets:
    """The commands of one cache."""

    def __init__(self, most_tokens: int) -> None:
        self._most_tokens = most_tokens

    def configure(self, option: str, value: Any) -> None:
        assert option == "most-tokens"
        if value % 10 == 7:
            raise ValueError("most-tokens must not end with a 7")
        self._most_tokens = value

    def take(self, context: Context, args: Sequence[bytes]) -> Reply:
        """``TOKENBUCKET.TAKE key capacity refill [tokens]``: [taken, left, ms until enough]."""
        name, capacity, refill = args[0], self._number(args[1]), self._number(args[2])
        wanted = self._number(args[3]) if len(args) > 3 else 1
        now_ms, db = context.now_ms(), context.db
        with context.arena.transaction([(db, name)]) as bucket:
            tokens = _level(bucket, db, name, capacity, refill, now_ms)
            missing = wanted * MICRO - tokens
            if missing > 0:
                return [0, tokens // MICRO, -(-missing // (refill * 1000))]
            tokens -= wanted * MICRO
            bucket.hash_set(db, name, [FIELDS[0], b"%d" % tokens, FIELDS[1], b"%d" % now_ms])
            bucket.expire(db, name, _full_at_ms(tokens, capacity, refill, now_ms))
        return [1, tokens // MICRO, 0]

    def peek(self, context: Context, args: Sequence[bytes]) -> Reply:
        """``TOKENBUCKET.PEEK key capacity refill``: the tokens that are there."""
        capacity, refill = self._number(args[1]), self._number(args[2])
        level = _level(context.arena, context.db, args[0], capacity, refill, context.now_ms())
        return level // MICRO

    def _number(self, word: bytes) -> int:
        number = integer_or_none(word)
        if number is None or not 1 <= number <= self._most_tokens:
            raise CommandError(f"ERR a number from 1 to {self._most_tokens} is wanted")
        return number


def _level(
    arena: Arena | Transaction, db: int, name: bytes, capacity: int, refill: int, now_ms: int
) -> int:
    """The millionths of tokens that are in a bucket now."""
    tokens, at_ms = arena.hash_get_many(db, name, FIELDS)
    if tokens is None or at_ms is None:
        return capacity * MICRO
    refilled = max(now_ms - int(at_ms), 0) * refill * 1000
    return min(int(tokens) + refilled, capacity * MICRO)


def _full_at_ms(tokens: int, capacity: int, refill: int, now_ms: int) -> int:
    return now_ms - (tokens - capacity * MICRO) // (refill * 1000) + 1


def load(arguments: Sequence[bytes]) -> Module:
    """Make the module; its one argument is the default of its option."""
    if len(arguments) > 1:
        raise ModuleError("at most one argument is wanted")
    most_tokens = int(arguments[0]) if arguments else 1000
    buckets = TokenBuckets(most_tokens)
    numbers = [integer("capacity"), integer("refill")]
    return Module(
        api=MODULE_API,
        version=3,
        commands=[
            command(
                "tokenbucket.take",
                -4,
                "write denyoom fast",
                "Takes tokens out of a bucket, if there are enough.",
                group="module",
                since="1.0.0",
                keys=[key("RW access update")],
                arguments=[KEY, *numbers, integer("tokens", optional=True)],
                function=buckets.take,
            ),
            command(
                "tokenbucket.peek",
                4,
                "readonly fast",
                "Returns how many tokens are in a bucket.",
                group="module",
                since="1.0.0",
                keys=[key("RO access")],
                arguments=[KEY, *numbers],
                function=buckets.peek,
            ),
        ],
        options=[ModuleOption("most-tokens", Integer(1, 1_000_000), most_tokens)],
        configure=buckets.configure,
    )
