"""EVAL and FCALL, SCRIPT and FUNCTION."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from shmcache.commands.arguments import integer_or_none
from shmcache.commands.glob import glob_matches
from shmcache.commands.replies import OK, CommandError, SetReply, not_an_integer, one_line
from shmcache.server.replies import WrongSubcommandError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shmcache.commands.replies import Reply
    from shmcache.scripting.engine import Runnable
    from shmcache.scripting.libraries import Library
    from shmcache.server.client import Client

__all__ = ["HANDLERS"]

_POLICIES: Final = {b"FLUSH": "flush", b"APPEND": "append", b"REPLACE": "replace"}


def _keys_and_arguments(
    args: Sequence[bytes], wrong_number: CommandError
) -> tuple[Sequence[bytes], Sequence[bytes]]:
    """What stands behind ``script numkeys``."""
    count = integer_or_none(args[1])
    if count is None:
        raise wrong_number
    if count > len(args) - 2:
        raise CommandError("ERR Number of keys can't be greater than number of args")
    if count < 0:
        raise CommandError("ERR Number of keys can't be negative")
    return args[2 : 2 + count], args[2 + count :]


def _runner(
    name: str, find: Callable[[Client, bytes], Runnable], wrong_number: Callable[[], CommandError]
) -> Callable[[Client, Sequence[bytes]], Reply]:
    """The handler of a command that runs what ``find`` finds."""
    line = name.upper().encode()

    def run(client: Client, args: Sequence[bytes]) -> Reply:
        keys, argv = _keys_and_arguments(args, wrong_number())
        script = find(client, args[0])
        return client.server.scripts.run(client, script, (line, *args), keys, argv)

    return run


def _script(client: Client, source: bytes) -> Runnable:
    return client.server.scripts.engine.load(source)


def _kept(client: Client, digest: bytes) -> Runnable:
    return client.server.scripts.engine.find(digest)


def _function(client: Client, name: bytes) -> Runnable:
    return client.server.scripts.libraries.find(name)


def _bad_number() -> CommandError:
    return CommandError("ERR Bad number of keys provided")


# ---- SCRIPT


def _load(client: Client, args: Sequence[bytes]) -> Reply:
    return client.server.scripts.engine.load(args[0]).label.encode()


def _exists(client: Client, args: Sequence[bytes]) -> Reply:
    return [int(client.server.scripts.engine.has(digest)) for digest in args]


def _is_when(args: Sequence[bytes]) -> bool:
    """Whether the arguments are none, ASYNC or SYNC: nothing is left for later here anyway."""
    return not args or (len(args) == 1 and args[0].upper() in {b"ASYNC", b"SYNC"})


def _flush_scripts(client: Client, args: Sequence[bytes]) -> Reply:
    if not _is_when(args):
        raise CommandError("ERR SCRIPT FLUSH only support SYNC|ASYNC option")
    client.server.scripts.engine.flush()
    return OK


def _debug(_client: Client, args: Sequence[bytes]) -> Reply:
    """There is no debugger: it can be switched off, and that is all."""
    mode = args[0].upper()
    if mode in {b"YES", b"SYNC"}:
        raise CommandError("ERR scripts cannot be debugged here")
    if mode != b"NO":
        raise CommandError("ERR Use SCRIPT DEBUG YES/SYNC/NO")
    return OK


def _kill(client: Client, _args: Sequence[bytes]) -> Reply:
    client.server.scripts.kill(functions=False)
    return OK


# ---- FUNCTION


def _load_library(client: Client, args: Sequence[bytes]) -> Reply:
    for option in args[:-1]:
        if option.upper() != b"REPLACE":
            raise CommandError(f"ERR Unknown option given: {one_line(option)}")
    return client.server.scripts.libraries.load(args[-1], replace=len(args) > 1)


def _delete(client: Client, args: Sequence[bytes]) -> Reply:
    client.server.scripts.libraries.delete(args[0])
    return OK


def _flush_libraries(client: Client, args: Sequence[bytes]) -> Reply:
    if len(args) > 1:
        raise WrongSubcommandError
    if not _is_when(args):
        raise CommandError("ERR FUNCTION FLUSH only supports SYNC|ASYNC option")
    client.server.scripts.libraries.flush()
    return OK


def _dump(client: Client, _args: Sequence[bytes]) -> Reply:
    return client.server.scripts.libraries.dump()


def _restore(client: Client, args: Sequence[bytes]) -> Reply:
    if len(args) > 2:
        raise WrongSubcommandError
    policy = _POLICIES.get(args[1].upper()) if len(args) > 1 else "append"
    if policy is None:
        raise CommandError(
            "ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE."
        )
    client.server.scripts.libraries.restore(args[0], policy)
    return OK


def _kill_function(client: Client, _args: Sequence[bytes]) -> Reply:
    client.server.scripts.kill(functions=True)
    return OK


def _list(client: Client, args: Sequence[bytes]) -> Reply:
    pattern: bytes | None = None
    with_code = False
    rest = list(args)
    while rest:
        word = rest.pop(0)
        if word.upper() == b"WITHCODE" and not with_code:
            with_code = True
        elif word.upper() == b"LIBRARYNAME" and pattern is None:
            if not rest:
                raise CommandError("ERR library name argument was not given")
            pattern = rest.pop(0)
        else:
            raise CommandError(f"ERR Unknown argument {one_line(word)}")
    return [
        _described(library, with_code)
        for name, library in client.server.scripts.libraries.all.items()
        if pattern is None or glob_matches(pattern, name)
    ]


def _described(library: Library, with_code: bool) -> Reply:
    facts: dict[Reply, Reply] = {
        b"library_name": library.name,
        b"engine": b"LUA",
        b"functions": [
            {
                b"name": function.name,
                b"description": function.description,
                b"flags": SetReply(sorted(function.flags or ())),
            }
            for function in library.functions.values()
        ],
    }
    if with_code:
        facts[b"library_code"] = library.source
    return facts


def _stats(client: Client, _args: Sequence[bytes]) -> Reply:
    scripts = client.server.scripts
    busy = scripts.busy_error()
    if busy is not None and not scripts.runs_function:
        raise busy
    libraries = scripts.libraries
    counts: dict[Reply, Reply] = {
        b"libraries_count": len(libraries.all),
        b"functions_count": libraries.function_count,
    }
    return {b"running_script": scripts.running_facts(), b"engines": {b"LUA": counts}}


HANDLERS = {
    "eval": _runner("eval", _script, not_an_integer),
    "eval_ro": _runner("eval_ro", _script, not_an_integer),
    "evalsha": _runner("evalsha", _kept, not_an_integer),
    "evalsha_ro": _runner("evalsha_ro", _kept, not_an_integer),
    "fcall": _runner("fcall", _function, _bad_number),
    "fcall_ro": _runner("fcall_ro", _function, _bad_number),
    "function|delete": _delete,
    "function|dump": _dump,
    "function|flush": _flush_libraries,
    "function|kill": _kill_function,
    "function|list": _list,
    "function|load": _load_library,
    "function|restore": _restore,
    "function|stats": _stats,
    "script|debug": _debug,
    "script|exists": _exists,
    "script|flush": _flush_scripts,
    "script|kill": _kill,
    "script|load": _load,
}
