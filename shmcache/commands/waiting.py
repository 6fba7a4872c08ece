"""What a blocking command waits for when it has found nothing, and for how long.

The commands only say it; to wait is the server's business.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from shmcache.commands import long_double
from shmcache.commands.arguments import INT64_MAX, INT64_MIN, integer_or_none
from shmcache.commands.replies import NULL_ARRAY, CommandError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shmcache.commands.context import Context
    from shmcache.commands.replies import Reply

__all__ = ["Awaited", "MustWait", "milliseconds", "seconds", "wait_for"]

_COMMON_SECONDS: Final = 10**9
"""A whole number of seconds up to this many is read without the arithmetic of decimals."""

Awaited: TypeAlias = Literal["list", "zset", "stream", "group"]
"""The type of key that has to come, or for a consumer group anything that can be told of it."""


class MustWait(Exception):
    """A command found nothing, did nothing, and wants to be tried again.

    :ivar awaited: what may come
    :ivar keys: where
    :ivar timeout_ms: for how long; 0 is for ever
    :ivar args_for: the arguments of the same command for one of the keys
    :ivar otherwise: what it answers when nothing came in time
    """

    def __init__(
        self,
        awaited: Awaited,
        keys: Sequence[bytes],
        timeout_ms: int,
        args_for: Callable[[bytes], list[bytes]],
        otherwise: Reply = NULL_ARRAY,
    ) -> None:
        super().__init__()
        self.awaited: Awaited = awaited
        self.keys = tuple(keys)
        self.timeout_ms = timeout_ms
        self.args_for = args_for
        self.otherwise = otherwise


def wait_for(
    context: Context,
    awaited: Awaited,
    keys: Sequence[bytes],
    timeout_ms: int,
    args_for: Callable[[bytes], list[bytes]],
    otherwise: Reply = NULL_ARRAY,
) -> Reply:
    """Wait, or where that may not be answer as if the time were over.

    :raises MustWait: it may
    """
    if context.may_block:
        raise MustWait(awaited, keys, timeout_ms, args_for)
    return otherwise


def seconds(word: bytes) -> int:
    """The milliseconds of a timeout in seconds, which may have decimals; 0 is for ever.

    :raises CommandError: Redis's words for one that it does not take
    """
    whole = integer_or_none(word)
    if whole is not None and 0 <= whole <= _COMMON_SECONDS:
        return 1000 * whole
    number = long_double.parse(word)
    if number is None:
        raise CommandError("ERR timeout is not a float or out of range")
    number = long_double.multiply(number, 1000)
    if not number.is_finite:
        timeout_ms = INT64_MIN if number.mantissa < 0 else INT64_MAX + 1
    else:
        timeout_ms = long_double.ceiling(number)
    return _checked(timeout_ms)


def milliseconds(word: bytes) -> int:
    """A timeout in milliseconds; 0 is for ever.

    :raises CommandError: Redis's words for one that it does not take
    """
    timeout_ms = integer_or_none(word)
    if timeout_ms is None:
        raise CommandError("ERR timeout is not an integer or out of range")
    return _checked(timeout_ms)


def _checked(timeout_ms: int) -> int:
    if timeout_ms < 0:
        raise CommandError("ERR timeout is negative")
    if timeout_ms > INT64_MAX - time.time_ns() // 1_000_000:  # the end has to fit 64 bits
        raise CommandError("ERR timeout is out of range")
    return timeout_ms
