"""``shmcache-cli arena``: beside a daemon, beside a stopped one, and beside none."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from cli.scripted import OURS, environment, run
from shmcache.arena.segments import attach_arena

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from client.processes import Daemon, Segments


def fill(name: str) -> None:
    arena = attach_arena(name, writable=True)
    for index in range(300):
        arena.set(0, b"string:%d" % index, b"x" * index)
    arena.set(0, b"int", b"12", 2**62)
    arena.hash_set(3, b"ha\xffsh", [b"field", b"y" * 20_000])
    arena.set_add(3, b"set", [b"1", b"2"])
    arena.list_push(15, b"list", [b"a"], left=True)
    arena.zset_add(15, b"zset", b"member", 1.0)
    arena.close()


def test_everything_is_told(segments: Segments) -> None:
    fill(segments.name)
    done = run(OURS, "--name", segments.name, "arena")
    assert (done.err, done.status) == (b"", 0)
    text = done.out.decode()
    assert f"cache          {segments.name}, made 20" in text
    assert "size           8.0 MiB data + " in text
    assert re.search(
        r"^memory +\d+\.\d KiB of \d\.\d MiB in blocks \(\d+\.\d %\)$", text, re.MULTILINE
    )
    assert "policy         noeviction, at most " in text
    assert "  db0          301 keys, 1 with a TTL\n" in text
    assert "  db3          2 keys, 0 with a TTL\n" in text
    assert "  db15         2 keys, 0 with a TTL\n" in text
    assert "db1 " not in text
    assert "305 in " in text
    for kind, encoding in (("string", "1 int"), ("set", "1 intset"), ("zset", "1 listpack")):
        assert re.search(rf"^  {kind} +{encoding}, \d", text, re.MULTILINE), (kind, text)
    assert re.search(r"^  hash +1 (listpack|hashtable), 19\.\d KiB", text, re.MULTILINE)
    largest = text.split("largest keys\n")[1].splitlines()
    assert len(largest) == 10
    assert re.fullmatch(r'  19\.\d KiB +db3 hash "ha\\xffsh"', largest[0])
    assert re.fullmatch(r'  \d+ B +db0 string "string:299"', largest[1])
    assert "looked at" not in text


def test_a_part_of_the_keys(segments: Segments) -> None:
    fill(segments.name)
    text = run(OURS, "--name", segments.name, "arena", "--keys", "200", "--largest", "3").out
    assert b"types (200 of 305 keys looked at)\n" in text
    assert len(text.split(b"largest keys (200 of 305 keys looked at)\n")[1].splitlines()) == 3
    assert b"largest" not in run(OURS, "--name", segments.name, "arena", "--largest", "0").out
    everything = run(OURS, "--name", segments.name, "arena", "--keys", "0").out
    assert b"types\n" in everything


def test_writers_and_their_processes(segments: Segments) -> None:
    writer = "import sys\nfrom shmcache.arena.segments import attach_arena\n"
    writer += f"arena = attach_arena({segments.name!r}, writable=True)\narena.set(0, b'k', b'v')\n"
    writer += "print('written', flush=True)\nsys.stdin.read()\n"
    process = subprocess.Popen(
        [sys.executable, "-c", writer],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment(),
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"written\n"
    command = ("--name", segments.name, "arena")
    seen = re.compile(
        rf"^  slot 0 +pid {process.pid} \((\S.*)\), log idle \(0 entries\)$", re.MULTILINE
    )
    found = seen.search(run(OURS, *command).out.decode())
    assert found
    assert found[1].startswith(sys.executable[:40])
    process.kill()
    process.communicate()
    found = seen.search(run(OURS, *command).out.decode())
    assert found
    assert found[1] == "dead"


def test_a_writer_that_hangs_with_everything_locked(segments: Segments) -> None:
    fill(segments.name)
    writer = "import sys\nfrom shmcache.arena.segments import attach_arena\n"
    writer += f"held = attach_arena({segments.name!r}, writable=True).transaction(None)\n"
    writer += "held.__enter__().set(0, b'k', b'v')\nprint('held', flush=True)\nsys.stdin.read()\n"
    process = subprocess.Popen(
        [sys.executable, "-c", writer],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment(),
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    command = ("--name", segments.name, "arena")
    try:
        outcome = run(OURS, *command)
        assert (outcome.err, outcome.status) == (b"", 0)
        assert b", log ACTIVE (" in outcome.out
        assert b"\n  db3          2 keys" in outcome.out
        assert b"\nnot all could be looked at: db0: a lock stayed taken" in outcome.out
        outcome = run(OURS, *command, "--validate")
        assert outcome.err == b""
        assert re.search(rb"(^|\n)validated: 30\d keys, \d+ problems\n$", outcome.out)
    finally:
        process.kill()
        process.communicate()
    assert run(OURS, *command, "--validate").out == b"validated: 305 keys, 0 problems\n"


def test_validate_and_dump(segments: Segments) -> None:
    fill(segments.name)
    done = run(OURS, "--name", segments.name, "arena", "--validate")
    assert done == (b"validated: 305 keys, 0 problems\n", b"", 0)
    dump = run(OURS, "--name", segments.name, "arena", "--dump").out
    assert dump.startswith(b"arena          " + segments.name.encode())
    assert b"\nheap           " in dump
    both = run(OURS, "--name", segments.name, "arena", "--dump", "--validate").out
    assert both.endswith(b"validated: 305 keys, 0 problems\n")


def test_damage_is_found(segments: Segments) -> None:
    fill(segments.name)
    with open(f"/dev/shm/shmcache.{segments.name}.data", "r+b") as data:  # noqa: PTH123
        content = data.read()
        places = [found.start() for found in re.finditer(rb"string:\d", content)]
        for place in places[:20]:
            data.seek(place)
            data.write(b"damaged!")
    done = run(OURS, "--name", segments.name, "arena", "--validate")
    assert done.status == 1
    assert done.err == b""
    assert re.search(rb"\nvalidated: 305 keys, [1-9]\d* problems\n$", done.out)
    # and the rest is still shown
    assert run(OURS, "--name", segments.name, "arena").status == 0


def test_a_daemon_that_hangs(start_daemon: Callable[..., Daemon], tmp_path: Path) -> None:
    daemon = start_daemon()
    # by name alone: the arena knows where its daemon listens
    assert run(OURS, "--name", daemon.name, "set", "a", "b").out == b"OK\n"
    assert run(OURS, "--name", daemon.name, "-n", "2", "set", "a", "b").out == b"OK\n"
    with daemon.connect() as plain:
        pid = int(plain.info("server")["process_id"])
    os.kill(pid, signal.SIGSTOP)
    try:
        text = run(OURS, "--name", daemon.name, "arena").out.decode()
    finally:
        os.kill(pid, signal.SIGCONT)
    assert f"socket         {daemon.socket_path}\n" in text
    assert re.search(
        r"^  supervisor +pid \d+ \(.*\), sign of life \d+\.\d s ago$", text, re.MULTILINE
    )
    assert re.search(rf"^  front-end +pid {pid} \(", text, re.MULTILINE)
    assert "  db2          1 keys, 0 with a TTL\n" in text
    daemon.kill()
    text = run(OURS, "--name", daemon.name, "arena").out.decode()
    assert re.search(rf"^  front-end +pid {pid} \(gone\)", text, re.MULTILINE)
    assert "  db2          1 keys, 0 with a TTL\n" in text
    # a name without a daemon: where it would listen is told
    outcome = run(OURS, "--name", daemon.name, "ping")
    said = f"Could not connect to shmcache at {daemon.socket_path}: Connection refused\n"
    assert outcome == (b"", said.encode(), 1)


def test_the_usual_socket(tmp_path: Path) -> None:
    where = "/run" if os.geteuid() == 0 else str(tmp_path)
    outcome = run(OURS, "--name", "no-such-cache", "ping", XDG_RUNTIME_DIR=str(tmp_path))
    said = f"Could not connect to shmcache at {where}/shmcache/no-such-cache.sock: No such file"
    assert outcome.err.decode().startswith(said)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("arena",), "there is no cache named 'no-such-cache': is its shmcached running?\n"),
        (("arena", "--bogus"), "arena: unrecognized arguments: --bogus\n"),
        (("arena", "--keys", "-1"), "arena: argument --keys: '-1' is not a number of keys\n"),
    ],
)
def test_what_is_wrong_is_one_line(arguments: tuple[str, ...], said: str) -> None:
    outcome = run(OURS, "--name", "no-such-cache", *arguments)
    assert outcome == (b"", said.encode(), 1)


def test_no_arena(segments: Segments) -> None:
    with open(f"/dev/shm/shmcache.{segments.name}.data", "r+b") as data:  # noqa: PTH123
        data.write(b"\xff" * 4096)
    outcome = run(OURS, "--name", segments.name, "arena")
    assert (outcome.out, outcome.status) == (b"", 1)
    assert outcome.err.startswith(b"can't attach to cache ")
    assert outcome.err.count(b"\n") == 1
