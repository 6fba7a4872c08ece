"""Processes that a script starts: they die with it, and nothing of theirs stays behind."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from types import FrameType

__all__ = [
    "ScriptError",
    "end_on_signals",
    "program",
    "runtime_directory",
    "spawn",
    "stop",
    "wait_until",
]

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_libc = ctypes.CDLL(None)


class ScriptError(Exception):
    """Something the user can act on; its text is the whole message."""


def program(name: str) -> str:
    """Path of a console script of the environment that runs this one.

    :raises ScriptError: it is not installed there
    """
    path = Path(sys.executable).parent / name
    if not path.exists():
        raise ScriptError(f"{name} is not installed beside {sys.executable}")
    return str(path)


def _die_with_parent() -> None:
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def spawn(
    command: Sequence[str],
    *,
    log: Path,
    pass_fds: Sequence[int] = (),
    environment: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a process whose output goes to `log`, and that is terminated when this one dies.

    :raises OSError: it cannot be started
    """
    inherited = dict(os.environ)
    # some containers set it; each start would compile every module again, and be measured so
    inherited.pop("PYTHONDONTWRITEBYTECODE", None)
    with log.open("ab") as output:
        # preexec_fn: only the child itself can ask for the signal; nothing here runs threads yet.
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=pass_fds,
            env={**inherited, **(environment or {})},
            preexec_fn=_die_with_parent,  # noqa: PLW1509
            # Ctrl-C is for the script, which then stops its children in the right order.
            process_group=0,
        )


def stop(process: subprocess.Popen[bytes], timeout_seconds: float = 10) -> int:
    """End a process: SIGTERM first, SIGKILL when that does not help.

    :return: its exit code, negative for the signal that ended it
    """
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            process.kill()
    return process.wait()


def wait_until(
    ready: Callable[[], bool],
    process: subprocess.Popen[bytes],
    what: str,
    log: Path,
    timeout_seconds: float = 30,
) -> None:
    """Wait until `ready` says so.

    :raises ScriptError: the process ended first, or the time is over; the end of its log is told
    """
    deadline = time.monotonic() + timeout_seconds
    while not ready():
        if process.poll() is not None:
            raise ScriptError(f"{what} ended with exit code {process.returncode}:\n{tail(log)}")
        if time.monotonic() > deadline:
            raise ScriptError(f"{what} was not ready in {timeout_seconds:.0f} s:\n{tail(log)}")
        time.sleep(0.005)


def tail(log: Path, lines: int = 15) -> str:
    """Last lines of a log, indented."""
    text = log.read_text(errors="replace").splitlines() if log.exists() else []
    return "\n".join(f"    {line}" for line in text[-lines:]) or "    (it printed nothing)"


@contextmanager
def runtime_directory(purpose: str) -> Iterator[Path]:
    """Give a private directory for sockets, logs and databases, and remove it in the end."""
    with tempfile.TemporaryDirectory(prefix=f"shmcache-{purpose}-") as directory:
        yield Path(directory)


@contextmanager
def end_on_signals() -> Iterator[None]:
    """Turn SIGTERM and SIGHUP into an orderly end, and let nothing interrupt the cleaning up."""

    def leave(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, leave) for number in numbers}
    # a shell that starts a script in the background has it ignore Ctrl-C
    before[signal.SIGINT] = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Put off Ctrl-C and SIGTERM: for cleaning up."""
    numbers = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
    before = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
