"""The front-end's heart: who is connected, and what becomes of a command.

Frontend (sockets, native commands) -> Server.execute -> Dispatcher -> a command's function
                                           |                             or a handler of here
                                           `-> the reply, encoded, to the client's connection
"""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Final, cast

from shmcache.commands.dispatch import Dispatcher
from shmcache.commands.replies import CommandError, Reply, error_for
from shmcache.commands.table import COMMANDS
from shmcache.commands.waiting import MustWait
from shmcache.errors import ConfigurationError, ProtocolError, ShmcacheError
from shmcache.protocol import write_error
from shmcache.server._frontend import Connection, Frontend, Queueable
from shmcache.server.acl.access import Access
from shmcache.server.blocking import Blocking
from shmcache.server.changes import Changes
from shmcache.server.client import Client
from shmcache.server.client_eviction import evict_clients
from shmcache.server.handlers import HANDLERS
from shmcache.server.latency import LatencyMonitor
from shmcache.server.modules import Modules
from shmcache.server.monitors import Monitors
from shmcache.server.notifications import Notifications
from shmcache.server.pause import Pause
from shmcache.server.pubsub import PubSub
from shmcache.server.replies import ENCODER, Pushes, WrongSubcommandError
from shmcache.server.scripts import Scripts
from shmcache.server.settings import Settings
from shmcache.server.slow import note_slow_command
from shmcache.server.slowlog import SlowLog
from shmcache.server.statistics import Statistics
from shmcache.server.tracking import Tracking
from shmcache.server.transactions import abort_line, waits

if TYPE_CHECKING:
    import asyncio
    import ssl
    from collections.abc import Callable, Sequence

    from shmcache.arena import Arena
    from shmcache.commands.dispatch import Entry
    from shmcache.commands.spec import Command
    from shmcache.config import Config
    from shmcache.server._frontend import CommandStats
    from shmcache.server.transactions import Queue

__all__ = ["Server"]

_log = logging.getLogger("shmcache.server")

_TICKS_A_SECOND: Final = 10
_MANY_CLIENTS: Final = 1000
"""To weigh so many takes milliseconds: it is done once a second only."""
_INTERNAL_ERROR: Final = "ERR internal error, see the server's log"
_NOAUTH: Final = "NOAUTH Authentication required."
_SUBSCRIBER_COMMANDS: Final = frozenset(
    (
        *("ping", "subscribe", "unsubscribe", "psubscribe", "punsubscribe", "ssubscribe"),
        *("sunsubscribe", "quit", "reset"),
    )
)
_PROTECTED: Final = {
    "debug": "enable-debug-command",
    "module|load": "enable-module-command",
    "module|loadex": "enable-module-command",
    "module|unload": "enable-module-command",
}
"""Commands that an option has to allow."""
_HTTP_WORDS: Final = frozenset((b"host:", b"post"))


class Server:
    """State and behaviour that all clients of one front-end share.

    :param loop: the asyncio loop, in whose thread everything happens
    :param arena: attached as a writer
    :param config: the options; CONFIG SET changes it
    :param on_shutdown: called once when a client's SHUTDOWN is to be obeyed
    :param on_config: called with the texts of options that CONFIG SET has changed
    :param on_users: called with changes of users, see :class:`~shmcache.server.acl.access.Access`
    """

    ticking = True
    """False: periodic work waits (DEBUG PAUSE-CRON)."""
    tcp_port = 0
    tls_context: ssl.SSLContext | None = None
    """What connections on tls-port are wrapped with; None: there is no such port."""
    acting: Client | None = None
    """Who is served while another client's command is run."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        arena: Arena,
        config: Config,
        *,
        on_shutdown: Callable[[], None],
        on_config: Callable[[dict[str, str]], None],
        on_users: Callable[[dict[str, tuple[str, ...] | None]], None],
    ) -> None:
        self.arena = arena
        self.config = config
        self.on_shutdown = on_shutdown
        self.run_id = os.urandom(20).hex()
        self.replication_id = os.urandom(20).hex()
        self.statistics = Statistics()
        self.dispatcher = Dispatcher(HANDLERS)
        self.clients: dict[int, Client] = {}
        self.access = Access(self.clients, on_users)
        self.slowlog = SlowLog()
        self.latency = LatencyMonitor()
        self.monitors = Monitors(lambda on: self.go_slow("monitor", on))
        self.changes = Changes(loop, arena, self._follow_changes)
        self.scripts = Scripts(self)
        self.blocking = Blocking(self, loop)
        self.pause = Pause(self, loop)
        self._slow_for: set[str] = set()
        self.peak_used_bytes = 0
        self._next_number = 1
        self._ticks = 0
        self.frontend = Frontend(
            loop, arena, self.execute, self._error_line, self._closed, self.statistics.commands
        )
        self.frontend.on_slow = note_slow_command
        self.pubsub = PubSub(arena, loop)
        self.notifications = Notifications(self.changes, self.pubsub.publish)
        self._fill_queueable()
        self._rename_commands()
        self.tracking = Tracking(loop, self.changes, self.clients, lambda: self.current)
        self.modules = Modules(self)
        self.settings = Settings(self, on_config)
        self._configure()

    def _configure(self) -> None:
        self.settings.apply_all()
        self.modules.load_configured()
        self.settings.apply_users()  # they may be allowed commands of modules

    def _fill_queueable(self) -> None:
        """The usual spellings of the commands of which nothing but the words must be right."""
        for command in COMMANDS.values():
            self.make_queueable(self.dispatcher.lookup([command.name.encode()]))

    def make_queueable(self, entry: Entry) -> None:
        """Let MULTI queue a command without asking here, if that can be."""
        command = entry.command
        if command.subcommands or "no_multi" in command.flags or command.name in _PROTECTED:
            return
        if not waits(entry) and command.name not in {"multi", "exec"}:
            return
        queueable = Queueable(entry, entry.arity, self.statistics.commands[command.name])
        for spelling in (command.name.encode(), command.name.upper().encode()):
            self.frontend.queueable[spelling] = queueable

    def _rename_commands(self) -> None:
        """rename-command; the inner loop, which knows the usual names, is not asked any more.

        :raises ConfigurationError: a name is wrong
        """
        for name, new_name in self.config.value("rename-command"):
            try:
                self.dispatcher.rename(name, new_name)
            except ValueError as error:
                raise ConfigurationError(str(error)) from error
            self.go_slow("rename-command", True)

    def make_unqueueable(self, name: str) -> None:
        """Have MULTI ask here again: the command is unloaded."""
        for spelling in (name.encode(), name.upper().encode()):
            self.frontend.queueable.pop(spelling, None)

    def _follow_changes(self, on: bool) -> None:
        self.frontend.after_command = self.changes.drain if on else None

    def go_slow(self, reason: str, on: bool) -> None:
        """Have every command go through :meth:`execute`, or no longer for this reason."""
        if on:
            self._slow_for.add(reason)
        else:
            self._slow_for.discard(reason)
        self.frontend.native_allowed = not self._slow_for

    @property
    def current(self) -> Client | None:
        """Whose command is being run; None between commands."""
        return self.acting or cast("Client | None", self.frontend.current_client)

    # clients

    def connect(
        self, descriptor: int, address: str, local_address: str, *, unix: bool, loopback: bool
    ) -> Client:
        """Serve an accepted socket, which belongs to the front-end from now on.

        :raises OSError: it cannot be watched
        """
        client = Client(
            self, self._next_number, address, local_address, unix=unix, loopback=loopback
        )
        connection = Connection(self.frontend, descriptor)
        connection.client = client
        client.connection = connection
        client.apply()
        self.frontend.add(connection)
        self._next_number += 1
        self.clients[client.number] = client
        self.statistics.connections += 1
        return client

    def _closed(self, client: Client, reason: str | None) -> None:
        del self.clients[client.number]
        self.pubsub.remove_client(client)
        self.monitors.remove(client)
        self.tracking.turn_off(client)
        self.blocking.forget(client)
        self.pause.forget(client)
        if client.on_closed is not None:
            client.on_closed()
        if reason == "output limit":
            self.statistics.dropped_for_output += 1
            _log.warning("client closed for not reading its replies: %s", client.describe())
        elif reason == "query limit":
            self._note_query_limit(client)

    def _note_query_limit(self, client: Client) -> None:
        self.statistics.dropped_for_query += 1
        _log.warning("client closed for exceeding the query buffer: %s", client.describe())

    # commands

    def execute(self, client: Client, words: list[bytes]) -> CommandStats | None:
        """Run a command and send its reply.

        :return: the statistics that count the call; None when it was not run
        """
        try:
            entry = self.dispatcher.lookup(words)
        except CommandError as error:
            if client.tracking is not None:
                self.tracking.begin_command(client, "")
            if words[0].lower() in _HTTP_WORDS:
                self._refuse_http(client)
            else:
                self._reject(client, None, error)
            return None
        if client.tracking is not None:
            self.tracking.begin_command(client, entry.command.name)
        stats = self.statistics.commands[entry.command.name]
        client.connection.last_command = stats
        refusal = self._refusal(client, entry, words)
        if refusal is not None:
            stats.rejected += 1
            self._reject(client, entry, refusal)
            return None
        if self.pause.active and self.pause.holds(client, entry):
            self.pause.postpone(client, words)
            return None
        if client.queue is not None and waits(entry):
            self._enqueue(client, client.queue, entry, words)
            return None
        return self._run_now(client, entry, words, stats)

    def _run_now(
        self, client: Client, entry: Entry, words: list[bytes], stats: CommandStats
    ) -> CommandStats | None:
        """Run a command and send its reply, or let the client wait for it."""
        shown_first = "skip_monitor" in entry.command.flags  # scripts, before what they call
        if self.monitors and shown_first:
            self.monitors.show(client, entry, words)
        try:
            reply = self.run(client, entry, words)
        except MustWait as must:
            reply = self.blocking.wait(client, entry, words, must)
        blocked = client.connection.blocked
        if not blocked:
            stats.failed += isinstance(reply, CommandError)
            self._reply(client, reply)
        if self.monitors and not shown_first:
            self.monitors.show(client, entry, words)
        return None if blocked else stats

    def finish(
        self,
        client: Client,
        entry: Entry,
        words: list[bytes],
        reply: Reply,
        spent_ns: int,
        *,
        failed: bool,
    ) -> None:
        """Answer a command that had to wait, count it, and go on with the client's next."""
        stats = self.statistics.commands[entry.command.name]
        stats.failed += failed
        self._reply(client, reply)
        self.frontend.count(client, words, spent_ns, stats)
        client.connection.unblock()

    def _reject(self, client: Client, entry: Entry | None, refusal: CommandError) -> None:
        """Answer a command that was not run; a transaction under way comes to nothing then."""
        if entry is not None and entry.command.name == "exec":
            client.end_transaction()
            refusal = abort_line(refusal)
        elif client.queue is not None:
            client.queue.failed = True
        self._reply(client, refusal)

    def _enqueue(self, client: Client, queue: Queue, entry: Entry, words: list[bytes]) -> None:
        """Keep a command for EXEC. What is kept counts as if it had not been taken in yet."""
        queue.commands.append((entry, words))
        connection = client.connection
        connection.held_bytes += sum(map(len, words))
        if connection.held_bytes > self.frontend.query_limit_bytes:
            connection.close()
            self._note_query_limit(client)
        else:
            self._reply(client, "QUEUED")

    def _refusal(self, client: Client, entry: Entry, words: Sequence[bytes]) -> CommandError | None:
        """Why a known command may not be run now; None when it may."""
        try:
            entry.check_arity(len(words))
        except CommandError as error:
            return error
        command = entry.command
        if self.scripts.busy and "allow_busy" not in command.flags:
            return self.scripts.busy_error()
        refusal = self._protection(client, command.name) or _out_of_place(client, command)
        if refusal is None and not client.user.unrestricted:
            refusal = self.permission_error(client, entry, words)
        if refusal is not None:
            return refusal
        if client.subscriptions and client.resp == 2 and command.name not in _SUBSCRIBER_COMMANDS:
            return CommandError(
                f"ERR Can't execute '{command.name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / "
                "PING / QUIT / RESET are allowed in this context"
            )
        return None

    def _protection(self, client: Client, name: str) -> CommandError | None:
        """Why the configuration does not let this client run a command; None when it does."""
        option = _PROTECTED.get(name)
        if option is None:
            return None
        allowed = self.config.text(option)
        if allowed == "yes" or (allowed == "local" and (client.unix or client.loopback)):
            return None
        container = name.partition("|")[0].upper()
        return CommandError(
            f'ERR {container} command not allowed. If the {option} option is set to "local", you '
            "can run it from a local connection, otherwise you need to set this option in the "
            "configuration file, and then restart the server."
        )

    def permission_error(
        self, client: Client, entry: Entry, words: Sequence[bytes], context: str = ""
    ) -> CommandError | None:
        """Why a client's user may not run a command line of a right number of words.

        A refusal is counted and logged. None: he may.

        :param context: where the line comes from: ``access.SCRIPT``; empty: the client sent it
        """
        return self.access.permission_error(client, entry, words, context)

    def run(self, client: Client, entry: Entry, words: Sequence[bytes]) -> Reply:
        """What a known command answers.

        :raises MustWait: nothing yet
        """
        notifications, missed = self.notifications, None
        if notifications.tells_misses:
            missed = notifications.missed_keys(client, entry.command, words)
        reply = self._call(client, entry, words)
        if client.tracking is not None:
            self.tracking.note(client, entry.command, words)
        if missed and not isinstance(reply, CommandError):
            notifications.tell_missed(client.db, missed)
        return reply.line(words) if isinstance(reply, WrongSubcommandError) else reply

    def _call(self, client: Client, entry: Entry, words: Sequence[bytes]) -> Reply:
        try:
            if not client.no_touch:
                return self.dispatcher.call(entry, client, words)
            self.arena.touching = False
            try:
                return self.dispatcher.call(entry, client, words)
            finally:
                self.arena.touching = True
        except MustWait:
            raise
        except Exception:
            _log.exception("command '%s' failed", entry.command.name)
            self.statistics.unexpected_errors += 1
            return CommandError(_INTERNAL_ERROR)

    def _reply(self, client: Client, reply: Reply) -> None:
        connection = client.connection
        if isinstance(reply, CommandError):
            self.statistics.count_error(str(reply))
        if not client.silent or isinstance(reply, Pushes):
            connection.write(ENCODER.encode(reply, client.resp))
        if client.silent_commands:
            client.silent_commands -= 1
            client.apply()
        if client.dies_after_reply:
            connection.close(after_replies=True)

    def _refuse_http(self, client: Client) -> None:
        """Close on a web browser that was made to talk to us: its body could hold commands."""
        _log.warning("client closed for speaking HTTP: %s", client.describe())
        client.connection.close()

    def _error_line(self, _client: Client, stats: CommandStats | None, error: Exception) -> bytes:
        """The reply to an exception in the inner loop, counted."""
        if isinstance(error, ProtocolError):
            line = str(error)
        elif isinstance(error, ShmcacheError):
            line = str(error_for(error))
        else:
            _log.error("a request failed", exc_info=error)
            self.statistics.unexpected_errors += 1
            line = _INTERNAL_ERROR
        if stats is not None:
            stats.failed += 1
        self.statistics.count_error(line)
        out: list[bytes] = []
        write_error(out, line)
        return b"".join(out)

    # time

    def tick(self) -> None:
        """What has to be looked at now and then; called ten times a second."""
        if not self.ticking:
            return
        self.statistics.sample(self.frontend)
        for connection in list(self.frontend.waiting):
            self.frontend.check_output_limit(connection)
        self.blocking.tick()
        self._ticks += 1
        if len(self.clients) < _MANY_CLIENTS or self._ticks % _TICKS_A_SECOND == 0:
            evict_clients(self)
        if self._ticks % _TICKS_A_SECOND == 0:
            self.note_used_memory(self.arena.statistics().used_bytes)
            self._close_idle_clients()

    def _close_idle_clients(self) -> None:
        timeout_ms = self.settings.timeout_s * 1000
        if timeout_ms == 0:
            return
        for client in list(self.clients.values()):
            connection = client.connection
            if client.subscriptions or client in self.monitors or connection.blocked:
                continue
            if connection.idle_ms > timeout_ms:
                connection.close()

    def note_used_memory(self, used_bytes: int) -> None:
        """Keep the peak."""
        self.peak_used_bytes = max(self.peak_used_bytes, used_bytes)

    def reset_statistics(self) -> None:
        """CONFIG RESETSTAT."""
        self.statistics.reset()
        self.access.reset_counts()
        self.arena.reset_statistics()
        frontend = self.frontend
        frontend.commands = frontend.reads = frontend.writes = 0
        frontend.received_bytes = frontend.sent_bytes = 0
        frontend.largest_query = frontend.largest_output = 0
        self.peak_used_bytes = self.arena.statistics().used_bytes

    def stop(self) -> None:
        """Close all clients."""
        self.frontend.stop()
        self.pubsub.stop()


def _out_of_place(client: Client, command: Command) -> CommandError | None:
    """Why a client may not run a command before, or after, something else; None when it may."""
    if client.needs_auth() and "no_auth" not in command.flags:
        return CommandError(_NOAUTH)
    if client.queue is not None and "no_multi" in command.flags:
        return CommandError("ERR Command not allowed inside a transaction")
    return None
