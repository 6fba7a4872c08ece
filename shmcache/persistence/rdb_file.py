"""RDB files: what frames the objects of a whole keyspace.

    | REDIS0010 | opcode ... | type | key | object | ... | ff | CRC-64 of all before it:64 |

An opcode is a byte from `_AUX` on and what belongs to it; any other byte is the type of an object,
whose expiry, idle time or frequency were given by the opcodes just before it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from shmcache.errors import DamagedFile
from shmcache.persistence._crc64 import crc64
from shmcache.persistence.decode import RdbType, read_value
from shmcache.persistence.source import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from mmap import mmap

    from shmcache.persistence.values import Value

__all__ = ["NEWEST_VERSION", "Library", "Record", "Remark", "read_rdb"]

NEWEST_VERSION: Final = 12

_SLOT_INFO: Final = 0xF4
_FUNCTION: Final = 0xF5
_MODULE_AUX: Final = 0xF7
_IDLE: Final = 0xF8
_FREQUENCY: Final = 0xF9
_AUX: Final = 0xFA
_RESIZE: Final = 0xFB
_EXPIRY_MS: Final = 0xFC
_EXPIRY_S: Final = 0xFD
_SELECT: Final = 0xFE
_END: Final = 0xFF

_MODULE_SIGNED, _MODULE_UNSIGNED, _MODULE_FLOAT, _MODULE_DOUBLE, _MODULE_STRING = range(1, 6)

_MAGIC: Final = b"REDIS"
_HEAD_BYTES: Final = 9
_CHECKSUM_SINCE: Final = 5
_CHECKSUM_BYTES: Final = 8
_CHUNK_BYTES: Final = 1 << 20


class Record(NamedTuple):
    """A key and all that the file says of it."""

    db: int
    key: bytes
    value: Value
    expire_ms: int
    """Unix milliseconds; 0: never."""
    idle_s: int | None
    frequency: int | None


class Remark(NamedTuple):
    """Something about the file itself, such as ``redis-ver``."""

    name: bytes
    text: bytes


class Library(NamedTuple):
    """The code of a library of functions."""

    code: bytes


def read_rdb(
    data: bytes | mmap, progress: Callable[[int], None] = lambda _at: None
) -> Iterator[Record | Remark | Library]:
    """Go through a file, whose checksum is verified before anything is given.

    :param data: the whole file
    :param progress: called with the bytes that were read, now and then
    :raises DamagedFile: it is none, of a newer version, cut short, or damaged
    """
    return _File(data, progress).records()


class _File:
    """A file under way."""

    def __init__(self, data: bytes | mmap, progress: Callable[[int], None]) -> None:
        self._source = Source(data)
        self._progress = progress
        self._db = 0
        self._expire_ms = 0
        self._idle_s: int | None = None
        self._frequency: int | None = None

    def records(self) -> Iterator[Record | Remark | Library]:
        source = self._source
        self._read_head()
        reported = 0
        while True:
            opcode = source.byte()
            if opcode == _END:
                break
            found = self._record(opcode) if opcode < _SLOT_INFO else self._opcode(opcode)
            if found is not None:
                yield found
            if source.at - reported >= _CHUNK_BYTES:
                reported = source.at
                self._progress(reported)
        if source.at != source.end:
            raise source.damaged("something is left behind its end")
        self._progress(len(source.data))

    def _read_head(self) -> None:
        """Read magic and version; verify and cut off the checksum."""
        source = self._source
        head = source.data[:_HEAD_BYTES]
        if not head.startswith(_MAGIC) or not head[len(_MAGIC) :].isdigit():
            raise DamagedFile("not an RDB file", 0)
        version = int(head[len(_MAGIC) :])
        if not 1 <= version <= NEWEST_VERSION:
            raise DamagedFile(f"RDB version {version}, and 1 to {NEWEST_VERSION} are known", 0)
        source.at = _HEAD_BYTES
        if version < _CHECKSUM_SINCE:
            return
        source.end -= _CHECKSUM_BYTES
        if source.end <= _HEAD_BYTES:
            raise DamagedFile("it ends too early", len(source.data))
        if source.data[source.end - 1] != _END:
            raise DamagedFile("it does not end as it should: cut short?", source.end)
        self._verify()

    def _verify(self) -> None:
        source = self._source
        checksum = int.from_bytes(source.data[source.end :], "little")
        if checksum == 0:  # rdbchecksum no
            return
        found = 0
        with memoryview(source.data) as view:
            for start in range(0, source.end, _CHUNK_BYTES):
                with view[start : min(start + _CHUNK_BYTES, source.end)] as part:
                    found = crc64(part, found)
        if found != checksum:
            raise DamagedFile("the checksum is wrong", source.end)

    def _record(self, kind: int) -> Record:
        source = self._source
        key = source.string()
        if kind in {RdbType.MODULE_PRE_GA, RdbType.MODULE_2}:
            raise source.damaged("a value that belongs to a module of Redis's")
        value = read_value(source, kind)
        record = Record(self._db, key, value, self._expire_ms, self._idle_s, self._frequency)
        self._expire_ms, self._idle_s, self._frequency = 0, None, None
        return record

    def _opcode(self, opcode: int) -> Remark | Library | None:
        source = self._source
        if opcode == _AUX:
            return Remark(source.string(), source.string())
        if opcode == _FUNCTION:
            return Library(source.string())
        if opcode == _SELECT:
            self._db = source.length()
        elif opcode == _EXPIRY_MS:
            self._expire_ms = max(source.milliseconds(), 1)
        elif opcode == _EXPIRY_S:
            seconds = int.from_bytes(source.take(4), "little", signed=True)
            self._expire_ms = max(seconds * 1000, 1)
        elif opcode == _IDLE:
            self._idle_s = source.length()
        elif opcode == _FREQUENCY:
            self._frequency = source.byte()
        else:
            self._skip(opcode)
        return None

    def _skip(self, opcode: int) -> None:
        """Pass what helps Redis only: sizes of tables, what modules keep beside the keys."""
        source = self._source
        if opcode == _MODULE_AUX:
            self._skip_module()
            return
        lengths = {_RESIZE: 2, _SLOT_INFO: 3}.get(opcode)
        if lengths is None:
            raise source.damaged(f"an unknown opcode, {opcode:#x}")
        for _ in range(lengths):
            source.length()

    def _skip_module(self) -> None:
        """Pass a module's own values, each after what it is, up to a zero."""
        source = self._source
        source.length()  # the module's name and version
        while True:
            kind = source.length()
            if kind == 0:
                return
            if kind in {_MODULE_SIGNED, _MODULE_UNSIGNED}:
                source.length()
            elif kind == _MODULE_STRING:
                source.string()
            elif kind in {_MODULE_FLOAT, _MODULE_DOUBLE}:
                source.take(4 if kind == _MODULE_FLOAT else 8)
            else:
                raise source.damaged(f"a module's value of an unknown kind, {kind}")
