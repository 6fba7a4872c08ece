"""Declarations of the hash commands."""

from __future__ import annotations

from functools import partial

from shmcache.commands import hash_expiry, hashes, spec
from shmcache.commands.spec import (
    KEY,
    VALUE,
    Argument,
    Command,
    CommandFunction,
    block,
    integer,
    key,
    one_of,
    pattern,
    string,
    token,
    unix_time,
)

__all__ = ["COMMANDS"]

_hash = partial(spec.command, group="hash", categories="hash", since="2.0.0")

_READ = (key("RO access"),)
_LOOK = (key("RO"),)
_UPDATE = (key("RW update"),)
_CHANGE = (key("RW access update"),)
_FIELD = string("field")
_FIELDS = string("field", multiple=True)
_PAIR = (_FIELD, VALUE)
_PAIRS = block("data", *_PAIR, multiple=True)
_ANY_ORDER = "nondeterministic_output_order"
_ANY_OUTPUT = "nondeterministic_output"
_EACH_FIELD_COST = "O(N), N being the number of fields given."
_SIZE_COST = "O(N), N being the number of fields."


# ---- fields --------------------------------------------------------------------------------------


def _whole(name: str, summary: str, function: CommandFunction) -> Command:
    """A command that returns all of a hash."""
    return _hash(
        name,
        2,
        "readonly",
        summary,
        complexity=_SIZE_COST,
        keys=_READ,
        tips=_ANY_ORDER,
        arguments=[KEY],
        function=function,
    )


_READS = (
    _hash(
        "hexists",
        3,
        "readonly fast",
        "Tells whether a hash has a field.",
        keys=_LOOK,
        arguments=[KEY, _FIELD],
        function=hashes.hexists,
    ),
    _hash(
        "hget",
        3,
        "readonly fast",
        "Returns the value of a field.",
        keys=_READ,
        arguments=[KEY, _FIELD],
        function=hashes.hget,
    ),
    _whole("hgetall", "Returns all fields with their values.", hashes.hgetall),
    _whole("hkeys", "Returns all fields.", hashes.hkeys),
    _hash(
        "hlen",
        2,
        "readonly fast",
        "Returns the number of fields.",
        keys=_LOOK,
        arguments=[KEY],
        function=hashes.hlen,
    ),
    _hash(
        "hmget",
        -3,
        "readonly fast",
        "Returns the values of some fields.",
        complexity=_EACH_FIELD_COST,
        keys=_READ,
        arguments=[KEY, _FIELDS],
        function=hashes.hmget,
    ),
    _hash(
        "hrandfield",
        -2,
        "readonly",
        "Returns fields at random; with a negative count they may repeat.",
        since="6.2.0",
        complexity="O(N), N being the number of fields returned.",
        keys=_READ,
        tips=_ANY_OUTPUT,
        arguments=[
            KEY,
            block("options", integer("count"), token("WITHVALUES", optional=True), optional=True),
        ],
        function=hashes.hrandfield,
    ),
    _hash(
        "hscan",
        -3,
        "readonly",
        "Returns some fields and values and the cursor to go on from.",
        since="2.8.0",
        complexity="O(1) a call, O(N) a whole iteration, N being the number of fields.",
        keys=_READ,
        tips=_ANY_OUTPUT,
        arguments=[
            KEY,
            integer("cursor"),
            pattern("pattern", "MATCH", optional=True),
            integer("count", "COUNT", optional=True),
            token("NOVALUES", since="7.4.0", optional=True),
        ],
        history=[("7.4.0", "NOVALUES.")],
        function=hashes.hscan,
    ),
    _hash(
        "hstrlen",
        3,
        "readonly fast",
        "Returns the length of a field's value.",
        since="3.2.0",
        keys=_LOOK,
        arguments=[KEY, _FIELD],
        function=hashes.hstrlen,
    ),
    _whole("hvals", "Returns all values.", hashes.hvals),
)

_WRITES = (
    _hash(
        "hdel",
        -3,
        "write fast",
        "Removes fields and returns how many there were.",
        complexity=_EACH_FIELD_COST,
        keys=[key("RW delete")],
        arguments=[KEY, _FIELDS],
        history=[("2.4.0", "More than one field.")],
        function=hashes.hdel,
    ),
    _hash(
        "hincrby",
        4,
        "write denyoom fast",
        "Adds to the integer in a field; a missing one counts as 0.",
        keys=_CHANGE,
        arguments=[KEY, _FIELD, integer("increment")],
        function=hashes.hincrby,
    ),
    _hash(
        "hincrbyfloat",
        4,
        "write denyoom fast",
        "Adds to the number in a field; a missing one counts as 0.",
        since="2.6.0",
        keys=_CHANGE,
        arguments=[KEY, _FIELD, Argument("increment", "double")],
        function=hashes.hincrbyfloat,
    ),
    _hash(
        "hmset",
        -4,
        "write denyoom fast",
        "Sets fields to values.",
        complexity=_EACH_FIELD_COST,
        keys=_UPDATE,
        arguments=[KEY, block("field_value", *_PAIR, multiple=True)],
        deprecated_since="4.0.0",
        replaced_by="`HSET` with more than one field",
        function=hashes.hmset,
    ),
    _hash(
        "hset",
        -4,
        "write denyoom fast",
        "Sets fields to values and returns how many are new.",
        complexity=_EACH_FIELD_COST,
        keys=_UPDATE,
        arguments=[KEY, block("field_value", *_PAIR, multiple=True)],
        history=[("4.0.0", "More than one field.")],
        function=hashes.hset,
    ),
    _hash(
        "hsetnx",
        4,
        "write denyoom fast",
        "Sets a field to a value, unless there is such a field.",
        keys=[key("RW insert")],
        arguments=[KEY, *_PAIR],
        function=hashes.hsetnx,
    ),
)

# ---- times of death ------------------------------------------------------------------------------

_FIELDS_WORD = string("FIELDS")
_NUMBERED_FIELDS = (_FIELDS_WORD, integer("numfields"), _FIELDS)
_FIELDS_BLOCK = block("fields", integer("numfields"), _FIELDS, word="FIELDS")
_TIMES = (
    integer("seconds", "EX"),
    integer("milliseconds", "PX"),
    unix_time("unix-time-seconds", "EXAT"),
    unix_time("unix-time-milliseconds", "PXAT"),
)


def _expire(name: str, time: Argument, summary: str, function: CommandFunction) -> Command:
    return _hash(
        name,
        -6,
        "write denyoom fast",
        summary,
        since="7.4.0",
        complexity=_EACH_FIELD_COST,
        keys=_UPDATE,
        arguments=[
            KEY,
            time,
            one_of("condition", *map(token, ("NX", "XX", "GT", "LT")), optional=True),
            *_NUMBERED_FIELDS,
        ],
        function=function,
    )


def _tell(name: str, summary: str, function: CommandFunction, tips: str = "") -> Command:
    return _hash(
        name,
        -5,
        "readonly fast",
        summary,
        since="7.4.0",
        complexity=_EACH_FIELD_COST,
        keys=_READ,
        tips=tips,
        arguments=[KEY, *_NUMBERED_FIELDS],
        function=function,
    )


_EXPIRY = (
    _expire(
        "hexpire",
        integer("seconds"),
        "Lets fields live for so many seconds more.",
        hash_expiry.hexpire,
    ),
    _expire(
        "hexpireat",
        unix_time("unix-time-seconds"),
        "Sets fields' time of death, in Unix seconds.",
        hash_expiry.hexpireat,
    ),
    _tell(
        "hexpiretime",
        "Returns fields' time of death in Unix seconds: -1 never, -2 no such field.",
        hash_expiry.hexpiretime,
    ),
    _hash(
        "hpersist",
        -5,
        "write fast",
        "Removes fields' time of death.",
        since="7.4.0",
        complexity=_EACH_FIELD_COST,
        keys=_UPDATE,
        arguments=[KEY, *_NUMBERED_FIELDS],
        function=hash_expiry.hpersist,
    ),
    _expire(
        "hpexpire",
        integer("milliseconds"),
        "Lets fields live for so many milliseconds more.",
        hash_expiry.hpexpire,
    ),
    _expire(
        "hpexpireat",
        unix_time("unix-time-milliseconds"),
        "Sets fields' time of death, in Unix milliseconds.",
        hash_expiry.hpexpireat,
    ),
    _tell(
        "hpexpiretime",
        "Returns fields' time of death in Unix milliseconds: -1 never, -2 no such field.",
        hash_expiry.hpexpiretime,
    ),
    _tell(
        "hpttl",
        "Returns how many milliseconds fields have left: -1 no end, -2 no such field.",
        hash_expiry.hpttl,
        _ANY_OUTPUT,
    ),
    _tell(
        "httl",
        "Returns how many seconds fields have left: -1 no end, -2 no such field.",
        hash_expiry.httl,
        _ANY_OUTPUT,
    ),
)

_VALUES_AND_EXPIRY = (
    _hash(
        "hgetdel",
        -5,
        "write fast",
        "Returns the values of fields and removes them.",
        since="8.0.0",
        complexity=_EACH_FIELD_COST,
        keys=[key("RW access delete")],
        arguments=[KEY, _FIELDS_BLOCK],
        function=hash_expiry.hgetdel,
    ),
    _hash(
        "hgetex",
        -5,
        "write fast",
        "Returns the values of fields and sets or removes their time of death.",
        since="8.0.0",
        complexity=_EACH_FIELD_COST,
        keys=[key("RW access update", notes="RW and UPDATE because the TTL may change")],
        arguments=[
            KEY,
            one_of("expiration", *_TIMES, token("PERSIST"), optional=True),
            _FIELDS_BLOCK,
        ],
        function=hash_expiry.hgetex,
    ),
    _hash(
        "hsetex",
        -6,
        "write denyoom fast",
        "Sets fields to values and gives them a time of death.",
        since="8.0.0",
        complexity=_EACH_FIELD_COST,
        keys=_UPDATE,
        arguments=[
            KEY,
            one_of("condition", token("FNX"), token("FXX"), optional=True),
            one_of("expiration", *_TIMES, token("KEEPTTL"), optional=True),
            block("fields", integer("numfields"), _PAIRS, word="FIELDS"),
        ],
        function=hash_expiry.hsetex,
    ),
)

COMMANDS = (*_READS, *_WRITES, *_EXPIRY, *_VALUES_AND_EXPIRY)
