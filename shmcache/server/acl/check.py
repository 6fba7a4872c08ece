"""Whether a user may run a command line, and what Redis says when he may not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from shmcache.commands.keys import keys_of
from shmcache.commands.replies import as_c_string, one_line
from shmcache.server.acl.users import READ, WRITE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from shmcache.commands.keys import KeyUse
    from shmcache.commands.spec import Command
    from shmcache.server.acl.users import Selector, User

__all__ = [
    "Denial",
    "allows_channel",
    "denial_of",
    "explain",
    "explain_verbosely",
    "reads_everything",
]

_PERMISSIONS: Final = {"access": READ, "insert": WRITE, "delete": WRITE, "update": WRITE}
_RANKS: Final = {"command": 0, "key": 1, "channel": 2}

_Channels = dict[bytes, "Callable[[bytes], bool]"]


class Denial(NamedTuple):
    """Why not.

    :ivar reason: ``command``, ``key`` or ``channel``
    :ivar object: the command's full name, or the key or channel
    :ivar position: which of the line's keys or channels it is
    """

    reason: str
    object: bytes
    position: int = 0


def denial_of(user: User, command: Command, words: Sequence[bytes]) -> Denial | None:
    """Why a user may not run a command line; None when he may.

    Any of the selectors is enough, but one must allow all of it. If none does, the one that comes
    closest tells why: keys count more than the command, channels more than keys.

    :param words: the whole line, of a right number of words
    """
    line = _Line(command, words)
    worst: Denial | None = None
    for selector in user.selectors:
        denial = line.denied_by(selector)
        if denial is None:
            return None
        if worst is None or _rank(denial) > _rank(worst):
            worst = denial
    return worst


def _rank(denial: Denial) -> tuple[int, int]:
    return _RANKS[denial.reason], denial.position


class _Line:
    """A command line, its keys looked for at most once."""

    def __init__(self, command: Command, words: Sequence[bytes]) -> None:
        self._command = command
        self._words = words
        self._keys: list[KeyUse] | None = None

    def denied_by(self, selector: Selector) -> Denial | None:
        if not self._is_command_allowed(selector):
            return Denial("command", self._command.name.encode())
        if not selector.all_keys and self._command.keys:
            for position, use in enumerate(self._key_uses()):
                if not _allows_key(selector, use):
                    return Denial("key", use.key, position)
        if not selector.all_channels:
            literal, channels = self._channels()
            for position, channel in enumerate(channels):
                if not allows_channel(selector.channels, channel, literal=literal):
                    return Denial("channel", channel, position)
        return None

    def _is_command_allowed(self, selector: Selector) -> bool:
        command = self._command
        if "no_auth" in command.flags or selector.allows_command(command.name):
            return True
        first = selector.first_arguments.get(command.name)
        return first is not None and len(self._words) > 1 and self._words[1].lower() in first

    def _key_uses(self) -> list[KeyUse]:
        if self._keys is None:
            uses = keys_of(self._command, self._words)
            self._keys = [use for use in uses if "not_key" not in use.flags]
        return self._keys

    def _channels(self) -> tuple[bool, Sequence[bytes]]:
        """The channels of the line, and whether they are patterns, which are taken literally."""
        name = self._command.name
        if name in {"publish", "spublish"}:
            return False, self._words[1:2]
        if name in {"subscribe", "ssubscribe"}:
            return False, self._words[1:]
        if name == "psubscribe":
            return True, self._words[1:]
        return False, ()


def _allows_key(selector: Selector, use: KeyUse) -> bool:
    wanted = _wanted(use.flags)
    return any(
        keys.permissions & wanted == wanted and keys.fits(use.key)
        for keys in selector.keys.values()
    )


def _wanted(flags: Iterable[str]) -> int:
    wanted = 0
    for flag in flags:
        wanted |= _PERMISSIONS.get(flag, 0)
    return wanted


def allows_channel(channels: _Channels, channel: bytes, *, literal: bool) -> bool:
    """Whether one of some patterns fits a channel.

    :param literal: the channel is itself a pattern, and must be one of them
    """
    return channel in channels if literal else any(fits(channel) for fits in channels.values())


def reads_everything(user: User, command: Command, words: Sequence[bytes]) -> bool:
    """Whether a user may run a line and read any key in it, for keys that only its values name."""
    line = _Line(command, words)
    return any(
        _reads_all_keys(selector) and line.denied_by(selector) is None
        for selector in user.selectors
    )


def _reads_all_keys(selector: Selector) -> bool:
    star = selector.keys.get(b"*")
    return selector.all_keys or (star is not None and bool(star.permissions & READ))


def explain(user: User, denial: Denial) -> str:
    """What the client is told, without the code."""
    if denial.reason == "command":
        return explain_verbosely(user, denial)
    return f"No permissions to access a {denial.reason}"


def explain_verbosely(user: User, denial: Denial) -> str:
    """What ACL DRYRUN tells, which names the key or channel."""
    name = one_line(as_c_string(denial.object))
    if denial.reason == "command":
        return f"User {user.text} has no permissions to run the '{name}' command"
    return f"User {user.text} has no permissions to access the '{name}' {denial.reason}"
