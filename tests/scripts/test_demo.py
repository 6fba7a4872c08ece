"""The main job: its parts alone, and all of it end to end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from demo.catalogue import Catalogue, build_catalogue
from demo.figures import quantile_ns
from demo.load import drive
from support.terminal import Progress

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 90


def test_the_catalogue_is_the_same_each_time(tmp_path: Path) -> None:
    numbers = [3, 7, 7, 2_000_000_000]
    assert build_catalogue(tmp_path / "a.db", numbers)[0] == 3
    build_catalogue(tmp_path / "b.db", reversed(numbers))
    first, second = Catalogue(tmp_path / "a.db"), Catalogue(tmp_path / "b.db")
    for number in numbers:
        page = first.product_page(number)
        assert page is not None
        assert b"<h1>" in page
        assert page == second.product_page(number)
    assert first.product_page(4) is None


def test_quantiles_come_from_the_right_bucket() -> None:
    assert quantile_ns([0] * 40, 0.5) is None
    counts = [0] * 40
    counts[20], counts[30] = 90, 10  # four buckets to a factor of two: 32 ns and 181 ns
    assert 32 <= (quantile_ns(counts, 0.5) or 0) < 39
    assert 181 <= (quantile_ns(counts, 0.95) or 0) < 216


ANSWERS = {
    "/product/1": b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
    "/product/2": b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
    "/product/3": b"",  # hangs up
    "/product/4": b"nonsense\r\n\r\n",
}


def test_the_load_counts_answers_and_failures() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError):
            while answer := ANSWERS[(await reader.readuntil(b"\r\n\r\n")).split()[1].decode()]:
                writer.write(answer)
        writer.close()

    async def run() -> tuple[int, int]:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            address = server.sockets[0].getsockname()[:2]
            numbers = [1] * 50 + [2] * 3 + [3] * 2 + [4] + [1] * 50
            load = await drive(address, numbers, 4, Progress("", 1))
        assert load.percentile(50) <= load.percentile(99)
        return len(load.latencies), load.failures

    assert asyncio.run(run()) == (100, 6)


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT / "scripts")}


def _left_behind(pid: int) -> list[str]:
    return [path.name for path in Path("/dev/shm").glob(f"shmcache.run-{pid}.*")]


def test_the_main_job_once() -> None:
    job = subprocess.Popen(
        [sys.executable, "-m", "demo", "--once", "--requests", "3000", "--workers", "2"],
        env=_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    output, errors = job.communicate(timeout=PATIENCE_SECONDS)
    assert job.returncode == 0, output + errors
    assert re.search(r"hit ratio +[1-9]", output)
    assert re.search(r"reads that never left the worker +100", output)
    assert re.search(r"latency of a request +p50 .* p95 .* p99", output)
    assert not _left_behind(job.pid)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """The main job after its load, and the address it serves."""
    log = tmp_path / "log"
    with log.open("wb") as output:
        job = subprocess.Popen(
            [sys.executable, "-m", "demo", "--requests", "100", "--workers", "2"],
            env={**_environment(), "TMPDIR": str(tmp_path)},
            stdout=output,
            stderr=output,
        )
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while b"Ctrl-C" not in log.read_bytes():
            assert job.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        address = re.search(r"live figures are at (\S+)", log.read_text())
        assert address is not None
        yield job, address[1]
    finally:
        job.terminate()
        job.wait(PATIENCE_SECONDS)


def _fetch(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=PATIENCE_SECONDS) as answer:
        body: bytes = answer.read()
    return body


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_main_job_and_leaves_nothing(
    running: tuple[subprocess.Popen[bytes], str], number: int, tmp_path: Path
) -> None:
    job, address = running
    assert json.loads(_fetch(f"{address}figures.json"))["reads"] == 100
    family = psutil.Process(job.pid).children(recursive=True)
    assert len(family) >= 4  # gunicorn with two workers, the daemon
    job.send_signal(number)
    job.wait(PATIENCE_SECONDS)
    _, alive = psutil.wait_procs(family, timeout=10)
    assert not alive
    assert not _left_behind(job.pid)
    assert [path.name for path in tmp_path.iterdir()] == ["log"]


def test_the_page_goes_on_without_the_daemon(
    running: tuple[subprocess.Popen[bytes], str],
) -> None:
    job, address = running
    assert json.loads(_fetch(f"{address}figures.json"))["daemon"] is not None
    daemon = [
        child
        for child in psutil.Process(job.pid).children()
        if any("shmcached" in word for word in child.cmdline())
    ]
    assert len(daemon) == 1
    family = daemon + daemon[0].children(recursive=True)
    for process in family:
        process.kill()
    # killed, and not yet waited for by the main job: a zombie answers nothing
    psutil.wait_procs(family[1:], timeout=10)
    figures = json.loads(_fetch(f"{address}figures.json"))
    assert figures["daemon"] is None
    assert figures["reads"] == 100
    assert b"workers read on" in _fetch(address)
