"""Declarations of the commands on a connection. Only a server has any, so none has a function."""

from __future__ import annotations

from functools import partial

from shmcache.commands import spec
from shmcache.commands.containers import container
from shmcache.commands.spec import Argument, block, integer, one_of, string, token

__all__ = ["COMMANDS"]

_connection = partial(spec.command, group="connection", categories="connection")

_ANY_TIME = "noscript loading stale"
_BEFORE_LOGIN = "noscript loading stale fast no_auth allow_busy"
_CLIENTS_COST = "O(N), N being the number of connections."

_on_off = one_of("enabled", token("ON"), token("OFF"))
_client_types = tuple(map(token, ("NORMAL", "MASTER", "REPLICA", "PUBSUB")))

_KILL_FILTERS = (
    integer("client-id", "ID", since="2.8.12", optional=True),
    one_of(
        "normal_master_slave_pubsub",
        token("NORMAL"),
        token("MASTER", since="3.2.0"),
        token("SLAVE"),
        token("REPLICA", since="5.0.0"),
        token("PUBSUB"),
        word="TYPE",
        since="2.8.12",
        optional=True,
    ),
    string("username", "USER", optional=True),
    string("ip:port", "ADDR", optional=True),
    string("ip:port", "LADDR", since="6.2.0", optional=True),
    string("yes/no", "SKIPME", optional=True),
    integer("maxage", "MAXAGE", since="7.4.0", optional=True),
)

_TRACKING_ARGUMENTS = (
    one_of("status", token("ON"), token("OFF")),
    integer("client-id", "REDIRECT", optional=True),
    string("prefix", "PREFIX", optional=True, multiple=True)._replace(repeats_token=True),
    token("BCAST", optional=True),
    token("OPTIN", optional=True),
    token("OPTOUT", optional=True),
    token("NOLOOP", optional=True),
)

_CLIENT = (
    _connection(
        "client|caching",
        3,
        _ANY_TIME,
        "Says whether the keys of the next command are tracked.",
        since="6.0.0",
        arguments=[one_of("mode", token("YES"), token("NO"))],
    ),
    _connection("client|getname", 2, _ANY_TIME, "Returns the connection's name.", since="2.6.9"),
    _connection(
        "client|getredir",
        2,
        _ANY_TIME,
        "Returns which connection is told of changes instead of this one.",
        since="6.0.0",
    ),
    _connection("client|id", 2, _ANY_TIME, "Returns the connection's number.", since="5.0.0"),
    _connection(
        "client|info",
        2,
        _ANY_TIME,
        "Describes the connection.",
        since="6.2.0",
        tips="nondeterministic_output",
    ),
    _connection(
        "client|kill",
        -3,
        f"admin {_ANY_TIME}",
        "Closes connections.",
        since="2.4.0",
        complexity=_CLIENTS_COST,
        arguments=[
            one_of(
                "filter",
                Argument("ip:port", "string", deprecated_since="2.8.12"),
                one_of("new-format", *_KILL_FILTERS, multiple=True),
            )
        ],
        history=[
            ("2.8.12", "Filters by name and value."),
            ("2.8.12", "ID."),
            ("3.2.0", "The type `master`."),
            ("5.0.0", "The type `replica`, beside its old name."),
            ("6.2.0", "LADDR."),
            ("7.4.0", "MAXAGE."),
        ],
    ),
    _connection(
        "client|list",
        -2,
        f"admin {_ANY_TIME}",
        "Describes the connections.",
        since="2.4.0",
        complexity=_CLIENTS_COST,
        tips="nondeterministic_output",
        arguments=[
            one_of(
                "normal_master_replica_pubsub",
                *_client_types,
                word="TYPE",
                since="5.0.0",
                optional=True,
            ),
            block(
                "id", integer("client-id", multiple=True), word="ID", since="6.2.0", optional=True
            ),
        ],
        history=[
            ("2.8.12", "The field `id`."),
            ("5.0.0", "TYPE."),
            ("6.0.0", "The field `user`."),
            ("6.2.0", "The fields `argv-mem`, `tot-mem`, `laddr` and `redir`; ID."),
            ("7.0.0", "The fields `resp`, `multi-mem`, `rbs` and `rbp`."),
            ("7.0.3", "The field `ssub`."),
            ("7.4.0", "The field `watch`."),
        ],
    ),
    _connection(
        "client|no-evict",
        3,
        f"admin {_ANY_TIME}",
        "Keeps the connection from being closed for want of memory.",
        since="7.0.0",
        arguments=[_on_off],
    ),
    _connection(
        "client|no-touch",
        3,
        _ANY_TIME,
        "Makes the connection's reads leave no trace for eviction.",
        since="7.2.0",
        arguments=[_on_off],
    ),
    _connection(
        "client|pause",
        -3,
        f"admin {_ANY_TIME}",
        "Lets the commands of all clients wait for a while, or those that write.",
        since="2.9.50",
        arguments=[
            integer("timeout"),
            one_of("mode", token("WRITE"), token("ALL"), since="6.2.0", optional=True),
        ],
        history=[("6.2.0", "A `mode`, and `CLIENT PAUSE WRITE`.")],
    ),
    _connection(
        "client|reply",
        3,
        _ANY_TIME,
        "Turns replies on or off, or leaves out the next one.",
        since="3.2.0",
        arguments=[one_of("on_off_skip", token("ON"), token("OFF"), token("SKIP"))],
    ),
    _connection(
        "client|setinfo",
        4,
        _ANY_TIME,
        "Tells the server which library the client uses.",
        since="7.2.0",
        arguments=[one_of("attr", string("libname", "LIB-NAME"), string("libver", "LIB-VER"))],
    ),
    _connection(
        "client|setname",
        3,
        _ANY_TIME,
        "Names the connection.",
        since="2.6.9",
        arguments=[string("connection-name")],
    ),
    _connection(
        "client|tracking",
        -3,
        _ANY_TIME,
        "Has the connection told when a key that it has read changes.",
        since="6.0.0",
        complexity="O(1), and more with some options.",
        arguments=_TRACKING_ARGUMENTS,
    ),
    _connection(
        "client|trackinginfo",
        2,
        _ANY_TIME,
        "Describes what the connection is told of changes.",
        since="6.2.0",
    ),
    _connection(
        "client|unblock",
        -3,
        f"admin {_ANY_TIME}",
        "Ends the waiting of a client in a blocking command.",
        since="5.0.0",
        complexity="O(log N), N being the number of clients.",
        arguments=[
            integer("client-id"),
            one_of("timeout_error", token("TIMEOUT"), token("ERROR"), optional=True),
        ],
    ),
    _connection(
        "client|unpause",
        2,
        f"admin {_ANY_TIME}",
        "Goes on with the commands that CLIENT PAUSE lets wait.",
        since="6.2.0",
        complexity="O(N), N being the number of commands that wait.",
    ),
)

COMMANDS = (
    _connection(
        "auth",
        -2,
        _BEFORE_LOGIN,
        "Logs in.",
        since="1.0.0",
        complexity="O(N), N being the number of the user's passwords.",
        arguments=[string("username", since="6.0.0", optional=True), string("password")],
        history=[("6.0.0", "A user's name.")],
    ),
    container(
        "client",
        "Looks after connections.",
        _CLIENT,
        group="connection",
        since="2.4.0",
        help_since="5.0.0",
        help_categories="connection",
    ),
    _connection(
        "echo",
        2,
        "loading stale fast",
        "Returns its argument.",
        since="1.0.0",
        arguments=[string("message")],
    ),
    _connection(
        "hello",
        -1,
        _BEFORE_LOGIN,
        "Chooses the protocol, and logs in on the way.",
        since="6.0.0",
        arguments=[
            block(
                "arguments",
                integer("protover"),
                block(
                    "username_password",
                    string("username"),
                    string("password"),
                    word="AUTH",
                    optional=True,
                ),
                string("clientname", "SETNAME", optional=True),
                optional=True,
            )
        ],
        history=[("6.2.0", "No arguments: describes the connection.")],
    ),
    _connection(
        "ping",
        -1,
        "fast",
        "Returns its argument, or PONG.",
        since="1.0.0",
        tips="request_policy:all_shards response_policy:all_succeeded",
        arguments=[string("message", optional=True)],
    ),
    _connection("quit", -1, _BEFORE_LOGIN, "Closes the connection.", since="1.0.0"),
    _connection(
        "reset", 1, _BEFORE_LOGIN, "Puts the connection back to how it began.", since="6.2.0"
    ),
    _connection(
        "select",
        2,
        "loading stale fast",
        "Chooses the database.",
        since="1.0.0",
        arguments=[integer("index")],
    ),
)
