"""MODULE: packages that add commands."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

from shmcache.commands.modules import ModuleError
from shmcache.commands.replies import OK, CommandError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shmcache.commands.replies import Reply
    from shmcache.server.client import Client

__all__ = ["HANDLERS"]

_log = logging.getLogger("shmcache.server")


def _decode(word: bytes) -> str:
    return word.decode("utf-8", "surrogateescape")


def _list(client: Client, _args: Sequence[bytes]) -> Reply:
    return client.server.modules.describe()


def _load(client: Client, args: Sequence[bytes]) -> Reply:
    return _try_to_load(client, args[0], args[1:], {})


def _loadex(client: Client, args: Sequence[bytes]) -> Reply:
    try:
        given = _LoadexWords.parse(args[1:])
    except ModuleError as error:
        raise _not_loaded(error) from error
    return _try_to_load(client, args[0], given.arguments, given.options)


class _LoadexWords(NamedTuple):
    """What follows the name in MODULE LOADEX."""

    options: dict[str, str]
    arguments: Sequence[bytes]

    @classmethod
    def parse(cls, words: Sequence[bytes]) -> _LoadexWords:
        """:raises ModuleError: they are not ``[CONFIG name value ...] [ARGS ...]``"""
        options: dict[str, str] = {}
        position = 0
        while position < len(words):
            word = words[position].upper()
            if word == b"ARGS":
                return cls(options, words[position + 1 :])
            if word != b"CONFIG":
                raise ModuleError(f"MODULE LOADEX: syntax error at '{_decode(words[position])}'")
            if position + 2 >= len(words):
                raise ModuleError("MODULE LOADEX: CONFIG without a name and a value")
            options[_decode(words[position + 1]).lower()] = _decode(words[position + 2])
            position += 3
        return cls(options, ())


def _try_to_load(
    client: Client, name: bytes, arguments: Sequence[bytes], options: Mapping[str, str]
) -> Reply:
    try:
        client.server.modules.load(_decode(name), arguments, options)
    except ModuleError as error:
        raise _not_loaded(error) from error
    return OK


def _not_loaded(error: ModuleError) -> CommandError:
    _log.warning("not loaded: %s", error)
    return CommandError("ERR Error loading the extension. Please check the server logs.")


def _unload(client: Client, args: Sequence[bytes]) -> Reply:
    try:
        client.server.modules.unload(_decode(args[0]))
    except KeyError:
        raise CommandError("ERR Error unloading module: no such module with that name") from None
    return OK


HANDLERS = {
    "module|list": _list,
    "module|load": _load,
    "module|loadex": _loadex,
    "module|unload": _unload,
}
