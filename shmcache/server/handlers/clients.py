"""CLIENT: the connections, one's own and the others'."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shmcache.commands.arguments import integer, integer_or_none
from shmcache.commands.replies import (
    OK,
    CommandError,
    Verbatim,
    as_c_string,
    one_line,
    syntax_error,
)
from shmcache.commands.waiting import milliseconds
from shmcache.server.handlers.connection import check_client_name
from shmcache.server.replies import NOTHING, WrongSubcommandError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from shmcache.commands.replies import Reply
    from shmcache.server.acl.access import Access
    from shmcache.server.client import Client

__all__ = ["HANDLERS"]

_TYPES = {
    b"NORMAL": "normal",
    b"MASTER": "master",
    b"SLAVE": "replica",
    b"REPLICA": "replica",
    b"PUBSUB": "pubsub",
}


def _client_type(word: bytes) -> str:
    """:raises CommandError: no type of Redis's"""
    kind = _TYPES.get(word.upper())
    if kind is None:
        raise CommandError(f"ERR Unknown client type '{one_line(as_c_string(word))}'")
    return kind


def _yes_or_no(word: bytes, yes: bytes, no: bytes) -> bool:
    """:raises CommandError: neither"""
    if word.upper() == yes:
        return True
    if word.upper() == no:
        return False
    raise syntax_error()


def _id(client: Client, _args: Sequence[bytes]) -> Reply:
    return client.number


def _info(client: Client, _args: Sequence[bytes]) -> Reply:
    return Verbatim(client.describe() + "\n")


def _list(client: Client, args: Sequence[bytes]) -> Reply:
    clients = client.server.clients
    chosen: Iterable[Client] = clients.values()
    option = args[0].upper() if args else b""
    if option == b"TYPE" and len(args) == 2:
        kind = _client_type(args[1])
        chosen = [other for other in chosen if other.type_name() == kind]
    elif option == b"ID" and len(args) > 1:
        numbers = [integer_or_none(word) for word in args[1:]]
        if None in numbers:
            raise CommandError("ERR Invalid client ID")
        chosen = [clients[number] for number in numbers if number in clients]
    elif args:
        raise syntax_error()
    return Verbatim("".join(f"{other.describe()}\n" for other in chosen))


class _KillFilter:
    """Which clients CLIENT KILL closes: those that every condition fits.

    Of several conditions of one name the last one counts.
    """

    def __init__(self, args: Sequence[bytes], access: Access) -> None:
        """:raises CommandError: unknown conditions or impossible values"""
        self._access = access
        self.skip_me = True
        self._conditions: dict[bytes, Callable[[Client], bool]] = {}
        if len(args) % 2:
            raise syntax_error()
        for name, value in zip(args[::2], args[1::2], strict=True):
            if name.upper() == b"SKIPME":
                self.skip_me = _yes_or_no(value, b"YES", b"NO")
            else:
                self._conditions[name.upper()] = self._condition(name.upper(), value)

    def _condition(self, name: bytes, value: bytes) -> Callable[[Client], bool]:
        text = value.decode("utf-8", "surrogateescape")
        if name == b"ID":
            number = integer_or_none(value)
            if number is None or number < 1:
                raise CommandError("ERR client-id should be greater than 0")
            return lambda client: client.number == number
        if name == b"TYPE":
            kind = _client_type(value)
            return lambda client: client.type_name() == kind
        if name == b"ADDR":
            return lambda client: client.address == text
        if name == b"LADDR":
            return lambda client: client.local_address == text
        if name == b"USER":
            if self._access.find(value) is None:
                raise CommandError(f"ERR No such user '{one_line(as_c_string(value))}'")
            return lambda client: client.user.name == value
        if name == b"MAXAGE":
            least_s = _age(value)
            return lambda client: client.age_s >= least_s
        raise syntax_error()

    def fits(self, client: Client) -> bool:
        """Whether every condition holds."""
        return all(condition(client) for condition in self._conditions.values())


def _age(word: bytes) -> int:
    """:raises CommandError: not a number of seconds"""
    seconds = integer_or_none(word)
    if seconds is None:
        raise CommandError("ERR maxage is not an integer or out of range")
    if seconds <= 0:
        raise CommandError("ERR maxage should be greater than 0")
    return seconds


def _kill(client: Client, args: Sequence[bytes]) -> Reply:
    if len(args) == 1:
        address = args[0].decode("utf-8", "surrogateescape")
        if not _kill_all(client, lambda other: other.address == address, skip_me=False):
            raise CommandError("ERR No such client")
        return OK
    wanted = _KillFilter(args, client.server.access)
    return _kill_all(client, wanted.fits, skip_me=wanted.skip_me)


def _kill_all(client: Client, fits: Callable[[Client], bool], *, skip_me: bool) -> int:
    killed = 0
    for other in list(client.server.clients.values()):
        if not fits(other) or (other is client and skip_me):
            continue
        if other is client:
            client.dies_after_reply = True
        else:
            other.connection.close()
        killed += 1
    return killed


def _setname(client: Client, args: Sequence[bytes]) -> Reply:
    check_client_name(args[0])
    client.name = args[0]
    return OK


def _getname(client: Client, _args: Sequence[bytes]) -> Reply:
    return client.name or None


def _setinfo(client: Client, args: Sequence[bytes]) -> Reply:
    option, value = args[0].upper(), args[1]
    if option == b"LIB-NAME":
        check_client_name(value, "lib-name")
        client.library_name = value
    elif option == b"LIB-VER":
        check_client_name(value, "lib-ver")
        client.library_version = value
    else:
        raise CommandError(f"ERR Unrecognized option '{one_line(as_c_string(args[0]))}'")
    return OK


def _reply(client: Client, args: Sequence[bytes]) -> Reply:
    mode = args[0].upper()
    if mode == b"ON":
        client.replies_off = False
        client.silent_commands = 0
        client.apply()
        return OK
    if mode == b"OFF":
        client.replies_off = True
    elif mode == b"SKIP":
        if not client.replies_off:
            client.silent_commands = 2  # this command and the next
    else:
        raise syntax_error()
    client.apply()
    return NOTHING


def _no_evict(client: Client, args: Sequence[bytes]) -> Reply:
    client.no_evict = _yes_or_no(args[0], b"ON", b"OFF")
    return OK


def _no_touch(client: Client, args: Sequence[bytes]) -> Reply:
    client.no_touch = _yes_or_no(args[0], b"ON", b"OFF")
    client.apply()
    return OK


def _unblock(client: Client, args: Sequence[bytes]) -> Reply:
    reason = args[1].upper() if len(args) > 1 else b"TIMEOUT"
    if len(args) > 2:
        raise WrongSubcommandError
    if reason not in {b"TIMEOUT", b"ERROR"}:
        raise CommandError("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR")
    other = client.server.clients.get(integer(args[0]))
    if other is None:
        return 0
    if reason == b"TIMEOUT":
        return int(client.server.blocking.give_up(other))
    error = CommandError("UNBLOCKED client unblocked via CLIENT UNBLOCK")
    return int(client.server.blocking.give_up(other, error))


def _pause(client: Client, args: Sequence[bytes]) -> Reply:
    mode = args[1].upper() if len(args) > 1 else b"ALL"
    if len(args) > 2:
        raise WrongSubcommandError
    if mode not in {b"ALL", b"WRITE"}:
        raise CommandError("ERR CLIENT PAUSE mode must be WRITE or ALL")
    client.server.pause.start(milliseconds(args[0]), everything=mode == b"ALL")
    return OK


def _unpause(client: Client, _args: Sequence[bytes]) -> Reply:
    client.server.pause.end()
    return OK


HANDLERS = {
    "client|getname": _getname,
    "client|id": _id,
    "client|info": _info,
    "client|kill": _kill,
    "client|list": _list,
    "client|no-evict": _no_evict,
    "client|no-touch": _no_touch,
    "client|pause": _pause,
    "client|reply": _reply,
    "client|setinfo": _setinfo,
    "client|setname": _setname,
    "client|unblock": _unblock,
    "client|unpause": _unpause,
}
