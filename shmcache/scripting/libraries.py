"""Libraries of functions: loaded, found by name, kept where they outlive the process."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final, Protocol

from shmcache.commands.replies import CommandError, one_line
from shmcache.errors import DamagedFile
from shmcache.scripting.flags import FLAGS, is_name, library_shebang
from shmcache.scripting.library_dump import dump_libraries, load_libraries

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from shmcache.scripting.engine import Engine

__all__ = ["Function", "Libraries", "Library", "Store"]

_log = logging.getLogger("shmcache.server")

_WRONG_DUMP: Final = "ERR DUMP payload version or checksum are wrong"
_ONE_ARGUMENT: Final = (
    "calling redis.register_function with a single argument is only applicable to Lua table "
    "(representing named arguments)."
)
_BAD_NAME: Final = (
    "Function names can only contain letters, numbers, or underscores(_) and must be at least one "
    "character long"
)


class Store(Protocol):
    """Where the libraries are kept, as one dump."""

    def read(self) -> bytes | None:
        """What was kept last; None: nothing."""

    def write(self, dump: bytes | None) -> None:
        """Keep a dump; None: nothing any more."""


class Function:
    """A function of a library."""

    __slots__ = ("description", "flags", "function", "label", "name", "whole")

    as_arguments = True

    def __init__(
        self, name: bytes, function: int, description: bytes | None, flags: frozenset[str]
    ) -> None:
        self.name = name
        self.label = name.decode("utf-8", "surrogateescape")
        self.function = function
        self.description = description
        self.flags: frozenset[str] | None = flags
        self.whole = False


class Library:
    """A library: its source and its functions by name."""

    __slots__ = ("functions", "name", "source")

    def __init__(self, name: bytes, source: bytes) -> None:
        self.name = name
        self.source = source
        self.functions: dict[bytes, Function] = {}


class Libraries:
    """All libraries of a cache.

    Loading happens when the first command asks for one: a start should not wait for it.

    :param store: where they are kept
    """

    def __init__(self, engine: Engine, store: Store) -> None:
        self._engine = engine
        self._store = store
        self._loaded: dict[bytes, Library] | None = None
        self._functions: dict[bytes, Function] = {}
        self._loading: Library | None = None

    @property
    def all(self) -> dict[bytes, Library]:
        """The libraries by name."""
        if self._loaded is None:
            self._loaded = {}
            self._adopt(self._store.read())
        return self._loaded

    def _adopt(self, dump: bytes | None) -> None:
        """Load what was kept; what cannot be loaded any more is logged and left out."""
        try:
            sources = load_libraries(dump) if dump is not None else []
        except DamagedFile:
            sources = None
        if sources is None:
            _log.error("the kept function libraries are damaged")
        for source in sources or ():
            try:
                library = self._compiled(source)
            except CommandError as error:
                _log.error("a function library is not loaded: %s", error)
            else:
                self.all[library.name] = library
        self._index()

    def _index(self) -> None:
        self._functions = {
            name.lower(): function
            for library in self.all.values()
            for name, function in library.functions.items()
        }

    @property
    def function_count(self) -> int:
        """How many functions there are."""
        return sum(len(library.functions) for library in self.all.values())

    def source_bytes(self) -> int:
        """Memory of the libraries' texts and names."""
        return sum(
            len(library.source) + sum(map(len, library.functions))
            for library in (self._loaded or {}).values()
        )

    def find(self, name: bytes) -> Function:
        """A function, whatever the case of its name.

        :raises CommandError: there is none
        """
        if self._loaded is None:
            self._index()
        function = self._functions.get(name.lower())
        if function is None:
            raise CommandError("ERR Function not found")
        return function

    # ---- changes

    def load(self, source: bytes, *, replace: bool) -> bytes:
        """FUNCTION LOAD.

        :return: the library's name
        :raises CommandError: nothing was changed
        """
        name, _ = library_shebang(source)
        if name in self.all and not replace:
            raise CommandError(f"ERR Library '{one_line(name)}' already exists")
        library = self._compiled(source)
        self._put({**self.all, library.name: library})
        return library.name

    def delete(self, name: bytes) -> None:
        """FUNCTION DELETE.

        :raises CommandError: there is no such library
        """
        if name not in self.all:
            raise CommandError("ERR Library not found")
        self._put({other: library for other, library in self.all.items() if other != name})

    def flush(self) -> None:
        """FUNCTION FLUSH."""
        self._put({})

    def dump(self) -> bytes:
        """FUNCTION DUMP."""
        return dump_libraries(library.source for library in self.all.values())

    def restore(self, dump: bytes, policy: str) -> None:
        """FUNCTION RESTORE.

        :param policy: ``append``, ``replace`` or ``flush``
        :raises CommandError: nothing was changed
        """
        try:
            sources = load_libraries(dump)
        except DamagedFile as error:
            raise CommandError("ERR given type is not a function") from error
        if sources is None:
            raise CommandError(_WRONG_DUMP)
        libraries = {} if policy == "flush" else dict(self.all)
        for library in list(map(self._compiled, sources)):
            if policy == "append" and library.name in libraries:
                raise CommandError(f"ERR Library {one_line(library.name)} already exists")
            libraries[library.name] = library
        self._put(libraries)

    def _put(self, libraries: dict[bytes, Library]) -> None:
        """Let these be all libraries from now on, here and in the store."""
        taken = set[bytes]()
        for library in reversed(libraries.values()):
            for name in library.functions:
                if name in taken:
                    raise CommandError(f"ERR Function {one_line(name)} already exists")
                taken.add(name)
        sources = [library.source for library in libraries.values()]
        self._store.write(dump_libraries(sources) if sources else None)
        kept = set(map(id, libraries.values()))
        for library in self.all.values():
            if id(library) not in kept:
                self._forget(library.functions.values())
        self._loaded = libraries
        self._index()

    def _forget(self, functions: Iterable[Function]) -> None:
        for function in functions:
            self._engine.interpreter.forget(function.function)

    # ---- loading

    def _compiled(self, source: bytes) -> Library:
        """:raises CommandError: it is no library"""
        name, code = library_shebang(source)
        interpreter = self._engine.interpreter
        from shmcache.scripting._lua import ScriptSyntaxError  # noqa: PLC0415 - loaded by now

        try:
            function = interpreter.compile(code, b"@user_function")
        except ScriptSyntaxError as error:
            raise CommandError(f"ERR Error compiling function: {one_line(str(error))}") from error
        self._loading = library = Library(name, source)
        try:
            outcome = interpreter.run(function, [], [], 2, as_arguments=True, loading=True)
        finally:
            self._loading = None
            interpreter.forget(function)
        if outcome.error:
            self._forget(library.functions.values())
            text = one_line(outcome.error)
            raise CommandError(f"ERR Error registering functions: {text}")
        if not library.functions:
            raise CommandError("ERR No functions registered")
        return library

    def register(self, values: Sequence[object]) -> str | None:
        """``redis.register_function``: either name and callback, or one table of named arguments.

        :return: what is wrong with it; None: nothing
        """
        if self._loading is None:
            return "redis.register_function can only be called on FUNCTION LOAD command"
        try:
            _add(self._loading, _registered(values))
        except _RefusedError as error:
            return str(error)
        return None


class _RefusedError(Exception):
    """What is wrong with the arguments of redis.register_function."""


def _require(holds: bool, otherwise: str) -> None:
    """:raises _RefusedError: it does not hold"""
    if not holds:
        raise _RefusedError(otherwise)


def _registered(values: Sequence[object]) -> Function:
    if len(values) == 1:
        if not isinstance(values[0], dict):
            raise _RefusedError(_ONE_ARGUMENT)
        return _registered_by_name(values[0])
    _require(len(values) == 2, "wrong number of arguments to redis.register_function")
    name = _text(values[0])
    if name is None:
        raise _RefusedError("first argument to redis.register_function must be a string")
    callback = _callback(values[1], "second argument to")
    return Function(name, callback, None, frozenset())


def _registered_by_name(given: dict[object, object]) -> Function:
    known = {b"function_name", b"callback", b"description", b"flags"}
    arguments: dict[bytes, object] = {}
    for key, value in given.items():
        if not isinstance(key, bytes):
            raise _RefusedError(
                "named argument key given to redis.register_function is not a string"
            )
        _require(key.lower() in known, "unknown argument given to redis.register_function")
        arguments[key.lower()] = value
    name, description = (
        _text(arguments[key]) if key in arguments else None
        for key in (b"function_name", b"description")
    )
    for key, text in ((b"function_name", name), (b"description", description)):
        _require(
            text is not None or key not in arguments,
            f"{key.decode()} argument given to redis.register_function must be a string",
        )
    flags = _flags(arguments.get(b"flags", {}))
    if name is None:
        raise _RefusedError("redis.register_function must get a function name argument")
    _require(b"callback" in arguments, "redis.register_function must get a callback argument")
    callback = _callback(arguments[b"callback"], "callback argument given to")
    return Function(name, callback, description, flags)


def _text(value: object) -> bytes | None:
    """A string, or a number as Lua would make one of it."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, float):
        return b"%.14g" % value
    return None


def _callback(value: object, which: str) -> int:
    """The interpreter's number for a function."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise _RefusedError(f"{which} redis.register_function must be a function")
    return int(value)


def _flags(value: object) -> frozenset[str]:
    if not isinstance(value, dict):
        raise _RefusedError(
            "flags argument to redis.register_function must be a table representing function flags"
        )
    flags = []
    for number in range(1, len(value) + 1):
        flag = value.get(float(number))
        text = flag.decode("latin-1") if isinstance(flag, bytes) else ""
        _require(text in FLAGS, "unknown flag given")
        flags.append(text)
    return frozenset(flags)


def _add(library: Library, function: Function) -> None:
    _require(is_name(function.name), _BAD_NAME)
    _require(function.name not in library.functions, "Function already exists in the library")
    library.functions[function.name] = function
