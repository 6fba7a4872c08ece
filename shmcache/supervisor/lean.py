"""Start quickly: load redis-py's exceptions without loading redis-py.

The package's errors are subclasses of redis-py's, and importing ``redis.exceptions`` runs the whole
package: 80 ms of the 100 that a restart may take, for a daemon that never uses the rest.
"""

from __future__ import annotations

import importlib.util
import sys
from importlib.machinery import PathFinder
from typing import Final

__all__ = ["preload_redis_exceptions"]

_NAME: Final = "redis.exceptions"


def preload_redis_exceptions() -> None:
    """Make ``redis.exceptions`` importable at the price of that one file.

    Whoever imports ``redis`` later gets the same classes. Does nothing if redis-py is loaded, or is
    not a package with that file: the usual import then does it, or says why not.
    """
    if _NAME in sys.modules or "redis" in sys.modules:
        return
    package = PathFinder.find_spec("redis")
    if package is None or not package.submodule_search_locations:
        return
    spec = PathFinder.find_spec(_NAME, package.submodule_search_locations)
    if spec is None or spec.loader is None:
        return
    module = importlib.util.module_from_spec(spec)
    sys.modules[_NAME] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[_NAME]
        raise
