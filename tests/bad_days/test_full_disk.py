"""No more room for files: the cache lives in memory and goes on, and no file is left half-written.

A limit on the size of files stands in for the disk: it meets a daemon that is running already, and
can be lifted again.
"""

from __future__ import annotations

import resource
import signal
import sys
from typing import TYPE_CHECKING

from supervisor.daemons import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from supervisor.daemons import DaemonProcess

FULL = 8
"""Bytes that a file may have; enough for nothing."""


def limit_files(daemon: DaemonProcess, size: int) -> None:
    """Let no process of a daemon write beyond ``size``."""
    for pid in (daemon.process.pid, daemon.frontend().pid, daemon.maintenance().pid):
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def start_with_file(daemon: DaemonProcess, text: str) -> Path:
    file = daemon.directory / "shmcached.conf"
    file.write_text(text)
    words = daemon.command()[3:]
    daemon.command = lambda *_: [  # type: ignore[method-assign]
        *(sys.executable, "-m", "shmcache.supervisor.main", str(file), *words)
    ]
    daemon.start()
    return file


def test_the_configuration_cannot_be_written(daemon: DaemonProcess) -> None:
    """The old file stays whole, and nothing is left beside it."""
    text = "timeout 5\n# a remark\n"
    file = start_with_file(daemon, text)
    limit_files(daemon, FULL)
    assert daemon.ask("CONFIG", "SET", "timeout", "77") == b"+OK\r\n"
    names = sorted(daemon.directory.iterdir())
    reply = daemon.ask("CONFIG", "REWRITE")
    assert reply == b"-ERR Rewriting config file: File too large\r\n"
    assert file.read_text() == text
    assert sorted(daemon.directory.iterdir()) == names
    limit_files(daemon, resource.RLIM_INFINITY)
    assert daemon.ask("CONFIG", "REWRITE") == b"+OK\r\n"
    assert file.read_text().startswith("timeout 77\n# a remark\n")


def test_the_log_cannot_be_written_for_a_while(daemon: DaemonProcess) -> None:
    """All is done but for the lines, also starting a new front-end; then there are lines again."""
    start_with_file(daemon, "timeout 5\n")
    assert daemon.ask("SET", "k", "v") == b"+OK\r\n"
    limit_files(daemon, FULL)
    before = daemon.log_text()
    old = daemon.frontend()
    old.kill()
    assert eventually(lambda: daemon.ask("GET", "k")) == b"$1\r\nv\r\n"
    assert daemon.frontend().pid != old.pid
    daemon.process.send_signal(signal.SIGHUP)
    assert daemon.ask("CONFIG", "REWRITE").startswith(b"-ERR Rewriting config file")
    assert daemon.log_text() == before
    limit_files(daemon, resource.RLIM_INFINITY)
    daemon.process.send_signal(signal.SIGHUP)
    eventually(lambda: "Configuration read" in daemon.log_text())
    daemon.process.terminate()
    _, errors = daemon.process.communicate(timeout=20)
    assert daemon.process.returncode == 0
    assert errors == f"shmcached: cannot write to {daemon.log}: File too large; going on\n".encode()
