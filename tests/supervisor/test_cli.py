"""The command line's bad days: one line on standard error, a status, and nothing left behind."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from shmcache.arena import min_data_bytes
from shmcache.arena.segments import lock_path
from shmcache.errors import ConfigurationError
from shmcache.server.exitcodes import EXIT_BAD_START
from shmcache.supervisor.listeners import default_socket_path
from shmcache.supervisor.start import start
from supervisor.daemons import (
    ROOT,
    DaemonProcess,
    as_nobody,
    ask,
    eventually,
    in_child,
    segments_exist,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def refused(daemon: DaemonProcess) -> Iterator[DaemonProcess]:
    """A daemon that is expected not to start; nothing of it may be found afterwards."""
    yield daemon
    assert not segments_exist(daemon.name)
    assert not Path(daemon.socket).exists()
    assert not Path(daemon.socket + ".lock").exists()
    assert not Path(lock_path(daemon.name)).exists()


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "shmcache.supervisor.main", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help(option: str) -> None:
    result = run(option)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("usage: shmcached [CONFIG-FILE]")


@pytest.mark.parametrize("option", ["--version", "-v"])
def test_version(option: str) -> None:
    result = run(option)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("shmcached ")


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (["--no-such-option", "1"], "'--no-such-option 1': Bad directive or wrong number of"),
        (["--maxmemory", "lots"], "'--maxmemory lots': argument must be a memory value"),
        (["--maxclients", "0"], "argument must be between 1 and 4294967295 inclusive"),
        (["--shm-mode", "999"], "argument couldn't be parsed as an octal number"),
        (["--dir", "/no/such"], "'--dir /no/such': No such file or directory"),
        (["--name", "a/b"], "invalid cache name 'a/b'"),
        (["--shm-group", "no-such-group"], "there is no group named 'no-such-group'"),
        (["--unixsocket", ""], "configured to not listen anywhere"),
        (["--unixsocket", "/no/such/s"], "there is no directory '/no/such'"),
        (["--unixsocket", "/tmp/" + "x" * 200], "is too long: the system allows 107 bytes"),
        (["--unixsocket", "/dev/null"], "it exists and is no socket"),
        (["--logfile", "/no/such/log"], "can't open log file '/no/such/log': No such file"),
        (["--logfile", "/"], "can't open log file '/': Is a directory"),
        (["--pidfile", "/no/such/pid"], "can't write pid file '/no/such/pid': No such file"),
        (["--port", "1", "--bind", "192.0.2.1"], "can't listen on TCP 192.0.2.1:1: Cannot assign"),
        (["--port", "1", "--bind", "x y"], "can't listen on TCP x y:1: "),
        (["--port", "1", "--bind", "-192.0.2.1"], "no address of 'bind' is available for port 1"),
        (["--maxmemory", "1000"], f"the least is {min_data_bytes()} bytes"),
        (["--maxmemory", "64000gb"], "/dev/shm is too small for cache"),
    ],
)
def test_what_cannot_be_used(refused: DaemonProcess, options: list[str], part: str) -> None:
    assert part in refused.fails(*options)


def test_a_bad_file_is_named_with_the_line(refused: DaemonProcess) -> None:
    file = refused.directory / "bad.conf"
    file.write_text("hz 10\nport x\n")
    refused.command = lambda *_: [  # type: ignore[method-assign]
        *(sys.executable, "-m", "shmcache.supervisor.main", str(file))
    ]
    expected = f"{file} line 2: 'port x': argument couldn't be parsed into an integer"
    assert refused.fails() == f"shmcached: {expected}"


def test_a_tcp_port_in_use(refused: DaemonProcess) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        text = refused.fails("--port", str(port), "--bind", "127.0.0.1")
    assert text.endswith(f"can't listen on TCP 127.0.0.1:{port}: Address already in use")


def test_a_unix_socket_in_use(daemon: DaemonProcess) -> None:
    with socket.socket(socket.AF_UNIX) as taken:
        taken.bind(daemon.socket)
        taken.listen()
        assert daemon.fails().endswith(f"can't listen on '{daemon.socket}': another process does")
        assert Path(daemon.socket).is_socket()
    assert not segments_exist(daemon.name)


def test_a_socket_whose_queue_is_full_is_in_use(daemon: DaemonProcess) -> None:
    with socket.socket(socket.AF_UNIX) as taken, socket.socket(socket.AF_UNIX) as waiting:
        taken.bind(daemon.socket)
        taken.listen(0)
        waiting.connect(daemon.socket)
        assert "another process does" in daemon.fails()


def test_a_stale_socket_is_replaced(daemon: DaemonProcess) -> None:
    with socket.socket(socket.AF_UNIX) as gone:
        gone.bind(daemon.socket)
    assert Path(daemon.socket).is_socket()
    daemon.start()
    assert daemon.stop() == 0
    assert not Path(daemon.socket).exists()


def test_a_name_in_use(daemon: DaemonProcess, tmp_path: Path) -> None:
    daemon.start()
    daemon.ask("SET", "k", "v")
    with DaemonProcess(tmp_path) as other:
        own_name, other.name, other.socket = other.name, daemon.name, daemon.socket + "2"
        text = other.fails()
        other.name = own_name
    holder = f"cache '{daemon.name}' is in use by another shmcached (pid {daemon.process.pid})"
    assert text == f"shmcached: {holder}"
    assert not Path(daemon.socket + "2").exists()
    assert daemon.ask("GET", "k") == b"$1\r\nv\r\n"


def test_the_socket_of_another_name(daemon: DaemonProcess, tmp_path: Path) -> None:
    daemon.start()
    with DaemonProcess(tmp_path) as other:
        other.socket = daemon.socket
        text = other.fails()
        assert not segments_exist(other.name)
    assert f"socket '{daemon.socket}' is in use by another shmcached (pid " in text
    assert daemon.ask("PING") == b"+PONG\r\n"


def test_a_group_that_cannot_be_given(refused: DaemonProcess) -> None:
    if os.geteuid() != 0:
        text = refused.fails("--shm-group", "root")
        assert "can't open up" in text or "not allowed to set the segments' mode" in text


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize(
    ("option", "what"),
    [
        ("--logfile", "can't open log file"),
        ("--pidfile", "can't write pid file"),
        ("", "can't lock"),
    ],
)
def test_an_unwritable_directory(refused: DaemonProcess, option: str, what: str) -> None:
    closed = refused.directory / "closed"
    closed.mkdir(mode=0o755)
    refused.directory.chmod(0o777)
    for directory in refused.directory.parents:
        if directory == Path(tempfile.gettempdir()):
            break
        directory.chmod(0o755)
    options = ["--name", refused.name, "--unixsocket", refused.socket, "--logfile", "/dev/null"]
    options += [option, str(closed / "file")] if option else ["--unixsocket", str(closed / "s")]
    text = as_nobody(lambda: start(options))
    assert text.startswith(f"ConfigurationError: {what} ")
    assert text.endswith("Permission denied")


def test_a_full_disk_for_logs_stops_nothing(daemon: DaemonProcess) -> None:
    daemon.start("--logfile", "/dev/full")
    assert daemon.ask("SET", "k", "v") == b"+OK\r\n"
    daemon.process.terminate()
    _, errors = daemon.process.communicate(timeout=20)
    assert daemon.process.returncode == 0
    complaint = b"shmcached: cannot write to /dev/full: No space left on device; going on\n"
    assert errors == complaint


def test_the_log_on_standard_output_of_a_reader_that_went(daemon: DaemonProcess) -> None:
    daemon.launch("--logfile", "")
    assert daemon.process.stdout is not None
    daemon.process.stdout.close()
    daemon.process.stdout = None
    daemon.wait_ready()
    assert daemon.stop() == 0


def test_options_without_effect_give_one_warning(daemon: DaemonProcess) -> None:
    daemon.start("--appendonly", "no", "--cluster-enabled", "no")
    lines = [line for line in daemon.log_text().splitlines() if "without any effect" in line]
    assert len(lines) == 1
    assert lines[0].endswith("# Options without any effect here: appendonly, cluster-enabled")


def test_tcp_beside_the_unix_socket(daemon: DaemonProcess) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    daemon.start("--port", str(port))
    assert ask(("127.0.0.1", port), "PING") == b"+PONG\r\n"
    assert f"tcp:127.0.0.1:{port}" in daemon.log_text()


def test_the_default_socket_is_the_user_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    uid = os.getuid()
    monkeypatch.setattr(os, "geteuid", lambda: uid or 4242)
    if uid == 0:
        os.chown(tmp_path, 4242, -1)
        (tmp_path / "shmcache").mkdir(mode=0o700)
        os.chown(tmp_path / "shmcache", 4242, -1)
    runtime = {"XDG_RUNTIME_DIR": str(tmp_path)}
    assert default_socket_path("n", runtime) == str(tmp_path / "shmcache" / "n.sock")
    assert (tmp_path / "shmcache").stat().st_mode & 0o777 == 0o700
    monkeypatch.setattr(os, "geteuid", lambda: 4243)
    with pytest.raises(ConfigurationError, match="is not a directory of this user"):
        default_socket_path("n", runtime)
    with pytest.raises(ConfigurationError, match="can't make directory '/no/such/shmcache'"):
        default_socket_path("n", {"XDG_RUNTIME_DIR": "/no/such"})


def test_configuration_from_standard_input(daemon: DaemonProcess) -> None:
    read_end, write_end = os.pipe()
    os.write(write_end, b"requirepass secret\n")
    os.close(write_end)
    with os.fdopen(read_end, "rb") as stdin:
        daemon.launch("-", stdin=stdin)
    eventually(lambda: daemon.ask("PING").startswith(b"-NOAUTH"))
    assert daemon.ask("AUTH", "secret") == b"+OK\r\n"


def test_socket_permissions(daemon: DaemonProcess) -> None:
    daemon.start("--unixsocketperm", "770", "--shm-group", "0" if os.geteuid() == 0 else "")
    assert Path(daemon.socket).stat().st_mode & 0o777 == 0o770


def test_daemonize(daemon: DaemonProcess) -> None:
    pidfile = daemon.directory / "pid"
    daemon.launch("--daemonize", "yes", "--pidfile", str(pidfile))
    output, errors = daemon.process.communicate(timeout=20)
    assert (daemon.process.returncode, output, errors) == (0, b"", b"")
    assert daemon.ask("PING") == b"+PONG\r\n"  # ready, because the command ended with success
    pid = int(pidfile.read_text())
    assert os.getsid(pid) == pid
    os.kill(pid, 15)
    eventually(lambda: not Path(f"/proc/{pid}").exists() or not pidfile.exists())
    eventually(lambda: not Path(daemon.socket).exists())
    eventually(lambda: not Path(lock_path(daemon.name)).exists())


def test_daemonize_reports_what_is_wrong(refused: DaemonProcess) -> None:
    assert "the least is" in refused.fails("--daemonize", "yes", "--maxmemory", "1000")


@pytest.mark.parametrize("status", [EXIT_BAD_START, 1])
def test_a_front_end_that_never_comes_up(
    refused: DaemonProcess, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    """Hopeless at once, or after a few attempts: an error either way, and nothing left."""
    monkeypatch.setattr("shmcache.supervisor.start.serve", lambda _arguments: status)
    monkeypatch.setattr("shmcache.supervisor.children.Backoff.first_seconds", 0.001)
    options = ["--name", refused.name, "--unixsocket", refused.socket, "--maxmemory", "8mb"]
    text = in_child(lambda: start([*options, "--logfile", str(refused.log)]))
    assert text == "ConfigurationError: the front-end could not start; the log says why"
    attempts = 1 if status == EXIT_BAD_START else 5
    ends = [
        line for line in refused.log_text().splitlines() if f"ended with status {status}" in line
    ]
    assert len(ends) == attempts
    assert ends[-1].endswith("at start: giving up")
