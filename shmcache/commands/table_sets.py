"""Declarations of the set commands."""

from __future__ import annotations

from functools import partial

from shmcache.commands import sets, spec
from shmcache.commands.spec import (
    KEY,
    KEYS,
    Argument,
    Command,
    CommandFunction,
    integer,
    key,
    keys_counted,
    pattern,
    string,
)

__all__ = ["COMMANDS"]

_set = partial(spec.command, group="set", categories="set", since="1.0.0")

_READ = (key("RO access"),)
_LOOK = (key("RO"),)
_READ_ALL = (key("RO access", last=-1),)
_MEMBER = string("member")
_MEMBERS = string("member", multiple=True)
_ANY_ORDER = "nondeterministic_output_order"
_ANY_OUTPUT = "nondeterministic_output"
_EACH_MEMBER_COST = "O(N), N being the number of members given."
_SIZE_COST = "O(N), N being the number of members."
_COUNT_COST = "O(1) without a count, else O(N), N being the count."
_INTERSECTION_COST = "O(N*M), N being the size of the smallest set and M the number of sets."
_SUM_COST = "O(N), N being the number of members of all the sets."
_SEVERAL = (("2.4.0", "More than one member."),)


def _storing(
    name: str, summary: str, cost: str, function: CommandFunction, use: str = "OW update"
) -> Command:
    return _set(
        name,
        -3,
        "write denyoom",
        summary,
        complexity=cost,
        keys=[key(use), key("RO access", 2, last=-1)],
        arguments=[
            Argument("destination", "key", key_spec=0),
            Argument("key", "key", key_spec=1, multiple=True),
        ],
        function=function,
    )


def _combining(name: str, summary: str, cost: str, function: CommandFunction) -> Command:
    return _set(
        name,
        -2,
        "readonly",
        summary,
        complexity=cost,
        keys=_READ_ALL,
        tips=_ANY_ORDER,
        arguments=[KEYS],
        function=function,
    )


_MEMBERS_COMMANDS = (
    _set(
        "sadd",
        -3,
        "write denyoom fast",
        "Adds members to a set, which is created if missing, and returns how many are new.",
        complexity=_EACH_MEMBER_COST,
        keys=[key("RW insert")],
        arguments=[KEY, _MEMBERS],
        history=_SEVERAL,
        function=sets.sadd,
    ),
    _set(
        "scard",
        2,
        "readonly fast",
        "Returns the number of members.",
        keys=_LOOK,
        arguments=[KEY],
        function=sets.scard,
    ),
    _set(
        "sismember",
        3,
        "readonly fast",
        "Tells whether a set has a member.",
        keys=_LOOK,
        arguments=[KEY, _MEMBER],
        function=sets.sismember,
    ),
    _set(
        "smembers",
        2,
        "readonly",
        "Returns all members.",
        complexity=_SIZE_COST,
        keys=_READ,
        tips=_ANY_ORDER,
        arguments=[KEY],
        function=sets.smembers,
    ),
    _set(
        "smismember",
        -3,
        "readonly fast",
        "Tells of each of some members whether a set has it.",
        since="6.2.0",
        complexity=_EACH_MEMBER_COST,
        keys=_READ,
        arguments=[KEY, _MEMBERS],
        function=sets.smismember,
    ),
    _set(
        "smove",
        4,
        "write fast",
        "Moves a member from one set to another.",
        keys=[key("RW access delete"), key("RW insert", 2)],
        arguments=[
            Argument("source", "key", key_spec=0),
            Argument("destination", "key", key_spec=1),
            _MEMBER,
        ],
        function=sets.smove,
    ),
    _set(
        "spop",
        -2,
        "write fast",
        "Removes members at random and returns them.",
        complexity=_COUNT_COST,
        keys=[key("RW access delete")],
        tips=_ANY_OUTPUT,
        arguments=[KEY, integer("count", since="3.2.0", optional=True)],
        history=[("3.2.0", "The count.")],
        function=sets.spop,
    ),
    _set(
        "srandmember",
        -2,
        "readonly",
        "Returns members at random; with a negative count they may repeat.",
        complexity=_COUNT_COST,
        keys=_READ,
        tips=_ANY_OUTPUT,
        arguments=[KEY, integer("count", since="2.6.0", optional=True)],
        history=[("2.6.0", "The count.")],
        function=sets.srandmember,
    ),
    _set(
        "srem",
        -3,
        "write fast",
        "Removes members and returns how many there were.",
        complexity=_EACH_MEMBER_COST,
        keys=[key("RW delete")],
        arguments=[KEY, _MEMBERS],
        history=_SEVERAL,
        function=sets.srem,
    ),
    _set(
        "sscan",
        -3,
        "readonly",
        "Returns some members and the cursor to go on from.",
        since="2.8.0",
        complexity="O(1) a call, O(N) a whole iteration, N being the number of members.",
        keys=_READ,
        tips=_ANY_OUTPUT,
        arguments=[
            KEY,
            integer("cursor"),
            pattern("pattern", "MATCH", optional=True),
            integer("count", "COUNT", optional=True),
        ],
        function=sets.sscan,
    ),
)

_COMBINING_COMMANDS = (
    _combining("sdiff", "Returns what only the first set has.", _SUM_COST, sets.sdiff),
    _storing("sdiffstore", "Stores what only the first set has.", _SUM_COST, sets.sdiffstore),
    _combining("sinter", "Returns what all sets have.", _INTERSECTION_COST, sets.sinter),
    _set(
        "sintercard",
        -3,
        "readonly",
        "Returns how many members all sets have, or the limit if that is less.",
        since="7.0.0",
        complexity=_INTERSECTION_COST,
        keys=[keys_counted("RO access")],
        arguments=[integer("numkeys"), KEYS, integer("limit", "LIMIT", optional=True)],
        function=sets.sintercard,
    ),
    _storing(
        "sinterstore",
        "Stores what all sets have.",
        _INTERSECTION_COST,
        sets.sinterstore,
        "RW update",
    ),
    _combining("sunion", "Returns what any of the sets has.", _SUM_COST, sets.sunion),
    _storing("sunionstore", "Stores what any of the sets has.", _SUM_COST, sets.sunionstore),
)

COMMANDS = (*_MEMBERS_COMMANDS, *_COMBINING_COMMANDS)
