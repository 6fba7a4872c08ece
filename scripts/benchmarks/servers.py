"""A redis-server of the benchmark's own, and redis-benchmark's figures."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

from support.daemon import answers
from support.processes import spawn, stop, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["redis_benchmark", "redis_server"]


@contextmanager
def redis_server(directory: Path) -> Iterator[Path | None]:
    """Run a redis-server without persistence; gives its socket, or None when none is installed."""
    command = shutil.which("redis-server")
    if command is None:
        yield None
        return
    path, log = directory / "redis.sock", directory / "redis.log"
    options = {"port": "0", "unixsocket": os.fspath(path), "save": "", "appendonly": "no"}
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    process = spawn([command, *words], log=log)
    try:
        wait_until(lambda: answers(path), process, "redis-server", log)
        yield path
    finally:
        stop(process)


def redis_benchmark(
    socket_path: Path, command: str, *, clients: int, pipeline: int, requests: int
) -> float:
    """Requests a second as redis-benchmark counts them.

    :raises subprocess.CalledProcessError: it failed, because the server did
    """
    done = subprocess.run(
        [
            *("redis-benchmark", "-s", os.fspath(socket_path), "-t", command, "--csv"),
            *("-c", str(clients), "-P", str(pipeline), "-n", str(requests)),
            # values of 100 bytes under 10,000 different keys, as in the other sections
            *("-d", "100", "-r", "10000"),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    rows = list(csv.DictReader(done.stdout.splitlines()))
    return float(rows[-1]["rps"])
