"""The modules of a front-end: which are loaded, and what a loaded one adds to the server."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from shmcache.arena.module_notes import ModuleNote, store_notes
from shmcache.commands.module_loading import LoadedModule, load_module
from shmcache.commands.modules import ModuleError
from shmcache.commands.table import COMMANDS
from shmcache.config.config import OptionError
from shmcache.config.table import MODULE_OPTIONS, Change, Option

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from shmcache.commands.replies import Reply
    from shmcache.server.server import Server

__all__ = ["Modules"]

_log = logging.getLogger("shmcache.server")

_LOAD_MODULE: Final = "loadmodule"


class Modules:
    """What was loaded by ``loadmodule`` and MODULE LOAD.

    Two options keep it for a front-end that has to be restarted, and for CONFIG REWRITE:
    ``loadmodule``, with a line for each module, and the lines ``MODULE.OPTION value``.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._loaded: dict[str, LoadedModule] = {}

    def __iter__(self) -> Iterator[LoadedModule]:
        return iter(self._loaded.values())

    def load_configured(self) -> None:
        """Load what the configuration names; what cannot be is a line in the log each."""
        for name, *arguments in self._server.config.value(_LOAD_MODULE):
            try:
                self._load(name, [_encode(argument) for argument in arguments], {})
            except ModuleError as error:
                _log.warning("not loaded: %s", error)
        for option in self._unclaimed():
            _log.warning("option '%s' belongs to no module that is loaded", option[0])
        self._tell_workers()

    def load(self, name: str, arguments: Sequence[bytes], options: Mapping[str, str]) -> None:
        """MODULE LOAD.

        :param options: texts by ``MODULE.OPTION``, of which the configuration file has others
        :raises ModuleError: it cannot be loaded
        """
        self._load(name, arguments, options)
        lines = [line for line in self._server.config.value(_LOAD_MODULE) if line[0] != name]
        self._keep((*lines, (name, *map(_decode, arguments))))

    def unload(self, name: str) -> None:
        """MODULE UNLOAD.

        :raises KeyError: no such module is loaded
        """
        loaded = self._loaded.pop(name)
        server = self._server
        for command in loaded.entries:
            del COMMANDS[command]
            server.dispatcher.remove(command)
            server.make_unqueueable(command)
        for option in loaded.options:
            server.settings.remove_applier(option)
            server.config.remove_option(option)
        kept = [line for line in self._option_lines() if line[0] not in loaded.options]
        server.config.commit({MODULE_OPTIONS: tuple(kept)})
        server.access.replay_rules()
        _log.info("module '%s' unloaded", name)
        lines = server.config.value(_LOAD_MODULE)
        self._keep(tuple(line for line in lines if line[0] != name))

    def texts_to_keep(self, texts: Mapping[str, str]) -> dict[str, str]:
        """What a supervisor, which knows no module, has to keep of changed options.

        :param texts: of any options
        """
        kept = dict(texts)
        changed = [name for loaded in self for name in loaded.options if kept.pop(name, None)]
        if changed:
            self._keep_options()
            kept[MODULE_OPTIONS] = self._server.config.show(MODULE_OPTIONS)
        return kept

    def describe(self) -> Reply:
        """MODULE LIST's answer, and a part of HELLO's."""
        return [
            {
                b"name": loaded.name.encode(),
                b"ver": loaded.version,
                b"path": loaded.origin.encode(),
                b"args": list(loaded.arguments),
            }
            for loaded in self
        ]

    # ---- one module

    def _load(self, name: str, arguments: Sequence[bytes], options: Mapping[str, str]) -> None:
        if name in self._loaded:
            raise ModuleError(f"module '{name}': it is loaded already")
        configured = {
            option: " ".join(words)
            for option, *words in self._option_lines()
            if option.startswith(f"{name}.")
        }
        loaded = load_module(name, arguments, {**configured, **options}, taken=COMMANDS)
        self._loaded[name] = loaded
        server = self._server
        for entry in loaded.entries.values():
            COMMANDS[entry.command.name] = entry.command
            server.statistics.add_command(entry.command)
            server.dispatcher.add(entry)
            server.make_queueable(entry)
        for option, declared in loaded.options.items():
            declaration = Option(option, declared.kind, declared.default, Change.LIVE)
            server.config.add_option(declaration, loaded.values[option])
            server.settings.add_applier(option, partial(self._apply, loaded, option))
        server.access.replay_rules()
        _log.info("module '%s' loaded from %s", name, loaded.origin)

    def _apply(self, loaded: LoadedModule, option: str) -> None:
        """Put an option that CONFIG SET has changed into effect.

        :raises OptionError: the module refuses
        """
        value: Any = self._server.config.value(option)
        try:
            loaded.configure(option, value)
        except ModuleError as error:
            raise OptionError(option, str(error)) from error
        self._tell_workers()

    # ---- what outlives this process

    def _keep(self, lines: tuple[tuple[str, ...], ...]) -> None:
        config = self._server.config
        config.commit({_LOAD_MODULE: lines})
        self._keep_options()
        names = (_LOAD_MODULE, MODULE_OPTIONS)
        self._server.settings.tell_supervisor({name: config.show(name) for name in names})
        self._tell_workers()

    def _keep_options(self) -> None:
        lines = [
            (name, text)
            for loaded in self
            for name, text in loaded.texts().items()
            if loaded.values[name] != loaded.options[name].default
        ]
        self._server.config.commit({MODULE_OPTIONS: (*self._unclaimed(), *lines)})

    def _unclaimed(self) -> list[tuple[str, ...]]:
        """The configuration's lines for options of modules that are not loaded."""
        claimed = {option for loaded in self for option in loaded.options}
        return [line for line in self._option_lines() if line[0] not in claimed]

    def _option_lines(self) -> Sequence[tuple[str, ...]]:
        lines: Sequence[tuple[str, ...]] = self._server.config.value(MODULE_OPTIONS)
        return lines

    def _tell_workers(self) -> None:
        notes = [
            ModuleNote(
                loaded.name, loaded.version, list(map(_decode, loaded.arguments)), loaded.texts()
            )
            for loaded in self
        ]
        try:
            store_notes(self._server.arena.name, notes)
        except OSError as error:
            _log.warning("workers are not told of the modules, and send their commands: %s", error)


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _decode(word: bytes) -> str:
    return word.decode("utf-8", "surrogateescape")
