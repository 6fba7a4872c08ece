"""Declarations of the commands on replication: what a server without replicas has to answer."""

from __future__ import annotations

from functools import partial

from shmcache.commands import spec
from shmcache.commands.spec import Command, block, integer, one_of, string, token

__all__ = ["COMMANDS"]

_server = partial(spec.command, group="server")
_generic = partial(spec.command, group="generic", categories="connection")

_AGGREGATED = "request_policy:all_shards response_policy:agg_min"
_SYNC = "admin noscript no_async_loading no_multi"


def _replicaof(name: str, since: str) -> Command:
    return _server(
        name,
        3,
        "admin noscript stale no_async_loading",
        "Makes the server a replica, or a master again.",
        since=since,
        arguments=[
            one_of(
                "args",
                block("host-port", string("host"), integer("port")),
                block("no-one", token("NO"), token("ONE")),
            )
        ],
    )


COMMANDS = (
    _server(
        "failover",
        -1,
        "admin noscript stale",
        "Hands the master's part over to a replica.",
        since="6.2.0",
        arguments=[
            block(
                "target",
                string("host"),
                integer("port"),
                token("FORCE", optional=True),
                word="TO",
                optional=True,
            ),
            token("ABORT", optional=True),
            integer("milliseconds", "TIMEOUT", optional=True),
        ],
    ),
    _server(
        "psync",
        -3,
        _SYNC,
        "Asks for the stream of changes, from an offset on if possible.",
        since="2.8.0",
        complexity="",
        arguments=[string("replicationid"), integer("offset")],
    ),
    _server(
        "replconf",
        -1,
        "admin noscript loading stale allow_busy",
        "Tells a master about a replica.",
        since="3.0.0",
        internal=True,
    ),
    _replicaof("replicaof", "5.0.0"),
    _server(
        "role",
        1,
        "noscript loading stale fast",
        "Returns the server's part in replication.",
        since="2.8.12",
        categories="admin dangerous",
    ),
    _replicaof("slaveof", "1.0.0")._replace(deprecated_since="5.0.0", replaced_by="`REPLICAOF`"),
    _server("sync", 1, _SYNC, "Asks for the stream of changes.", since="1.0.0", complexity=""),
    _generic(
        "wait",
        3,
        "noscript",
        "Waits until replicas have the connection's writes.",
        since="3.0.0",
        tips=_AGGREGATED,
        arguments=[integer("numreplicas"), integer("timeout")],
    ),
    _generic(
        "waitaof",
        4,
        "noscript",
        "Waits until the connection's writes are in files, here and at replicas.",
        since="7.2.0",
        tips=_AGGREGATED,
        arguments=[integer("numlocal"), integer("numreplicas"), integer("timeout")],
    ),
)
