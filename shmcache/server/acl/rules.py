"""ACL SETUSER's rules: applied to a user, and told again as ACL LIST does."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from shmcache.commands.spec import CATEGORIES
from shmcache.commands.table import COMMANDS
from shmcache.config.lexer import decode, encode, split_arguments
from shmcache.server.acl.users import READ, WRITE, Selector, User, hash_password

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shmcache.commands.spec import Command

__all__ = [
    "RuleError",
    "UnmatchedParenthesisError",
    "apply_rule",
    "channel_rules",
    "command_rules",
    "describe",
    "flags_of",
    "has_space",
    "key_rules",
    "merge_selectors",
    "replay_command_rules",
]

_SYNTAX: Final = "Syntax error"
_UNKNOWN: Final = "Unknown command or category name in ACL"
_AFTER_ALL_KEYS: Final = (
    "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have "
    "any effect. Try 'resetkeys' to start with an empty list of patterns"
)
_AFTER_ALL_CHANNELS: Final = (
    "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not "
    "have any effect. Try 'resetchannels' to start with an empty list of channels"
)
_NOT_HIS: Final = "The password you are trying to remove from the user does not exist"
_BAD_HASH: Final = (
    "The password hash must be exactly 64 characters and contain only lowercase hexadecimal "
    "characters"
)
_FIRST_OF_SUBCOMMAND: Final = "Allowing first-arg of a subcommand is not supported"

_SPACE: Final = re.compile(rb"[\s\0]")
_HASH: Final = re.compile(rb"[0-9a-f]{64}")
# Redis takes a missing ~ for the pattern that only the empty key fits.
_KEY_RULE: Final = re.compile(rb"%([RW]{1,2})(?:~(.*))?", re.IGNORECASE | re.DOTALL)
_PERMISSIONS: Final = {b"R": READ, b"W": WRITE, b"RW": READ | WRITE, b"WR": READ | WRITE}
_KEY_SIGNS: Final = {READ: b"%R~", WRITE: b"%W~", READ | WRITE: b"~"}


class RuleError(Exception):
    """A rule that cannot be applied; ``str()`` is Redis's reason."""

    @property
    def is_unknown(self) -> bool:
        """Whether it names a command or category that there is none of."""
        return str(self) == _UNKNOWN


class UnmatchedParenthesisError(Exception):
    """A selector that is never closed.

    :ivar position: where it begins, among the words
    """

    def __init__(self, position: int) -> None:
        super().__init__(position)
        self.position = position


def has_space(word: bytes) -> bool:
    """Whether a word has a blank or a NUL in it, which names and patterns must not."""
    return _SPACE.search(word) is not None


def merge_selectors(words: Sequence[bytes]) -> list[bytes]:
    """Put selectors together that came as several words, parentheses and all.

    :raises UnmatchedParenthesisError: one is never closed
    """
    merged: list[bytes] = []
    selector = b""
    opened: int | None = None
    for position, word in enumerate(words):
        if word.startswith(b"(") and not word.endswith(b")"):
            selector, opened = word, position
        elif opened is not None:
            selector += b" " + word
            if word.endswith(b")"):
                merged.append(selector)
                opened = None
        else:
            merged.append(word)
    if opened is not None:
        raise UnmatchedParenthesisError(opened)
    return merged


def apply_rule(user: User, rule: bytes, *, all_channels: bool) -> None:
    """Apply a rule.

    :param all_channels: what selectors begin with: ``acl-pubsub-default``
    :raises RuleError: it cannot be applied, and was not
    """
    if not rule:
        return
    whole = _USER_RULES.get(rule.lower())
    if whole is not None:
        whole(user)
    elif rule.lower() == b"reset":
        user.become(User(user.name, all_channels=all_channels))
    elif rule[:1] in _PASSWORD_RULES:
        _PASSWORD_RULES[rule[:1]](user, rule[1:])
    elif rule.startswith(b"(") and rule.endswith(b")"):
        user.selectors.append(_selector(rule[1:-1], all_channels=all_channels))
    else:
        _apply_to_selector(user.root, rule)


# ---- rules on the user ---------------------------------------------------------------------------


def _set_enabled(*, enabled: bool) -> Callable[[User], None]:
    def rule(user: User) -> None:
        user.enabled = enabled

    return rule


def _set_sanitizes(*, sanitizes: bool) -> Callable[[User], None]:
    def rule(user: User) -> None:
        user.sanitizes = sanitizes

    return rule


def _set_no_password(*, no_password: bool) -> Callable[[User], None]:
    def rule(user: User) -> None:
        user.no_password = no_password
        user.passwords = {}

    return rule


def _clear_selectors(user: User) -> None:
    del user.selectors[1:]


_USER_RULES: Final[dict[bytes, Callable[[User], None]]] = {
    b"on": _set_enabled(enabled=True),
    b"off": _set_enabled(enabled=False),
    b"sanitize-payload": _set_sanitizes(sanitizes=True),
    b"skip-sanitize-payload": _set_sanitizes(sanitizes=False),
    b"nopass": _set_no_password(no_password=True),
    b"resetpass": _set_no_password(no_password=False),
    b"clearselectors": _clear_selectors,
}


def _checked_hash(word: bytes) -> str:
    if not _HASH.fullmatch(word):
        raise RuleError(_BAD_HASH)
    return word.decode("ascii")


def _add_hash(user: User, known: str) -> None:
    user.passwords[known] = None
    user.no_password = False


def _remove_hash(user: User, known: str) -> None:
    if known not in user.passwords:
        raise RuleError(_NOT_HIS)
    del user.passwords[known]


_PASSWORD_RULES: Final[dict[bytes, Callable[[User, bytes], None]]] = {
    b">": lambda user, word: _add_hash(user, hash_password(word)),
    b"#": lambda user, word: _add_hash(user, _checked_hash(word)),
    b"<": lambda user, word: _remove_hash(user, hash_password(word)),
    b"!": lambda user, word: _remove_hash(user, _checked_hash(word)),
}


# ---- rules on a selector -------------------------------------------------------------------------


def _selector(rules: bytes, *, all_channels: bool) -> Selector:
    selector = Selector(all_channels=all_channels)
    try:
        words = split_arguments(rules)
    except ValueError as error:
        # Redis takes such a selector for an empty one.
        raise RuleError(_SYNTAX) from error
    for word in words:
        _apply_to_selector(selector, encode(word))
    return selector


_SELECTOR_RULES: Final[dict[bytes, Callable[[Selector], None]]] = {
    b"allkeys": lambda selector: selector.allow_all_keys(allowed=True),
    b"~*": lambda selector: selector.allow_all_keys(allowed=True),
    b"resetkeys": lambda selector: selector.allow_all_keys(allowed=False),
    b"allchannels": lambda selector: selector.allow_all_channels(allowed=True),
    b"&*": lambda selector: selector.allow_all_channels(allowed=True),
    b"resetchannels": lambda selector: selector.allow_all_channels(allowed=False),
    b"allcommands": lambda selector: selector.allow_all_commands(allowed=True),
    b"+@all": lambda selector: selector.allow_all_commands(allowed=True),
    b"nocommands": lambda selector: selector.allow_all_commands(allowed=False),
    b"-@all": lambda selector: selector.allow_all_commands(allowed=False),
}


def _apply_to_selector(selector: Selector, rule: bytes) -> None:
    whole = _SELECTOR_RULES.get(rule.lower())
    if whole is not None:
        whole(selector)
    elif rule[:1] in {b"~", b"%"}:
        _add_keys(selector, rule)
    elif rule.startswith(b"&"):
        _add_channels(selector, rule[1:])
    elif rule[:1] in {b"+", b"-"}:
        _change_commands(selector, rule)
    else:
        raise RuleError(_SYNTAX)


def _add_keys(selector: Selector, rule: bytes) -> None:
    if selector.all_keys:
        raise RuleError(_AFTER_ALL_KEYS)
    letters, pattern = b"RW", rule[1:]
    if rule.startswith(b"%"):
        match = _KEY_RULE.fullmatch(rule)
        if match is None:
            raise RuleError(_SYNTAX)
        letters, pattern = match[1].upper(), match[2] or b""
    if letters not in _PERMISSIONS or has_space(pattern):
        raise RuleError(_SYNTAX)
    selector.add_keys(pattern, _PERMISSIONS[letters])


def _add_channels(selector: Selector, pattern: bytes) -> None:
    if selector.all_channels:
        raise RuleError(_AFTER_ALL_CHANNELS)
    if has_space(pattern):
        raise RuleError(_SYNTAX)
    selector.add_channels(pattern)


def _change_commands(selector: Selector, rule: bytes) -> None:
    """``+command``, ``-command|sub``, ``+@category``, ``+command|first-argument``."""
    allowed = rule.startswith(b"+")
    word = decode(rule[1:].lower())  # of bytes: ASCII only, as Redis does
    if word.startswith("@"):
        _change_category(selector, word[1:], allowed=allowed)
    else:
        command = _find_command(word)
        container, bar, first = word.rpartition("|")
        if allowed and bar and command is None:
            _allow_first_argument(selector, container, first)
        elif command is None:
            raise RuleError(_UNKNOWN)
        else:
            _change_command(selector, command, allowed=allowed)
    _keep_rule(selector, word, allowed=allowed)


def _find_command(name: str) -> Command | None:
    """A command, or a subcommand by ``container|name``."""
    container, bar, _ = name.partition("|")
    command = COMMANDS.get(container)
    return command.subcommands.get(name) if command is not None and bar else command


def _change_command(selector: Selector, command: Command, *, allowed: bool) -> None:
    """A command with all its subcommands."""
    selector.allow_command(command.name, allowed=allowed)
    selector.first_arguments.pop(command.name, None)
    for name in command.subcommands:
        selector.allow_command(name, allowed=allowed)


def _change_category(selector: Selector, category: str, *, allowed: bool) -> None:
    if category not in CATEGORIES:
        raise RuleError(_UNKNOWN)
    for command in COMMANDS.values():
        if category in command.categories:
            _change_command(selector, command, allowed=allowed)
        for subcommand in command.subcommands.values():
            if category in subcommand.categories:
                _change_command(selector, subcommand, allowed=allowed)


def _allow_first_argument(selector: Selector, name: str, first: str) -> None:
    command = _find_command(name)
    if command is None:
        raise RuleError(_UNKNOWN)
    if "|" in name:
        raise RuleError(_FIRST_OF_SUBCOMMAND)
    if not first:
        raise RuleError(_SYNTAX)
    if command.subcommands:
        raise RuleError(_UNKNOWN)
    words = selector.first_arguments.setdefault(command.name, [])
    if encode(first) not in words:
        words.append(encode(first))


def _keep_rule(selector: Selector, word: str, *, allowed: bool) -> None:
    """Remember a rule instead of those before it that it makes meaningless."""
    part = f"{word}|"
    kept = [rule for rule in selector.command_rules if not (rule[1:] + "|").startswith(part)]
    selector.command_rules = [*kept, ("+" if allowed else "-") + word]


def replay_command_rules(selector: Selector) -> None:
    """Apply the rules on commands to the commands of now; those on commands that are gone go."""
    rules = list(selector.command_rules)
    selector.allow_all_commands(allowed=selector.unknown_commands)
    for rule in rules:
        try:
            _change_commands(selector, encode(rule))
        except RuleError:
            continue


# ---- told again ----------------------------------------------------------------------------------


def flags_of(user: User) -> list[str]:
    """What ACL GETUSER calls the user's flags."""
    flags = ["on" if user.enabled else "off"]
    if user.no_password:
        flags.append("nopass")
    flags.append("sanitize-payload" if user.sanitizes else "skip-sanitize-payload")
    return flags


def key_rules(selector: Selector) -> bytes:
    """The rules that allow the keys."""
    if selector.all_keys:
        return b"~*"
    keys = selector.keys.items()
    return b" ".join(_KEY_SIGNS[keys.permissions] + pattern for pattern, keys in keys)


def channel_rules(selector: Selector) -> bytes:
    """The rules that allow the channels."""
    if selector.all_channels:
        return b"&*"
    return b" ".join(b"&" + pattern for pattern in selector.channels)


def command_rules(selector: Selector) -> bytes:
    """The rules that allow the commands."""
    first = "+@all" if selector.unknown_commands else "-@all"
    return encode(" ".join([first, *selector.command_rules]))


def describe(user: User) -> bytes:
    """All rules that make up a user, as ACL LIST shows them after the name."""
    parts = [flag.encode("ascii") for flag in flags_of(user)]
    parts += [b"#" + known.encode("ascii") for known in user.passwords]
    for selector in user.selectors:
        told = _describe_selector(selector)
        parts.append(told if selector is user.root else b"(" + told + b")")
    return b" ".join(parts)


def _describe_selector(selector: Selector) -> bytes:
    channels = channel_rules(selector)
    if not selector.all_channels:
        channels = b" ".join(filter(None, (b"resetchannels", channels)))
    return b" ".join(filter(None, (key_rules(selector), channels, command_rules(selector))))
