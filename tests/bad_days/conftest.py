"""Fixtures: a daemon that is not running yet, and one cache behind every door."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from supervisor.daemons import DaemonProcess

from bad_days.doors import Doors

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[DaemonProcess]:
    with DaemonProcess(tmp_path) as process:
        yield process


@pytest.fixture
def doors(daemon: DaemonProcess) -> Iterator[Doors]:
    """The doors to a cache of 1 MB."""
    with Doors(daemon.start("--maxmemory", "1mb")) as doors:
        yield doors
