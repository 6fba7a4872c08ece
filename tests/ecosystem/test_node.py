"""ioredis and BullMQ: what a program of theirs finds on redis-server, it finds on shmcache."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from server.processes import RedisServer
from supervisor.daemons import DaemonProcess

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent / "node"
LIMIT_SECONDS = 120


@pytest.fixture(scope="module")
def node() -> str:
    """The interpreter, its packages installed by scripts/test."""
    program = shutil.which("node")
    if program is None or not (HERE / "node_modules").is_dir():
        if os.environ.get("CI") == "true":
            pytest.fail("node and its packages are needed here: scripts/test", pytrace=False)
        pytest.skip("node or its packages are not installed: ioredis and BullMQ are left out")
    return program


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The sockets of a redis-server and of a daemon of ours."""
    oracle = RedisServer(tmp_path_factory.mktemp("redis"))
    with DaemonProcess(tmp_path_factory.mktemp("daemon")) as daemon:
        daemon.start("--maxmemory", "64mb")
        yield oracle.path, daemon.socket
    oracle.close()


def findings(node: str, program: str, path: str) -> dict[str, Any]:
    done = subprocess.run(
        [node, program, path],
        cwd=HERE,
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return dict(json.loads(done.stdout))


@pytest.mark.parametrize("program", ["ioredis.mjs", "bullmq.mjs"])
def test_finds_the_same(node: str, program: str, paths: tuple[str, str]) -> None:
    expected, found = (findings(node, program, path) for path in paths)
    assert found == expected
