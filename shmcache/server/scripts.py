"""Scripts and functions, run like a transaction of the arena.

A script's declared keys are locked, and all that it does appears at one instant, or not at all if
the front-end is killed in the middle. As in Redis, what a script has done before it fails stays
done. A script that touches a key which it did not declare is taken back and run again with
everything locked, and from then on so from its start. What leaves the arena, such as PUBLISH, waits
until the changes are committed.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from shmcache.arena import BEAT_FRONTEND
from shmcache.commands.atomic import LockedKeys
from shmcache.commands.replies import CommandError, Reply, error_for, one_line
from shmcache.errors import OutOfMemory, ShmcacheError
from shmcache.scripting.engine import Engine
from shmcache.scripting.libraries import Libraries
from shmcache.server.replies import Encoded
from shmcache.server.script_calls import KnownCommands
from shmcache.server.script_libraries import LibraryStore
from shmcache.server.version import REDIS_VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shmcache.arena import Arena
    from shmcache.scripting._lua import Outcome
    from shmcache.scripting.engine import Runnable
    from shmcache.server._frontend import CommandStats
    from shmcache.server.client import Client
    from shmcache.server.script_calls import Known
    from shmcache.server.server import Server

__all__ = ["Scripts"]

_log = logging.getLogger("shmcache.server")

_ATTEMPTS: Final = 3
"""How often memory is made for a script that did not find enough, before it is told so."""
_ROOM_US: Final = 20_000
_RESTARTED: Final = CommandError("ERR the script is run again with all keys locked")
_LOG_LEVELS: Final = (logging.DEBUG, logging.INFO, logging.INFO, logging.WARNING)
_WRITE_IN_READONLY: Final = CommandError(
    "ERR Write commands are not allowed from read-only scripts."
)
_READONLY_COMMAND: Final = CommandError(
    "ERR Can not execute a script with write flag using *_ro command."
)


_KILLED: Final = CommandError("ERR Script killed by user with SCRIPT KILL...")
_ABANDONED: Final = CommandError("ERR the server is shutting down")
_BEAT_NS: Final = 1_000_000_000
_TICK_NS: Final = 100_000_000
_UNKILLABLE: Final = CommandError(
    "UNKILLABLE Sorry the script already executed write commands against the dataset. You can "
    "either wait the script termination or kill the server in a hard way using the SHUTDOWN NOSAVE "
    "command."
)


class _AgainError(Exception):
    """What was done is to be taken back, and the script run once more."""


class _Call(NamedTuple):
    """One EVAL."""

    client: Client
    script: Runnable
    words: Sequence[bytes]
    keys: list[bytes]
    argv: list[bytes]
    readonly: bool


class Running:
    """The script that is being run."""

    __slots__ = ("call", "client", "ending", "locked", "readonly", "script", "started_ns", "wrote")

    def __init__(self, call: _Call, locked: LockedKeys) -> None:
        self.client = call.client
        self.script = call.script
        self.readonly = call.readonly
        self.locked = locked
        self.wrote = False
        self.ending: CommandError | None = None
        """Why the script has to end; it cannot catch that."""
        self.started_ns = time.monotonic_ns()
        self.call = call


class Scripts:
    """What runs scripts for all clients of a front-end, one at a time.

    :param server: whose commands they call
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self.engine = Engine(self, REDIS_VERSION)
        self.libraries = Libraries(self.engine, LibraryStore(server.arena))
        self.running: Running | None = None
        self._known = KnownCommands(server)
        self.busy = False
        """A script has run for so long that others are answered meanwhile."""
        self.acceptors: list[Callable[[], None]] = []
        """Called in the meantime to let in who waits at a listening socket."""
        self._next_beat_ns = self._next_tick_ns = 0

    # ---- running

    def run(
        self,
        client: Client,
        script: Runnable,
        words: Sequence[bytes],
        keys: Sequence[bytes],
        argv: Sequence[bytes],
    ) -> Reply:
        """What a script answers.

        :param words: the command line that runs it
        :raises CommandError: it was not run
        :raises ShmcacheError: nothing was done
        """
        flags = script.flags
        readonly = words[0].endswith(b"_RO")
        if readonly and flags is not None and "no-writes" not in flags:
            raise _READONLY_COMMAND
        readonly = readonly or (flags is not None and "no-writes" in flags)
        call = _Call(client, script, words, list(keys), list(argv), readonly)
        arena = cast("Arena | LockedKeys", client.arena)
        if isinstance(arena, LockedKeys):
            return _reply_of(script, self._run_locked(call, arena))
        outcome = self._run_alone(call)
        return _reply_of(script, outcome)

    def _run_alone(self, call: _Call) -> Outcome:
        """In a transaction of its own."""
        arena, db = self._server.arena, call.client.db
        longest = arena.max_key_bytes
        declared = [(db, key) for key in call.keys if len(key) <= longest]
        attempt = 0
        while True:
            # Without a declared key it is run once, with all keys, instead of most often twice.
            keys = None if call.script.whole or not declared else declared
            try:
                with arena.transaction(keys) as transaction:
                    locked = LockedKeys(arena, transaction, keys)
                    outcome = self._run_locked(call, locked)
                    if locked.needs_all or locked.failure is not None:
                        raise _AgainError
                    if locked.out_of_memory and attempt < _ATTEMPTS:
                        raise OutOfMemory
                break
            except _AgainError:
                if locked.failure is not None:
                    raise _told(locked.failure) from locked.failure
                call.script.whole = True
            except OutOfMemory:
                attempt += 1
                if attempt > _ATTEMPTS:
                    raise
                arena.reserve_cycle(_ROOM_US)
        for effect in locked.effects:
            effect()
        return outcome

    def _run_locked(self, call: _Call, locked: LockedKeys) -> Outcome:
        """With the keys locked; what it is told of the outside world is put back afterwards."""
        client = call.client
        before = client.arena, client.db, client.may_block, client.resp
        self.running = running = Running(call, locked)
        self._next_beat_ns = running.started_ns + _BEAT_NS
        client.arena = cast("Arena", locked)
        client.may_block = False
        client.resp = 2
        interpreter = self.engine.interpreter
        if client.user.unrestricted and not (
            call.readonly or client.no_touch or client.tracking or self._server.monitors
        ):
            interpreter.transaction = locked.step
            interpreter.locked = locked
            interpreter.keys = locked.keys
            interpreter.db = client.db
        try:
            return interpreter.run(
                call.script.function,
                call.keys,
                call.argv,
                before[-1],
                as_arguments=call.script.as_arguments,
            )
        finally:
            interpreter.transaction = interpreter.locked = None
            self.running = None
            if self.busy:
                self.busy = False
                self._server.go_slow("script", False)
            if running.ending is _ABANDONED:
                locked.failure = _ABANDONED
            client.arena, client.db, client.may_block, client.resp = before
            client.connection.db = client.db

    # ---- what the interpreter asks for

    def command(self, words: list[bytes]) -> Reply:
        """``redis.call``."""
        running = self.running
        assert running is not None
        if running.ending is not None:
            return running.ending
        known = self._known.find(words)
        if isinstance(known, CommandError):
            return known
        refusal = self._refusal(running, known, words)
        if refusal is not None:
            return refusal
        running.wrote = running.wrote or known.writes
        started = time.perf_counter_ns()
        if known.publishes:
            reply: Reply = known.publish_later(running.client, words, running.locked.effects)
        else:
            reply = self._server.run(running.client, known.entry, words)
            self.engine.interpreter.db = running.client.db
        known.stats.record(time.perf_counter_ns() - started)
        if self._server.monitors:
            self._show(running, known, words)
        if type(reply) is CommandError:
            known.stats.failed += 1
            self._server.statistics.count_error(str(reply))
        return reply

    def _show(self, running: Running, known: Known, words: list[bytes]) -> None:
        """Let monitors see a call, once it cannot be taken back any more."""
        client, db = running.client, running.client.db
        monitors, entry = self._server.monitors, known.entry
        running.locked.effects.append(
            lambda: monitors.show(client, entry, words, db=db, by_script=True)
        )

    def _refusal(self, running: Running, known: Known, words: list[bytes]) -> CommandError | None:
        """Why a script may not call a command; None when it may."""
        client, locked = running.client, running.locked
        if known.writes and running.readonly:
            return _WRITE_IN_READONLY
        if not client.user.unrestricted:
            refusal = self._server.permission_error(client, known.entry, words, "lua")
            if refusal is not None:
                return refusal
        if known.may_wait and known.waits(words):
            return known.wait_line()
        if locked.keys is not None and not known.is_within(client.db, words, locked.keys):
            locked.needs_all = True
            running.ending = _RESTARTED
            self.engine.interpreter.stopping = True
            return _RESTARTED
        return None

    def stats_of(self, name: str) -> CommandStats:
        """What counts the calls of a command."""
        return self._server.statistics.commands[name]

    def set_resp(self, resp: int) -> None:
        """``redis.setresp``."""
        assert self.running is not None
        self.running.client.resp = 3 if resp == 3 else 2

    def check_command(self, words: list[bytes]) -> bool | None:
        """``redis.acl_check_cmd``."""
        assert self.running is not None
        try:
            entry = self._server.dispatcher.find(words)
        except CommandError:
            return None
        return self._server.access.allows(self.running.client, entry, words)

    def log(self, level: int, text: bytes) -> None:
        """``redis.log``."""
        line = text.decode("utf-8", "backslashreplace")
        _log.log(_LOG_LEVELS[level], "%s", line)

    def tick(self) -> str | None:
        """Called after every so many instructions of a script."""
        running = self.running
        if running is None:  # a library is being loaded
            return None
        if running.ending is None:
            self._attend(running)
        return None if running.ending is None else str(running.ending)

    def _attend(self, running: Running) -> None:
        """Do what a loop would do that is not held up: beat, and after a while answer others."""
        server = self._server
        now_ns = time.monotonic_ns()
        if now_ns >= self._next_beat_ns:
            self._next_beat_ns = now_ns + _BEAT_NS
            server.arena.beat(BEAT_FRONTEND)
        threshold_ms = server.settings.busy_reply_ms
        if threshold_ms <= 0 or now_ns - running.started_ns < threshold_ms * 1_000_000:
            return
        if not self.busy:
            self.busy = True
            server.go_slow("script", True)
            _log.warning("a script has run for %d ms: %s", threshold_ms, running.script.label)
        if now_ns >= self._next_tick_ns:
            self._next_tick_ns = now_ns + _TICK_NS
            for accept in list(self.acceptors):
                accept()
        server.frontend.serve_others()

    def register_function(self, values: Sequence[object]) -> str | None:
        """``redis.register_function``."""
        return self.libraries.register(values)

    def kill(self, *, functions: bool) -> None:
        """SCRIPT KILL and FUNCTION KILL.

        :raises CommandError: nothing of the kind runs, or it has written
        """
        running = self.running
        if running is None or running.ending is not None:
            raise CommandError("NOTBUSY No scripts in execution right now.")
        if running.wrote or self.engine.interpreter.wrote:
            raise _UNKILLABLE
        if running.script.as_arguments is not functions:
            raise _busy_line(running)
        running.ending = _KILLED

    def abandon(self) -> None:
        """End what runs and take back what it did: the server goes down."""
        if self.running is not None:
            self.running.ending = _ABANDONED

    def busy_error(self) -> CommandError | None:
        """What others are told while a script takes too long; None while none does."""
        return _busy_line(self.running) if self.busy and self.running is not None else None

    @property
    def runs_function(self) -> bool:
        """Whether what runs is a function of a library."""
        return self.running is not None and self.running.script.as_arguments

    def running_facts(self) -> Reply:
        """FUNCTION STATS's account of what runs."""
        running = self.running
        if running is None:
            return None
        return {
            b"name": running.script.label.encode("utf-8", "surrogateescape"),
            b"command": list(running.call.words),
            b"duration_ms": (time.monotonic_ns() - running.started_ns) // 1_000_000,
        }


def _busy_line(running: Running) -> CommandError:
    kind = "FUNCTION" if running.script.as_arguments else "SCRIPT"
    return CommandError(
        f"BUSY Redis is busy running a script. You can only call {kind} KILL or SHUTDOWN NOSAVE."
    )


def _told(failure: BaseException) -> CommandError:
    """The error of a command that ended half-way."""
    if isinstance(failure, CommandError):
        return failure
    if isinstance(failure, ShmcacheError):
        return error_for(failure)
    return CommandError("ERR internal error, see the server's log")


def _reply_of(script: Runnable, outcome: Outcome) -> Reply:
    if outcome.error:
        text = outcome.error.decode("utf-8", "surrogateescape")
        if outcome.source:
            source = outcome.source.decode("utf-8", "surrogateescape")
            text = f"{text} script: {script.label}, on {source}:{outcome.line}."
        return CommandError(one_line(text))
    if outcome.is_error:
        return CommandError(outcome.reply[1:-2].decode("utf-8", "surrogateescape"))
    return Encoded(outcome.reply)
