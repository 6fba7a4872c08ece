"""Clients that wait: who for which keys, and who is served when one of them is ready.

A key is ready when it has changed. Its clients are then tried in the order in which they came, each
with the same command for that key alone, until one of them finds nothing. That happens after each
command, EXEC being one, and when another process has written. What a client was served may make
another key ready, which comes next.

Nothing is taken for a client that has hung up: its socket is asked before.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Final, TypeAlias

from shmcache.commands.consumer_groups import has_news
from shmcache.commands.replies import CommandError
from shmcache.commands.waiting import MustWait
from shmcache.errors import ShmcacheError
from shmcache.server.changes import EVERY_DB
from shmcache.server.timers import timer_s

if TYPE_CHECKING:
    import asyncio

    from shmcache.commands.dispatch import Entry
    from shmcache.commands.replies import Reply
    from shmcache.commands.waiting import Awaited
    from shmcache.server.changes import Change
    from shmcache.server.client import Client
    from shmcache.server.server import Server

__all__ = ["Blocking"]

_PATIENCE_TICKS: Final = 20
"""How long changes are listened to when nobody waits any more: workers come back for more."""

_Key: TypeAlias = tuple[int, bytes]
_Queues: TypeAlias = dict["Awaited", "OrderedDict[Client, _Waiting]"]


class _Waiting:
    """A client's command that waits."""

    __slots__ = ("awaited", "client", "entry", "keys", "must", "timer", "words")

    def __init__(self, client: Client, entry: Entry, words: list[bytes], must: MustWait) -> None:
        self.client = client
        self.entry = entry
        self.words = words
        self.must = must
        self.awaited = must.awaited
        self.keys: list[_Key] = [(client.db, key) for key in dict.fromkeys(must.keys)]
        self.timer: asyncio.TimerHandle | None = None

    def words_for(self, key: bytes) -> list[bytes]:
        """The command line for one of its keys."""
        return [*self.words[: self.entry.name_words], *self.must.args_for(key)]


class Blocking:
    """All waiting clients of one front-end."""

    def __init__(self, server: Server, loop: asyncio.AbstractEventLoop) -> None:
        self._server = server
        self._loop = loop
        self._clients: dict[Client, _Waiting] = {}
        self._queues: dict[_Key, _Queues] = {}
        self._ready: dict[_Key, None] = {}
        self._held: dict[_Key, None] = {}
        """Keys that were ready while what their clients wait to do was paused."""
        self._listening = False
        self._idle_ticks = 0

    def __len__(self) -> int:
        return len(self._clients)

    def count_timeouts(self) -> int:
        """How many of them do not wait for ever."""
        return sum(waiting.timer is not None for waiting in self._clients.values())

    # ---- to wait and to stop waiting

    def wait(
        self, client: Client, entry: Entry, words: list[bytes], must: MustWait
    ) -> Reply | None:
        """Let a client wait; what it gets at once, if that is possible after all."""
        if must.keys and not self._listening:
            self._server.changes.listen(
                self._note, on_lost=self._note_all, on_drained=self.serve_ready
            )
            self._listening = True
            try:  # what came since the first try was told to nobody
                return self._server.run(client, entry, words)
            except MustWait as again:
                must = again
        waiting = _Waiting(client, entry, words, must)
        self._clients[client] = waiting
        for key in waiting.keys:
            queues = self._queues.setdefault(key, {})
            queues.setdefault(waiting.awaited, OrderedDict())[client] = waiting
        client.connection.blocked = True
        if must.timeout_ms:
            self._set_timer(waiting, time.monotonic() + must.timeout_ms / 1000)
        return None

    def _set_timer(self, waiting: _Waiting, end_s: float) -> None:
        waiting.timer = self._loop.call_later(timer_s(end_s), self._on_timer, waiting, end_s)

    def _on_timer(self, waiting: _Waiting, end_s: float) -> None:
        if time.monotonic() < end_s:
            self._set_timer(waiting, end_s)
        else:
            self._finish(waiting, waiting.must.otherwise, 0, failed=False)

    def give_up(self, client: Client, error: CommandError | None = None) -> bool:
        """End a client's waiting, with an error or as if its time were over; it counts as failed.

        :return: False if it does not wait
        """
        waiting = self._clients.get(client)
        if waiting is None:
            return False
        self._finish(waiting, error or waiting.must.otherwise, 0, failed=True)
        return True

    def forget(self, client: Client) -> None:
        """A client is gone."""
        waiting = self._clients.get(client)
        if waiting is not None:
            self._remove(waiting)

    def _remove(self, waiting: _Waiting) -> None:
        del self._clients[waiting.client]
        if waiting.timer is not None:
            waiting.timer.cancel()
        for key in waiting.keys:
            queues = self._queues[key]
            del queues[waiting.awaited][waiting.client]
            if not queues[waiting.awaited]:
                del queues[waiting.awaited]
            if not queues:
                del self._queues[key]

    def _finish(self, waiting: _Waiting, reply: Reply, spent_ns: int, *, failed: bool) -> None:
        self._remove(waiting)
        self._server.finish(
            waiting.client, waiting.entry, waiting.words, reply, spent_ns, failed=failed
        )

    def tick(self) -> None:
        """What has to be looked at now and then."""
        if self._ready:
            self._serve_between_commands()
        self._idle_ticks = 0 if self._clients else self._idle_ticks + 1
        if self._listening and self._idle_ticks > _PATIENCE_TICKS:
            self._listening = False
            self._server.changes.ignore(self._note)

    # ---- what is ready

    def _note(self, change: Change) -> None:
        if not change.key and change.is_whole:
            self._note_all(change.db)
        elif (change.db, change.key) in self._queues:
            self._ready[change.db, change.key] = None

    def _note_all(self, db: int = EVERY_DB) -> None:
        for key in self._queues:
            if db in {EVERY_DB, key[0]}:
                self._ready[key] = None

    def release(self) -> None:
        """Serve what was held back while the server was paused."""
        self._ready |= self._held
        self._held.clear()
        self._serve_between_commands()

    def _serve_between_commands(self) -> None:
        self.serve_ready()
        self._server.changes.drain()  # what that has made ready

    def serve_ready(self) -> None:
        """Serve the clients of the keys that have changed."""
        ready, self._ready = self._ready, {}
        for key in ready:
            queues = self._queues.get(key)
            for awaited in tuple(queues or ()):
                try:
                    self._serve(key, awaited)
                except ShmcacheError:  # it could not be read now
                    self._ready[key] = None

    def _serve(self, key: _Key, awaited: Awaited) -> None:
        queue = self._queues[key][awaited]
        if awaited in {"stream", "group"}:  # an entry is for all of them
            for waiting in list(queue.values()):
                if waiting.client in queue:
                    self._try(waiting, key)
        else:
            while queue and self._try(next(iter(queue.values())), key):
                pass

    def _try(self, waiting: _Waiting, key: _Key) -> bool:
        """Serve a client if there is something for it; False: it goes on waiting."""
        client, server = waiting.client, self._server
        if not self._is_ready(waiting, key):
            return False
        if server.pause.holds(client, waiting.entry):
            self._held[key] = None
            return False
        if client.connection.is_gone():
            client.connection.close()
            return True
        started_ns = time.perf_counter_ns()
        entry, words = waiting.entry, waiting.words_for(key[1])
        server.acting = client
        try:
            # what it was allowed when it came may be forbidden by now
            reply = server.permission_error(client, entry, words) or server.run(
                client, entry, words
            )
        except MustWait:
            return False
        finally:
            server.acting = None
        spent_ns = time.perf_counter_ns() - started_ns
        self._finish(waiting, reply, spent_ns, failed=isinstance(reply, CommandError))
        return True

    def _is_ready(self, waiting: _Waiting, key: _Key) -> bool:
        """Whether a key is what a client waits for. One of another type is as good as none."""
        if waiting.awaited == "group":
            return has_news(waiting.client, key[1], waiting.must.args_for(key[1]))
        found = self._server.arena.describe(*key)
        return found is not None and found.type == waiting.awaited
