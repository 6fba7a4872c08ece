"""A server that replies what it is told to, and the two programs run against it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import shutil
import socket
import socketserver
import subprocess
import sys
import termios
import threading
import time
from pathlib import Path
from typing import NamedTuple, cast

import pytest

ROOT = Path(__file__).parents[2]
SECONDS = 20.0
OURS = (sys.executable, "-m", "shmcache.cli.main")


def theirs() -> tuple[str, ...]:
    program = shutil.which("redis-cli")
    if program is None:
        if os.environ.get("CI") == "true":
            pytest.fail("redis-cli is needed to compare with", pytrace=False)
        pytest.skip("redis-cli is not installed: NOTHING IS COMPARED WITH IT")
    return (program,)


class Outcome(NamedTuple):
    out: bytes
    err: bytes
    status: int


def environment(**changes: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "REDISCLI_AUTH"}
    # nobody is there to answer where the cursor is
    fixed = {"PYTHONPATH": str(ROOT), "TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1"}
    return {**kept, **fixed, **changes}


def run(
    program: tuple[str, ...],
    *arguments: str | bytes | Path,
    stdin: bytes = b"",
    **changes: str,
) -> Outcome:
    """Run with pipes."""
    done = subprocess.run(
        [*program, *arguments],
        input=stdin,
        capture_output=True,
        timeout=SECONDS,
        env=environment(**changes),
        check=False,
    )
    return Outcome(done.stdout, done.stderr, done.returncode)


def _take_terminal() -> None:
    """Make standard output the new session's own terminal, so that ^C interrupts."""
    fcntl.ioctl(1, termios.TIOCSCTTY, 0)


class Terminal:
    """A program whose standard output, and unless given otherwise input, is a terminal."""

    def __init__(self, *command: str | Path, stdin: int | None = None, **changes: str) -> None:
        self._master, slave = pty.openpty()
        self.seen = b""
        self.process = subprocess.Popen(
            command,
            stdin=slave if stdin is None else stdin,
            stdout=slave,
            stderr=slave,
            env=environment(**changes),
            start_new_session=True,
            preexec_fn=_take_terminal,  # noqa: PLW1509 - runs one system call
        )
        os.close(slave)

    def type(self, text: bytes) -> None:
        os.write(self._master, text)

    def wait_for(self, text: bytes, *, keep: bool = False) -> None:
        """Read on until ``text`` is there; what was read so far is dropped with it."""
        deadline = time.monotonic() + SECONDS
        while text not in self.seen:
            if not self._read(deadline):
                pytest.fail(f"no {text!r} in {self.seen!r}")
        if not keep:
            self.seen = self.seen[self.seen.index(text) + len(text) :]

    def read_lines(self, count: int) -> list[bytes]:
        """Read on until there are so many whole lines; the first of them."""
        deadline = time.monotonic() + SECONDS
        while self.seen.count(b"\r\n") < count:
            if not self._read(deadline):
                pytest.fail(f"no {count} lines in {self.seen!r}")
        return self.seen.split(b"\r\n")[:count]

    def finish(self) -> bytes:
        """Everything not yet dropped, at the program's end."""
        deadline = time.monotonic() + SECONDS
        while self._read(deadline):
            pass
        self.process.wait(SECONDS)
        os.close(self._master)
        return self.seen

    def _read(self, deadline: float) -> bool:
        ready, _, _ = select.select([self._master], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            self.process.kill()
            return False
        try:
            received = os.read(self._master, 1 << 16)
        except OSError:  # the other end is closed
            return False
        self.seen += received
        return bool(received)


class _Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        server = cast("ScriptedServer", self.server)
        with contextlib.suppress(OSError):
            while words := self._command():
                server.commands.append(words)
                name = words[0].lower()
                if name == b"reply":
                    self.wfile.write(server.replies[int(words[1])])
                elif name == b"info":
                    self.wfile.write(server.info)
                elif name == b"stall":
                    time.sleep(SECONDS)
                elif name in {b"close", b"shutdown"}:
                    return
                else:
                    self.wfile.write(b"+OK\r\n")

    def _command(self) -> list[bytes]:
        words: list[bytes] = []
        while (head := self.rfile.readline()) == b"\r\n":
            pass
        for _ in range(int(head[1:] or 0)):
            length = int(self.rfile.readline()[1:])
            words.append(self.rfile.read(length + 2)[:-2])
        return words


class ScriptedServer(socketserver.ThreadingUnixStreamServer):
    """``reply N`` gets ``replies[N]``, INFO ``info``, ``stall`` nothing, all else OK; ``close`` and
    ``shutdown`` end the connection.
    """

    daemon_threads = True

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self.replies: list[bytes] = []
        self.info = b"$0\r\n\r\n"
        self.commands: list[list[bytes]] = []
        super().__init__(self.path, _Handler)
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self.shutdown()
        self.server_close()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
