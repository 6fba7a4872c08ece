"""CLIENT PAUSE: commands that wait until it is over.

Only what clients send is held back. Writers in other processes go on, and so does the reclaiming of
expired keys, which is none of the front-end's doing.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from shmcache.server.timers import timer_s

if TYPE_CHECKING:
    import asyncio

    from shmcache.commands.dispatch import Entry
    from shmcache.commands.spec import Command
    from shmcache.server.client import Client
    from shmcache.server.server import Server

__all__ = ["Pause"]

_MAY_REPLICATE: Final = frozenset(("publish", "spublish", "pfcount", "eval", "evalsha", "fcall"))
"""Commands without the flag "write" that Redis counts as writes, since replicas might get them."""


class Pause:
    """The pause of one front-end, and the clients whose commands wait for its end."""

    def __init__(self, server: Server, loop: asyncio.AbstractEventLoop) -> None:
        self._server = server
        self._loop = loop
        self.active = False
        self._everything = False
        self._end_s = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._postponed: dict[Client, list[bytes]] = {}

    def __len__(self) -> int:
        return len(self._postponed)

    def start(self, timeout_ms: int, *, everything: bool) -> None:
        """Pause, or pause for longer; one that is under way never becomes shorter or weaker."""
        end_s = time.monotonic() + timeout_ms / 1000
        if self.active:
            everything = everything or self._everything
            end_s = max(end_s, self._end_s)
        elif timeout_ms == 0:
            return
        self.active, self._everything, self._end_s = True, everything, end_s
        self._server.go_slow("pause", True)
        self._set_timer()

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(timer_s(self._end_s), self._on_timer)

    def _on_timer(self) -> None:
        if time.monotonic() < self._end_s:
            self._set_timer()
        else:
            self.end()

    def end(self) -> None:
        """Go on with everything that waits, in the order in which it came."""
        if not self.active:
            return
        self.active = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._server.go_slow("pause", False)
        postponed, self._postponed = self._postponed, {}
        for client, words in postponed.items():
            client.connection.unblock(words)
        self._server.blocking.release()

    def holds(self, client: Client, entry: Entry) -> bool:
        """Whether a command has to wait."""
        if not self.active:
            return False
        if self._everything or _writes(entry.command):
            return True
        queue = client.queue
        return (
            entry.command.name == "exec"
            and queue is not None
            and any(_writes(queued.command) for queued, _words in queue.commands)
        )

    def postpone(self, client: Client, words: list[bytes]) -> None:
        """Let a client wait with this command."""
        self._postponed[client] = words
        client.connection.blocked = True

    def forget(self, client: Client) -> None:
        """A client is gone."""
        self._postponed.pop(client, None)


def _writes(command: Command) -> bool:
    return "write" in command.flags or command.name in _MAY_REPLICATE
