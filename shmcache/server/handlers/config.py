"""CONFIG: the options of a running front-end."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from shmcache.commands.glob import glob_matches
from shmcache.commands.replies import OK, CommandError, one_line, syntax_error
from shmcache.config import OptionError, find_option, rewrite_file
from shmcache.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shmcache.commands.replies import Reply
    from shmcache.server.client import Client

__all__ = ["HANDLERS"]

_GLOB = frozenset(b"[*?")

_log = logging.getLogger("shmcache.server")


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _decode(word: bytes) -> str:
    return word.decode("utf-8", "surrogateescape")


def _get(client: Client, args: Sequence[bytes]) -> Reply:
    """Patterns find options by their names; a whole name is repeated as it was given."""
    config = client.server.config
    found: dict[bytes, tuple[bytes, bytes]] = {}
    for word in args:
        pattern = word.lower()
        if _GLOB.isdisjoint(word):
            if find_option(_decode(word)) is not None:
                found.setdefault(pattern, (word, _encode(config.show(_decode(word)))))
            continue
        for name, text in config.items():
            encoded = _encode(name)
            if glob_matches(pattern, encoded):
                found.setdefault(encoded, (encoded, _encode(text)))
    return dict(found.values())


def _set(client: Client, args: Sequence[bytes]) -> Reply:
    if len(args) % 2:
        raise syntax_error()
    texts = [_decode(word) for word in args]
    local = client.unix or client.loopback
    try:
        client.server.settings.change(zip(texts[::2], texts[1::2], strict=True), local=local)
    except OptionError as error:
        raise CommandError(one_line(str(error))) from error
    return OK


def _resetstat(client: Client, _args: Sequence[bytes]) -> Reply:
    client.server.reset_statistics()
    return OK


def _rewrite(client: Client, _args: Sequence[bytes]) -> Reply:
    config = client.server.config
    # With an ACL file, that is where the users are.
    config.commit({"user": () if config.text("aclfile") else client.server.access.declarations()})
    try:
        rewrite_file(config)
    except ConfigurationError as error:
        raise CommandError(f"ERR {error}") from error
    except OSError as error:
        _log.warning("CONFIG REWRITE failed: %s", error)
        raise CommandError(f"ERR Rewriting config file: {error.strerror}") from error
    return OK


HANDLERS = {
    "config|get": _get,
    "config|resetstat": _resetstat,
    "config|rewrite": _rewrite,
    "config|set": _set,
}
