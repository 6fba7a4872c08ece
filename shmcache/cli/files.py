"""``shmcache-cli check`` and ``load``: Redis's files looked through, and put into a cache."""

from __future__ import annotations

import argparse
import mmap
import sys
import time
from collections import Counter
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from shmcache.arena.segments import attach_arena
from shmcache.cli.errors import CliError
from shmcache.commands.dumps import store_value
from shmcache.errors import DamagedFile, OutOfMemory, ShmcacheError
from shmcache.persistence.aof_file import read_commands, read_manifest
from shmcache.persistence.rdb_file import Library, Record, Remark, read_rdb
from shmcache.persistence.values import (
    HashValue,
    ListValue,
    SetValue,
    SortedSetValue,
    StreamValue,
    Value,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from shmcache.arena import Arena

__all__ = ["check_file", "load_file"]

_RDB_MAGIC: Final = b"REDIS"
_MANIFEST_SUFFIX: Final = ".manifest"
_TYPES: Final = {
    bytes: "string",
    ListValue: "list",
    SetValue: "set",
    SortedSetValue: "zset",
    HashValue: "hash",
    StreamValue: "stream",
}
_DATABASES: Final = 16


class _Parser(argparse.ArgumentParser):
    """Complains as the rest of the program does."""

    def error(self, message: str) -> NoReturn:
        raise CliError(f"{self.prog.split()[-1]}: {message}")


@contextmanager
def _opened(path: Path) -> Iterator[bytes | mmap.mmap]:
    """A file's bytes.

    :raises CliError: it cannot be read
    """
    try:
        with path.open("rb") as file:
            if not path.stat().st_size:
                yield b""
                return
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                yield data
    except OSError as error:
        raise CliError(f"{path}: {error.strerror or error}") from error


class _Progress:
    """How much of a file was read, on a terminal."""

    def __init__(self, path: Path, total: int) -> None:
        self._label = path.name
        self._total = max(total, 1)
        self._shown = sys.stderr.isatty()

    def __call__(self, at: int) -> None:
        if self._shown:
            end = "\n" if at >= self._total else ""
            sys.stderr.write(f"\r{self._label}: {100 * at // self._total} %{end}")
            sys.stderr.flush()


# ---- check ---------------------------------------------------------------------------------------


def check_file(arguments: Sequence[str]) -> int:
    """Tell what an RDB file, an append-only file or a manifest's files hold.

    :param arguments: what came after ``check`` on the command line
    :return: the exit status
    :raises CliError: it is damaged, or cannot be read: one line with the offset
    """
    parser = _Parser(prog="shmcache-cli check", allow_abbrev=False)
    parser.description = "Check an RDB file, an append-only file, or a manifest and its files."
    parser.add_argument("file", type=Path, metavar="FILE")
    path: Path = parser.parse_args(arguments).file
    if path.name.endswith(_MANIFEST_SUFFIX):
        _check_manifest(path)
    else:
        _check(path)
    return 0


def _check_manifest(path: Path) -> None:
    with _opened(path) as data, _damage_told(path):
        parts = read_manifest(bytes(data))
    for part in parts:
        if part.kind != "h":
            _check(path.parent / part.name)


@contextmanager
def _damage_told(path: Path) -> Iterator[None]:
    try:
        yield
    except DamagedFile as error:
        raise CliError(f"{path}: {error}") from error


def _check(path: Path) -> None:
    with _opened(path) as data, _damage_told(path):
        if data[: len(_RDB_MAGIC)] == _RDB_MAGIC:
            _check_rdb(path, data)
        else:
            commands = sum(1 for _ in read_commands(data))
            sys.stdout.write(f"{path}: an append-only file, whole\n  commands  {commands:,}\n")


def _check_rdb(path: Path, data: bytes | mmap.mmap) -> None:
    kinds: Counter[str] = Counter()
    expiring = libraries = 0
    databases: set[int] = set()
    remarks: list[str] = []
    for found in read_rdb(data, _Progress(path, len(data))):
        if isinstance(found, Record):
            kinds[_type_of(found.value)] += 1
            expiring += bool(found.expire_ms)
            databases.add(found.db)
        elif isinstance(found, Library):
            libraries += 1
        else:
            remarks.append(f"{_text(found.name)} {_text(found.text)}")
    lines = [f"{path}: an RDB file, whole", f"  version   {_text(data[5:9])}"]
    lines += [f"  written   {', '.join(remarks)}"] if remarks else []
    lines.append(
        f"  keys      {kinds.total():,} in {len(databases)} databases, {expiring:,} expire"
    )
    lines += [f"    {kind:<8}{count:,}" for kind, count in kinds.most_common()]
    lines += [f"  libraries {libraries}"] if libraries else []
    sys.stdout.write("\n".join(lines) + "\n")


def _type_of(value: Value) -> str:
    return _TYPES[type(value)]


def _text(text: bytes) -> str:
    return text.decode("utf-8", "backslashreplace")


# ---- load ----------------------------------------------------------------------------------------


def load_file(name: str, arguments: Sequence[str]) -> int:
    """Put the keys of an RDB file into a cache.

    The whole file is checked first, so that a damaged one changes nothing.

    :param name: the cache's name; its arena must be writable for this user
    :param arguments: what came after ``load`` on the command line
    :return: the exit status
    :raises CliError: the file is damaged, or the cache cannot take it
    """
    parser = _Parser(prog="shmcache-cli [--name NAME] load", allow_abbrev=False)
    parser.description = "Put the keys of an RDB file into a cache."
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("--replace", action="store_true", help="also keys that are there already")
    wanted = parser.parse_args(arguments)
    path: Path = wanted.file
    with _opened(path) as data, _damage_told(path):
        for found in read_rdb(data):
            if isinstance(found, Record) and found.db >= _DATABASES:
                raise CliError(f"{path}: has keys in database {found.db}; the last one here is 15")
        try:
            with closing(attach_arena(name, writable=True)) as arena:
                loading = _Loading(arena, replace=wanted.replace)
                for found in read_rdb(data, _Progress(path, len(data))):
                    loading.take(found)
        except OutOfMemory as error:
            raise CliError(f"cache '{name}' is full: {loading.account()}") from error
        except DamagedFile:
            raise
        except (ShmcacheError, OSError) as error:
            raise CliError(f"cache '{name}': {error}") from error
    sys.stdout.write(f"{path}: {loading.account()}\n")
    return 0


class _Loading:
    """What was done with a file's records."""

    def __init__(self, arena: Arena, *, replace: bool) -> None:
        self._arena = arena
        self._replace = replace
        self._loaded = self._kept = self._expired = self._libraries = 0

    def take(self, found: Record | Remark | Library) -> None:
        """:raises OutOfMemory: there is no room for it"""
        if isinstance(found, Library):
            self._libraries += 1
        elif isinstance(found, Record):
            self._store(found)

    def _store(self, record: Record) -> None:
        db, key = record.db, record.key
        if record.expire_ms and record.expire_ms <= time.time_ns() // 1_000_000:
            self._expired += 1
            return
        with self._arena.transaction([(db, key)]) as transaction:
            if transaction.describe(db, key) is not None:
                if not self._replace:
                    self._kept += 1
                    return
                transaction.delete(db, key)
            store_value(transaction, db, key, record.value, record.expire_ms)
            idle_ms = -1 if record.idle_s is None else record.idle_s * 1000
            frequency = -1 if record.frequency is None else record.frequency
            transaction.set_access(db, key, idle_ms, frequency)
        self._loaded += 1

    def account(self) -> str:
        """In one line what became of the keys."""
        parts = [f"{self._loaded:,} keys loaded"]
        parts += [f"{self._kept:,} were there already (--replace)"] if self._kept else []
        parts += [f"{self._expired:,} had expired"] if self._expired else []
        parts += (
            [f"{self._libraries} libraries of functions left out (FUNCTION RESTORE)"]
            if self._libraries
            else []
        )
        return ", ".join(parts)
