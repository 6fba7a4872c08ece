"""What the workers of Celery and RQ run; a module of its own, since they import it by name."""

from __future__ import annotations

import os
import signal
from typing import Any

from celery import Celery

SOCKET = os.environ.get("ECOSYSTEM_SOCKET", "")

app = Celery("jobs")
app.conf.update(
    broker_url=f"redis+socket://{SOCKET}?virtual_host=1",
    result_backend=f"redis+socket://{SOCKET}?virtual_host=2",
    broker_connection_retry_on_startup=False,
    broker_transport_options={"visibility_timeout": 2, "unacked_restore_limit": 100},
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
)


@app.task  # type: ignore[untyped-decorator]
def add(a: int, b: int) -> int:
    return a + b


@app.task  # type: ignore[untyped-decorator]
def total(numbers: list[int]) -> int:
    return sum(numbers)


@app.task(bind=True, max_retries=3)  # type: ignore[untyped-decorator]
def fail_twice(self: Any) -> int:
    if self.request.retries < 2:
        raise self.retry(countdown=0)
    return int(self.request.retries)


@app.task(bind=True)  # type: ignore[untyped-decorator]
def report(self: Any) -> str:
    self.update_state(state="PROGRESS", meta={"done": 1})
    raise ValueError("on purpose")


def multiply(a: int, b: int) -> int:
    """A job of RQ's."""
    return a * b


def fail() -> None:
    """One that raises."""
    raise ValueError("on purpose")


def die() -> None:
    """One that takes its process with it."""
    os.kill(os.getpid(), signal.SIGKILL)
