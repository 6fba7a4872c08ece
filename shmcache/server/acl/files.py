"""Users written down: in ACL files, configuration files, and messages to the supervisor.

An ACL file has a line a user: ``user NAME RULE ...``, without comments and without quotes; see
https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from shmcache.commands.replies import one_line
from shmcache.config import replace_file
from shmcache.config.lexer import decode, encode
from shmcache.errors import ConfigurationError
from shmcache.server.acl.rules import (
    RuleError,
    UnmatchedParenthesisError,
    apply_rule,
    describe,
    has_space,
    merge_selectors,
)
from shmcache.server.acl.users import User, hash_password

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = ["DeclarationCheck", "declared_users", "read_declarations", "save_users", "words_of"]

_MAX_FILE_BYTES: Final = 64 << 20
_FILE_MODE: Final = 0o600
"""Of a new file: guessing a password is easier with its hash at hand."""
_NOTHING_DONE: Final = (
    "WARNING: ACL errors detected, no change to the previously active ACL rules was performed"
)
_ALREADY: Final = "Duplicate user found. A user can only be defined once in config files"
_HASHED_SIGNS: Final = {b">": b"#", b"<": b"!"}


def words_of(user: User) -> tuple[str, ...]:
    """A user as the option ``user`` has him: the name, and the rules."""
    return decode(user.name), *decode(describe(user)).split(" ")


def declared_users(
    lines: Iterable[Sequence[str]],
    *,
    all_channels: bool,
    on_unknown: Callable[[str], None] | None = None,
) -> list[User]:
    """The users of the option ``user``.

    :param lines: name and rules of each
    :param all_channels: what selectors begin with: ``acl-pubsub-default``
    :param on_unknown: called with a complaint about a rule on a command that there is none of; the
        rule is left out then
    :raises ConfigurationError: a rule cannot be applied
    """
    return [_declared(line, all_channels=all_channels, on_unknown=on_unknown) for line in lines]


def _declared(
    line: Sequence[str], *, all_channels: bool, on_unknown: Callable[[str], None] | None
) -> User:
    name, *words = map(encode, line)
    if has_space(name):
        raise ConfigurationError("Spaces not allowed in ACL usernames")
    user = User(name, all_channels=all_channels)
    try:
        rules = merge_selectors(words)
    except UnmatchedParenthesisError as error:
        opening = decode(words[error.position])
        raise ConfigurationError(
            f"Error in user declaration '{opening}': Unmatched parenthesis in selector definition"
        ) from error
    for rule in rules:
        try:
            apply_rule(user, rule, all_channels=all_channels)
        except RuleError as error:
            complaint = f"Error in user declaration '{decode(rule)}': {error}"
            if on_unknown is None or not error.is_unknown:
                raise ConfigurationError(complaint) from error
            on_unknown(f"user '{user.text}': {complaint}")
    return user


class DeclarationCheck:
    """Checks the lines of a configuration that declare users, one after the other.

    :ivar unknown: complaints about rules on commands that there are none of; modules may add them
    """

    def __init__(self) -> None:
        self.unknown: list[str] = []
        self._seen: set[str] = set()

    def __call__(self, arguments: Sequence[str]) -> tuple[str, ...]:
        """Check a line.

        :param arguments: what follows ``user``
        :return: the same without passwords in clear
        :raises ValueError: it is no declaration; the message says why
        """
        if arguments[0] in self._seen:
            raise ValueError(_ALREADY)
        self._seen.add(arguments[0])
        hidden = _hide_passwords(arguments)
        try:
            _declared(hidden, all_channels=False, on_unknown=self.unknown.append)
        except ConfigurationError as error:
            raise ValueError(str(error)) from error
        return hidden


def _hide_passwords(arguments: Sequence[str]) -> tuple[str, ...]:
    name, *rules = arguments
    return name, *(decode(_hide_password(encode(rule))) for rule in rules)


def _hide_password(rule: bytes) -> bytes:
    sign = _HASHED_SIGNS.get(rule[:1])
    return rule if sign is None else sign + hash_password(rule[1:]).encode("ascii")


# ---- ACL files -----------------------------------------------------------------------------------


def read_declarations(
    path: str, *, all_channels: bool, modules: bool = False
) -> list[tuple[str, ...]]:
    """Read an ACL file.

    :param all_channels: what selectors begin with: ``acl-pubsub-default``
    :param modules: there may be commands that are not known yet
    :return: name and rules of each user, without passwords in clear
    :raises ConfigurationError: it cannot be read, or has errors; the message tells all of them in
        one line, with the numbers of their lines
    """
    try:
        with Path(path).open("rb") as stream:
            content = stream.read(_MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ConfigurationError(
            f"Error loading ACLs, opening file '{path}': {error.strerror}"
        ) from error
    if len(content) > _MAX_FILE_BYTES:
        raise ConfigurationError(f"Error loading ACLs, file '{path}' is too large")
    return _Reader(path, all_channels=all_channels, modules=modules).read(content)


class _Reader:
    """Reads the lines of an ACL file, and goes on after errors to tell of all at once."""

    def __init__(self, path: str, *, all_channels: bool, modules: bool) -> None:
        self._path = path
        self._all_channels = all_channels
        self._modules = modules
        self._declarations: dict[bytes, tuple[str, ...]] = {}
        self._errors: list[str] = []

    def read(self, content: bytes) -> list[tuple[str, ...]]:
        """:raises ConfigurationError: there were errors"""
        for number, raw in enumerate(content.split(b"\n"), start=1):
            line = raw.strip(b" \t\r\n")
            if line:
                self._read_line(number, line.split(b" "))
        if self._errors:
            raise ConfigurationError(one_line(" ".join([*self._errors, _NOTHING_DONE])))
        return list(self._declarations.values())

    def _read_line(self, number: int, words: list[bytes]) -> None:
        place = f"{self._path}:{number}"
        if words[0] != b"user" or len(words) < 2:
            self._errors.append(f"{place} should start with user keyword followed by the username.")
            return
        name, rules = words[1], [word.strip(b"\t\r\n") for word in words[2:]]
        if has_space(name):
            self._errors.append(f"'{place}: username '{decode(name)}' contains invalid characters.")
        elif name in self._declarations:
            self._errors.append(f"WARNING: Duplicate user '{decode(name)}' found on line {number}.")
        else:
            self._declarations[name] = _hide_passwords([decode(word) for word in (name, *rules)])
            self._check_rules(place, name, rules)

    def _check_rules(self, place: str, name: bytes, words: list[bytes]) -> None:
        try:
            rules = merge_selectors(words)
        except UnmatchedParenthesisError:
            self._errors.append(f"{place}: Unmatched parenthesis in selector definition.")
            return
        user = User(name, all_channels=self._all_channels)
        told = False
        for rule in rules:
            try:
                apply_rule(user, rule, all_channels=self._all_channels)
            except RuleError as error:
                if error.is_unknown and not self._modules:
                    self._errors.append(
                        f"{place}: Error in applying operation '{decode(rule)}': {error}."
                    )
                elif not (told or error.is_unknown):
                    # The others may follow from the first one.
                    self._errors.append(f"{place}: {error}.")
                    told = True


def save_users(path: str, users: Iterable[User]) -> None:
    """Write an ACL file, in one step: a crash leaves the old or the new one.

    :raises OSError: it cannot be written
    """
    target = Path(os.path.realpath(path))
    try:
        mode = target.stat().st_mode & 0o777
    except FileNotFoundError:
        mode = _FILE_MODE
    lines = (b"user " + user.name + b" " + describe(user) + b"\n" for user in users)
    replace_file(target, b"".join(lines), mode)
