"""Declarations of the commands that watch a server, and of those that test it."""

from __future__ import annotations

from functools import partial

from shmcache.commands import spec
from shmcache.commands.containers import container
from shmcache.commands.spec import integer, string

__all__ = ["COMMANDS"]

_server = partial(spec.command, group="server")

_ADMIN = "admin loading stale"
_ADMIN_ALONE = "admin noscript loading stale"
_ALL_NODES = "request_policy:all_nodes response_policy:all_succeeded"
_PER_NODE = "nondeterministic_output request_policy:all_nodes response_policy:special"

_SLOWLOG = container(
    "slowlog",
    "Tells which commands took long.",
    [
        _server(
            "slowlog|get",
            -2,
            _ADMIN,
            "Returns the newest entries, 10 unless told, all for -1: an id, a Unix time, "
            "microseconds, the words, the client's address and name.",
            since="2.2.12",
            complexity="O(N), N being the number of entries.",
            tips="request_policy:all_nodes nondeterministic_output",
            arguments=[integer("count", optional=True)],
            history=[("4.0.0", "The client's address and name.")],
        ),
        _server(
            "slowlog|len",
            2,
            _ADMIN,
            "Returns how many entries there are.",
            since="2.2.12",
            tips="request_policy:all_nodes response_policy:agg_sum nondeterministic_output",
        ),
        _server(
            "slowlog|reset",
            2,
            _ADMIN,
            "Forgets the entries.",
            since="2.2.12",
            complexity="O(N), N being the number of entries.",
            tips=_ALL_NODES,
        ),
    ],
    group="server",
    since="2.2.12",
    help_since="6.2.0",
)

_LATENCY = container(
    "latency",
    "Tells what held the server up.",
    [
        _server(
            "latency|doctor",
            2,
            _ADMIN_ALONE,
            "Reports what was slow, and what may help.",
            since="2.8.13",
            tips=_PER_NODE,
        ),
        _server(
            "latency|graph",
            3,
            _ADMIN_ALONE,
            "Draws the latencies of an event.",
            since="2.8.13",
            tips=_PER_NODE,
            arguments=[string("event")],
        ),
        _server(
            "latency|histogram",
            -2,
            _ADMIN_ALONE,
            "Returns how many calls of commands took at most how long.",
            since="7.0.0",
            complexity="O(N), N being the number of commands.",
            tips=_PER_NODE,
            arguments=[string("command", optional=True, multiple=True)],
        ),
        _server(
            "latency|history",
            3,
            _ADMIN_ALONE,
            "Returns the latencies of an event.",
            since="2.8.13",
            tips=_PER_NODE,
            arguments=[string("event")],
        ),
        _server(
            "latency|latest",
            2,
            _ADMIN_ALONE,
            "Returns the newest latency of each event.",
            since="2.8.13",
            tips=_PER_NODE,
        ),
        _server(
            "latency|reset",
            -2,
            _ADMIN_ALONE,
            "Forgets the latencies of events, of all when none is named.",
            since="2.8.13",
            tips=_ALL_NODES,
            arguments=[string("event", optional=True, multiple=True)],
        ),
    ],
    group="server",
    since="2.8.13",
    help_since="2.8.13",
)

COMMANDS = (
    _server(
        "debug",
        -2,
        _ADMIN_ALONE,
        "Shows and does what tests of a server need.",
        since="1.0.0",
        complexity="Depends on subcommand.",
        internal=True,
    ),
    _LATENCY,
    _server(
        "lolwut",
        -1,
        "readonly fast",
        "Draws a picture, and tells the version.",
        since="5.0.0",
        complexity="",
        arguments=[integer("version", "VERSION", optional=True)],
    ),
    _server(
        "monitor",
        1,
        _ADMIN_ALONE,
        "Shows the commands of all clients as they are run.",
        since="1.0.0",
        complexity="",
    ),
    _SLOWLOG,
)
