"""Which modules a cache's daemon has loaded, for the workers: a small file beside the segments.

``/dev/shm/shmcache.NAME.modules`` is JSON, replaced as a whole whenever something changes, with the
data segment's owner, group and read permissions. It is no part of the arena: nothing in it can harm
one, and a worker takes from it only names of modules that are installed where it runs. As the arena
it outlives the daemon, so that workers can go on while that restarts.
"""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from shmcache.arena.segments import module_notes_path, segment_path

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ModuleNote", "NotesIdentity", "load_notes", "notes_identity", "store_notes"]

_MAX_BYTES: Final = 1 << 20
_READ_BITS: Final = 0o444

NotesIdentity = tuple[int, int, int]
"""Differs from one set of notes to the next: device, inode, time of change in nanoseconds."""


class ModuleNote(NamedTuple):
    """A module as the daemon has loaded it; words are bytes kept as surrogate escapes."""

    name: str
    version: int
    arguments: list[str]
    options: dict[str, str]
    """The texts of its options, by ``MODULE.OPTION``."""


def store_notes(cache: str, notes: Sequence[ModuleNote]) -> None:
    """Tell the workers; without a module there is no file.

    :raises OSError: the file cannot be written
    """
    path = module_notes_path(cache)
    if not notes:
        path.unlink(missing_ok=True)
        return
    data = json.dumps([note._asdict() for note in notes]).encode("ascii")
    segment = segment_path(cache).stat()
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)  # of a process of that number that was killed just here
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    descriptor = os.open(temporary, flags, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            os.fchown(stream.fileno(), -1, segment.st_gid)
            os.fchmod(stream.fileno(), 0o600 | segment.st_mode & _READ_BITS)
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()
        raise


def notes_identity(cache: str) -> NotesIdentity | None:
    """Tell apart what :func:`load_notes` would return now and later; None when there is nothing."""
    try:
        status = module_notes_path(cache).stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_mtime_ns


def load_notes(cache: str) -> list[ModuleNote]:
    """Return what the daemon has loaded; nothing if that cannot be told."""
    try:
        with Path(module_notes_path(cache)).open("rb") as stream:
            if os.fstat(stream.fileno()).st_uid != segment_path(cache).stat().st_uid:
                return []  # somebody else took the name
            parsed = json.loads(stream.read(_MAX_BYTES))
    except (OSError, ValueError):
        return []
    if not isinstance(parsed, list):
        return []
    return [note for note in map(_note, parsed) if note is not None]


def _note(item: Any) -> ModuleNote | None:
    try:
        note = ModuleNote(**item)
        right = (
            isinstance(note.name, str)
            and isinstance(note.version, int)
            and all(isinstance(word, str) for word in note.arguments)
            and all(isinstance(text, str) for pair in note.options.items() for text in pair)
        )
    except (AttributeError, TypeError):
        return None
    return note if right else None
