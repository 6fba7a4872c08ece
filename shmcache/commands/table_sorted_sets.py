"""Declarations of the sorted-set commands."""

from __future__ import annotations

from functools import partial

from shmcache.commands import (
    blocking,
    sorted_set_algebra,
    sorted_set_ranges,
    sorted_sets,
    spec,
)
from shmcache.commands.spec import (
    KEY,
    KEYS,
    Argument,
    block,
    double,
    integer,
    key,
    keys_counted,
    one_of,
    pattern,
    string,
    token,
)

__all__ = ["COMMANDS"]

_zset = partial(spec.command, group="sorted-set", categories="sortedset")

_READ = (key("RO access"),)
_DELETE = (key("RW delete"),)
_POP = (key("RW access delete"),)
_READ_COUNTED = (keys_counted("RO access"),)
_STORE_COUNTED = (key("OW update"), keys_counted("RO access", 2))

_FLOAT_TIMEOUT = ("6.0.0", "A `timeout` with decimals.")
_LOG_COST = "O(log(N)), N being the number of members."
_RANGE_COST = (
    "O(log(N)+M), N being the number of members and M that of those in the reply, which LIMIT "
    "keeps small."
)
_REMOVE_COST = "O(log(N)+M), N being the number of members and M that of those removed."
_POP_COST = "O(M*log(N)), N being the number of members and M that of those taken."
_UNION_COST = (
    "O(N+M*log(M)), N being the sum of the lengths of all inputs and M the length of the result."
)
_INTER_COST = (
    "O(N*K+M*log(M)), N being the length of the shortest input, K the number of inputs and M the "
    "length of the result."
)
_DIFF_COST = (
    "O(N*K+M*log(M)), N being the length of the first input, K the number of inputs and M the "
    "length of the result."
)


_MEMBER = string("member")
_MEMBERS = string("member", multiple=True)
_START_STOP = (integer("start"), integer("stop"))
_SCORES = (double("min"), double("max"))
_TEXTS = (string("min"), string("max"))
_WITHSCORES = token("WITHSCORES", optional=True)
_LIMIT_PARTS = (integer("offset"), integer("count"))
_LIMIT = block("offset_count", *_LIMIT_PARTS, word="LIMIT", optional=True)
_BY = (token("BYSCORE"), token("BYLEX"))
_NUMKEYS = integer("numkeys")
_DESTINATION = Argument("destination", "key", key_spec=0)
_SOURCES = Argument("key", "key", key_spec=1, multiple=True)
_WEIGHTS = integer("weight", "WEIGHTS", optional=True, multiple=True)
_AGGREGATE = one_of(
    "aggregate", token("SUM"), token("MIN"), token("MAX"), word="AGGREGATE", optional=True
)
_MORE_AT_ONCE = (("2.4.0", "Takes several members."),)

_SCORES_AND_RANKS = (
    _zset(
        "zadd",
        -4,
        "write denyoom fast",
        "Adds members, or gives them other scores; creates the sorted set if missing.",
        since="1.2.0",
        complexity="O(log(N)) for each member given, N being the number of members.",
        keys=[key("RW update")],
        arguments=[
            KEY,
            one_of("condition", token("NX"), token("XX"), since="3.0.2", optional=True),
            one_of("comparison", token("GT"), token("LT"), since="6.2.0", optional=True),
            Argument("change", "pure-token", "CH", since="3.0.2", optional=True),
            Argument("increment", "pure-token", "INCR", since="3.0.2", optional=True),
            block("score_member", double("score"), _MEMBER, multiple=True),
        ],
        history=[
            *_MORE_AT_ONCE,
            ("3.0.2", "Knows `XX`, `NX`, `CH` and `INCR`."),
            ("6.2.0", "Knows `GT` and `LT`."),
        ],
        function=sorted_sets.zadd,
    ),
    _zset(
        "zcard",
        2,
        "readonly fast",
        "Returns the number of members.",
        since="1.2.0",
        keys=[key("RO")],
        arguments=[KEY],
        function=sorted_sets.zcard,
    ),
    _zset(
        "zcount",
        4,
        "readonly fast",
        "Returns how many members have scores in a range.",
        since="2.0.0",
        complexity=_LOG_COST,
        keys=_READ,
        arguments=[KEY, *_SCORES],
        function=sorted_sets.zcount,
    ),
    _zset(
        "zincrby",
        4,
        "write denyoom fast",
        "Adds to a member's score; a missing member has 0.",
        since="1.2.0",
        complexity=_LOG_COST,
        keys=[key("RW access update")],
        arguments=[KEY, integer("increment"), _MEMBER],
        function=sorted_sets.zincrby,
    ),
    _zset(
        "zlexcount",
        4,
        "readonly fast",
        "Returns how many members lie in a range of bytes, all scores being the same.",
        since="2.8.9",
        complexity=_LOG_COST,
        keys=_READ,
        arguments=[KEY, *_TEXTS],
        function=sorted_sets.zlexcount,
    ),
    _zset(
        "zmscore",
        -3,
        "readonly fast",
        "Returns the scores of members.",
        since="6.2.0",
        complexity="O(N), N being the number of members asked for.",
        keys=_READ,
        arguments=[KEY, _MEMBERS],
        function=sorted_sets.zmscore,
    ),
    _zset(
        "zrandmember",
        -2,
        "readonly",
        "Returns members at random.",
        since="6.2.0",
        complexity="O(N), N being the length of the reply.",
        keys=_READ,
        tips="nondeterministic_output",
        arguments=[KEY, block("options", integer("count"), _WITHSCORES, optional=True)],
        function=sorted_sets.zrandmember,
    ),
    _zset(
        "zrank",
        -3,
        "readonly fast",
        "Returns a member's place in the order of scores, from the lowest.",
        since="2.0.0",
        complexity=_LOG_COST,
        keys=_READ,
        arguments=[KEY, _MEMBER, token("WITHSCORE", optional=True)],
        history=[("7.2.0", "Knows `WITHSCORE`.")],
        function=sorted_sets.zrank,
    ),
    _zset(
        "zrevrank",
        -3,
        "readonly fast",
        "Returns a member's place in the order of scores, from the highest.",
        since="2.0.0",
        complexity=_LOG_COST,
        keys=_READ,
        arguments=[KEY, _MEMBER, token("WITHSCORE", optional=True)],
        history=[("7.2.0", "Knows `WITHSCORE`.")],
        function=sorted_sets.zrevrank,
    ),
    _zset(
        "zscan",
        -3,
        "readonly",
        "Goes over the members and scores, some at a time.",
        since="2.8.0",
        complexity="O(1) for a call, O(N) for all of them, N being the number of members.",
        keys=_READ,
        tips="nondeterministic_output",
        arguments=[
            KEY,
            integer("cursor"),
            pattern("pattern", "MATCH", optional=True),
            integer("count", "COUNT", optional=True),
        ],
        function=sorted_sets.zscan,
    ),
    _zset(
        "zscore",
        3,
        "readonly fast",
        "Returns a member's score.",
        since="1.2.0",
        keys=_READ,
        arguments=[KEY, _MEMBER],
        function=sorted_sets.zscore,
    ),
)

_BLOCKING = (
    _zset(
        "bzmpop",
        -5,
        "write blocking",
        "Takes the lowest or highest members out of the first sorted set that has any; waits for "
        "one if there is none.",
        since="7.0.0",
        complexity=f"O(K) for K keys, and {_POP_COST}",
        keys=[keys_counted("RW access delete", 2)],
        arguments=[
            double("timeout"),
            _NUMKEYS,
            KEYS,
            one_of("where", token("MIN"), token("MAX")),
            integer("count", "COUNT", optional=True),
        ],
        function=blocking.bzmpop,
    ),
    _zset(
        "bzpopmax",
        -3,
        "write blocking fast",
        "Takes the member with the highest score out of the first of several sorted sets that has "
        "any; waits for one if there is none.",
        since="5.0.0",
        complexity=_LOG_COST,
        keys=[key("RW access delete", last=-2)],
        arguments=[KEYS, double("timeout")],
        history=[_FLOAT_TIMEOUT],
        function=blocking.bzpopmax,
    ),
    _zset(
        "bzpopmin",
        -3,
        "write blocking fast",
        "Takes the member with the lowest score out of the first of several sorted sets that has "
        "any; waits for one if there is none.",
        since="5.0.0",
        complexity=_LOG_COST,
        keys=[key("RW access delete", last=-2)],
        arguments=[KEYS, double("timeout")],
        history=[_FLOAT_TIMEOUT],
        function=blocking.bzpopmin,
    ),
)

_REMOVALS = (
    _zset(
        "zmpop",
        -4,
        "write",
        "Takes the lowest or highest members out of the first sorted set that has any.",
        since="7.0.0",
        complexity=f"O(K) for K keys, and {_POP_COST}",
        keys=[keys_counted("RW access delete")],
        arguments=[
            _NUMKEYS,
            KEYS,
            one_of("where", token("MIN"), token("MAX")),
            integer("count", "COUNT", optional=True),
        ],
        function=sorted_sets.zmpop,
    ),
    _zset(
        "zpopmax",
        -2,
        "write fast",
        "Takes the members with the highest scores out.",
        since="5.0.0",
        complexity=_POP_COST,
        keys=_POP,
        arguments=[KEY, integer("count", optional=True)],
        function=sorted_sets.zpopmax,
    ),
    _zset(
        "zpopmin",
        -2,
        "write fast",
        "Takes the members with the lowest scores out.",
        since="5.0.0",
        complexity=_POP_COST,
        keys=_POP,
        arguments=[KEY, integer("count", optional=True)],
        function=sorted_sets.zpopmin,
    ),
    _zset(
        "zrem",
        -3,
        "write fast",
        "Removes members; the key goes with the last one.",
        since="1.2.0",
        complexity="O(M*log(N)), N being the number of members and M that of those given.",
        keys=_DELETE,
        arguments=[KEY, _MEMBERS],
        history=_MORE_AT_ONCE,
        function=sorted_sets.zrem,
    ),
    _zset(
        "zremrangebylex",
        4,
        "write",
        "Removes the members in a range of bytes, all scores being the same.",
        since="2.8.9",
        complexity=_REMOVE_COST,
        keys=_DELETE,
        arguments=[KEY, *_TEXTS],
        function=sorted_sets.zremrangebylex,
    ),
    _zset(
        "zremrangebyrank",
        4,
        "write",
        "Removes the members from one rank to another, both included.",
        since="2.0.0",
        complexity=_REMOVE_COST,
        keys=_DELETE,
        arguments=[KEY, *_START_STOP],
        function=sorted_sets.zremrangebyrank,
    ),
    _zset(
        "zremrangebyscore",
        4,
        "write",
        "Removes the members with scores in a range.",
        since="1.2.0",
        complexity=_REMOVE_COST,
        keys=_DELETE,
        arguments=[KEY, *_SCORES],
        function=sorted_sets.zremrangebyscore,
    ),
)

_RANGES = (
    _zset(
        "zrange",
        -4,
        "readonly",
        "Returns the members in a range of ranks, scores or bytes.",
        since="1.2.0",
        complexity=_RANGE_COST,
        keys=_READ,
        arguments=[
            KEY,
            string("start"),
            string("stop"),
            one_of("sortby", *_BY, since="6.2.0", optional=True),
            token("REV", since="6.2.0", optional=True),
            block("offset_count", *_LIMIT_PARTS, word="LIMIT", since="6.2.0", optional=True),
            _WITHSCORES,
        ],
        history=[("6.2.0", "Knows `REV`, `BYSCORE`, `BYLEX` and `LIMIT`.")],
        function=sorted_set_ranges.zrange,
    ),
    _zset(
        "zrangebylex",
        -4,
        "readonly",
        "Returns the members in a range of bytes, all scores being the same.",
        since="2.8.9",
        complexity=_RANGE_COST,
        keys=_READ,
        arguments=[KEY, *_TEXTS, _LIMIT],
        deprecated_since="6.2.0",
        replaced_by="`ZRANGE` with its `BYLEX` option",
        function=sorted_set_ranges.zrangebylex,
    ),
    _zset(
        "zrangebyscore",
        -4,
        "readonly",
        "Returns the members with scores in a range.",
        since="1.0.5",
        complexity=_RANGE_COST,
        keys=_READ,
        arguments=[KEY, *_SCORES, token("WITHSCORES", since="2.0.0", optional=True), _LIMIT],
        history=[("2.0.0", "Knows `WITHSCORES`.")],
        deprecated_since="6.2.0",
        replaced_by="`ZRANGE` with its `BYSCORE` option",
        function=sorted_set_ranges.zrangebyscore,
    ),
    _zset(
        "zrangestore",
        -5,
        "write denyoom",
        "Puts the members in a range of ranks, scores or bytes into another key.",
        since="6.2.0",
        complexity=_RANGE_COST,
        keys=[key("OW update"), key("RO access", 2)],
        arguments=[
            Argument("dst", "key", key_spec=0),
            Argument("src", "key", key_spec=1),
            *_TEXTS,
            one_of("sortby", *_BY, optional=True),
            token("REV", optional=True),
            _LIMIT,
        ],
        function=sorted_set_ranges.zrangestore,
    ),
    _zset(
        "zrevrange",
        -4,
        "readonly",
        "Returns the members from one rank to another, ranks counting from the highest score.",
        since="1.2.0",
        complexity=_RANGE_COST,
        keys=_READ,
        arguments=[KEY, *_START_STOP, _WITHSCORES],
        deprecated_since="6.2.0",
        replaced_by="`ZRANGE` with its `REV` option",
        function=sorted_set_ranges.zrevrange,
    ),
    _zset(
        "zrevrangebylex",
        -4,
        "readonly",
        "Returns the members in a range of bytes, from the highest, all scores being the same.",
        since="2.8.9",
        complexity=_RANGE_COST,
        keys=_READ,
        arguments=[KEY, *_TEXTS[::-1], _LIMIT],
        deprecated_since="6.2.0",
        replaced_by="`ZRANGE` with its `REV` and `BYLEX` options",
        function=sorted_set_ranges.zrevrangebylex,
    ),
    _zset(
        "zrevrangebyscore",
        -4,
        "readonly",
        "Returns the members with scores in a range, from the highest.",
        since="2.2.0",
        complexity=_RANGE_COST,
        keys=_READ,
        arguments=[KEY, *_SCORES[::-1], _WITHSCORES, _LIMIT],
        history=[("2.1.6", "The bounds may be outside of the range.")],
        deprecated_since="6.2.0",
        replaced_by="`ZRANGE` with its `REV` and `BYSCORE` options",
        function=sorted_set_ranges.zrevrangebyscore,
    ),
)

_ALGEBRA = (
    _zset(
        "zdiff",
        -3,
        "readonly",
        "Returns the members of the first sorted set that no other has.",
        since="6.2.0",
        complexity=_DIFF_COST,
        keys=_READ_COUNTED,
        arguments=[_NUMKEYS, KEYS, _WITHSCORES],
        function=sorted_set_algebra.zdiff,
    ),
    _zset(
        "zdiffstore",
        -4,
        "write denyoom",
        "Puts the members of the first sorted set that no other has into another key.",
        since="6.2.0",
        complexity=_DIFF_COST,
        keys=_STORE_COUNTED,
        arguments=[_DESTINATION, _NUMKEYS, _SOURCES],
        function=sorted_set_algebra.zdiffstore,
    ),
    _zset(
        "zinter",
        -3,
        "readonly",
        "Returns the members that all sorted sets have.",
        since="6.2.0",
        complexity=_INTER_COST,
        keys=_READ_COUNTED,
        arguments=[_NUMKEYS, KEYS, _WEIGHTS, _AGGREGATE, _WITHSCORES],
        function=sorted_set_algebra.zinter,
    ),
    _zset(
        "zintercard",
        -3,
        "readonly",
        "Returns how many members all sorted sets have.",
        since="7.0.0",
        complexity=_INTER_COST,
        keys=_READ_COUNTED,
        arguments=[_NUMKEYS, KEYS, integer("limit", "LIMIT", optional=True)],
        function=sorted_set_algebra.zintercard,
    ),
    _zset(
        "zinterstore",
        -4,
        "write denyoom",
        "Puts the members that all sorted sets have into another key.",
        since="2.0.0",
        complexity=_INTER_COST,
        keys=_STORE_COUNTED,
        arguments=[_DESTINATION, _NUMKEYS, _SOURCES, _WEIGHTS, _AGGREGATE],
        function=sorted_set_algebra.zinterstore,
    ),
    _zset(
        "zunion",
        -3,
        "readonly",
        "Returns the members that any of the sorted sets has.",
        since="6.2.0",
        complexity=_UNION_COST,
        keys=_READ_COUNTED,
        arguments=[_NUMKEYS, KEYS, _WEIGHTS, _AGGREGATE, _WITHSCORES],
        function=sorted_set_algebra.zunion,
    ),
    _zset(
        "zunionstore",
        -4,
        "write denyoom",
        "Puts the members that any of the sorted sets has into another key.",
        since="2.0.0",
        complexity=_UNION_COST,
        keys=_STORE_COUNTED,
        arguments=[_DESTINATION, _NUMKEYS, _SOURCES, _WEIGHTS, _AGGREGATE],
        function=sorted_set_algebra.zunionstore,
    ),
)

COMMANDS = (*_SCORES_AND_RANKS, *_BLOCKING, *_REMOVALS, *_RANGES, *_ALGEBRA)
