"""A front-end started as the supervisor starts it, and a real redis-server beside it."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any

import pytest

from server.wire import Wire
from shmcache.arena import min_data_bytes
from shmcache.arena.segments import create_segments, unlink_segments

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

START_SECONDS = 20.0
DATA_BYTES = 32 << 20


class FrontEnd:
    """One front-end process with an arena of its own, on a Unix socket and on TCP loopback.

    :param adopted: serve this one's arena, which has ended
    :param options: those of a configuration file
    """

    def __init__(
        self,
        directory: Path,
        *,
        data_bytes: int = DATA_BYTES,
        config_file: Path | None = None,
        adopted: FrontEnd | None = None,
        **options: str,
    ) -> None:
        self.name: str = (
            f"test-{os.getpid()}-{secrets.token_hex(4)}" if adopted is None else adopted.name
        )
        self.path = str(directory / f"{self.name}{'' if adopted is None else '-2'}.sock")
        self.log_path = directory / f"{self.name}.log"
        if adopted is None:
            create_segments(self.name, max(data_bytes, min_data_bytes())).close()
        listeners = [_listen_unix(self.path), _listen_tcp()]
        self.port: int = listeners[1].getsockname()[1]
        self.control, theirs = socket.socketpair()
        self.control.settimeout(START_SECONDS)
        options = {"maxmemory": str(data_bytes), **options}
        self.send(
            {
                "options": {name.replace("_", "-"): text for name, text in options.items()},
                "config_file": None if config_file is None else str(config_file),
            }
        )
        descriptors = [theirs.fileno(), *(listener.fileno() for listener in listeners)]
        words = ["--name", self.name, "--control-fd", str(theirs.fileno())]
        for listener in listeners:
            words += ["--listen-fd", str(listener.fileno())]
        with self.log_path.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "shmcache.server", *words],
                pass_fds=descriptors,
                stderr=log,
                stdout=log,
            )
        theirs.close()
        for listener in listeners:
            listener.close()
        self._messages = self.control.makefile("rb")
        self._reader: threading.Thread | None = None

    def send(self, message: Mapping[str, Any]) -> None:
        """Say something as the supervisor."""
        self.control.sendall(json.dumps(message).encode() + b"\n")

    def next_message(self) -> dict[str, Any]:
        """What the front-end says to the supervisor next."""
        line = self._messages.readline()
        assert line, f"the front-end ended: {self.log_path.read_text()}"
        return dict(json.loads(line))

    def wait_ready(self) -> FrontEnd:
        assert self.next_message() == {"event": "ready"}
        return self

    def drain(self) -> FrontEnd:
        """Read what it says from now on, as a supervisor does: it need not wait for that then."""
        self._reader = threading.Thread(target=deque, args=(self._messages, 0))
        self._reader.start()
        return self

    def connect(self, *, resp: int = 2, tcp: bool = False) -> Wire:
        address = ("127.0.0.1", self.port) if tcp else self.path
        wire = Wire(address)
        if resp == 3:
            wire.run(b"HELLO", b"3")
        return wire

    def terminate(self) -> int:
        """Ask it to end; returns its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(START_SECONDS)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        if self._reader is not None:
            self._reader.join()
        self._messages.close()
        self.control.close()
        unlink_segments(self.name)

    def log(self) -> str:
        return self.log_path.read_text()


def _listen_unix(path: str) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(1024)
    return listener


def _listen_tcp() -> socket.socket:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(1024)
    return listener


class RedisServer:
    """The oracle: a redis-server on a Unix socket."""

    def __init__(self, directory: Path, **options: str) -> None:
        program = shutil.which("redis-server")
        if program is None:
            if os.environ.get("CI") == "true":
                pytest.fail("redis-server is needed to compare with", pytrace=False)
            pytest.skip("redis-server is not installed: nothing is compared with Redis")
        self.path = str(directory / f"redis-{secrets.token_hex(4)}.sock")
        words = [program, "--port", "0", "--unixsocket", self.path, "--save", "", "--dir"]
        words += [str(directory), "--loglevel", "warning"]
        for name, text in options.items():
            words += [f"--{name.replace('_', '-')}", text]
        self.process = subprocess.Popen(words, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                Wire(self.path).close()
                return
            except OSError:
                assert time.monotonic() < deadline, "redis-server did not start"
                time.sleep(0.01)

    def connect(self, *, resp: int = 2) -> Wire:
        wire = Wire(self.path)
        if resp == 3:
            wire.run(b"HELLO", b"3")
        return wire

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
