"""What was changed in the arena, told to whoever in the front-end needs to know.

Blocked clients, client-side caches and keyspace notifications listen. The source is the arena's
feed, so that the writes of in-process writers and of the maintenance process are told as well, and
native commands stay native. As long as nobody listens, nobody writes into the feed.

What this process commits is told after each command. For what others commit a thread sleeps in the
feed; it wakes the loop once for all that there is.
"""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from shmcache.arena import EVERY_DB

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Sequence

    from shmcache.arena import Arena, Feed

__all__ = ["EVERY_DB", "Change", "Changes"]

_log = logging.getLogger("shmcache.server")

_BATCH: Final = 1000
_WAIT_S: Final = 60.0
_WHOLE: Final = frozenset(("flushdb", "flushall", "swapdb"))


class Change(NamedTuple):
    """One committed change.

    Commands on whole databases are changes with the empty key and the command's name as the event:
    FLUSHDB of its database, FLUSHALL of `EVERY_DB`, SWAPDB one of each of its two databases.
    """

    db: int
    key: bytes
    event: str
    """Redis's name for what happened to the key; empty for what Redis does not name."""
    local: bool
    """Whether this process made it."""

    @property
    def is_whole(self) -> bool:
        """Whether it is of a whole database, or of all of them."""
        return not self.key and self.event in _WHOLE


class _Listener(NamedTuple):
    on_change: Callable[[Change], None]
    on_lost: Callable[[], None] | None
    on_drained: Callable[[], None] | None


class Changes:
    """The changes of the arena; those of one key are in the order in which they were committed.

    :param on_use: called with True when the first listener comes, with False when the last one goes
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        arena: Arena,
        on_use: Callable[[bool], None],
    ) -> None:
        self._loop = loop
        self._arena = arena
        self._on_use = on_use
        self._listeners: dict[Callable[[Change], None], _Listener] = {}
        self._feed: Feed | None = None
        self._watch: _Watch | None = None
        self._draining = False
        self._wants_new = False

    @property
    def wanted(self) -> bool:
        """Whether anybody listens."""
        return bool(self._listeners)

    def listen(
        self,
        listener: Callable[[Change], None],
        *,
        on_lost: Callable[[], None] | None = None,
        on_drained: Callable[[], None] | None = None,
    ) -> None:
        """Have a function called for each change from now on.

        What is committed after this returns will be told; of what was committed before, some may.

        :param listener: it must not run commands
        :param on_lost: called when changes were missed: any key may have changed
        :param on_drained: called after each batch of changes; it may run commands, whose changes
            make the next batch
        :raises ArenaBusy: a writer has stopped in the middle of a change
        """
        if not self._listeners:
            self._start()
        self._listeners[listener] = _Listener(listener, on_lost, on_drained)

    def ignore(self, listener: Callable[[Change], None]) -> None:
        """Call it no longer; unknown ones are no error."""
        if self._listeners.pop(listener, None) is not None and not self._listeners:
            self._stop()

    def want_new(self, on: bool) -> None:
        """Whether the event ``new``, a key that was not there before, is to be told, too.

        :raises ArenaBusy: a writer has stopped in the middle of a change
        """
        self._wants_new = on
        if self._feed is not None:
            self._feed.want(True, new=on)

    def _start(self) -> None:
        feed = self._arena.feed()
        feed.want(True, new=self._wants_new)
        self._feed = feed
        self._watch = _Watch(self._loop, feed, self._on_others)
        self._on_use(True)

    def _stop(self) -> None:
        watch, self._watch = self._watch, None
        feed, self._feed = self._feed, None
        assert watch is not None
        assert feed is not None
        watch.stop()
        with suppress(Exception):  # what is wanted too long costs time and nothing else
            feed.close()
        self._on_use(False)

    def _on_others(self) -> None:
        if self._watch is not None:
            self.drain()
            self._watch.go_on()

    def drain(self) -> None:
        """Tell the listeners what was committed since the last call."""
        if self._draining:
            return
        self._draining = True
        try:
            while self._feed is not None:
                found = self._feed.read(_BATCH)
                if not found and not self._feed.lost:
                    return
                self._tell(list(map(Change._make, found)), lost=self._feed.lost)
        finally:
            self._draining = False

    def _tell(self, found: list[Change], *, lost: bool) -> None:
        listeners = list(self._listeners.values())
        for listener in listeners:
            _call(_tell_one, listener, found, lost)
        # commands that are run now come behind all that is told of the changes
        for listener in listeners:
            if listener.on_drained is not None:
                _call(listener.on_drained)


def _tell_one(listener: _Listener, found: Sequence[Change], lost: bool) -> None:
    for change in found:
        listener.on_change(change)
    if lost and listener.on_lost is not None:
        listener.on_lost()


def _call(function: Callable[..., None], *arguments: object) -> None:
    """A listener's mistake is no other one's, and no client's."""
    try:
        function(*arguments)
    except Exception:
        _log.exception("after a change")


class _Watch:
    """A thread that waits until another process has committed something."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, feed: Feed, on_others: Callable[[], None]
    ) -> None:
        self._loop = loop
        self._feed = feed
        self._on_others = on_others
        self._stopping = False
        self._drained = threading.Event()
        self._thread = threading.Thread(target=self._run, name="shmcache-feed", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stopping:
            try:
                if not self._feed.wait(_WAIT_S) or self._stopping:
                    continue
                self._drained.clear()
                self._loop.call_soon_threadsafe(self._on_others)
            except (ValueError, RuntimeError):  # the arena, or the loop, is closed
                return
            self._drained.wait()

    def go_on(self) -> None:
        """What there was has been read."""
        self._drained.set()

    def stop(self) -> None:
        """End the thread, and wait for that."""
        self._stopping = True
        self._drained.set()
        self._feed.rouse()
        self._thread.join()
