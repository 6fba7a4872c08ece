"""What the front-end tells its own parts of changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from server.inside import Stage, play
from shmcache.server.changes import EVERY_DB, Change

if TYPE_CHECKING:
    import pytest

    from shmcache.arena import Arena


def told_of(arena: Arena, *commands: str) -> tuple[list[tuple[int, bytes, str]], list[str]]:
    """The changes that a client's commands make, and what else the listener heard."""
    heard: list[Change] = []
    other: list[str] = []

    async def scene(stage: Stage) -> None:
        changes = stage.server.changes
        peer = await stage.connect()
        await stage.loop.sock_sendall(peer, b"SET before 1\r\n")
        assert await stage.loop.sock_recv(peer, 100) == b"+OK\r\n"
        assert not changes.wanted
        changes.listen(
            heard.append,
            on_lost=lambda: other.append("lost"),
            on_drained=lambda: other.append("drained"),
        )
        assert changes.wanted
        assert stage.server.frontend.native_allowed
        for line in commands:
            await stage.loop.sock_sendall(peer, line.encode() + b"\r\n")
            assert not (await stage.loop.sock_recv(peer, 100)).startswith(b"-ERR unknown")
        changes.ignore(heard.append)
        changes.ignore(heard.append)
        assert stage.server.frontend.native_allowed
        await stage.loop.sock_sendall(peer, b"SET after 1\r\n")
        assert await stage.loop.sock_recv(peer, 100) == b"+OK\r\n"
        peer.close()

    play(arena, scene)
    assert all(change.local for change in heard)
    return [(change.db, change.key, change.event) for change in heard], other


def test_keys_of_writes(arena: Arena) -> None:
    changes, other = told_of(
        arena, "SET a 1", "GET a", "RPUSH l x", "SELECT 3", "MSET b 1 c 2", "RENAME b d"
    )
    assert [change[:2] for change in changes] == [
        (0, b"a"),
        (0, b"l"),
        (3, b"b"),
        (3, b"c"),
        (3, b"b"),
        (3, b"d"),
    ]
    assert other == ["drained"] * 4


def test_a_transaction_is_told_as_one(arena: Arena) -> None:
    changes, other = told_of(arena, "MULTI", "RPUSH a x", "SELECT 1", "SET b 1", "EXEC")
    assert [change[:2] for change in changes] == [(0, b"a"), (1, b"b")]
    assert other == ["drained"]


def test_whole_databases(arena: Arena) -> None:
    changes, _ = told_of(arena, "SELECT 2", "FLUSHDB", "SWAPDB 1 4", "FLUSHALL", "SWAPDB x y")
    assert changes == [
        (2, b"", "flushdb"),
        (1, b"", "swapdb"),
        (4, b"", "swapdb"),
        (EVERY_DB, b"", "flushall"),
    ]


def test_keys_that_the_words_do_not_tell(arena: Arena) -> None:
    changes, other = told_of(arena, "SET a 1", "COPY a b DB 2", "DEL missing")
    assert changes == [(0, b"a", "set"), (2, b"b", "copy_to")]
    assert other == ["drained", "drained"]


def test_more_than_the_feed_holds_is_told_as_lost(arena: Arena) -> None:
    heard: list[bytes] = []
    lost: list[bool] = []

    async def scene(stage: Stage) -> None:
        stage.server.changes.listen(
            lambda change: heard.append(change.key), on_lost=lambda: lost.append(True)
        )
        for _ in range(50_000):  # by this process, but not by a command
            arena.set(0, b"a", b"1")
        assert await stage.ask(await stage.connect(), "SET", "last", "1") == b"+OK\r\n"
        assert lost
        assert heard[-1] == b"last"

    play(arena, scene)


def test_a_listener_may_run_commands(arena: Arena, caplog: pytest.LogCaptureFixture) -> None:
    """What it changes is told in the next round; its failure stops nobody."""
    heard: list[bytes] = []

    async def scene(stage: Stage) -> None:
        server = stage.server

        def copy() -> None:
            client = server.current
            if client is not None and heard[-1] != b"copy":
                words = [b"SET", b"copy", b"1"]
                server.run(client, server.dispatcher.lookup(words), words)
                server.changes.drain()
                raise ZeroDivisionError

        server.changes.listen(lambda change: heard.append(change.key), on_drained=copy)
        assert await stage.ask(await stage.connect(), "SET", "a", "1") == b"+OK\r\n"
        assert heard == [b"a", b"copy"]
        assert server.current is None

    play(arena, scene)
    assert "ZeroDivisionError" in caplog.text
