"""From a module's name to commands that can be called: the same in the front-end and in workers.

Whatever is wrong with a module (not installed, its import fails, a name that is taken) is a
:class:`~shmcache.commands.modules.ModuleError` of one line, and nothing has changed then.
"""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any, Final, cast

from shmcache.commands.containers import help_command
from shmcache.commands.dispatch import Entry, bind
from shmcache.commands.modules import ENTRY_POINTS, MODULE_API, Module, ModuleError
from shmcache.commands.replies import CommandError, one_line
from shmcache.errors import ShmcacheError

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence
    from importlib.metadata import EntryPoint

    from shmcache.commands.context import Context
    from shmcache.commands.modules import ModuleOption
    from shmcache.commands.replies import Reply
    from shmcache.commands.spec import Command, CommandFunction

__all__ = ["LoadedModule", "load_module"]

_log = logging.getLogger("shmcache.modules")

_COMMAND_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]*", re.ASCII)
_OPTION_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]*", re.ASCII)
_FLAGS: Final = frozenset(
    (
        *("readonly", "write", "denyoom", "admin", "fast", "noscript", "no_multi", "loading"),
        *("no_mandatory_keys", "movablekeys", "stale", "allow_busy"),
        *("skip_monitor", "skip_slowlog"),
    )
)
"""What a command may say of itself; the rest needs the server's own knowledge."""


class LoadedModule:
    """A module that can be used, with its options' values.

    :ivar origin: the entry point's object, as ``package.module:function``
    :ivar entries: its commands by name, ready to be called
    """

    def __init__(
        self, name: str, origin: str, arguments: tuple[bytes, ...], module: Module
    ) -> None:
        self.name = name
        self.origin = origin
        self.arguments = arguments
        self.version = module.version
        self.options = {f"{name}.{option.name}": option for option in module.options}
        self.values: dict[str, Any] = {}
        self._configure = module.configure
        commands = [_prepared(command, name) for command in module.commands]
        self.entries: dict[str, Entry] = {command.name: bind(command) for command in commands}

    def configure(self, option: str, value: Any) -> None:
        """Give an option a value.

        :param option: the whole name, ``MODULE.OPTION``
        :raises ModuleError: the module refuses
        """
        assert self._configure is not None, "checked when it was loaded"
        try:
            self._configure(self.options[option].name, value)
        except (Exception, SystemExit) as error:
            raise ModuleError(_line(error)) from error
        self.values[option] = value

    def texts(self) -> dict[str, str]:
        """Its options' values as CONFIG GET shows them."""
        return {name: self.options[name].kind.show(value) for name, value in self.values.items()}


def load_module(
    name: str,
    arguments: Sequence[bytes],
    options: Mapping[str, str],
    *,
    taken: Container[str],
) -> LoadedModule:
    """Load the module that an installed package offers under this name.

    :param options: texts of some of its options, by ``MODULE.OPTION``; the others get their default
    :param taken: names that no command of it may have
    :raises ModuleError: it cannot be loaded
    """
    entry_point = _find(name)
    try:
        function = entry_point.load()
    except (Exception, SystemExit) as error:
        raise ModuleError(f"module '{name}': importing it failed: {_line(error)}") from error
    if not callable(function):
        raise ModuleError(f"module '{name}': {entry_point.value} is no function")
    try:
        module = function(tuple(arguments))
    except (Exception, SystemExit) as error:
        raise ModuleError(f"module '{name}': {_line(error)}") from error
    _check(name, module, taken)
    loaded = LoadedModule(name, entry_point.value, tuple(arguments), module)
    try:
        _set_options(loaded, options)
    except ModuleError as error:
        raise ModuleError(f"module '{name}': {error}") from error
    return loaded


def _find(name: str) -> EntryPoint:
    # only who uses modules pays for this import: 20 ms
    from importlib.metadata import entry_points  # noqa: PLC0415

    found = set(entry_points(group=ENTRY_POINTS, name=name))
    if not found:
        raise ModuleError(f"module '{name}': no installed package offers it")
    if len(found) > 1:
        offers = ", ".join(sorted(entry_point.value for entry_point in found))
        raise ModuleError(f"module '{name}': several packages offer it: {offers}")
    return found.pop()


def _line(error: BaseException) -> str:
    """An exception in one line; a ModuleError's own words, others with their class."""
    text = " ".join(str(error).split())
    if isinstance(error, ModuleError | ValueError) and text:
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


# ---- what a module gave us is right --------------------------------------------------------------


def _check(name: str, module: Any, taken: Container[str]) -> None:
    """:raises ModuleError: something of it is wrong"""
    if not isinstance(module, Module):
        raise ModuleError(f"module '{name}': made a {type(module).__name__}, not a Module")
    if module.api != MODULE_API:
        raise ModuleError(
            f"module '{name}': written for version {module.api} of the module interface, and this "
            f"is version {MODULE_API}"
        )
    wrong = _wrong_command(module, taken) or _wrong_option(module)
    if wrong:
        raise ModuleError(f"module '{name}': {wrong}")


def _wrong_command(module: Module, taken: Container[str]) -> str:
    names = [command.name for command in module.commands]
    for command in module.commands:
        if command.name in taken:
            return f"there is a command '{command.name}' already"
        if names.count(command.name) > 1:
            return f"command '{command.name}' is declared twice"
        if not _COMMAND_NAME.fullmatch(command.name):
            return f"a command cannot be called '{one_line(command.name)}'"
        for leaf in command.subcommands.values() or (command,):
            if wrong := _wrong_declaration(leaf):
                return f"command '{leaf.name}': {wrong}"
    return ""


def _wrong_declaration(command: Command) -> str:
    if command.function is None:
        return "it has no function"
    flags = set(command.flags)
    if unknown := sorted(flags - _FLAGS):
        return f"unknown flag '{unknown[0]}'"
    if len(flags & {"readonly", "write"}) != 1:
        return "its flags must have one of 'readonly' and 'write'"
    return ""


def _wrong_option(module: Module) -> str:
    for option in module.options:
        if module.configure is None:
            return "it has options and no function 'configure'"
        if not _OPTION_NAME.fullmatch(option.name):
            return f"an option cannot be called '{one_line(option.name)}'"
    return ""


def _set_options(loaded: LoadedModule, texts: Mapping[str, str]) -> None:
    """:raises ModuleError: unknown options, or values that do not do"""
    for name in texts:
        if name not in loaded.options:
            raise ModuleError(f"it has no option '{name}'")
    for name, option in loaded.options.items():
        try:
            loaded.configure(name, _value(option, texts.get(name)))
        except (ModuleError, ValueError) as error:
            raise ModuleError(f"option '{name}': {error}") from error


def _value(option: ModuleOption, text: str | None) -> Any:
    return option.default if text is None else option.kind.parse_text(text, option.default)


# ---- its commands --------------------------------------------------------------------------------


def _prepared(command: Command, module: str) -> Command:
    """A command as the table has it: it says whose it is, and its failures hurt nobody else."""
    subcommands = {
        name: _prepared(subcommand, module) for name, subcommand in command.subcommands.items()
    }
    if subcommands and f"{command.name}|help" not in subcommands:
        helper = help_command(
            command.name, command.subcommands.values(), group="module", since=command.since
        )
        subcommands[helper.name] = helper._replace(module=module)
    return command._replace(
        flags=(*command.flags, "module"),
        group="module",
        module=module,
        subcommands=subcommands,
        function=None if command.function is None else _guarded(command, module),
    )


def _guarded(command: Command, module: str) -> CommandFunction:
    function = cast("CommandFunction", command.function)

    def call(context: Context, args: Sequence[bytes]) -> Reply:
        try:
            return function(context, args)
        except (CommandError, ShmcacheError):
            raise
        except (Exception, SystemExit) as error:
            line = f"module '{module}': command '{command.name}' failed: {_line(error)}"
            _log.error("%s", line, exc_info=_log.isEnabledFor(logging.DEBUG))
            raise CommandError(f"ERR {line}") from error

    return call
