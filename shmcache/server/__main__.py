"""``python -m shmcache.server``: see :mod:`shmcache.server.main`."""

from __future__ import annotations

import sys

from shmcache.server.main import main

__all__: list[str] = []

sys.exit(main(sys.argv[1:]))
