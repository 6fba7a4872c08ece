"""Start quickly: nothing that a daemon does not use, and no garbage collection meanwhile.

The package's errors are subclasses of redis-py's, and importing ``redis.exceptions`` runs the whole
package: 80 ms of the 100 that a restart may take, for a daemon that never uses the rest. Looking
for garbage while modules are loaded finds none and takes 5 % of the time.
"""

from __future__ import annotations

import gc
import importlib.util
import sys
from importlib.machinery import PathFinder
from typing import Final

__all__ = [
    "postpone_garbage_collection",
    "preload_redis_exceptions",
    "resume_garbage_collection",
]

_NAME: Final = "redis.exceptions"


def postpone_garbage_collection() -> None:
    """Collect nothing until :func:`resume_garbage_collection`."""
    gc.disable()


def resume_garbage_collection() -> None:
    """Collect again, but never look at what is there by now.

    To be called before children are forked: a collector that writes into every object would make
    each of them copy the pages that they share.
    """
    gc.freeze()
    gc.enable()


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
