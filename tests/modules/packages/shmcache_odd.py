"""Modules that are wrong in some way, or do something odd."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, Any

from shmcache.commands.modules import MODULE_API, Module
from shmcache.commands.spec import command, key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shmcache.commands.context import Context
    from shmcache.commands.replies import Reply

NOT_CALLABLE = 3


def _module(
    *names: str, flags: str = "write", function: Any = None, api: int = MODULE_API
) -> Module:
    commands = [
        command(
            name,
            -2,
            flags,
            "Does something odd.",
            group="module",
            since="1.0.0",
            keys=[key("RW update")],
            function=function or half_done,
        )
        for name in names
    ]
    return Module(api=api, version=1, commands=commands)


def half_done(context: Context, args: Sequence[bytes]) -> Reply:
    """Fail, or die, after one of two writes."""
    with context.arena.transaction([(context.db, args[0])]) as transaction:
        transaction.hash_set(context.db, args[0], [b"half", b"done"])
        if args[1:] == [b"die"]:
            os.kill(os.getpid(), signal.SIGKILL)
        if args[1:] == [b"exit"]:
            sys.exit(1)
        raise KeyError("a mistake\nof two lines")


def odd_reply(context: Context, args: Sequence[bytes]) -> Any:
    return object()


def half(arguments: Sequence[bytes]) -> Module:
    return _module("odd.half")


def reply(arguments: Sequence[bytes]) -> Module:
    return _module("odd.reply", function=odd_reply)


def clash(arguments: Sequence[bytes]) -> Module:
    return _module("odd.new", "get")


def clash_with_module(arguments: Sequence[bytes]) -> Module:
    return _module("tokenbucket.take")


def twice(arguments: Sequence[bytes]) -> Module:
    return _module("odd.twice", "odd.twice")


def flags(arguments: Sequence[bytes]) -> Module:
    return _module("odd.flags", flags="fast")


def unknown_flag(arguments: Sequence[bytes]) -> Module:
    return _module("odd.flags", flags="write quick")


def bad_name(arguments: Sequence[bytes]) -> Module:
    return _module("ODD name")


def other_api(arguments: Sequence[bytes]) -> Module:
    return _module("odd.api", api=99)


def not_a_module(arguments: Sequence[bytes]) -> Any:
    return {"version": 1}


def leave(arguments: Sequence[bytes]) -> Module:
    sys.exit(3)
