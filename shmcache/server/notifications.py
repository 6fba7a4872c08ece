"""Keyspace notifications: changes told to those who have subscribed to keys, or to events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from shmcache.arena import EVENT_CLASSES
from shmcache.commands.keys import keys_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shmcache.commands.spec import Command
    from shmcache.server.changes import Change, Changes
    from shmcache.server.client import Client

__all__ = ["Notifications"]

_ALL: Final = "g$lshzxetd"
"""What the class ``A`` stands for."""
_KEY_MISS: Final = "m"
_NEW: Final = "n"
_READING_WRITES: Final = frozenset(("getdel", "getex", "getset", "pfcount", "pfmerge"))
"""Commands that look for what they also write, where a miss is told."""
_NEVER_MISS: Final = frozenset(("watch", "object", "memory", "debug"))
"""Commands with keys that they only read, where none is told."""


class Notifications:
    """``notify-keyspace-events``, put into effect.

    :param publish: what PUBLISH calls: a channel and a message
    """

    def __init__(self, changes: Changes, publish: Callable[[bytes, bytes], object]) -> None:
        self._changes = changes
        self._publish = publish
        self._classes = frozenset[str]()
        self._of_key = self._of_event = False
        self.tells_misses = False

    def configure(self, classes: str) -> None:
        """Tell of these classes of events from now on.

        :param classes: letters, as the option has them
        :raises ArenaBusy: see `Changes.listen`; then nothing has changed
        """
        wanted = frozenset(classes.replace("A", _ALL))
        of_key, of_event = "K" in wanted, "E" in wanted
        wanted -= {"K", "E"}
        somewhere = of_key or of_event
        if somewhere and wanted - {_KEY_MISS}:
            self._changes.listen(self._tell)
            self._changes.want_new(_NEW in wanted)
        else:
            self._changes.ignore(self._tell)
        self._classes, self._of_key, self._of_event = wanted, of_key, of_event
        self.tells_misses = somewhere and _KEY_MISS in wanted

    def missed_keys(self, client: Client, command: Command, words: Sequence[bytes]) -> list[bytes]:
        """The keys that a command is about to look for in vain; in-process reads tell nobody."""
        if command.name.partition("|")[0] in _NEVER_MISS:
            return []
        every = command.name in _READING_WRITES or (
            command.name == "set" and b"GET" in (word.upper() for word in words[3:])
        )
        return [
            use.key
            for use in keys_of(command, words)
            if every or "RO" in use.flags
            if client.arena.describe(client.db, use.key) is None
        ]

    def tell_missed(self, db: int, keys: Sequence[bytes]) -> None:
        """Tell that a command has looked for keys in vain."""
        for key in keys:
            self._send(db, key, b"keymiss")

    def _tell(self, change: Change) -> None:
        if EVENT_CLASSES.get(change.event) in self._classes:
            self._send(change.db, change.key, change.event.encode())

    def _send(self, db: int, key: bytes, event: bytes) -> None:
        if self._of_key:
            self._publish(b"__keyspace@%d__:%b" % (db, key), event)
        if self._of_event:
            self._publish(b"__keyevent@%d__:%b" % (db, event), key)
