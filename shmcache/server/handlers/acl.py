"""ACL: users, their rules, and what was refused."""

from __future__ import annotations

import logging
import secrets
import time
from typing import TYPE_CHECKING

from shmcache.commands.arguments import integer_or_none
from shmcache.commands.replies import (
    OK,
    CommandError,
    SetReply,
    as_c_string,
    not_an_integer,
    one_line,
)
from shmcache.commands.spec import CATEGORIES
from shmcache.commands.table import COMMANDS
from shmcache.errors import ConfigurationError
from shmcache.server.acl.check import denial_of, explain_verbosely
from shmcache.server.acl.files import declared_users, read_declarations, save_users
from shmcache.server.acl.rules import (
    channel_rules,
    command_rules,
    describe,
    flags_of,
    key_rules,
)
from shmcache.server.acl.users import DEFAULT_USER
from shmcache.server.replies import WrongSubcommandError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shmcache.commands.replies import Reply
    from shmcache.server.acl.log import LogEntry
    from shmcache.server.acl.users import Selector
    from shmcache.server.client import Client

__all__ = ["HANDLERS"]

_log = logging.getLogger("shmcache.server")

_DEFAULT_BITS = 256
_MOST_BITS = 4096
_DEFAULT_ENTRIES = 10
_NO_FILE = (
    "ERR This Redis instance is not configured to use an ACL file. You may want to specify users "
    "via the ACL SETUSER command and then issue a CONFIG REWRITE (assuming you have a Redis "
    "configuration file set) in order to store users in the Redis configuration."
)


def _quoted(word: bytes, limit: int | None = None) -> str:
    return f"'{one_line(as_c_string(word, limit))}'"


def _long(word: bytes) -> int:
    """:raises CommandError: no integer of 64 bits"""
    number = integer_or_none(word)
    if number is None:
        raise not_an_integer()
    return number


# ---- about oneself -------------------------------------------------------------------------------


def _whoami(client: Client, _args: Sequence[bytes]) -> Reply:
    return client.user.name


def _cat(_client: Client, args: Sequence[bytes]) -> Reply:
    if len(args) > 1:
        raise WrongSubcommandError
    if not args:
        return [category.encode() for category in CATEGORIES]
    wanted = args[0].decode("utf-8", "surrogateescape").lower()
    if wanted not in CATEGORIES:
        raise CommandError(f"ERR Unknown category {_quoted(args[0], 128)}")
    return [
        each.name.encode()
        for command in COMMANDS.values()
        for each in (command, *command.subcommands.values())
        if wanted in each.categories
    ]


def _genpass(_client: Client, args: Sequence[bytes]) -> Reply:
    if len(args) > 1:
        raise WrongSubcommandError
    bits = _long(args[0]) if args else _DEFAULT_BITS
    if not 0 < bits <= _MOST_BITS:
        raise CommandError(
            "ERR ACL GENPASS argument must be the number of bits for the output password, "
            f"a positive number up to {_MOST_BITS}"
        )
    digits = (bits + 3) // 4
    return secrets.token_hex((digits + 1) // 2)[:digits].encode()


# ---- users ---------------------------------------------------------------------------------------


def _setuser(client: Client, args: Sequence[bytes]) -> Reply:
    client.server.access.set_user(client, args[0], args[1:])
    return OK


def _deluser(client: Client, args: Sequence[bytes]) -> Reply:
    if DEFAULT_USER in args:
        raise CommandError("ERR The 'default' user cannot be removed")
    return client.server.access.delete_users(client, args)


def _getuser(client: Client, args: Sequence[bytes]) -> Reply:
    user = client.server.access.find(args[0])
    if user is None:
        return None
    return {
        b"flags": SetReply(flag.encode() for flag in flags_of(user)),
        b"passwords": [known.encode() for known in user.passwords],
        **_permissions(user.root),
        b"selectors": [_permissions(selector) for selector in user.selectors[1:]],
    }


def _permissions(selector: Selector) -> dict[Reply, Reply]:
    return {
        b"commands": command_rules(selector),
        b"keys": key_rules(selector),
        b"channels": channel_rules(selector),
    }


def _list(client: Client, _args: Sequence[bytes]) -> Reply:
    users = client.server.access.all_users()
    return [b"user " + user.name + b" " + describe(user) for user in users]


def _users(client: Client, _args: Sequence[bytes]) -> Reply:
    return [user.name for user in client.server.access.all_users()]


def _dryrun(client: Client, args: Sequence[bytes]) -> Reply:
    user = client.server.access.find(args[0])
    if user is None:
        raise CommandError(f"ERR User {_quoted(args[0])} not found")
    words = args[1:]
    try:
        entry = client.server.dispatcher.lookup(words)
    except CommandError as error:
        raise CommandError(f"ERR Command {_quoted(words[0])} not found") from error
    entry.check_arity(len(words))
    denial = denial_of(user, entry.command, words)
    return (
        OK if denial is None else explain_verbosely(user, denial).encode("utf-8", "surrogateescape")
    )


# ---- the file and the log ------------------------------------------------------------------------


def _acl_file(client: Client) -> str:
    """:raises CommandError: there is none"""
    path = client.server.config.text("aclfile")
    if not path:
        raise CommandError(_NO_FILE)
    return path


def _load(client: Client, _args: Sequence[bytes]) -> Reply:
    path, access = _acl_file(client), client.server.access
    try:
        lines = read_declarations(path, all_channels=access.all_channels)
        users = declared_users(lines, all_channels=access.all_channels)
    except ConfigurationError as error:
        raise CommandError(f"ERR {one_line(str(error))}") from error
    access.replace_users(users, client)
    return OK


def _save(client: Client, _args: Sequence[bytes]) -> Reply:
    path = _acl_file(client)
    try:
        save_users(path, client.server.access.all_users())
    except OSError as error:
        _log.warning("ACL SAVE into '%s' failed: %s", path, error.strerror)
        raise CommandError(
            "ERR There was an error trying to save the ACLs. Please check the server logs for "
            "more information"
        ) from error
    return OK


def _log_entries(client: Client, args: Sequence[bytes]) -> Reply:
    if len(args) > 1:
        raise WrongSubcommandError
    log = client.server.access.log
    if args and args[0].upper() == b"RESET":
        log.clear()
        return OK
    count = _long(args[0]) if args else _DEFAULT_ENTRIES
    now_ms = time.time_ns() // 1_000_000
    return [_entry(entry, now_ms) for entry, _ in zip(log, range(count), strict=False)]


def _entry(entry: LogEntry, now_ms: int) -> Reply:
    return {
        b"count": entry.count,
        b"reason": entry.reason.encode(),
        b"context": entry.context.encode(),
        b"object": entry.object,
        b"username": entry.username,
        b"age-seconds": (now_ms - entry.updated_ms) / 1000,
        b"client-info": entry.client.encode("utf-8", "surrogateescape"),
        b"entry-id": entry.number,
        b"timestamp-created": entry.created_ms,
        b"timestamp-last-updated": entry.updated_ms,
    }


HANDLERS = {
    "acl|cat": _cat,
    "acl|deluser": _deluser,
    "acl|dryrun": _dryrun,
    "acl|genpass": _genpass,
    "acl|getuser": _getuser,
    "acl|list": _list,
    "acl|load": _load,
    "acl|log": _log_entries,
    "acl|save": _save,
    "acl|setuser": _setuser,
    "acl|users": _users,
    "acl|whoami": _whoami,
}
