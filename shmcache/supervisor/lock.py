"""Lock files: one daemon for a name, one daemon for a socket."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path

from shmcache.errors import ConfigurationError

__all__ = ["FileLock"]


class FileLock:
    """A file that this process holds locked; the kernel lets go of it when the process dies.

    Its content is the holder's pid, for people and for the message of the next one.
    """

    def __init__(self, path: str, what: str) -> None:
        """Take the lock.

        :param path: the file; made if it is not there
        :param what: what it stands for, as the subject of an error message
        :raises ConfigurationError: another process holds it, or the file cannot be had
        """
        self.path = path
        self._fd = -1
        while self._fd < 0:
            try:
                self._fd = _lock(path)
            except BlockingIOError:
                raise ConfigurationError(
                    f"{what} is in use by another shmcached{_holder(path)}"
                ) from None
            except OSError as error:
                raise ConfigurationError(
                    f"can't lock '{path}' ({what}): {error.strerror}"
                ) from error
        os.ftruncate(self._fd, 0)
        with contextlib.suppress(OSError):  # on a full disk the lock is as good without
            os.pwrite(self._fd, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Remove the file and let go of it."""
        if self._fd >= 0:
            Path(self.path).unlink(missing_ok=True)
            self.forget()

    def forget(self) -> None:
        """Close this process's descriptor only: for a child, whose parent keeps the lock."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def _lock(path: str) -> int:
    """Return the locked file's descriptor, or -1 when its former holder removed it meanwhile."""
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    fd = os.open(path, flags, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        named = Path(path).stat()
    except FileNotFoundError:
        named = None
    except BaseException:
        os.close(fd)
        raise
    mine = os.fstat(fd)
    if named is None or (named.st_dev, named.st_ino) != (mine.st_dev, mine.st_ino):
        os.close(fd)
        return -1
    return fd


def _holder(path: str) -> str:
    try:
        pid = Path(path).read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""
    return f" (pid {pid})" if pid.isdecimal() else ""
