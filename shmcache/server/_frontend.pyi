"""The front-end's inner loop: sockets to requests to replies, without Python where it is hot."""

from asyncio import AbstractEventLoop
from collections.abc import Callable
from typing import Any

from shmcache.arena import Arena
from shmcache.protocol import RequestLimits, RequestParser

NATIVE_NAMES: tuple[str, ...]
"""The commands that are run without asking the handler."""

class CommandStats:
    """How often a command was called, how long it took, how often it failed."""

    name: str
    calls: int
    rejected: int
    """Times it was refused before it ran."""
    failed: int
    """Times it ran and answered an error."""
    nanoseconds: int
    """Time spent in all calls, parsing included."""
    def __init__(self, name: str) -> None: ...
    def record(self, nanoseconds: int) -> None:
        """Count a call."""
    def reset(self) -> None:
        """Forget everything."""
    def percentile_us(self, percent: float) -> float:
        """Microseconds within which so many of the calls were done: a bucket's upper edge."""
    def cumulative(self) -> list[tuple[int, int]]:
        """How many calls took at most how long: (microseconds, count), doubling from 1 on."""

class Guard:
    """What a user with restricted rights may do without asking the handler.

    :param needed: by the names of native commands that he may run, the permissions (bits) that
        each key must have
    :param keys: ``(text, whole, least, permissions)``: keys that are, or begin with, a text, and
        are at least so long
    :param following: None, or what else may allow a line
    """

    def __init__(
        self,
        needed: dict[str, int],
        keys: list[tuple[bytes, bool, int, int]],
        following: Guard | None,
    ) -> None: ...

class Queueable:
    """A command that waits for EXEC when a client is in MULTI; or one of these two.

    :param entry: what becomes the first half of its pair in the queue
    :param arity: words, its name included; negative: at least so many
    """

    def __init__(self, entry: Any, arity: int, stats: CommandStats) -> None: ...

class Connection:
    """One client's socket with its parser and what waits to be sent.

    :param descriptor: a connected socket; the connection owns it from :meth:`Frontend.add` on
    """

    descriptor: int
    client: Any
    """What the handler keeps about it. For MULTI and EXEC it has ``begin_transaction()``,
    ``end_transaction()``, ``queue`` and ``watched``, see shmcache.server.client.
    """
    native: bool
    """Whether the hottest commands may be run without asking the handler."""
    blocked: bool
    """While it is True no further request is parsed or run; what comes is kept, up to the limit."""
    guard: Guard | None
    """Where it is not native: which of these commands may be run all the same."""
    held: list[Any] | None
    """Pairs of an entry and a command line, while the commands that are Queueable wait for EXEC."""
    held_bytes: int
    """Length of all words in the queue."""
    db: int
    resp: int
    limit_class: int
    """Which output limit applies: 0 normal, 1 replica, 2 pub/sub."""
    trusted: bool
    """False until a required AUTH: limits what the parser accepts."""
    last_command: CommandStats | None
    @property
    def closing(self) -> bool:
        """It is closed, or will be when what was written is sent."""
    @property
    def closed(self) -> bool: ...
    @property
    def parser(self) -> RequestParser: ...
    @property
    def received_bytes(self) -> int: ...
    @property
    def sent_bytes(self) -> int: ...
    @property
    def active_ns(self) -> int:
        """When it last sent or took something, by the monotonic clock."""
    @property
    def idle_ms(self) -> int: ...
    @property
    def query_bytes(self) -> int:
        """Received bytes of the request under way."""
    @property
    def query_capacity(self) -> int:
        """Memory held for an unfinished request."""
    @property
    def waiting_bytes(self) -> int:
        """Reply bytes that wait for the client to read."""
    @property
    def waiting_capacity(self) -> int:
        """Memory held for them."""
    @property
    def waiting_peak(self) -> int: ...
    @property
    def events(self) -> str:
        """What is waited for, as CLIENT LIST shows it."""
    def __init__(self, frontend: Frontend, descriptor: int) -> None: ...
    def write(self, data: bytes) -> int:
        """Send a reply or a message. Never blocks; ignored once the connection is closing."""
    def close(self, after_replies: bool = False) -> None:
        """Close now, or when what was written is sent."""
    def is_gone(self) -> bool:
        """Whether the client has hung up, even if what it sent before is still to be read, or it
        is to be closed. A reply would be lost.
        """
    def unblock(self, again: list[bytes] | None = None) -> None:
        """Go on with what was received while blocked, after the requests that others sent.

        :param again: a request to run before
        """

class Frontend:
    """All connections of one process.

    :param loop: an asyncio loop; only its thread may use this object
    :param arena: where the native commands work; None to have none
    :param handler: ``handler(client, words) -> CommandStats | None`` runs any other command and
        writes the reply; the returned statistics count the call
    :param error_line: ``error_line(client, stats, exception) -> bytes``: the reply to an exception
    :param on_closed: ``on_closed(client, reason)`` is called once a connection is closed; reason is
        None (by us), ``eof``, ``error``, ``output limit`` or ``query limit``
    :param stats: the CommandStats of each of NATIVE_NAMES
    """

    native_allowed: bool
    """False: the handler gets every command, also those that are hot."""
    after_command: Callable[[], object] | None
    """Called after every command, native ones too, before the same connection's next one."""
    slow_ns: int
    """From how many nanoseconds on `on_slow` is told of a command, native ones too; -1 = never."""
    on_slow: Callable[[Any, list[bytes], int, CommandStats], object] | None
    """``on_slow(client, words, nanoseconds, stats)``"""
    @property
    def current_client(self) -> Any:
        """Whose requests are being run; None between them."""
    connections: dict[int, Connection]
    """By descriptor."""
    queueable: dict[bytes, Queueable]
    """By their names as clients send them."""
    waiting: set[Connection]
    """Those whose replies wait for the client to read."""
    request_limits: RequestLimits
    query_limit_bytes: int
    """client-query-buffer-limit"""
    commands: int
    reads: int
    writes: int
    received_bytes: int
    sent_bytes: int
    largest_query: int
    largest_output: int
    def __init__(
        self,
        loop: AbstractEventLoop,
        arena: Arena | None,
        handler: Callable[[Any, list[bytes]], CommandStats | None],
        error_line: Callable[[Any, CommandStats | None, Exception], bytes],
        on_closed: Callable[[Any, str | None], None],
        stats: dict[str, CommandStats],
    ) -> None: ...
    def set_output_limit(
        self, limit_class: int, hard_bytes: int, soft_bytes: int, soft_seconds: int
    ) -> None:
        """client-output-buffer-limit of a class; 0 = no limit."""
    def add(self, connection: Connection) -> None:
        """Serve a connection.

        :raises OSError: its descriptor cannot be watched
        """
    def check_output_limit(self, connection: Connection) -> None:
        """Drop a connection whose client has not read for too long."""
    def wake(self) -> None:
        """Serve every connection that is ready; the loop calls this."""
    def count(self, client: Any, words: list[bytes], nanoseconds: int, stats: CommandStats) -> None:
        """Count a command that was not run by a request of its own, such as one that waited."""
    def flush(self) -> None:
        """Do what came up outside a wake-up: go on with the unblocked, send, drop who has to go."""
    def serve_others(self) -> None:
        """Serve all but the current client once, while that one's request goes on."""
    def stop(self) -> None:
        """Send what can be sent at once and close everything."""

def send_to_all(connections: dict[Connection, None], encoded: Callable[[int], bytes]) -> int:
    """Send a message to many connections.

    :param encoded: makes its bytes in RESP2 or RESP3, called once for each that is spoken
    :return: how many connections they are
    """
