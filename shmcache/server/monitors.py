"""MONITOR: the clients that are shown every command, and what they are shown."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Final

from shmcache.server.secrets import without_secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shmcache.commands.dispatch import Entry
    from shmcache.server.client import Client

__all__ = ["Monitors"]

_SPECIAL: Final = re.compile(rb"[^ !#-\[\]-~]")
_ESCAPES: Final = {
    b"\\": b"\\\\",
    b'"': b'\\"',
    b"\n": b"\\n",
    b"\r": b"\\r",
    b"\t": b"\\t",
    b"\a": b"\\a",
    b"\b": b"\\b",
}


class Monitors:
    """Everybody who sent MONITOR.

    :param on_use: called with whether there is anybody
    """

    def __init__(self, on_use: Callable[[bool], None]) -> None:
        self._on_use = on_use
        self._clients: dict[Client, None] = {}

    def __contains__(self, client: Client) -> bool:
        return client in self._clients

    def __len__(self) -> int:
        return len(self._clients)

    def add(self, client: Client) -> None:
        """Show it what is run from now on."""
        self._clients[client] = None
        self._on_use(True)

    def remove(self, client: Client) -> None:
        """Show it nothing any more; it need not have been shown anything."""
        if client in self._clients:
            del self._clients[client]
            self._on_use(bool(self._clients))

    def show(
        self,
        client: Client,
        entry: Entry,
        words: Sequence[bytes],
        *,
        db: int | None = None,
        by_script: bool = False,
    ) -> None:
        """Tell of a command that was run.

        :param db: the database that it was run in; None: the client's present one
        :param by_script: a script of the client's ran it
        """
        command = entry.command
        if not self._clients or "admin" in command.flags:
            return
        if by_script:
            source = "lua"
        elif client.unix:
            source = f"unix:{client.address.removesuffix(':0')}"
        else:
            source = client.address
        seconds, microseconds = divmod(time.time_ns() // 1000, 1_000_000)
        head = f"+{seconds}.{microseconds:06d} [{client.db if db is None else db} {source}] "
        shown = b" ".join(map(_quoted, without_secrets(command.name, words)))
        line = head.encode("utf-8", "surrogateescape") + shown + b"\r\n"
        for monitor in list(self._clients):
            monitor.connection.write(line)


def _quoted(word: bytes) -> bytes:
    return b'"%b"' % _SPECIAL.sub(_escaped, word)


def _escaped(found: re.Match[bytes]) -> bytes:
    byte = found[0]
    return _ESCAPES.get(byte) or b"\\x%02x" % byte[0]
