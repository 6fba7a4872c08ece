"""Declarations of the list commands, and of SORT."""

from __future__ import annotations

from functools import partial

from shmcache.commands import blocking, list_search, lists, sort, spec
from shmcache.commands.spec import (
    KEY,
    KEYS,
    block,
    double,
    integer,
    key,
    keys_counted,
    keys_unknown,
    one_of,
    pattern,
    string,
    token,
)

__all__ = ["COMMANDS"]

_list = partial(spec.command, group="list", categories="list")
_sort = partial(spec.command, group="generic", categories="list set sortedset dangerous")

_READ = (key("RO access"),)
_INSERT = (key("RW insert"),)
_POP = (key("RW access delete"),)
_MOVE = (key("RW access delete"), key("RW insert", first=2))
_SOURCE = KEY._replace(name="source")
_DESTINATION = KEY._replace(name="destination", key_spec=1)
_ELEMENT = string("element")
_ELEMENTS = string("element", multiple=True)
_SIDES = (token("LEFT"), token("RIGHT"))
_EACH_COST = "O(N), N being the number of elements added."
_SEARCH_COST = "O(N), N being the number of elements looked at."
_MANY_ELEMENTS = ("2.4.0", "More than one `element`.")
_MANY_ELEMENTS_X = ("4.0.0", "More than one `element`.")

_PUSHES = (
    _list(
        "lpush",
        -3,
        "write denyoom fast",
        "Puts elements in front of a list, which is created if missing.",
        since="1.0.0",
        complexity=_EACH_COST,
        keys=_INSERT,
        arguments=[KEY, _ELEMENTS],
        history=[_MANY_ELEMENTS],
        function=lists.lpush,
    ),
    _list(
        "lpushx",
        -3,
        "write denyoom fast",
        "Puts elements in front of a list if there is one.",
        since="2.2.0",
        complexity=_EACH_COST,
        keys=_INSERT,
        arguments=[KEY, _ELEMENTS],
        history=[_MANY_ELEMENTS_X],
        function=lists.lpushx,
    ),
    _list(
        "rpush",
        -3,
        "write denyoom fast",
        "Puts elements at the end of a list, which is created if missing.",
        since="1.0.0",
        complexity=_EACH_COST,
        keys=_INSERT,
        arguments=[KEY, _ELEMENTS],
        history=[_MANY_ELEMENTS],
        function=lists.rpush,
    ),
    _list(
        "rpushx",
        -3,
        "write denyoom fast",
        "Puts elements at the end of a list if there is one.",
        since="2.2.0",
        complexity=_EACH_COST,
        keys=_INSERT,
        arguments=[KEY, _ELEMENTS],
        history=[_MANY_ELEMENTS_X],
        function=lists.rpushx,
    ),
)

_POPS = (
    _list(
        "lpop",
        -2,
        "write fast",
        "Takes elements from the front of a list.",
        since="1.0.0",
        complexity="O(N), N being the number of elements taken.",
        keys=_POP,
        arguments=[KEY, integer("count", since="6.2.0", optional=True)],
        history=[("6.2.0", "The `count` argument.")],
        function=lists.lpop,
    ),
    _list(
        "rpop",
        -2,
        "write fast",
        "Takes elements from the end of a list.",
        since="1.0.0",
        complexity="O(N), N being the number of elements taken.",
        keys=_POP,
        arguments=[KEY, integer("count", since="6.2.0", optional=True)],
        history=[("6.2.0", "The `count` argument.")],
        function=lists.rpop,
    ),
    _list(
        "lmpop",
        -4,
        "write",
        "Takes elements from the first of several lists that has any.",
        since="7.0.0",
        complexity="O(N+M), N being the number of keys and M that of the elements taken.",
        keys=[keys_counted("RW access delete")],
        arguments=[
            integer("numkeys"),
            KEYS,
            one_of("where", *_SIDES),
            integer("count", "COUNT", optional=True),
        ],
        function=lists.lmpop,
    ),
    _list(
        "lmove",
        5,
        "write denyoom",
        "Takes an element from one end of a list and puts it at an end of another, or the same.",
        since="6.2.0",
        keys=_MOVE,
        arguments=[
            _SOURCE,
            _DESTINATION,
            one_of("wherefrom", *_SIDES),
            one_of("whereto", *_SIDES),
        ],
        function=lists.lmove,
    ),
    _list(
        "rpoplpush",
        3,
        "write denyoom",
        "Takes the last element of a list and puts it in front of another, or the same.",
        since="1.2.0",
        keys=_MOVE,
        arguments=[_SOURCE, _DESTINATION],
        deprecated_since="6.2.0",
        replaced_by="`LMOVE` from `RIGHT` to `LEFT`",
        function=lists.rpoplpush,
    ),
)

_TIMEOUT = double("timeout")
_FLOAT_TIMEOUT = ("6.0.0", "A `timeout` with decimals.")
_FIRST_COST = "O(N), N being the number of keys."

_BLOCKING = (
    _list(
        "blmove",
        6,
        "write denyoom blocking",
        "Takes an element from one end of a list and puts it at an end of another, or the same; "
        "waits for one if there is none.",
        since="6.2.0",
        keys=_MOVE,
        arguments=[
            _SOURCE,
            _DESTINATION,
            one_of("wherefrom", *_SIDES),
            one_of("whereto", *_SIDES),
            _TIMEOUT,
        ],
        function=blocking.blmove,
    ),
    _list(
        "blmpop",
        -5,
        "write blocking",
        "Takes elements from the first of several lists that has any; waits for one if there are "
        "none.",
        since="7.0.0",
        complexity="O(N+M), N being the number of keys and M that of the elements taken.",
        keys=[keys_counted("RW access delete", 2)],
        arguments=[
            _TIMEOUT,
            integer("numkeys"),
            KEYS,
            one_of("where", *_SIDES),
            integer("count", "COUNT", optional=True),
        ],
        function=blocking.blmpop,
    ),
    _list(
        "blpop",
        -3,
        "write blocking",
        "Takes the first element of the first of several lists that has any; waits for one if "
        "there is none.",
        since="2.0.0",
        complexity=_FIRST_COST,
        keys=[key("RW access delete", last=-2)],
        arguments=[KEYS, _TIMEOUT],
        history=[_FLOAT_TIMEOUT],
        function=blocking.blpop,
    ),
    _list(
        "brpop",
        -3,
        "write blocking",
        "Takes the last element of the first of several lists that has any; waits for one if "
        "there is none.",
        since="2.0.0",
        complexity=_FIRST_COST,
        keys=[key("RW access delete", last=-2)],
        arguments=[KEYS, _TIMEOUT],
        history=[_FLOAT_TIMEOUT],
        function=blocking.brpop,
    ),
    _list(
        "brpoplpush",
        4,
        "write denyoom blocking",
        "Takes the last element of a list and puts it in front of another, or the same; waits for "
        "one if there is none.",
        since="2.2.0",
        keys=_MOVE,
        arguments=[_SOURCE, _DESTINATION, _TIMEOUT],
        history=[_FLOAT_TIMEOUT],
        deprecated_since="6.2.0",
        replaced_by="`BLMOVE` from `RIGHT` to `LEFT`",
        function=blocking.brpoplpush,
    ),
)

_READS = (
    _list(
        "lindex",
        3,
        "readonly",
        "Returns the element at an index.",
        since="1.0.0",
        complexity="O(log(N)), N being the length of the list.",
        keys=_READ,
        arguments=[KEY, integer("index")],
        function=lists.lindex,
    ),
    _list(
        "llen",
        2,
        "readonly fast",
        "Returns the length of a list.",
        since="1.0.0",
        keys=[key("RO")],
        arguments=[KEY],
        function=lists.llen,
    ),
    _list(
        "lpos",
        -3,
        "readonly",
        "Returns where in a list an element is.",
        since="6.0.6",
        complexity=_SEARCH_COST,
        keys=_READ,
        arguments=[
            KEY,
            _ELEMENT,
            integer("rank", "RANK", optional=True),
            integer("num-matches", "COUNT", optional=True),
            integer("len", "MAXLEN", optional=True),
        ],
        function=list_search.lpos,
    ),
    _list(
        "lrange",
        4,
        "readonly",
        "Returns the elements from one index to another, both included.",
        since="1.0.0",
        complexity="O(log(N)+M), N being the length of the list and M that of the reply.",
        keys=_READ,
        arguments=[KEY, integer("start"), integer("stop")],
        function=lists.lrange,
    ),
)

_CHANGES = (
    _list(
        "linsert",
        5,
        "write denyoom",
        "Puts an element before or after another one.",
        since="2.2.0",
        complexity=_SEARCH_COST,
        keys=_INSERT,
        arguments=[
            KEY,
            one_of("where", token("BEFORE"), token("AFTER")),
            string("pivot"),
            _ELEMENT,
        ],
        function=list_search.linsert,
    ),
    _list(
        "lrem",
        4,
        "write",
        "Removes the elements that are equal to one given.",
        since="1.0.0",
        complexity="O(N), N being the length of the list.",
        keys=[key("RW delete")],
        arguments=[KEY, integer("count"), _ELEMENT],
        function=list_search.lrem,
    ),
    _list(
        "lset",
        4,
        "write denyoom",
        "Replaces the element at an index.",
        since="1.0.0",
        complexity="O(log(N)), N being the length of the list.",
        keys=[key("RW update")],
        arguments=[KEY, integer("index"), _ELEMENT],
        function=lists.lset,
    ),
    _list(
        "ltrim",
        4,
        "write",
        "Removes all elements but those from one index to another.",
        since="1.0.0",
        complexity="O(N), N being the number of elements removed.",
        keys=[key("RW delete")],
        arguments=[KEY, integer("start"), integer("stop")],
        function=lists.ltrim,
    ),
)

_SORT_COST = (
    "O(N+M*log(M)), N being the number of elements and M that of the returned ones; O(N) where "
    "nothing is sorted."
)
_PATTERN_NOTES = "Behind BY and GET. Unknown because the elements that are sorted are in the names"
_STORE_NOTES = "Behind STORE. Unknown because that word may stand anywhere"
_SORT_KEYS = (key("RO access"), keys_unknown("RO access", notes=_PATTERN_NOTES))
_PATTERN = pattern("pattern", "BY", optional=True)._replace(key_spec=1)
_SORT_ARGUMENTS = (
    KEY,
    _PATTERN,
    block("offset_count", integer("offset"), integer("count"), word="LIMIT", optional=True),
    _PATTERN._replace(token="GET", multiple=True, repeats_token=True),  # noqa: S106 - a word
    one_of("order", token("ASC"), token("DESC"), optional=True),
    token("ALPHA", optional=True)._replace(name="sorting"),
)

_SORTS = (
    _sort(
        "sort",
        -2,
        "write denyoom",
        "Sorts the elements of a list, a set or a sorted set, and returns or stores them.",
        since="1.0.0",
        complexity=_SORT_COST,
        keys=[*_SORT_KEYS, keys_unknown("OW update", notes=_STORE_NOTES)],
        arguments=[
            *_SORT_ARGUMENTS,
            KEY._replace(name="destination", token="STORE", key_spec=2, optional=True),  # noqa: S106
        ],
        function=sort.sort,
        find_keys=sort.find_keys,
    ),
    _sort(
        "sort_ro",
        -2,
        "readonly",
        "Sorts the elements of a list, a set or a sorted set, and returns them.",
        since="7.0.0",
        complexity=_SORT_COST,
        keys=_SORT_KEYS,
        arguments=_SORT_ARGUMENTS,
        function=sort.sort_ro,
        find_keys=sort.find_keys_ro,
    ),
)

COMMANDS = (*_PUSHES, *_POPS, *_BLOCKING, *_READS, *_CHANGES, *_SORTS)
