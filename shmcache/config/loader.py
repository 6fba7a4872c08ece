"""Where a configuration comes from: a file and what it includes, standard input, the command line.

They are read in this order and the last one to name an option wins, as in ``redis-server``.
"""

from __future__ import annotations

import glob
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from shmcache.config.config import Config
from shmcache.config.lexer import encode, quote, split_arguments
from shmcache.config.table import find_directive, find_option
from shmcache.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

__all__ = ["CommandLine", "Loaded", "load", "parse_command_line"]

_MAX_INCLUDE_DEPTH: Final = 16
_MAX_FILE_BYTES: Final = 16 << 20
_SHOWN_CHARACTERS: Final = 200
_PASSWORD: Final = re.compile(r"(\s[<>])\S+")


class CommandLine(NamedTuple):
    """A command line taken apart."""

    path: str | None
    """The configuration file, absolute."""
    stdin: bool
    """Standard input holds configuration lines too (a ``-``)."""
    options: tuple[tuple[str, ...], ...]
    """Each ``--option`` with its values."""


class Loaded(NamedTuple):
    """A configuration, and which options somebody gave, whatever the value."""

    config: Config
    given: frozenset[str]

    @property
    def unused(self) -> list[str]:
        """Names of the options that were given and have no effect here."""
        options = map(find_option, sorted(self.given))
        return [option.name for option in options if option is not None and not option.used]


class _Line(NamedTuple):
    """A directive and how to speak of it in an error."""

    place: str
    text: str
    arguments: list[str]


def parse_command_line(arguments: Sequence[str]) -> CommandLine:
    """Take apart ``[FILE] [-] [--option value ...] [-]``, without the program's name.

    What follows an ``--option`` is its first value even when it starts with dashes, so that
    passwords may; only ``--save`` may have none, which means that nothing is ever saved.

    :raises ConfigurationError: a value that belongs to no option
    """
    rest = list(arguments)
    stdin = "-" in (rest[:1] + rest[-1:] if len(rest) > 1 else rest)
    if stdin:
        rest.pop(0 if rest[0] == "-" else -1)
    path = rest.pop(0) if rest and not rest[0].startswith("-") else None
    if path is not None and not stdin and rest[:1] == ["-"]:
        stdin = bool(rest.pop(0))
    options: list[list[str]] = []
    wants_value = False
    for argument in rest:
        if wants_value or not argument.startswith("--"):
            if not options:
                raise ConfigurationError(f"unexpected argument {argument!r}: options start with --")
            options[-1].append(argument)
            wants_value = False
            continue
        # one argument may hold name and value: "--port 6380"
        words = _split(argument[2:], f"argument {argument!r}") or [""]
        options.append(words)
        wants_value = len(words) == 1 and words[0].lower() != "save"
    for words in options:
        if [word.lower() for word in words] == ["save"]:
            words.append("")
    absolute = None if path is None else os.path.abspath(path)  # noqa: PTH100 - keeps symlinks
    return CommandLine(absolute, stdin, tuple(map(tuple, options)))


def load(
    command_line: CommandLine,
    *,
    stdin: bytes = b"",
    defaults: Mapping[str, str] | None = None,
    checks: Mapping[str, Callable[[Sequence[str]], Sequence[str]]] | None = None,
) -> Loaded:
    """Read a configuration.

    :param command_line: which sources there are
    :param stdin: the lines from standard input, if any
    :param defaults: see :class:`~shmcache.config.config.Config`
    :param checks: by option, what looks at the arguments of each of its lines first, and returns
        those to keep or raises a ValueError that tells what is wrong
    :raises ConfigurationError: a file cannot be read, or a line is wrong; the message is one line
        that says where
    """
    config = Config(defaults, path=command_line.path)
    given: set[str] = set()
    for line in _lines(command_line, stdin):
        name, *arguments = line.arguments
        option = find_directive(name)
        first = option is None or option.name not in given
        check = None if option is None else (checks or {}).get(option.name)
        try:
            kept = check(arguments) if check is not None and arguments else arguments
            values = config.parse_directive(name, kept, first=first)
        except ValueError as error:
            raise ConfigurationError(_complaint(line, str(error))) from error
        config.commit(values)
        given.update(values)
    return Loaded(config, frozenset(given))


def _lines(command_line: CommandLine, stdin: bytes) -> Iterator[_Line]:
    if command_line.path is not None:
        yield from _file(command_line.path, 0)
    yield from _directives(stdin, "standard input", 0)
    for name, *values in command_line.options:
        text = " ".join([f"--{name}", *values])
        yield _Line("command line", text, [name, *values])


def _file(path: str, depth: int) -> Iterator[_Line]:
    if depth > _MAX_INCLUDE_DEPTH:
        raise ConfigurationError(f"config file '{path}' includes itself, or is nested too deep")
    try:
        with Path(path).open("rb") as stream:
            content = stream.read(_MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ConfigurationError(f"can't open config file '{path}': {error.strerror}") from error
    if len(content) > _MAX_FILE_BYTES:
        raise ConfigurationError(f"config file '{path}' is larger than {_MAX_FILE_BYTES} bytes")
    yield from _directives(content, path, depth)


def _directives(content: bytes, source: str, depth: int) -> Iterator[_Line]:
    for number, raw in enumerate(content.split(b"\n"), start=1):
        stripped = raw.strip(b" \t\r")
        if not stripped or stripped.startswith(b"#"):
            continue
        place = f"{source} line {number}"
        text = stripped.decode("utf-8", "replace")
        arguments = _split(stripped, place)
        if not arguments:
            continue
        if arguments[0].lower() == "include":
            if len(arguments) != 2:
                complaint = _Line(place, text, arguments)
                raise ConfigurationError(
                    _complaint(complaint, "Bad directive or wrong number of arguments")
                )
            for path in _included(arguments[1]):
                yield from _file(path, depth + 1)
        else:
            yield _Line(place, text, arguments)


def _included(pattern: str) -> list[str]:
    """Return the files that an include names; a pattern may match none, a name must exist."""
    if not glob.has_magic(pattern):
        return [pattern]
    return sorted(glob.glob(pattern))  # noqa: PTH207 - relative to the working directory, as given


def _split(line: bytes | str, place: str) -> list[str]:
    raw = encode(line) if isinstance(line, str) else line
    try:
        return split_arguments(raw)
    except ValueError as error:
        text = raw.decode("utf-8", "replace")
        raise ConfigurationError(_complaint(_Line(place, text, []), str(error))) from error


def _complaint(line: _Line, reason: str) -> str:
    """Put an error into one line of printable text."""
    text = line.text
    if text[:5].lower() in {"user ", "--use"}:
        text = _PASSWORD.sub(r"\1(redacted)", text)
    shown = text[:_SHOWN_CHARACTERS]
    if not shown.isprintable():
        shown = quote(shown)
    return f"{line.place}: '{shown}': {reason}"
