"""AUTH, HELLO and the other commands on one's own connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shmcache.commands.arguments import integer_or_none
from shmcache.commands.replies import (
    OK,
    CommandError,
    as_c_string,
    not_an_integer,
    one_line,
    syntax_error,
)
from shmcache.server.acl.users import DEFAULT_USER
from shmcache.server.version import REDIS_VERSION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shmcache.commands.replies import Reply
    from shmcache.server.client import Client

__all__ = ["HANDLERS", "check_client_name"]

_INT32 = 1 << 31


def check_client_name(name: bytes, what: str = "Client names") -> None:
    """Names stand in CLIENT LIST, whose fields are separated by blanks.

    :raises CommandError: a byte that is not a visible ASCII character
    """
    if any(not 0x21 <= byte <= 0x7E for byte in name):
        raise CommandError(f"ERR {what} cannot contain spaces, newlines or special characters.")


def _authenticate(client: Client, user: bytes, password: bytes, command: bytes) -> None:
    """:raises CommandError: wrong name or password"""
    if not client.server.access.log_in(client, user, password, command):
        raise CommandError("WRONGPASS invalid username-password pair or user is disabled.")


def _auth(client: Client, args: Sequence[bytes]) -> Reply:
    if len(args) > 2:
        raise syntax_error()
    if len(args) == 1 and client.server.access.default.no_password:
        raise CommandError(
            "ERR AUTH <password> called without any password configured for the default user. "
            "Are you sure your configuration is correct?"
        )
    user = args[0] if len(args) == 2 else DEFAULT_USER
    _authenticate(client, user, args[-1], b"AUTH")
    return OK


class _HelloOptions:
    """What the words after HELLO's protocol version ask for."""

    def __init__(self, words: Sequence[bytes]) -> None:
        """:raises CommandError: they are not options of HELLO's"""
        self.credentials: tuple[bytes, bytes] | None = None
        self.name: bytes | None = None
        position = 0
        while position < len(words):
            word = words[position].upper()
            following = len(words) - position - 1
            if word == b"AUTH" and following >= 2:
                self.credentials = (words[position + 1], words[position + 2])
                position += 3
            elif word == b"SETNAME" and following >= 1:
                self.name = words[position + 1]
                check_client_name(self.name)
                position += 2
            else:
                option = one_line(as_c_string(words[position]))
                raise CommandError(f"ERR Syntax error in HELLO option '{option}'")


def _hello_version(word: bytes) -> int:
    """:raises CommandError: not a version of the protocol"""
    version = integer_or_none(word)
    if version is None:
        raise CommandError("ERR Protocol version is not an integer or out of range")
    if version not in {2, 3}:
        raise CommandError("NOPROTO unsupported protocol version")
    return version


def _hello(client: Client, args: Sequence[bytes]) -> Reply:
    version = _hello_version(args[0]) if args else None
    options = _HelloOptions(args[1:])
    if options.credentials is not None:
        _authenticate(client, *options.credentials, b"HELLO")
    if client.needs_auth():
        raise CommandError(
            "NOAUTH HELLO must be called with the client already authenticated, otherwise the "
            "HELLO AUTH <user> <pass> option can be used to authenticate the client and "
            "select the RESP protocol version at the same time"
        )
    if options.name is not None:
        client.name = options.name
    if version is not None:
        client.resp = 3 if version == 3 else 2
        client.apply()
    return {
        b"server": b"redis",
        b"version": REDIS_VERSION.encode(),
        b"proto": client.resp,
        b"id": client.number,
        b"mode": b"standalone",
        b"role": b"master",
        b"modules": client.server.modules.describe(),
    }


def _ping(client: Client, args: Sequence[bytes]) -> Reply:
    if len(args) > 1:
        raise CommandError("ERR wrong number of arguments for 'ping' command")
    if client.subscriptions and client.resp == 2:
        return [b"pong", args[0] if args else b""]
    return args[0] if args else "PONG"


def _echo(_client: Client, args: Sequence[bytes]) -> Reply:
    return args[0]


def _select(client: Client, args: Sequence[bytes]) -> Reply:
    number = integer_or_none(args[0])
    if number is None:
        raise not_an_integer()
    if not -_INT32 <= number < _INT32:
        raise CommandError(
            f"ERR value is out of range, value must between {-_INT32} and {_INT32 - 1}"
        )
    if not 0 <= number < client.server.settings.databases:
        raise CommandError("ERR DB index is out of range")
    client.db = number
    client.apply()
    return OK


def _quit(client: Client, _args: Sequence[bytes]) -> Reply:
    client.dies_after_reply = True
    return OK


def _reset(client: Client, _args: Sequence[bytes]) -> Reply:
    client.server.pubsub.remove_client(client)
    client.server.tracking.turn_off(client)
    client.server.monitors.remove(client)
    client.forget()
    client.apply()
    return "RESET"


HANDLERS = {
    "auth": _auth,
    "echo": _echo,
    "hello": _hello,
    "ping": _ping,
    "quit": _quit,
    "reset": _reset,
    "select": _select,
}
