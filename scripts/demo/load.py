"""The load: visitors on keep-alive connections who ask for the products of an access sequence."""

from __future__ import annotations

import asyncio
import re
from array import array
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from support.terminal import Progress

__all__ = ["LoadResult", "drive", "fetch"]

_REQUESTS_PER_CONNECTION = 50  # a visitor leaves and another comes, maybe to another worker
_PATIENCE_SECONDS = 30.0
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})")
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)

Address = tuple[str, int]


class LoadResult(NamedTuple):
    """What the visitors saw."""

    latencies: array[float]
    """Seconds from sending a request to the last byte of its answer, one an answered request."""
    failures: int
    """Requests without an answer, or with another status than 200."""
    seconds: float

    def percentile(self, percent: float) -> float:
        """Latency in seconds that `percent` of the requests did not exceed."""
        ordered = sorted(self.latencies)
        return ordered[min(int(len(ordered) * percent / 100), len(ordered) - 1)]


class _Connection:
    """One keep-alive connection, opened when first used."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._used = 0

    async def get(self, path: str) -> tuple[int, bytes]:
        """Status and body.

        :raises OSError: refused, closed, or no answer in time
        """
        if self._streams is None or self._used == _REQUESTS_PER_CONNECTION:
            self.close()
            self._streams = await asyncio.open_connection(*self._address)
            self._used = 0
        reader, writer = self._streams
        self._used += 1
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {self._address[0]}\r\n\r\n".encode())
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
                status, length = _STATUS.match(head), _LENGTH.search(head)
                if status is None or length is None:
                    raise ConnectionError(f"not an HTTP answer: {head[:80]!r}")
                body = await reader.readexactly(int(length[1]))
        except (OSError, EOFError, TimeoutError) as error:
            self.close()
            raise ConnectionError(f"no answer to {path}: {error!r}") from error
        return int(status[1]), body

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def fetch(address: Address, path: str) -> tuple[int, bytes]:
    """One request on a connection of its own.

    :raises OSError: no answer
    """
    connection = _Connection(address)
    try:
        return await connection.get(path)
    finally:
        connection.close()


async def drive(
    address: Address, numbers: Sequence[int], visitors: int, progress: Progress
) -> LoadResult:
    """Ask for the products `numbers`, in this order, as fast as the visitors get answers.

    :param visitors: how many connections ask at the same time
    """
    latencies: array[float] = array("d")
    failures = 0
    waiting = iter(numbers)
    started = perf_counter()

    async def visit(waiting: Iterator[int]) -> None:
        nonlocal failures
        connection = _Connection(address)
        try:
            for number in waiting:
                sent = perf_counter()
                try:
                    status, _ = await connection.get(f"/product/{number}")
                except OSError:
                    status = 0
                if status == 200:
                    latencies.append(perf_counter() - sent)
                else:
                    failures += 1
                done = len(latencies) + failures
                progress.step(f"{done / (perf_counter() - started):,.0f} requests/s")
        finally:
            connection.close()

    async with asyncio.TaskGroup() as group:
        for _ in range(visitors):
            group.create_task(visit(waiting))
    return LoadResult(latencies, failures, perf_counter() - started)
