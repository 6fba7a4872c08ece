"""``shmcache-cli arena``: what is in a cache's shared memory, without asking its daemon.

Everything but --validate only reads, takes no lock, and so works whatever the daemon or a writer is
doing, or was doing when it was killed.
"""

from __future__ import annotations

import argparse
import heapq
import itertools
import re
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NoReturn

import psutil

from shmcache.arena import (
    BEAT_FRONTEND,
    BEAT_MAINTENANCE,
    BEAT_PERSISTER,
    BEAT_SUPERVISOR,
    POLICIES,
    Arena,
)
from shmcache.arena.segments import attach_arena
from shmcache.cli.errors import CliError
from shmcache.cli.quoting import quote
from shmcache.errors import ArenaBusy, CorruptArena, ReadOnly, ShmcacheError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from shmcache.arena import Info

__all__ = ["show_arena"]

_DATABASES: Final = 16
_BATCH_KEYS: Final = 256
_BEATS: Final = {
    "supervisor": BEAT_SUPERVISOR,
    "front-end": BEAT_FRONTEND,
    "maintenance": BEAT_MAINTENANCE,
    "persister": BEAT_PERSISTER,
}
_SLOT: Final = re.compile(r"^slot (\d+) +pid (\d+)( \(dead\))?, (.*)$", re.MULTILINE)
"""The binding shows slots in the arena's dump only."""
_UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB")


def show_arena(name: str, arguments: Sequence[str]) -> int:
    """Print what is in the arena of cache ``name``.

    :param arguments: what came after ``arena`` on the command line
    :return: the exit status: 1 when --validate found damage
    :raises CliError: wrong arguments, or no such arena, or one that cannot be read
    """
    wanted = _parser().parse_args(arguments)
    arena = _attach(name, writable=wanted.validate)
    try:
        if wanted.dump:
            sys.stdout.write(arena.dump())
        if wanted.validate:
            return _validate(name, arena)
        if not wanted.dump:
            _write(_overview(arena))
            _write(_databases(arena))
            _write(_processes(arena))
            _write(_contents(arena, wanted.keys, wanted.largest))
    except (ShmcacheError, OSError) as error:
        raise CliError(f"cache '{name}': {error}") from error
    finally:
        arena.close()
    return 0


class _Parser(argparse.ArgumentParser):
    """Complains as the rest of the program does."""

    def error(self, message: str) -> NoReturn:
        raise CliError(f"arena: {message}")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="shmcache-cli [--name NAME] arena", allow_abbrev=False)
    parser.description = "Look into a cache's shared memory, also while no daemon answers."
    parser.add_argument("--validate", action="store_true", help="check every structure")
    parser.add_argument("--dump", action="store_true", help="stripes, pages and logs as text")
    parser.add_argument("--largest", type=_count, default=10, metavar="N", help="keys to show (10)")
    parser.add_argument(
        "--keys", type=_count, default=1_000_000, metavar="N", help="keys to look at (0: all)"
    )
    return parser


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of keys")
    return int(text)


def _attach(name: str, *, writable: bool) -> Arena:
    """Attach, for writing only where that is wanted and allowed."""
    try:
        try:
            return attach_arena(name, writable=writable)
        except (ReadOnly, PermissionError):
            return attach_arena(name)
    except (ShmcacheError, OSError, ValueError) as error:
        raise CliError(str(error)) from error


def _write(lines: Iterator[str]) -> None:
    for line in lines:
        sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _human(count: int) -> str:
    size, unit = float(count), 0
    while size >= 1024 and unit < len(_UNITS) - 1:
        size, unit = size / 1024, unit + 1
    return f"{size:.1f} {_UNITS[unit]}" if unit else f"{count} B"


def _line(title: str, text: str) -> str:
    return f"{title:<15}{text}"


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "-"


def _overview(arena: Arena) -> Iterator[str]:
    """Name, sizes, memory and traffic."""
    figures, tuning = arena.statistics(), arena.get_tuning()
    made = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(figures.created_ms / 1000))
    yield _line("cache", f"{arena.name}, made {made}, generation {figures.generation:016x}")
    yield _line("socket", arena.socket_path or "none")
    segments = (
        f"{_human(figures.data_bytes)} data + {_human(figures.access_bytes)} access + "
        f"{_human(figures.feed_bytes)} feed + {_human(figures.bus_bytes)} bus"
    )
    yield _line("size", segments)
    used = f"{_human(figures.used_bytes)} of {_human(figures.heap_bytes)} in blocks"
    yield _line("memory", f"{used} ({_share(figures.used_bytes, figures.heap_bytes)})")
    free = f"{figures.free_pages} of {figures.pages} pages of {_human(figures.page_bytes)} free"
    yield _line("", free)
    limit = _human(tuning.maxmemory) if tuning.maxmemory else "the heap"
    yield _line("policy", f"{POLICIES[tuning.policy]}, at most {limit}")
    asked = figures.hits + figures.misses
    yield _line(
        "reads",
        f"{figures.hits} hits, {figures.misses} misses ({_share(figures.hits, asked)} hits), "
        f"{figures.retries} repeated",
    )
    yield _line("removed", f"{figures.evicted} evicted, {figures.expired} expired")
    stripes = f"{figures.stripes} stripes, {_human(figures.index_bytes)} of index"
    yield _line("keys", f"{figures.keys} in {stripes}")


def _databases(arena: Arena) -> Iterator[str]:
    for db in range(_DATABASES):
        if keys := arena.db_keys(db):
            yield _line(f"  db{db}", f"{keys} keys, {arena.db_expires(db)} with a TTL")


def _processes(arena: Arena) -> Iterator[str]:
    """The daemon's processes and their last signs of life; the writers' slots."""
    now = time.time() * 1000
    beats = {title: arena.get_beat(beat) for title, beat in _BEATS.items()}
    yield _line("daemon", "" if any(pid for pid, _ in beats.values()) else "never seen").rstrip()
    for title, (pid, beat_ms) in beats.items():
        if pid:
            ago = max(0.0, (now - beat_ms) / 1000)
            yield _line(f"  {title}", f"pid {pid} {_program(pid)}, sign of life {ago:.1f} s ago")
    figures = arena.statistics()
    yield _line("slots", f"{figures.slots_used} of {figures.slots} in use by writing processes")
    for number, pid, dead, log in _SLOT.findall(arena.dump()):
        program = "(dead)" if dead else _program(int(pid))
        yield _line(f"  slot {number}", f"pid {pid} {program}, {log}")


def _program(pid: int) -> str:
    """What a process is; it may be another user's, or of another container."""
    try:
        process = psutil.Process(pid)
        words = process.cmdline()
        text = " ".join(words) if words else process.name()
    except psutil.NoSuchProcess:
        return "(gone)"
    except psutil.Error:
        return "(not visible)"
    text = text.encode("unicode_escape").decode()  # newlines too
    return f"({text[:57]}...)" if len(text) > 60 else f"({text})"


@dataclass
class _Contents:
    """What a walk over the keys has met."""

    seen: int = 0
    keys: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By type and encoding."""
    memory: Counter[tuple[str, str]] = field(default_factory=Counter)
    largest: list[tuple[int, int, bytes, str]] = field(default_factory=list)
    """Memory, database, key, type; a heap."""
    stopped_by: list[str] = field(default_factory=list)

    def meet(self, db: int, key: bytes, info: Info, largest: int) -> None:
        kind = (info.type, info.encoding)
        self.seen += 1
        self.keys[kind] += 1
        self.memory[kind] += info.memory
        if len(self.largest) < largest:
            heapq.heappush(self.largest, (info.memory, db, key, info.type))
        elif largest:
            heapq.heappushpop(self.largest, (info.memory, db, key, info.type))


def _walk(arena: Arena, most: int, largest: int) -> _Contents:
    """Look at up to ``most`` keys (0: all), in the order of their hashes: a fair sample."""
    found = _Contents()
    for db in range(_DATABASES):
        try:
            keys = _keys(arena, db) if arena.db_keys(db) else iter(())
            for key in itertools.islice(keys, most - found.seen if most else None):
                info = arena.describe(db, key)
                if info is not None:
                    found.meet(db, key, info, largest)
        except (ArenaBusy, CorruptArena) as error:
            found.stopped_by.append(f"db{db}: {error}")
    return found


def _keys(arena: Arena, db: int) -> Iterator[bytes]:
    cursor, keys = arena.scan(db, 0, _BATCH_KEYS)
    yield from keys
    while cursor:
        cursor, keys = arena.scan(db, cursor, _BATCH_KEYS)
        yield from keys


def _contents(arena: Arena, most: int, largest: int) -> Iterator[str]:
    """Types and largest keys, of all keys or of a sample."""
    found = _walk(arena, most, largest)
    total = arena.statistics().keys
    note = f" ({found.seen} of {total} keys looked at)" if found.seen < total else ""
    yield "types" + note
    for (kind, encoding), count in found.keys.most_common():
        memory = found.memory[kind, encoding]
        mean = memory // count
        yield _line(
            f"  {kind}", f"{count} {encoding}, {_human(memory)}, {_human(mean)} a key on average"
        )
    if found.largest:
        yield "largest keys" + note
    for memory, db, key, kind in sorted(found.largest, key=lambda item: item[:3], reverse=True):
        yield _line(f"  {_human(memory)}", f"db{db} {kind} {quote(key).decode()}")
    for reason in found.stopped_by:
        yield f"not all could be looked at: {reason}"


def _validate(name: str, arena: Arena) -> int:
    """Check everything. Writers are kept out meanwhile, where that can be had."""
    quiet = arena.writable
    try:
        problems = arena.validate()
    except ArenaBusy:
        # Somebody holds a lock and hangs, which is when one wants to know most.
        quiet = False
        reader = attach_arena(name)
        problems = reader.validate()
        reader.close()
    _write(iter(problems))
    if problems and not quiet:
        _write(iter(["(writers could not be kept out: what they were doing may be listed)"]))
    checked = f"{arena.statistics().keys} keys, {len(problems)} problems"
    _write(iter([f"validated: {checked}"]))
    return 1 if problems else 0
