"""The commands of a cluster: there is none, so they are refused as a stand-alone Redis does it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shmcache.commands import table_cluster
from shmcache.commands.replies import CommandError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shmcache.commands.replies import Reply
    from shmcache.server.client import Client

__all__ = ["HANDLERS"]


def _refuse(_client: Client, _args: Sequence[bytes]) -> Reply:
    raise CommandError("ERR This instance has cluster support disabled")


HANDLERS = {
    leaf.name: _refuse
    for command in table_cluster.COMMANDS
    for leaf in command.subcommands.values() or (command,)
}
