"""Starting up, step by step, each step undone again if a later one fails."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from shmcache.arena.segments import check_name, group_id, lock_path, unlink_segments
from shmcache.config import CommandLine, Config, Loaded, load, parse_command_line
from shmcache.errors import ConfigurationError
from shmcache.server.acl.files import DeclarationCheck, declared_users, read_declarations
from shmcache.server.main import main as serve
from shmcache.supervisor.adoption import Held, hold_arena
from shmcache.supervisor.daemon import Daemon, Hooks
from shmcache.supervisor.listeners import Listeners, default_socket_path, inherited_sockets
from shmcache.supervisor.lock import FileLock
from shmcache.supervisor.log import Log
from shmcache.supervisor.notify import Notifier

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Sequence

__all__ = ["start"]

_READY: Final = b"\0"


def start(arguments: Sequence[str]) -> int:
    """Run a daemon with this command line until it is told to stop.

    :return: the exit status
    :raises ConfigurationError: it cannot start; nothing is left behind
    """
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # what it would read again is read right now
    try:
        directory = str(Path.cwd())
    except FileNotFoundError:
        raise ConfigurationError("the working directory is gone") from None
    command_line = parse_command_line(arguments)
    stdin = sys.stdin.buffer.read() if command_line.stdin else b""
    loaded = _load(command_line, stdin, directory)
    config = loaded.config
    inherited = inherited_sockets(os.environ)
    notifier = Notifier()
    _change_directory(config)
    tell_parent: Callable[[], None] = _nothing
    if config.boolean("daemonize"):
        tell_parent = _daemonize()
        notifier.main_pid(os.getpid())
    log = Log(_log_path(config), config.text("loglevel"))
    try:
        log.check()
    except OSError as error:
        raise ConfigurationError(f"can't open log file '{log.path}': {error.strerror}") from error
    status = _serve(
        loaded,
        log,
        notifier,
        inherited=inherited,
        reread=lambda: _load(command_line, stdin, directory).config,
        tell_parent=tell_parent,
    )
    if status != 0:
        raise ConfigurationError("the front-end could not start; the log says why")
    log.warning("Bye")
    return status


def _serve(
    loaded: Loaded,
    log: Log,
    notifier: Notifier,
    *,
    inherited: list[socket.socket],
    reread: Callable[[], Config],
    tell_parent: Callable[[], None],
) -> int:
    """Take the locks, the sockets and the arena, in this order, and run the daemon on them."""
    config = loaded.config
    served: list[bool] = []

    def on_ready() -> None:
        served.append(True)
        tell_parent()

    with contextlib.ExitStack() as undo:
        _say_hello(loaded, log)
        lock = FileLock(lock_path(config.text("name")), f"cache '{config.text('name')}'")
        undo.callback(lock.release)
        gid = group_id(config.text("shm-group")) if config.text("shm-group") else -1
        listeners = Listeners.open(config, gid=gid, inherited=inherited)
        undo.callback(listeners.close)
        undo.callback(_remove_pidfile, _write_pidfile(config))
        held = hold_arena(config, log)
        undo.callback(_let_go, config, held, served)
        held.arena.socket_path = listeners.socket_path
        daemon = Daemon(
            config=config,
            arena=held.arena,
            listeners=listeners,
            log=log,
            notifier=notifier,
            hooks=Hooks(reread=reread, serve=serve, forget=lock.forget, on_ready=on_ready),
        )
        return daemon.run()


def _load(command_line: CommandLine, stdin: bytes, directory: str) -> Loaded:
    """Read the configuration and fill in what depends on the name and the user.

    :param directory: what relative paths in it are relative to, the first time and later
    """
    try:
        with contextlib.chdir(directory):
            check = DeclarationCheck()
            loaded = load(command_line, stdin=stdin, checks={"user": check})
            config = loaded.config
            config.commit({"dir": str(Path(config.text("dir")).absolute())})
            _find_users(config, check)
    except FileNotFoundError:
        raise ConfigurationError(f"the directory '{directory}' is gone") from None
    if "dir" not in loaded.given:
        config.set_default("dir", directory)
    name = check_name(config.text("name"))
    if "unixsocket" not in loaded.given:
        config.set_default("unixsocket", default_socket_path(name))
    return loaded


def _find_users(config: Config, check: DeclarationCheck) -> None:
    """Fill in the users of the ACL file.

    :raises ConfigurationError: something is wrong with it, or with the users of the configuration
    """
    path, modules = config.text("aclfile"), bool(config.value("loadmodule"))
    if path and config.value("user"):
        raise ConfigurationError(
            "users declared in the configuration and an ACL file ('aclfile') are likely to "
            "contradict each other: use the one or the other"
        )
    if check.unknown and not modules:
        raise ConfigurationError(check.unknown[0])
    all_channels = config.text("acl-pubsub-default") == "allchannels"
    if not path:
        declared_users(config.value("user"), all_channels=all_channels, on_unknown=_ignore)
        return
    try:
        lines = read_declarations(
            str(Path(config.text("dir")) / path), all_channels=all_channels, modules=modules
        )
    except ConfigurationError as error:
        raise ConfigurationError(f"Aborting startup because of ACL errors: {error}") from error
    config.commit({"user": tuple(lines)})


def _log_path(config: Config) -> str:
    if config.text("logfile"):
        return os.path.abspath(config.text("logfile"))  # noqa: PTH100 - symlinks stay
    return os.devnull if config.boolean("daemonize") else ""


def _change_directory(config: Config) -> None:
    try:
        os.chdir(config.text("dir"))
    except OSError as error:
        raise ConfigurationError(
            f"can't change to directory '{config.text('dir')}': {error.strerror}"
        ) from error


def _say_hello(loaded: Loaded, log: Log) -> None:
    log.notice(f"shmcached starts, pid {os.getpid()}")
    if loaded.unused:
        log.warning(f"Options without any effect here: {', '.join(loaded.unused)}")


def _let_go(config: Config, held: Held, served: list[bool]) -> None:
    """Keep the arena for the next start, unless it is not wanted or nobody was ever served."""
    held.arena.close()
    if not config.boolean("shm-keep") or not (held.adopted or served):
        unlink_segments(config.text("name"))


def _write_pidfile(config: Config) -> Path | None:
    if not config.text("pidfile"):
        return None
    path = Path(config.text("pidfile")).absolute()
    try:
        path.write_text(f"{os.getpid()}\n", encoding="ascii")
    except OSError as error:
        raise ConfigurationError(f"can't write pid file '{path}': {error.strerror}") from error
    return path


def _remove_pidfile(path: Path | None) -> None:
    if path is not None:
        with contextlib.suppress(OSError):
            path.unlink()


def _daemonize() -> Callable[[], None]:
    """Go on in a background process; the process that was started waits and passes on how it went.

    :return: to call when the daemon serves: it lets the waiting process end with success
    """
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid:
        os.close(write_end)
        _wait_for_daemon(pid, read_end)
    os.close(read_end)
    os.setsid()

    def ready() -> None:
        null = os.open(os.devnull, os.O_RDWR)
        for fd in (0, 1, 2):
            os.dup2(null, fd)
        os.close(null)
        os.write(write_end, _READY)
        os.close(write_end)

    return ready


def _wait_for_daemon(pid: int, read_end: int) -> NoReturn:
    """End as the daemon's start ends: it has said on standard error what was wrong."""
    signal.signal(signal.SIGINT, lambda *_: os.kill(pid, signal.SIGINT))
    if os.read(read_end, 1) == _READY:
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    os._exit(os.waitstatus_to_exitcode(status) or 1)


def _interrupt(_number: int, _frame: object) -> NoReturn:
    """Stopped while starting: undo what was done."""
    raise KeyboardInterrupt


def _ignore(_complaint: str) -> None:
    """Modules may add the command."""


def _nothing() -> None:
    """Nobody waits for a daemon in the foreground."""
