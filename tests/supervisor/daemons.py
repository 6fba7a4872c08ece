"""Real daemons for the tests, under names of their own, and nothing left of them afterwards."""

from __future__ import annotations

import itertools
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import psutil

from shmcache.arena.segments import lock_path, segment_names, unlink_segments

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = [
    "DaemonProcess",
    "as_nobody",
    "ask",
    "eventually",
    "in_child",
    "segments_exist",
    "unique_name",
]

_numbers = itertools.count()
# compiled modules are kept, so that the second start is a quick one
_ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
ROOT = Path(__file__).parent.parent.parent


def unique_name() -> str:
    return f"test-{os.getpid()}-{next(_numbers)}-{os.urandom(3).hex()}"


def eventually(check: Callable[[], Any], what: str = "", seconds: float = 15.0) -> Any:
    """Call ``check`` until it is true; an OSError counts as not yet."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            result = check()
        except OSError:
            result = None
        if result:
            return result
        assert time.monotonic() < deadline, what or check
        time.sleep(0.005)


def ask(address: str | tuple[str, int], *words: str, seconds: float = 10.0) -> bytes:
    """Send one command over a connection of its own; return the reply's first bytes."""
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as connection:
        connection.settimeout(seconds)
        connection.connect(address)
        parts = [word.encode() for word in words]
        request = b"*%d\r\n" % len(parts)
        request += b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)
        connection.sendall(request)
        return connection.recv(65536)


def segments_exist(name: str) -> bool:
    return any(Path("/dev/shm" + segment).exists() for segment in segment_names(name))


def has_ended(process: psutil.Process) -> bool:
    """Tell whether a process does nothing any more; its parent may be slow to wait for it."""
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def in_child(do: Callable[[], Any], *, uid: int | None = None) -> str:
    """Call ``do`` in a forked process, of another user perhaps; return what it raised, or "ok"."""
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            if uid is not None:
                os.setgroups([])
                os.setgid(uid)
                os.setuid(uid)
            do()
            result = "ok"
        except BaseException as error:  # whatever it is, the parent judges it
            result = f"{type(error).__name__}: {error!s}"
        os.write(write_end, result.encode())
        os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end, "rb") as stream:
        result = stream.read().decode()
    os.waitpid(pid, 0)
    return result


def as_nobody(do: Callable[[], Any]) -> str:
    """Call ``do`` in a process without any rights."""
    return in_child(do, uid=65534)


class DaemonProcess:
    """One ``shmcached``, in a directory of its own.

    :ivar process: the supervisor
    :ivar socket: the path of its Unix socket
    """

    def __init__(self, directory: Path, name: str | None = None) -> None:
        self.directory = directory
        self.name = name or unique_name()
        self.socket = str(directory / "s")
        self.log = directory / "log"
        self.process: subprocess.Popen[bytes] = None  # type: ignore[assignment]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill_all()
        unlink_segments(self.name)
        assert not Path(lock_path(self.name)).exists()

    def command(self, *options: str) -> list[str]:
        return [
            *(sys.executable, "-m", "shmcache.supervisor.main"),
            *("--name", self.name, "--unixsocket", self.socket, "--maxmemory", "8mb"),
            *("--logfile", str(self.log), "--loglevel", "debug"),
            *options,
        ]

    def launch(
        self, *options: str, environment: Mapping[str, str] | None = None, **popen: Any
    ) -> None:
        """Start it, and wait for nothing."""
        self.process = subprocess.Popen(
            self.command(*options),
            cwd=popen.pop("cwd", ROOT),
            env={**_ENVIRONMENT, "PYTHONPATH": str(ROOT), **(environment or {})},
            stdin=popen.pop("stdin", subprocess.DEVNULL),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **popen,
        )

    def start(self, *options: str, **popen: Any) -> Self:
        """Start it and wait until it answers."""
        self.launch(*options, **popen)
        self.wait_ready()
        return self

    def wait_ready(self) -> None:
        eventually(self._answers, "the daemon does not answer")

    def _answers(self) -> bool:
        status = self.process.poll()
        if status is not None:
            _, errors = self.process.communicate()
            raise AssertionError(f"ended with {status}: {errors.decode()}")
        return self.ask("PING") == b"+PONG\r\n"

    def ask(self, *words: str) -> bytes:
        return ask(self.socket, *words)

    def children(self) -> dict[str, psutil.Process]:
        """The living children by the name that ``ps`` shows."""
        found = {}
        for child in psutil.Process(self.process.pid).children():
            try:
                if child.status() != psutil.STATUS_ZOMBIE:
                    found[child.name()] = child
            except psutil.NoSuchProcess:
                continue
        return found

    def frontend(self) -> psutil.Process:
        return self._child("shmcached-serve")

    def maintenance(self) -> psutil.Process:
        return self._child("shmcached-maint")

    def _child(self, name: str) -> psutil.Process:
        found: list[psutil.Process] = []

        def look() -> bool:
            found.extend(filter(None, [self.children().get(name)]))
            return bool(found)

        eventually(look, f"there is no {name}")
        return found[0]

    def log_text(self) -> str:
        return self.log.read_text() if self.log.exists() else ""

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Stop it in order; return its exit status."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        try:
            self.process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            self.kill_all()
            raise
        return self.process.returncode

    def fails(self, *options: str, **popen: Any) -> str:
        """Start what cannot start; return its one line on standard error."""
        self.launch(*options, **popen)
        _, errors = self.process.communicate(timeout=20)
        assert self.process.returncode not in {0, None}
        text = errors.decode()
        assert text.startswith("shmcached: ")
        assert text.count("\n") == 1, text
        return text.strip()

    def kill_all(self) -> None:
        """SIGKILL the supervisor; its children have to go by themselves."""
        if self.process is None or self.process.poll() is not None:
            return
        children = list(psutil.Process(self.process.pid).children())
        self.process.kill()
        self.process.communicate()
        eventually(lambda: all(map(has_ended, children)), "children outlive the supervisor")
