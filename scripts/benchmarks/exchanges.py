"""Fixed bytes out, fixed bytes back, over many connections: a load that costs its driver little.

redis-benchmark sends single commands; what takes several (MULTI ... EXEC) is driven from here.
"""

from __future__ import annotations

import os
import select
import socket
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["encode", "exchanges_per_second"]

_PATIENCE_MS = 10_000
_RECEIVE_BYTES = 1 << 16


def encode(*words: bytes) -> bytes:
    """A command as clients send it."""
    parts = [b"*%d\r\n" % len(words)]
    parts += [b"$%d\r\n%s\r\n" % (len(word), word) for word in words]
    return b"".join(parts)


def exchanges_per_second(
    path: Path, requests: Sequence[bytes], reply: bytes, *, clients: int, count: int
) -> float:
    """Send a request on each connection, the next one when its whole reply has come.

    :param requests: sent turn by turn
    :param reply: what each of them is answered
    :param count: how many are sent in all
    :raises RuntimeError: another reply, or none within ten seconds
    """
    with ExitStack() as stack:
        poll = stack.enter_context(select.epoll())
        connections: dict[int, socket.socket] = {}
        for _ in range(clients):
            connection = stack.enter_context(socket.socket(socket.AF_UNIX))
            connection.connect(os.fspath(path))
            poll.register(connection, select.EPOLLIN)
            connections[connection.fileno()] = connection
        started = time.perf_counter()
        _drive(poll, connections, requests, reply, count)
        return count / (time.perf_counter() - started)


def _drive(
    poll: select.epoll,
    connections: dict[int, socket.socket],
    requests: Sequence[bytes],
    reply: bytes,
    count: int,
) -> None:
    missing = dict.fromkeys(connections, b"")
    sent = done = 0
    for connection in connections.values():
        connection.sendall(requests[sent % len(requests)])
        sent += 1
    while done < count:
        ready = poll.poll(_PATIENCE_MS / 1000)
        if not ready:
            raise RuntimeError("the server stopped answering")
        for number, _ in ready:
            received = missing[number] + connections[number].recv(_RECEIVE_BYTES)
            if received == reply:
                done += 1
                received = b""
                connections[number].sendall(requests[sent % len(requests)])
                sent += 1
            elif not reply.startswith(received) or not received:
                raise RuntimeError(f"an unexpected reply: {received[:200]!r}")
            missing[number] = received
