"""MONITOR: what redis-server shows, line by line, and to nobody's harm."""

from __future__ import annotations

import asyncio
import re
import time
from typing import TYPE_CHECKING

from server.inside import Stage, play
from server.wire import Wire, request

if TYPE_CHECKING:
    from collections.abc import Callable

    from server.processes import FrontEnd, RedisServer
    from shmcache.arena import Arena

SESSION: list[list[bytes]] = [
    [b"SET", b"a", b'x\x01\n\r\t\a\b\xc3\xa9 "\\~'],
    [b"get", b"a"],
    [b"GET"],
    [b"NOSUCH", b"x"],
    [b"MULTI"],
    [b"INCR", b"n"],
    [b"SELECT", b"3"],
    [b"PING"],
    [b"EXEC"],
    [b"SELECT", b"0"],
    [b"MULTI"],
    [b"GET"],
    [b"EXEC"],
    [b"MULTI"],
    [b"SET", b"a", b"1"],
    [b"DISCARD"],
    [b"AUTH", b"secret"],
    [b"AUTH", b"default", b"secret"],
    [b"AUTH", b"a", b"b", b"c"],
    [b"HELLO", b"2", b"SETNAME", b"me", b"AUTH", b"default", b"secret"],
    [b"HELLO", b"2", b"AUTH", b"default"],
    [b"CONFIG", b"GET", b"port"],
    [b"CLIENT", b"SETNAME", b"x"],
    [b"CLIENT", b"LIST"],
    [b"SLOWLOG", b"LEN"],
    [b"COMMAND", b"COUNT"],
    [b"LPUSH", b"a", b"1"],
    [b"SUBSCRIBE"],
    [b"RESET"],
    [b"EVAL", b"redis.call('set', 'a', ARGV[1]); return redis.call('get', 'a')", b"0", b"x y"],
    [b"EVAL", b"redis.call('set', KEYS[1], 1); redis.call('select', 3); return 1", b"1", b"a"],
    [b"EVAL", b"return redis.pcall('incr', 'nosuch', 'x')", b"0"],
    [b"EVAL", b"return redis.pcall('lpush', 'a', 'x')", b"0"],
    [b"EVAL", b"redis.call('publish', 'c', 'x'); return 1", b"0"],
    [b"EVALSHA", b"0" * 40, b"0"],
    [b"ECHO", b""],
    [b"ECHO", bytes(range(256))],
]


def monitored(server: FrontEnd | RedisServer) -> list[bytes]:
    """What a monitor sees of SESSION, without times and the path."""
    with server.connect() as monitor, server.connect() as wire:
        assert monitor.run("MONITOR") == b"+OK\r\n"
        for words in SESSION:
            wire.run(*words)
        wire.run("PING", "the end")
        lines: list[bytes] = []
        while not lines or b"the end" not in lines[-1]:
            lines.append(monitor.reply())
        for line in lines:
            found = re.match(rb"\+(\d+\.\d{6}) \[\d+ (unix:|lua\])", line)
            assert found is not None, line
            assert abs(float(found[1]) - time.time()) < 100
    path = server.path.encode()
    return [re.sub(rb"^\+[\d.]+ ", b"", line).replace(path, b"PATH") for line in lines]


def test_lines_are_redis_own(front_end: FrontEnd, redis_server: RedisServer) -> None:
    assert monitored(front_end) == monitored(redis_server)


def test_a_monitor_sees_native_commands_and_its_own(front_end: FrontEnd) -> None:
    with front_end.connect(tcp=True) as monitor, front_end.connect(tcp=True) as wire:
        monitor.run("MONITOR")
        host, port = wire.socket.getsockname()
        wire.run("SET", "a", "1")
        assert monitor.reply().endswith(f' [0 {host}:{port}] "SET" "a" "1"\r\n'.encode())
        assert wire.run("GET", "a") == b"$1\r\n1\r\n"
        assert monitor.reply().endswith(b' "GET" "a"\r\n')
        assert monitor.run("PING") == b"+PONG\r\n"
        assert monitor.reply().endswith(b'] "PING"\r\n')
        monitor.send(request("MONITOR"))  # a second time: no answer
        assert monitor.run("ECHO", "x") == b"$1\r\nx\r\n"
        assert monitor.reply().endswith(b'"ECHO" "x"\r\n')
        assert "flags=O " in wire.text("CLIENT", "LIST")


def test_after_reset_it_sees_nothing_more(front_end: FrontEnd) -> None:
    with front_end.connect() as monitor, front_end.connect() as wire:
        monitor.run("MONITOR")
        assert monitor.run("RESET") == b"+RESET\r\n"
        wire.run("SET", "a", "1")
        assert monitor.run("PING") == b"+PONG\r\n"
        assert "flags=O " not in wire.text("CLIENT", "LIST")


def test_only_a_monitor_costs_the_native_way(arena: Arena) -> None:
    async def scene(stage: Stage) -> None:
        frontend = stage.server.frontend
        monitor = await stage.connect()
        await stage.loop.sock_sendall(monitor, request("MONITOR"))
        assert await stage.loop.sock_recv(monitor, 100) == b"+OK\r\n"
        assert not frontend.native_allowed
        monitor.close()
        while stage.server.monitors:
            await asyncio.sleep(0)
        assert frontend.native_allowed

    play(arena, scene)


def test_in_a_transaction_it_is_refused(front_end: FrontEnd, redis_server: RedisServer) -> None:
    replies = []
    for server in (front_end, redis_server):
        with server.connect() as wire:
            replies.append([wire.run(word) for word in ("MULTI", "MONITOR", "EXEC", "PING")])
    assert replies[0] == replies[1]


def test_a_monitor_that_never_reads_is_dropped_alone(
    start_front_end: Callable[..., FrontEnd],
) -> None:
    front_end = start_front_end(client_output_buffer_limit="normal 1mb 0 0")
    with Wire(front_end.path, receive_buffer=4096) as monitor, front_end.connect() as wire:
        monitor.run("MONITOR")
        for _ in range(200):
            assert wire.run("SET", "a", b"x" * 20_000) == b"+OK\r\n"
        assert "flags=O " not in wire.text("CLIENT", "LIST")
        fields = wire.text("INFO", "stats")
        assert "client_output_buffer_limit_disconnections:1\r\n" in fields
