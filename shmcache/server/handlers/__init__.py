"""The commands that only a server can carry out, by full name.

A handler is ``handler(client, args)`` like any command's function; its client is the context.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from shmcache.server.handlers import (
    clients,
    config,
    connection,
    info,
    memory,
    modules,
    pubsub,
    shutdown,
    transactions,
)

if TYPE_CHECKING:
    from shmcache.commands.spec import CommandFunction

__all__ = ["HANDLERS"]

HANDLERS: Final[dict[str, CommandFunction]] = {
    **clients.HANDLERS,
    **config.HANDLERS,
    **connection.HANDLERS,
    **info.HANDLERS,
    **memory.HANDLERS,
    **modules.HANDLERS,
    **pubsub.HANDLERS,
    **shutdown.HANDLERS,
    **transactions.HANDLERS,
}
