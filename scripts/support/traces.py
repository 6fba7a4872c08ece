"""Access sequences: recorded traces of a real web application, or a made-up one.

A trace file is xz over one big-endian signed 32-bit integer an access; the integer is the object's
identity. The recorded traces are cache2k's benchmark traces (copyright headissue GmbH, Jens Wilke,
CC BY 4.0). They do not belong to this project and lie beside it.
"""

from __future__ import annotations

import lzma
import os
import random
import sys
import zlib
from array import array
from collections import OrderedDict
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "ATTRIBUTION",
    "TRACES",
    "exact_lru_bytes",
    "exact_lru_hits",
    "key_of",
    "load_trace",
    "size_of",
    "traces_directory",
    "zipf_sequence",
]

ATTRIBUTION = "traces: cache2k benchmark traces, headissue GmbH, Jens Wilke, CC BY 4.0"
TRACES = ("web07", "web12", "orm-busy", "orm-night")

_SMALLEST_BYTES = 100
_LARGEST_BYTES = 4000


def traces_directory() -> Path | None:
    """Where the recorded traces are.

    :return: ``$SHMCACHE_TRACES``, else ``shared/traces`` beside the project; None when not there
    """
    beside = Path(__file__).resolve().parents[3] / "shared" / "traces"
    directory = Path(os.environ.get("SHMCACHE_TRACES", beside))
    return directory if directory.is_dir() else None


def load_trace(path: Path) -> array[int]:
    """Read one trace file.

    :raises lzma.LZMAError: not an xz file
    """
    accesses = array("i")
    if accesses.itemsize != 4:  # pragma: no cover - no such Linux
        raise OSError("a C int has not 32 bits here")
    accesses.frombytes(lzma.decompress(path.read_bytes()))
    if sys.byteorder == "little":
        accesses.byteswap()
    return accesses


def zipf_sequence(length: int, objects: int = 20_000, exponent: float = 0.9) -> array[int]:
    """Accesses whose popularity falls with the rank, as a web site's does; always the same ones.

    :param length: how many accesses
    :param objects: how many different objects at most, numbered from 1
    :param exponent: how steeply popularity falls: the object of rank r gets 1/r**exponent
    """
    source = random.Random(20_240_701)  # any number: the sequence must only never change
    weights = list(accumulate(1 / rank**exponent for rank in range(1, objects + 1)))
    numbers = list(range(1, objects + 1))
    source.shuffle(numbers)
    return array("i", source.choices(numbers, cum_weights=weights, k=length))


def key_of(number: int) -> bytes:
    """Cache key of an object."""
    return b"obj:%d" % number


def size_of(key: bytes) -> int:
    """Size of an object's value in bytes, 100 to 4,000, a function of its key alone."""
    return _SMALLEST_BYTES + zlib.crc32(key) % (_LARGEST_BYTES - _SMALLEST_BYTES + 1)


def exact_lru_hits(accesses: Sequence[int], capacity: int) -> int:
    """Hits of a cache that holds `capacity` objects and always drops the least recently used."""
    resident: OrderedDict[int, None] = OrderedDict()
    touch, drop = resident.move_to_end, resident.popitem
    hits = 0
    for number in accesses:
        if number in resident:
            touch(number)
            hits += 1
        else:
            resident[number] = None
            if len(resident) > capacity:
                drop(last=False)
    return hits


def exact_lru_bytes(accesses: Sequence[int], sizes: dict[int, int], capacity: int) -> int:
    """Hits of an exact LRU that holds `capacity` bytes, where object `n` takes ``sizes[n]``."""
    resident: OrderedDict[int, None] = OrderedDict()
    touch, drop = resident.move_to_end, resident.popitem
    hits = used = 0
    for number in accesses:
        if number in resident:
            touch(number)
            hits += 1
        else:
            resident[number] = None
            used += sizes[number]
            while used > capacity:
                used -= sizes[drop(last=False)[0]]
    return hits
