"""SIGHUP and CONFIG SET: who learns of a change, and what survives a front-end."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from shmcache.arena import POLICIES
from shmcache.arena.segments import attach_arena
from supervisor.daemons import eventually

if TYPE_CHECKING:
    from supervisor.daemons import DaemonProcess


@pytest.fixture
def file(daemon: DaemonProcess) -> Path:
    """The daemon's configuration file."""
    path = daemon.directory / "shmcached.conf"
    path.write_text("timeout 5\n")
    daemon.command = lambda *options: [  # type: ignore[method-assign]
        *(sys.executable, "-m", "shmcache.supervisor.main", str(path)),
        *("--name", daemon.name, "--unixsocket", daemon.socket, "--maxmemory", "8mb"),
        *("--logfile", str(daemon.log), *options),
    ]
    return path


def get(daemon: DaemonProcess, option: str) -> str:
    return daemon.ask("CONFIG", "GET", option).split(b"\r\n")[4].decode()


def reload(daemon: DaemonProcess) -> None:
    before = daemon.log_text().count("Configuration read") + daemon.log_text().count("stays as")
    daemon.process.send_signal(signal.SIGHUP)
    eventually(
        lambda: (
            daemon.log_text().count("Configuration read") + daemon.log_text().count("stays as")
            > before
        )
    )


def test_sighup_reads_the_file_again(daemon: DaemonProcess, file: Path) -> None:
    daemon.start()
    assert get(daemon, "timeout") == "5"
    front_end = daemon.frontend().pid
    file.write_text("timeout 7\nmaxmemory-policy allkeys-lfu\nloglevel verbose\n")
    reload(daemon)
    eventually(lambda: get(daemon, "timeout") == "7")
    assert POLICIES[attach_arena(daemon.name).get_tuning().policy] == "allkeys-lfu"
    assert "options changed: loglevel, maxmemory-policy, timeout" in daemon.log_text()
    assert daemon.frontend().pid == front_end


def test_sighup_cannot_change_everything(daemon: DaemonProcess, file: Path) -> None:
    daemon.start()
    file.write_text("timeout 5\ntcp-backlog 100\nmaxmemory 100mb\n")
    reload(daemon)
    assert "A change of 'tcp-backlog' needs a restart" in daemon.log_text()
    assert get(daemon, "tcp-backlog") == "511"
    assert get(daemon, "maxmemory") == str(8 << 20)  # the command line goes before the file


def test_a_broken_file_changes_nothing(daemon: DaemonProcess, file: Path) -> None:
    daemon.start()
    file.write_text("timeout 7\nhz x\n")
    reload(daemon)
    assert f"The configuration stays as it was: {file} line 2: 'hz x'" in daemon.log_text()
    assert get(daemon, "timeout") == "5"
    file.unlink()
    reload(daemon)
    assert f"can't open config file '{file}'" in daemon.log_text()
    assert daemon.ask("PING") == b"+PONG\r\n"


def test_the_command_line_goes_before_the_file_again(daemon: DaemonProcess, file: Path) -> None:
    daemon.start("--timeout", "9")
    file.write_text("timeout 7\nhz 33\n")
    reload(daemon)
    eventually(lambda: get(daemon, "hz") == "33")
    assert get(daemon, "timeout") == "9"


def test_config_set_outlives_the_front_end(daemon: DaemonProcess) -> None:
    daemon.start()
    assert daemon.ask("CONFIG", "SET", "timeout", "77", "hz", "50") == b"+OK\r\n"
    old = daemon.frontend()
    old.kill()
    eventually(lambda: get(daemon, "timeout") == "77")
    assert daemon.frontend().pid != old.pid
    assert get(daemon, "hz") == "50"


def test_config_rewrite_is_read_by_the_next_daemon(daemon: DaemonProcess, file: Path) -> None:
    daemon.start()
    assert daemon.ask("CONFIG", "SET", "timeout", "77") == b"+OK\r\n"
    assert daemon.ask("CONFIG", "REWRITE") == b"+OK\r\n"
    assert "timeout 77" in file.read_text().splitlines()
    daemon.stop()
    daemon.start()
    assert get(daemon, "timeout") == "77"


def test_config_set_of_what_is_fixed(daemon: DaemonProcess) -> None:
    daemon.start()
    assert b"can't set immutable config" in daemon.ask("CONFIG", "SET", "name", "x")
    assert b"cannot grow" in daemon.ask("CONFIG", "SET", "maxmemory", "1gb")
    assert daemon.ask("CONFIG", "SET", "maxmemory", "4mb") == b"+OK\r\n"
    assert attach_arena(daemon.name).get_tuning().maxmemory == 4 << 20


def test_relative_paths_stay_what_they_were(daemon: DaemonProcess) -> None:
    """They are relative to where the daemon was started, also once it is in its ``dir``."""
    base, work = daemon.directory / "base", daemon.directory / "base" / "work"
    work.mkdir(parents=True)
    (base / "a.conf").write_text("include b.*\ndir work\n")
    (base / "b.conf").write_text("timeout 5\n")
    command = daemon.command()
    daemon.command = lambda *_: [*command[:3], "a.conf", *command[3:]]  # type: ignore[method-assign]
    daemon.start(cwd=base)
    assert get(daemon, "timeout") == "5"
    assert get(daemon, "dir") == str(work)
    assert daemon.frontend().cwd() == str(work)
    (base / "b.conf").write_text("timeout 6\n")
    reload(daemon)
    eventually(lambda: get(daemon, "timeout") == "6")
    assert daemon.process.poll() is None
    assert "options changed: timeout" in daemon.log_text()


def test_a_working_directory_that_is_gone(daemon: DaemonProcess) -> None:
    base = daemon.directory / "base"
    base.mkdir()
    script = ["/bin/sh", "-c", 'rmdir "$PWD"; exec "$@"', "sh", *daemon.command()]
    daemon.command = lambda *_: script  # type: ignore[method-assign]
    assert daemon.fails(cwd=base) == "shmcached: the working directory is gone"


def test_sighup_moves_on_to_a_new_log_file(
    daemon: DaemonProcess, file: Path, tmp_path: Path
) -> None:
    daemon.start()
    daemon.log.rename(tmp_path / "rotated")
    daemon.process.send_signal(signal.SIGHUP)
    errors = Path(f"/proc/{daemon.frontend().pid}/fd/2")
    eventually(lambda: errors.readlink() == daemon.log)
