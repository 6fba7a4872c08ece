"""Clients that wait: for how long, what ends it, and what of them can be seen."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.inside import Stage, play
from server.scenes import until
from server.wire import Wire, request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from server.processes import FrontEnd, RedisServer
    from shmcache.arena import Arena

WAITING_LINES = (
    "BLPOP k {}",
    "BRPOP k l {}",
    "BLMOVE k l LEFT LEFT {}",
    "BRPOPLPUSH k l {}",
    "BLMPOP {} 1 k LEFT",
    "BZPOPMIN k {}",
    "BZPOPMAX k {}",
    "BZMPOP {} 2 k l MAX COUNT 2",
)


@contextlib.contextmanager
def waiting(front_end: FrontEnd, *lines: str, resp: int = 2) -> Iterator[list[Wire]]:
    """Clients, each blocked in a command."""
    with contextlib.ExitStack() as stack:
        host = stack.enter_context(front_end.connect())
        guests = []
        for number, line in enumerate(lines, 1):
            guests.append(stack.enter_context(front_end.connect(resp=resp)))
            guests[-1].send(request(*line.split()))
            until(lambda number=number: blocked(host) == number)
        yield guests


def blocked(host: Wire) -> int:
    return int(figure(host, "blocked_clients"))


def figure(host: Wire, name: str, section: str = "clients") -> str:
    fields = dict(line.split(":", 1) for line in host.text("INFO", section).split() if ":" in line)
    return fields[name]


TIMEOUTS = (
    *("abc", "", " 1", "1 ", "nan", "-1", "-0.1", "-1e30", "-0.0001", "0x1p-4", "1e-7"),
    *("0.001", ".5e-2", "00.01", "+0.01"),
)


@pytest.mark.parametrize("line", WAITING_LINES)
def test_timeouts_as_redis_reads_them(
    front_end: FrontEnd, redis_server: RedisServer, line: str
) -> None:
    """In a transaction, where the shortest and the longest come to the same."""
    with front_end.connect() as ours, redis_server.connect() as theirs:
        for timeout in TIMEOUTS:
            words = [timeout if word == "{}" else word for word in line.split()]
            replies = []
            for side in (ours, theirs):
                assert side.run("MULTI") == b"+OK\r\n"
                assert side.run(*words) == b"+QUEUED\r\n"
                replies.append(side.run("EXEC"))
            assert replies[0] == replies[1], timeout


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(texts=st.lists(st.text("0123456789.eE+-xXpPnaifINF ", max_size=8), max_size=30))
def test_any_timeouts(front_end: FrontEnd, redis_server: RedisServer, texts: list[str]) -> None:
    batch = request("MULTI")
    batch += b"".join(request("BLPOP", "k", text) for text in texts) + request("EXEC")
    with front_end.connect() as ours, redis_server.connect() as theirs:
        for side in (ours, theirs):
            side.send(batch)
            for _ in range(len(texts) + 1):
                side.reply()
        assert len(texts) == int(ours.line()[1:]) == int(theirs.line()[1:])
        for text in texts:
            our_line, their_line = ours.line(), theirs.line()
            if our_line != b"-ERR timeout is out of range":  # 7.0 knows no such error
                assert our_line == their_line, text


@pytest.mark.parametrize("timeout", ["inf", "1e30", "9223372036854775", "0x7FFFFFFFFFFFFFFFFF"])
def test_timeouts_beyond_64_bits(client: Wire, timeout: str) -> None:
    """In the words of 7.2: 7.0 computes without looking for an overflow."""
    wanted = b"-ERR timeout is out of range\r\n"
    assert client.run("BLPOP", "k", timeout) == wanted
    assert client.run("BLPOP", "k", "-" + timeout) == b"-ERR timeout is negative\r\n"
    assert client.run("XREAD", "BLOCK", str((1 << 63) - 1), "STREAMS", "k", "$") == wanted


@pytest.mark.parametrize("resp", [2, 3])
@pytest.mark.parametrize("line", [*WAITING_LINES, "XREAD BLOCK {} STREAMS k $"])
def test_the_time_is_over(
    front_end: FrontEnd, redis_server: RedisServer, line: str, resp: int
) -> None:
    words = line.format("20" if line.startswith("X") else "0.02").split()
    with front_end.connect(resp=resp) as ours, redis_server.connect(resp=resp) as theirs:
        started = time.monotonic()
        reply = ours.run(*words)
        assert time.monotonic() - started >= 0.02
        assert reply == theirs.run(*words)
        assert ours.run("PING") == b"+PONG\r\n"


def test_a_wait_of_years(front_end: FrontEnd) -> None:
    with (
        waiting(front_end, "BLPOP k 1e9", "BLPOP l 100000") as guests,
        front_end.connect() as host,
    ):
        assert figure(host, "clients_in_timeout_table") == "2"
        host.run("RPUSH", "k", "1")
        assert guests[0].reply() == b"*2\r\n$1\r\nk\r\n$1\r\n1\r\n"


def test_what_can_be_seen(front_end: FrontEnd) -> None:
    with (
        waiting(front_end, "BLPOP k 0", "XREAD BLOCK 100000 STREAMS k $") as guests,
        front_end.connect() as host,
    ):
        listed = host.text("CLIENT", "LIST").split("\n")
        assert [line.split(" flags=")[1].split(" ")[0] for line in listed[:3]] == [
            "U",
            "bU",
            "bU",
        ]
        assert [line.split(" cmd=")[1].split(" ")[0] for line in listed[1:3]] == [
            "blpop",
            "xread",
        ]
        assert figure(host, "clients_in_timeout_table") == "1"
        guests[0].close()
        until(lambda: blocked(host) == 1)
        guests[1].close()
        until(lambda: blocked(host) == 0)
        assert figure(host, "clients_in_timeout_table") == "0"


def test_statistics(front_end: FrontEnd, redis_server: RedisServer) -> None:
    """A command that waited counts once; as failed if another client ended its waiting."""
    for server in (front_end, redis_server):
        with server.connect() as host, server.connect() as guest:
            host.run("CONFIG", "RESETSTAT")
            host.run("DEL", "k", "l")
            number = guest.run("CLIENT", "ID")[1:-2]
            for words in (
                ("RPUSH", "k", "1"),
                ("CLIENT", "UNBLOCK", number),
                ("CLIENT", "UNBLOCK", number, "ERROR"),
            ):
                guest.send(request("BLPOP", "k", "0"))
                until(lambda: blocked(host) == 1)
                host.run(*words)
                guest.reply()
            guest.send(request("BLMOVE", "k", "l", "LEFT", "LEFT", "0"))
            until(lambda: blocked(host) == 1)
            host.run("SET", "l", "x")
            host.run("RPUSH", "k", "1")
            assert guest.reply().startswith(b"-WRONGTYPE")
            host.run("DEL", "k", "l")
            for name, calls, failed in (("blpop", 3, 2), ("blmove", 1, 1)):
                line = figure(host, f"cmdstat_{name}", "commandstats")
                assert line.startswith(f"calls={calls},"), (server, line)
                assert line.endswith(f"rejected_calls=0,failed_calls={failed}"), (server, line)
            assert figure(host, "errorstat_UNBLOCKED", "errorstats") == "count=1"
            assert figure(host, "errorstat_WRONGTYPE", "errorstats") == "count=1"


def test_client_unblock(front_end: FrontEnd, redis_server: RedisServer) -> None:
    def ask(server: FrontEnd | RedisServer) -> Iterator[bytes]:
        with server.connect() as host, server.connect() as guest:
            number = guest.run("CLIENT", "ID")[1:-2].decode()
            for line in ("", " TIMEOUT", " timeout", " Error", " x", " ERROR x"):
                guest.send(request("BLMOVE", "k", "l", "LEFT", "LEFT", "0"))
                until(lambda: blocked(host) == 1)
                reply = host.run(*f"CLIENT UNBLOCK {number}{line}".split())
                yield reply
                if reply.startswith(b"-"):
                    host.run("CLIENT", "UNBLOCK", number)
                yield guest.reply()
                yield host.run("CLIENT", "UNBLOCK", number)
            for line in ("", "x", "99999999", "-1", "0 x", "x x", "1.5"):
                yield host.run(*f"CLIENT UNBLOCK {line}".split())

    assert list(ask(front_end)) == list(ask(redis_server))


def test_client_kill(front_end: FrontEnd) -> None:
    with (
        waiting(front_end, "BLPOP k 0", "BLPOP k 0") as (first, second),
        front_end.connect() as host,
    ):
        number = host.text("CLIENT", "LIST").split("id=")[2].split(" ")[0]
        assert host.run("CLIENT", "KILL", "ID", number) == b":1\r\n"
        assert first.is_closed()
        host.run("RPUSH", "k", "1")
        assert second.reply() == b"*2\r\n$1\r\nk\r\n$1\r\n1\r\n"


def test_permissions_that_were_taken_away(front_end: FrontEnd) -> None:
    """They count when it is served: nothing is taken then."""
    with front_end.connect() as host, front_end.connect() as guest:
        host.run("ACL", "SETUSER", "worker", "on", "nopass", "~*", "+@all")
        guest.run("AUTH", "worker", "")
        guest.send(request("BLPOP", "k", "0"))
        until(lambda: blocked(host) == 1)
        host.run("ACL", "SETUSER", "worker", "-blpop")
        host.run("RPUSH", "k", "1")
        assert guest.reply().startswith(b"-NOPERM ")
        assert host.run("LLEN", "k") == b":1\r\n"
        host.run("ACL", "DELUSER", "worker")


def test_replies_that_are_not_wanted(front_end: FrontEnd) -> None:
    with front_end.connect() as host, front_end.connect() as guest:
        guest.send(request("CLIENT", "REPLY", "SKIP") + request("BLPOP", "k", "0"))
        until(lambda: blocked(host) == 1)
        host.run("RPUSH", "k", "1", "2")
        assert guest.run("LLEN", "k") == b":1\r\n"


def test_messages_to_a_waiting_client(front_end: FrontEnd) -> None:
    with front_end.connect() as host, front_end.connect(resp=3) as guest:
        guest.run("SUBSCRIBE", "news")
        guest.send(request("BLPOP", "k", "0"))
        until(lambda: blocked(host) == 1)
        host.run("PUBLISH", "news", "x")
        assert guest.reply() == b">3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$1\r\nx\r\n"
        host.run("RPUSH", "k", "1")
        assert guest.reply() == b"*2\r\n$1\r\nk\r\n$1\r\n1\r\n"


def test_a_waiting_client_is_not_idle(start_front_end: Callable[..., FrontEnd]) -> None:
    front_end = start_front_end(timeout="1")
    with waiting(front_end, "BLPOP k 0") as (guest,), front_end.connect() as idle:
        assert idle.is_closed()
        with front_end.connect() as host:
            until(lambda: int(host.text("CLIENT", "LIST").split("idle=")[1].split()[0]) >= 1)
            host.run("RPUSH", "k", "1")
        assert guest.reply() == b"*2\r\n$1\r\nk\r\n$1\r\n1\r\n"


@pytest.mark.parametrize(
    ("commands", "error"),
    [
        (["DEL x"], b"-NOGROUP No such key 'x' or consumer group 'g' in XREADGROUP"),
        (["FLUSHALL"], b"-NOGROUP "),
        (["SWAPDB 0 1"], b"-NOGROUP "),
        (["RENAME x y"], b"-NOGROUP "),
        (["XGROUP DESTROY x g"], b"-NOGROUP "),
        (["MULTI", "DEL x", "XADD x 9 a b", "EXEC"], b"-NOGROUP "),
        (["SET x 1"], b"-WRONGTYPE "),
        (["MULTI", "DEL x", "SADD x 1", "EXEC"], b"-WRONGTYPE "),
    ],
)
def test_a_group_that_is_gone(front_end: FrontEnd, commands: list[str], error: bytes) -> None:
    """As in 7.2, where the command runs again; 7.0 has words of its own for it."""
    with front_end.connect() as host:
        host.run(*["XGROUP", "CREATE", "x", "g", "$", "MKSTREAM"])
        with waiting(
            front_end, "XREADGROUP GROUP g c BLOCK 0 STREAMS x >", "XREAD BLOCK 0 STREAMS x $"
        ) as (reader, other):
            for line in commands:
                host.run(*line.split())
            assert reader.reply().startswith(error)
            host.run("DEL", "x")
            host.run("XADD", "x", "10", "a", "b")
            assert other.reply().startswith(b"*1\r\n*2\r\n$1\r\nx\r\n")


def test_an_entry_that_is_gone_at_once(front_end: FrontEnd) -> None:
    """As in 7.2: there is nothing to tell of. 7.0 answers with an empty list."""
    with front_end.connect() as host:
        host.run(*["XGROUP", "CREATE", "x", "g", "$", "MKSTREAM"])
        with waiting(
            front_end, "XREAD BLOCK 0 STREAMS x $", "XREADGROUP GROUP g c BLOCK 0 STREAMS x >"
        ) as guests:
            for line in ("MULTI", "XADD x 5 a b", "XDEL x 5", "EXEC"):
                host.run(*line.split())
            host.run("XADD", "x", "6", "a", "b")
            for guest in guests:
                reply = guest.reply()
                assert b"6-0" in reply
                assert b"5-0" not in reply


def test_fairness(front_end: FrontEnd) -> None:
    """A hundred clients of one key are served in the order in which they came."""
    with waiting(front_end, *["BLPOP k 0"] * 100) as guests, front_end.connect() as host:
        host.run("RPUSH", "k", *map(str, range(30)))
        for number in range(30, 110):
            host.run("RPUSH", "k", str(number))
        for number, guest in enumerate(guests):
            assert guest.reply().split(b"\r\n")[4] == b"%d" % number
        assert host.run("LLEN", "k") == b":10\r\n"


def test_an_unread_hang_up_takes_nothing(arena: Arena) -> None:
    """A client that hung up is passed over even before the front-end has looked at its socket."""

    async def scene(stage: Stage) -> None:
        server, loop = stage.server, stage.loop
        gone, patient, pusher = [await stage.connect() for _ in range(3)]
        for peer in (gone, patient):
            waiting = len(server.blocking)
            await loop.sock_sendall(peer, request("BLPOP", "k", "0"))
            while len(server.blocking) == waiting:
                await loop.sock_sendall(pusher, request("PING"))
                await loop.sock_recv(pusher, 100)
        first, _second, other = sorted(
            server.clients.values(), key=lambda client: not client.connection.blocked
        )
        # all without a turn of the loop in between
        gone.send(request("PING"))
        gone.close()
        words = [b"RPUSH", b"k", b"1"]
        server.run(other, server.dispatcher.lookup(words), words)
        server.changes.drain()
        assert first.connection.closed
        assert await loop.sock_recv(patient, 100) == b"*2\r\n$1\r\nk\r\n$1\r\n1\r\n"
        patient.close()
        pusher.close()

    play(arena, scene)


_WORKER = """
import socket, sys
peer = socket.socket(socket.AF_UNIX)
peer.connect(sys.argv[1])
peer.sendall(b"*3\\r\\n$5\\r\\nBLPOP\\r\\n$1\\r\\nk\\r\\n$1\\r\\n0\\r\\n")
print(peer.recv(100).split()[-1].decode())
"""


def test_killed_workers_lose_nothing(front_end: FrontEnd) -> None:
    """Half of the waiting processes are killed; the elements all go to the others."""
    workers = [
        subprocess.Popen([sys.executable, "-c", _WORKER, front_end.path], stdout=subprocess.PIPE)
        for _ in range(6)
    ]
    with front_end.connect() as host:
        until(lambda: blocked(host) == 6)
        for worker in workers[::2]:
            os.kill(worker.pid, signal.SIGKILL)
            worker.wait()
        host.run("RPUSH", "k", "1", "2", "3")
        outputs = [worker.communicate(timeout=20)[0] for worker in workers]
        assert outputs[::2] == [b""] * 3
        assert sorted(outputs[1::2]) == [b"1\n", b"2\n", b"3\n"]
        assert host.run("EXISTS", "k") == b":0\r\n"


def test_many_waiting_clients_cost_the_others_nothing(arena: Arena) -> None:
    """A change is looked up; nobody walks over those who wait for something else."""

    async def scene(stage: Stage) -> None:
        server = stage.server
        peers = [await stage.connect() for _ in range(200)]
        for number, peer in enumerate(peers):
            await stage.loop.sock_sendall(peer, request("BLPOP", f"key:{number}", "0"))
        pusher = await stage.connect()
        while len(server.blocking) < len(peers):
            await stage.loop.sock_sendall(pusher, request("PING"))
            await stage.loop.sock_recv(pusher, 100)
        tried: list[object] = []
        is_ready = server.blocking._is_ready
        server.blocking._is_ready = (  # type: ignore[method-assign]
            lambda waiting, key: tried.append(key) or is_ready(waiting, key)  # type: ignore[func-returns-value]
        )
        for line in ("SET other 1", "RPUSH list 1", "RPUSH key:7 1", "DEL other"):
            await stage.loop.sock_sendall(pusher, line.encode() + b"\r\n")
            await stage.loop.sock_recv(pusher, 100)
        assert tried == [(0, b"key:7")]
        for peer in (*peers, pusher):
            peer.close()

    play(arena, scene)


def test_listening_ends_when_nobody_waits(arena: Arena) -> None:
    async def scene(stage: Stage) -> None:
        server = stage.server
        peer = await stage.connect()
        await stage.loop.sock_sendall(peer, request("BLPOP", "k", "0.001"))
        assert await stage.loop.sock_recv(peer, 100) == b"*-1\r\n"
        assert server.changes.wanted
        for _ in range(30):
            server.tick()
        assert not server.changes.wanted
        peer.close()

    play(arena, scene)
