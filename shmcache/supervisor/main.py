"""The program ``shmcached``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]

_USAGE = """\
usage: shmcached [CONFIG-FILE] [-] [--option value ...]

Serves a cache in shared memory. Options are those of redis.conf; a '-' reads
more of them from standard input; the command line overrides both. Often used:

  --name NAME            the cache's name (default: default)
  --maxmemory BYTES      size of the arena when it is made (256mb); units: kb mb gb
  --maxmemory-policy P   noeviction, allkeys-lru, allkeys-lfu, volatile-ttl, ...
  --unixsocket PATH      default: $XDG_RUNTIME_DIR/shmcache/NAME.sock,
                         as root /run/shmcache/NAME.sock
  --unixsocketperm MODE  permission bits of the socket
  --port N               listen on TCP too (default 0: no)
  --bind ADDRESS ...     TCP addresses (default 127.0.0.1 -::1)
  --requirepass TEXT     password of the socket door
  --shm-mode MODE        who may attach in-process (0640: the group may read)
  --shm-group GROUP      group of the arena and of the Unix socket
  --shm-keep no          remove the arena at an orderly stop (default yes: the
                         next start adopts it with all it holds)
  --daemonize yes        go to the background once clients can be served
  --pidfile PATH --logfile PATH --loglevel LEVEL

  -h, --help             this text
  -v, --version          the version

SIGHUP reads the configuration again, SIGTERM and SIGINT stop the daemon.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the daemon.

    :param arguments: the command line without the program's name; default: this process's
    :return: the exit status; what is wrong is one line on standard error
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    if arguments[:1] in (["--help"], ["-h"]):
        sys.stdout.write(_USAGE)
        return 0
    if arguments[:1] in (["--version"], ["-v"]):
        from shmcache import __version__  # noqa: PLC0415

        sys.stdout.write(f"shmcached {__version__}\n")
        return 0
    if sys.platform != "linux":
        sys.stderr.write(f"shmcached: needs Linux, and this is {sys.platform}\n")
        return 1
    # Before anything imports the package's errors: see lean.py.
    from shmcache.supervisor.lean import (  # noqa: PLC0415
        postpone_garbage_collection,
        preload_redis_exceptions,
    )

    postpone_garbage_collection()
    preload_redis_exceptions()
    from shmcache.errors import ConfigurationError  # noqa: PLC0415
    from shmcache.supervisor.start import start  # noqa: PLC0415

    try:
        return start(arguments)
    except ConfigurationError as error:
        text = " ".join(str(error).splitlines())
        sys.stderr.write(f"shmcached: {text}\n")
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    raise SystemExit(main())
