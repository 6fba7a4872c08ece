"""The scripts that are kept, and the interpreter that runs them, which the first one starts."""

from __future__ import annotations

import hashlib
import sys
from typing import TYPE_CHECKING, Final, Protocol

from shmcache.commands.replies import CommandError, one_line
from shmcache.scripting.flags import script_shebang

if TYPE_CHECKING:
    from shmcache.scripting._lua import Host, Interpreter

__all__ = ["Engine", "Runnable", "Script"]

_NO_SCRIPT: Final = "NOSCRIPT No matching script. Please use EVAL."


class Runnable(Protocol):
    """What can be run: a script, or a function of a library."""

    label: str
    """What errors call it."""
    function: int
    """The interpreter's number for it."""
    flags: frozenset[str] | None
    whole: bool
    """It is known to use keys that it does not declare."""
    as_arguments: bool
    """It gets its keys and arguments as such."""


class Script:
    """A script of EVAL's."""

    __slots__ = ("flags", "function", "label", "source", "whole")

    as_arguments = False

    def __init__(self, digest: bytes, source: bytes, flags: frozenset[str] | None) -> None:
        self.label = digest.decode()
        self.source = source
        self.flags = flags
        self.function = 0
        self.whole = False


class Engine:
    """Scripts by their digests, compiled.

    :param host: what the interpreter asks for commands
    :param version: the version of Redis that scripts are told
    """

    def __init__(self, host: Host, version: str) -> None:
        self._host = host
        self._version = version
        self._interpreter: Interpreter | None = None
        self._scripts: dict[bytes, Script] = {}
        self._source_bytes = 0

    @property
    def interpreter(self) -> Interpreter:
        """The interpreter, started if need be: that takes milliseconds, and megabytes.

        :raises CommandError: there is no Lua
        """
        if self._interpreter is None:
            try:
                from shmcache.scripting._lua import Interpreter  # noqa: PLC0415 - see above

                major, minor, patch = map(int, self._version.split("."))
                self._interpreter = Interpreter(
                    self._host, self._version, major << 16 | minor << 8 | patch
                )
            except ImportError as error:
                raise CommandError(f"ERR scripts cannot be run: {one_line(str(error))}") from error
        return self._interpreter

    def load(self, source: bytes) -> Script:
        """The script with this text, compiled if it is new.

        :raises CommandError: it is no Lua, or its first line is wrong
        """
        digest = hashlib.sha1(source, usedforsecurity=False).hexdigest().encode()
        script = self._scripts.get(digest)
        if script is not None:
            return script
        flags, code = script_shebang(source)
        interpreter = self.interpreter
        from shmcache.scripting._lua import ScriptSyntaxError  # noqa: PLC0415 - loaded by now

        script = Script(digest, source, flags)
        try:
            script.function = interpreter.compile(code, b"@user_script")
        except ScriptSyntaxError as error:
            raise CommandError(
                f"ERR Error compiling script (new function): {one_line(str(error))}"
            ) from error
        self._scripts[digest] = script
        self._source_bytes += len(source)
        return script

    def find(self, digest: bytes) -> Script:
        """A script that is kept.

        :param digest: hexadecimal digits, in either case
        :raises CommandError: there is none
        """
        script = self._scripts.get(digest) or self._scripts.get(digest.lower())
        if script is None:
            raise CommandError(_NO_SCRIPT)
        return script

    def has(self, digest: bytes) -> bool:
        """Whether a script is kept."""
        return digest.lower() in self._scripts

    def flush(self) -> None:
        """Forget all scripts."""
        for script in self._scripts.values():
            self.interpreter.forget(script.function)
        self._scripts.clear()
        self._source_bytes = 0

    @property
    def count(self) -> int:
        """How many scripts are kept."""
        return len(self._scripts)

    def script_bytes(self) -> int:
        """Memory of the scripts' texts and of their table."""
        each = sys.getsizeof(b"") * 2 + 100
        return self._source_bytes + each * len(self._scripts) + sys.getsizeof(self._scripts)

    def interpreter_bytes(self) -> int:
        """Memory of the Lua state; 0 without one."""
        return self._interpreter.used_bytes() if self._interpreter is not None else 0
