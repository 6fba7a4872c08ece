"""The doorkeeper: who may come in, who may do what, and what becomes of those who no longer may."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from shmcache.commands.replies import CommandError, as_c_string, one_line
from shmcache.config.lexer import decode, encode
from shmcache.server.acl.check import allows_channel, denial_of, explain
from shmcache.server.acl.files import declared_users, words_of
from shmcache.server.acl.guards import guard_for
from shmcache.server.acl.log import AclLog
from shmcache.server.acl.rules import (
    RuleError,
    UnmatchedParenthesisError,
    apply_rule,
    has_space,
    merge_selectors,
    replay_command_rules,
)
from shmcache.server.acl.users import DEFAULT_USER, User

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from shmcache.commands.dispatch import Entry
    from shmcache.server.client import Client

__all__ = ["SCRIPT", "Access"]

_log = logging.getLogger("shmcache.server")

SCRIPT: Final = "lua"
"""Where a command comes from that a script calls, in ACL LOG's words."""
_CHANGED_SINCE: Final = (
    "NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC "
    "call. This command is no longer allowed for the following reason: "
)
_REASONS: Final = {
    "command": "no permission to execute the command or subcommand",
    "key": "no permission to touch the specified keys",
    "channel": "no permission to access one of the channels used as arguments to the command",
}


class Access:
    """The users of a front-end.

    :param clients: everybody who is connected
    :param on_users: called with what has changed: for each user's name the words of the option
        ``user`` that declare him, or None when none need to
    :ivar default: the user of those who do not log in
    :ivar all_channels: what new selectors may: ``acl-pubsub-default``
    :ivar denials: how often something was refused, by reason
    """

    def __init__(
        self,
        clients: Mapping[int, Client],
        on_users: Callable[[dict[str, tuple[str, ...] | None]], None],
    ) -> None:
        self._clients = clients
        self._on_users = on_users
        self._users: dict[bytes, User] = {}
        self._told: dict[str, tuple[str, ...]] = {}
        self._password = b""
        self.default = self._users[DEFAULT_USER] = User.make_default()
        self.all_channels = False
        self.log = AclLog()
        self.reset_counts()

    def reset_counts(self) -> None:
        """Count refusals anew (CONFIG RESETSTAT)."""
        self.denials = dict.fromkeys(("auth", "command", "key", "channel"), 0)

    # who comes in

    @property
    def needs_login(self) -> bool:
        """Whether a new connection must log in before anything else."""
        return not (self.default.no_password and self.default.enabled)

    def find(self, name: bytes) -> User | None:
        """The user of that name."""
        return self._users.get(name)

    def all_users(self) -> list[User]:
        """All users, by name."""
        return [self._users[name] for name in sorted(self._users)]

    def log_in(self, client: Client, name: bytes, password: bytes, command: bytes) -> bool:
        """Make a client a user if the password is right; note it if it is not.

        :param command: by which it tried
        """
        user = self._users.get(name)
        if user is None or not user.accepts(password):
            self._note(client, "auth", _context(client), command, name)
            return False
        client.user = user
        client.authenticated = True
        client.apply()
        return True

    # who may do what

    def permission_error(
        self, client: Client, entry: Entry, words: Sequence[bytes], context: str
    ) -> CommandError | None:
        """Why a client's user may not run a command line, noted in the log; None when he may.

        :param context: where the line comes from: SCRIPT, or empty: from the client
        """
        user = client.user
        if user.unrestricted:
            return None
        denial = denial_of(user, entry.command, words)
        if denial is None:
            return None
        self._note(client, denial.reason, context or _context(client), denial.object, user.name)
        prefix = "ERR ACL failure in script:" if context == SCRIPT else "NOPERM"
        return CommandError(f"{prefix} {one_line(explain(user, denial))}")

    def allows(self, client: Client, entry: Entry, words: Sequence[bytes]) -> bool:
        """Whether a client's user may run a command line; nothing is noted."""
        user = client.user
        return user.unrestricted or denial_of(user, entry.command, words) is None

    def exec_error(
        self, client: Client, entry: Entry, words: Sequence[bytes]
    ) -> CommandError | None:
        """Why a client's user may no longer run what it has queued."""
        if client.user.unrestricted:
            return None
        denial = denial_of(client.user, entry.command, words)
        if denial is None:
            return None
        self._note(client, denial.reason, "multi", denial.object, client.user.name)
        return CommandError(_CHANGED_SINCE + _REASONS[denial.reason])

    def _note(
        self, client: Client, reason: str, context: str, name: bytes, username: bytes
    ) -> None:
        self.denials[reason] += 1
        self.log.add(reason, context, name, username, client.describe())

    # changes

    def set_user(self, actor: Client, name: bytes, rules: Sequence[bytes]) -> None:
        """Make or change a user: all of the rules are applied, or none.

        :param actor: who asked for it
        :raises CommandError: no name for a user, or a rule that cannot be applied
        """
        if has_space(name):
            raise CommandError("ERR Usernames can't contain spaces or null characters")
        known = self._users.get(name)
        user = User(name, all_channels=self.all_channels) if known is None else known.copy()
        for rule in _merged(rules):
            try:
                apply_rule(user, rule, all_channels=self.all_channels)
            except RuleError as error:
                shown = one_line(as_c_string(rule))
                raise CommandError(
                    f"ERR Error in ACL SETUSER modifier '{shown}': {error}"
                ) from error
        self._put(user, actor)
        self._tell([name])

    def delete_users(self, actor: Client, names: Iterable[bytes]) -> int:
        """Delete users, and close their connections.

        :return: how many there were
        """
        gone = [name for name in dict.fromkeys(names) if name in self._users]
        for name in gone:
            self._remove(name, actor)
        self._tell(gone)
        return len(gone)

    def replace_users(self, users: Iterable[User], actor: Client | None = None) -> None:
        """Have these users and no others; the default one is as without rules if not among them.

        :param actor: who asked for it
        """
        self._tell(self._replace(users, actor))

    def _replace(self, users: Iterable[User], actor: Client | None) -> set[bytes]:
        """:return: the names of all whom there was or is"""
        fresh = {user.name: user for user in users}
        fresh.setdefault(DEFAULT_USER, self._implied_default())
        names = self._users.keys() | fresh.keys()
        for name in self._users.keys() - fresh.keys():
            self._remove(name, actor)
        for user in fresh.values():
            self._put(user, actor)
        return names

    def declare_users(self, lines: Iterable[Sequence[str]]) -> None:
        """Have the users that the supervisor tells of.

        :raises ConfigurationError: a line is none of a user's
        """
        users = declared_users(lines, all_channels=self.all_channels, on_unknown=_log.warning)
        self._replace(users, None)
        self._told = {words[0]: words for words in self.declarations()}

    def replay_rules(self) -> None:
        """Apply the rules on commands once more: there are other commands now."""
        for user in self._users.values():
            for selector in user.selectors:
                replay_command_rules(selector)
            user.settle()
            self._apply(user)

    def set_default_password(self, password: str) -> None:
        """Let the default user in with this password only; an empty one: without any."""
        self._password = encode(password)
        self.default.set_password(self._password)
        self._apply(self.default)
        self._tell([DEFAULT_USER])

    def declarations(self) -> tuple[tuple[str, ...], ...]:
        """The option ``user`` as it should be, for a start that finds the same users."""
        lines = map(self._declaration, sorted(self._users))
        return tuple(line for line in lines if line is not None)

    def _declaration(self, name: bytes) -> tuple[str, ...] | None:
        user = self._users.get(name)
        if user is None:
            return None
        words = words_of(user)
        implied = user is self.default and words == words_of(self._implied_default())
        return None if implied else words

    def _implied_default(self) -> User:
        """The default user if nobody has declared one."""
        user = User.make_default()
        user.set_password(self._password)
        return user

    def _tell(self, names: Iterable[bytes]) -> None:
        """Pass on what is not known yet of these users."""
        changes: dict[str, tuple[str, ...] | None] = {}
        for name in names:
            text, words = decode(name), self._declaration(name)
            if words == self._told.get(text):
                continue
            changes[text] = words
            if words is None:
                del self._told[text]
            else:
                self._told[text] = words
        if changes:
            self._on_users(changes)

    def _put(self, user: User, actor: Client | None) -> None:
        """Have a user; one who is known becomes like him, and stays who he is to his clients."""
        known = self._users.get(user.name)
        if known is None:
            self._users[user.name] = user.copy()
            self._apply(self._users[user.name])
            return
        channels = _lost_channels(known, user)
        known.become(user)
        if channels is not None:
            for client in self._clients_of(known):
                if _hears_more(client, channels):
                    self._disconnect(client, actor)
        self._apply(known)

    def _remove(self, name: bytes, actor: Client | None) -> None:
        user = self._users.pop(name)
        for client in self._clients_of(user):
            self._disconnect(client, actor)

    def _clients_of(self, user: User) -> list[Client]:
        return [client for client in self._clients.values() if client.user is user]

    def _disconnect(self, client: Client, actor: Client | None) -> None:
        client.user = self.default
        client.authenticated = False
        client.apply()
        if client is actor:
            client.dies_after_reply = True
        else:
            client.connection.close()

    def _apply(self, user: User) -> None:
        """Make a change count for those who are connected; anybody may have to log in now."""
        user.guard = None if user.unrestricted else guard_for(user)
        for client in self._clients.values():
            if client.user is user or user is self.default:
                client.apply()


def _context(client: Client) -> str:
    return "toplevel" if client.queue is None else "multi"


def _merged(rules: Sequence[bytes]) -> list[bytes]:
    try:
        return merge_selectors(rules)
    except UnmatchedParenthesisError as error:
        opening = one_line(as_c_string(rules[error.position]))
        raise CommandError(
            f"ERR Unmatched parenthesis in acl selector starting at '{opening}'."
        ) from error


def _lost_channels(before: User, after: User) -> dict[bytes, Callable[[bytes], bool]] | None:
    """The channels that a user may still use; None if he has lost none."""
    if any(selector.all_channels for selector in after.selectors):
        return None
    left = {
        pattern: fits for selector in after.selectors for pattern, fits in selector.channels.items()
    }
    had_all = any(selector.all_channels for selector in before.selectors)
    had = {pattern for selector in before.selectors for pattern in selector.channels}
    return left if had_all or not had <= left.keys() else None


def _hears_more(client: Client, channels: dict[bytes, Callable[[bytes], bool]]) -> bool:
    """Whether a client listens to something else than these channels."""
    return not (
        all(allows_channel(channels, name, literal=True) for name in client.patterns)
        and all(allows_channel(channels, name, literal=False) for name in client.channels)
        and all(allows_channel(channels, name, literal=False) for name in client.shard_channels)
    )
