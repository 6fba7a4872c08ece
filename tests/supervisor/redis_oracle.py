"""A real redis-server to compare with."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REDIS_SERVER = shutil.which("redis-server")
needs_redis = pytest.mark.skipif(REDIS_SERVER is None, reason="no redis-server on this machine")


class RedisOracle:
    """Talks to one redis-server over its Unix socket, with just enough RESP2 for CONFIG."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(10)
        deadline = time.monotonic() + 10
        while True:
            try:
                self._socket.connect(str(path))
            except OSError:
                assert time.monotonic() < deadline, "redis-server does not come up"
                time.sleep(0.005)
            else:
                break
        self._file = self._socket.makefile("rb")

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def __call__(self, *words: str) -> Any:
        raw = [word.encode("utf-8", "surrogateescape") for word in words]
        request = b"*%d\r\n" % len(raw)
        request += b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in raw)
        self._socket.sendall(request)
        return self._reply()

    def _reply(self) -> Any:
        line = self._file.readline()[:-2]
        kind, rest = line[:1], line[1:].decode("utf-8", "surrogateescape")
        if kind == b"$":
            size = int(rest)
            data = self._file.read(size + 2)[:-2]
            return data.decode("utf-8", "surrogateescape")
        if kind == b"*":
            return [self._reply() for _ in range(int(rest))]
        return rest


@contextlib.contextmanager
def running_redis(directory: Path, config: str = "") -> Iterator[RedisOracle]:
    """Run a redis-server with a configuration file until the block ends."""
    assert REDIS_SERVER is not None
    path = directory / "redis.sock"
    file = directory / "redis.conf"
    if config:
        file.write_text(config, encoding="utf-8", errors="surrogateescape")
    arguments = [str(file)] if config else []
    arguments += ["--port", "0", "--unixsocket", str(path), "--enable-protected-configs", "yes"]
    process = subprocess.Popen([REDIS_SERVER, *arguments], cwd=directory, stdout=subprocess.DEVNULL)
    try:
        oracle = RedisOracle(path)
        try:
            yield oracle
        finally:
            oracle.close()
    finally:
        process.kill()
        process.wait()
        path.unlink(missing_ok=True)


def redis_complaint(directory: Path, line: str) -> str | None:
    """Return what redis-server says about a configuration line, None if it takes it."""
    assert REDIS_SERVER is not None
    file = directory / "one-line.conf"
    # the second line is always wrong, so that the server never gets to run
    file.write_bytes(line.encode("utf-8", "surrogateescape") + b"\nno-such-option 1\n")
    result = subprocess.run(
        [REDIS_SERVER, str(file)], cwd=directory, capture_output=True, timeout=10, check=False
    )
    lines = (result.stdout + result.stderr).decode("utf-8", "replace").splitlines()
    for index, text in enumerate(lines):
        if text.startswith("Reading the configuration file, at line 1"):
            return lines[index + 2]
        if text.startswith("Reading the configuration file, at line 2"):
            return None
    raise AssertionError(lines)
