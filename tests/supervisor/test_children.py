"""Children: when they are started again, what they are told, and the log's lines."""

from __future__ import annotations

import gc
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from shmcache.errors import ConfigurationError
from shmcache.supervisor.children import Backoff, Child, ChildSpec, describe_status
from shmcache.supervisor.lean import postpone_garbage_collection, resume_garbage_collection
from shmcache.supervisor.lock import FileLock
from shmcache.supervisor.log import Log
from supervisor.daemons import ROOT, eventually

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable


def test_backoff_grows_to_a_cap_and_forgets() -> None:
    backoff = Backoff()
    delays = [backoff.after(0.1) for _ in range(12)]
    assert delays[:5] == [0.0, 0.1, 0.2, 0.4, 0.8]
    assert delays[-1] == Backoff.cap_seconds
    assert delays == sorted(delays)
    assert backoff.after(Backoff.settled_seconds) == 0.0
    assert backoff.after(0.1) == 0.1


def child_that(run: Callable[[socket.socket], int], **spec: object) -> Child:
    return Child(ChildSpec("tester", "test-child", run, **spec), Log("/dev/null"), lambda: None)  # type: ignore[arg-type]


def ended(child: Child) -> str:
    """Wait for a child; say how it ended."""
    _, status = os.waitpid(child.pid, 0)
    child.close()
    return describe_status(status)


def test_messages_go_both_ways() -> None:
    def echo(control: socket.socket) -> int:
        received = b""
        while received.count(b"\n") < 2:
            received += control.recv(1 << 20)
        control.sendall(b'not json\n[1]\n{"part')
        control.sendall(b'ial": 1}\n' + received)
        return 7

    child = child_that(echo, greeting=lambda: {"first": "x" * 100_000})
    assert child.send({"second": 2})
    messages: list[dict[str, object]] = []

    def three() -> bool:
        messages.extend(child.receive())
        return len(messages) == 3

    eventually(three)
    assert messages == [{"partial": 1}, {"first": "x" * 100_000}, {"second": 2}]
    with pytest.raises(EOFError):
        eventually(lambda: child.receive() and False)
    assert ended(child) == "ended with status 7"


def test_a_child_that_does_not_read_is_noticed() -> None:
    def sleep(control: socket.socket) -> int:
        signal.pause()
        return 0

    child = child_that(sleep)
    assert not all(child.send({"x": "y" * 60_000}) for _ in range(100))
    child.signal(signal.SIGKILL)
    assert ended(child) == "was killed by SIGKILL"


def test_how_children_end() -> None:
    def leave(control: socket.socket) -> int:
        raise SystemExit(3)

    def fail(control: socket.socket) -> int:
        os.dup2(os.open("/dev/null", os.O_WRONLY), 2)
        raise RuntimeError("on purpose")

    def terminate(control: socket.socket) -> int:
        os.kill(os.getpid(), signal.SIGTERM)
        return 0

    assert ended(child_that(leave)) == "ended with status 3"
    assert ended(child_that(fail)) == "ended with status 1"
    assert ended(child_that(terminate)) == "was killed by SIGTERM"


def test_what_a_child_is() -> None:
    """Its name, its standard input, and whose signals it ignores."""

    def tell(control: socket.socket) -> int:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGHUP)
        name = Path("/proc/self/comm").read_text().strip()
        good = name == "test-child" and os.read(0, 1) == b"" and not signal.pthread_sigmask(0, [])
        return 0 if good else 1

    assert ended(child_that(tell)) == "ended with status 0"


def test_a_log_line_is_redis_s(tmp_path: Path) -> None:
    path = tmp_path / "log"
    log = Log(str(path), "notice", role="M")
    log.check()
    log.debug("no")
    log.verbose("no")
    log.notice("yes")
    path.rename(tmp_path / "log.1")  # rotated
    log.warning("töö")
    stamp = r"\d\d [A-Z][a-z][a-z] \d{4} \d\d:\d\d:\d\d\.\d\d\d"
    assert re.fullmatch(rf"{os.getpid()}:M {stamp} \* yes\n", (tmp_path / "log.1").read_text())
    assert re.fullmatch(rf"{os.getpid()}:M {stamp} # töö\n", path.read_text())


def test_a_log_that_cannot_be_written_complains_once(capfd: pytest.CaptureFixture[str]) -> None:
    log = Log("/dev/full")
    log.notice("one")
    log.notice("two")
    complaint = "shmcached: cannot write to /dev/full: No space left on device; going on\n"
    assert capfd.readouterr().err == complaint


def test_a_lock_is_held_once(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    lock = FileLock(str(path), "the thing")
    with pytest.raises(ConfigurationError) as caught:
        FileLock(str(path), "the thing")
    assert str(caught.value) == f"the thing is in use by another shmcached (pid {os.getpid()})"
    lock.release()
    assert not path.exists()
    again = FileLock(str(path), "the thing")
    again.forget()
    FileLock(str(path), "the thing").release()  # a file that its dead holder left


def test_a_lock_that_cannot_be_had(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"can't lock .* No such file"):
        FileLock(str(tmp_path / "gone" / "x"), "the thing")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigurationError, match="Too many levels of symbolic links"):
        FileLock(str(tmp_path / "link"), "the thing")


def test_garbage_is_collected_again() -> None:
    assert gc.isenabled()
    postpone_garbage_collection()
    try:
        assert not gc.isenabled()
        resume_garbage_collection()
        assert gc.isenabled()
        assert gc.get_freeze_count() > 0
    finally:
        gc.enable()
        gc.unfreeze()


def test_the_daemon_does_not_import_redis_py() -> None:
    """It would double the time of a restart; see shmcache/supervisor/lean.py."""
    script = (
        "from shmcache.supervisor.lean import preload_redis_exceptions as preload\n"
        "preload(); preload()\n"
        "import shmcache.supervisor.start, sys\n"
        "from redis.exceptions import RedisError\n"
        "assert 'redis' not in sys.modules\n"
        "from shmcache.errors import ShmcacheError\n"
        "import redis\n"
        "assert issubclass(ShmcacheError, redis.RedisError) and redis.RedisError is RedisError\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], check=False, cwd=ROOT, capture_output=True, text=True
    )
    assert (result.returncode, result.stderr) == (0, "")
