"""Celery: broker and result store on one Unix socket."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from celery import chain, chord, group

if TYPE_CHECKING:
    from collections.abc import Iterator

TASKS = "ecosystem.jobs"
PATIENCE_SECONDS = 60.0


@pytest.fixture(scope="module")
def jobs(server_path: str) -> Iterator[Any]:
    """The task module, bound to the server, while a worker runs."""
    os.environ["ECOSYSTEM_SOCKET"] = server_path
    sys.modules.pop(TASKS, None)  # it binds its app when it is imported
    module = importlib.import_module(TASKS)
    command = [sys.executable, "-m", "celery", "-A", TASKS, "worker", "--concurrency", "2"]
    command += ["--without-mingle", "--loglevel", "WARNING"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    worker = subprocess.Popen(command, env=environment)
    yield module
    worker.terminate()
    try:
        worker.wait(PATIENCE_SECONDS)
    finally:
        worker.kill()
    module.app.close()


def test_one_task(jobs: Any) -> None:
    assert jobs.add.delay(2, 3).get(timeout=PATIENCE_SECONDS) == 5


def test_group_chain_and_chord(jobs: Any) -> None:
    pairs = group(jobs.add.s(number, number) for number in range(10))
    assert pairs().get(timeout=PATIENCE_SECONDS) == [2 * number for number in range(10)]
    assert chain(jobs.add.s(1, 2), jobs.add.s(10))().get(timeout=PATIENCE_SECONDS) == 13
    assert chord(pairs, jobs.total.s())().get(timeout=PATIENCE_SECONDS) == 90


def test_retries_and_delays(jobs: Any) -> None:
    assert jobs.fail_twice.delay().get(timeout=PATIENCE_SECONDS) == 2
    assert jobs.add.apply_async((1, 1), countdown=0.2).get(timeout=PATIENCE_SECONDS) == 2


def test_failure_reaches_the_caller(jobs: Any) -> None:
    with pytest.raises(ValueError, match="on purpose"):
        jobs.report.delay().get(timeout=PATIENCE_SECONDS)


def test_remote_control_by_pub_sub(jobs: Any) -> None:
    jobs.add.delay(0, 0).get(timeout=PATIENCE_SECONDS)  # the worker is up
    answers = jobs.app.control.ping(timeout=10.0, limit=1)
    assert [list(answer.values()) for answer in answers] == [[{"ok": "pong"}]]
