"""Declarations of the commands on keys of any type."""

from __future__ import annotations

from functools import partial

from shmcache.commands import dumps, generic, spec
from shmcache.commands.containers import container
from shmcache.commands.spec import (
    KEY,
    KEYS,
    Argument,
    Command,
    CommandFunction,
    integer,
    key,
    one_of,
    pattern,
    string,
    token,
    unix_time,
)

__all__ = ["COMMANDS"]

_generic = partial(spec.command, group="generic", categories="keyspace")

_READ = (key("RO access"),)
_UPDATE = (key("RW update"),)
_COUNTED_PER_SHARD = "request_policy:multi_shard response_policy:agg_sum"
_EACH_KEY_COST = "O(N), N being the number of keys."
_DATABASE_COST = "O(N), N being the number of keys in the database."


def _expire(
    name: str, since: str, time: Argument, summary: str, function: CommandFunction
) -> Command:
    return _generic(
        name,
        -3,
        "write fast",
        summary,
        since=since,
        keys=_UPDATE,
        arguments=[
            KEY,
            time,
            one_of(
                "condition",
                *map(token, ("NX", "XX", "GT", "LT")),
                since="7.0.0",
                optional=True,
            ),
        ],
        history=[("7.0.0", "NX, XX, GT and LT.")],
        function=function,
    )


def _object(name: str, summary: str, function: CommandFunction, *, since: str = "2.2.3") -> Command:
    return _generic(
        f"object|{name}",
        3,
        "readonly",
        summary,
        since=since,
        keys=[key("RO", 2)],
        tips="nondeterministic_output",
        arguments=[KEY],
        function=function,
    )


_EXPIRY = (
    _expire(
        "expire",
        "1.0.0",
        integer("seconds"),
        "Lets a key live for so many seconds more.",
        generic.expire,
    ),
    _expire(
        "expireat",
        "1.2.0",
        unix_time("unix-time-seconds"),
        "Sets a key's time of death, in Unix seconds.",
        generic.expireat,
    ),
    _generic(
        "expiretime",
        2,
        "readonly fast",
        "Returns a key's time of death in Unix seconds: -1 never, -2 no such key.",
        since="7.0.0",
        keys=_READ,
        arguments=[KEY],
        function=generic.expiretime,
    ),
    _generic(
        "persist",
        2,
        "write fast",
        "Removes a key's time of death.",
        since="2.2.0",
        keys=_UPDATE,
        arguments=[KEY],
        function=generic.persist,
    ),
    _expire(
        "pexpire",
        "2.6.0",
        integer("milliseconds"),
        "Lets a key live for so many milliseconds more.",
        generic.pexpire,
    ),
    _expire(
        "pexpireat",
        "2.6.0",
        unix_time("unix-time-milliseconds"),
        "Sets a key's time of death, in Unix milliseconds.",
        generic.pexpireat,
    ),
    _generic(
        "pexpiretime",
        2,
        "readonly fast",
        "Returns a key's time of death in Unix milliseconds: -1 never, -2 no such key.",
        since="7.0.0",
        keys=_READ,
        arguments=[KEY],
        function=generic.pexpiretime,
    ),
    _generic(
        "pttl",
        2,
        "readonly fast",
        "Returns how many milliseconds a key has left: -1 no end, -2 no such key.",
        since="2.6.0",
        keys=_READ,
        tips="nondeterministic_output",
        arguments=[KEY],
        history=[("2.8.0", "-2 for a missing key.")],
        function=generic.pttl,
    ),
    _generic(
        "ttl",
        2,
        "readonly fast",
        "Returns how many seconds a key has left: -1 no end, -2 no such key.",
        since="1.0.0",
        keys=_READ,
        tips="nondeterministic_output",
        arguments=[KEY],
        history=[("2.8.0", "-2 for a missing key.")],
        function=generic.ttl,
    ),
)

_KEYSPACE = (
    _generic(
        "copy",
        -3,
        "write denyoom",
        "Copies a value to another key, in any database.",
        since="6.2.0",
        complexity="O(N), N being the size of the value.",
        keys=[key("RO access"), key("OW update", 2)],
        arguments=[
            Argument("source", "key", key_spec=0),
            Argument("destination", "key", key_spec=1),
            integer("destination-db", "DB", optional=True),
            token("REPLACE", optional=True),
        ],
        function=generic.copy,
    ),
    _generic(
        "del",
        -2,
        "write",
        "Deletes keys and returns how many there were.",
        since="1.0.0",
        complexity=_EACH_KEY_COST,
        keys=[key("RM delete", last=-1)],
        tips=_COUNTED_PER_SHARD,
        arguments=[KEYS],
        function=generic.delete,
    ),
    _generic(
        "exists",
        -2,
        "readonly fast",
        "Returns how many of the keys exist.",
        since="1.0.0",
        complexity=_EACH_KEY_COST,
        keys=[key("RO", last=-1)],
        tips=_COUNTED_PER_SHARD,
        arguments=[KEYS],
        history=[("3.0.3", "More than one key.")],
        function=generic.exists,
    ),
    _generic(
        "keys",
        2,
        "readonly",
        "Returns all keys that fit a pattern.",
        since="1.0.0",
        complexity=_DATABASE_COST,
        categories="keyspace dangerous",
        tips="request_policy:all_shards nondeterministic_output_order",
        arguments=[pattern("pattern")],
        function=generic.keys,
    ),
    _generic(
        "move",
        3,
        "write fast",
        "Moves a key to another database, unless it exists there.",
        since="1.0.0",
        keys=[key("RW access update")],
        arguments=[KEY, integer("db")],
        function=generic.move,
    ),
    container(
        "object",
        "Tells how values are kept.",
        [
            _object("encoding", "Returns how a value is encoded.", generic.object_encoding),
            _object(
                "freq",
                "Returns the logarithmic access counter, under an LFU policy.",
                generic.object_freq,
                since="4.0.0",
            ),
            _object(
                "idletime",
                "Returns the seconds since the last access, unless under an LFU policy.",
                generic.object_idletime,
            ),
            _object(
                "refcount", "Returns how many keys share a value: one.", generic.object_refcount
            ),
        ],
        group="generic",
        since="2.2.3",
        help_since="6.2.0",
        help_categories="keyspace",
    ),
    _generic(
        "dump",
        2,
        "readonly",
        "Returns a key's value in a form that RESTORE takes.",
        since="2.6.0",
        complexity="O(N), N being the bytes of the value.",
        keys=_READ,
        tips="nondeterministic_output",
        arguments=[KEY],
        function=dumps.dump,
    ),
    _generic(
        "restore",
        -4,
        "write denyoom",
        "Creates a key from what DUMP returned.",
        since="2.6.0",
        complexity="O(N), N being the bytes of the value; O(N log(N)) for a sorted set.",
        categories="keyspace dangerous",
        keys=[key("OW update")],
        arguments=[
            KEY,
            integer("ttl"),
            string("serialized-value"),
            token("REPLACE", since="3.0.0", optional=True),
            token("ABSTTL", since="5.0.0", optional=True),
            integer("seconds", "IDLETIME", since="5.0.0", optional=True),
            integer("frequency", "FREQ", since="5.0.0", optional=True),
        ],
        history=[
            ("3.0.0", "REPLACE."),
            ("5.0.0", "ABSTTL."),
            ("5.0.0", "IDLETIME and FREQ."),
        ],
        function=dumps.restore,
    ),
    _generic(
        "randomkey",
        1,
        "readonly",
        "Returns any one key.",
        since="1.0.0",
        tips="request_policy:all_shards nondeterministic_output",
        function=generic.randomkey,
    ),
    _generic(
        "rename",
        3,
        "write",
        "Renames a key, replacing what has the new name.",
        since="1.0.0",
        keys=[key("RW access delete"), key("OW update", 2)],
        arguments=[KEY, Argument("newkey", "key", key_spec=1)],
        function=generic.rename,
    ),
    _generic(
        "renamenx",
        3,
        "write fast",
        "Renames a key, unless the new name is taken.",
        since="1.0.0",
        keys=[key("RW access delete"), key("OW insert", 2)],
        arguments=[KEY, Argument("newkey", "key", key_spec=1)],
        history=[("3.2.0", "No error when both names are the same.")],
        function=generic.renamenx,
    ),
    _generic(
        "scan",
        -2,
        "readonly",
        "Returns some keys and the cursor to go on from.",
        since="2.8.0",
        complexity="O(1) a call, O(N) a whole iteration, N being the number of keys.",
        tips="nondeterministic_output request_policy:special",
        arguments=[
            integer("cursor"),
            pattern("pattern", "MATCH", optional=True),
            integer("count", "COUNT", optional=True),
            string("type", "TYPE", since="6.0.0", optional=True),
        ],
        history=[("6.0.0", "TYPE.")],
        function=generic.scan,
    ),
    _generic(
        "touch",
        -2,
        "readonly fast",
        "Marks keys as just used and returns how many there are.",
        since="3.2.1",
        complexity=_EACH_KEY_COST,
        keys=[key("RO", last=-1)],
        tips=_COUNTED_PER_SHARD,
        arguments=[KEYS],
        function=generic.touch,
    ),
    _generic(
        "type",
        2,
        "readonly fast",
        "Returns the type of a key's value.",
        since="1.0.0",
        keys=[key("RO")],
        arguments=[KEY],
        function=generic.type_,
    ),
    _generic(
        "unlink",
        -2,
        "write fast",
        "Deletes keys, as DEL does.",
        since="4.0.0",
        complexity=_EACH_KEY_COST,
        keys=[key("RM delete", last=-1)],
        tips=_COUNTED_PER_SHARD,
        arguments=[KEYS],
        function=generic.delete,
    ),
)

COMMANDS = (*_EXPIRY, *_KEYSPACE)
