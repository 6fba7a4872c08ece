"""Whether a user may run a command line, and what Redis says when he may not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from shmcache.commands.keys import keys_of
from shmcache.commands.replies import as_c_string, one_line
from shmcache.server.acl.users import READ, WRITE, User

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from shmcache.commands.spec import Command, KeySpec
    from shmcache.server.acl.users import Selector

__all__ = [
    "Denial",
    "allows_channel",
    "denial_of",
    "explain",
    "explain_verbosely",
    "keys_of_line",
    "reads_everything",
]

_PERMISSIONS: Final = {"access": READ, "insert": WRITE, "delete": WRITE, "update": WRITE}
_RANKS: Final = {"command": 0, "key": 1, "channel": 2}

_Channels: TypeAlias = dict[bytes, "Callable[[bytes], bool]"]
_Key: TypeAlias = tuple[bytes, int]
"""A key of a line, and what must be permitted: READ, WRITE, both, or 0: to know of it."""


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
    plan = _plan_for(command)
    keys: list[_Key] | None = None
    worst: Denial | None = None
    for selector in user.selectors:
        denial = plan.command_denial(selector, words)
        if denial is None and plan.has_keys and not selector.all_keys:
            if keys is None:
                keys = plan.keys(words)
            denial = _key_denial(selector, keys)
        if denial is None and plan.has_channels and not selector.all_channels:
            denial = _channel_denial(selector, *plan.channels(words))
        if denial is None:
            return None
        if worst is None or _rank(denial) > _rank(worst):
            worst = denial
    return worst


def _rank(denial: Denial) -> tuple[int, int]:
    return _RANKS[denial.reason], denial.position


class _Plan:
    """What to look at in a command's lines, found out once: every line is looked at."""

    __slots__ = (
        "_denial",
        "_name",
        "_single",
        "_step",
        "command",
        "free",
        "has_channels",
        "has_keys",
    )

    def __init__(self, command: Command) -> None:
        self.command = command
        self._name = command.name
        self.free = "no_auth" in command.flags
        """It can be used before there is a user."""
        self.has_keys = bool(command.keys)
        self.has_channels = command.name in _CHANNELS
        self._single: int | None = None
        """What the one key, or each one of a plain range, must permit."""
        self._step = 0
        """0: the first word after the name is the only key."""
        self._denial = Denial("command", command.name.encode())
        if len(command.keys) == 1 and command.find_keys is None:
            self._look_for_short_way(command.keys[0])

    def _look_for_short_way(self, spec: KeySpec) -> None:
        to_the_end = spec.last == -1 and spec.limit <= 1
        if not spec.is_range or spec.first != 1 or "not_key" in spec.flags:
            return
        if spec.last == 0 or to_the_end:
            self._single = _wanted(spec.flags)
            self._step = spec.step if to_the_end else 0

    def command_denial(self, selector: Selector, words: Sequence[bytes]) -> Denial | None:
        """Why the command cannot be run at all."""
        name = self._name
        if self.free or selector.allows_command(name):
            return None
        first = selector.first_arguments.get(name)
        if first is not None and len(words) > 1 and words[1].lower() in first:
            return None
        return self._denial

    def keys(self, words: Sequence[bytes]) -> list[_Key]:
        """The keys of a line."""
        wanted = self._single
        if wanted is None:
            uses = keys_of(self.command, words)
            return [(use.key, _wanted(use.flags)) for use in uses if "not_key" not in use.flags]
        if self.command.variable_flags is not None:
            wanted = _wanted(self.command.variable_flags(words))
        if self._step:
            return [(key, wanted) for key in words[1 :: self._step]]
        return [(words[1], wanted)]

    def channels(self, words: Sequence[bytes]) -> tuple[bool, Sequence[bytes]]:
        """The channels of a line; whether they are patterns, which are taken literally."""
        name = self._name
        count = 2 if name in {"publish", "spublish"} else len(words)
        return name == "psubscribe", words[1:count]


_CHANNELS: Final = frozenset(("psubscribe", "publish", "spublish", "ssubscribe", "subscribe"))
_plans: Final[dict[str, _Plan]] = {}


def _plan_for(command: Command) -> _Plan:
    plan = _plans.get(command.name)
    if plan is None or plan.command is not command:  # a module may have brought another
        plan = _plans[command.name] = _Plan(command)
    return plan


def keys_of_line(command: Command, words: Sequence[bytes]) -> list[_Key]:
    """The keys of a command line, and what must be permitted of each."""
    plan = _plan_for(command)
    return plan.keys(words) if plan.has_keys else []


def _key_denial(selector: Selector, keys: list[_Key]) -> Denial | None:
    for position, (key, wanted) in enumerate(keys):
        for fits in selector.key_patterns(wanted):
            if fits(key):
                break
        else:
            return Denial("key", key, position)
    return None


def _channel_denial(selector: Selector, literal: bool, channels: Sequence[bytes]) -> Denial | None:
    for position, channel in enumerate(channels):
        if not allows_channel(selector.channels, channel, literal=literal):
            return Denial("channel", channel, position)
    return None


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
    for selector in user.selectors:
        alone = User(user.name, all_channels=False)
        alone.selectors = [selector]
        if _reads_all_keys(selector) and denial_of(alone, command, words) is None:
            return True
    return False


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
