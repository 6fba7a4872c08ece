"""LOLWUT: a picture, for the fun of it."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final

from shmcache.commands.arguments import integer
from shmcache.commands.replies import Verbatim
from shmcache.server.version import REDIS_VERSION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shmcache.commands.replies import Reply
    from shmcache.server.client import Client

__all__ = ["HANDLERS"]

_COLUMNS: Final = 66
_ROWS: Final = 18
_MOST_COLUMNS: Final = 256
_MOST_ROWS: Final = 128
_OUR_VERSION: Final = 1
_TILES: Final = "\u2571\u2572"  # diagonals, drawn
_DOORS: Final = "▯▮"


def _size(words: Sequence[bytes], index: int, usual: int, most: int) -> int:
    """:raises CommandError: not an integer"""
    return min(max(integer(words[index]), 1), most) if len(words) > index else usual


def _draw(columns: int, rows: int) -> str:
    """A maze of diagonals, the arena, between two doors."""
    chance = random.Random()  # noqa: S311 - a picture is no secret
    left, right = chance.randrange(rows), chance.randrange(rows)
    lines = []
    for row in range(rows):
        maze = "".join(chance.choices(_TILES, k=columns))
        lines.append(f"{_DOORS[row == left]}{maze}{_DOORS[row == right]}\n")
    return "".join(lines)


def _lolwut(_client: Client, args: Sequence[bytes]) -> Reply:
    """LOLWUT [VERSION version] [columns [rows]].

    A version that draws nothing here is answered as Redis answers one: by its own version alone.
    """
    version, rest = _OUR_VERSION, args
    if len(args) >= 2 and args[0].upper() == b"VERSION":
        version, rest = integer(args[1]), args[2:]
    closing = f"Redis ver. {REDIS_VERSION}\n"
    if version != _OUR_VERSION:
        return Verbatim(closing)
    picture = _draw(_size(rest, 0, _COLUMNS, _MOST_COLUMNS), _size(rest, 1, _ROWS, _MOST_ROWS))
    return Verbatim(f"{picture}\nOne engine, two doors. shmcache. {closing}")


HANDLERS = {"lolwut": _lolwut}
