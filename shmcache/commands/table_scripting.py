"""Declarations of scripts and functions. They run in a server, so none has a function."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from shmcache.commands import spec
from shmcache.commands.containers import container
from shmcache.commands.spec import Argument, integer, keys_counted, one_of, string, token

if TYPE_CHECKING:
    from shmcache.commands.spec import Command

__all__ = ["COMMANDS", "RUN_SCRIPTS"]

_scripting = partial(spec.command, group="scripting", categories="scripting")

_RUN = "noscript stale skip_monitor no_mandatory_keys"
_RUN_READONLY = f"readonly {_RUN}"
_CHANGE = "write noscript"
_CHANGE_MORE = "write denyoom noscript"
_ALL_NODES = "request_policy:all_nodes response_policy:all_succeeded"
_ALL_SHARDS = "request_policy:all_shards response_policy:all_succeeded"
_ONE_SHARD = "request_policy:all_shards response_policy:one_succeeded"
_WORST = "A script may do anything to its keys: {} is assumed"
_SCRIPT_COST = "Depends on the script."
_FUNCTION_COST = "Depends on the function."

_KEYS = (
    integer("numkeys"),
    Argument("key", "key", key_spec=0, optional=True, multiple=True),
    string("arg", optional=True, multiple=True),
)


def _run(name: str, what: str, subject: str, since: str, *, notes: bool = True) -> Command:
    readonly = name.endswith("_ro")
    flags, worst = ("RO access", "RO, ACCESS") if readonly else ("RW access update", "RW, UPDATE")
    return _scripting(
        name,
        -3,
        _RUN_READONLY if readonly else _RUN,
        f"Runs a {what}{', which may only read' if readonly else ''}.",
        since=since,
        complexity=_FUNCTION_COST if subject == "function" else _SCRIPT_COST,
        keys=[keys_counted(flags, 2, notes=_WORST.format(worst) if notes else "")],
        arguments=[string(subject), *_KEYS],
    )


_when = one_of("async", token("ASYNC"), token("SYNC"), optional=True)


def _script(
    name: str,
    arity: int,
    summary: str,
    *arguments: Argument,
    flags: str = "noscript",
    cost: str = "O(1)",
    since: str = "2.6.0",
    tips: str = "",
    history: tuple[tuple[str, str], ...] = (),
) -> Command:
    return _scripting(
        f"script|{name}",
        arity,
        flags,
        summary,
        since=since,
        complexity=cost,
        tips=tips,
        arguments=arguments,
        history=history,
    )


_SCRIPT = container(
    "script",
    "Keeps scripts for EVALSHA.",
    [
        _script(
            "debug",
            3,
            "Chooses how scripts are debugged: there is no debugger here.",
            one_of("mode", token("YES"), token("SYNC"), token("NO")),
            since="3.2.0",
        ),
        _script(
            "exists",
            -3,
            "Tells which scripts are kept.",
            string("sha1", multiple=True),
            cost="O(N), N being the number of scripts that are asked for.",
            tips="request_policy:all_shards response_policy:agg_logical_and",
        ),
        _script(
            "flush",
            -2,
            "Forgets all scripts.",
            one_of(
                "async",
                token("ASYNC"),
                token("SYNC"),
                since="6.2.0",
                optional=True,
            ),
            cost="O(N), N being the number of scripts.",
            tips=_ALL_NODES,
            history=(("6.2.0", "ASYNC and SYNC."),),
        ),
        _script(
            "kill",
            2,
            "Ends the running script, if it has written nothing.",
            flags="noscript allow_busy",
            tips=_ONE_SHARD,
        ),
        _script(
            "load",
            3,
            "Keeps a script and returns its digest.",
            string("script"),
            flags="noscript stale",
            cost="O(N), N being the length of the script.",
            tips=_ALL_NODES,
        ),
    ],
    group="scripting",
    since="2.6.0",
    help_since="5.0.0",
    help_categories="scripting",
)


def _function(
    name: str,
    arity: int,
    summary: str,
    *arguments: Argument,
    flags: str = "noscript",
    cost: str = "O(1)",
    tips: str = "",
) -> Command:
    return _scripting(
        f"function|{name}",
        arity,
        flags,
        summary,
        since="7.0.0",
        complexity=cost,
        tips=tips,
        arguments=arguments,
    )


_ALL_COST = "O(N), N being the number of functions."

_FUNCTION = container(
    "function",
    "Keeps libraries of functions.",
    [
        _function(
            "delete",
            3,
            "Deletes a library.",
            string("library-name"),
            flags=_CHANGE,
            tips=_ALL_SHARDS,
        ),
        _function("dump", 2, "Returns all libraries, serialized.", cost=_ALL_COST),
        _function(
            "flush",
            -2,
            "Deletes all libraries.",
            _when,
            flags=_CHANGE,
            cost=_ALL_COST,
            tips=_ALL_SHARDS,
        ),
        _function(
            "kill",
            2,
            "Ends the running function, if it has written nothing.",
            flags="noscript allow_busy",
            tips=_ONE_SHARD,
        ),
        _function(
            "list",
            -2,
            "Returns facts on the libraries.",
            string("library-name-pattern", "LIBRARYNAME", optional=True),
            token("WITHCODE", optional=True),
            cost=_ALL_COST,
            tips="nondeterministic_output_order",
        ),
        _function(
            "load",
            -3,
            "Makes a library, or replaces one.",
            token("REPLACE", optional=True),
            string("function-code"),
            flags=_CHANGE_MORE,
            cost="O(1), compiling apart.",
            tips=_ALL_SHARDS,
        ),
        _function(
            "restore",
            -3,
            "Makes the libraries of a dump.",
            string("serialized-value"),
            one_of("policy", token("FLUSH"), token("APPEND"), token("REPLACE"), optional=True),
            flags=_CHANGE_MORE,
            cost="O(N), N being the number of functions in the dump.",
            tips=_ALL_SHARDS,
        ),
        _function(
            "stats",
            2,
            "Returns facts on what runs, and how many functions there are.",
            flags="noscript allow_busy",
            tips="nondeterministic_output request_policy:all_shards response_policy:special",
        ),
    ],
    group="scripting",
    since="7.0.0",
    help_since="7.0.0",
    help_categories="scripting",
)

COMMANDS = (
    _run("eval", "script", "script", "2.6.0"),
    _run("eval_ro", "script", "script", "7.0.0"),
    _run("evalsha", "script that is kept", "sha1", "2.6.0", notes=False),
    _run("evalsha_ro", "script that is kept", "sha1", "7.0.0", notes=False),
    _run("fcall", "function", "function", "7.0.0"),
    _run("fcall_ro", "function", "function", "7.0.0"),
    _FUNCTION,
    _SCRIPT,
)

RUN_SCRIPTS = frozenset(("eval", "eval_ro", "evalsha", "evalsha_ro", "fcall", "fcall_ro"))
"""Commands that work on keys by means of others: a part of a transaction, as those are."""
