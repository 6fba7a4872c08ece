"""The supervisor's children: forked without exec, bound to its life, told things over a socket.

Forking from a process that has everything imported starts a child in milliseconds, where a new
interpreter with the same imports takes a tenth of a second.

A child never outlives the supervisor: the kernel kills it (PR_SET_PDEATHSIG), so that a TCP port
is free for the next supervisor at once; where that cannot be had, the control socket's end of file
ends it.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shmcache.supervisor.log import Log

__all__ = ["HANDLED_SIGNALS", "Backoff", "Child", "ChildSpec", "describe_status"]

HANDLED_SIGNALS: Final = frozenset(
    (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD, signal.SIGPIPE)
)
"""What the supervisor has handlers for, and a child must not be delivered to them."""

_PR_SET_PDEATHSIG: Final = 1
_MAX_LINE_BYTES: Final = 16 << 20
_SEND_SECONDS: Final = 5.0
"""A child that reads takes a message at once; we wait so long for one that does not."""
_CHUNK_BYTES: Final = 1 << 16


class ChildSpec(NamedTuple):
    """How to make a child."""

    title: str
    """What people call it."""
    process_name: str
    """What ``ps`` and ``top`` show, at most 15 bytes."""
    run: Callable[[socket.socket], int]
    """Called in the child with its end of the control socket; returns the exit status."""
    greeting: Callable[[], dict[str, Any]] | None = None
    """The first message to send it."""


class Child:
    """A running child and the supervisor's end of the control socket.

    Messages are JSON objects, one a line, in both directions.

    :ivar ready: it said that it does its work
    """

    def __init__(self, spec: ChildSpec, log: Log, forget: Callable[[], None]) -> None:
        """Fork.

        :param forget: called in the child to close what belongs to the supervisor
        :raises OSError: no process can be made
        """
        self.spec = spec
        self.ready = False
        self.started = time.monotonic()
        self.control, theirs = socket.socketpair()
        parent = os.getpid()
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED_SIGNALS)
        try:
            self.pid = os.fork()
            if self.pid == 0:
                self.control.close()
                _be_child(spec, theirs, parent, log, forget)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        theirs.close()
        self.control.setblocking(False)
        self._received = b""
        if spec.greeting is not None:
            self.send(spec.greeting())

    def send(self, message: dict[str, Any]) -> bool:
        """Send a message; False when the child does not read, or is gone."""
        data = json.dumps(message).encode() + b"\n"
        self.control.settimeout(_SEND_SECONDS)
        try:
            self.control.sendall(data, socket.MSG_NOSIGNAL)
        except OSError:
            return False
        finally:
            self.control.setblocking(False)
        return True

    def receive(self) -> list[dict[str, Any]]:
        """Return the messages that have arrived; what is no message is left out.

        :raises EOFError: the child closed the socket
        """
        data, ended = b"", False
        while not ended and len(data) <= _MAX_LINE_BYTES:
            try:
                chunk = self.control.recv(_CHUNK_BYTES)
            except BlockingIOError:
                break
            except OSError:
                chunk = b""
            data += chunk
            ended = not chunk
        if ended and not data:
            raise EOFError
        *lines, self._received = (self._received + data).split(b"\n")
        if len(self._received) > _MAX_LINE_BYTES:
            self._received = b""
        return [message for message in map(_parse, lines) if message is not None]

    def signal(self, number: int) -> None:
        """Send a signal; it has not been waited for, so that the pid is still its own."""
        os.kill(self.pid, number)

    def poll(self) -> int | None:
        """Return the wait status once it has ended, None before."""
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        return status if pid else None

    def close(self) -> None:
        """Close the control socket."""
        self.control.close()


class Backoff:
    """When to start a child that ended again: at once, then later and later.

    A life of ``settled_seconds`` wipes out what was before.
    """

    first_seconds: Final = 0.1
    cap_seconds: Final = 10.0
    settled_seconds: Final = 10.0

    def __init__(self) -> None:
        self.failures = 0

    def after(self, lifetime_seconds: float) -> float:
        """Return how many seconds to wait after a life of that length."""
        if lifetime_seconds >= self.settled_seconds:
            self.failures = 0
        self.failures += 1
        if self.failures == 1:
            return 0.0
        doublings = min(self.failures - 2, 16)
        return min(self.first_seconds * 2.0**doublings, self.cap_seconds)


def describe_status(status: int) -> str:
    """Say how a process ended, from its wait status."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        try:
            return f"was killed by {signal.Signals(number).name}"
        except ValueError:
            return f"was killed by signal {number}"
    return f"ended with status {os.WEXITSTATUS(status)}"


def _parse(line: bytes) -> dict[str, Any] | None:
    try:
        message = json.loads(line)
    except ValueError:
        return None
    return message if isinstance(message, dict) else None


def _be_child(
    spec: ChildSpec,
    control: socket.socket,
    parent: int,
    log: Log,
    forget: Callable[[], None],
) -> None:
    """Run the child; never returns, whatever happens in it."""
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        for number in HANDLED_SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        # a terminal's Ctrl-C is for the supervisor, which then stops its children in order
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        _die_with_parent(parent)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED_SIGNALS)
        forget()
        _set_process_name(spec.process_name)
        _detach_input()
        log.redirect_output()
        status = spec.run(control)
    except SystemExit as ending:
        status = ending.code if isinstance(ending.code, int) else 1
    except BaseException:
        sys.excepthook(*sys.exc_info())  # into the log: the process ends here
    finally:
        _flush((sys.stdout, sys.stderr))
        os._exit(status)


def _die_with_parent(parent: int) -> None:
    try:
        import ctypes  # noqa: PLC0415 - only children need it

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    except (ImportError, OSError, MemoryError):
        # Some Pythons cannot load ctypes where memory is never writable and executable (systemd's
        # MemoryDenyWriteExecute=): the control socket has to do.
        pass
    if os.getppid() != parent:
        os._exit(1)  # it died before the kernel was told


def _set_process_name(name: str) -> None:
    try:
        with open("/proc/self/comm", "w", encoding="ascii") as comm:  # noqa: PTH123
            comm.write(name)
    except OSError:
        return  # without /proc it keeps the supervisor's name


def _detach_input() -> None:
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)


def _flush(streams: Sequence[Any]) -> None:
    for stream in streams:
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            continue  # a full disk for logs, or no stream
