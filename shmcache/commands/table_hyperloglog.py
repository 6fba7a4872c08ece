"""Declarations of the HyperLogLog commands."""

from __future__ import annotations

from functools import partial

from shmcache.commands import hyperloglog, spec
from shmcache.commands.spec import KEY, KEYS, key, string

__all__ = ["COMMANDS"]

_hyperloglog = partial(
    spec.command, group="hyperloglog", since="2.8.9", categories="hyperloglog", complexity="O(N)"
)

COMMANDS = (
    _hyperloglog(
        "pfadd",
        -2,
        "write denyoom fast",
        "Shows elements to a HyperLogLog, which is created if missing.",
        complexity="O(N), N being the number of elements.",
        keys=[key("RW insert")],
        arguments=[KEY, string("element", optional=True, multiple=True)],
        function=hyperloglog.pfadd,
    ),
    _hyperloglog(
        "pfcount",
        -2,
        "readonly",
        "Tells about how many different elements HyperLogLogs were shown, all together.",
        complexity="O(N), N being the number of keys; O(1) for one that did not change.",
        keys=[key("RW access", last=-1, notes="RW because the estimate may be kept in the string")],
        arguments=[KEYS],
        function=hyperloglog.pfcount,
    ),
    _hyperloglog(
        "pfmerge",
        -2,
        "write denyoom",
        "Makes one HyperLogLog of what several were shown.",
        complexity="O(N), N being the number of keys.",
        keys=[key("RW access insert"), key("RO access", first=2, last=-1)],
        arguments=[
            KEY._replace(name="destkey"),
            KEYS._replace(name="sourcekey", key_spec=1),
        ],
        function=hyperloglog.pfmerge,
    ),
    _hyperloglog(
        "pfdebug",
        3,
        "write denyoom admin",
        "Shows what is in a HyperLogLog, or makes it dense.",
        keys=[key("RW access", first=2)],
        arguments=[string("subcommand"), KEY],
        function=hyperloglog.pfdebug,
        internal=True,
    ),
    _hyperloglog(
        "pfselftest",
        1,
        "admin",
        "Tests the reading and writing of registers, and the estimates.",
        function=hyperloglog.pfselftest,
        internal=True,
    ),
)
