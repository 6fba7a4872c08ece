"""Scripts as steps: atomic, with the keys that they use, inside MULTI, and for redis-py."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import redis
from server.processes import DATA_BYTES, FrontEnd

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from server.processes import RedisServer
    from server.wire import Wire

TRANSFER = """
local left = redis.call('DECRBY', KEYS[1], ARGV[1])
redis.call('INCRBY', KEYS[2], ARGV[1])
if left < 0 then return redis.error_reply('POOR no money') end
return left
"""


def test_undeclared_keys_are_used_all_the_same(client: Wire) -> None:
    assert client.run("EVAL", "return redis.call('SET', 'other', ARGV[1])", "0", "x") == b"+OK\r\n"
    assert client.value("GET", "other") == b"x"
    script = "redis.call('INCR', KEYS[1]) redis.call('INCR', 'b') return redis.call('GET', 'b')"
    for count in (b"1", b"2"):
        assert client.value("EVAL", script, "1", "a") == count
    assert client.value("GET", "a") == b"2", "nothing is done twice when the script is run again"


def test_a_restart_cannot_be_caught(client: Wire) -> None:
    script = (
        "redis.call('INCR', KEYS[1]) pcall(redis.call, 'INCR', 'b') "
        "pcall(function() pcall(redis.call, 'INCR', 'c') end) return redis.pcall('GET', 'b')"
    )
    assert client.value("EVAL", script, "1", "a") == b"1"
    assert client.run("MGET", "a", "b", "c") == b"*3\r\n$1\r\n1\r\n$1\r\n1\r\n$1\r\n1\r\n"


def test_what_was_done_before_an_error_stays(client: Wire) -> None:
    reply = client.run("EVAL", "redis.call('SET', KEYS[1], 'x') error('boo')", "1", "a")
    assert reply.startswith(b"-ERR user_script:1: boo script: ")
    assert client.value("GET", "a") == b"x"


def test_whole_databases_in_a_script(client: Wire) -> None:
    client.run("MSET", "a", "1", "b", "2")
    script = (
        "local n = redis.call('DBSIZE') local k = redis.call('KEYS', '*') "
        "redis.call('FLUSHDB') redis.call('SET', 'c', n) return #k + redis.call('DBSIZE')"
    )
    assert client.run("EVAL", script, "0") == b":3\r\n"
    assert client.value("GET", "c") == b"2"


def test_select_lasts_as_long_as_the_script(client: Wire) -> None:
    client.run("EVAL", "redis.call('SELECT', 3) redis.call('SET', KEYS[1], 'x')", "1", "a")
    assert client.value("GET", "a") is None
    client.run("SELECT", "3")
    assert client.value("GET", "a") == b"x"


def test_messages_wait_for_the_commit(front_end: FrontEnd, client: Wire) -> None:
    with front_end.connect() as listener:
        listener.run("SUBSCRIBE", "c")
        script = "local n = redis.call('PUBLISH', 'c', 'm') redis.call('SET', 'x', 1) return n"
        assert client.run("EVAL", script, "0") == b":1\r\n"
        assert listener.reply() == b"*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nm\r\n"
        assert not listener.has_reply(), "a script that is run again publishes once"


def test_scripts_in_a_transaction(client: Wire) -> None:
    client.run("MULTI")
    client.run("SET", "a", "5")
    client.run("EVAL", "return redis.call('INCR', KEYS[1])", "1", "a")
    client.run("EVAL", "return redis.call('INCR', 'hidden')", "0")
    client.run("EVAL", "return redis.call('GET', 'a')", "0")
    client.run("GET", "a")
    assert client.run("EXEC") == b"*5\r\n+OK\r\n:6\r\n:1\r\n$1\r\n6\r\n$1\r\n6\r\n"


@pytest.mark.parametrize("db", [0, 1])
def test_redis_py(front_end: FrontEnd, db: int) -> None:
    with redis.Redis(unix_socket_path=front_end.path, db=db) as cache:
        transfer = cache.register_script(TRANSFER)
        cache.mset({"a": 10, "b": 0})
        assert transfer(keys=["a", "b"], args=[4]) == 6
        with pytest.raises(redis.ResponseError, match="POOR no money"):
            transfer(keys=["a", "b"], args=[40])
        with cache.pipeline() as pipe:
            transfer(keys=["a", "b"], args=[-40], client=pipe)
            pipe.get("b")
            assert pipe.execute() == [6, b"4"]
        with cache.lock("lock", timeout=10) as lock:
            assert lock.owned()
            lock.extend(5)
            lock.reacquire()
        assert not lock.locked()


def test_libraries_outlast_the_front_end_and_flushall(
    start_front_end: Callable[..., FrontEnd], tmp_path: Path
) -> None:
    front_end = start_front_end(data_bytes=DATA_BYTES)
    library = "#!lua name=lib\nredis.register_function('f', function(k, a) return a[1] end)"
    with front_end.connect() as client:
        assert client.value("FUNCTION", "LOAD", library) == b"lib"
        client.run("FLUSHALL")
        assert client.run("DBSIZE") == b":0\r\n"
    front_end.process.kill()
    front_end.process.wait()
    second = FrontEnd(tmp_path, adopted=front_end).wait_ready()
    try:
        with second.connect() as client:
            assert client.value("FCALL", "F", "0", "x") == b"x"
            assert client.run("FUNCTION", "DELETE", "lib") == b"+OK\r\n"
            assert client.run("FUNCTION", "LIST") == b"*0\r\n"
    finally:
        second.close()


def test_dumps_of_libraries_go_both_ways(client: Wire, redis_server: RedisServer) -> None:
    library = (
        "#!lua name=lib\nlocal function get(keys) return redis.call('GET', keys[1]) end\n"
        "redis.register_function{function_name='read', callback=get, flags={'no-writes'}}\n"
        "redis.register_function('write', function(k, a) return redis.call('SET', k[1], a[1]) end)"
    )
    with redis_server.connect() as theirs:
        for loader, taker in ((theirs, client), (client, theirs)):
            for wire in (loader, taker):
                wire.run("FUNCTION", "FLUSH")
            loader.run("FUNCTION", "LOAD", library)
            dump = loader.value("FUNCTION", "DUMP")
            assert dump is not None
            assert taker.run("FUNCTION", "RESTORE", dump) == b"+OK\r\n"
            assert taker.run("FCALL", "write", "1", "k", "v") == b"+OK\r\n"
            assert taker.value("FCALL_RO", "read", "1", "k") == b"v"
            assert taker.run("FUNCTION", "RESTORE", dump[:-1] + b"?").startswith(b"-ERR DUMP pay")
        for wire in (theirs, client):
            wire.run("FUNCTION", "FLUSH")
