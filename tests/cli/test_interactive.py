"""A person at a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cli.scripted import OURS, Terminal
from shmcache.cli.helping import completions, hint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def terminal(server: str, tmp_path: Path) -> Iterator[Callable[[], Terminal]]:
    started: list[Terminal] = []

    def start() -> Terminal:
        history = str(tmp_path / "history")
        started.append(Terminal(*OURS, "-s", server, REDISCLI_HISTFILE=history))
        started[-1].wait_for(f"redis {server}>".encode())
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait()


def test_a_conversation(terminal: Callable[[], Terminal], server: str) -> None:
    talk = terminal()
    talk.type(b"set greeting hello\r")
    talk.wait_for(b"OK\r\n")
    talk.type(b"get greeting\r")
    talk.wait_for(b'"hello"\r\n')
    talk.type(b"select 3\r")
    talk.wait_for(f"redis {server}[3]>".encode())
    talk.type(b"multi\r")
    talk.wait_for(f"redis {server}[3](TX)>".encode())
    talk.type(b"discard\r")
    talk.wait_for(f"redis {server}[3]>".encode())
    talk.type(b"quit\r")
    talk.finish()
    assert talk.process.returncode == 0


def test_history_is_kept_without_secrets(terminal: Callable[[], Terminal], tmp_path: Path) -> None:
    talk = terminal()
    talk.type(b"auth secret\r")
    talk.wait_for(b"(error) ERR AUTH")
    talk.type(b"echo remembered\r")
    talk.wait_for(b'"remembered"\r\n')
    talk.type(b"exit\r")
    talk.finish()
    kept = (tmp_path / "history").read_text()
    assert "echo remembered" in kept
    assert "secret" not in kept
    assert (tmp_path / "history").stat().st_mode & 0o777 == 0o600
    again = terminal()
    again.type(b"\x1b[A\x1b[A")
    again.wait_for(b"echo remembered")
    again.type(b"\r")
    again.wait_for(b'"remembered"\r\n')


def test_completion_and_hints(terminal: Callable[[], Terminal]) -> None:
    talk = terminal()
    talk.type(b"hget")
    talk.wait_for(b"key field")
    talk.type(b"\x15zrangeby\t")
    talk.wait_for(b"zrangebylex")
    talk.type(b"\x15:set nohints\r")
    talk.wait_for(b">")
    talk.type(b"echo x\x1b[C\x05\r")
    talk.wait_for(b'"x"\r\n')  # and nothing of a hint in the line


def test_leaving(terminal: Callable[[], Terminal]) -> None:
    for key in (b"\x04", b"\x03"):
        talk = terminal()
        talk.type(key)
        talk.finish()
        assert talk.process.returncode == 0


def test_interrupting(terminal: Callable[[], Terminal]) -> None:
    talk = terminal()
    talk.type(b"subscribe channel\r")
    talk.wait_for(b"3) (integer) 1\r\n")
    talk.type(b"\x03")
    talk.wait_for(b"not connected>")
    talk.type(b"echo back\r")
    talk.wait_for(b'"back"\r\n')


def test_hints_are_of_what_is_missing() -> None:
    assert hint(["get"]) == "key"
    assert hint(["GET", "a"]) == ""
    assert hint(["hset", "h"]) == "field value [field value ...]"
    assert hint(["set", "a", "b", "nx"]).startswith("[")
    assert hint(["config", "get"]) == "parameter [parameter ...]"
    assert hint(["nosuch"]) == ""
    assert hint([]) == ""


def test_completions_keep_the_case() -> None:
    assert "zrangebylex" in completions("zrangeby")
    assert "ZRANGEBYLEX" in completions("ZRANGEBY")
    assert "config get" in completions("config ")
    assert completions("help @hy") == ["help @hyperloglog"]
    assert completions("nosuch") == []
