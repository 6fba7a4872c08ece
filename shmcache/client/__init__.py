"""What workers import: in-process reads and writes with redis-py's interface.

Start with :mod:`.client` (the class and :func:`attach`), then :mod:`.attachment` (which arena, and
whether it is still the right one), :mod:`.inline` (any command, run in this process),
``_inprocess.pyx`` (the hottest commands, natively) and :mod:`.pipeline`.
"""

from shmcache.client.client import Client, attach

__all__ = ["Client", "attach"]
