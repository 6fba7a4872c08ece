"""How many elements a command that takes them at random was asked for."""

from __future__ import annotations

from shmcache.commands.arguments import INT64_MAX, integer
from shmcache.commands.replies import CommandError

__all__ = ["check_repetitions", "sample_size"]

_MOST_REPETITIONS = 1 << 24
"""A longer reply would only exhaust the memory: Redis goes on until it has."""


def sample_size(word: bytes) -> int:
    """The count of SRANDMEMBER and its kin: negative for so many that may be repeated.

    :raises CommandError: not an integer, or the least of all
    """
    count = integer(word)
    if count < -INT64_MAX:
        raise CommandError(
            f"ERR value is out of range, value must between {-INT64_MAX} and {INT64_MAX}"
        )
    return count


def check_repetitions(length: int, count: int) -> None:
    """Refuse to repeat elements more often than a reply can hold.

    :param length: elements there are; none are never repeated
    :param count: from :func:`sample_size`
    :raises CommandError: too many
    """
    if length and count < -_MOST_REPETITIONS:
        raise CommandError("ERR value is out of range")
