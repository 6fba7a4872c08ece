"""A daemon, and a real redis-server, for as long as a test needs them."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self

import psutil
import pytest
import redis

from shmcache.arena.segments import create_segments, unlink_segments

START_SECONDS = 20.0
ROOT = Path(__file__).parents[2]


def unique_name() -> str:
    return f"test-client-{os.getpid()}-{secrets.token_hex(3)}"


def wait_for(condition: Any, what: str) -> None:
    """Poll until a condition holds; fail after a generous while."""
    deadline = time.monotonic() + START_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"{what}: not after {START_SECONDS} s")
        time.sleep(0.005)


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class Daemon:
    """``shmcached`` on a cache and a socket of its own; may be started more than once."""

    def __init__(self, directory: Path, **options: str) -> None:
        self.name = unique_name()
        self.socket_path = directory / f"{self.name}.sock"
        self._log = directory / f"{self.name}.log"
        self._options = {"maxmemory": "16mb", **options}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        command = [sys.executable, "-m", "shmcache.supervisor.main", "--name", self.name]
        command += ["--unixsocket", str(self.socket_path)]
        for option, value in self._options.items():
            command += [f"--{option.replace('_', '-')}", value]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, env=environment(), cwd=self.socket_path.parent
            )
        wait_for(self._is_up, f"shmcached on {self.socket_path}")
        return self

    def _is_up(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            pytest.fail(f"shmcached ended: {self._log.read_text()}")
        # any answer will do, also that a password is needed
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(START_SECONDS)
            if probe.connect_ex(str(self.socket_path)) != 0:
                return False
            probe.sendall(b"PING\r\n")
            return bool(probe.recv(64))

    def kill(self) -> None:
        """SIGKILL the supervisor and all its children, as the kernel's memory killer might."""
        assert self._process is not None
        processes = [psutil.Process(self._process.pid)]
        processes += processes[0].children(recursive=True)
        for process in processes:
            process.kill()
        self._process.wait(START_SECONDS)
        wait_for(lambda: not any(map(_is_alive, processes)), "the end of killed processes")
        self._process = None

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(START_SECONDS)
            self._process = None

    def close(self) -> None:
        if self._process is not None:
            self.kill()
        unlink_segments(self.name)

    def connect(self, **options: Any) -> redis.Redis:
        """A plain redis-py client."""
        return redis.Redis(unix_socket_path=str(self.socket_path), **options)


class RedisServer:
    """A real redis-server that listens on a Unix socket only and saves nothing."""

    def __init__(self, directory: Path) -> None:
        program = shutil.which("redis-server")
        if program is None:
            if os.environ.get("CI") == "true":
                pytest.fail("redis-server is needed for the contract tests", pytrace=False)
            pytest.skip("redis-server is not installed: nothing is compared with Redis")
        self.socket_path = directory / "redis.sock"
        command = [program, "--port", "0", "--save", "", "--unixsocket", str(self.socket_path)]
        with (directory / "redis.log").open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=directory)
        wait_for(lambda: _listens(self.socket_path), "redis-server")

    def connect(self, **options: Any) -> redis.Redis:
        return redis.Redis(unix_socket_path=str(self.socket_path), **options)

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(START_SECONDS)


class Segments:
    """An arena that no daemon ever saw."""

    def __init__(self, data_bytes: int = 8 << 20, **options: Any) -> None:
        self.name = unique_name()
        self._data_bytes, self._options = data_bytes, options
        self.create()

    def create(self) -> None:
        create_segments(self.name, self._data_bytes, **self._options).close()

    def unlink(self) -> None:
        unlink_segments(self.name)
