"""What the table says about a command, and small builders to say it with.

The vocabulary is Redis 7's: that of COMMAND INFO (flags, key specifications, tips) and COMMAND DOCS
(arguments), described at https://redis.io/docs/latest/develop/reference/key-specs/ and
https://redis.io/docs/latest/develop/reference/command-arguments/.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

from shmcache.commands.replies import Reply

__all__ = [
    "CATEGORIES",
    "KEY",
    "KEYS",
    "VALUE",
    "Argument",
    "Command",
    "CommandFunction",
    "KeySpec",
    "block",
    "command",
    "integer",
    "key",
    "one_of",
    "pattern",
    "string",
    "token",
    "unix_time",
]

CommandFunction: TypeAlias = Callable[[Any, Sequence[bytes]], Reply]
"""``function(context, args)``, args without the command's name (and the subcommand's)."""

CATEGORIES = (
    *("keyspace", "read", "write", "set", "sortedset", "list", "hash", "string", "bitmap"),
    *("hyperloglog", "geo", "stream", "pubsub", "admin", "fast", "slow", "blocking", "dangerous"),
    *("connection", "transaction", "scripting"),
)
"""ACL categories in the order in which Redis lists them."""


class KeySpec(NamedTuple):
    """Where keys stand: from word ``first`` on, every ``step``-th, up to ``last``.

    ``last`` counts from ``first`` when positive and from the end when negative.
    """

    flags: tuple[str, ...]
    first: int
    last: int = 0
    step: int = 1
    notes: str = ""


class Argument(NamedTuple):
    """One argument, for COMMAND DOCS. ``parts`` are those of a block or the choices of a oneof."""

    name: str
    type: str
    token: str = ""
    key_spec: int | None = None
    since: str = ""
    deprecated_since: str = ""
    optional: bool = False
    multiple: bool = False
    parts: tuple[Argument, ...] = ()


class Command(NamedTuple):
    """One command or subcommand. ``arity`` counts the name; negative: at least so many words."""

    name: str
    arity: int
    flags: tuple[str, ...]
    categories: tuple[str, ...]
    keys: tuple[KeySpec, ...]
    tips: tuple[str, ...]
    group: str
    since: str
    complexity: str
    summary: str
    arguments: tuple[Argument, ...]
    history: tuple[tuple[str, str], ...]
    deprecated_since: str
    replaced_by: str
    subcommands: dict[str, Command]
    function: CommandFunction | None
    variable_flags: Callable[[Sequence[bytes]], tuple[str, ...]] | None

    def accepts(self, words: int) -> bool:
        """Whether so many words, names included, are a right number."""
        return words == self.arity if self.arity >= 0 else words >= -self.arity


def _implied_categories(flags: Sequence[str]) -> set[str]:
    """The ACL categories that follow from a command's flags."""
    implied = {"fast" if "fast" in flags else "slow"}
    for flag, categories in (
        ("write", ("write",)),
        ("readonly", ("read",)),
        ("admin", ("admin", "dangerous")),
        ("pubsub", ("pubsub",)),
        ("blocking", ("blocking",)),
    ):
        if flag in flags:
            implied.update(categories)
    return implied


def command(  # noqa: PLR0913 - a declaration has as many parts as Redis gave it
    name: str,
    arity: int,
    flags: str,
    summary: str,
    *,
    group: str,
    since: str,
    complexity: str = "O(1)",
    categories: str = "",
    keys: Sequence[KeySpec] = (),
    tips: str = "",
    arguments: Sequence[Argument] = (),
    history: Sequence[tuple[str, str]] = (),
    deprecated_since: str = "",
    replaced_by: str = "",
    subcommands: Sequence[Command] = (),
    function: CommandFunction | None = None,
    variable_flags: Callable[[Sequence[bytes]], tuple[str, ...]] | None = None,
) -> Command:
    """Declare a command; ``flags``, ``categories`` and ``tips`` are words separated by spaces.

    :param name: lower case; a subcommand's is ``container|name``
    :param function: what it does to the arena; None when only a server can do it
    :param variable_flags: the key flags of one call, where they depend on its arguments
    """
    flag_words = tuple(flags.split())
    chosen = _implied_categories(flag_words).union(categories.split())
    return Command(
        name=name,
        arity=arity,
        flags=flag_words,
        categories=tuple(category for category in CATEGORIES if category in chosen),
        keys=tuple(keys),
        tips=tuple(tips.split()),
        group=group,
        since=since,
        complexity=complexity,
        summary=summary,
        arguments=tuple(arguments),
        history=tuple(history),
        deprecated_since=deprecated_since,
        replaced_by=replaced_by,
        subcommands={part.name: part for part in subcommands},
        function=function,
        variable_flags=variable_flags,
    )


def key(flags: str, first: int = 1, *, last: int = 0, step: int = 1, notes: str = "") -> KeySpec:
    """Where keys stand and what happens to them: ``key("RW access update")``."""
    return KeySpec(tuple(flags.split()), first, last, step, notes)


KEY = Argument("key", "key", key_spec=0)
KEYS = Argument("key", "key", key_spec=0, multiple=True)
VALUE = Argument("value", "string")


def string(
    name: str, token: str = "", *, since: str = "", optional: bool = False, multiple: bool = False
) -> Argument:
    """Any bytes, after ``token`` if there is one."""
    return Argument(name, "string", token, since=since, optional=optional, multiple=multiple)


def integer(
    name: str, token: str = "", *, since: str = "", optional: bool = False, multiple: bool = False
) -> Argument:
    """A 64-bit signed integer, after ``token`` if there is one."""
    return Argument(name, "integer", token, since=since, optional=optional, multiple=multiple)


def unix_time(name: str, token: str = "", *, since: str = "") -> Argument:
    """An absolute time."""
    return Argument(name, "unix-time", token, since=since)


def pattern(
    name: str, token: str = "", *, optional: bool = False, multiple: bool = False
) -> Argument:
    """A glob pattern."""
    return Argument(name, "pattern", token, optional=optional, multiple=multiple)


def token(word: str, *, since: str = "", optional: bool = False) -> Argument:
    """A word that stands for itself, such as NX."""
    return Argument(word.lower(), "pure-token", word, since=since, optional=optional)


def one_of(
    name: str,
    *parts: Argument,
    word: str = "",
    since: str = "",
    optional: bool = False,
    multiple: bool = False,
) -> Argument:
    """A choice between ``parts``, after ``word`` if there is one."""
    return Argument(
        name, "oneof", word, since=since, optional=optional, multiple=multiple, parts=parts
    )


def block(
    name: str,
    *parts: Argument,
    word: str = "",
    since: str = "",
    optional: bool = False,
    multiple: bool = False,
) -> Argument:
    """Arguments that come together, after ``word`` if there is one."""
    return Argument(
        name, "block", word, since=since, optional=optional, multiple=multiple, parts=parts
    )
