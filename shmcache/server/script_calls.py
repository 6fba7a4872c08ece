"""Which commands a script may call, and how: what is to be known of a command is found once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from shmcache.commands.atomic import has_hidden_keys, is_on_whole
from shmcache.commands.keys import keys_of
from shmcache.commands.replies import CommandError

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Sequence

    from shmcache.commands.dispatch import Entry
    from shmcache.server._frontend import CommandStats
    from shmcache.server.client import Client
    from shmcache.server.server import Server

__all__ = ["Known", "KnownCommands"]

_UNKNOWN: Final = CommandError("ERR Unknown Redis command called from script")
_WRONG_ARITY: Final = CommandError("ERR Wrong number of args calling Redis command from script")
_NOT_ALLOWED: Final = CommandError("ERR This Redis command is not allowed from script")
_MOST_SPELLINGS: Final = 4096


class Known:
    """A command as scripts call it."""

    __slots__ = (
        "_one_key",
        "_server",
        "_whole",
        "entry",
        "may_be_called",
        "may_wait",
        "publishes",
        "stats",
        "writes",
    )

    def __init__(self, server: Server, entry: Entry) -> None:
        command = entry.command
        self.entry = entry
        self.stats: CommandStats = server.statistics.commands[command.name]
        self.may_be_called = "noscript" not in command.flags
        self.may_wait = command.name in {"xread", "xreadgroup"}
        self.publishes = command.name in {"publish", "spublish"}
        self.writes = "write" in command.flags or self.publishes
        self._server = server
        self._whole = has_hidden_keys(command) or is_on_whole(command)
        keys = command.keys
        self._one_key = (
            not self._whole
            and command.find_keys is None
            and len(keys) == 1
            and keys[0].is_range
            and (keys[0].first, keys[0].last) == (1, 0)
        )

    def is_within(
        self, db: int, words: Sequence[bytes], keys: Container[tuple[int, bytes]]
    ) -> bool:
        """Whether a call needs none but these keys."""
        if self._one_key:
            return (db, words[1]) in keys
        if self._whole:
            return False
        return all((db, use.key) in keys for use in keys_of(self.entry.command, words))

    def waits(self, words: Sequence[bytes]) -> bool:
        """Whether an XREAD says that it may wait."""
        for word in words[1:]:
            option = word.upper()
            if option == b"STREAMS":
                return False
            if option == b"BLOCK":
                return True
        return False

    def wait_line(self) -> CommandError:
        """What it gets then."""
        name = self.entry.command.name
        return CommandError(f"ERR {name} command is not allowed with BLOCK option from scripts")

    def publish_later(
        self, client: Client, words: Sequence[bytes], effects: list[Callable[[], object]]
    ) -> int:
        """Publish once the script's changes are committed.

        :return: how many will get the message, as things are now
        """
        server, entry = self._server, self.entry
        effects.append(lambda: server.run(client, entry, words))
        return server.pubsub.count_receivers(words[1], shard=entry.command.name == "spublish")


class KnownCommands:
    """Commands by their names as scripts spell them."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._known: dict[bytes, Known] = {}

    def find(self, words: Sequence[bytes]) -> Known | CommandError:
        """The command of a line, or why a script may not call it."""
        known = self._known.get(words[0])
        if known is None:
            try:
                entry = self._server.dispatcher.lookup(words)
            except CommandError:
                return _UNKNOWN
            known = Known(self._server, entry)
            if entry.name_words == 1 and entry.subcommands is None:
                if len(self._known) >= _MOST_SPELLINGS:
                    self._known.clear()
                self._known[words[0]] = known
        arity = known.entry.arity
        count = len(words)
        if count != arity if arity >= 0 else count < -arity:
            return _WRONG_ARITY
        return known if known.may_be_called else _NOT_ALLOWED
