"""Where the server is: given by an option, or where the named cache's daemon listens."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Final, NamedTuple

from shmcache.cli.errors import CliError

if TYPE_CHECKING:
    from shmcache.cli.options import Options, TlsOptions

__all__ = ["Target", "find_target"]

_HOST: Final = "127.0.0.1"
_PORT: Final = 6379


class Target(NamedTuple):
    """A Unix socket's path, or a host and a port."""

    path: str
    host: str = ""
    port: int = 0
    tls: TlsOptions | None = None
    """Speak TLS; None: do not."""
    insecure: bool = False

    def __str__(self) -> str:
        return self.path or f"{self.host}:{self.port}"

    @property
    def prompt(self) -> str:
        """The server's name as redis-cli's prompt gives it."""
        if self.path:
            return f"redis {self.path}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def connect(self) -> socket.socket:
        """Return a connected socket.

        :raises OSError: nobody is there
        """
        if self.tls is not None:
            from shmcache.cli.tls import connect_by_tls  # noqa: PLC0415 - 40 ms, for few

            return connect_by_tls(self.host, self.port, self.tls, insecure=self.insecure)
        if not self.path:
            return socket.create_connection((self.host, self.port))
        sock = socket.socket(socket.AF_UNIX)
        try:
            sock.connect(self.path)
        except BaseException:
            sock.close()
            raise
        return sock


def find_target(options: Options) -> Target:
    """Return where to connect.

    :raises CliError: no cache can have that name
    """
    if options.socket_path:
        return Target(options.socket_path)
    if options.is_tcp:
        tls = options.tls_options if options.tls else None
        host, port = options.host or _HOST, options.port or _PORT
        return Target("", host, port, tls, options.insecure)
    return Target(_path_of_daemon(options.name))


def _path_of_daemon(name: str) -> str:
    """Return what the daemon left in the arena, or else where it listens unless told otherwise."""
    from shmcache.arena.places import find_socket_path  # noqa: PLC0415
    from shmcache.arena.segments import attach_arena  # noqa: PLC0415 - not needed with -s
    from shmcache.errors import ConfigurationError, ShmcacheError  # noqa: PLC0415

    try:
        arena = attach_arena(name)
    except ConfigurationError as error:
        raise CliError(str(error)) from None
    except (ShmcacheError, OSError):
        return find_socket_path(name)
    try:
        return arena.socket_path or find_socket_path(name)
    finally:
        arena.close()
