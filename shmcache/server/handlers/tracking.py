"""CLIENT TRACKING and what belongs to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shmcache.commands.arguments import integer_or_none
from shmcache.commands.replies import (
    OK,
    CommandError,
    SetReply,
    as_c_string,
    not_an_integer,
    one_line,
    syntax_error,
)
from shmcache.server.tracking import ClientTracking

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shmcache.commands.replies import Reply
    from shmcache.server.client import Client

__all__ = ["HANDLERS"]

_OTHER_MODE = (
    "before disabling tracking for this client, and then re-enabling it with a different mode."
)


class _Options:
    """What the words after ON or OFF ask for."""

    def __init__(self, client: Client, words: Sequence[bytes]) -> None:
        """:raises CommandError: they are no options, or redirect to nobody"""
        self.redirect = 0
        self.prefixes: list[bytes] = []
        self.flags: set[bytes] = set()
        position = 0
        while position < len(words):
            word, last = words[position].upper(), position + 1 == len(words)
            if word == b"REDIRECT" and not last:
                position += 1
                self._redirect_to(client, words[position])
            elif word == b"PREFIX" and not last:
                position += 1
                self.prefixes.append(words[position])
            elif word in {b"BCAST", b"OPTIN", b"OPTOUT", b"NOLOOP"}:
                self.flags.add(word)
            else:
                raise syntax_error()
            position += 1

    def _redirect_to(self, client: Client, word: bytes) -> None:
        if self.redirect:
            raise CommandError("ERR A client can only redirect to a single other client")
        number = integer_or_none(word)
        if number is None:
            raise not_an_integer()
        if number not in client.server.clients:
            raise CommandError("ERR The client ID you want redirect to does not exist")
        self.redirect = number

    def check(self, old: ClientTracking | None) -> None:
        """:raises CommandError: they contradict each other, or how the client tracks now"""
        broadcasts, opt_in, opt_out = (
            flag in self.flags for flag in (b"BCAST", b"OPTIN", b"OPTOUT")
        )
        if self.prefixes and not broadcasts:
            raise CommandError("ERR PREFIX option requires BCAST mode to be enabled")
        if old is not None and old.broadcasts != broadcasts:
            raise CommandError(f"ERR You can't switch BCAST mode on/off {_OTHER_MODE}")
        if broadcasts and (opt_in or opt_out):
            raise CommandError("ERR OPTIN and OPTOUT are not compatible with BCAST")
        if opt_in and opt_out:
            raise CommandError("ERR You can't specify both OPTIN mode and OPTOUT mode")
        if old is not None and ((opt_in and old.opt_out) or (opt_out and old.opt_in)):
            raise CommandError(f"ERR You can't switch OPTIN/OPTOUT mode {_OTHER_MODE}")
        self._check_prefixes(sorted(old.prefixes) if old is not None else ())

    def _check_prefixes(self, present: Sequence[bytes]) -> None:
        """:raises CommandError: a key could begin with two of them"""
        for index, prefix in enumerate(self.prefixes):
            for other in present:
                if _overlap(prefix, other):
                    raise _overlapping(prefix, "an existing", other)
            for other in self.prefixes[index + 1 :]:
                if _overlap(prefix, other):
                    raise _overlapping(prefix, "another provided", other)


def _overlap(one: bytes, other: bytes) -> bool:
    return one.startswith(other) or other.startswith(one)


def _overlapping(prefix: bytes, which: str, other: bytes) -> CommandError:
    new, old = (one_line(as_c_string(word)) for word in (prefix, other))
    return CommandError(
        f"ERR Prefix '{new}' overlaps with {which} prefix '{old}'. Prefixes for a single client "
        "must not overlap."
    )


def _tracking(client: Client, args: Sequence[bytes]) -> Reply:
    options = _Options(client, args[1:])
    switch = args[0].upper()
    if switch == b"ON":
        options.check(client.tracking)
        mode = ClientTracking(
            broadcasts=b"BCAST" in options.flags,
            opt_in=b"OPTIN" in options.flags,
            opt_out=b"OPTOUT" in options.flags,
            no_loop=b"NOLOOP" in options.flags,
            redirect=options.redirect,
        )
        client.server.tracking.turn_on(client, mode, options.prefixes)
    elif switch == b"OFF":
        client.server.tracking.turn_off(client)
    else:
        raise syntax_error()
    return OK


def _caching(client: Client, args: Sequence[bytes]) -> Reply:
    mode, word = client.tracking, args[0].upper()
    if mode is None:
        raise CommandError(
            "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN "
            "or OPTOUT mode enabled"
        )
    if word == b"YES":
        if not mode.opt_in:
            raise CommandError(
                "ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode."
            )
    elif word == b"NO":
        if not mode.opt_out:
            raise CommandError(
                "ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode."
            )
    else:
        raise syntax_error()
    mode.caching = True
    return OK


def _trackinginfo(client: Client, _args: Sequence[bytes]) -> Reply:
    mode = client.tracking
    flags = ["off"] if mode is None else mode.flags()
    return {
        b"flags": SetReply(flag.encode() for flag in flags),
        b"redirect": -1 if mode is None else mode.redirect,
        b"prefixes": [] if mode is None else sorted(mode.prefixes),
    }


def _getredir(client: Client, _args: Sequence[bytes]) -> Reply:
    return -1 if client.tracking is None else client.tracking.redirect


HANDLERS = {
    "client|caching": _caching,
    "client|getredir": _getredir,
    "client|tracking": _tracking,
    "client|trackinginfo": _trackinginfo,
}
