"""Files that a redis-server wrote: looked through, loaded, and damaged."""

from __future__ import annotations

import random
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from server.processes import RedisServer
from supervisor.daemons import unique_name

from persistence.test_dump_restore import lines_of
from shmcache.arena.segments import attach_arena, create_segments, unlink_segments
from shmcache.cli.main import main
from shmcache.commands.dumps import read_value
from shmcache.errors import DamagedFile
from shmcache.persistence.aof_file import read_commands, read_manifest
from shmcache.persistence.forms import encode_length, encode_string
from shmcache.persistence.payload import load_value
from shmcache.persistence.rdb_file import Library, Record, Remark, read_rdb

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

KINDS = ("string", "list", "set", "hash", "zset", "stream")
LIBRARY = "#!lua name=mine\nredis.register_function('f', function() return 1 end)"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, bytes]]]:
    """A redis-server's directory with a snapshot and append-only files, and its keys' dumps."""
    directory = tmp_path_factory.mktemp("redis")
    server = RedisServer(directory, appendonly="yes", dbfilename="dump.rdb")
    rng = random.Random(7)
    dumps: dict[str, bytes] = {}
    with server.connect() as wire:
        wire.run("FUNCTION", "LOAD", LIBRARY)
        for number in range(60):
            kind = KINDS[number % len(KINDS)]
            for line in lines_of(rng, kind):
                assert not wire.run(*line).startswith(b"-")
            wire.run("RENAME", "k", f"{kind}:{number}")
            payload = wire.value("DUMP", f"{kind}:{number}")
            assert payload is not None
            dumps[f"{kind}:{number}"] = payload
        wire.run("PEXPIREAT", "string:0", "9999999999999")
        wire.run("SET", "gone", "soon", "PX", "1")
        wire.run("SELECT", "3")
        wire.run("SET", "elsewhere", "1")
        assert wire.run("SAVE") == b"+OK\r\n"
    yield directory, dumps
    server.close()


@pytest.fixture
def cache() -> Iterator[str]:
    name = unique_name()
    create_segments(name, 16 << 20).close()
    yield name
    unlink_segments(name)


def test_a_snapshot_is_read(written: tuple[Path, dict[str, bytes]]) -> None:
    directory, dumps = written
    found = list(read_rdb((directory / "dump.rdb").read_bytes()))
    records = {record.key.decode(): record for record in found if isinstance(record, Record)}
    for key, payload in dumps.items():
        assert records[key].value == load_value(payload)
    assert records["string:0"].expire_ms == 9999999999999
    assert records["elsewhere"].db == 3
    assert [each for each in found if isinstance(each, Library)] == [Library(LIBRARY.encode())]
    assert {each.name for each in found if isinstance(each, Remark)} >= {b"redis-ver", b"ctime"}


def test_check(written: tuple[Path, dict[str, bytes]], capsys: pytest.CaptureFixture[str]) -> None:
    directory, dumps = written
    assert main(["check", str(directory / "dump.rdb")]) == 0
    output = capsys.readouterr().out
    assert "an RDB file, whole" in output
    assert "version   0010" in output
    assert "in 2 databases" in output
    assert f"    hash    {sum(key.startswith('hash') for key in dumps)}\n" in output
    manifest = next((directory / "appendonlydir").glob("*.manifest"))
    assert main(["check", str(manifest)]) == 0
    output = capsys.readouterr().out
    assert "an append-only file, whole" in output
    assert output.count("whole") == 2


def test_load(
    written: tuple[Path, dict[str, bytes]], cache: str, capsys: pytest.CaptureFixture[str]
) -> None:
    directory, dumps = written
    path = str(directory / "dump.rdb")
    assert main(["--name", cache, "load", path]) == 0
    loaded = len(dumps) + 1
    assert f"{loaded} keys loaded" in capsys.readouterr().out
    with closing(attach_arena(cache, writable=True)) as arena:
        for key, payload in dumps.items():
            name = key.encode()
            with arena.transaction([(0, name)]) as view:
                found = read_value(view, 0, name)
            assert found is not None
            value, expire_ms = found
            assert comparable(value) == comparable(load_value(payload))
            assert expire_ms == (9999999999999 if key == "string:0" else 0)
        assert arena.get(3, b"elsewhere") == b"1"
        assert arena.validate() == []
        arena.set(3, b"elsewhere", b"mine")
        assert main(["--name", cache, "load", path]) == 0
        assert f"0 keys loaded, {loaded} were there already" in capsys.readouterr().out
        assert arena.get(3, b"elsewhere") == b"mine"
        assert main(["--name", cache, "load", path, "--replace"]) == 0
        assert arena.get(3, b"elsewhere") == b"1"


def comparable(value: object) -> object:
    """The same for values that differ in an order without meaning."""
    return tuple(
        sorted(part, key=repr) if isinstance(part, list) else part
        for part in (value if isinstance(value, tuple) else (value,))
    )


def test_what_cannot_be_loaded(
    written: tuple[Path, dict[str, bytes]],
    cache: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    whole = (written[0] / "dump.rdb").read_bytes()
    path = tmp_path / "bad.rdb"
    for data, complaint in (
        (whole[:-20], "cut short"),
        (whole[:-1] + bytes((whole[-1] ^ 1,)), "the checksum is wrong"),
        (whole[:200] + bytes((whole[200] ^ 4,)) + whole[201:], "the checksum is wrong"),
        (b"REDIS0099" + whole[9:], "RDB version 99"),
        (b"REDISfrog" + whole[9:], "not an RDB file"),
    ):
        path.write_bytes(data)
        for words in (["--name", cache, "load", str(path)], ["check", str(path)]):
            status = main(words)
            output = capsys.readouterr()
            assert status == 1
            assert complaint in output.err
            assert output.err.count("\n") == 1
    with closing(attach_arena(cache)) as arena:
        assert arena.statistics().keys == 0
    assert main(["check", str(tmp_path / "nothing")]) == 1
    assert "No such file" in capsys.readouterr().err
    assert main(["--name", unique_name(), "load", str(written[0] / "dump.rdb")]) == 1


def test_a_cache_that_is_full(
    written: tuple[Path, dict[str, bytes]], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    records = b"".join(
        b"\x00"
        + encode_string(b"key:%d" % n)
        + encode_length(9000)
        + random.Random(n).randbytes(9000)
        for n in range(200)
    )
    path = tmp_path / "large.rdb"
    path.write_bytes(b"REDIS0010" + records + b"\xff" + bytes(8))
    name = unique_name()
    create_segments(name, 1 << 20).close()
    try:
        assert main(["--name", name, "load", str(path)]) == 1
        assert "is full: " in capsys.readouterr().err
    finally:
        unlink_segments(name)


def damaged(rng: random.Random, data: bytes) -> bytes:
    """Some bytes changed, or the end gone."""
    changed = bytearray(data)
    for _ in range(rng.randrange(1, 4)):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed[: rng.choice([len(changed), rng.randrange(len(changed))])])


def reads_or_tells(read: Callable[[], object]) -> None:
    try:
        read()
    except DamagedFile as error:
        assert str(error).endswith(f"(at byte {error.offset})")  # noqa: PT017


def test_damaged_files(written: tuple[Path, dict[str, bytes]]) -> None:
    directory, _ = written
    snapshot = (directory / "dump.rdb").read_bytes()
    unchecked = snapshot[:-8] + bytes(8)  # rdbchecksum no: the structure alone has to tell
    assert len(list(read_rdb(unchecked))) == len(list(read_rdb(snapshot)))
    commands = next((directory / "appendonlydir").glob("*.incr.aof")).read_bytes()
    manifest = next((directory / "appendonlydir").glob("*.manifest")).read_bytes()
    assert read_manifest(manifest)[0].kind == "b"
    assert sum(1 for _ in read_commands(commands)) > 60
    rng = random.Random(11)
    for _ in range(15):
        reads_or_tells(lambda: list(read_rdb(damaged(rng, unchecked))))
        reads_or_tells(lambda: list(read_commands(damaged(rng, commands))))
        reads_or_tells(lambda: read_manifest(damaged(rng, manifest)))
    for cut in range(1, 60, 3):
        with pytest.raises(DamagedFile):
            list(read_rdb(unchecked[:-cut]))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (b"*1\r\n$4\r\nPING\r", "cut short"),
        (b"*1\r\n$4\r\nPINGxx", "wrong length"),
        (b"*1\r\n$4\r\nPING\r\nGET a\r\n", "no command"),
        (b"*0\r\n", "without words"),
        (b"*99999999999\r\n", "no command"),
    ],
)
def test_wrong_commands(text: bytes, complaint: str) -> None:
    with pytest.raises(DamagedFile, match=complaint):
        list(read_commands(text))
    assert list(read_commands(b"#TS:1\r\n*1\r\n$4\r\nPING\r\n")) == [(7, [b"PING"])]


@pytest.mark.parametrize(
    "text",
    [
        b"frog\n",
        b"file ../a seq 1 type b\n",
        b"file a seq 1 type b\nfile b seq 2 type b\n",
        b"file a seq 2 type i\nfile b seq 1 type i\n",
        b"file a seq x type i\n",
    ],
)
def test_wrong_manifests(text: bytes) -> None:
    with pytest.raises(DamagedFile):
        read_manifest(text)
    assert read_manifest(b'# x\nfile "a \\"b" seq 1 type h\n')[0].name == 'a "b'
