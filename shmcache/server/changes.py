"""What was changed in the arena, told to whoever in the front-end needs to know.

Blocked clients, client-side caches and keyspace notifications listen. As long as nobody does,
nothing is noted and the inner loop keeps its native commands.

The source of the changes are, for now, the keys of the write commands that this front-end runs.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final, NamedTuple

from shmcache.commands.arguments import integer_or_none
from shmcache.commands.atomic import has_hidden_keys
from shmcache.commands.keys import keys_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shmcache.commands.spec import Command

__all__ = ["EVERY_DB", "Change", "Changes"]

_log = logging.getLogger("shmcache.server")

EVERY_DB: Final = -1
_WHOLE: Final = frozenset(("flushdb", "flushall", "swapdb"))


class Change(NamedTuple):
    """One committed change.

    Commands on whole databases are changes with the empty key and the command's name as the event:
    FLUSHDB of its database, FLUSHALL of `EVERY_DB`, SWAPDB one of each of its two databases.
    """

    db: int
    key: bytes
    event: str
    """Redis's name for what happened to the key; empty when that is not known."""
    local: bool
    """Whether this process made it."""

    @property
    def is_whole(self) -> bool:
        """Whether it is one of a whole database, or of all."""
        return not self.key and self.event in _WHOLE


class _Listener(NamedTuple):
    on_change: Callable[[Change], None]
    on_lost: Callable[[], None] | None
    on_drained: Callable[[], None] | None


class Changes:
    """The changes of the arena, in the order in which they were committed.

    :param on_use: called with True when the first listener comes, with False when the last one goes
    """

    def __init__(self, on_use: Callable[[bool], None]) -> None:
        self._on_use = on_use
        self._listeners: dict[Callable[[Change], None], _Listener] = {}
        self._noted: list[Change] = []
        self._lost = False
        self._draining = False

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

        :param listener: it must not run commands
        :param on_lost: called when changes were missed: any key may have changed
        :param on_drained: called after each batch of changes; it may run commands, whose changes
            make the next batch
        """
        first = not self._listeners
        self._listeners[listener] = _Listener(listener, on_lost, on_drained)
        if first:
            self._on_use(True)

    def ignore(self, listener: Callable[[Change], None]) -> None:
        """Call it no longer; unknown ones are no error."""
        if self._listeners.pop(listener, None) is not None and not self._listeners:
            self._noted.clear()
            self._lost = False
            self._on_use(False)

    def note(self, db: int, command: Command, words: Sequence[bytes]) -> None:
        """Take what a command line has changed, unless it failed, into the next batch."""
        if not self._listeners or "write" not in command.flags:
            return
        name = command.name
        if name in _WHOLE:
            self._noted += [Change(number, b"", name, True) for number in _whole(db, name, words)]
        elif has_hidden_keys(command):
            self._lost = True
        else:
            self._noted += [Change(db, use.key, "", True) for use in keys_of(command, words)]

    def drain(self) -> None:
        """Tell the listeners what was committed since the last call."""
        if self._draining:
            return
        self._draining = True
        try:
            while self._noted or self._lost:
                self._tell()
        finally:
            self._draining = False

    def _tell(self) -> None:
        noted, self._noted = self._noted, []
        lost, self._lost = self._lost, False
        for listener in list(self._listeners.values()):
            try:
                if lost and listener.on_lost is not None:
                    listener.on_lost()
                for change in noted:
                    listener.on_change(change)
                if listener.on_drained is not None:
                    listener.on_drained()
            except Exception:
                _log.exception("after a change")


def _whole(db: int, name: str, words: Sequence[bytes]) -> list[int]:
    """The databases that a command on whole ones has changed."""
    if name == "swapdb":
        numbers = map(integer_or_none, words[1:3])
        return [number for number in numbers if number is not None]
    return [EVERY_DB if name == "flushall" else db]
