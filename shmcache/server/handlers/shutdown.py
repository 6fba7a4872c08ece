"""SHUTDOWN."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from shmcache.commands.replies import CommandError, syntax_error
from shmcache.server.replies import NOTHING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shmcache.commands.replies import Reply
    from shmcache.server.client import Client

__all__ = ["HANDLERS"]

_log = logging.getLogger("shmcache.server")

_OPTIONS = frozenset((b"SAVE", b"NOSAVE", b"NOW", b"FORCE", b"ABORT"))


def _shutdown(client: Client, args: Sequence[bytes]) -> Reply:
    """Stop the daemon. It happens at once, so there is never one to abort."""
    options = {word.upper() for word in args}
    if not options <= _OPTIONS or {b"SAVE", b"NOSAVE"} <= options:
        raise syntax_error()
    if b"ABORT" in options:
        if len(options) > 1:
            raise syntax_error()
        raise CommandError("ERR No shutdown in progress.")
    if b"NOSAVE" not in options:
        busy = client.server.scripts.busy_error()
        if busy is not None:
            raise busy
    if b"SAVE" in options and b"FORCE" not in options:
        _log.warning("SHUTDOWN SAVE refused: there are no snapshots, the arena outlives the daemon")
        raise CommandError("ERR Errors trying to SHUTDOWN. Check logs.")
    _log.warning("a client asked for SHUTDOWN: %s", client.describe())
    client.server.scripts.abandon()
    client.server.on_shutdown()
    return NOTHING


HANDLERS = {"shutdown": _shutdown}
