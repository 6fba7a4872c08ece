"""Workers that wait for jobs are killed all the time: each job reaches one worker, once."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import redis
from supervisor.daemons import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from supervisor.daemons import DaemonProcess

WORKERS, KILLED, JOBS = 5, 2, 1000
DONE = b"done"

_WORKER = """
import sys, redis
client = redis.Redis(unix_socket_path=sys.argv[1])
while True:
    _key, job = client.blpop(["urgent", "jobs"])
    print(job.decode(), flush=True)
    if job == b"done":
        break
"""


@pytest.fixture
def start_workers() -> Iterator[Callable[[str], list[subprocess.Popen[bytes]]]]:
    started: list[subprocess.Popen[bytes]] = []

    def start(path: str) -> list[subprocess.Popen[bytes]]:
        command = [sys.executable, "-c", _WORKER, path]
        started.extend(subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(WORKERS))
        return started

    yield start
    for worker in started:
        worker.kill()
        worker.wait()


def outcome(worker: subprocess.Popen[bytes]) -> list[bytes]:
    """The jobs that a worker has told of."""
    output, _ = worker.communicate(timeout=30)
    return output.split()


def test_killed_workers(
    daemon: DaemonProcess, start_workers: Callable[[str], list[subprocess.Popen[bytes]]]
) -> None:
    """A killed worker takes at most the one job with it that it had been given."""
    path = daemon.start().socket
    workers = start_workers(path)
    with redis.Redis(unix_socket_path=path) as client:
        eventually(lambda: client.info("clients")["blocked_clients"] == WORKERS)
        for number in range(JOBS):
            client.rpush("urgent" if number % 3 else "jobs", number)
            if number % 400 == 200 and number // 400 < KILLED:
                workers[number // 400].send_signal(signal.SIGKILL)
        killed = [outcome(worker) for worker in workers[:KILLED]]
        for _ in workers[KILLED:]:
            client.rpush("jobs", DONE)
        survivors = [outcome(worker) for worker in workers[KILLED:]]
        assert all(told.count(DONE) == 1 for told in survivors)
        assert client.exists("urgent", "jobs") == 0
    told = [job for jobs in killed + survivors for job in jobs if job != DONE]
    assert len(told) == len(set(told))
    lost = {b"%d" % number for number in range(JOBS)} - set(told)
    assert len(lost) <= KILLED
