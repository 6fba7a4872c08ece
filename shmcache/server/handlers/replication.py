"""REPLICAOF, ROLE, WAIT and their kin: a master without replicas, which is all there is here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from shmcache.commands.arguments import integer, integer_from, integer_or_none
from shmcache.commands.replies import OK, CommandError, as_c_string, one_line, syntax_error
from shmcache.commands.waiting import MustWait, milliseconds
from shmcache.server.replies import NOTHING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shmcache.commands.replies import Reply
    from shmcache.server.client import Client

__all__ = ["HANDLERS"]

_MOST_PORT: Final = 65535
_LONGEST_ADDRESS: Final = 255
_SILENT_OPTIONS: Final = frozenset((b"ack", b"getack"))


def _quoted(word: bytes) -> str:
    return one_line(as_c_string(word))


def _no_replication(what: str) -> CommandError:
    return CommandError(f"ERR {what} is not supported: this server has no replication")


def _replicaof(_client: Client, args: Sequence[bytes]) -> Reply:
    if args[0].upper() == b"NO" and args[1].upper() == b"ONE":
        return OK
    port = integer_or_none(args[1])
    if port is None or not 0 <= port <= _MOST_PORT:
        raise CommandError("ERR Invalid master port")
    raise _no_replication("REPLICAOF with a host")


def _role(_client: Client, _args: Sequence[bytes]) -> Reply:
    return [b"master", 0, []]


def _failover(_client: Client, args: Sequence[bytes]) -> Reply:
    """Refused for want of replicas, once its arguments are right."""
    words = [word.upper() for word in args]
    if words == [b"ABORT"]:
        raise CommandError("ERR No failover in progress.")
    seen: set[bytes] = set()
    position = 0
    while position < len(words):
        word = words[position]
        following = len(words) - position - 1
        if word in seen:
            raise syntax_error()
        seen.add(word)
        if word == b"TO" and following >= 2:
            integer(args[position + 2])
            position += 3
        elif word == b"TIMEOUT" and following >= 1:
            if integer(args[position + 1]) <= 0:
                raise CommandError("ERR FAILOVER timeout must be greater than 0")
            position += 2
        elif word == b"FORCE":
            position += 1
        else:
            raise syntax_error()
    raise CommandError("ERR FAILOVER requires connected replicas.")


def _replconf(_client: Client, args: Sequence[bytes]) -> Reply:
    """What a replica tells is checked, and nobody's concern."""
    if len(args) % 2:
        raise syntax_error()
    for name, value in zip(args[::2], args[1::2], strict=True):
        option = name.lower()
        if option in _SILENT_OPTIONS:
            return NOTHING
        if option == b"rdb-only":
            integer_from(value, 0, 1)
        elif option == b"rdb-filter-only":
            _check_filter(value)
        elif option == b"listening-port":
            integer(value)
        elif option == b"ip-address":
            if len(value) > _LONGEST_ADDRESS:
                raise CommandError(
                    "ERR REPLCONF ip-address provided by replica instance is too long: "
                    f"{len(value)} bytes"
                )
        elif option != b"capa":
            raise CommandError(f"ERR Unrecognized REPLCONF option: {_quoted(name)}")
    return OK


def _check_filter(value: bytes) -> None:
    """:raises CommandError: not a filter of snapshots"""
    for word in value.split():
        if word.lower() != b"functions":
            raise CommandError(f"ERR Unsupported rdb-filter-only option: {_quoted(word)}")


def _psync(_client: Client, _args: Sequence[bytes]) -> Reply:
    raise _no_replication("PSYNC")


def _sync(_client: Client, _args: Sequence[bytes]) -> Reply:
    raise _no_replication("SYNC")


def _wait(client: Client, args: Sequence[bytes]) -> Reply:
    """No replica ever has anything, which is known only when the time is over."""
    wanted, timeout_ms = integer(args[0]), milliseconds(args[1])
    return 0 if wanted <= 0 else _wait_in_vain(client, timeout_ms, 0)


def _waitaof(client: Client, args: Sequence[bytes]) -> Reply:
    local = integer_from(args[0], 0, 1)
    wanted = integer_from(args[1], 0, complaint="value is out of range, must be positive")
    timeout_ms = milliseconds(args[2])
    if local:
        raise CommandError(
            "ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled."
        )
    return [0, 0] if wanted == 0 else _wait_in_vain(client, timeout_ms, [0, 0])


def _wait_in_vain(client: Client, timeout_ms: int, otherwise: Reply) -> Reply:
    """:raises MustWait: it may wait"""
    if client.may_block:
        raise MustWait("list", (), timeout_ms, lambda _key: [], otherwise)
    return otherwise


HANDLERS = {
    "failover": _failover,
    "psync": _psync,
    "replconf": _replconf,
    "replicaof": _replicaof,
    "role": _role,
    "slaveof": _replicaof,
    "sync": _sync,
    "wait": _wait,
    "waitaof": _waitaof,
}
