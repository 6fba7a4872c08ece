"""What a package that adds commands gives us: its module, version 1 of the interface.

The package declares an entry point in the group ``shmcache.commands``; the entry point's name is
the module's name, for ``loadmodule NAME [ARG ...]``, and its object a function that makes the
module::

    def load(arguments: Sequence[bytes]) -> Module

It is called once for each cache that a process serves or is attached to, so what the module keeps
(its options, say) belongs in that call's scope and not in globals. A :class:`ModuleError` that it
raises says in one line why the arguments do not do.

A command is declared with :func:`shmcache.commands.spec.command` and is a function of a
:class:`~shmcache.commands.context.Context` and the words after its name; what it may return tells
:mod:`shmcache.commands.replies`. It runs in the front-end, inside MULTI and scripts, and in every
worker that is attached, so it must not rely on anything but its context:

* its flags say ``readonly`` or ``write``: a worker that attached for reading sends the others on;
* its key specifications tell all keys, for access control and because MULTI locks nothing else;
* it changes several things through ``context.arena.transaction(keys)``, which is atomic and, should
  the process be killed inside, leaves nothing;
* it refuses with :class:`~shmcache.commands.replies.CommandError`. Any other exception becomes an
  error reply and a line in the log.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from shmcache.errors import ShmcacheError

if TYPE_CHECKING:
    from shmcache.commands.spec import Command
    from shmcache.config.kinds import Kind

__all__ = ["ENTRY_POINTS", "MODULE_API", "Module", "ModuleError", "ModuleFunction", "ModuleOption"]

MODULE_API: Final = 1
"""The version of this interface. It grows when a module written for the one before would break."""

ENTRY_POINTS: Final = "shmcache.commands"
"""The entry-point group."""


class ModuleError(ShmcacheError):
    """A module cannot be loaded, or not with these arguments; ``str()`` is one line."""


class ModuleOption(NamedTuple):
    """An option, for CONFIG and MODULE LOADEX under the name ``MODULE.NAME``."""

    name: str
    kind: Kind
    """What values it takes: one of :mod:`shmcache.config.kinds`."""
    default: Any


class Module(NamedTuple):
    """What a package adds."""

    api: int
    """For which :data:`MODULE_API` it was written."""
    version: int
    """Its own version, shown by MODULE LIST; a worker runs its commands only in the daemon's."""
    commands: Sequence[Command]
    options: Sequence[ModuleOption] = ()
    configure: Callable[[str, Any], None] | None = None
    """Called with each option's name and value: all at the start, one when it changes. It may
    refuse with a ValueError."""


ModuleFunction: TypeAlias = Callable[[Sequence[bytes]], Module]
"""The entry point's object."""
