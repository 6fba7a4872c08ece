"""MONITOR."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shmcache.commands.replies import OK, CommandError
from shmcache.server.replies import NOTHING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shmcache.commands.replies import Reply
    from shmcache.server.client import Client

__all__ = ["HANDLERS"]


def _monitor(client: Client, _args: Sequence[bytes]) -> Reply:
    if not client.may_block:
        raise CommandError("ERR MONITOR isn't allowed for DENY BLOCKING client")
    if client in client.server.monitors:
        return NOTHING
    client.server.monitors.add(client)
    return OK


HANDLERS = {"monitor": _monitor}
