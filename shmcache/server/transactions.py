"""MULTI and EXEC: the commands that a client has queued, carried out as one step.

The commands on keys and databases run first, in one transaction of the arena with all their keys
(or everything, when they do not tell them all) and the watched ones locked: for whoever reads or
writes, here or in another process, they happen together, and a front-end killed in the middle
leaves all or nothing. The commands of the server run after it. They know nothing of keys, so the
order among each kind is all that can be noticed, and no message is published that might have to be
taken back.

The usual queueing and the plainest transactions never come here: _queue.pxi does them.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, cast

from shmcache.commands.arguments import integer_or_none
from shmcache.commands.atomic import LockedKeys, keys_to_lock
from shmcache.commands.replies import NULL_ARRAY, CommandError, Reply, error_for
from shmcache.commands.table_scripting import RUN_SCRIPTS
from shmcache.errors import OutOfMemory, ShmcacheError
from shmcache.server.replies import ENCODER, Encoded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shmcache.arena import Arena, Transaction
    from shmcache.commands.dispatch import Entry
    from shmcache.server.client import Client

__all__ = ["Queue", "abort_line", "carry_out", "is_unchanged", "waits"]

_RUN_AT_ONCE: Final = frozenset(("discard", "exec", "multi", "quit", "reset", "watch"))
_EARLY: Final = frozenset(
    (
        *("acl|deluser", "acl|load", "acl|setuser", "auth", "hello"),
        *("client|caching", "client|tracking"),
    )
)
"""Commands of the server on which it depends what others answer, or what is remembered of them."""
_ATTEMPTS: Final = 4
_ROOM_US: Final = 20_000
"""How long room is made for a transaction that did not find enough."""


class Queue:
    """What a client has sent since MULTI.

    :ivar failed: something that could not be queued; EXEC refuses the rest then
    """

    __slots__ = ("commands", "failed")

    def __init__(self) -> None:
        self.commands: list[tuple[Entry, list[bytes]]] = []
        self.failed = False


def waits(entry: Entry) -> bool:
    """Whether a command waits for EXEC, instead of being run at once."""
    return entry.command.name not in _RUN_AT_ONCE


def abort_line(reason: CommandError) -> CommandError:
    """What EXEC answers when it is itself refused."""
    line = str(reason).removeprefix("ERR ")
    return CommandError(f"EXECABORT Transaction discarded because of: {line}")


class _ChangedError(Exception):
    """A watched key is not what it was."""


class _NeedsAllError(Exception):
    """A script uses keys that it did not declare; all is to be run again with every key locked."""


class _HalfDoneError(Exception):
    """A command ended half-way; what it did has to be taken back with all the rest."""


def carry_out(client: Client, queue: Queue, watched: dict[tuple[int, bytes], int]) -> Reply:
    """EXEC's answer.

    :raises CommandError: nothing was done
    :raises ShmcacheError: nothing was done
    """
    execution = _Execution(client, queue, watched)
    client.may_block = False
    try:
        execution.run_on_keys()
        execution.run_on_server()
    except _ChangedError:
        return NULL_ARRAY
    finally:
        client.may_block = True
    return execution.answer()


class _Execution:
    """One EXEC under way."""

    def __init__(
        self, client: Client, queue: Queue, watched: Mapping[tuple[int, bytes], int]
    ) -> None:
        self._client = client
        self._server = client.server
        self._commands = queue.commands
        self._watched = watched
        self._dbs = self._databases()
        count = len(self._commands)
        self._replies: list[Reply] = [None] * count
        self._protocols = [client.resp] * count
        self._nanoseconds = [0] * count
        self._settled: set[int] = set()
        """Those whose replies stand: they must not run again."""

    def _databases(self) -> list[int]:
        """The database that each command works on, as SELECTs before it will have it."""
        db = self._client.db
        found = []
        for entry, words in self._commands:
            if entry.command.name == "select" and self._server.access.allows(
                self._client, entry, words
            ):
                number = integer_or_none(words[1])
                if number is not None and 0 <= number < self._server.settings.databases:
                    db = number
            found.append(db)
        return found

    # ---- the commands on keys

    def run_on_keys(self) -> None:
        """:raises _ChangedError: a watched key is not what it was, and nothing was done"""
        client, db = self._client, self._client.db
        try:
            self._run_together()
        finally:
            client.db = db
            client.arena = self._server.arena

    def _run_together(self) -> None:
        keys = self._keys()
        if keys is not None:
            keys += self._watched
            longest = self._server.arena.max_key_bytes
            keys = [key for key in keys if len(key[1]) <= longest]
            if not keys and not self._has_scripts():
                self._run_each(None)
                return
            keys = keys or None
        for attempt in range(_ATTEMPTS + len(self._commands) + 1):
            try:
                with self._server.arena.transaction(keys) as transaction:
                    _check_unchanged(transaction, self._watched)
                    locked = LockedKeys(self._server.arena, transaction, keys)
                    self._run_each(locked)
                for effect in locked.effects:
                    effect()
                return
            except _NeedsAllError:
                keys = None
            except _HalfDoneError:
                continue
            except OutOfMemory as error:
                if attempt >= _ATTEMPTS:
                    raise abort_line(error_for(error)) from error
                started = time.monotonic_ns()
                self._server.arena.reserve_cycle(_ROOM_US)
                spent_ms = (time.monotonic_ns() - started) // 1_000_000
                self._server.latency.note("eviction-cycle", spent_ms)

    def _has_scripts(self) -> bool:
        return any(entry.command.name in RUN_SCRIPTS for entry, _words in self._commands)

    def _keys(self) -> list[tuple[int, bytes]] | None:
        return keys_to_lock(
            (db, entry.command, words)
            for db, (entry, words) in zip(self._dbs, self._commands, strict=True)
        )

    def _run_each(self, locked: LockedKeys | None) -> None:
        """:raises OutOfMemory: one of them did not find the memory that it needs
        :raises _NeedsAllError: one of them needs other keys than those that are locked
        :raises _HalfDoneError: one of them did half of its work; its error is settled
        """
        client = self._client
        client.arena = self._server.arena if locked is None else cast("Arena", locked)
        for index, (entry, _words) in enumerate(self._commands):
            command = entry.command
            is_own = command.function is not None or command.name in RUN_SCRIPTS
            if index not in self._settled and (is_own or command.name in _EARLY):
                self._run(index)
                if not is_own:
                    self._settled.add(index)
                if locked is not None and locked.needs_all:
                    raise _NeedsAllError
                if locked is not None and locked.out_of_memory:
                    raise OutOfMemory
                if locked is not None and locked.failure is not None:
                    self._settled.add(index)
                    raise _HalfDoneError
            self._protocols[index] = client.resp

    def _run(self, index: int) -> None:
        client = self._client
        entry, words = self._commands[index]
        client.db = self._dbs[index]
        refusal = self._server.access.exec_error(client, entry, words)
        if refusal is not None:
            self._replies[index] = refusal
            self._settled.add(index)
            return
        started = time.perf_counter_ns()
        self._replies[index] = self._server.run(client, entry, words)
        self._nanoseconds[index] = time.perf_counter_ns() - started

    # ---- the commands of the server

    def run_on_server(self) -> None:
        """Run the rest, in their order; SELECT among them."""
        for index, (entry, _words) in enumerate(self._commands):
            is_own = entry.command.function is not None or entry.command.name in RUN_SCRIPTS
            if not is_own and index not in self._settled:
                self._run(index)

    # ---- the answer

    def answer(self) -> Reply:
        """The replies of all commands, each in the protocol that was spoken by then."""
        server = self._server
        for (entry, words), reply, spent, db in zip(
            self._commands, self._replies, self._nanoseconds, self._dbs, strict=True
        ):
            stats = server.statistics.commands[entry.command.name]
            server.frontend.count(self._client, words, spent, stats)
            server.monitors.show(self._client, entry, words, db=db)
            if isinstance(reply, CommandError):
                stats.failed += 1
                server.statistics.count_error(str(reply))
        if len(set(self._protocols)) <= 1:
            return self._replies
        encoded = map(ENCODER.encode, self._replies, self._protocols)
        return Encoded(b"*%d\r\n" % len(self._replies) + b"".join(encoded))


def _check_unchanged(transaction: Transaction, watched: Mapping[tuple[int, bytes], int]) -> None:
    """:raises _ChangedError: one has changed"""
    for (db, key), fingerprint in watched.items():
        if transaction.fingerprint(db, key) != fingerprint:
            raise _ChangedError


def is_unchanged(arena: Arena, watched: Mapping[tuple[int, bytes], int]) -> bool:
    """Whether the watched keys are what they were; True if that cannot be told now."""
    try:
        return all(arena.fingerprint(db, key) == seen for (db, key), seen in watched.items())
    except ShmcacheError:
        return True
