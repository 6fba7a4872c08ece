"""SLOWLOG."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shmcache.commands.arguments import integer_or_none
from shmcache.commands.replies import OK, CommandError
from shmcache.server.replies import WrongSubcommandError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shmcache.commands.replies import Reply
    from shmcache.server.client import Client

__all__ = ["HANDLERS"]

_USUAL_COUNT = 10


def _get(client: Client, args: Sequence[bytes]) -> Reply:
    if len(args) > 1:
        raise WrongSubcommandError
    count = integer_or_none(args[0]) if args else _USUAL_COUNT
    if count is None or count < -1:
        raise CommandError("ERR count should be greater than or equal to -1")
    log = client.server.slowlog
    return [
        [
            entry.number,
            entry.unix_s,
            entry.microseconds,
            entry.words,
            entry.address.encode("utf-8", "surrogateescape"),
            entry.name,
        ]
        for entry in log.newest(len(log) if count == -1 else count)
    ]


def _len(client: Client, _args: Sequence[bytes]) -> Reply:
    return len(client.server.slowlog)


def _reset(client: Client, _args: Sequence[bytes]) -> Reply:
    client.server.slowlog.clear()
    return OK


HANDLERS = {"slowlog|get": _get, "slowlog|len": _len, "slowlog|reset": _reset}
