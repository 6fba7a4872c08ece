"""Users and their selectors: what is known of whom."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Final, NamedTuple

from shmcache.commands.glob import compile_glob

if TYPE_CHECKING:
    from collections.abc import Callable

    from shmcache.server._frontend import Guard

__all__ = [
    "DEFAULT_USER",
    "READ",
    "WRITE",
    "KeyPattern",
    "Selector",
    "User",
    "hash_password",
    "literal_prefix",
]

DEFAULT_USER: Final = b"default"
READ: Final = 1
WRITE: Final = 2
_SPECIAL: Final = frozenset(b"*?[\\")


def hash_password(password: bytes) -> str:
    """A password as it is kept: the SHA-256 of it in hexadecimal."""
    return hashlib.sha256(password).hexdigest()


def _matcher(pattern: bytes) -> Callable[[bytes], bool]:
    """A function that tells whether a text fits a pattern; of most it is the beginning."""
    prefix = literal_prefix(pattern)
    if prefix and prefix != pattern:
        return lambda text: text.startswith(prefix)
    return compile_glob(pattern)


def literal_prefix(pattern: bytes) -> bytes | None:
    """What is before the star of a pattern that has one at its end and nothing else of the kind.

    :return: the whole pattern if it has none; None if it is another kind of pattern
    """
    prefix = pattern.removesuffix(b"*")
    return prefix if _SPECIAL.isdisjoint(prefix) else None


class KeyPattern(NamedTuple):
    """Keys that may be read, written, or both."""

    permissions: int
    """READ, WRITE or the sum of them."""
    fits: Callable[[bytes], bool]


class Selector:
    """One set of permissions: commands, keys and channels that go together.

    :ivar all_keys: any key may be read and written
    :ivar all_channels: any channel may be used
    :ivar unknown_commands: commands of which there is no rule are allowed: it began with ``+@all``
    :ivar exceptions: full names of the commands for which the contrary holds
    :ivar first_arguments: what a command that is not allowed may have as its first argument
    :ivar command_rules: the rules that led here since ``+@all`` or ``-@all``, in their order
    """

    __slots__ = (
        "_patterns",
        "all_channels",
        "all_keys",
        "channels",
        "command_rules",
        "exceptions",
        "first_arguments",
        "keys",
        "unknown_commands",
    )

    def __init__(self, *, all_channels: bool) -> None:
        self.all_keys = False
        self.keys: dict[bytes, KeyPattern] = {}
        self._patterns: dict[int, tuple[Callable[[bytes], bool], ...]] = {}
        self.all_channels = all_channels
        self.channels: dict[bytes, Callable[[bytes], bool]] = {}
        self.unknown_commands = False
        self.exceptions: set[str] = set()
        self.first_arguments: dict[str, list[bytes]] = {}
        self.command_rules: list[str] = []

    def copy(self) -> Selector:
        """Return one that changes apart from this one."""
        other = Selector(all_channels=self.all_channels)
        other.all_keys = self.all_keys
        other.keys = dict(self.keys)
        other.channels = dict(self.channels)
        other.unknown_commands = self.unknown_commands
        other.exceptions = set(self.exceptions)
        other.first_arguments = {name: list(words) for name, words in self.first_arguments.items()}
        other.command_rules = list(self.command_rules)
        return other

    @property
    def all_commands(self) -> bool:
        """Whether every command is allowed."""
        return self.unknown_commands and not self.exceptions

    def allows_command(self, name: str) -> bool:
        """Whether a command is allowed, whatever its arguments.

        :param name: the full name, in lower case
        """
        return self.unknown_commands != (name in self.exceptions)

    def allow_command(self, name: str, *, allowed: bool) -> None:
        """Allow or forbid a command."""
        if allowed == self.unknown_commands:
            self.exceptions.discard(name)
        else:
            self.exceptions.add(name)

    def allow_all_commands(self, *, allowed: bool) -> None:
        """Forget all that is known of commands, and allow or forbid them all."""
        self.unknown_commands = allowed
        self.exceptions.clear()
        self.first_arguments.clear()
        self.command_rules.clear()

    def allow_all_keys(self, *, allowed: bool) -> None:
        """Forget the patterns of keys, and allow all keys or none."""
        self.all_keys = allowed
        self.keys.clear()
        self._patterns.clear()

    def allow_all_channels(self, *, allowed: bool) -> None:
        """Forget the patterns of channels, and allow all channels or none."""
        self.all_channels = allowed
        self.channels.clear()

    def add_keys(self, pattern: bytes, permissions: int) -> None:
        """Allow keys; what was allowed to them before stays allowed."""
        self._patterns.clear()
        known = self.keys.get(pattern)
        if known is None:
            self.keys[pattern] = KeyPattern(permissions, _matcher(pattern))
        else:
            self.keys[pattern] = known._replace(permissions=known.permissions | permissions)

    def key_patterns(self, permissions: int) -> tuple[Callable[[bytes], bool], ...]:
        """What tells, of each pattern with these permissions at least, whether a key fits it."""
        patterns = self._patterns.get(permissions)
        if patterns is None:
            patterns = self._patterns[permissions] = tuple(
                keys.fits
                for keys in self.keys.values()
                if keys.permissions & permissions == permissions
            )
        return patterns

    def add_channels(self, pattern: bytes) -> None:
        """Allow channels."""
        self.channels[pattern] = _matcher(pattern)


class User:
    """A user. Everybody who is one holds the same object, so that a change counts at once.

    :ivar sanitizes: payloads of his RESTORE should be looked at closely. They always are; it is
        kept because Redis shows it
    :ivar passwords: the hashes; any of them lets in
    :ivar selectors: the user's own permissions, then further ones, of which any is enough
    :ivar guard: what he may do for sure, if he is restricted
    :ivar unrestricted: nothing that he asks for has to be looked at; as of the last `settle`
    """

    __slots__ = (
        "enabled",
        "guard",
        "name",
        "no_password",
        "passwords",
        "sanitizes",
        "selectors",
        "unrestricted",
    )

    def __init__(self, name: bytes, *, all_channels: bool) -> None:
        self.name = name
        self.enabled = False
        self.no_password = False
        self.sanitizes = True
        self.passwords: dict[str, None] = {}
        self.selectors = [Selector(all_channels=all_channels)]
        self.unrestricted = False
        self.guard: Guard | None = None

    @classmethod
    def make_default(cls) -> User:
        """Return the user that everybody is who does not log in, as he is at first: almighty."""
        user = cls(DEFAULT_USER, all_channels=True)
        user.enabled = user.no_password = True
        user.root.allow_all_keys(allowed=True)
        user.root.allow_all_commands(allowed=True)
        user.unrestricted = True
        return user

    @property
    def root(self) -> Selector:
        """The permissions outside parentheses."""
        return self.selectors[0]

    @property
    def text(self) -> str:
        """The name for lines of text."""
        return self.name.decode("utf-8", "surrogateescape")

    def copy(self) -> User:
        """Return one that changes apart from this one."""
        other = User(self.name, all_channels=False)
        other.become(self)
        return other

    def become(self, other: User) -> None:
        """Take over all of another user but the name."""
        self.enabled = other.enabled
        self.no_password = other.no_password
        self.sanitizes = other.sanitizes
        self.passwords = dict(other.passwords)
        self.selectors = [selector.copy() for selector in other.selectors]
        self.settle()

    def settle(self) -> None:
        """Note whether he is restricted, after his selectors were changed."""
        self.unrestricted = any(
            selector.all_keys and selector.all_channels and selector.all_commands
            for selector in self.selectors
        )

    def set_password(self, password: bytes) -> None:
        """Let this password in and no other; an empty one: let everybody in."""
        self.no_password = not password
        self.passwords = {hash_password(password): None} if password else {}

    def accepts(self, password: bytes) -> bool:
        """Whether somebody with this password may be this user."""
        if not self.enabled:
            return False
        if self.no_password:
            return True
        given = hash_password(password)
        # All are compared, each in constant time.
        return sum(hmac.compare_digest(given, known) for known in self.passwords) > 0
