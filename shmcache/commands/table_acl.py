"""Declarations of ACL and its subcommands. Only a server has users, so none has a function."""

from __future__ import annotations

from functools import partial

from shmcache.commands import spec
from shmcache.commands.containers import container
from shmcache.commands.spec import integer, one_of, string, token

__all__ = ["COMMANDS"]

_acl = partial(spec.command, group="server", since="6.0.0")

_ANY_USER = "noscript loading stale"
_ADMIN = "admin noscript loading stale"
_USERS_COST = "O(N), N being the number of users."

_CHANNELS = ("6.2.0", "Patterns of channels.")
_NAME = string("username")
_ABOUT_ONESELF = (
    _acl(
        "acl|cat",
        -2,
        _ANY_USER,
        "Returns the categories of commands, or the commands in one.",
        complexity="O(N), N being the number of commands.",
        arguments=[string("categoryname", optional=True)],
    ),
    _acl(
        "acl|genpass",
        -2,
        _ANY_USER,
        "Makes up a password that nobody can guess.",
        arguments=[integer("bits", optional=True)],
    ),
    _acl("acl|whoami", 2, _ANY_USER, "Returns the name of the connection's user."),
)
_ABOUT_USERS = (
    _acl(
        "acl|deluser",
        -3,
        _ADMIN,
        "Deletes users and closes their connections.",
        complexity="O(N), N being the number of connections.",
        arguments=[string("username", multiple=True)],
    ),
    _acl(
        "acl|dryrun",
        -4,
        _ADMIN,
        "Tells whether a user may run a command.",
        since="7.0.0",
        complexity="O(N), N being the number of the user's patterns.",
        arguments=[_NAME, string("command"), string("arg", optional=True, multiple=True)],
    ),
    _acl(
        "acl|getuser",
        3,
        _ADMIN,
        "Returns a user's rules.",
        complexity="O(N), N being the number of the user's rules.",
        arguments=[_NAME],
        history=[_CHANNELS, ("7.0.0", "Selectors; keys and channels as rules.")],
    ),
    _acl("acl|list", 2, _ADMIN, "Returns all users' rules.", complexity=_USERS_COST),
    _acl(
        "acl|setuser",
        -3,
        _ADMIN,
        "Makes a user, or changes his rules.",
        complexity="O(N), N being the number of rules.",
        arguments=[_NAME, string("rule", optional=True, multiple=True)],
        history=[_CHANNELS, ("7.0.0", "Selectors and permissions to read or write.")],
    ),
    _acl("acl|users", 2, _ADMIN, "Returns the users' names.", complexity=_USERS_COST),
)
_ABOUT_FILES_AND_LOG = (
    _acl("acl|load", 2, _ADMIN, "Reads the users from the ACL file.", complexity=_USERS_COST),
    _acl(
        "acl|log",
        -2,
        _ADMIN,
        "Returns what was refused lately, or forgets it.",
        complexity="O(N), N being the number of entries returned.",
        arguments=[one_of("operation", integer("count"), token("RESET"), optional=True)],
    ),
    _acl("acl|save", 2, _ADMIN, "Writes the users into the ACL file.", complexity=_USERS_COST),
)

COMMANDS = (
    container(
        "acl",
        "Looks after users and what they may do.",
        [*_ABOUT_ONESELF, *_ABOUT_USERS, *_ABOUT_FILES_AND_LOG],
        group="server",
        since="6.0.0",
        help_since="6.0.0",
    ),
)
