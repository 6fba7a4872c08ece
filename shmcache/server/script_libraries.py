"""Where function libraries are kept: in the arena, in a database that no client can select.

So they live as long as the data do: they outlast the front-end and the daemon, and FLUSHALL,
DBSIZE, SCAN and eviction do not see them. One entry holds them all, as FUNCTION DUMP gives them,
and is replaced as a whole: whoever is killed leaves the old libraries or the new ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from shmcache.arena import HIDDEN_DB

if TYPE_CHECKING:
    from shmcache.arena import Arena

__all__ = ["LibraryStore"]

_KEY: Final = b"functions"


class LibraryStore:
    """The libraries' dump in an arena.

    :param arena: attached as a writer
    """

    def __init__(self, arena: Arena) -> None:
        self._arena = arena

    def read(self) -> bytes | None:
        """What was kept last; None: nothing."""
        return self._arena.get(HIDDEN_DB, _KEY)

    def write(self, dump: bytes | None) -> None:
        """Keep a dump; None: nothing any more.

        :raises OutOfMemory: there is no room, and what was kept still is
        """
        if dump is None:
            self._arena.delete(HIDDEN_DB, _KEY)
        else:
            self._arena.set(HIDDEN_DB, _KEY, dump)
