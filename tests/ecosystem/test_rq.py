"""RQ: queues, workers that fork, results as streams."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import redis
from rq import Queue, Worker
from rq.job import Dependency, JobStatus
from rq.registry import FailedJobRegistry, ScheduledJobRegistry

if TYPE_CHECKING:
    from collections.abc import Iterator

TASKS = "ecosystem.jobs"


@pytest.fixture
def queue(path: str) -> Iterator[Queue]:
    with redis.Redis(unix_socket_path=path) as connection:
        yield Queue(connection=connection)


def work(queue: Queue) -> None:
    """Fork a child for each waiting job, until none waits."""
    Worker([queue], connection=queue.connection).work(burst=True, logging_level="ERROR")


def test_jobs_and_their_results(queue: Queue) -> None:
    jobs = [queue.enqueue(f"{TASKS}.multiply", number, 2) for number in range(5)]
    after = queue.enqueue(f"{TASKS}.multiply", 7, 7, depends_on=Dependency(jobs=jobs))
    assert queue.count == 5
    work(queue)
    assert [job.return_value() for job in jobs] == [0, 2, 4, 6, 8]
    assert after.return_value() == 49
    assert after.get_status() == JobStatus.FINISHED


def test_failures_are_kept(queue: Queue) -> None:
    job = queue.enqueue(f"{TASKS}.fail")
    work(queue)
    assert job.get_status(refresh=True) == JobStatus.FAILED
    result = job.latest_result()
    assert result is not None
    assert "on purpose" in (result.exc_string or "")
    assert job.id in FailedJobRegistry(queue=queue).get_job_ids()
    assert job.requeue().get_status() == JobStatus.QUEUED


def test_a_killed_job_fails(queue: Queue) -> None:
    job = queue.enqueue(f"{TASKS}.die")
    work(queue)
    assert job.get_status(refresh=True) == JobStatus.FAILED


def test_scheduled_jobs(queue: Queue) -> None:
    later = queue.enqueue_in(timedelta(hours=1), f"{TASKS}.multiply", 1, 1)
    registry = ScheduledJobRegistry(queue=queue)  # type: ignore[no-untyped-call]
    assert later.id in registry
    assert registry.get_scheduled_time(later) > datetime.now(UTC)
    later.cancel()
    assert later.get_status() == JobStatus.CANCELED
