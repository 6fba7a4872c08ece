"""Which arena a client reads, which socket it falls back to, and whether both are still right.

An arena outlives its daemon, and a client outlives both: the daemon may come back and adopt the
arena (nothing changes here), or somebody may have removed the segments and the next daemon made new
ones under the same names. Then this process still maps the old memory, which nobody else writes any
more. So an attachment looks now and then whether the name still leads to the file that it mapped.
"""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import redis
from redis.backoff import NoBackoff
from redis.exceptions import NoPermissionError
from redis.retry import Retry

from shmcache.arena.places import find_socket_path
from shmcache.arena.segments import (
    attach_arena,
    cache_names,
    check_name,
    map_segments,
    open_segments,
    segment_names,
)
from shmcache.client.modules import WorkerModules
from shmcache.errors import CacheNotFound, LayoutMismatch, ReadOnly, ShmcacheError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shmcache.arena import Arena

__all__ = ["Attachment"]

_LOOK_EVERY_SECONDS: Final = 1.0
_SHM_DIRECTORY: Final = Path("/dev/shm")  # noqa: S108 - where glibc's shm_open puts segments

_FileIdentity = tuple[int, int]


class Attachment:
    """One process's hold on one cache; shared by a client, its pipelines and what it spawns.

    :ivar arena: None while only the socket may be used
    """

    def __init__(self, name: str, *, writable: bool, socket_path: str | None = None) -> None:
        self.name = name
        self.arena: Arena | None = None
        self.modules = WorkerModules(name)
        self._writable = writable
        self._given_path = socket_path
        self._identity: _FileIdentity | None = None
        self._next_look = 0.0

    @classmethod
    def by_name(cls, name: str, *, writable: bool = False) -> Attachment:
        """Attach to the cache called ``name``.

        :raises CacheNotFound: neither segments nor a socket of that name
        :raises ReadOnly: ``writable`` and the segments' mode forbids it
        :raises LayoutMismatch: the segments are no arena, or another version's
        """
        attachment = cls(check_name(name), writable=writable)
        try:
            attachment._open()
        except CacheNotFound:
            if writable or not Path(find_socket_path(name)).exists():
                raise
        except PermissionError as error:
            if writable:
                raise ReadOnly(f"attaching writable: {error}") from error
            if not Path(find_socket_path(name)).exists():
                raise CacheNotFound(
                    f"{error}, and there is no socket {find_socket_path(name)} either"
                ) from error
        return attachment

    @classmethod
    def by_socket(
        cls, path: str, *, writable: bool = False, credentials: Mapping[str, Any] | None = None
    ) -> Attachment:
        """Ask the daemon behind a socket which arena it serves, and attach to that.

        Where this process may not open the arena, or does not see it (another container), every
        command goes through the socket.

        :param credentials: redis-py's options about how to log in
        :raises CacheNotFound: nobody answers, or no shmcache daemon
        :raises redis.AuthenticationError: the credentials do not do
        :raises redis.NoPermissionError: the user may not call INFO, and no arena that this process
            can read tells that it belongs to the socket
        :raises ReadOnly: ``writable`` and the segments' mode forbids it
        """
        try:
            server = _ask(path, credentials or {})
        except NoPermissionError:
            names = _names_at(path)
            if len(names) != 1:
                raise
            return cls.by_name(names[0], writable=writable)
        if "shmcache_name" not in server:
            raise CacheNotFound(f"the server at {path} is not a shmcache daemon")
        attachment = cls(server["shmcache_name"], writable=writable, socket_path=path)
        try:
            attachment._open()
        except (CacheNotFound, PermissionError) as error:
            if writable:
                raise ReadOnly(f"attaching writable: {error}") from error
        arena = attachment.arena
        if arena is not None and str(arena.statistics().generation) != server.get(
            "shmcache_generation"
        ):
            # A cache of the same name in a /dev/shm that is not the daemon's.
            attachment.arena = None
        return attachment

    @property
    def socket_path(self) -> str:
        """Where the daemon listens; empty when it listens nowhere that this process knows of."""
        if self._given_path is not None:
            return self._given_path
        if self.arena is not None and self.arena.socket_path:
            return self.arena.socket_path
        path = find_socket_path(self.name)
        return path if Path(path).exists() else ""

    @property
    def likely_socket_path(self) -> str:
        """Where to try to connect, even if nobody may be there."""
        return self.socket_path or find_socket_path(self.name)

    @property
    def is_due(self) -> bool:
        """Whether the arena was last looked after so long ago that it should be again."""
        return self._identity is not None and time.monotonic() >= self._next_look

    def look_after(self) -> None:
        """Attach again if the segments were replaced. Two threads may do so at once, harmlessly."""
        self._next_look = time.monotonic() + _LOOK_EVERY_SECONDS
        if self._identity is None:
            return
        try:
            current = _identity(_SHM_DIRECTORY / segment_names(self.name)[0].lstrip("/"))
        except OSError:
            # Removed and not made anew: what is mapped is still the only memory of this cache.
            return
        if current == self._identity and self.arena is not None:
            return
        try:
            self._open()
        except (CacheNotFound, LayoutMismatch, ReadOnly, OSError):
            # Being made this moment, or by a version that this one cannot read: what is mapped
            # here is stale, so the socket has to do until a later look succeeds.
            self.arena = None

    def _open(self) -> None:
        segments = open_segments(self.name, writable=self._writable)
        try:
            identity = _identity(segments.data_fd)
            self.arena = map_segments(self.name, segments, writable=self._writable)
        finally:
            segments.close()
        self._identity = identity
        self._next_look = time.monotonic() + _LOOK_EVERY_SECONDS


def _identity(file: Path | int) -> _FileIdentity:
    status = os.fstat(file) if isinstance(file, int) else file.stat()
    return status.st_dev, status.st_ino


def _names_at(path: str) -> list[str]:
    """The caches whose arenas say that their daemon listens there."""
    return [
        name
        for name in cache_names()
        if (told := _told_socket_path(name)) and Path(told).exists() and Path(path).samefile(told)
    ]


def _told_socket_path(name: str) -> str:
    try:
        with contextlib.closing(attach_arena(name)) as arena:
            return arena.socket_path
    except (ShmcacheError, OSError):
        return ""  # not ours to read, or going away


def _ask(path: str, credentials: Mapping[str, Any]) -> dict[str, str]:
    """Return the fields of INFO's Server section as text."""
    options = {"retry": Retry(NoBackoff(), 0), **credentials}
    with redis.Redis(unix_socket_path=path, **options) as server:
        # redis-py's own parser would make numbers and lists of names that look like such
        server.set_response_callback("INFO", lambda reply, **_: reply)
        try:
            reply = server.execute_command("INFO", "server")
        except redis.AuthenticationError:
            raise
        except redis.ConnectionError as error:
            raise CacheNotFound(f"nobody answers at {path}: {error}") from error
    text = reply if isinstance(reply, str) else bytes(reply).decode()
    return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
