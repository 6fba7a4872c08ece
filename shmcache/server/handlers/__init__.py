"""The commands that only a server can carry out, by full name.

A handler is ``handler(client, args)`` like any command's function; its client is the context.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from shmcache.server.handlers import (
    acl,
    clients,
    cluster,
    config,
    connection,
    debug,
    info,
    latency,
    lolwut,
    memory,
    modules,
    monitor,
    pubsub,
    replication,
    scripts,
    shutdown,
    slowlog,
    tracking,
    transactions,
)

if TYPE_CHECKING:
    from shmcache.commands.spec import CommandFunction

__all__ = ["HANDLERS"]

HANDLERS: Final[dict[str, CommandFunction]] = {
    **acl.HANDLERS,
    **clients.HANDLERS,
    **cluster.HANDLERS,
    **config.HANDLERS,
    **connection.HANDLERS,
    **debug.HANDLERS,
    **info.HANDLERS,
    **latency.HANDLERS,
    **lolwut.HANDLERS,
    **memory.HANDLERS,
    **modules.HANDLERS,
    **monitor.HANDLERS,
    **pubsub.HANDLERS,
    **replication.HANDLERS,
    **scripts.HANDLERS,
    **shutdown.HANDLERS,
    **slowlog.HANDLERS,
    **tracking.HANDLERS,
    **transactions.HANDLERS,
}
