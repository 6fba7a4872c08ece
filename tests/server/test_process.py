"""How the front-end process starts and ends."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from server.processes import START_SECONDS
from server.wire import request
from shmcache.arena import BEAT_FRONTEND
from shmcache.arena.segments import attach_arena
from shmcache.server.exitcodes import EXIT_BAD_START, EXIT_SHUTDOWN

if TYPE_CHECKING:
    from collections.abc import Callable

    from server.processes import FrontEnd


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_it(start_front_end: Callable[..., FrontEnd], number: int) -> None:
    front_end = start_front_end()
    with front_end.connect() as wire:
        wire.run("PING")
        front_end.process.send_signal(number)
        assert wire.is_closed()
    assert front_end.process.wait(START_SECONDS) == 0
    assert "Traceback" not in front_end.log()


def test_replies_are_sent_before_the_end(start_front_end: Callable[..., FrontEnd]) -> None:
    front_end = start_front_end()
    with front_end.connect() as wire:
        wire.send(request("SET", "a", "1") * 1000)
        assert wire.reply() == b"+OK\r\n"
        front_end.process.send_signal(signal.SIGTERM)
        rest = wire.rest()
        assert rest == b"+OK\r\n" * (len(rest) // 5)
    assert front_end.process.wait(START_SECONDS) == 0


def test_sighup_harms_nothing(start_front_end: Callable[..., FrontEnd]) -> None:
    front_end = start_front_end()
    with front_end.connect() as wire:
        front_end.process.send_signal(signal.SIGHUP)
        assert wire.run("PING") == b"+PONG\r\n"


@pytest.mark.parametrize("words", [(), ("NOSAVE",), ("SAVE", "FORCE"), ("now", "force")])
def test_shutdown(start_front_end: Callable[..., FrontEnd], words: tuple[str, ...]) -> None:
    front_end = start_front_end()
    with front_end.connect() as wire, front_end.connect() as other:
        other.run("SET", "a", "1")
        wire.send(request("SHUTDOWN", *words))
        assert wire.rest() == b""
        assert other.is_closed()
    assert front_end.process.wait(START_SECONDS) == EXIT_SHUTDOWN
    arena = attach_arena(front_end.name)
    assert arena.get(0, b"a") == b"1"
    arena.close()


def test_shutdown_save_is_refused(start_front_end: Callable[..., FrontEnd]) -> None:
    front_end = start_front_end()
    with front_end.connect() as wire:
        reply = wire.run("SHUTDOWN", "SAVE")
        assert reply == b"-ERR Errors trying to SHUTDOWN. Check logs.\r\n"
        assert wire.run("PING") == b"+PONG\r\n"
    assert "SHUTDOWN SAVE refused" in front_end.log()


def test_it_ends_with_its_supervisor(start_front_end: Callable[..., FrontEnd]) -> None:
    front_end = start_front_end()
    with front_end.connect() as wire:
        wire.run("PING")
        front_end.control.shutdown(socket.SHUT_RDWR)
        assert wire.is_closed()
    assert front_end.process.wait(START_SECONDS) == 0


def test_it_beats(start_front_end: Callable[..., FrontEnd]) -> None:
    front_end = start_front_end()
    arena = attach_arena(front_end.name)
    pid, first_ms = arena.get_beat(BEAT_FRONTEND)
    assert pid == front_end.process.pid
    deadline = time.monotonic() + START_SECONDS
    while arena.get_beat(BEAT_FRONTEND)[1] == first_ms:
        assert time.monotonic() < deadline, "no second heartbeat"
        time.sleep(0.05)
    arena.close()


def test_what_a_worker_writes_is_seen(start_front_end: Callable[..., FrontEnd]) -> None:
    front_end = start_front_end()
    arena = attach_arena(front_end.name, writable=True)
    with front_end.connect() as wire:
        arena.set(3, b"k", b"from the worker")
        wire.run("SELECT", "3")
        assert wire.run("GET", "k") == b"$15\r\nfrom the worker\r\n"
        wire.run("SET", "k", "from the socket")
        assert arena.get(3, b"k") == b"from the socket"
    arena.close()


def start_badly(*words: str, first: bytes = b'{"options": {}}\n') -> tuple[int, str]:
    ours, theirs = socket.socketpair()
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    if first:
        ours.sendall(first)
    else:
        ours.shutdown(socket.SHUT_WR)
    names = {"CONTROL": theirs.fileno(), "LISTEN": listener.fileno()}
    done = subprocess.run(
        [sys.executable, "-m", "shmcache.server", *(str(names.get(word, word)) for word in words)],
        pass_fds=[theirs.fileno(), listener.fileno()],
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )
    for each in (ours, theirs, listener):
        each.close()
    return done.returncode, done.stderr


NAME = "test-nothing-of-this-name"
GOOD = ("--name", NAME, "--control-fd", "CONTROL", "--listen-fd", "LISTEN")


@pytest.mark.parametrize(
    ("words", "first", "complaint"),
    [
        (GOOD, b'{"options": {}}\n', NAME),
        (GOOD, b'{"options": {"maxclients": "frog"}}\n', "maxclients"),
        (GOOD, b'{"options": {"frog": "1"}}\n', "frog"),
        (GOOD, b"{}\n", "options"),
        (GOOD, b"frog\n", "cannot start"),
        (GOOD, b"[]\n", "no object"),
        (GOOD, b"", "control socket was closed"),
        (GOOD[:4], b"{}\n", "--listen-fd"),
        ((*GOOD, "--frog", "1"), b"{}\n", "--frog"),
        ((*GOOD, "--name"), b"{}\n", "without a value"),
        ((*GOOD[:3], "999", *GOOD[4:]), b"{}\n", "cannot start"),
    ],
)
def test_a_bad_start_is_one_clear_line(
    words: tuple[str, ...], first: bytes, complaint: str
) -> None:
    status, errors = start_badly(*words, first=first)
    assert status == EXIT_BAD_START
    assert complaint in errors
    assert errors.count("\n") == 1
