"""Stopping, killing, adopting: what was written stays, and somebody serves it again."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from shmcache.arena import BEAT_FRONTEND, BEAT_MAINTENANCE, BEAT_SUPERVISOR, POLICIES
from shmcache.arena.segments import attach_arena, create_segments, lock_path, segment_names
from supervisor.daemons import as_nobody, eventually, has_ended, segments_exist

if TYPE_CHECKING:
    from supervisor.daemons import DaemonProcess


def segment(daemon: DaemonProcess, which: int) -> Path:
    return Path("/dev/shm" + segment_names(daemon.name)[which])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_orderly_stop_keeps_the_arena(daemon: DaemonProcess, number: signal.Signals) -> None:
    daemon.start()
    daemon.ask("SET", "k", "v")
    children = list(daemon.children().values())
    assert daemon.stop(number) == 0
    assert all(map(has_ended, children))
    assert not Path(daemon.socket).exists()
    assert not Path(daemon.socket + ".lock").exists()
    assert not Path(lock_path(daemon.name)).exists()
    assert attach_arena(daemon.name).get(0, b"k") == b"v"
    assert f"Received {number.name}: shutting down" in daemon.log_text()
    daemon.start()
    assert daemon.ask("GET", "k") == b"$1\r\nv\r\n"
    assert "Adopted the arena" in daemon.log_text()


def test_an_arena_that_is_not_to_be_kept(daemon: DaemonProcess) -> None:
    daemon.start("--shm-keep", "no")
    assert segments_exist(daemon.name)
    assert daemon.stop() == 0
    assert not segments_exist(daemon.name)


def test_shutdown_by_a_client(daemon: DaemonProcess) -> None:
    daemon.start()
    daemon.ask("SHUTDOWN", "NOSAVE")
    assert daemon.wait() == 0
    assert not Path(daemon.socket).exists()
    assert segments_exist(daemon.name)


def test_a_stop_while_starting_undoes_everything(daemon: DaemonProcess) -> None:
    daemon.launch("--maxmemory", "512mb")
    eventually(lambda: segments_exist(daemon.name))
    daemon.process.terminate()
    assert daemon.wait() in {0, 130}
    if daemon.process.returncode == 130:
        assert not segments_exist(daemon.name)
    assert not Path(daemon.socket).exists()
    assert not Path(lock_path(daemon.name)).exists()


def test_a_killed_front_end_is_replaced(daemon: DaemonProcess) -> None:
    daemon.start()
    daemon.ask("SET", "k", "v")
    for _ in range(3):
        old = daemon.frontend()
        old.kill()
        assert eventually(lambda: daemon.ask("GET", "k")) == b"$1\r\nv\r\n"
        assert daemon.frontend().pid != old.pid
    assert daemon.log_text().count("was killed by SIGKILL") == 3


def test_who_comes_while_there_is_no_front_end_is_served(daemon: DaemonProcess) -> None:
    """The supervisor owns the listening sockets: nobody is refused."""
    daemon.start()
    front_end = daemon.frontend()
    front_end.suspend()  # like one that is busy: it accepts nobody
    waiting = [socket.socket(socket.AF_UNIX) for _ in range(50)]
    for client in waiting:
        client.settimeout(20)
        client.connect(daemon.socket)
        client.sendall(b"PING\r\n")
    front_end.kill()
    for client in waiting:
        assert client.recv(100) == b"+PONG\r\n"
        client.close()


def test_a_killed_maintenance_process_is_replaced(daemon: DaemonProcess) -> None:
    daemon.start()
    old = daemon.maintenance()
    old.kill()
    eventually(lambda: daemon.maintenance().pid != old.pid)
    daemon.ask("SET", "k", "v", "PX", "1")
    eventually(lambda: daemon.ask("DBSIZE") == b":0\r\n")


def test_a_killed_supervisor_takes_its_children_along(daemon: DaemonProcess) -> None:
    daemon.start()
    daemon.ask("SET", "k", "v")
    reader = attach_arena(daemon.name)
    children = [daemon.frontend(), daemon.maintenance()]
    daemon.process.kill()
    daemon.process.communicate()
    eventually(lambda: all(map(has_ended, children)))
    assert reader.get(0, b"k") == b"v"
    assert Path(daemon.socket).is_socket()  # stale
    daemon.start()
    assert daemon.ask("GET", "k") == b"$1\r\nv\r\n"
    assert reader.get(0, b"k") == b"v"


def test_everybody_killed_again_and_again(daemon: DaemonProcess) -> None:
    for count in range(1, 6):
        daemon.start()
        assert daemon.ask("INCR", "n") == b":%d\r\n" % count
        victims = [daemon.process.pid, *(child.pid for child in daemon.children().values())]
        for pid in victims:
            os.kill(pid, signal.SIGKILL)
        daemon.process.communicate()
    assert attach_arena(daemon.name, writable=True).validate() == []


@pytest.mark.parametrize("delay_steps", range(6))
def test_a_supervisor_killed_while_it_starts(daemon: DaemonProcess, delay_steps: int) -> None:
    """Whatever it had made by then, the next one starts."""
    signs = [
        lambda: Path(lock_path(daemon.name)).exists(),
        lambda: Path(daemon.socket).exists(),
        lambda: segment(daemon, 0).exists(),
        lambda: segment(daemon, 1).exists(),
        lambda: segment(daemon, 0).stat().st_mode & 0o777 == 0o640,
        daemon.children,
    ]
    daemon.launch("--maxmemory", "64mb")
    eventually(signs[delay_steps])
    daemon.process.kill()
    daemon.process.communicate()
    daemon.start("--maxmemory", "64mb")
    assert daemon.ask("SET", "k", "v") == b"+OK\r\n"
    assert attach_arena(daemon.name, writable=True).validate() == []


def test_a_second_signal_does_not_wait(daemon: DaemonProcess) -> None:
    daemon.start("--shutdown-timeout", "1000")
    daemon.frontend().suspend()
    daemon.process.terminate()
    eventually(lambda: "Received SIGTERM: shutting down" in daemon.log_text())
    daemon.process.terminate()
    assert daemon.wait() == 0


def test_a_child_that_does_not_end_is_killed_in_time(daemon: DaemonProcess) -> None:
    daemon.start("--shutdown-timeout", "1")
    daemon.frontend().suspend()
    assert daemon.stop() == 0
    assert "A child did not end in time: killing it" in daemon.log_text()


def test_adopting_with_another_size_and_policy(daemon: DaemonProcess) -> None:
    daemon.start("--maxmemory", "8mb")
    daemon.ask("SET", "k", "v")
    daemon.stop()
    daemon.start("--maxmemory", "16mb", "--maxmemory-policy", "allkeys-lru")
    log = daemon.log_text()
    assert f"maxmemory is {16 << 20} but the arena was made with {8 << 20} bytes" in log
    assert daemon.ask("CONFIG", "GET", "maxmemory").endswith(b"\r\n%d\r\n" % (8 << 20))
    assert daemon.ask("GET", "k") == b"$1\r\nv\r\n"
    arena = attach_arena(daemon.name)
    assert POLICIES[arena.get_tuning().policy] == "allkeys-lru"
    assert arena.get_tuning().maxmemory == 0
    daemon.stop()
    daemon.start("--maxmemory", "4mb", "--shm-mode", "0600")
    assert arena.get_tuning().maxmemory == 4 << 20
    assert f"maxmemory is {4 << 20}, less than the arena's {8 << 20} bytes" in daemon.log_text()
    assert segment(daemon, 0).stat().st_mode & 0o777 == 0o600


def test_maxmemory_zero_is_the_default_size(daemon: DaemonProcess) -> None:
    daemon.start("--maxmemory", "0")
    assert segment(daemon, 0).stat().st_size == 256 << 20
    assert "maxmemory is 0: the arena gets" in daemon.log_text()


@pytest.mark.parametrize(
    ("damage", "part"),
    [
        (lambda path: os.truncate(path, 1 << 20), "cannot be adopted"),
        (lambda path: _write(path, 8, b"\xee"), "cannot be adopted"),
        (lambda path: _write(path, 0, b"\xee"), "cannot be adopted"),
        (lambda path: path.with_suffix(".access").unlink(), "part of cache"),
    ],
)
def test_an_arena_that_cannot_be_adopted(daemon: DaemonProcess, damage: object, part: str) -> None:
    create_segments(daemon.name, 8 << 20).close()
    damage(segment(daemon, 0))  # type: ignore[operator]
    text = daemon.fails()
    assert part in text
    assert f"remove /dev/shm/shmcache.{daemon.name}.data and its like" in text
    assert segment(daemon, 0).exists()  # a human decides


def _write(path: Path, offset: int, data: bytes) -> None:
    with path.open("r+b") as stream:
        stream.seek(offset)
        stream.write(data)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make another user's segments")
def test_another_user_s_arena_is_refused(daemon: DaemonProcess) -> None:
    assert as_nobody(lambda: create_segments(daemon.name, 8 << 20, mode=0o666)) == "ok"
    text = daemon.fails()
    assert f"cache '{daemon.name}' belongs to another user: its segments' owner is 65534" in text


def test_an_unfinished_arena_is_made_anew(daemon: DaemonProcess) -> None:
    create_segments(daemon.name, 8 << 20).close()
    _write(segment(daemon, 0), 0, bytes(8))
    daemon.start()
    assert "which were never finished" in daemon.log_text()
    assert daemon.ask("SET", "k", "v") == b"+OK\r\n"


def test_the_arena_says_where_the_socket_is(daemon: DaemonProcess) -> None:
    daemon.start()
    assert attach_arena(daemon.name).socket_path == daemon.socket


def test_every_process_shows_that_it_lives(daemon: DaemonProcess) -> None:
    daemon.start()
    arena = attach_arena(daemon.name)
    expected = {
        BEAT_SUPERVISOR: daemon.process.pid,
        BEAT_FRONTEND: daemon.frontend().pid,
        BEAT_MAINTENANCE: daemon.maintenance().pid,
    }
    for beat, pid in expected.items():
        eventually(lambda: arena.get_beat(beat)[0] == pid)  # noqa: B023
    first = {beat: arena.get_beat(beat)[1] for beat in expected}
    for beat, when in first.items():
        eventually(lambda: arena.get_beat(beat)[1] > when)  # noqa: B023


def test_a_front_end_that_hangs_is_replaced(daemon: DaemonProcess) -> None:
    script = (
        "import sys\n"
        "from shmcache.supervisor.lean import preload_redis_exceptions\n"
        "preload_redis_exceptions()\n"
        "from shmcache.supervisor import daemon, main\n"
        "daemon._HUNG_SECONDS = 2.5\n"
        "sys.exit(main.main(sys.argv[1:]))\n"
    )
    options = daemon.command()[3:]
    daemon.command = lambda *_: [sys.executable, "-c", script, *options]  # type: ignore[method-assign]
    daemon.start()
    old = daemon.frontend()
    old.suspend()
    eventually(lambda: daemon.frontend().pid != old.pid)
    assert daemon.ask("PING") == b"+PONG\r\n"
    assert "The front-end has shown no life for 2 s: killing it" in daemon.log_text()


def test_after_a_crash_another_front_end_serves_the_same_keys(daemon: DaemonProcess) -> None:
    """DEBUG CRASH-AND-RECOVER, which is a real one."""
    daemon.start("--enable-debug-command", "local")
    daemon.ask("SET", "a", "1")
    first = daemon.frontend().pid
    with contextlib.suppress(OSError):
        daemon.ask("DEBUG", "CRASH-AND-RECOVER")
    eventually(lambda: daemon.frontend().pid != first)
    daemon.wait_ready()
    assert daemon.ask("GET", "a") == b"$1\r\n1\r\n"


def test_active_expiry_can_be_switched_off(daemon: DaemonProcess) -> None:
    """DEBUG SET-ACTIVE-EXPIRE reaches the maintenance process, and a front-end started later."""
    daemon.start("--enable-debug-command", "local")
    daemon.ask("DEBUG", "SET-ACTIVE-EXPIRE", "0")
    assert b"debug-active-expire\r\n$2\r\nno" in daemon.ask("CONFIG", "GET", "debug-active-expire")
    daemon.ask("SET", "a", "1", "PX", "1")
    eventually(lambda: daemon.ask("EXISTS", "a") == b":0\r\n")
    beat = daemon.ask("INFO", "stats")
    assert b"expired_keys:0\r\n" in beat
    daemon.ask("DEBUG", "SET-ACTIVE-EXPIRE", "1")
    daemon.ask("SET", "b", "1", "PX", "1")
    eventually(lambda: b"expired_keys:0\r\n" not in daemon.ask("INFO", "stats"))
