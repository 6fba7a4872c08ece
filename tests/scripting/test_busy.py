"""Scripts that take too long: others are answered, and can end them; who dies leaves nothing."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from server.processes import DATA_BYTES, FrontEnd
from server.wire import request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from server.wire import Wire

PATIENCE_SECONDS = 20.0
FOR_EVER = "while true do end"
CATCHING = "while true do pcall(function() while true do end end) end"
IN_COROUTINES = (
    "while true do local co = coroutine.create(function() while true do end end) "
    "coroutine.resume(co) end"
)
BUSY = b"-BUSY Redis is busy running a script. You can only call %b KILL or SHUTDOWN NOSAVE.\r\n"


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FrontEnd]:
    """A front-end that loses patience with scripts soon."""
    front_end = FrontEnd(tmp_path_factory.mktemp("busy"), busy_reply_threshold="20")
    yield front_end.wait_ready()
    front_end.close()


def wait_busy(front_end: FrontEnd, wanted: bytes) -> None:
    """Until a client that comes now, too, is told so."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        with front_end.connect() as late:
            if late.run("PING") == wanted:
                return
        assert time.monotonic() < deadline


@pytest.mark.parametrize("script", [FOR_EVER, CATCHING, IN_COROUTINES])
def test_a_script_that_never_ends_is_killed(quick: FrontEnd, script: str) -> None:
    with quick.connect() as runner, quick.connect() as other:
        runner.send(request("EVAL", script, "0") + request("PING"))
        wait_busy(quick, BUSY % b"SCRIPT")
        assert other.run("FUNCTION", "KILL") == BUSY % b"SCRIPT"
        assert other.run("SHUTDOWN") == BUSY % b"SCRIPT"
        assert other.run("MULTI") == b"+OK\r\n"
        assert other.run("SET", "a", "1") == BUSY % b"SCRIPT"
        assert other.run("DISCARD") == b"+OK\r\n"
        assert other.run("SCRIPT", "KILL") == b"+OK\r\n"
        assert runner.reply().startswith(b"-ERR Script killed by user with SCRIPT KILL... script: ")
        assert runner.reply() == b"+PONG\r\n", "what came behind it is answered"
        assert other.run("SCRIPT", "KILL").startswith(b"-NOTBUSY")


def test_a_function_is_killed_as_a_function(quick: FrontEnd) -> None:
    library = "#!lua name=l\nredis.register_function('f', function() while true do end end)"
    with quick.connect() as runner, quick.connect() as other:
        runner.run("FUNCTION", "LOAD", "REPLACE", library)
        runner.send(request("FCALL", "f", "1", "k", "a"))
        wait_busy(quick, BUSY % b"FUNCTION")
        assert other.run("SCRIPT", "KILL") == BUSY % b"FUNCTION"
        facts = other.run("FUNCTION", "STATS")
        assert b"$1\r\nf\r\n$7\r\ncommand\r\n*5\r\n$5\r\nFCALL\r\n$1\r\nf\r\n$1\r\n1\r\n" in facts
        assert other.run("FUNCTION", "KILL") == b"+OK\r\n"
        assert runner.reply().startswith(b"-ERR Script killed by user")


def test_one_that_has_written_is_not_killed(quick: FrontEnd) -> None:
    script = (
        "redis.call('SET', KEYS[1], 'x') local stop = os.clock() + 0.3 "
        "while os.clock() < stop do end return 'done'"
    )
    with quick.connect() as runner, quick.connect() as other:
        runner.send(request("EVAL", script, "1", "a"))
        wait_busy(quick, BUSY % b"SCRIPT")
        assert other.run("SCRIPT", "KILL").startswith(b"-UNKILLABLE Sorry the script already ex")
        assert runner.reply() == b"$4\r\ndone\r\n"
        assert other.value("GET", "a") == b"x"


def begin(front_end: FrontEnd, key: str) -> Wire:
    """A script that changes a key and goes on for ever."""
    runner = front_end.connect()
    runner.send(request("EVAL", "redis.call('SET', KEYS[1], 'new') while true do end", "1", key))
    wait_busy(front_end, BUSY % b"SCRIPT")
    return runner


@pytest.mark.parametrize("end", ["SIGKILL", "SHUTDOWN NOSAVE"])
def test_a_script_cut_short_has_done_nothing(
    start_front_end: Callable[..., FrontEnd], tmp_path: Path, end: str
) -> None:
    front_end = start_front_end(data_bytes=DATA_BYTES, busy_reply_threshold="20")
    with front_end.connect() as client:
        client.run("SET", "a", "old")
    with begin(front_end, "a"):
        if end == "SIGKILL":
            front_end.process.kill()
        else:
            with front_end.connect() as client:
                client.send(request("SHUTDOWN", "NOSAVE"))
        front_end.process.wait(PATIENCE_SECONDS)
    second = FrontEnd(tmp_path, adopted=front_end).wait_ready()
    try:
        with second.connect() as client:
            assert client.value("GET", "a") == b"old"
            assert client.run("SET", "a", "2") == b"+OK\r\n", "no lock is left behind"
    finally:
        second.close()
