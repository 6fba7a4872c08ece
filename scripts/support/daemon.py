"""A shmcached of a script's own: its cache has a name of its own and is gone afterwards."""

from __future__ import annotations

import os
import re
import signal
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import psutil

import shmcache
from shmcache.arena.segments import attach_arena, unlink_segments
from support.processes import program, spawn, stop, undisturbed, wait_until

if TYPE_CHECKING:
    import subprocess
    from types import TracebackType

    import redis

    from shmcache.arena import Arena

__all__ = ["Daemon", "answers", "remove_leftovers"]

_SHM = Path("/dev/shm")


def answers(socket_path: Path) -> bool:
    """Whether a server on the socket answers a PING."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(1)
        try:
            connection.connect(os.fspath(socket_path))
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False


def remove_leftovers(prefix: str) -> None:
    """Remove caches called `prefix`-PID whose process is gone: an earlier run was killed."""
    pattern = re.compile(rf"shmcache\.({re.escape(prefix)}-(\d+)(?:-\d+)?)\.(?:data|access)")
    for path in _SHM.glob(f"shmcache.{prefix}-*"):
        found = pattern.fullmatch(path.name)
        if found and not psutil.pid_exists(int(found[2])):
            unlink_segments(found[1])


class Daemon:
    """Start a shmcached on enter; stop it and remove its segments on exit.

    :param name: the cache's name
    :param directory: where its socket and its log go
    :param options: further options, ``{"maxmemory": "64mb"}``
    """

    def __init__(self, name: str, directory: Path, **options: str) -> None:
        self.name = name
        self.socket_path = directory / f"{name}.sock"
        self.log = directory / f"{name}.log"
        self._directory = directory
        self._options = {key.replace("_", "-"): value for key, value in options.items()}
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The supervisor's process."""
        assert self._process is not None, "the daemon was not started"
        return self._process

    def command(self) -> list[str]:
        """Command line of the daemon."""
        options = {
            "name": self.name,
            "unixsocket": str(self.socket_path),
            "dir": str(self._directory),
            **self._options,
        }
        words = [word for key, value in options.items() for word in (f"--{key}", value)]
        return [program("shmcached"), *words]

    def start(self) -> None:
        """Start it, and wait until it answers.

        :raises ScriptError: it does not come up
        """
        process = self.launch()
        wait_until(lambda: answers(self.socket_path), process, "shmcached", self.log)

    def launch(self) -> subprocess.Popen[bytes]:
        """Start it without waiting for it."""
        self._process = spawn(self.command(), log=self.log)
        return self._process

    def stop(self) -> None:
        """End it and remove the segments; harmless when it never started."""
        with undisturbed():
            if self._process is not None:
                stop(self._process)
                self._process = None
            unlink_segments(self.name)

    def kill(self) -> None:
        """SIGKILL the supervisor and all its children at once, as a bad day would."""
        family = [psutil.Process(self.process.pid)]
        # a supervisor that is stopped cannot replace the child that dies first
        family[0].send_signal(signal.SIGSTOP)
        family += family[0].children(recursive=True)
        for member in family:
            member.send_signal(signal.SIGKILL)
        self.process.wait()
        psutil.wait_procs(family[1:], timeout=10)
        self._process = None

    def attach(self, **options: Any) -> redis.Redis:
        """Attach a client, writing in-process unless told otherwise."""
        return shmcache.attach(self.name, **{"writable": True, **options})

    def arena(self) -> Arena:
        """Attach to the arena below the client, for its statistics."""
        return attach_arena(self.name, writable=True)
