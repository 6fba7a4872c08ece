"""Declarations of the commands on streams."""

from __future__ import annotations

from functools import partial

from shmcache.commands import (
    consumer_groups,
    spec,
    streams,
    streams_info,
    streams_pending,
    streams_read,
)
from shmcache.commands.containers import container
from shmcache.commands.spec import (
    KEY,
    VALUE,
    Argument,
    Command,
    CommandFunction,
    block,
    integer,
    key,
    keys_after,
    one_of,
    string,
    token,
    unix_time,
)

__all__ = ["COMMANDS"]

_stream = partial(spec.command, group="stream", categories="stream")

_READ = (key("RO access"),)
_UPDATE = (key("RW update"),)
_REMOVE = (key("RW delete"),)
_RANDOM = "nondeterministic_output"
_GROUP, _CONSUMER = string("group"), string("consumer")
_IDS = string("id", multiple=True)
_COUNT = integer("count", "COUNT", optional=True)
_RANGE_COST = "O(log M + N), M being the stream's length and N that of the reply."
_TRIM = (
    one_of("strategy", token("MAXLEN"), token("MINID", since="6.2.0")),
    one_of(
        "operator",
        Argument("equal", "pure-token", "="),
        Argument("approximately", "pure-token", "~"),
        optional=True,
    ),
    string("threshold"),
    integer("count", "LIMIT", since="6.2.0", optional=True),
)

# ---- entries -------------------------------------------------------------------------------------

_ENTRIES = (
    _stream(
        "xadd",
        -5,
        "write denyoom fast",
        "Appends an entry, and may trim the stream.",
        since="5.0.0",
        complexity="O(log N), N being the stream's length; and O(M) for M trimmed entries.",
        keys=[key("RW update", notes="UPDATE and not INSERT because it may trim")],
        tips=_RANDOM,
        arguments=[
            KEY,
            token("NOMKSTREAM", since="6.2.0", optional=True),
            block("trim", *_TRIM, optional=True),
            one_of("id_or_auto", Argument("auto_id", "pure-token", "*"), string("id")),
            block("field_value", string("field"), VALUE, multiple=True),
        ],
        history=[
            ("6.2.0", "NOMKSTREAM, MINID and LIMIT."),
            ("7.0.0", "IDs of the form `<ms>-*`."),
        ],
        function=streams.xadd,
    ),
    _stream(
        "xdel",
        -3,
        "write fast",
        "Removes entries and returns how many there were.",
        since="5.0.0",
        complexity="O(log N) for each ID, N being the stream's length.",
        keys=_REMOVE,
        arguments=[KEY, _IDS],
        function=streams.xdel,
    ),
    _stream(
        "xlen",
        2,
        "readonly fast",
        "Returns the number of entries.",
        since="5.0.0",
        keys=[key("RO")],
        arguments=[KEY],
        function=streams.xlen,
    ),
    _stream(
        "xrange",
        -4,
        "readonly",
        "Returns the entries between two IDs.",
        since="5.0.0",
        complexity=_RANGE_COST,
        keys=_READ,
        arguments=[KEY, string("start"), string("end"), _COUNT],
        history=[("6.2.0", "Ranges that exclude their ends.")],
        function=streams.xrange,
    ),
    _stream(
        "xread",
        -4,
        "readonly blocking",
        "Returns what streams have behind given IDs.",
        since="5.0.0",
        complexity="For each stream O(log M + N), M being its length and N the entries returned.",
        keys=[keys_after("RO access", "STREAMS", last=-1, limit=2)],
        arguments=[
            _COUNT,
            integer("milliseconds", "BLOCK", optional=True),
            block(
                "streams",
                Argument("key", "key", key_spec=0, multiple=True),
                string("id", multiple=True),
                word="STREAMS",
            ),
        ],
        function=streams_read.xread,
    ),
    _stream(
        "xrevrange",
        -4,
        "readonly",
        "Returns the entries between two IDs, the last one first.",
        since="5.0.0",
        complexity=_RANGE_COST,
        keys=_READ,
        arguments=[KEY, string("end"), string("start"), _COUNT],
        history=[("6.2.0", "Ranges that exclude their ends.")],
        function=streams.xrevrange,
    ),
    _stream(
        "xsetid",
        -3,
        "write denyoom fast",
        "Sets a stream's last ID and what else it knows of its past.",
        since="5.0.0",
        keys=_UPDATE,
        arguments=[
            KEY,
            string("last-id"),
            integer("entries_added", "ENTRIESADDED", since="7.0.0", optional=True),
            string("max_deleted_entry_id", "MAXDELETEDID", since="7.0.0", optional=True),
        ],
        history=[("7.0.0", "ENTRIESADDED and MAXDELETEDID.")],
        function=streams.xsetid,
    ),
    _stream(
        "xtrim",
        -4,
        "write",
        "Removes the oldest entries and returns how many.",
        since="5.0.0",
        complexity="O(N), N being the number of entries removed.",
        keys=_REMOVE,
        tips=_RANDOM,
        arguments=[KEY, block("trim", *_TRIM)],
        history=[("6.2.0", "MINID and LIMIT.")],
        function=streams.xtrim,
    ),
)

# ---- groups --------------------------------------------------------------------------------------


def _group(
    name: str,
    arity: int,
    flags: str,
    summary: str,
    function: CommandFunction,
    *arguments: Argument,
    since: str = "5.0.0",
    access: str = "RW insert",
    cost: str = "O(1)",
) -> Command:
    """A subcommand of XGROUP."""
    return _stream(
        f"xgroup|{name}",
        arity,
        flags,
        summary,
        since=since,
        complexity=cost,
        keys=[key(access, 2)],
        arguments=[KEY, string("groupname"), *arguments],
        function=function,
    )


_START = one_of("id", string("id"), Argument("new_id", "pure-token", "$"))
_ENTRIES_READ = integer("entries_read", "ENTRIESREAD", optional=True)
_CONSUMER_NAME = string("consumername")
_PENDING_COST = "O(N), N being the number of entries that were pending."

_XGROUP = container(
    "xgroup",
    "Makes, changes and removes consumer groups.",
    [
        _group(
            "create",
            -5,
            "write denyoom",
            "Makes a group that begins behind an ID.",
            consumer_groups.xgroup_create,
            _START,
            token("MKSTREAM", optional=True),
            _ENTRIES_READ,
        )._replace(history=(("7.0.0", "ENTRIESREAD."),)),
        _group(
            "createconsumer",
            5,
            "write denyoom",
            "Makes a consumer.",
            consumer_groups.xgroup_createconsumer,
            _CONSUMER_NAME,
            since="6.2.0",
        ),
        _group(
            "delconsumer",
            5,
            "write",
            "Removes a consumer and what was pending for it.",
            consumer_groups.xgroup_delconsumer,
            _CONSUMER_NAME,
            access="RW delete",
            cost=_PENDING_COST,
        ),
        _group(
            "destroy",
            4,
            "write",
            "Removes a group.",
            consumer_groups.xgroup_destroy,
            access="RW delete",
            cost=_PENDING_COST,
        ),
        _group(
            "setid",
            -5,
            "write",
            "Sets the ID behind which a group goes on.",
            consumer_groups.xgroup_setid,
            _START,
            _ENTRIES_READ,
            access="RW update",
        )._replace(history=(("7.0.0", "ENTRIESREAD."),)),
    ],
    group="stream",
    since="5.0.0",
    help_since="5.0.0",
    help_categories="stream",
)

_CONSUMING = (
    _stream(
        "xack",
        -4,
        "write fast",
        "Acknowledges entries, so that they are not pending any more.",
        since="5.0.0",
        complexity="O(log N) for each ID, N being the number of pending entries.",
        keys=_UPDATE,
        arguments=[KEY, _GROUP, _IDS],
        function=consumer_groups.xack,
    ),
    _stream(
        "xautoclaim",
        -6,
        "write fast",
        "Looks through the pending entries and takes over those that were idle for long.",
        since="6.2.0",
        complexity="O(N), N being COUNT.",
        keys=_REMOVE,
        tips=_RANDOM,
        arguments=[
            KEY,
            _GROUP,
            _CONSUMER,
            string("min-idle-time"),
            string("start"),
            _COUNT,
            token("JUSTID", optional=True),
        ],
        history=[("7.0.0", "The reply tells of entries that were deleted.")],
        function=streams_pending.xautoclaim,
    ),
    _stream(
        "xclaim",
        -6,
        "write fast",
        "Takes pending entries over from another consumer.",
        since="5.0.0",
        complexity="O(log N) for each ID, N being the number of pending entries.",
        keys=_UPDATE,
        tips=_RANDOM,
        arguments=[
            KEY,
            _GROUP,
            _CONSUMER,
            string("min-idle-time"),
            _IDS,
            integer("ms", "IDLE", optional=True),
            unix_time("unix-time-milliseconds", "TIME")._replace(optional=True),
            integer("count", "RETRYCOUNT", optional=True),
            token("FORCE", optional=True),
            token("JUSTID", optional=True),
            string("id", "LASTID", optional=True),
        ],
        function=streams_pending.xclaim,
    ),
    _stream(
        "xpending",
        -3,
        "readonly",
        "Tells what is pending: as figures, or entry by entry.",
        since="5.0.0",
        complexity="O(N), N being the consumers, or the entries that are looked at.",
        keys=_READ,
        tips=_RANDOM,
        arguments=[
            KEY,
            _GROUP,
            block(
                "filters",
                integer("min-idle-time", "IDLE", since="6.2.0", optional=True),
                string("start"),
                string("end"),
                integer("count"),
                string("consumer", optional=True),
                optional=True,
            ),
        ],
        history=[("6.2.0", "IDLE, and ranges that exclude their ends.")],
        function=streams_pending.xpending,
    ),
    _stream(
        "xreadgroup",
        -7,
        "write blocking",
        "Delivers new entries to a consumer, or tells what is pending for it.",
        since="5.0.0",
        complexity="For each stream O(log M + N), M being its length and N the entries returned.",
        keys=[keys_after("RO access", "STREAMS", 4, last=-1, limit=2)],
        arguments=[
            block("group_consumer", _GROUP, _CONSUMER, word="GROUP"),
            _COUNT,
            integer("milliseconds", "BLOCK", optional=True),
            token("NOACK", optional=True),
            block(
                "streams",
                Argument("key", "key", key_spec=0, multiple=True),
                string("id", multiple=True),
                word="STREAMS",
            ),
        ],
        function=consumer_groups.xreadgroup,
    ),
)

# ---- XINFO ---------------------------------------------------------------------------------------

_READ_SECOND = (key("RO access", 2),)

_XINFO = container(
    "xinfo",
    "Tells about streams, groups and consumers.",
    [
        _stream(
            "xinfo|consumers",
            4,
            "readonly",
            "Lists a group's consumers.",
            since="5.0.0",
            complexity="O(N), N being the number of consumers.",
            keys=_READ_SECOND,
            tips=_RANDOM,
            arguments=[KEY, string("groupname")],
            function=streams_info.xinfo_consumers,
        ),
        _stream(
            "xinfo|groups",
            3,
            "readonly",
            "Lists a stream's groups.",
            since="5.0.0",
            complexity="O(N), N being the number of groups.",
            keys=_READ_SECOND,
            arguments=[KEY],
            history=[("7.0.0", "`entries-read` and `lag`.")],
            function=streams_info.xinfo_groups,
        ),
        _stream(
            "xinfo|stream",
            -3,
            "readonly",
            "Tells about a stream, with FULL also what it holds.",
            since="5.0.0",
            complexity="O(1), with FULL O(N), N being the groups, consumers and entries shown.",
            keys=_READ_SECOND,
            arguments=[KEY, block("full", _COUNT, word="FULL", optional=True)],
            history=[
                ("6.0.0", "FULL."),
                ("7.0.0", "The greatest deleted ID, the entries ever added, and lag."),
            ],
            function=streams_info.xinfo_stream,
        ),
    ],
    group="stream",
    since="5.0.0",
    help_since="5.0.0",
    help_categories="stream",
)

COMMANDS = (*_ENTRIES, *_CONSUMING, _XGROUP, _XINFO)
