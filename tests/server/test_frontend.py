"""The inner loop alone, with handlers of the test's own."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeAlias

import pytest
import uvloop

from server.wire import request
from shmcache.server._frontend import NATIVE_NAMES, CommandStats, Connection, Frontend

Handler: TypeAlias = Callable[[Any, Sequence[bytes]], CommandStats | None]
Scene: TypeAlias = Callable[["Stage"], Coroutine[Any, Any, None]]


class Stage:
    """A Frontend without an arena and one connection to it."""

    def __init__(self, loop: asyncio.AbstractEventLoop, handler: Handler) -> None:
        self.loop = loop
        self.closed: list[str | None] = []
        self.errors: list[Exception] = []
        self.stats = {name: CommandStats(name) for name in NATIVE_NAMES}
        self.frontend = Frontend(loop, None, handler, self._error_line, self._on_closed, self.stats)
        self.peer, self.connection = self.connect()

    def connect(self) -> tuple[socket.socket, Connection]:
        peer, ours = socket.socketpair()
        peer.setblocking(False)
        connection = Connection(self.frontend, ours.detach())
        connection.client = connection
        self.frontend.add(connection)
        return peer, connection

    async def receive(self, length: int) -> bytes:
        """So many bytes, or fewer when it is closed."""
        received = b""
        while len(received) < length:
            part = await self.loop.sock_recv(self.peer, length - len(received))
            if not part:
                break
            received += part
        return received

    def _error_line(self, _client: Any, _stats: CommandStats | None, error: Exception) -> bytes:
        self.errors.append(error)
        return b"-ERR oops\r\n"

    def _on_closed(self, _client: Any, reason: str | None) -> None:
        self.closed.append(reason)
        if reason == "eof":
            raise RuntimeError("a handler of ours is broken")


def play(scene: Scene, handler: Handler) -> Stage:
    """Run a scene on uvloop."""
    kept: list[Stage] = []

    async def run() -> None:
        stage = Stage(asyncio.get_running_loop(), handler)
        kept.append(stage)
        try:
            await asyncio.wait_for(scene(stage), 20)
        finally:
            stage.frontend.stop()
            stage.peer.close()

    uvloop.run(run())
    return kept[0]


def echo(client: Connection, words: Sequence[bytes]) -> None:
    client.write(b"%d\r\n" % len(words))


def test_a_failing_handler_is_answered_for() -> None:
    """The client gets an error, the log the reason, and the loop goes on."""

    def handler(client: Connection, words: Sequence[bytes]) -> CommandStats | None:
        if words[0] == b"FAIL":
            raise ZeroDivisionError
        client.write(b"+%b\r\n" % words[0])
        return None

    async def scene(stage: Stage) -> None:
        stage.peer.send(request("A") + request("FAIL") + request("B"))
        wanted = b"+A\r\n-ERR oops\r\n+B\r\n"
        assert await stage.receive(len(wanted)) == wanted

    stage = play(scene, handler)
    assert [type(error) for error in stage.errors] == [ZeroDivisionError]


def test_broken_bookkeeping_does_not_stop_it(caplog: pytest.LogCaptureFixture) -> None:
    async def scene(stage: Stage) -> None:
        other, _ = stage.connect()
        other.close()
        while not stage.closed:
            await asyncio.sleep(0)
        stage.peer.send(request("A", "B"))
        assert await stage.receive(3) == b"2\r\n"

    play(scene, echo)
    assert "a handler of ours is broken" in caplog.text


def test_writing_to_others() -> None:
    """From a handler and from outside; a closed connection takes no harm."""
    others: list[Connection] = []

    def handler(client: Connection, words: Sequence[bytes]) -> None:
        for other in others:
            other.write(words[0])
        client.write(b".")

    async def scene(stage: Stage) -> None:
        other, connection = stage.connect()
        others.append(connection)
        stage.peer.send(request("A") + request("B"))
        assert await stage.receive(2) == b".."
        connection.write(b"C")
        connection.close(after_replies=True)
        connection.write(b"D")
        received = b""
        while part := await stage.loop.sock_recv(other, 10):
            received += part
        assert received == b"ABC"
        assert connection.closed
        connection.write(b"E")
        connection.close()
        other.close()

    stage = play(scene, handler)
    assert stage.closed == [None, None]


def test_closing_each_other_in_one_wake_up() -> None:
    """Whoever is served first closes the rest, whose events are at hand already."""
    peers: list[tuple[socket.socket, Connection]] = []

    def handler(client: Connection, _words: Sequence[bytes]) -> None:
        for _peer, connection in peers:
            if connection is not client:
                connection.close()
        client.write(b"+last\r\n")

    async def scene(stage: Stage) -> None:
        peers.extend(stage.connect() for _ in range(100))
        for peer, _ in peers:
            peer.send(request("KILL"))
        while len(stage.closed) < 99:
            await asyncio.sleep(0)
        (left,) = [peer for peer, connection in peers if not connection.closed]
        assert await stage.loop.sock_recv(left, 100) == b"+last\r\n"
        for peer, _ in peers:
            peer.close()

    play(scene, handler)


def test_output_that_waits_is_counted_and_arrives() -> None:
    reply = bytes(range(256)) * 8192

    def handler(client: Connection, _words: Sequence[bytes]) -> None:
        client.write(reply)

    async def scene(stage: Stage) -> None:
        stage.peer.send(request("A") * 3)
        while not stage.connection.waiting_bytes:
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert stage.connection.events == "rw"
        assert stage.frontend.waiting == {stage.connection}
        assert stage.connection.waiting_bytes <= 3 * len(reply)
        assert await stage.receive(3 * len(reply)) == reply * 3
        while stage.connection.waiting_capacity:
            await asyncio.sleep(0)
        assert stage.connection.events == "r"
        assert not stage.frontend.waiting
        assert stage.frontend.sent_bytes == 3 * len(reply)

    play(scene, handler)


def test_statistics_of_calls() -> None:
    stats = CommandStats("x")
    for nanoseconds in (500, 1000, 1000, 1_000_000, -1, 1 << 60):
        stats.record(nanoseconds)
    assert stats.calls == 6
    assert 1.0 <= stats.percentile_us(50) <= 1.07
    assert 1000 <= stats.percentile_us(80) <= 1070
    assert stats.percentile_us(100) > 1_000_000
    stats.reset()
    assert (stats.calls, stats.nanoseconds, stats.percentile_us(99)) == (0, 0, 0.0)


def test_an_unusable_descriptor_is_refused() -> None:
    async def scene(stage: Stage) -> None:
        connection = Connection(stage.frontend, 9999)
        with pytest.raises(OSError, match="Bad file descriptor"):
            stage.frontend.add(connection)

    play(scene, echo)


def test_native_commands_may_be_forbidden() -> None:
    async def scene(stage: Stage) -> None:
        stage.connection.native = True
        stage.peer.send(request("PING"))
        assert await stage.receive(7) == b"+PONG\r\n"
        stage.frontend.native_allowed = False
        stage.peer.send(request("PING", "x"))
        assert await stage.receive(3) == b"2\r\n"
        stage.frontend.native_allowed = True
        stage.peer.send(request("PING"))
        assert await stage.receive(7) == b"+PONG\r\n"

    play(scene, echo)


def test_after_every_command(caplog: pytest.LogCaptureFixture) -> None:
    """The function hears of native commands and others, each before the next; it may fail."""
    seen: list[tuple[Any, bytes]] = []

    async def scene(stage: Stage) -> None:
        def after() -> None:
            client = stage.frontend.current_client
            seen.append((client, b"%d" % stage.frontend.commands))
            client.write(b".")
            if len(seen) == 3:
                raise ZeroDivisionError

        stage.connection.native = True
        stage.frontend.after_command = after
        stage.peer.send(request("PING") + request("X") + request("PING"))
        wanted = b"+PONG\r\n.1\r\n.+PONG\r\n."
        assert await stage.receive(len(wanted)) == wanted
        assert seen == [(stage.connection, number) for number in (b"1", b"1", b"2")]
        assert stage.frontend.current_client is None

    play(scene, echo)
    assert "ZeroDivisionError" in caplog.text


def test_slow_commands_are_told() -> None:
    told: list[tuple[list[bytes], str]] = []
    stats = CommandStats("x")

    def handler(client: Connection, _words: Sequence[bytes]) -> CommandStats:
        client.write(b".")
        return stats

    async def scene(stage: Stage) -> None:
        frontend = stage.frontend

        def on_slow(_client: Any, words: list[bytes], spent_ns: int, stats: CommandStats) -> None:
            assert spent_ns >= frontend.slow_ns
            told.append((words, stats.name))

        async def ask() -> None:
            stage.peer.send(request("PING") + request("X", "y"))
            assert await stage.receive(8) == b"+PONG\r\n."

        assert frontend.slow_ns == -1
        stage.connection.native = True
        await ask()
        frontend.on_slow = on_slow
        await ask()
        frontend.slow_ns = 0
        await ask()
        frontend.count(None, [b"Z"], 0, stats)
        frontend.slow_ns = 60 * 10**9
        await ask()
        frontend.count(None, [b"Z"], 60 * 10**9 - 1, stats)
        frontend.count(None, [b"Z"], 60 * 10**9, stats)

    play(scene, handler)
    assert told == [([b"PING"], "ping"), ([b"X", b"y"], "x"), ([b"Z"], "x"), ([b"Z"], "x")]
    assert stats.calls == 7


def blocking(client: Connection, words: Sequence[bytes]) -> None:
    """STOP is answered by whoever unblocks."""
    if words[0] == b"STOP":
        client.blocked = True
    else:
        client.write(b"%b;" % words[0])


def test_a_blocked_connection_runs_nothing() -> None:
    """Neither what came with the request nor what comes later; then all of it, in order."""

    async def scene(stage: Stage) -> None:
        connection = stage.connection
        connection.native = True
        stage.peer.send(request("A") + request("STOP") + request("B") + request("PING"))
        assert await stage.receive(2) == b"A;"
        kept = connection.query_bytes
        assert kept == len(request("B") + request("PING"))
        half = len(request("C")) // 2
        stage.peer.send(request("C")[:half])
        while connection.query_bytes == kept:
            await asyncio.sleep(0)
        connection.write(b"served;")
        connection.unblock()
        connection.unblock()
        wanted = b"served;B;+PONG\r\n"
        assert await stage.receive(len(wanted)) == wanted
        stage.peer.send(request("C")[half:])
        assert await stage.receive(2) == b"C;"

    play(scene, blocking)


def test_unblocked_by_another_client() -> None:
    """What waited runs in the same wake-up, behind the other's own requests."""
    order: list[bytes] = []

    async def scene(stage: Stage) -> None:
        peer, other = stage.connect()
        stage.peer.send(request("STOP") + request("after"))
        while not stage.connection.blocked:
            await asyncio.sleep(0)
        peer.send(request("FREE") + request("more"))
        assert await stage.receive(6) == b"after;"
        assert order == [b"STOP", b"FREE", b"more", b"after"]
        other.close()
        other.unblock()
        peer.close()

    def handler(client: Connection, words: Sequence[bytes]) -> None:
        order.append(words[0])
        if words[0] == b"FREE":
            for connection in stages[0].frontend.connections.values():
                connection.unblock()
        else:
            blocking(client, words)

    stages: list[Stage] = []

    async def kept_scene(stage: Stage) -> None:
        stages.append(stage)
        await scene(stage)

    play(kept_scene, handler)


@pytest.mark.parametrize("more", [b"", request("B")])
def test_the_end_of_a_blocked_client_is_noticed(more: bytes) -> None:
    async def scene(stage: Stage) -> None:
        peer, connection = stage.connect()
        peer.send(request("STOP") + more)
        while not connection.blocked:
            await asyncio.sleep(0)
        peer.close()
        while not connection.closed:
            await asyncio.sleep(0)
        connection.unblock()
        await asyncio.sleep(0)
        assert stage.closed == ["eof"]

    play(scene, blocking)


def test_a_blocked_client_may_not_send_for_ever() -> None:
    async def scene(stage: Stage) -> None:
        stage.frontend.query_limit_bytes = 100_000
        stage.peer.send(request("STOP"))
        with contextlib.suppress(ConnectionError):
            while True:
                await stage.loop.sock_sendall(stage.peer, request("B" * 1000))
        assert stage.closed == ["query limit"]

    play(scene, blocking)
