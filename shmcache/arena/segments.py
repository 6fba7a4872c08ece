"""A cache's shared-memory segments: their names, how they are made, opened and removed.

A cache called NAME is four POSIX shared-memory objects: ``/shmcache.NAME.data``, ``.access``,
``.feed`` (what was changed) and ``.bus`` (published messages). Who may open them in which way is
the access control of the in-process door: the mode given at creation is that of data and feed;
access, in which readers leave their marks, and bus let everybody write who may read.
"""

from __future__ import annotations

import errno
import fcntl
import functools
import os
import re
from pathlib import Path
from typing import Final, NamedTuple

import posix_ipc

from shmcache.arena import Arena, format_arena, hash64, min_data_bytes, segment_sizes
from shmcache.errors import CacheNotFound, ConfigurationError, LayoutMismatch, ReadOnly

__all__ = [
    "MAX_NAME_BYTES",
    "Segments",
    "attach_arena",
    "cache_names",
    "check_name",
    "create_segments",
    "group_id",
    "lock_path",
    "map_segments",
    "module_notes_path",
    "open_segments",
    "remove_unfinished",
    "segment_names",
    "segment_path",
    "set_access",
    "unlink_segments",
]

MAX_NAME_BYTES: Final = 63
"""The arena's header keeps the name in 64 bytes, NUL included."""

_KINDS: Final = ("data", "access", "feed", "bus")
_OPEN_TO_READERS: Final = frozenset({"access", "bus"})
_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", re.ASCII)
_SHM_DIRECTORY: Final = Path("/dev/shm")  # noqa: S108 - where glibc's shm_open puts them
_READ_BITS: Final = 0o444
_PERMISSION_BITS: Final = 0o777
_MAGIC_BYTES: Final = 8  # the header's first word, which the formatting stores last


class Segments(NamedTuple):
    """Open file descriptors that the caller has to close."""

    data_fd: int
    access_fd: int
    feed_fd: int
    bus_fd: int

    def close(self) -> None:
        """Close them."""
        for fd in self:
            os.close(fd)


def check_name(name: str) -> str:
    """Return ``name`` if a cache may be called so.

    :raises ConfigurationError: empty, too long, or with other characters than letters, digits and
        ``_ . -`` (it becomes part of file names), or starting with a dot or a dash
    """
    if len(name) > MAX_NAME_BYTES or not _NAME.fullmatch(name):
        raise ConfigurationError(
            f"invalid cache name {name[:80]!r}: use 1 to {MAX_NAME_BYTES} letters, digits, '_', "
            "'.' or '-', not starting with '.' or '-'"
        )
    return name


def segment_names(name: str) -> tuple[str, ...]:
    """Return the shared-memory names of cache ``name``, in the order of :class:`Segments`.

    :raises ConfigurationError: no cache can have that name
    """
    check_name(name)
    return tuple(f"/shmcache.{name}.{kind}" for kind in _KINDS)


def create_segments(
    name: str, data_bytes: int, *, mode: int = 0o640, group: str | int | None = None
) -> Segments:
    """Create, allocate in full and format the segments of a new cache.

    Either all exist afterwards, ready to be attached, or this raised and none was left behind.

    :param data_bytes: size of the data segment; the others add a few per cent, and to a small
        cache a MiB and a quarter
    :param mode: permission bits of the data segment, whatever the umask
    :param group: name or number of the group to give them to
    :return: all opened for reading and writing
    :raises FileExistsError: a segment of that name is there already
    :raises ConfigurationError: the name, size or group cannot be used, or ``/dev/shm`` or the
        machine's memory is too small for it
    """
    _check_hash_once()
    names = segment_names(name)
    if group is not None:
        group_id(group)  # a wrong name is to be told before gigabytes are filled
    if data_bytes < min_data_bytes():
        raise ConfigurationError(
            f"an arena of {data_bytes} bytes is too small: the least is {min_data_bytes()} bytes"
        )
    sizes = segment_sizes(data_bytes)
    _check_room(name, sum(sizes))
    opened: list[int] = []
    created: list[str] = []
    try:
        for segment in names:
            opened.append(_create_exclusive(segment))
            created.append(segment)
        for fd, size in zip(opened, sizes, strict=True):
            _allocate(fd, size, name, sum(sizes))
        seed = int.from_bytes(os.urandom(8), "little")
        segments = Segments(*opened)
        format_arena(*segments, name, seed)
        set_access(segments, mode, group)
    except BaseException:
        for segment in created:
            posix_ipc.unlink_shared_memory(segment)
        for fd in opened:
            os.close(fd)
        raise
    return segments


def open_segments(name: str, *, writable: bool) -> Segments:
    """Open the segments of an existing cache.

    :param writable: open data and feed for writing too
    :raises CacheNotFound: there is no cache of that name
    :raises ReadOnly: ``writable`` was asked for and the mode lets this user read only
    :raises PermissionError: the mode does not even allow reading
    :raises LayoutMismatch: one of the segments is missing
    """
    opened: list[int] = []
    try:
        for kind, segment in zip(_KINDS, segment_names(name), strict=True):
            fd = _open(segment, writable=writable or kind in _OPEN_TO_READERS)
            if fd is not None:
                opened.append(fd)
            elif kind == "data":
                raise CacheNotFound(f"there is no cache named {name!r}: is its shmcached running?")
            else:
                raise LayoutMismatch(
                    f"part of cache {name!r} is missing, or an older version made it: no "
                    f"{_path(segment)}"
                )
    except BaseException:
        for fd in opened:
            os.close(fd)
        raise
    return Segments(*opened)


def remove_unfinished(name: str) -> bool:
    """Remove segments whose creator died before they were complete; nobody can have used them.

    The caller makes sure that nobody is creating them right now.

    :return: whether there were any
    :raises PermissionError: they belong to another user
    """
    data, *others = (_path(segment) for segment in segment_names(name))
    if not data.exists():
        unfinished = any(other.exists() for other in others)
    else:
        with data.open("rb") as stream:
            unfinished = not any(stream.read(_MAGIC_BYTES))
    if unfinished:
        unlink_segments(name)
    return unfinished


def set_access(segments: Segments, mode: int, group: str | int | None) -> None:
    """Let those use the segments who may.

    :param mode: permission bits of the data segment
    :param group: name or number of the group to give them to; None leaves it
    :raises ConfigurationError: there is no such group, or this user may not do that
    """
    for kind, fd in zip(_KINDS, segments, strict=True):
        bits = mode | (mode & _READ_BITS) >> 1 if kind in _OPEN_TO_READERS else mode
        try:
            if group is not None:
                os.fchown(fd, -1, group_id(group))
            os.fchmod(fd, bits & _PERMISSION_BITS)
        except PermissionError as error:
            raise ConfigurationError(
                f"not allowed to set the segments' mode to {mode:04o} and their group to "
                f"{group or 'the present one'}: run shmcached as their owner and a member of "
                "that group"
            ) from error


def lock_path(name: str) -> str:
    """Return the file that a daemon serving cache ``name`` holds locked."""
    check_name(name)
    return str(_SHM_DIRECTORY / f"shmcache.{name}.lock")


def segment_path(name: str) -> Path:
    """Return the file that is the data segment of cache ``name``."""
    return _path(segment_names(name)[0])


def cache_names() -> list[str]:
    """The names of all caches on this machine that have a data segment, whoever may read it."""
    prefix, suffix = "shmcache.", ".data"
    names = (path.name for path in _SHM_DIRECTORY.glob(f"{prefix}*{suffix}"))
    return sorted(name.removeprefix(prefix).removesuffix(suffix) for name in names)


def module_notes_path(name: str) -> Path:
    """Return the file that says which modules the daemon of cache ``name`` has loaded."""
    check_name(name)
    return _SHM_DIRECTORY / f"shmcache.{name}.modules"


def unlink_segments(name: str) -> None:
    """Remove the segments' names, whichever exist; who has them mapped keeps the memory.

    The list of modules and the lock file of a daemon that was killed go too.

    :raises PermissionError: they belong to another user
    """
    for segment in segment_names(name):
        try:
            posix_ipc.unlink_shared_memory(segment)
        except posix_ipc.ExistentialError:
            continue
        except posix_ipc.PermissionsError as error:
            raise PermissionError(
                errno.EACCES, f"not allowed to remove {_owner(segment)}", str(_path(segment))
            ) from error
    module_notes_path(name).unlink(missing_ok=True)
    _remove_free_lock(lock_path(name))


def attach_arena(name: str, *, writable: bool = False) -> Arena:
    """Attach to a cache by name.

    :raises CacheNotFound: there is no cache of that name
    :raises ReadOnly: see :func:`open_segments`
    :raises PermissionError: see :func:`open_segments`
    :raises LayoutMismatch: the segments are no arena, truncated, or of an incompatible version
    """
    segments = open_segments(name, writable=writable)
    try:
        return map_segments(name, segments, writable=writable)
    finally:
        segments.close()


def map_segments(name: str, segments: Segments, *, writable: bool) -> Arena:
    """Attach to a cache whose segments are open.

    :raises LayoutMismatch: the segments are no arena, truncated, or of an incompatible version
    """
    try:
        return Arena(*segments, writable=writable)
    except LayoutMismatch as error:
        files = " and ".join(str(_path(segment)) for segment in segment_names(name))
        raise LayoutMismatch(
            f"can't attach to cache {name!r}: {error}; use the version of shmcache that its daemon "
            f"has, or stop the daemon, remove {files}, and start it again"
        ) from error


def group_id(group: str | int) -> int:
    """Return the number of a group given by name or number.

    :raises ConfigurationError: there is no such group
    """
    import grp  # noqa: PLC0415 - only a configured group pays for it

    if isinstance(group, int) or group.isdecimal():
        return int(group)
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        raise ConfigurationError(f"there is no group named {group!r}") from None


def _remove_free_lock(path: str) -> None:
    """Remove a lock file that nobody holds."""
    try:
        with Path(path).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            Path(path).unlink()
    except (FileNotFoundError, BlockingIOError, PermissionError):
        return


def _path(segment: str) -> Path:
    return _SHM_DIRECTORY / segment.lstrip("/")


def _owner(segment: str) -> str:
    """Describe a segment file for an error message."""
    try:
        status = _path(segment).stat()
    except OSError:
        return str(_path(segment))
    mode = status.st_mode & _PERMISSION_BITS
    return f"{_path(segment)} (owner {status.st_uid}, group {status.st_gid}, mode {mode:04o})"


def _create_exclusive(segment: str) -> int:
    """Create an empty segment that nobody else can open yet."""
    try:
        memory = posix_ipc.SharedMemory(segment, posix_ipc.O_CREX, mode=0o600)
    except posix_ipc.ExistentialError:
        raise FileExistsError(
            errno.EEXIST, "shared-memory segment exists", str(_path(segment))
        ) from None
    except posix_ipc.PermissionsError as error:
        raise PermissionError(
            errno.EACCES, "not allowed to create shared memory", str(_path(segment))
        ) from error
    return int(memory.fd)


def _open(segment: str, *, writable: bool) -> int | None:
    """Open a segment; None when there is none of that name."""
    try:
        return int(posix_ipc.SharedMemory(segment, read_only=not writable).fd)
    except posix_ipc.ExistentialError:
        return None
    except posix_ipc.PermissionsError as error:
        if writable and os.access(_path(segment), os.R_OK):
            raise ReadOnly(f"not allowed to write to {_owner(segment)}") from error
        raise PermissionError(
            errno.EACCES, f"not allowed to open {_owner(segment)}", str(_path(segment))
        ) from error


def _check_room(name: str, total: int) -> None:
    """Refuse what cannot fit before touching memory: filling all of it first could wake the
    kernel's out-of-memory killer, which would choose somebody else.
    """
    shm = os.statvfs(_SHM_DIRECTORY)
    free = shm.f_bavail * shm.f_frsize
    if total > free:
        raise ConfigurationError(_no_room(name, total, free))
    available = _available_memory()
    if total > available:
        raise ConfigurationError(
            f"not enough memory for cache {name!r}: it needs {total} bytes and the machine has "
            f"{available} bytes available; set a smaller maxmemory"
        )


def _no_room(name: str, total: int, free: int) -> str:
    return (
        f"{_SHM_DIRECTORY} is too small for cache {name!r}: it needs {total} bytes and "
        f"{free} bytes are free there; set a smaller maxmemory, enlarge it "
        f"(mount -o remount,size=... {_SHM_DIRECTORY}, docker run --shm-size=...), or remove "
        "segments that nobody uses"
    )


def _available_memory() -> int:
    """Bytes that can be had without hurting anybody, swap included."""
    kilobytes = 0
    for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
        field, _, rest = line.partition(":")
        if field in {"MemAvailable", "SwapFree"}:
            kilobytes += int(rest.split()[0])
    return kilobytes * 1024


def _allocate(fd: int, size: int, name: str, total: int) -> None:
    """Give the segment its size and all of its memory, so that no later store can fail."""
    try:
        os.posix_fallocate(fd, 0, size)
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EFBIG, errno.ENOMEM}:
            raise
        shm = os.statvfs(_SHM_DIRECTORY)
        free = shm.f_bavail * shm.f_frsize
        raise ConfigurationError(_no_room(name, total, free)) from error


@functools.cache
def _check_hash_once() -> None:
    """Compare the core's hash with an independent one before anything is stored under it.

    A miscompiled hash would work until another build attaches to the arena and finds nothing.
    The lengths meet every branch of XXH3: 1-3, 4-8, 9-16, 17-128, 129-240 bytes, and more than one
    block of 1024.
    """
    import xxhash  # noqa: PLC0415 - only who creates an arena pays for it

    sample = bytes(index * 131 & 0xFF for index in range(3000))
    for length in (0, 1, 3, 4, 8, 9, 16, 17, 100, 128, 129, 240, 241, 1024, 1025, 3000):
        for seed in (0, 0x9E3779B97F4A7C15):
            if hash64(sample[:length], seed) != xxhash.xxh3_64_intdigest(sample[:length], seed):
                raise LayoutMismatch(
                    f"this build computes a wrong hash (XXH3, {length} bytes): rebuild shmcache"
                )
