"""Any data command, run in this process by the functions that the daemon runs too."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from shmcache.client.replies import Answer
from shmcache.commands.context import Context
from shmcache.commands.dispatch import Dispatcher, bind
from shmcache.commands.keys import keys_of
from shmcache.commands.pubsub import IN_PROCESS
from shmcache.commands.replies import CommandError, Reply, error_for
from shmcache.commands.table import COMMANDS
from shmcache.errors import ArenaBusy, ReadOnly, ValueTooLong

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shmcache.arena import Arena
    from shmcache.client.attachment import Attachment
    from shmcache.client.codec import Codec
    from shmcache.commands.dispatch import Entry

__all__ = ["InlineCommands", "Prepared"]

_NEEDS_SOCKET: Final = frozenset(
    str(error_for(error)) for error in (ArenaBusy(), ReadOnly(), ValueTooLong())
)
"""Nothing was applied, and the daemon may well be able to."""
_ANYBODYS: Final = frozenset({"readonly", "pubsub"})
_SOMETIMES_READERS: Final = frozenset({"sort", "bitfield"})
_SOMETIMES_WAITING: Final = frozenset({"xread", "xreadgroup"})


class Prepared(NamedTuple):
    """A command that can run in this process."""

    entry: Entry
    words: list[bytes]


class InlineCommands:
    """Runs commands against an attachment's arena, for one database, codec and protocol version.

    :param protocol: of the replies: 2 or 3
    """

    def __init__(
        self, attachment: Attachment, *, db: int, codec: Codec, protocol: Literal[2, 3]
    ) -> None:
        self.attachment = attachment
        self.db = db
        self.codec = codec
        self._protocol: Literal[2, 3] = protocol
        self._context: Context | None = None

    def prepare(self, args: Sequence[Any]) -> Prepared | CommandError | None:
        """Look a command up. None: only the daemon can run it.

        :param args: as redis-py's ``execute_command`` takes them
        :return: an error when the command is one of this process's, wrongly used
        :raises redis.DataError: an argument that redis-py would not send either
        """
        arena = self.attachment.arena
        if arena is None:
            return None
        words = self.codec.words(args)
        entry = _simple_entry(words[0])
        if entry is None or not entry.command.accepts(len(words)):
            try:
                entry = _dispatcher().find(words)
            except CommandError as error:
                if entry is not None:
                    return error
                module_entry = self.attachment.modules.find(words)
                if module_entry is None:
                    return None
                entry = module_entry
        return Prepared(entry, words) if _is_inline(entry, words, arena) else None

    def run(self, prepared: Prepared, arena: Arena | None = None) -> Reply:
        """Carry a command out; its errors are replies.

        :param arena: what to run it on, when not on the attachment's arena itself
        """
        if arena is not None:
            context = Context(arena, self.db, self._protocol)
        else:
            context = self._own_context()
        return _dispatcher().call(prepared.entry, context, prepared.words)

    def _own_context(self) -> Context:
        arena, context = self.attachment.arena, self._context
        assert arena is not None
        if context is None or context.arena is not arena:
            context = self._context = Context(arena, self.db, self._protocol)
        return context

    def answer(self, args: Sequence[Any], kind: type[Answer] = Answer) -> Answer | None:
        """Run a command. None: it has to go through the socket.

        :raises redis.DataError: an argument that redis-py would not send either
        """
        prepared = self.prepare(args)
        if prepared is None:
            return None
        reply = prepared if isinstance(prepared, CommandError) else self.run(prepared)
        refused = isinstance(reply, CommandError) and str(reply) in _NEEDS_SOCKET
        return None if refused and self.attachment.socket_path else self.wrap(reply, kind)

    def wrap(self, reply: Reply, kind: type[Answer] = Answer) -> Answer:
        """Give a reply the shape that redis-py's ``parse_response`` reads."""
        return kind(reply, self.codec.decode, resp3=self._protocol == 3)


@functools.lru_cache(maxsize=1024)
def _simple_entry(name: bytes) -> Entry | None:
    """A command of this process's that has no subcommands; None for any other word."""
    command = COMMANDS.get(name.decode("ascii", "replace").lower())
    if command is None or command.function is None or command.subcommands:
        return None
    return _dispatcher().find([name] * abs(command.arity))


@functools.cache
def _dispatcher() -> Dispatcher:
    dispatcher = Dispatcher()
    for name in ("publish", "pubsub", "spublish"):
        dispatcher.add(bind(COMMANDS[name], IN_PROCESS))
    return dispatcher


def _is_inline(entry: Entry, words: Sequence[bytes], arena: Arena) -> bool:
    """Whether a command does nothing but read the arena, or write it where that is allowed."""
    flags = entry.command.flags
    if entry.function is None or ("blocking" in flags and _may_wait(entry, words)):
        return False
    return not _ANYBODYS.isdisjoint(flags) or (
        "write" in flags and (arena.writable or _only_reads(entry, words))
    )


def _may_wait(entry: Entry, words: Sequence[bytes]) -> bool:
    """Whether a call of a blocking command waits if it finds nothing, which only clients can."""
    return entry.command.name not in _SOMETIMES_WAITING or b"BLOCK" in map(bytes.upper, words)


def _only_reads(entry: Entry, words: Sequence[bytes]) -> bool:
    """Whether one call of a command that may write does not: SORT without STORE, say.

    redis-py's ``sort_ro`` sends SORT, and its ``bitfield().get()`` BITFIELD.
    """
    command = entry.command
    if command.name not in _SOMETIMES_READERS:
        return False
    return all("RO" in use.flags for use in keys_of(command, words))
