"""From a list of words to a reply: the one place that both doors go through."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shmcache.commands.replies import (
    CommandError,
    Reply,
    as_c_string,
    error_for,
    one_line,
    wrong_arity,
)
from shmcache.commands.table import COMMANDS
from shmcache.errors import ShmcacheError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shmcache.commands.context import Context
    from shmcache.commands.spec import Command, CommandFunction

__all__ = ["Dispatcher", "Entry", "bind"]

_QUOTED_BYTES = 128
"""How much of what the client sent an error line repeats."""


class Entry:
    """A command ready to be called: everything dispatch needs at one attribute's distance."""

    __slots__ = ("arity", "command", "function", "name_words", "subcommands")

    def __init__(self, command: Command, function: CommandFunction | None, name_words: int) -> None:
        self.command = command
        self.function = function
        self.arity = command.arity
        self.name_words = name_words
        """1, or 2 for a subcommand: where the arguments begin."""
        self.subcommands: dict[bytes, Entry] | None = None

    def of_line(self, words: Sequence[bytes]) -> Entry:
        """Return the command's entry, or that of the subcommand that a line names.

        :raises CommandError: there is no such subcommand
        """
        if self.subcommands is None or len(words) < 2:
            return self
        entry = self.subcommands.get(words[1].upper())
        if entry is None:
            raise _unknown_subcommand(words)
        return entry

    def check_arity(self, words: int) -> None:
        """Refuse a line of so many words, names included, if the command takes more or fewer.

        :raises CommandError: Redis's words for that
        """
        arity = self.arity
        if words != arity if arity >= 0 else words < -arity:
            raise wrong_arity(self.command.name)


class Dispatcher:
    """The command table bound to functions.

    :param handlers: functions for the commands that only a server can carry out, by full name in
        lower case (``client|kill``). They must be exactly those; without them (in a worker) the
        dispatcher has the commands that need nothing but an arena.
    :raises ValueError: the handlers and the table differ
    """

    def __init__(self, handlers: Mapping[str, CommandFunction] | None = None) -> None:
        if handlers is not None:
            _require_same_names(handlers)
        self._entries: dict[bytes, Entry] = {}
        for command in COMMANDS.values():
            self.add(bind(command, handlers))

    def add(self, entry: Entry) -> None:
        """Know one more command from now on."""
        self._entries[entry.command.name.upper().encode()] = entry

    def remove(self, name: str) -> None:
        """Know a command no longer; what holds its entry may still call it."""
        del self._entries[name.upper().encode()]

    def rename(self, name: str, new_name: str) -> None:
        """Know a command by another name only; by none if that is empty (rename-command).

        :raises ValueError: there is no such command, or the new name is another one's
        """
        entry = self._entries.pop(name.upper().encode("utf-8", "surrogateescape"), None)
        if entry is None:
            raise ValueError(f"rename-command: there is no command '{name}'")
        new = new_name.upper().encode("utf-8", "surrogateescape")
        if new in self._entries:
            raise ValueError(f"rename-command: there is a command '{new_name}' already")
        if new:
            self._entries[new] = entry

    def lookup(self, words: Sequence[bytes]) -> Entry:
        """The entry for a command line, its number of arguments not yet checked.

        :raises CommandError: an unknown command or subcommand
        """
        entry = self._entries.get(words[0].upper())
        if entry is None:
            raise _unknown_command(words)
        return entry.of_line(words)

    def find(self, words: Sequence[bytes]) -> Entry:
        """The entry for a command line, its number of arguments checked.

        :raises CommandError: an unknown command or subcommand, or a wrong number of arguments
        """
        entry = self.lookup(words)
        entry.check_arity(len(words))
        return entry

    def runs(self, words: Sequence[bytes]) -> bool:
        """Whether :meth:`execute` can answer this line, if only with an error."""
        try:
            return self.find(words).function is not None
        except CommandError:
            return True

    def call(self, entry: Entry, context: Context, words: Sequence[bytes]) -> Reply:
        """What a found command answers; errors are replies, not exceptions."""
        assert entry.function is not None, f"{entry.command.name} needs a server"
        try:
            return entry.function(context, words[entry.name_words :])
        except CommandError as error:
            return error
        except ShmcacheError as error:
            return error_for(error)

    def execute(self, context: Context, words: Sequence[bytes]) -> Reply:
        """Find and call.

        :param words: the command's name and its arguments; at least one
        """
        try:
            entry = self.find(words)
        except CommandError as error:
            return error
        return self.call(entry, context, words)


def bind(
    command: Command, handlers: Mapping[str, CommandFunction] | None = None, name_words: int = 1
) -> Entry:
    """Make a command's entry, and those of its subcommands.

    :param handlers: see :class:`Dispatcher`
    :param name_words: how many words its name is
    """
    function = command.function or (handlers or {}).get(command.name)
    entry = Entry(command, function, name_words)
    if command.subcommands:
        entry.subcommands = {
            name.partition("|")[2].upper().encode(): bind(subcommand, handlers, 2)
            for name, subcommand in command.subcommands.items()
        }
    return entry


def _require_same_names(handlers: Mapping[str, CommandFunction]) -> None:
    wanted = set[str]()
    for command in COMMANDS.values():
        leaves = command.subcommands.values() if command.subcommands else (command,)
        wanted.update(leaf.name for leaf in leaves if leaf.function is None)
    missing, unknown = wanted - handlers.keys(), handlers.keys() - wanted
    if missing or unknown:
        raise ValueError(f"handlers missing: {sorted(missing)}; not wanted: {sorted(unknown)}")


def _unknown_command(words: Sequence[bytes]) -> CommandError:
    quoted = b""
    for word in words[1:]:
        if len(quoted) >= _QUOTED_BYTES:
            break
        quoted += b"'%b' " % as_c_string(word, _QUOTED_BYTES - len(quoted))
    name = as_c_string(words[0], _QUOTED_BYTES)
    return CommandError(
        f"ERR unknown command '{one_line(name)}', with args beginning with: {one_line(quoted)}"
    )


def _unknown_subcommand(words: Sequence[bytes]) -> CommandError:
    name = one_line(as_c_string(words[1], _QUOTED_BYTES))
    container = one_line(words[0].upper())
    return CommandError(f"ERR unknown subcommand '{name}'. Try {container} HELP.")
