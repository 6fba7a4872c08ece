"""What there is to know of the commands: help texts, hints while typing, completions."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, NamedTuple

from shmcache import __version__
from shmcache.commands.table import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from shmcache.commands.spec import Argument, Command

__all__ = ["completions", "help_text", "hint"]

_GENERAL = f"""\
shmcache-cli {__version__}
To get help about commands type:
      "help @<group>" to get a list of commands in <group>
      "help <command>" for help on <command>
      "help <tab>" to get a list of possible help topics
      "quit" to exit

Preferences of this session:
      ":set hints" enable online hints
      ":set nohints" disable online hints
"""


class _Entry(NamedTuple):
    words: tuple[str, ...]
    """The name in capitals; two words for a subcommand."""
    arguments: str
    command: Command


@functools.cache
def _entries() -> tuple[_Entry, ...]:
    """All commands and subcommands by name."""
    return tuple(sorted(_all(COMMANDS.values(), ()), key=lambda entry: entry.words))


def _all(commands: Iterable[Command], above: tuple[str, ...]) -> Iterator[_Entry]:
    for command in commands:
        words = (*above, command.name.rpartition("|")[2].upper())
        yield _Entry(words, " ".join(map(_argument, command.arguments)), command)
        yield from _all(command.subcommands.values(), words)


def _argument(argument: Argument) -> str:
    """One argument as Redis's documentation writes it: ``[EX seconds|PX milliseconds]``."""
    if argument.type == "pure-token":
        text = argument.token
    else:
        between = "|" if argument.type == "oneof" else " "
        text = between.join(map(_argument, argument.parts)) if argument.parts else argument.name
        once = f"{argument.token or ''} {text}".lstrip()
        repeated = once if argument.repeats_token else text
        text = f"{once} [{repeated} ...]" if argument.multiple else once
    return f"[{text}]" if argument.optional else text


def help_text(words: Sequence[bytes]) -> bytes:
    """Return what ``help WORDS...`` shows."""
    if not words:
        return _GENERAL.encode()
    wanted = tuple(word.decode(errors="replace").upper() for word in words)
    if wanted[0].startswith("@") and len(wanted) == 1:
        group = wanted[0][1:].lower().replace("_", "-")
        shown = [
            _described(entry, with_group=False)
            for entry in _entries()
            if entry.command.group.replace("_", "-") == group
        ]
    else:
        shown = [
            _described(entry, with_group=True)
            for entry in _entries()
            if entry.words[: len(wanted)] == wanted
        ]
    return ("".join(shown) + "\r\n").encode()


def _described(entry: _Entry, *, with_group: bool) -> str:
    text = (
        f"\r\n  \x1b[1m{' '.join(entry.words)}\x1b[0m \x1b[90m{entry.arguments}\x1b[0m\r\n"
        f"  \x1b[33msummary:\x1b[0m {entry.command.summary}\r\n"
        f"  \x1b[33msince:\x1b[0m {entry.command.since}\r\n"
    )
    return text + f"  \x1b[33mgroup:\x1b[0m {entry.command.group}\r\n" if with_group else text


def completions(line: str) -> list[str]:
    """Return whole lines that begin as ``line`` does, its case kept where it can be."""
    lead, sought = "", line
    topics = [" ".join(entry.words) for entry in _entries()]
    if line[:5].lower() == "help ":
        sought = line[5:].lstrip()
        lead = line[: len(line) - len(sought)]
        topics += sorted({f"@{entry.command.group}" for entry in _entries()})
    if sought.islower():
        topics = [topic.lower() for topic in topics]
    return [lead + topic for topic in topics if topic.lower().startswith(sought.lower())]


def hint(words: Sequence[str]) -> str:
    """Return the arguments that are still to come after ``words``, as far as they can be told."""
    wanted = tuple(word.upper() for word in words)
    found: _Entry | None = None
    for entry in _entries():
        if entry.words == wanted[: len(entry.words)]:
            found = entry if found is None or len(entry.words) > len(found.words) else found
    if found is None:
        return ""
    left = found.arguments
    for _ in words[len(found.words) :]:
        if not left or left.startswith("["):  # which option was given cannot be told by counting
            break
        left = left.partition(" ")[2]
    return left
