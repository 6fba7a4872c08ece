"""A cache's module commands, run in this process while its daemon has the module loaded.

The daemon says which modules it has loaded and how (:mod:`shmcache.arena.module_notes`). A worker
in which the same version is installed runs their commands itself; otherwise, and for the moment
that it takes to notice a change, they travel through the socket like any command that is not known
here.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Final

from shmcache.arena.module_notes import load_notes, notes_identity
from shmcache.commands.module_loading import load_module
from shmcache.commands.modules import ModuleError
from shmcache.commands.replies import CommandError
from shmcache.commands.table import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shmcache.arena.module_notes import ModuleNote, NotesIdentity
    from shmcache.commands.dispatch import Entry

__all__ = ["WorkerModules"]

_log = logging.getLogger("shmcache.modules")

_LOOK_EVERY_SECONDS: Final = 1.0


class WorkerModules:
    """What this process runs of a cache's module commands; shared as its attachment is."""

    def __init__(self, cache: str) -> None:
        self._cache = cache
        self._entries: dict[str, Entry] = {}
        self._identity: NotesIdentity | None = None
        self._next_look = 0.0

    def find(self, words: Sequence[bytes]) -> Entry | None:
        """The entry for a module's command line; None if it has to go through the socket.

        The first of a module's commands imports it. Two threads may do so at once, harmlessly.
        """
        now = time.monotonic()
        if now >= self._next_look:
            self._next_look = now + _LOOK_EVERY_SECONDS
            self._look()
        entry = self._entries.get(words[0].decode("utf-8", "surrogateescape").lower())
        if entry is None:
            return None
        try:
            entry = entry.of_line(words)
            entry.check_arity(len(words))
        except CommandError:
            return None  # the daemon's to say
        return entry

    def _look(self) -> None:
        identity = notes_identity(self._cache)
        if identity == self._identity:
            return
        entries: dict[str, Entry] = {}
        for note in load_notes(self._cache) if identity is not None else ():
            entries.update(_entries(note, {*COMMANDS, *entries}))
        self._entries, self._identity = entries, identity


def _entries(note: ModuleNote, taken: set[str]) -> dict[str, Entry]:
    arguments = [word.encode("utf-8", "surrogateescape") for word in note.arguments]
    try:
        loaded = load_module(note.name, arguments, note.options, taken=taken)
        if loaded.version != note.version:
            raise ModuleError(
                f"module '{note.name}': version {loaded.version} is installed here, and the daemon "
                f"has version {note.version}"
            )
    except ModuleError as error:
        _log.warning("its commands go through the socket: %s", error)
        return {}
    return loaded.entries
