"""The front-end process: how the supervisor starts it and talks to it.

Command line::

    python -m shmcache.server --name NAME --control-fd FD --listen-fd FD [--listen-fd FD ...]
        [--tls-fd FD ...]

``--name``
    The cache's name; the front-end attaches to its segments as a writer with
    :func:`shmcache.arena.segments.attach_arena`.
``--listen-fd``
    An inherited socket that is already bound and listening, Unix or TCP (the socket itself tells).
    The supervisor creates, chmods and unlinks them, or has them from systemd.
``--tls-fd``
    The same, for a TCP socket whose clients speak TLS.
``--control-fd``
    An inherited end of a ``socketpair(AF_UNIX, SOCK_STREAM)`` over which both sides send JSON
    objects, one a line.

The supervisor's first line, before anything else::

    {"options": {"maxclients": "10000", "requirepass": "...", ...}, "config_file": "/path" or null}

``options`` has the effective value of every option as the text that CONFIG GET would show (the
password travels here and not in argv). Then

==============================  =================================================================
front-end to supervisor         meaning
==============================  =================================================================
``{"event": "ready"}``          clients are being accepted
``{"event": "config",           CONFIG SET changed these options: keep them for a front-end that
"options": {...}}``             has to be restarted, and act on those that concern the supervisor
``{"event": "users",            ACL SETUSER, ACL LOAD and others changed these users: keep the words
"changes": {NAME: [...]}}``     of the option ``user`` that declare each, as for options; null: none
==============================  =================================================================

==============================  =================================================================
supervisor to front-end         meaning
==============================  =================================================================
``{"command": "latency",        housekeeping took that long: an event for LATENCY
"name": "expire-cycle",
"milliseconds": 12}``
``{"command": "reload",         the configuration was re-read (SIGHUP): these are the options
"options": {...}}``             that changed
==============================  =================================================================

The front-end stores the heartbeat ``BEAT_FRONTEND`` in the arena once a second. SIGTERM and SIGINT
make it answer what it has read, close its clients and exit with status 0. End of file on the
control socket means that the supervisor is gone: it does the same, so that two front-ends never
serve one arena. A client's SHUTDOWN makes it exit with
:data:`~shmcache.server.exitcodes.EXIT_SHUTDOWN`, a start that cannot work with
:data:`~shmcache.server.exitcodes.EXIT_BAD_START`. It logs to stderr.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import uvloop

from shmcache.arena import BEAT_FRONTEND
from shmcache.arena.segments import attach_arena
from shmcache.config import Config
from shmcache.errors import ShmcacheError
from shmcache.server.control import Control
from shmcache.server.exitcodes import EXIT_BAD_START, EXIT_SHUTDOWN
from shmcache.server.listener import Listener
from shmcache.server.log import configure_logging, reopen_log
from shmcache.server.relay import TlsListener
from shmcache.server.server import Server

if TYPE_CHECKING:
    import ssl
    from collections.abc import Sequence

    from shmcache.arena import Arena

__all__ = ["main"]

_log = logging.getLogger("shmcache.server")

_ARGUMENTS: Final = ("--name", "--control-fd", "--listen-fd", "--tls-fd")
_TICK_S: Final = 0.1
_BEAT_TICKS: Final = 10
_USERS_A_MESSAGE: Final = 100


def main(argv: Sequence[str]) -> int:
    """Be the front-end until told to stop.

    :param argv: the command line without the program's name
    :return: the exit status
    """
    configure_logging()
    try:
        arguments = _parse(argv)
        listening, speaking_tls = (
            [socket.socket(fileno=descriptor) for descriptor in descriptors]
            for descriptors in (arguments.listening, arguments.speaking_tls)
        )
        control = Control(socket.socket(fileno=arguments.control))
        first = control.read_first()
        config = Config.from_texts(first["options"], path=first.get("config_file"))
        arena = attach_arena(arguments.name, writable=True)
    except (ShmcacheError, OSError, ValueError, KeyError) as error:
        _log.error("the front-end cannot start: %s", error)
        return EXIT_BAD_START
    with contextlib.closing(arena):
        return uvloop.run(_Process(arena, config, control, listening, speaking_tls).serve())


class _Arguments(NamedTuple):
    name: str
    control: int
    listening: list[int]
    speaking_tls: list[int]


def _parse(argv: Sequence[str]) -> _Arguments:
    """Read the command line by hand: a program writes it, and argparse would cost 10 ms.

    :raises ValueError: not our arguments
    """
    given: dict[str, list[str]] = {name: [] for name in _ARGUMENTS}
    if len(argv) % 2:
        raise ValueError(f"an argument without a value: {argv[-1]}")
    for option, value in zip(argv[::2], argv[1::2], strict=True):
        if option not in given:
            raise ValueError(f"unknown argument: {option}")
        given[option].append(value)
    listening = [list(map(int, given[name])) for name in ("--listen-fd", "--tls-fd")]
    if len(given["--name"]) != 1 or len(given["--control-fd"]) != 1 or not any(listening):
        raise ValueError("wanted: --name NAME --control-fd FD --listen-fd FD [--tls-fd FD ...]")
    return _Arguments(given["--name"][0], int(given["--control-fd"][0]), *listening)


class _Process:
    """The front-end process from its first to its last moment."""

    def __init__(
        self,
        arena: Arena,
        config: Config,
        control: Control,
        listening: list[socket.socket],
        speaking_tls: list[socket.socket],
    ) -> None:
        self._arena = arena
        self._config = config
        self._control = control
        self._listening = listening
        self._speaking_tls = speaking_tls
        self._status = 0
        self._ticks = 0

    async def serve(self) -> int:
        """Serve until a signal, a SHUTDOWN, or the end of the supervisor."""
        loop = asyncio.get_running_loop()
        self._stopped = asyncio.Event()
        try:
            self._server = server = Server(
                loop,
                self._arena,
                self._config,
                on_shutdown=self._shut_down,
                on_config=self._tell_config,
                on_users=self._tell_users,
            )
        except ShmcacheError as error:
            _log.error("the front-end cannot start: %s", error)
            return EXIT_BAD_START
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopped.set)
        loop.add_signal_handler(signal.SIGHUP, lambda: None)  # the supervisor reloads
        listeners = [Listener(loop, server, each) for each in self._listening]
        listeners += [
            TlsListener(loop, server, each, self._tls_context) for each in self._speaking_tls
        ]
        self._control.watch(loop, self._take_message, self._stopped.set)
        self._arena.beat(BEAT_FRONTEND)
        self._control.send({"event": "ready"})
        ticking = asyncio.create_task(self._tick())
        await self._stopped.wait()
        ticking.cancel()
        for listener in listeners:
            listener.close()
        server.stop()
        for listener in listeners:
            listener.end()
        self._control.close()
        return self._status

    def _tls_context(self) -> ssl.SSLContext:
        context = self._server.tls_context
        assert context is not None, "tls-port is 0"
        return context

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK_S)
            try:
                self._server.tick()
                self._ticks += 1
                if self._ticks % _BEAT_TICKS == 0:
                    self._arena.beat(BEAT_FRONTEND)
            except Exception:
                _log.exception("periodic work failed")

    def _shut_down(self) -> None:
        self._status = EXIT_SHUTDOWN
        self._stopped.set()

    def _tell_config(self, texts: dict[str, str]) -> None:
        self._control.send({"event": "config", "options": texts})

    def _tell_users(self, changes: dict[str, tuple[str, ...] | None]) -> None:
        items = list(changes.items())
        for start in range(0, len(items), _USERS_A_MESSAGE):
            some = dict(items[start : start + _USERS_A_MESSAGE])
            self._control.send({"event": "users", "changes": some})

    def _take_message(self, message: dict[str, Any]) -> None:
        if message.get("command") == "reload":
            reopen_log(self._server.config.text("logfile"))
            self._server.settings.reload(message["options"])
            self._server.settings.reread_certificates()
        elif message.get("command") == "latency":
            self._server.latency.note(str(message["name"]), int(message["milliseconds"]))
        else:
            _log.warning("unknown message from the supervisor: %s", message)
