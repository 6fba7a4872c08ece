"""MULTI, EXEC and WATCH on the socket: replies, what is seen meanwhile, and what a kill leaves."""

from __future__ import annotations

import re
import threading
import time
from typing import TYPE_CHECKING

import pytest
import redis

import shmcache
from server.wire import Wire, request
from shmcache.arena.segments import attach_arena

if TYPE_CHECKING:
    from collections.abc import Callable

    from server.processes import FrontEnd

ABORTED = b"-EXECABORT Transaction discarded because of previous errors.\r\n"
QUEUED = b"+QUEUED\r\n"


def flags_of(watcher: Wire, number: int) -> str:
    found = re.search(r" flags=(\w+) ", watcher.text("CLIENT", "LIST", "ID", str(number)))
    assert found is not None
    return found[1]


def test_commands_run_in_order_and_errors_stop_nobody(client: Wire) -> None:
    assert client.run("MULTI") == b"+OK\r\n"
    for line in ("SET a 1", "LPUSH a x", "INCR a", "PING", "TYPE a"):
        assert client.run(*line.split()) == QUEUED
    assert client.run("EXEC") == (
        b"*5\r\n+OK\r\n-WRONGTYPE Operation against a key holding the wrong kind of value\r\n"
        b":2\r\n+PONG\r\n+string\r\n"
    )
    assert client.run("EXEC") == b"-ERR EXEC without MULTI\r\n"


def test_nothing_happens_before_exec_or_after_discard(front_end: FrontEnd, client: Wire) -> None:
    client.run("MULTI")
    assert client.run("SET", "a", "1") == QUEUED
    with front_end.connect() as other:
        assert other.run("EXISTS", "a") == b":0\r\n"
    assert client.run("DISCARD") == b"+OK\r\n"
    assert client.run("GET", "a") == b"$-1\r\n"
    assert client.run("DISCARD") == b"-ERR DISCARD without MULTI\r\n"


@pytest.mark.parametrize("line", ["BOGUS", "GET", "OBJECT BOGUS", "SHUTDOWN", "WATCH", "DISCARD x"])
def test_what_cannot_be_queued_aborts(client: Wire, line: str) -> None:
    client.run("MULTI")
    client.run("SET", "a", "1")
    assert client.run(*line.split()).startswith(b"-ERR")
    assert client.run("EXEC") == ABORTED
    assert client.run("EXISTS", "a") == b":0\r\n"


def test_multi_and_watch_inside_are_refused_and_harmless(client: Wire) -> None:
    client.run("MULTI")
    assert client.run("MULTI") == b"-ERR MULTI calls can not be nested\r\n"
    assert client.run("WATCH", "a") == b"-ERR WATCH inside MULTI is not allowed\r\n"
    assert client.run("EXEC") == b"*0\r\n"


def test_exec_wrongly_called_forgets_everything(client: Wire) -> None:
    assert client.run("EXEC", "x").startswith(b"-EXECABORT")
    assert client.run("SET", "a", "1") == b"+OK\r\n"
    client.run("MULTI")
    assert client.run("EXEC", "x") == (
        b"-EXECABORT Transaction discarded because of: "
        b"wrong number of arguments for 'exec' command\r\n"
    )
    assert client.run("EXEC") == b"-ERR EXEC without MULTI\r\n"


@pytest.mark.parametrize(("resp", "null"), [(2, b"*-1\r\n"), (3, b"_\r\n")])
def test_watched_key_changed_by_either_door(front_end: FrontEnd, resp: int, null: bytes) -> None:
    arena = attach_arena(front_end.name, writable=True)
    with front_end.connect(resp=resp) as client, front_end.connect() as other:

        def change_here() -> object:
            return arena.set(0, b"w", b"here")

        def change_there() -> object:
            return other.run("SET", "w", "there")

        def expire_there() -> object:
            return other.run("EXPIRE", "w", "100")

        def delete_here() -> object:
            return arena.delete(0, b"w")

        for change in (change_here, change_there, expire_there, delete_here):
            client.run("SET", "w", "before")
            client.run("WATCH", "w", "unrelated")
            client.run("MULTI")
            client.run("SET", "done", "1")
            change()
            assert client.run("EXEC") == null
            assert client.run("EXISTS", "done") == b":0\r\n"
            client.run("MULTI")
            client.run("PING")
            assert client.run("EXEC") == b"*1\r\n+PONG\r\n"
    arena.close()


def test_unwatch_discard_and_reset_forget_the_keys(front_end: FrontEnd, client: Wire) -> None:
    with front_end.connect() as other:
        for lines in (["UNWATCH"], ["MULTI", "DISCARD"], ["RESET"], ["MULTI", "RESET"]):
            client.run("WATCH", "w")
            other.run("INCR", "w")
            for line in lines:
                client.run(line)
            client.run("MULTI")
            assert client.run("EXEC") == b"*0\r\n"


def test_watched_key_that_expires(client: Wire) -> None:
    client.run("SET", "w", "1", "PX", "200")
    client.run("WATCH", "w")
    while client.run("EXISTS", "w") != b":0\r\n":
        pass
    client.run("MULTI")
    assert client.run("EXEC") == b"*-1\r\n"


def test_key_that_was_dead_already(client: Wire) -> None:
    client.run("SET", "w", "1", "PX", "200")
    while client.run("EXISTS", "w") != b":0\r\n":
        pass
    client.run("WATCH", "w")
    client.run("MULTI")
    client.run("PING")
    assert client.run("EXEC") == b"*1\r\n+PONG\r\n"


def test_watch_remembers_the_database(front_end: FrontEnd, client: Wire) -> None:
    client.run("WATCH", "w")
    client.run("SELECT", "3")
    client.run("SET", "w", "another one's")
    client.run("MULTI")
    assert client.run("EXEC") == b"*0\r\n"
    client.run("WATCH", "w")
    with front_end.connect() as other:
        other.run("FLUSHALL")
    client.run("MULTI")
    assert client.run("EXEC") == b"*-1\r\n"


def test_select_inside(client: Wire) -> None:
    client.run("MULTI")
    for line in ("SET k 0", "SELECT 2", "SET k 2", "SELECT 99", "APPEND k x", "GET k"):
        client.run(*line.split())
    assert client.run("EXEC") == (
        b"*6\r\n+OK\r\n+OK\r\n+OK\r\n-ERR DB index is out of range\r\n:2\r\n$2\r\n2x\r\n"
    )
    assert client.value("GET", "k") == b"2x"
    client.run("SELECT", "0")
    assert client.value("GET", "k") == b"0"


def test_protocol_changes_inside(client: Wire) -> None:
    client.run("HSET", "h", "f", "v")
    client.run("MULTI")
    for line in ("HGETALL h", "HELLO 3", "HGETALL h"):
        client.run(*line.split())
    reply = client.run("EXEC")
    assert reply.startswith(b"*3\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n%7\r\n")
    assert reply.endswith(b"%1\r\n$1\r\nf\r\n$1\r\nv\r\n")


def test_whole_databases_inside(client: Wire) -> None:
    client.run("SET", "old", "1")
    client.run("MULTI")
    for line in (
        "SET a 1",
        "DBSIZE",
        "FLUSHDB",
        "SET b 2",
        "KEYS *",
        "RANDOMKEY",
        "SCAN 0 COUNT 99999",
    ):
        assert client.run(*line.split()) == QUEUED
    assert client.run("EXEC") == (
        b"*7\r\n+OK\r\n:2\r\n+OK\r\n+OK\r\n*1\r\n$1\r\nb\r\n$1\r\nb\r\n"
        b"*2\r\n$1\r\n0\r\n*1\r\n$1\r\nb\r\n"
    )


def test_messages_of_an_aborted_transaction_are_not_sent(front_end: FrontEnd, client: Wire) -> None:
    with front_end.connect() as listener, front_end.connect() as other:
        listener.run("SUBSCRIBE", "news")
        client.run("WATCH", "w")
        client.run("MULTI")
        client.run("PUBLISH", "news", "wrong")
        client.run("SET", "a", "1")
        other.run("INCR", "w")
        assert client.run("EXEC") == b"*-1\r\n"
        client.run("MULTI")
        client.run("PUBLISH", "news", "right")
        client.run("SET", "a", "1")
        assert client.run("EXEC") == b"*2\r\n:1\r\n+OK\r\n"
        assert listener.reply() == b"*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$5\r\nright\r\n"


def test_client_list_shows_it(front_end: FrontEnd, client: Wire) -> None:
    number = int(client.run("CLIENT", "ID")[1:])
    with front_end.connect() as watcher:
        client.run("WATCH", "w")
        client.run("MULTI")
        client.run("PING")
        assert flags_of(watcher, number) == "xU"
        assert " multi=1 " in watcher.text("CLIENT", "LIST", "ID", str(number))
        watcher.run("SET", "w", "1")
        assert flags_of(watcher, number) == "xdU"
        client.run("EXEC")
        assert flags_of(watcher, number) == "U"
        assert " multi=-1 " in watcher.text("CLIENT", "LIST", "ID", str(number))


def test_vanishing_in_the_middle_leaves_nothing(front_end: FrontEnd, client: Wire) -> None:
    with front_end.connect() as other:
        other.send(request("WATCH", "w") + request("MULTI") + request("SET", "a", "1"))
        assert [other.reply() for _ in range(3)] == [b"+OK\r\n", b"+OK\r\n", QUEUED]
        number = int(client.run("CLIENT", "ID")[1:])
    while client.text("CLIENT", "LIST").count("\n") > 1:
        pass
    assert flags_of(client, number) == "U"
    assert client.run("EXISTS", "a") == b":0\r\n"


def test_queueing_without_end_is_ended(start_front_end: Callable[..., FrontEnd]) -> None:
    front_end = start_front_end(client_query_buffer_limit="1mb")
    with front_end.connect() as client, front_end.connect() as other:
        client.run("MULTI")
        for _ in range(20):
            assert client.run("SET", "a", b"x" * 50_000) == QUEUED
        client.send(request("SET", "a", b"x" * 50_000))
        assert client.is_closed()
        assert other.run("PING") == b"+PONG\r\n"
        assert "closed for exceeding the query buffer" in front_end.log()


def test_no_memory_aborts_all_of_it(start_front_end: Callable[..., FrontEnd]) -> None:
    front_end = start_front_end(data_bytes=1 << 20, maxmemory_policy="noeviction")
    with front_end.connect() as client:
        client.run("MULTI")
        client.run("SET", "first", "1")
        for number in range(100):
            client.run("SET", f"k{number}", b"x" * 50_000)
        assert client.run("EXEC") == (
            b"-EXECABORT Transaction discarded because of: "
            b"OOM command not allowed when used memory > 'maxmemory'.\r\n"
        )
        assert client.run("DBSIZE") == b":0\r\n"


def test_eviction_makes_room_for_it(start_front_end: Callable[..., FrontEnd]) -> None:
    front_end = start_front_end(
        data_bytes=32 << 20, maxmemory="28mb", maxmemory_policy="allkeys-lru"
    )
    with front_end.connect() as client:
        for number in range(8000):
            client.run("SET", f"old{number}", b"x" * 5_000)
        client.run("MULTI")
        for number in range(100):
            client.run("SET", f"new{number}", b"y" * 5_000)
        assert client.run("EXEC") == b"*100\r\n" + b"+OK\r\n" * 100
        assert client.run("EXISTS", *(f"new{number}" for number in range(100))) == b":100\r\n"


def test_half_a_command_is_taken_back_alone(front_end: FrontEnd, client: Wire) -> None:
    """What a command of several keys did before it failed is not there; what others did, is."""
    with front_end.connect() as listener:
        listener.run("SUBSCRIBE", "news")
        client.run("MULTI")
        client.run("SET", "x", "1")
        client.run("PUBLISH", "news", "once")
        client.run("MSET", "a", "1", "k" * 20_000, "2")
        client.run("INCR", "x")
        reply = client.run("EXEC")
        assert reply.startswith(b"*4\r\n+OK\r\n:1\r\n-ERR key is longer")
        assert reply.endswith(b":2\r\n")
        assert client.run("EXISTS", "a") == b":0\r\n"
        client.run("PUBLISH", "news", "end")
        assert b"once" in listener.reply()
        assert b"end" in listener.reply()


def test_plain_transactions_are_counted(client: Wire) -> None:
    client.run("CONFIG", "RESETSTAT")
    client.run("MULTI")
    for line in ("SET a 1", "GET a", "HSET h f 1", "SADD s x y", "LPUSH l 1", "RPUSH l 2", "DEL a"):
        client.run(*line.split())
    assert client.run("EXEC") == (b"*7\r\n+OK\r\n$1\r\n1\r\n:1\r\n:2\r\n:1\r\n:2\r\n:1\r\n")
    told = client.text("INFO", "commandstats")
    for name in ("multi", "exec", "set", "get", "hset", "sadd", "lpush", "rpush", "del"):
        assert f"cmdstat_{name}:calls=1," in told


@pytest.mark.parametrize("protocol", [2, 3])
def test_plain_redis_py(front_end: FrontEnd, protocol: int) -> None:
    with redis.Redis(unix_socket_path=front_end.path, protocol=protocol) as client:
        assert client.pipeline().set("n", 1).incr("n").lrange("l", 0, -1).execute() == [True, 2, []]
        failed = client.pipeline().set("n", 1).lpush("n", 1).incr("n")
        with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
            failed.execute()
        assert client.get("n") == b"2"

        def count(_number: int) -> None:
            def double(pipe: redis.client.Pipeline) -> None:
                number = int(pipe.get("n") or 0)
                pipe.multi()
                pipe.set("n", number + 1)

            for _ in range(50):
                client.transaction(double, "n")

        client.set("n", 0)
        threads = [threading.Thread(target=count, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert client.get("n") == b"200"


@pytest.mark.parametrize("flush", [False, True])
def test_direct_readers_see_all_or_nothing(front_end: FrontEnd, flush: bool) -> None:
    """While one client makes two keys equal again and again, nobody sees them differ.

    Nor gone, though their database is flushed, or another takes its place, in the same step.
    """
    stopped = threading.Event()

    def keep_equal() -> None:
        with front_end.connect() as client:
            number = 0
            while not stopped.is_set():
                number += 1
                lines = [("SET", "a", str(number)), ("HSET", "h", "f", str(number))]
                if flush:
                    lines.insert(0, ("FLUSHDB",) if number % 3 else ("SWAPDB", "0", "1"))
                client.send(request("MULTI") + b"".join(request(*line) for line in lines))
                client.send(request("EXEC"))
                for _ in range(len(lines) + 2):
                    client.reply()

    writer = threading.Thread(target=keep_equal)
    writer.start()
    arena = attach_arena(front_end.name)
    seen: set[bytes] = set()
    until = time.monotonic() + 1
    while time.monotonic() < until:
        first, second = arena.read(
            [(0, b"a"), (0, b"h")],
            lambda view: (view.get(0, b"a"), view.hash_get(0, b"h", b"f")),
        )
        assert first == second
        if first is None:
            assert not seen, "gone"
            continue
        seen.add(first)
        assert arena.get(0, b"a") is not None
    stopped.set()
    writer.join()
    arena.close()
    assert len(seen) > 10


@pytest.mark.parametrize("round_number", range(4))
def test_killed_in_the_middle(start_front_end: Callable[..., FrontEnd], round_number: int) -> None:
    """Under load, SIGKILL: every key tells of the same transaction."""
    front_end = start_front_end(data_bytes=16 << 20)
    names = [f"k{number}" for number in range(40)]
    running = threading.Event()

    def load() -> None:
        try:
            with front_end.connect() as client:
                for number in range(1_000_000):
                    value = b"%08d" % number + b"x" * (number * 37 % 3000)
                    lines = [request("SET", name, value) for name in names]
                    lines += [
                        request("RPUSH", "list", value[:8]),
                        request("LTRIM", "list", "-9", "-1"),
                    ]
                    if number % 3 == 0:
                        lines.insert(number % 2 * 20, request("FLUSHALL"))
                        lines += [request("SET", name, value) for name in names]
                    client.send(request("MULTI") + b"".join(lines) + request("EXEC"))
                    for _ in range(len(lines) + 2):
                        client.reply()
                    if number > 5:
                        running.set()
        except (ConnectionError, OSError):
            pass

    loader = threading.Thread(target=load)
    loader.start()
    assert running.wait(20)
    time.sleep(0.05 + 0.013 * round_number)
    front_end.process.kill()
    front_end.process.wait()
    loader.join()
    with shmcache.attach(front_end.name, writable=True) as reader:
        values = set(reader.mget(names))
        (value,) = values
        assert reader.lrange("list", -1, -1) == [value[:8]]
    arena = attach_arena(front_end.name, writable=True)
    assert arena.validate() == []
    arena.close()
