"""Modes that walk over all keys: --scan, --bigkeys, --memkeys, --hotkeys."""

from __future__ import annotations

import heapq
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from shmcache.cli.errors import CliError
from shmcache.cli.quoting import quote
from shmcache.cli.resp import encode_command

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shmcache.cli.connection import Connection
    from shmcache.cli.resp import Reply

__all__ = ["Walk", "show_big_keys", "show_hot_keys", "show_keys"]

_SIZES: Final = {
    b"list": (b"LLEN", b"items"),
    b"hash": (b"HLEN", b"fields"),
    b"string": (b"STRLEN", b"bytes"),
    b"stream": (b"XLEN", b"entries"),
    b"set": (b"SCARD", b"members"),
    b"zset": (b"ZCARD", b"members"),
}
_HOT_KEYS_SHOWN: Final = 16
_PAUSE_EVERY: Final = 100
_AT_ONCE: Final = 256
_PROGRESS_EVERY: Final = 1_000_000
_INTRODUCTION: Final = b"""
# Scanning the entire keyspace to find %s keys as well as
# average sizes per key type.  You can use -i 0.1 to sleep 0.1 sec
# per 100 SCAN commands (not usually needed).

"""


class Walk:
    """All keys, a batch a SCAN.

    :param pattern: empty for all
    :param count: 0 leaves it to the server
    """

    def __init__(
        self, connection: Connection, *, pattern: bytes, count: int, interval: float
    ) -> None:
        self.connection = connection
        self.interval = interval
        self._options: list[bytes] = []
        if pattern:
            self._options += [b"MATCH", pattern]
        if count:
            self._options += [b"COUNT", b"%d" % count]

    def batches(self) -> Iterator[list[bytes]]:
        """Give the keys as SCAN does."""
        cursor = b"0"
        while True:
            reply = _checked(self.connection.ask(b"SCAN", cursor, *self._options))
            if len(reply.items) != 2 or not reply.items[1].is_aggregate:
                raise CliError("Non ARRAY response from SCAN!")
            cursor = reply.items[0].text
            yield [item.text for item in reply.items[1].items]
            if cursor == b"0":
                return

    def ask_all(self, commands: list[list[bytes]]) -> list[Reply]:
        """Send several commands at once; not so many that a server might wait for its replies to
        be read before it reads on.
        """
        replies: list[Reply] = []
        for at in range(0, len(commands), _AT_ONCE):
            part = commands[at : at + _AT_ONCE]
            self.connection.write(b"".join(map(encode_command, part)))
            replies += [self.connection.read() for _ in part]
        return replies


def _checked(reply: Reply) -> Reply:
    if reply.kind == "error":
        raise CliError(f"Error: {reply.text.decode(errors='replace')}")
    return reply


def _write(text: bytes) -> None:
    sys.stdout.buffer.write(text)


def show_keys(walk: Walk, *, quoted: bool) -> None:
    """Print every key, one a line."""
    for batch in walk.batches():
        for key in batch:
            _write((quote(key) if quoted else key) + b"\n")
        sys.stdout.buffer.flush()
        if walk.interval:
            time.sleep(walk.interval)


class _Progress:
    """How many keys have been met, of how many."""

    def __init__(self, walk: Walk) -> None:
        self._walk = walk
        self._total = int(_checked(walk.connection.ask(b"DBSIZE")).text)
        self._percent = 0.0
        self.sampled = 0
        self.key_bytes = 0

    def start_batch(self) -> None:
        self._percent = 100 * self.sampled / self._total if self._total else 0.0

    def count(self, key: bytes) -> None:
        self.sampled += 1
        self.key_bytes += len(key)
        if self.sampled % _PROGRESS_EVERY == 0:
            self.tell(b"Sampled %d keys so far" % self.sampled)
        if self._walk.interval and self.sampled % _PAUSE_EVERY == 0:
            time.sleep(self._walk.interval)

    def tell(self, what: bytes) -> None:
        _write(b"[%05.2f%%] %s\n" % (self._percent, what))
        sys.stdout.buffer.flush()

    def share(self, count: int) -> float:
        return 100 * count / self.sampled if self.sampled else 0.0


@dataclass
class _Kind:
    """What was met of one type."""

    name: bytes
    size_command: bytes
    unit: bytes
    count: int = 0
    size: int = 0
    biggest_size: int = 0
    biggest: bytes | None = None


def show_big_keys(walk: Walk, *, samples: int | None, by_memory: bool) -> None:
    """Print the biggest key of each type whenever a bigger one is met, and a summary.

    :param by_memory: by MEMORY USAGE instead of by number of elements
    :param samples: MEMORY USAGE's SAMPLES
    """
    _write(_INTRODUCTION % b"biggest")
    progress = _Progress(walk)
    kinds = {
        name: _Kind(name, command, b"bytes" if by_memory else unit)
        for name, (command, unit) in _SIZES.items()
    }
    for batch in walk.batches():
        progress.start_batch()
        types = [_checked(reply).text for reply in walk.ask_all([[b"TYPE", key] for key in batch])]
        known = [
            (key, kinds[kind]) for key, kind in zip(batch, types, strict=True) if kind in kinds
        ]
        asked = [_size_of(key, kind, samples, by_memory=by_memory) for key, kind in known]
        for (key, kind), reply in zip(known, walk.ask_all(asked), strict=True):
            # a key that is gone meanwhile, or has become something else, has no size
            _meet(progress, kind, key, int(reply.text) if reply.kind == "integer" else 0)
    _summarise(progress, list(kinds.values()))


def _size_of(key: bytes, kind: _Kind, samples: int | None, *, by_memory: bool) -> list[bytes]:
    if not by_memory:
        return [kind.size_command, key]
    option = [] if samples is None else [b"SAMPLES", b"%d" % samples]
    return [b"MEMORY", b"USAGE", key, *option]


def _meet(progress: _Progress, kind: _Kind, key: bytes, size: int) -> None:
    kind.count += 1
    kind.size += size
    if size > kind.biggest_size:
        kind.biggest, kind.biggest_size = quote(key), size
        progress.tell(
            b"Biggest %-6s found so far '%s' with %d %s"
            % (kind.name, kind.biggest, size, kind.unit)
        )
    progress.count(key)


def _summarise(progress: _Progress, kinds: list[_Kind]) -> None:
    sampled, key_bytes = progress.sampled, progress.key_bytes
    _write(b"\n-------- summary -------\n\nSampled %d keys in the keyspace!\n" % sampled)
    average = key_bytes / sampled if sampled else 0.0
    _write(b"Total key length in bytes is %d (avg len %.2f)\n\n" % (key_bytes, average))
    for kind in kinds:
        if kind.biggest is not None:
            found = (kind.name, kind.biggest, kind.biggest_size, kind.unit)
            _write(b"Biggest %6s found '%s' has %d %s\n" % found)
    _write(b"\n")
    for kind in kinds:
        share = progress.share(kind.count)
        average = kind.size / kind.count if kind.count else 0.0
        _write(b"%d %ss with %d %s " % (kind.count, kind.name, kind.size, kind.unit))
        _write(b"(%05.2f%% of keys, avg size %.2f)\n" % (share, average))


def show_hot_keys(walk: Walk) -> None:
    """Print the keys that are read most, by the server's LFU counters."""
    _write(_INTRODUCTION % b"hot")
    progress = _Progress(walk)
    hottest: list[tuple[int, bytes]] = []
    for batch in walk.batches():
        progress.start_batch()
        asked = [[b"OBJECT", b"FREQ", key] for key in batch]
        for key, reply in zip(batch, walk.ask_all(asked), strict=True):
            counter = int(_checked(reply).text) if reply.kind != "nil" else 0
            if counter > (hottest[0][0] if len(hottest) == _HOT_KEYS_SHOWN else 0):
                push = heapq.heappushpop if len(hottest) == _HOT_KEYS_SHOWN else heapq.heappush
                push(hottest, (counter, quote(key)))
                progress.tell(b"Hot key '%s' found so far with counter %d" % (quote(key), counter))
            progress.count(key)
    _write(b"\n-------- summary -------\n\n")
    _write(b"Sampled %d keys in the keyspace!\n" % progress.sampled)
    for counter, key in sorted(hottest, reverse=True):
        _write(b"hot key found with counter: %d\tkeyname: %s\n" % (counter, key))
