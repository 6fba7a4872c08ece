"""Which words of a command line nobody else may see: passwords, in MONITOR and SLOWLOG."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["without_secrets"]

_HIDDEN: Final = b"(redacted)"
_SECRET_OPTIONS: Final = frozenset(
    (b"requirepass", b"masterauth", b"tls-key-file-pass", b"tls-client-key-file-pass")
)
_SECRET_ACL: Final = frozenset(("acl|setuser", "acl|deluser", "acl|getuser"))
_HOLDERS: Final = frozenset(("auth", "hello", "config|set")) | _SECRET_ACL
_LONGEST_AUTH: Final = 3


def without_secrets(name: str, words: Sequence[bytes]) -> Sequence[bytes]:
    """The words with Redis's stand-in for each one that is secret.

    :param name: the command's full name: ``config|set``
    """
    if name not in _HOLDERS:
        return words
    shown = list(words)
    for position in _positions(name, words):
        shown[position] = _HIDDEN
    return shown


def _positions(name: str, words: Sequence[bytes]) -> Iterable[int]:
    if name == "auth":
        return range(1, len(words)) if len(words) <= _LONGEST_AUTH else ()
    if name == "hello":
        return _of_hello(words)
    if name in _SECRET_ACL:
        return range(2, len(words))
    return (
        position + 1
        for position in range(2, len(words) - 1, 2)
        if words[position].lower() in _SECRET_OPTIONS
    )


def _of_hello(words: Sequence[bytes]) -> list[int]:
    """The name and the password after AUTH; nothing beyond what HELLO does not understand."""
    hidden: list[int] = []
    position = 2
    while position + 1 < len(words):
        option = words[position].upper()
        if option == b"AUTH" and position + 2 < len(words):
            hidden += (position + 1, position + 2)
            position += 3
        elif option == b"SETNAME":
            position += 2
        else:
            break
    return hidden
