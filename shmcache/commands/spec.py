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
    "KeyFinder",
    "KeySpec",
    "block",
    "command",
    "double",
    "integer",
    "key",
    "keys_after",
    "keys_counted",
    "keys_unknown",
    "one_of",
    "pattern",
    "string",
    "token",
    "unix_time",
]

CommandFunction: TypeAlias = Callable[[Any, Sequence[bytes]], Reply]
"""``function(context, args)``, args without the command's name (and the subcommand's)."""

KeyFinder: TypeAlias = Callable[[Sequence[bytes]], Sequence[tuple[int, tuple[str, ...]]]]
"""The positions of a whole command line's keys, and the flags of each one's use."""

CATEGORIES = (
    *("keyspace", "read", "write", "set", "sortedset", "list", "hash", "string", "bitmap"),
    *("hyperloglog", "geo", "stream", "pubsub", "admin", "fast", "slow", "blocking", "dangerous"),
    *("connection", "transaction", "scripting"),
)
"""ACL categories in the order in which Redis lists them."""


class KeySpec(NamedTuple):
    """Where keys stand: from word ``first`` on, every ``step``-th, up to ``last``.

    ``last`` counts from ``first`` when positive and from the end when negative. If ``limit`` is
    above 1 it counts from the end of that fraction of the words: the first half, the first third.
    """

    flags: tuple[str, ...]
    first: int
    last: int = 0
    step: int = 1
    notes: str = ""
    keyword: str = ""
    """The keys begin after the first such word, which stands at ``first`` or later."""
    counted: bool = False
    """The word at ``first`` says how many keys come right after it."""
    limit: int = 0
    unknown: bool = False
    """They cannot be told without the command's own knowledge, see ``Command.find_keys``."""

    @property
    def is_range(self) -> bool:
        """Whether the positions alone tell where the keys are."""
        return not (self.keyword or self.counted or self.unknown)


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
    repeats_token: bool = False
    """Each of several comes after the token."""


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
    find_keys: KeyFinder | None
    internal: bool
    """Not meant for applications: "syscmd" in COMMAND DOCS."""
    module: str = ""
    """Which module added it; empty for the commands of this package."""

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
    find_keys: KeyFinder | None = None,
    internal: bool = False,
) -> Command:
    """Declare a command; ``flags``, ``categories`` and ``tips`` are words separated by spaces.

    :param name: lower case; a subcommand's is ``container|name``
    :param function: what it does to the arena; None when only a server can do it
    :param variable_flags: the key flags of one call, where they depend on its arguments
    :param find_keys: finds the keys of one call, where specifications do not tell of them all
    """
    flag_words = tuple(flags.split())
    if _keys_move(keys):
        flag_words += ("movablekeys",)
    given = categories.split()
    chosen = _implied_categories(flag_words).union(given)
    if "scripting" in given and "read" not in given:
        chosen.discard("read")  # who may read may not therefore run scripts
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
        find_keys=find_keys,
        internal=internal,
    )


def _keys_move(keys: Sequence[KeySpec]) -> bool:
    """Whether clients that know only one range of keys cannot find them all."""
    several = len(keys) > 1
    last = 0
    for spec in keys:
        if not spec.is_range or "incomplete" in spec.flags:
            return True
        if several and (spec.step != 1 or (last and last != spec.first - 1)):
            return True
        last = spec.first + spec.last if spec.last >= 0 else spec.last
    return False


def key(flags: str, first: int = 1, *, last: int = 0, step: int = 1, notes: str = "") -> KeySpec:
    """Where keys stand and what happens to them: ``key("RW access update")``."""
    return KeySpec(tuple(flags.split()), first, last, step, notes)


def keys_counted(flags: str, first: int = 1, *, notes: str = "") -> KeySpec:
    """As many keys as the word at ``first`` says, right after it: ``numkeys key [key ...]``."""
    return KeySpec(tuple(flags.split()), first, notes=notes, counted=True)


def keys_after(
    flags: str,
    keyword: str,
    start: int = 1,
    *,
    last: int = 0,
    step: int = 1,
    limit: int = 0,
    notes: str = "",
) -> KeySpec:
    """Keys after a keyword that is looked for from word ``start`` on; ``last`` is as in `key`.

    ``keys_after("RO access", "STREAMS", last=-1, limit=2)``: the first half of what follows.
    """
    return KeySpec(tuple(flags.split()), start, last, step, notes, keyword=keyword, limit=limit)


def keys_unknown(flags: str, *, notes: str = "") -> KeySpec:
    """Keys that no position tells; give the command a ``find_keys``."""
    return KeySpec(tuple(flags.split()), 0, notes=notes, unknown=True)


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


def double(name: str, token: str = "") -> Argument:
    """A floating-point number, after ``token`` if there is one."""
    return Argument(name, "double", token)


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
