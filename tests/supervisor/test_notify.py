"""The conversation with a service manager: notifications and sockets that it passes."""

from __future__ import annotations

import os
import signal
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from shmcache.arena.segments import attach_arena
from shmcache.errors import ConfigurationError
from shmcache.supervisor.listeners import inherited_sockets
from shmcache.supervisor.notify import Notifier
from supervisor.daemons import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from supervisor.daemons import DaemonProcess


class Manager:
    """What systemd is to the daemon."""

    def __init__(self, address: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address.replace("@", "\0", 1))
        self.socket.settimeout(20)
        self.address = address

    def next(self) -> dict[str, str]:
        """The next message but heartbeats."""
        while True:
            message = self.socket.recv(65536).decode()
            fields = dict(line.split("=", 1) for line in message.split("\n"))
            if "WATCHDOG" not in fields:
                return fields


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Manager]:
    path = str(tmp_path / "notify")
    address = path if request.param == "path" else f"@{path}"
    manager = Manager(address)
    yield manager
    manager.socket.close()


def test_ready_reloading_stopping(daemon: DaemonProcess, manager: Manager) -> None:
    daemon.launch(environment={"NOTIFY_SOCKET": manager.address})
    ready = manager.next()
    assert ready["READY"] == "1"
    status = f"Serving cache '{daemon.name}' on unix:{daemon.socket}"
    assert ready["STATUS"] == status
    assert daemon.ask("PING") == b"+PONG\r\n"  # READY is no promise, it is so

    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    daemon.process.send_signal(signal.SIGHUP)
    reloading = manager.next()
    assert reloading["RELOADING"] == "1"
    after = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    assert before <= int(reloading["MONOTONIC_USEC"]) <= after
    assert manager.next() == {"READY": "1", "STATUS": status}

    daemon.process.terminate()
    assert manager.next()["STOPPING"] == "1"
    assert daemon.wait() == 0


def test_a_front_end_that_was_replaced_is_announced(
    daemon: DaemonProcess, manager: Manager
) -> None:
    daemon.launch(environment={"NOTIFY_SOCKET": manager.address})
    assert manager.next()["READY"] == "1"
    daemon.frontend().kill()
    assert manager.next()["READY"] == "1"


def test_watchdog(daemon: DaemonProcess, manager: Manager) -> None:
    environment = {"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "200000"}
    daemon.launch(environment=environment)
    for _ in range(3):
        while manager.socket.recv(65536) != b"WATCHDOG=1":
            pass


def test_a_manager_that_does_not_listen_stops_nothing(daemon: DaemonProcess) -> None:
    daemon.start(environment={"NOTIFY_SOCKET": str(daemon.directory / "nobody")})
    assert daemon.stop() == 0


def test_without_a_manager_nothing_is_sent() -> None:
    notifier = Notifier({})
    assert not notifier.active
    assert notifier.watchdog_seconds is None
    notifier.ready("nobody hears this")


def test_a_status_is_one_line(manager: Manager) -> None:
    Notifier({"NOTIFY_SOCKET": manager.address}).status("two\nlines")
    assert manager.next() == {"STATUS": "two lines"}


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        ({"WATCHDOG_USEC": "3000000"}, 3.0),
        ({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": str(os.getpid())}, 3.0),
        ({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_watchdog_interval(environment: dict[str, str], seconds: float | None) -> None:
    assert Notifier(environment).watchdog_seconds == seconds


def listen_fds(daemon: DaemonProcess, *listeners: socket.socket, names: str = "") -> None:
    """Start the daemon with sockets as descriptors 3, 4, ..., as systemd does."""
    command = daemon.command()
    index = command.index("--unixsocket")
    del command[index : index + 2]
    # LISTEN_PID has to be the daemon's own pid: a shell knows it before it becomes the daemon
    script = 'export LISTEN_PID=$$; exec "$@"'
    daemon.command = lambda *_: ["/bin/sh", "-c", script, "sh", *command]  # type: ignore[method-assign]

    def place() -> None:
        copies = [os.dup(listener.fileno()) for listener in listeners]
        high = [os.dup2(copy, 100 + number) for number, copy in enumerate(copies)]
        for number, fd in enumerate(high):
            os.dup2(fd, 3 + number, inheritable=True)

    environment = {"LISTEN_FDS": str(len(listeners)), "LISTEN_FDNAMES": names}
    daemon.launch(environment=environment, preexec_fn=place, close_fds=False)


def test_socket_activation(daemon: DaemonProcess) -> None:
    with socket.socket(socket.AF_UNIX) as unix, socket.create_server(("127.0.0.1", 0)) as tcp:
        unix.bind(daemon.socket)
        unix.listen()
        with socket.socket(socket.AF_UNIX) as early:
            early.settimeout(20)
            early.connect(daemon.socket)  # before there is a daemon
            early.sendall(b"PING\r\n")
            listen_fds(daemon, unix, tcp, names="unix:tcp")
            assert early.recv(100) == b"+PONG\r\n"
        with socket.create_connection(tcp.getsockname(), timeout=20) as client:
            client.sendall(b"PING\r\n")
            assert client.recv(100) == b"+PONG\r\n"
        assert attach_arena(daemon.name).socket_path == daemon.socket
        # nobody's child takes the variables for its own
        children = daemon.children().values()
        assert len(children) == 2
        daemon.frontend().kill()
        eventually(lambda: daemon.ask("PING") == b"+PONG\r\n")
        assert daemon.stop() == 0
        assert Path(daemon.socket).exists()  # it is the manager's


def test_inherited_descriptors_that_cannot_be_used(daemon: DaemonProcess) -> None:
    with socket.socket(socket.AF_UNIX) as silent:
        listen_fds(daemon, silent, names="mine")
        _, errors = daemon.process.communicate(timeout=20)
    expected = b"shmcached: inherited descriptor 3 (mine) is not a listening Unix or TCP socket\n"
    assert errors == expected


def test_sockets_meant_for_another_process_are_left_alone() -> None:
    environment = {"LISTEN_PID": "1", "LISTEN_FDS": "1", "LISTEN_FDNAMES": "x", "OTHER": "y"}
    assert inherited_sockets(environment) == []
    assert environment == {"OTHER": "y"}


def test_a_descriptor_that_is_not_there() -> None:
    environment = {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "100000"}
    with pytest.raises(ConfigurationError, match=r"inherited descriptor \d+ is no"):
        inherited_sockets(environment)
