"""What a script says of itself in its first line: ``#!lua name=l flags=no-writes,allow-oom``."""

from __future__ import annotations

import shlex
from typing import Final, NamedTuple

from shmcache.commands.replies import CommandError, one_line

__all__ = ["FLAGS", "Shebang", "library_shebang", "script_shebang"]

FLAGS: Final = ("no-writes", "allow-oom", "allow-stale", "no-cluster", "allow-cross-slot-keys")
_NAME_LETTERS: Final = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")


class Shebang(NamedTuple):
    """The first line, understood, and the rest."""

    flags: frozenset[str] | None
    """None: a script without a first line of this kind, which may do what scripts ever could."""
    code: bytes
    """The source with that line emptied, so that lines keep their numbers."""


def _split(line: bytes) -> list[str]:
    try:
        return shlex.split(line.decode("utf-8", "surrogateescape"))
    except ValueError:  # an open quotation mark
        return []


def script_shebang(source: bytes) -> Shebang:
    """Read the first line of EVAL's script.

    :raises CommandError: it begins like one and is none
    """
    if not source.startswith(b"#!"):
        return Shebang(None, source)
    end = source.find(b"\n")
    if end < 0:
        raise CommandError("ERR Invalid script shebang")
    words = _split(source[:end]) or ["#!"]
    if words[0] != "#!lua":
        raise CommandError(f"ERR Unexpected engine in script shebang: {one_line(words[0])}")
    flags = set[str]()
    for word in words[1:]:
        if not word.startswith("flags="):
            raise CommandError(f"ERR Unknown lua shebang option: {one_line(word)}")
        for flag in filter(None, word.removeprefix("flags=").split(",")):
            if flag not in FLAGS:
                raise CommandError(f"ERR Unexpected flag in script shebang: {one_line(flag)}")
            flags.add(flag)
    return Shebang(frozenset(flags), source[end:])


def is_name(name: bytes) -> bool:
    """Whether a library or a function may be called so."""
    return bool(name) and _NAME_LETTERS.issuperset(name)


def library_shebang(source: bytes) -> tuple[bytes, bytes]:
    """Read the first line of FUNCTION LOAD's library.

    :return: its name, and its code with that line emptied
    :raises CommandError: it does not tell what it has to
    """
    if not source.startswith(b"#!"):
        raise CommandError("ERR Missing library metadata")
    end = source.find(b"\n")
    if end < 0:
        raise CommandError("ERR Invalid library metadata")
    words = _split(source[:end])
    if not words:
        raise CommandError("ERR Invalid library metadata")
    name: str | None = None
    for word in words[1:]:
        if not word.lower().startswith("name="):
            raise CommandError(f"ERR Invalid metadata value given: {one_line(word)}")
        if name is not None:
            raise CommandError("ERR Invalid metadata value, name argument was given multiple times")
        name = word[len("name=") :]
    if name is None:
        raise CommandError("ERR Library name was not given")
    encoded = name.encode("utf-8", "surrogateescape")
    if not is_name(encoded):
        raise CommandError(
            "ERR Library names can only contain letters, numbers, or underscores(_) and must be at "
            "least one character long"
        )
    engine = words[0].removeprefix("#!")
    if engine.lower() != "lua":
        raise CommandError(f"ERR Engine '{one_line(engine)}' not found")
    return encoded, source[end:]
