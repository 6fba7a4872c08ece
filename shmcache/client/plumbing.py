"""What the two clients, synchronous and asyncio, have in common beside their classes."""

from __future__ import annotations

import weakref
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple
from urllib.parse import urlsplit

import redis
import redis.utils
from redis.client import CaseInsensitiveDict
from redis.connection import parse_url

from shmcache.client._inprocess import NATIVE_METHODS
from shmcache.client.attachment import Attachment
from shmcache.commands.arguments import database_index
from shmcache.commands.replies import OK, CommandError, Reply, wrong_arity
from shmcache.commands.table import COMMANDS
from shmcache.errors import ConfigurationError, ReadOnly

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

    from shmcache.client._inprocess import InProcess
    from shmcache.commands.spec import Command

__all__ = [
    "WatchedCallbacks",
    "attachment_for",
    "is_select",
    "read_shm_url",
    "require_socket",
    "score_pair",
    "select_reply",
    "wire_protocol",
]

_LOGIN_OPTIONS: Final = ("username", "password", "credential_provider", "socket_timeout", "retry")
_COMMAND_OF_METHOD: Final = {
    "__contains__": "exists",
    "decr": "decrby",
    "delete": "del",
    "incr": "incrby",
}
_NATIVE_COMMANDS: Final = frozenset(
    _COMMAND_OF_METHOD.get(method, method).upper() for method in NATIVE_METHODS
)
_DEFAULT_PROTOCOL: Final[int] = getattr(redis.utils, "DEFAULT_RESP_VERSION", 2)
"""redis-py speaks RESP3 unless told otherwise since its version 8."""
_TRUE_WORDS: Final = frozenset({"1", "true", "yes", "y", "on"})


def attachment_for(target: str, writable: bool, options: Mapping[str, Any]) -> Attachment:
    """Attach by name, or when ``target`` has a slash by socket.

    :param options: redis-py's, of which those are used that tell how to log in
    """
    if "/" not in target:
        return Attachment.by_name(target, writable=writable)
    credentials = {name: options[name] for name in _LOGIN_OPTIONS if name in options}
    return Attachment.by_socket(target, writable=writable, credentials=credentials)


class ShmUrl(NamedTuple):
    """``shm://NAME?writable=yes&db=1``, taken apart."""

    name: str
    writable: bool
    options: dict[str, Any]


def read_shm_url(url: str) -> ShmUrl | None:
    """Take a cache's URL apart; None when it has another scheme.

    :raises ConfigurationError: the URL names no cache
    """
    parts = urlsplit(url)
    if parts.scheme != "shm":
        return None
    if not parts.netloc or PurePosixPath(parts.path or "/") != PurePosixPath("/"):
        raise ConfigurationError(f"not a cache's URL: {url!r}; write shm://NAME?db=0")
    # redis-py knows the types of its options in a query, whatever the scheme
    options: dict[str, Any] = dict(parse_url(f"unix://?{parts.query}"))
    for unwanted in ("connection_class", "path"):
        options.pop(unwanted, None)
    # ... save two
    for option, kind in (("decode_responses", _is_true), ("protocol", int)):
        if option in options:
            options[option] = kind(options[option])
    writable = _is_true(options.pop("writable", "no"))
    return ShmUrl(parts.netloc, writable, options)


def _is_true(word: object) -> bool:
    return str(word).lower() in _TRUE_WORDS


def wire_protocol(connection_options: Mapping[str, Any]) -> Literal[2, 3]:
    """Return the RESP version that a connection made with these options speaks."""
    protocol = connection_options.get("protocol") or _DEFAULT_PROTOCOL
    return 3 if int(protocol) == 3 else 2


def score_pair(
    callbacks: Mapping[str, Any], protocol: Literal[2, 3]
) -> type[list[Any]] | type[tuple[Any, ...]] | None:
    """Return in which type redis-py gives a member with its score; None when it is neither.

    That differs between its versions, the protocol and its options, so one such reply is shown to
    the function that would get it.
    """
    reply: Any = [[b"member", 1.5]] if protocol == 3 else [b"member", b"1.5"]
    try:
        made = callbacks["ZRANGE"](reply, withscores=True, score_cast_func=float)
    except Exception:  # whatever a callback of the user's raises, it is not redis-py's
        return None
    for kind in (list, tuple):
        if made == [kind((b"member", 1.5))] and isinstance(made, list):
            return kind
    return None


def require_socket(attachment: Attachment, args: tuple[Any, ...]) -> None:
    """Refuse a command that only a daemon could run when none was ever seen.

    :raises ReadOnly: the command writes
    :raises redis.ConnectionError: it does something else
    """
    if attachment.socket_path:
        return
    name = str(args[0]).split()[0].upper()
    command = _declaration(args)
    if command is not None and "write" in command.flags:
        raise ReadOnly(
            f"cache {attachment.name!r} is attached for reading and no daemon listens that could "
            f"carry out {name}: attach with writable=True, or start shmcached"
        )
    raise redis.ConnectionError(
        f"no daemon listens for cache {attachment.name!r}: {name} needs one"
    )


def _declaration(args: tuple[Any, ...]) -> Command | None:
    """Return what the table says of the command, or subcommand, that is called."""
    words = [*str(args[0]).split(), *map(str, args[1:2])]
    command = COMMANDS.get(words[0].lower())
    if command is None or len(words) < 2:
        return command
    return command.subcommands.get(f"{command.name}|{words[1].lower()}", command)


def is_select(name: object) -> bool:
    """Whether a command's name is SELECT, which changes the client itself."""
    return isinstance(name, str) and name.upper() == "SELECT"


def select_reply(words: list[bytes]) -> Reply:
    """Return what a server answers to SELECT."""
    if len(words) != 2:
        return wrong_arity("select")
    try:
        database_index(words[1])
    except CommandError as error:
        return error
    return OK


class WatchedCallbacks(CaseInsensitiveDict):
    """A client's response callbacks; when one of a native method's command is replaced, the native
    methods, which know only redis-py's, make way.
    """

    def __init__(self, callbacks: MutableMapping[str, Any], native: InProcess) -> None:
        dict.__init__(self, callbacks)
        self._native = weakref.ref(native)

    def __setitem__(self, command: str, callback: Any) -> None:
        dict.__setitem__(self, command.upper(), callback)
        self._replaced(command)

    def __delitem__(self, command: str) -> None:
        dict.__delitem__(self, command.upper())
        self._replaced(command)

    def update(self, callbacks: Mapping[str, Any]) -> None:  # type: ignore[override]
        """Replace several."""
        for command, callback in callbacks.items():
            self[command] = callback

    def _replaced(self, command: str) -> None:
        native = self._native()
        if native is not None and command.upper() in _NATIVE_COMMANDS:
            native._divert()
