"""COMMAND and its subcommands: the table, told to clients in Redis's shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shmcache.commands.glob import glob_matches
from shmcache.commands.keys import KeyUse, key_range, keys_of
from shmcache.commands.replies import CommandError, Reply, SetReply, syntax_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from shmcache.commands.context import Context
    from shmcache.commands.spec import Argument, Command, KeySpec

__all__ = ["Introspection"]


class Introspection:
    """The functions behind COMMAND.

    :param table: the commands by lower-case name; it may still grow
    """

    def __init__(self, table: Mapping[str, Command]) -> None:
        self._table = table

    def describe_all(self, context: Context, args: Sequence[bytes]) -> Reply:  # noqa: ARG002
        """COMMAND."""
        return [_info(command) for command in self._table.values()]

    def count(self, context: Context, args: Sequence[bytes]) -> Reply:  # noqa: ARG002
        """COMMAND COUNT."""
        return len(self._table)

    def info(self, context: Context, args: Sequence[bytes]) -> Reply:
        """COMMAND INFO [name ...]: null for a name there is none of."""
        if not args:
            return self.describe_all(context, args)
        found = (self._find(name) for name in args)
        return [None if command is None else _info(command) for command in found]

    def docs(self, context: Context, args: Sequence[bytes]) -> Reply:  # noqa: ARG002
        """COMMAND DOCS [name ...]: unknown names are left out."""
        found = [self._find(name) for name in args] if args else self._table.values()
        return {command.name.encode(): _docs(command) for command in found if command is not None}

    def list_names(self, context: Context, args: Sequence[bytes]) -> Reply:  # noqa: ARG002
        """COMMAND LIST [FILTERBY MODULE name | ACLCAT category | PATTERN pattern]."""
        if not args:
            return [command.name.encode() for command in self._all()]
        if len(args) != 3 or args[0].upper() != b"FILTERBY":
            raise syntax_error()
        wanted = _filter(args[1].upper(), args[2])
        return [command.name.encode() for command in self._all() if wanted(command)]

    def get_keys(self, context: Context, args: Sequence[bytes]) -> Reply:  # noqa: ARG002
        """COMMAND GETKEYS command [arg ...]."""
        return [use.key for use in self._keys_of_line(args)]

    def get_keys_and_flags(self, context: Context, args: Sequence[bytes]) -> Reply:  # noqa: ARG002
        """COMMAND GETKEYSANDFLAGS command [arg ...]."""
        return [[use.key, SetReply(use.flags)] for use in self._keys_of_line(args)]

    def _find(self, name: bytes) -> Command | None:
        """A command by name, a subcommand by ``container|name``, in any case."""
        text = name.decode("utf-8", "surrogateescape").lower()
        container, bar, _ = text.partition("|")
        command = self._table.get(container)
        return command.subcommands.get(text) if command is not None and bar else command

    def _all(self) -> Iterator[Command]:
        for command in self._table.values():
            yield command
            yield from command.subcommands.values()

    def _keys_of_line(self, words: Sequence[bytes]) -> list[KeyUse]:
        command = self._command_of_line(words)
        uses = keys_of(command, words)
        if not uses and "no_mandatory_keys" not in command.flags:
            raise CommandError("ERR Invalid arguments specified for command")
        return uses

    def _command_of_line(self, words: Sequence[bytes]) -> Command:
        command = self._find(words[0].partition(b"|")[0]) if b"|" not in words[0] else None
        if command is not None and command.subcommands and len(words) > 1:
            command = self._find(words[0] + b"|" + words[1])
        if command is None:
            raise CommandError("ERR Invalid command specified")
        if all("not_key" in spec.flags for spec in command.keys):
            raise CommandError("ERR The command has no key arguments")
        if not command.accepts(len(words)):
            raise CommandError("ERR Invalid number of arguments specified for command")
        return command


def _filter(kind: bytes, value: bytes) -> Callable[[Command], bool]:
    if kind == b"MODULE":
        module = value.decode("utf-8", "surrogateescape")
        return lambda command: command.module == module != ""
    if kind == b"ACLCAT":
        category = value.decode("utf-8", "surrogateescape").lower()
        return lambda command: category in command.categories
    if kind == b"PATTERN":
        pattern = value.lower()
        return lambda command: glob_matches(pattern, command.name.encode())
    raise syntax_error()


# ---- COMMAND INFO --------------------------------------------------------------------------------


def _info(command: Command) -> Reply:
    keys = key_range(command)
    subcommands = list(map(_info, command.subcommands.values()))
    return [
        command.name.encode(),
        command.arity,
        SetReply(command.flags),
        keys.first,
        keys.last,
        keys.step,
        SetReply(f"@{category}" for category in command.categories),
        SetReply(tip.encode() for tip in command.tips),
        SetReply(map(_key_spec, command.keys)),
        subcommands or SetReply(),  # Redis's kinds, too
    ]


def _key_spec(spec: KeySpec) -> Reply:
    described: dict[Reply, Reply] = {}
    if spec.notes:
        described[b"notes"] = spec.notes.encode()
    described[b"flags"] = SetReply(spec.flags)
    described[b"begin_search"], described[b"find_keys"] = _begin_search(spec), _find_keys(spec)
    return described


def _begin_search(spec: KeySpec) -> Reply:
    if spec.unknown:
        return {b"type": b"unknown", b"spec": {}}
    if spec.keyword:
        where: dict[Reply, Reply] = {b"keyword": spec.keyword.encode(), b"startfrom": spec.first}
        return {b"type": b"keyword", b"spec": where}
    return {b"type": b"index", b"spec": {b"index": spec.first}}


def _find_keys(spec: KeySpec) -> Reply:
    if spec.unknown:
        return {b"type": b"unknown", b"spec": {}}
    if spec.counted:
        return {
            b"type": b"keynum",
            b"spec": {b"keynumidx": 0, b"firstkey": 1, b"keystep": spec.step},
        }
    return {
        b"type": b"range",
        b"spec": {b"lastkey": spec.last, b"keystep": spec.step, b"limit": spec.limit},
    }


# ---- COMMAND DOCS --------------------------------------------------------------------------------


def _docs(command: Command) -> Reply:
    described: dict[Reply, Reply] = {
        b"summary": command.summary.encode(),
        b"since": command.since.encode(),
        b"group": command.group.encode(),
    }
    if command.complexity:
        described[b"complexity"] = command.complexity.encode()
    if command.module:
        described[b"module"] = command.module.encode()
    flags: tuple[str, ...] = ("deprecated",) if command.deprecated_since else ()
    if command.internal:
        flags += ("syscmd",)
    if flags:
        described[b"doc_flags"] = SetReply(flags)
    if command.deprecated_since:
        described[b"deprecated_since"] = command.deprecated_since.encode()
        described[b"replaced_by"] = command.replaced_by.encode()
    if command.history:
        described[b"history"] = SetReply(
            [version.encode(), change.encode()] for version, change in command.history
        )
    if command.arguments:
        described[b"arguments"] = list(map(_argument, command.arguments))
    if command.subcommands:
        described[b"subcommands"] = {
            name.encode(): _docs(subcommand) for name, subcommand in command.subcommands.items()
        }
    return described


def _argument(argument: Argument) -> Reply:
    described: dict[Reply, Reply] = {
        b"name": argument.name.encode(),
        b"type": argument.type.encode(),
    }
    if argument.key_spec is not None:
        described[b"key_spec_index"] = argument.key_spec
    for name in ("token", "since", "deprecated_since"):
        if text := getattr(argument, name):
            described[name.encode()] = text.encode()
    flags = [flag for flag in ("optional", "multiple") if getattr(argument, flag)]
    if argument.repeats_token:
        flags.append("multiple_token")
    if flags:
        described[b"flags"] = SetReply(flags)
    if argument.parts:
        described[b"arguments"] = list(map(_argument, argument.parts))
    return described
