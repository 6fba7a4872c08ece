"""One client of the front-end: what CLIENT LIST shows of it, and its state between commands."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Final

from shmcache.commands.context import Context
from shmcache.commands.table import COMMANDS
from shmcache.server.acl.check import reads_everything
from shmcache.server.transactions import Queue, is_unchanged

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shmcache.server._frontend import Connection
    from shmcache.server.server import Server
    from shmcache.server.tracking import ClientTracking

__all__ = ["NORMAL", "PUBSUB", "Client"]

NORMAL: Final = 0
PUBSUB: Final = 2
"""Classes of client-output-buffer-limit, in the option's order."""


class Client(Context):
    """A connected client; commands get it as their context.

    :param number: what CLIENT ID answers
    :param address: where it connects from: ``ip:port``, or ``path:0`` of a Unix socket
    :param local_address: where it connects to
    :param unix: it came over a Unix socket
    :param loopback: it is on this host
    """

    __slots__ = (
        "address",
        "authenticated",
        "channels",
        "connected_at",
        "connection",
        "dies_after_reply",
        "library_name",
        "library_version",
        "local_address",
        "loopback",
        "name",
        "no_evict",
        "no_touch",
        "number",
        "on_closed",
        "patterns",
        "queue",
        "replies_off",
        "server",
        "shard_channels",
        "silent_commands",
        "tracking",
        "unix",
        "user",
        "watched",
    )

    connection: Connection

    def __init__(
        self,
        server: Server,
        number: int,
        address: str,
        local_address: str,
        *,
        unix: bool,
        loopback: bool,
    ) -> None:
        super().__init__(server.arena, max_bulk_bytes=server.config.integer("proto-max-bulk-len"))
        self.server = server
        self.number = number
        self.address = address
        self.local_address = local_address
        self.unix = unix
        self.loopback = loopback
        self.connected_at = time.monotonic()
        self.on_closed: Callable[[], None] | None = None
        """Called when its connection is closed, for whoever stands between it and its peer."""
        self.channels: dict[bytes, None] = {}
        self.patterns: dict[bytes, None] = {}
        self.tracking: ClientTracking | None = None
        self.shard_channels: dict[bytes, None] = {}
        self.may_block = True
        self.forget()

    def forget(self) -> None:
        """Become as new, except for subscriptions and what belongs to the connection (RESET)."""
        self.name = b""
        self.library_name = b""
        self.library_version = b""
        access = self.server.access
        self.user = access.default
        self.authenticated = not access.needs_login
        self.no_evict = False
        self.no_touch = False
        self.replies_off = False
        self.silent_commands = 0
        self.dies_after_reply = False
        self.db = 0
        self.resp = 2
        self.queue: Queue | None = None
        """What it has sent since MULTI; None outside of one."""
        self.watched: dict[tuple[int, bytes], int] = {}
        """The keys of WATCH, with their databases and fingerprints."""

    def begin_transaction(self) -> None:
        """Let its commands wait from now on."""
        queue, connection = Queue(), self.connection
        self.queue = queue
        connection.guard = None
        if connection.native:
            connection.native = False
            connection.held = queue.commands

    def end_transaction(self) -> None:
        """Forget what MULTI and WATCH began."""
        connection = self.connection
        self.watched = {}
        if self.queue is not None:
            self.queue = None
            connection.native = connection.held is not None
            connection.held = None
            connection.held_bytes = 0
            if not self.user.unrestricted:
                self.apply()

    @property
    def subscriptions(self) -> int:
        """How many channels, patterns and shard channels it listens to."""
        return len(self.channels) + len(self.patterns) + len(self.shard_channels)

    @property
    def age_s(self) -> int:
        """Seconds since it came."""
        return int(time.monotonic() - self.connected_at)

    @property
    def silent(self) -> bool:
        """Whether the present command gets no reply."""
        return self.replies_off or self.silent_commands == 1

    def needs_auth(self) -> bool:
        """Whether it must log in before anything else."""
        return self.server.access.needs_login and not self.authenticated

    def reads_any_key(self, name: str, args: Sequence[bytes]) -> bool:
        """Whether its user may let a command read keys that the line does not name."""
        user = self.user
        return user.unrestricted or reads_everything(user, COMMANDS[name], [b"", *args])

    def apply(self) -> None:
        """Tell the connection about a changed state: what it may do without asking."""
        connection = self.connection
        needs_auth = self.needs_auth()
        connection.db = self.db
        connection.resp = self.resp
        connection.trusted = not needs_auth
        connection.limit_class = PUBSUB if self.subscriptions else NORMAL
        plain = not (
            needs_auth
            or self.replies_off
            or self.silent_commands
            or self.no_touch
            or (self.subscriptions and self.resp == 2)
            # what it reads is remembered
            or (self.tracking is not None and not self.tracking.broadcasts)
        )
        queue, trusted = self.queue, plain and self.user.unrestricted
        connection.native = trusted and queue is None
        connection.held = queue.commands if trusted and queue is not None else None
        connection.guard = self.user.guard if plain and queue is None and not trusted else None
        if queue is None:
            connection.held_bytes = 0

    def type_name(self) -> str:
        """Redis's client type, as CLIENT LIST TYPE takes it."""
        return "pubsub" if self.subscriptions else "normal"

    def flags(self) -> str:
        """Redis's letters for what is special about it."""
        connection, tracking = self.connection, self.tracking
        letters = "".join(
            letter
            for letter, holds in (
                ("O", self in self.server.monitors),
                ("P", self.subscriptions),
                ("x", self.queue is not None),
                ("b", connection.blocked),
                ("t", tracking is not None),
                ("R", tracking is not None and tracking.broken),
                ("B", tracking is not None and tracking.broadcasts),
                ("d", self.watched and not is_unchanged(self.server.arena, self.watched)),
                ("c", connection.closing and not connection.closed),
                ("A", connection.closed),
                ("U", self.unix),
                ("e", self.no_evict),
                ("T", self.no_touch),
            )
            if holds
        )
        return letters or "N"

    def memory_bytes(self) -> int:
        """Memory that it costs: objects and buffers."""
        connection = self.connection
        objects = sys.getsizeof(self) + sys.getsizeof(connection) + sys.getsizeof(connection.parser)
        tables = sys.getsizeof(self.channels) + sys.getsizeof(self.patterns)
        return objects + tables + connection.query_capacity + connection.waiting_capacity

    def describe(self) -> str:
        """Its line in CLIENT LIST."""
        connection = self.connection
        last = connection.last_command
        fields: tuple[tuple[str, object], ...] = (
            ("id", self.number),
            ("addr", self.address),
            ("laddr", self.local_address),
            ("fd", connection.descriptor),
            ("name", _text(self.name)),
            ("age", self.age_s),
            ("idle", connection.idle_ms // 1000),
            ("flags", self.flags()),
            ("db", self.db),
            ("sub", len(self.channels)),
            ("psub", len(self.patterns)),
            ("ssub", len(self.shard_channels)),
            ("multi", -1 if self.queue is None else len(self.queue.commands)),
            ("watch", len(self.watched)),
            ("qbuf", connection.query_bytes),
            ("qbuf-free", connection.query_capacity - connection.query_bytes),
            ("argv-mem", 0),
            ("multi-mem", connection.held_bytes),
            ("rbs", connection.waiting_capacity),
            ("rbp", connection.waiting_peak),
            ("obl", connection.waiting_bytes),
            ("oll", 0),
            ("omem", connection.waiting_capacity),
            ("tot-mem", self.memory_bytes()),
            ("events", connection.events),
            ("cmd", last.name if last is not None else "NULL"),
            ("user", self.user.text),
            ("redir", -1 if self.tracking is None else self.tracking.redirect),
            ("resp", self.resp),
            ("lib-name", _text(self.library_name)),
            ("lib-ver", _text(self.library_version)),
        )
        return " ".join(f"{name}={value}" for name, value in fields)


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")
