"""One cache behind every door: redis-py on the socket, a reader, a writer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import redis

import shmcache
from shmcache.arena.segments import attach_arena

if TYPE_CHECKING:
    from supervisor.daemons import DaemonProcess

__all__ = ["Doors"]


class Doors:
    """The same cache three times.

    :ivar each: the clients by the name of their door
    """

    def __init__(self, daemon: DaemonProcess) -> None:
        self.name = daemon.name
        self.each: dict[str, Any] = {
            "socket": redis.Redis(unix_socket_path=daemon.socket),
            "reader": shmcache.attach(daemon.name),
            "writer": shmcache.attach(daemon.name, writable=True),
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for client in self.each.values():
            client.close()

    def check_arena(self) -> None:
        """Let the validator look at everything."""
        arena = attach_arena(self.name, writable=True)
        assert arena.validate() == []
        arena.close()
