"""The simplest rules of a user, in the form in which the inner loop can look at them by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shmcache.commands.table import COMMANDS
from shmcache.server._frontend import NATIVE_NAMES, Guard
from shmcache.server.acl.check import keys_of_line
from shmcache.server.acl.users import READ, WRITE, literal_prefix

if TYPE_CHECKING:
    from shmcache.server.acl.users import Selector, User

__all__ = ["guard_for"]


def guard_for(user: User) -> Guard | None:
    """What a user may do for sure; None if there is nothing that can be told so simply."""
    guard: Guard | None = None
    for selector in reversed(user.selectors):
        needed = _needed(selector)
        if needed:
            guard = Guard(needed, _key_rules(selector), guard)
    return guard


def _needed(selector: Selector) -> dict[str, int]:
    """What each native command that the selector allows needs of its keys.

    Native code runs the plainest lines only: a longer one may need more, but is not for it.
    """
    needed: dict[str, int] = {}
    for name in NATIVE_NAMES:
        if selector.allows_command(name):
            keys = keys_of_line(COMMANDS[name], [name.encode(), b"key", b"value"])
            needed[name] = keys[0][1] if keys else 0
    return needed


def _key_rules(selector: Selector) -> list[tuple[bytes, bool, int, int]]:
    """The patterns that are a text, or a text and a star, as :class:`Guard` takes them."""
    if selector.all_keys:
        return [(b"", False, 0, READ | WRITE)]
    rules = []
    for pattern, keys in selector.keys.items():
        prefix = literal_prefix(pattern)
        if prefix is not None:
            whole = prefix == pattern
            # No pattern with a star fits the empty key.
            least = len(prefix) if whole else max(len(prefix), 1)
            rules.append((prefix, whole, least, keys.permissions))
    return rules
