"""Fixtures: a daemon that is not running yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from supervisor.daemons import DaemonProcess

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[DaemonProcess]:
    with DaemonProcess(tmp_path) as process:
        yield process
