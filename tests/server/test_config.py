"""CONFIG, and that what it sets has an effect."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from server.processes import FrontEnd
    from server.wire import Wire


def shown(wire: Wire, name: str) -> str:
    return wire.run("CONFIG", "GET", name).split(b"\r\n")[4].decode()


def test_every_option_of_redis_is_there(front_end: FrontEnd, client: Wire) -> None:
    reply = client.run("CONFIG", "GET", "*")
    assert reply.startswith(b"*")
    names = set(reply.split(b"\r\n")[2::4])
    assert {b"maxmemory", b"save", b"appendonly", b"slave-priority", b"replica-priority"} <= names


def test_several_options_or_none(client: Wire) -> None:
    before = shown(client, "timeout")
    reply = client.run("CONFIG", "SET", "timeout", "77", "maxmemory", "1tb")
    assert reply.startswith(b"-ERR CONFIG SET failed (possibly related to argument 'maxmemory')")
    assert shown(client, "timeout") == before
    assert client.run("CONFIG", "SET", "timeout", "77", "hz", "20") == b"+OK\r\n"
    assert (shown(client, "timeout"), shown(client, "hz")) == ("77", "20")
    assert client.run("CONFIG", "SET", "timeout", "0", "hz", "10") == b"+OK\r\n"


def test_the_supervisor_is_told(start_front_end: Callable[..., FrontEnd]) -> None:
    front_end = start_front_end()
    with front_end.connect() as wire:
        wire.run("CONFIG", "SET", "timeout", "5", "MAXMEMORY-policy", "allkeys-lru")
        message = front_end.next_message()
    assert message == {
        "event": "config",
        "options": {"timeout": "5", "maxmemory-policy": "allkeys-lru"},
    }


def test_the_supervisor_may_reload(start_front_end: Callable[..., FrontEnd]) -> None:
    front_end = start_front_end()
    with front_end.connect() as wire:
        front_end.send({"command": "reload", "options": {"maxclients": "50", "hz": "frog"}})
        while shown(wire, "maxclients") != "50":
            pass
        assert "maxclients:50" in wire.text("INFO", "clients")
        assert wire.run("PING") == b"+PONG\r\n"


def test_policy_and_limit_reach_the_arena(start_front_end: Callable[..., FrontEnd]) -> None:
    front_end = start_front_end(maxmemory="1mb")
    with front_end.connect() as wire:
        value = b"x" * 1000
        replies = [wire.run("SET", f"k{n}", value) for n in range(2000)]
        assert replies[0] == b"+OK\r\n"
        assert replies[-1] == (b"-OOM command not allowed when used memory > 'maxmemory'.\r\n")
        assert wire.run("CONFIG", "SET", "maxmemory-policy", "allkeys-lru") == b"+OK\r\n"
        assert wire.run("SET", "more", value) == b"+OK\r\n"
        assert "evicted_keys:0" not in wire.text("INFO", "stats")
        wire.run("CONFIG", "RESETSTAT")
        stats = wire.text("INFO", "stats").split("\r\n")
        assert "total_connections_received:0" in stats
        assert "total_error_replies:0" in stats


def test_bulk_limit(start_front_end: Callable[..., FrontEnd]) -> None:
    front_end = start_front_end(proto_max_bulk_len="1mb")
    with front_end.connect() as wire, front_end.connect() as other:
        wire.run("SET", "k", b"x" * 1_000_000)
        assert wire.run("APPEND", "k", b"x" * 100_000).startswith(b"-ERR string exceeds maximum")
        wire.send(b"*2\r\n$3\r\nGET\r\n$1048577\r\n")
        assert wire.reply() == b"-ERR Protocol error: invalid bulk length\r\n"
        assert wire.is_closed()
        assert other.run("CONFIG", "SET", "proto-max-bulk-len", "2mb") == b"+OK\r\n"
        assert other.run("APPEND", "k", b"x" * 100_000) == b":1100000\r\n"


def test_rewrite(start_front_end: Callable[..., FrontEnd], tmp_path: Path) -> None:
    path = tmp_path / "test.conf"
    path.write_text("# mine\ntimeout 10\n")
    front_end = start_front_end(config_file=path, timeout="10")
    with front_end.connect() as wire:
        wire.run("CONFIG", "SET", "timeout", "20")
        assert wire.run("CONFIG", "REWRITE") == b"+OK\r\n"
        assert path.read_text().startswith("# mine\ntimeout 20\n")


def test_rewrite_without_a_file(client: Wire) -> None:
    reply = client.run("CONFIG", "REWRITE")
    assert reply == b"-ERR The server is running without a config file\r\n"


def test_rewrite_in_a_directory_that_is_gone(
    start_front_end: Callable[..., FrontEnd], tmp_path: Path
) -> None:
    front_end = start_front_end(config_file=tmp_path / "nowhere" / "test.conf")
    with front_end.connect() as wire:
        reply = wire.run("CONFIG", "REWRITE")
        assert reply == b"-ERR Rewriting config file: No such file or directory\r\n"


@pytest.mark.parametrize("option", ["port", "bind", "unixsocket", "databases", "name"])
def test_what_needs_a_restart(client: Wire, option: str) -> None:
    reply = client.run("CONFIG", "SET", option, "1")
    assert (
        reply
        == (
            f"-ERR CONFIG SET failed (possibly related to argument '{option}') - "
            "can't set immutable config\r\n"
        ).encode()
    )


def test_databases(start_front_end: Callable[..., FrontEnd]) -> None:
    front_end = start_front_end(databases="2")
    with front_end.connect() as wire:
        assert wire.run("SELECT", "1") == b"+OK\r\n"
        assert wire.run("SELECT", "2") == b"-ERR DB index is out of range\r\n"
