"""The listening sockets. The supervisor owns them, so that a front-end that has to be started again
finds in their backlog who came meanwhile.
"""

from __future__ import annotations

import errno
import os
import socket
import stat
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from shmcache.arena.places import usual_socket_path
from shmcache.errors import ConfigurationError
from shmcache.server.tls import make_tls_context
from shmcache.supervisor.lock import FileLock

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shmcache.config import Config

__all__ = ["Listeners", "default_socket_path", "inherited_sockets"]

_FIRST_INHERITED_FD: Final = 3  # SD_LISTEN_FDS_START
_MAX_PATH_BYTES: Final = 107  # sun_path has 108 with the NUL
_RETRY_SECONDS: Final = 2.0
_RETRY_STEP_SECONDS: Final = 0.01


class _UnixSocket(NamedTuple):
    listener: socket.socket
    lock: FileLock


class Listeners:
    """Everything the daemon listens on.

    :ivar sockets: the listening sockets, but for those of TLS
    :ivar tls_sockets: those of TLS
    :ivar socket_path: where in-process clients find the daemon; empty when there is no Unix socket
    """

    def __init__(self) -> None:
        self.sockets: list[socket.socket] = []
        self.tls_sockets: list[socket.socket] = []
        self.socket_path = ""
        self._own_path: tuple[str, int] | None = None
        self._lock: FileLock | None = None

    @classmethod
    def open(
        cls, config: Config, *, gid: int = -1, inherited: list[socket.socket] | None = None
    ) -> Self:
        """Listen as the configuration says, or take over what the service manager listens on.

        :param gid: group that the Unix socket is given to; -1 leaves it
        :param inherited: sockets from :func:`inherited_sockets`; when there are any, ``unixsocket``
            ``port`` and ``tls-port`` are not looked at
        :raises ConfigurationError: a socket cannot be had; nothing is left behind
        """
        listeners = cls()
        try:
            if inherited:
                listeners._adopt(inherited)
            else:
                listeners._open_unix(config, gid)
                listeners._open_tcp(config, "port", listeners.sockets)
                listeners._open_tcp(config, "tls-port", listeners.tls_sockets)
            if listeners.tls_sockets:
                make_tls_context(config)  # a front-end would only end again and again
        except BaseException:
            listeners.close()
            raise
        if not listeners.sockets and not listeners.tls_sockets:
            raise ConfigurationError(
                "configured to not listen anywhere: set unixsocket, port or tls-port"
            )
        return listeners

    def describe(self) -> list[str]:
        """Return the addresses, for people."""
        shown = [_describe(listener) for listener in self.sockets]
        return [*shown, *(f"tls:{_describe(each)}" for each in self.tls_sockets)]

    def close(self) -> None:
        """Stop listening and remove the Unix socket, if it still is this daemon's."""
        for sockets in (self.sockets, self.tls_sockets):
            for listener in sockets:
                listener.close()
            sockets.clear()
        if self._own_path is not None:
            path, inode = self._own_path
            try:
                if Path(path).stat().st_ino == inode:
                    Path(path).unlink()
            except OSError:
                pass  # somebody else removed it, which is as good
            self._own_path = None
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def forget_lock(self) -> None:
        """In a child: leave the lock to the parent."""
        if self._lock is not None:
            self._lock.forget()

    def _adopt(self, inherited: list[socket.socket]) -> None:
        self.sockets.extend(inherited)
        for listener in inherited:
            address = listener.getsockname()
            if listener.family == socket.AF_UNIX and isinstance(address, str) and address:
                self.socket_path = address

    def _open_unix(self, config: Config, gid: int) -> None:
        path = config.text("unixsocket")
        if not path:
            return
        path = os.path.abspath(path)  # noqa: PTH100 - symlinks stay
        if len(os.fsencode(path)) > _MAX_PATH_BYTES:
            raise ConfigurationError(
                f"unixsocket '{path}' is too long: the system allows {_MAX_PATH_BYTES} bytes"
            )
        parent = Path(path).parent
        if not parent.is_dir():
            raise ConfigurationError(f"can't listen on '{path}': there is no directory '{parent}'")
        self._lock = FileLock(f"{path}.lock", f"socket '{path}'")
        _remove_stale(path)
        listener = _bind_unix(path)
        self.sockets.append(listener)
        self._own_path = (path, Path(path).stat().st_ino)
        self.socket_path = path
        permissions = config.integer("unixsocketperm")
        try:
            if gid != -1:
                os.chown(path, -1, gid)
            if permissions:
                Path(path).chmod(permissions)
        except OSError as error:
            raise ConfigurationError(f"can't open up '{path}': {error.strerror}") from error
        listener.listen(config.integer("tcp-backlog"))

    def _open_tcp(self, config: Config, option: str, sockets: list[socket.socket]) -> None:
        port = config.integer(option)
        if port == 0:
            return
        opened = 0
        for address in config.value("bind"):
            optional = address.startswith("-")
            listener = _bind_tcp(address.removeprefix("-"), port, optional=optional)
            if listener is not None:
                sockets.append(listener)
                listener.listen(config.integer("tcp-backlog"))
                opened += 1
        if not opened:
            raise ConfigurationError(f"no address of 'bind' is available for {option} {port}")


def default_socket_path(name: str, environment: Mapping[str, str] = os.environ) -> str:
    """Return :func:`usual_socket_path` for a daemon that will listen there: its directory is made.

    :raises ConfigurationError: the directory cannot be made, or belongs to another user
    """
    uid = os.geteuid()
    path = usual_socket_path(name, environment)
    directory = path.parent
    try:
        directory.mkdir(mode=0o755 if uid == 0 else 0o700, exist_ok=True)
        status = directory.lstat()
    except OSError as error:
        raise ConfigurationError(
            f"can't make directory '{directory}' for the socket: {error.strerror}; set unixsocket"
        ) from error
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != uid:
        raise ConfigurationError(
            f"'{directory}' is not a directory of this user; set unixsocket to another place"
        )
    return str(path)


def inherited_sockets(environment: dict[str, str] | os._Environ[str]) -> list[socket.socket]:
    """Take the listening sockets that a service manager passed (sd_listen_fds(3)).

    The variables are removed, so that no child takes them for its own.

    :raises ConfigurationError: one of the descriptors is not a listening stream socket
    """
    try:
        pid = int(environment.get("LISTEN_PID", "0"))
        count = int(environment.get("LISTEN_FDS", "0"))
    except ValueError:
        pid = count = 0
    names = environment.get("LISTEN_FDNAMES", "").split(":")
    for variable in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"):
        environment.pop(variable, None)
    if pid != os.getpid():
        return []
    sockets = []
    for index in range(count):
        name = names[index] if index < len(names) else ""
        sockets.append(_inherited(_FIRST_INHERITED_FD + index, name))
    return sockets


def _inherited(fd: int, name: str) -> socket.socket:
    what = f"inherited descriptor {fd}" + (f" ({name})" if name else "")
    try:
        listener = socket.socket(fileno=fd)
        listening = listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    except OSError as error:
        raise ConfigurationError(f"{what} is no socket: {error.strerror}") from error
    families = {socket.AF_UNIX, socket.AF_INET, socket.AF_INET6}
    if not listening or listener.type != socket.SOCK_STREAM or listener.family not in families:
        raise ConfigurationError(f"{what} is not a listening Unix or TCP socket")
    os.set_inheritable(fd, False)
    listener.setblocking(False)
    return listener


def _is_listened_on(path: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(path)
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except OSError:
            return True  # a full backlog or missing rights: there is a listener
        return True


def _remove_stale(path: str) -> None:
    """Remove a socket that nobody listens on any more.

    :raises ConfigurationError: somebody does, or the file is something else
    """
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise ConfigurationError(f"can't listen on '{path}': {error.strerror}") from error
    if not stat.S_ISSOCK(mode):
        raise ConfigurationError(f"can't listen on '{path}': it exists and is no socket")
    # The front-end of a supervisor that was killed dies with it, but not in the same instant.
    deadline = time.monotonic() + _RETRY_SECONDS
    while _is_listened_on(path):
        if time.monotonic() > deadline:
            raise ConfigurationError(f"can't listen on '{path}': another process does")
        time.sleep(_RETRY_STEP_SECONDS)
    try:
        Path(path).unlink(missing_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"can't remove the stale socket '{path}': {error.strerror}"
        ) from error


def _bind_unix(path: str) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.setblocking(False)
    try:
        listener.bind(path)
    except OSError as error:
        listener.close()
        raise ConfigurationError(f"can't listen on '{path}': {error.strerror}") from error
    return listener


def _bind_tcp(host: str, port: int, *, optional: bool) -> socket.socket | None:
    """Bind one address; None when it is optional and this machine does not have it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    address = {"*": "", "::*": "::"}.get(host, host)
    deadline = time.monotonic() + _RETRY_SECONDS
    while True:
        try:
            listener = socket.socket(family, socket.SOCK_STREAM)
        except OSError as error:
            if optional:
                return None
            raise ConfigurationError(_tcp_failure(host, port, error)) from error
        listener.setblocking(False)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        try:
            listener.bind((address, port))
        except OSError as error:
            listener.close()
            if optional and error.errno in {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}:
                return None
            # A front-end whose supervisor was killed a moment ago may still be going away.
            if error.errno != errno.EADDRINUSE or time.monotonic() > deadline:
                raise ConfigurationError(_tcp_failure(host, port, error)) from error
            time.sleep(_RETRY_STEP_SECONDS)
        else:
            return listener


def _tcp_failure(host: str, port: int, error: OSError) -> str:
    reason = error.strerror or str(error)
    return f"can't listen on TCP {host}:{port}: {reason}"


def _describe(listener: socket.socket) -> str:
    address = listener.getsockname()
    if listener.family == socket.AF_UNIX:
        shown = os.fsdecode(address).replace("\0", "@", 1)
        return f"unix:{shown}"
    host, port = address[:2]
    return f"tcp:[{host}]:{port}" if ":" in host else f"tcp:{host}:{port}"
