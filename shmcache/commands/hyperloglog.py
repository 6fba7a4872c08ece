"""The HyperLogLog commands: strings that tell about how many different elements they were shown.

A string is a header of 16 bytes and the registers::

    +------+---+-----+----------+----------------------+
    | HYLL | E | 0 0 | estimate | registers            |
    +------+---+-----+----------+----------------------+
       4     1    3       8

E is 0 for dense and 1 for sparse registers. The estimate is a 64-bit number, the lowest byte first;
its highest bit is set when the registers changed after it was made.
"""

from __future__ import annotations

import random
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple, Self

from shmcache.arena import SET_APPENDED, SET_KEEP_TTL
from shmcache.commands.hyperloglog_registers import (
    DENSE_BYTES,
    REGISTERS,
    estimate,
    histogram,
    locate,
    maxima,
    pack,
    place,
    raise_register,
    raised,
    unpack,
)
from shmcache.commands.hyperloglog_sparse import EMPTY, SparseRegisters, TooDense
from shmcache.commands.replies import OK, CommandError, Reply, as_c_string, one_line
from shmcache.errors import OutOfMemory

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from shmcache.arena import Transaction, View
    from shmcache.commands.context import Context

__all__ = ["pfadd", "pfcount", "pfdebug", "pfmerge", "pfselftest"]

_MAGIC = b"HYLL"
_HEADER_BYTES = 16
_DENSE, _SPARSE = 0, 1
_ESTIMATE_AT, _OUTDATED = 8, 1 << 63
_FEW = 6
"""So many elements are looked up in a dense string one by one; for more all of it is read."""


class _Sketch(NamedTuple):
    """A string that is a HyperLogLog."""

    header: bytes
    registers: bytes

    @classmethod
    def new(cls) -> Self:
        """One that was shown nothing."""
        return cls(_MAGIC + bytes((_SPARSE,)) + bytes(11), EMPTY)

    @classmethod
    def of(cls, value: bytes) -> Self:
        """Take a string apart.

        :raises CommandError: it cannot be a HyperLogLog
        """
        header, registers = value[:_HEADER_BYTES], value[_HEADER_BYTES:]
        valid = len(header) == _HEADER_BYTES and header[:4] == _MAGIC and header[4] <= _SPARSE
        if not valid or (header[4] == _DENSE and len(registers) != DENSE_BYTES):
            raise CommandError("WRONGTYPE Key is not a valid HyperLogLog string value.")
        return cls(header, registers)

    @property
    def is_sparse(self) -> bool:
        return self.header[4] == _SPARSE

    @property
    def remembered(self) -> int | None:
        """The estimate, if it is not outdated."""
        number = int.from_bytes(self.header[_ESTIMATE_AT:], "little")
        return None if number & _OUTDATED else number

    def sparse(self) -> SparseRegisters:
        """The sparse registers.

        :raises CommandError: they are damaged
        """
        sparse = SparseRegisters(self.registers)
        sparse.require_whole()
        return sparse

    def unpacked(self) -> bytes:
        """A byte for each register."""
        return self.sparse().to_registers() if self.is_sparse else unpack(self.registers)

    def estimate(self) -> int:
        """About how many elements there were."""
        return estimate(
            self.sparse().histogram() if self.is_sparse else histogram(unpack(self.registers))
        )

    def changed(self, form: int, registers: bytes) -> bytes:
        """The string with other registers, its estimate outdated."""
        header = self.header
        return b"".join(
            (header[:4], bytes((form,)), header[5:15], bytes((header[15] | 0x80,)), registers)
        )

    def in_dense_form(self) -> bytes:
        """The string with dense registers, which are the same."""
        return b"%b%c%b%b" % (self.header[:4], _DENSE, self.header[5:], pack(self.unpacked()))


def _sketches(view: View, db: int, keys: Iterable[bytes]) -> list[_Sketch]:
    """Those of the keys that there are; the first that is wrong in any way raises."""
    sketches = []
    for key in keys:
        value = view.get(db, key)
        if value is not None:
            sketch = _Sketch.of(value)
            if sketch.is_sparse:
                sketch.sparse()
            sketches.append(sketch)
    return sketches


def _write(transaction: Transaction, db: int, key: bytes, value: bytes) -> None:
    transaction.set(db, key, value, 0, SET_KEEP_TTL | SET_APPENDED)


# ---- PFADD ---------------------------------------------------------------------------------------


def pfadd(context: Context, args: Sequence[bytes]) -> Reply:
    """PFADD key [element ...]."""
    db, key = context.db, args[0]
    wanted = [locate(element) for element in args[1:]]
    room = _sparse_room(context)
    with context.arena.transaction([(db, key)], "pfadd") as transaction:
        if len(wanted) <= _FEW and _is_dense(transaction, db, key):
            return _add_in_place(transaction, db, key, wanted)
        value = transaction.get(db, key)
        sketch = _Sketch.new() if value is None else _Sketch.of(value)
        changed = _add_all(sketch, wanted, room)
        if changed is None and value is None:
            changed = sketch.changed(_SPARSE, sketch.registers)
        if changed is not None:
            _write(transaction, db, key, changed)
    return int(changed is not None)


def _sparse_room(context: Context) -> int:
    """How many bytes sparse registers may take: hll-sparse-max-bytes counts the header too."""
    return context.arena.get_tuning().hll_sparse_max_bytes - _HEADER_BYTES


def _is_dense(transaction: Transaction, db: int, key: bytes) -> bool:
    """Whether a string is a dense HyperLogLog, by its first bytes and its length."""
    if transaction.get_range(db, key, 0, len(_MAGIC)) != _MAGIC + bytes((_DENSE,)):
        return False
    info = transaction.describe(db, key)
    return info is not None and info.value_bytes == _HEADER_BYTES + DENSE_BYTES


def _add_in_place(
    transaction: Transaction, db: int, key: bytes, wanted: Sequence[tuple[int, int]]
) -> int:
    """Raise registers of a dense string; whether any had to be."""
    changed = 0
    for index, least in wanted:
        position, shift = place(index)
        position += _HEADER_BYTES
        window = raised(transaction.get_range(db, key, position, position + 1), shift, least)
        if window is not None:
            transaction.patch(db, key, position, window)
            changed = 1
    if changed:
        last = transaction.get_range(db, key, _HEADER_BYTES - 1, _HEADER_BYTES - 1)
        transaction.patch(db, key, _HEADER_BYTES - 1, bytes((last[0] | 0x80,)))
    return changed


def _add_all(sketch: _Sketch, wanted: Sequence[tuple[int, int]], room: int) -> bytes | None:
    """The string after its registers were raised; None if all were high enough."""
    if not sketch.is_sparse:
        return _add_to_dense(sketch, bytearray(sketch.registers), wanted)
    sparse = SparseRegisters(sketch.registers)
    changed = False
    for done, (index, least) in enumerate(wanted):
        try:
            changed |= sparse.raise_register(index, least, room)
        except TooDense:
            sparse.require_whole()
            dense = bytearray(pack(sparse.to_registers()))
            return _add_to_dense(sketch, dense, wanted[done:])
    return sketch.changed(_SPARSE, sparse.to_bytes()) if changed else None


def _add_to_dense(
    sketch: _Sketch, dense: bytearray, wanted: Sequence[tuple[int, int]]
) -> bytes | None:
    changed = False
    for index, least in wanted:
        changed |= raise_register(dense, index, least)
    return sketch.changed(_DENSE, bytes(dense)) if changed else None


# ---- PFCOUNT and PFMERGE -------------------------------------------------------------------------


def pfcount(context: Context, args: Sequence[bytes]) -> Reply:
    """PFCOUNT key [key ...]."""
    arena, db = context.arena, context.db
    if len(args) == 1:
        return _count_one(context, args[0])
    keys = [(db, key) for key in args]
    sketches = arena.read(keys, lambda view: _sketches(view, db, args))
    return estimate(histogram(maxima(sketch.unpacked() for sketch in sketches)))


def _count_one(context: Context, key: bytes) -> int:
    """The estimate is kept in the string, by whoever may write."""
    arena, db = context.arena, context.db
    value = arena.get(db, key)
    if value is None:
        return 0
    sketch = _Sketch.of(value)
    number = sketch.remembered
    if number is not None:
        return number
    number = sketch.estimate()
    if arena.writable:
        with suppress(OutOfMemory), arena.transaction([(db, key)], "") as transaction:
            if transaction.get(db, key) == value:
                transaction.patch(db, key, _ESTIMATE_AT, number.to_bytes(8, "little"))
    return number


def pfmerge(context: Context, args: Sequence[bytes]) -> Reply:
    """PFMERGE destkey [sourcekey ...]."""
    db, target = context.db, args[0]
    room = _sparse_room(context)
    with context.arena.transaction([(db, key) for key in args], "pfadd") as transaction:
        sketches = _sketches(transaction, db, args)
        old = transaction.get(db, target)
        sketch = _Sketch.new() if old is None else _Sketch.of(old)
        registers = maxima(part.unpacked() for part in sketches)
        merged = None
        if all(part.is_sparse for part in sketches):
            merged = _raised_sparse(sketch, registers, room)
        _write(transaction, db, target, merged or sketch.changed(_DENSE, pack(registers)))
    return OK


def _raised_sparse(sketch: _Sketch, registers: bytes, room: int) -> bytes | None:
    """A sparse string with each register raised in turn; None if it becomes too long."""
    sparse = SparseRegisters(sketch.registers)
    try:
        for index, least in enumerate(registers):
            if least:
                sparse.raise_register(index, least, room)
    except TooDense:
        return None
    return sketch.changed(_SPARSE, sparse.to_bytes())


# ---- PFDEBUG and PFSELFTEST ----------------------------------------------------------------------


def pfdebug(context: Context, args: Sequence[bytes]) -> Reply:
    """PFDEBUG GETREG | DECODE | ENCODING | TODENSE key."""
    db, (word, key) = context.db, args
    subcommand = word.upper()
    with context.arena.transaction([(db, key)], "") as transaction:
        value = transaction.get(db, key)
        if value is None:
            raise CommandError("ERR The specified key does not exist")
        sketch = _Sketch.of(value)
        if subcommand == b"ENCODING":
            return "sparse" if sketch.is_sparse else "dense"
        if subcommand == b"DECODE":
            if not sketch.is_sparse:
                raise CommandError("ERR HLL encoding is not sparse")
            return SparseRegisters(sketch.registers).describe().encode()
        if subcommand not in {b"GETREG", b"TODENSE"}:
            quoted = one_line(as_c_string(word))
            raise CommandError(f"ERR Unknown PFDEBUG subcommand '{quoted}'")
        if sketch.is_sparse:
            _write(transaction, db, key, sketch.in_dense_form())
    return [*sketch.unpacked()] if subcommand == b"GETREG" else int(sketch.is_sparse)


_TEST_ROUNDS = 20
_TEST_ELEMENTS = 20_000
_STANDARD_ERROR = 1.04 / REGISTERS**0.5


def pfselftest(context: Context, args: Sequence[bytes]) -> Reply:  # noqa: ARG001
    """PFSELFTEST: registers of random contents, and the error of estimates."""
    for _ in range(_TEST_ROUNDS):
        registers = bytes(byte & 63 for byte in random.randbytes(REGISTERS))  # noqa: S311 - a test
        if unpack(pack(registers)) != registers:
            raise CommandError("ERR TESTFAILED registers are not read as they were written")
    start = random.randrange(1 << 62)  # noqa: S311
    sparse, dense = SparseRegisters(EMPTY), bytearray(DENSE_BYTES)
    checkpoint = 1
    for count in range(1, _TEST_ELEMENTS + 1):
        index, least = locate((start + count).to_bytes(8, "little"))
        raise_register(dense, index, least)
        with suppress(TooDense):
            sparse.raise_register(index, least, REGISTERS)
        if count == checkpoint:
            _check(sparse, bytes(dense), count)
            checkpoint *= 10
    return OK


def _check(sparse: SparseRegisters, dense: bytes, count: int) -> None:
    """Refuse an estimate that is too far off, or that is another one for the other form."""
    estimated = estimate(histogram(unpack(dense)))
    if estimated != estimate(sparse.histogram()):
        raise CommandError("ERR TESTFAILED dense/sparse disagree")
    if abs(estimated - count) > max(6 * _STANDARD_ERROR * count, 1):
        raise CommandError(
            f"ERR TESTFAILED Too big error. card:{count} abserr:{abs(estimated - count)}"
        )
