"""A host with too little shared memory, or where too few files may be open: both for real."""

from __future__ import annotations

import resource
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from supervisor.daemons import ROOT, ask, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from supervisor.daemons import DaemonProcess

MEGABYTE = 1 << 20
CONNECTIONS = 1500
SOFT_LIMIT = 1024

SMALL_SHM = """
import ctypes, os, sys
CLONE_NEWNS, MS_REC, MS_PRIVATE = 0x20000, 0x4000, 1 << 18
libc = ctypes.CDLL(None, use_errno=True)
def must(status):
    if status:
        sys.exit(os.strerror(ctypes.get_errno()))
must(libc.unshare(CLONE_NEWNS))
must(libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None))
must(libc.mount(b"tmpfs", b"/dev/shm", b"tmpfs", 0, sys.argv[1].encode()))
if sys.argv[2]:
    # whatever is free later, when the arena is there, is taken
    sys.path.insert(0, sys.argv[3])
    from shmcache.arena import segments
    create = segments.create_segments
    def create_and_fill(*args, **options):
        made = create(*args, **options)
        with open("/dev/shm/filler", "wb", buffering=0) as filler:
            try:
                while filler.write(bytes(4096)):
                    pass
            except OSError:
                pass
        return made
    segments.create_segments = create_and_fill
    from shmcache.supervisor import adoption
    adoption.create_segments = create_and_fill
from shmcache.supervisor.main import main
sys.exit(main(sys.argv[4:]))
"""
"""Starts a daemon that has a /dev/shm of its own, which ends with it."""


def may_mount() -> bool:
    probe = SMALL_SHM.partition("if sys.argv")[0]
    command = [sys.executable, "-c", probe, "size=1m"]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


@pytest.fixture
def small_shm(daemon: DaemonProcess) -> DaemonProcess:
    """A daemon, not started, that will see a /dev/shm of 4 MB."""
    if not may_mount():
        pytest.skip("not allowed to mount a small /dev/shm")
    put_into_small_shm(daemon, fill=False)
    return daemon


def put_into_small_shm(daemon: DaemonProcess, *, fill: bool) -> None:
    plain = type(daemon).command

    def command(*options: str) -> list[str]:
        words = plain(daemon, *options)[3:]
        return [sys.executable, "-c", SMALL_SHM, "size=5m", "1" if fill else "", str(ROOT), *words]

    daemon.command = command  # type: ignore[method-assign]


def test_shared_memory_too_small_for_the_arena(small_shm: DaemonProcess) -> None:
    text = small_shm.fails("--maxmemory", "8mb")
    assert f"/dev/shm is too small for cache '{small_shm.name}': it needs " in text
    assert "set a smaller maxmemory, enlarge it (mount -o remount,size=... /dev/shm, " in text
    assert not Path(small_shm.socket).exists()


def test_shared_memory_that_others_fill_later(small_shm: DaemonProcess) -> None:
    """The arena has all of its memory from the start: no store can fail for want of a page."""
    put_into_small_shm(small_shm, fill=True)
    small_shm.start("--maxmemory", "3mb")
    count = 0
    while small_shm.ask("SET", f"k{count}", "x" * 60_000) == b"+OK\r\n":
        count += 1
    assert count * 60_000 > 2 * MEGABYTE
    for number in range(count):
        assert small_shm.ask("STRLEN", f"k{number}") == b":60000\r\n"
    assert small_shm.process.poll() is None
    assert "SIGBUS" not in small_shm.log_text()


@pytest.fixture
def files() -> Iterator[None]:
    """Room for this process's own ends of the connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < CONNECTIONS + 200:
        pytest.skip("the limit of open files is too low")
    resource.setrlimit(resource.RLIMIT_NOFILE, (CONNECTIONS + 200, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def with_limits(soft: int, hard: int) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("files")
def test_more_clients_than_the_soft_limit_of_files(daemon: DaemonProcess) -> None:
    """The usual 1,024 are no limit where the system allows more."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    daemon.start(preexec_fn=lambda: with_limits(SOFT_LIMIT, hard))
    with ExitStack() as stack:
        clients = [stack.enter_context(socket.socket(socket.AF_UNIX)) for _ in range(CONNECTIONS)]
        for client in clients:
            client.connect(daemon.socket)  # waits while the backlog is full
            client.settimeout(20)
            client.sendall(b"INCR n\r\n")
        replies = sorted(int(client.recv(64)[1:-2]) for client in clients)
        assert replies == list(range(1, CONNECTIONS + 1))
    eventually(lambda: b"\nconnected_clients:1\r\n" in daemon.ask("INFO", "clients"))


def test_a_hard_limit_of_files_that_is_low(daemon: DaemonProcess) -> None:
    """Fewer clients, said at the start; who comes too late is told, and nobody else suffers."""
    daemon.start(preexec_fn=lambda: with_limits(200, 200))
    reply = daemon.ask("CONFIG", "GET", "maxclients")
    allowed = int(reply.split(b"\r\n")[4])
    assert 50 < allowed < 200
    assert f"lets only {allowed} clients in: maxclients is {allowed}" in daemon.log_text()
    with ExitStack() as stack:
        inside = [stack.enter_context(socket.socket(socket.AF_UNIX)) for _ in range(allowed)]
        for client in inside:
            client.settimeout(20)
            client.connect(daemon.socket)
            client.sendall(b"PING\r\n")
            assert client.recv(64) == b"+PONG\r\n"
        assert ask(daemon.socket, "PING") == b"-ERR max number of clients reached\r\n"
        inside[0].sendall(b"PING\r\n")
        assert inside[0].recv(64) == b"+PONG\r\n"
