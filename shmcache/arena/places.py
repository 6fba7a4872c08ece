"""Where a cache's socket is, for those who were told nothing but its name."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["find_socket_path", "usual_socket_path"]

_SYSTEM_DIRECTORY: Final = Path("/run/shmcache")


def usual_socket_path(name: str, environment: Mapping[str, str] = os.environ) -> Path:
    """Return where a daemon of this user listens unless told otherwise.

    Root: ``/run/shmcache/NAME.sock``; others: ``$XDG_RUNTIME_DIR/shmcache/NAME.sock``, or below
    ``/tmp/shmcache-UID`` where no session manager set that.
    """
    uid = os.geteuid()
    runtime = environment.get("XDG_RUNTIME_DIR", "")
    if uid == 0:
        directory = _SYSTEM_DIRECTORY
    elif runtime.startswith("/"):
        directory = Path(runtime, "shmcache")
    else:
        directory = Path(f"/tmp/shmcache-{uid}")  # noqa: S108 - who makes it checks its owner
    return directory / f"{name}.sock"


def find_socket_path(name: str) -> str:
    """Return where a client looks for the daemon: this user's own place, else the system's."""
    own, system = usual_socket_path(name), _SYSTEM_DIRECTORY / f"{name}.sock"
    return str(system if not own.exists() and system.exists() else own)
