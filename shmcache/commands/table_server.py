"""Declarations of the commands on databases and on the server."""

from __future__ import annotations

from functools import partial

from shmcache.commands import generic, spec
from shmcache.commands.containers import container
from shmcache.commands.spec import KEY, Command, block, integer, key, one_of, string, token

__all__ = ["COMMANDS"]

_server = partial(spec.command, group="server")

_ADMIN = "admin noscript loading stale"
_ALL_SHARDS = "request_policy:all_shards response_policy:all_succeeded"
_PER_SHARD = "nondeterministic_output request_policy:all_shards response_policy:special"
_EACH_PARAMETER_COST = "O(N), N being the number of parameters."
_ALLOCATOR_COST = "Depends on how much memory is in use."


def _flush(name: str, summary: str) -> Command:
    return _server(
        name,
        -1,
        "write",
        summary,
        since="1.0.0",
        categories="keyspace dangerous",
        tips=_ALL_SHARDS,
        arguments=[
            one_of(
                "async",
                token("ASYNC", since="4.0.0"),
                token("SYNC", since="6.2.0"),
                optional=True,
            )
        ],
        history=[("4.0.0", "ASYNC."), ("6.2.0", "SYNC.")],
        function=generic.flushdb if name == "flushdb" else generic.flushall,
    )


_CONFIG = container(
    "config",
    "Reads and changes the configuration.",
    [
        _server(
            "config|get",
            -3,
            _ADMIN,
            "Returns the options whose names fit a pattern.",
            since="2.0.0",
            complexity=_EACH_PARAMETER_COST,
            arguments=[block("parameter", string("parameter"), multiple=True)],
            history=[("7.0.0", "Several patterns in one call.")],
        ),
        _server(
            "config|resetstat",
            2,
            _ADMIN,
            "Sets INFO's counters back to zero.",
            since="2.0.0",
        ),
        _server(
            "config|rewrite",
            2,
            _ADMIN,
            "Writes the options in force into the configuration file.",
            since="2.8.0",
        ),
        _server(
            "config|set",
            -4,
            _ADMIN,
            "Changes options, all of them or none.",
            since="2.0.0",
            complexity=_EACH_PARAMETER_COST,
            tips="request_policy:all_nodes response_policy:all_succeeded",
            arguments=[
                block("parameter_value", string("parameter"), string("value"), multiple=True)
            ],
            history=[("7.0.0", "Several options in one call.")],
        ),
    ],
    group="server",
    since="2.0.0",
    help_since="5.0.0",
)

_MEMORY = container(
    "memory",
    "Tells what the memory is used for.",
    [
        _server("memory|doctor", 2, "", "Reports memory problems.", since="4.0.0", tips=_PER_SHARD),
        _server(
            "memory|malloc-stats",
            2,
            "",
            "Returns the allocator's own account of the arena.",
            since="4.0.0",
            complexity=_ALLOCATOR_COST,
            tips=_PER_SHARD,
        ),
        _server(
            "memory|purge",
            2,
            "",
            "Makes the allocator give back what it can.",
            since="4.0.0",
            complexity=_ALLOCATOR_COST,
            tips=_ALL_SHARDS,
        ),
        _server(
            "memory|stats", 2, "", "Returns figures on memory.", since="4.0.0", tips=_PER_SHARD
        ),
        _server(
            "memory|usage",
            -3,
            "readonly",
            "Returns how many bytes a key and its value take up.",
            since="4.0.0",
            keys=[key("RO", 2)],
            arguments=[KEY, integer("count", "SAMPLES", optional=True)],
            function=generic.memory_usage,
        ),
    ],
    group="server",
    since="4.0.0",
    help_since="4.0.0",
)

COMMANDS = (
    _CONFIG,
    _server(
        "dbsize",
        1,
        "readonly fast",
        "Returns the number of keys in the database.",
        since="1.0.0",
        categories="keyspace",
        tips="request_policy:all_shards response_policy:agg_sum",
        function=generic.dbsize,
    ),
    _flush("flushall", "Deletes the keys of all databases at one instant."),
    _flush("flushdb", "Deletes the keys of the database at one instant."),
    _server(
        "info",
        -1,
        "loading stale",
        "Returns facts and figures about the server.",
        since="1.0.0",
        categories="dangerous",
        tips=_PER_SHARD,
        arguments=[string("section", optional=True, multiple=True)],
        history=[("7.0.0", "Several sections in one call.")],
    ),
    _MEMORY,
    _server(
        "shutdown",
        -1,
        "admin noscript loading stale no_multi allow_busy",
        "Stops the server.",
        since="1.0.0",
        complexity="O(N) when saving, N being the number of keys, otherwise O(1).",
        arguments=[
            one_of("nosave_save", token("NOSAVE"), token("SAVE"), optional=True),
            token("NOW", since="7.0.0", optional=True),
            token("FORCE", since="7.0.0", optional=True),
            token("ABORT", since="7.0.0", optional=True),
        ],
        history=[("7.0.0", "NOW, FORCE and ABORT.")],
    ),
    _server(
        "swapdb",
        3,
        "write fast",
        "Exchanges two databases at one instant.",
        since="4.0.0",
        categories="keyspace dangerous",
        arguments=[integer("index1"), integer("index2")],
        function=generic.swapdb,
    ),
    _server(
        "time",
        1,
        "loading stale fast",
        "Returns the time: Unix seconds, and microseconds.",
        since="2.6.0",
        tips="nondeterministic_output",
        function=generic.time,
    ),
)
