"""Lua 5.1 with Redis's sandbox: runs scripts, and asks its host for whatever they want of a server.

No Python object is ever reachable from Lua: what crosses are strings, numbers, booleans, and tables
of them.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from shmcache.arena import Transaction
from shmcache.commands.atomic import LockedKeys
from shmcache.commands.replies import Reply

class CommandStats(Protocol):
    """Counts calls."""

    def record(self, nanoseconds: int) -> None: ...

class ScriptSyntaxError(Exception):
    """Text that is no Lua; ``args[0]`` is Lua's message."""

class Outcome(NamedTuple):
    """What became of a script."""

    reply: bytes
    """What it returned, encoded; empty when it ended with an error."""
    is_error: bool
    """Whether it returned, or ended with, an error."""
    error: bytes
    """The error that ended it, without a place; empty when it returned."""
    source: bytes
    """Where the error was raised, as Lua names the chunk; empty when that is not known."""
    line: int

class Host(Protocol):
    """What an interpreter asks its owner. An exception becomes an error in the script."""

    def command(self, words: list[bytes]) -> Reply:
        """``redis.call``: what a command answers; a `CommandError` is raised in the script."""
    def stats_of(self, name: str) -> CommandStats:
        """What counts the calls of a command."""
    def set_resp(self, resp: int) -> None:
        """Which protocol's replies :meth:`command` is to give from now on; 2 in the beginning."""
    def check_command(self, words: list[bytes]) -> bool | None:
        """``redis.acl_check_cmd``; None: there is no such command."""
    def log(self, level: int, text: bytes) -> None: ...
    def tick(self) -> str | None:
        """Called every now and then; the error that ends the script, if it has to end."""
    def register_function(self, values: Sequence[object]) -> str | None:
        """``redis.register_function``, its arguments as :meth:`Interpreter.run` describes them.

        :return: what is wrong with them
        """

class Interpreter:
    """One Lua state.

    :param host: it is kept alive
    :param version: ``REDIS_VERSION``
    :raises ImportError: the lupa package has no Lua 5.1 that its own C modules could use
    """

    stopping: bool
    """Set by the host: what runs has to end with the next command."""
    transaction: Transaction | None
    """Where the hottest commands are run without asking the host; None: it is asked for all."""
    locked: LockedKeys | None
    """The same, as commands' functions see it."""
    keys: frozenset[tuple[int, bytes]] | None
    """The only keys with which that is done; None: any."""
    db: int
    """The database that it is done in."""
    wrote: bool
    """Whether it was done with a command that writes, since the run began."""

    def __init__(self, host: Host, version: str, number: int) -> None: ...
    def compile(self, source: bytes, name: bytes) -> int:
        """A function that :meth:`run` can run.

        :raises ScriptSyntaxError: it is no Lua
        """
    def forget(self, function: int) -> None:
        """Free a function."""
    def run(
        self,
        function: int,
        keys: list[bytes],
        argv: list[bytes],
        resp: int,
        *,
        as_arguments: bool = False,
        loading: bool = False,
    ) -> Outcome:
        """Run a function and encode what it returns.

        :param resp: the protocol of the encoding
        :param as_arguments: it gets keys and argv as arguments, not as KEYS and ARGV
        :param loading: it is a library: there are no commands, but ``redis.register_function``.
            What that gets are bytes, numbers, booleans and None; a table as a dict of these, a
            function as a `Callback`
        """
    def used_bytes(self) -> int:
        """Memory of the Lua state."""
    def close(self) -> None: ...

class Callback(int):
    """A Lua function that a library has registered, as :meth:`Interpreter.run` takes it."""
