"""Declarations of MODULE. Only a server has modules to load, so none has a function."""

from __future__ import annotations

from functools import partial

from shmcache.commands import spec
from shmcache.commands.containers import container
from shmcache.commands.spec import block, string

__all__ = ["COMMANDS"]

_module = partial(spec.command, group="server")

_LOADING = "admin noscript no_async_loading"

_MODULE = (
    _module(
        "module|list",
        2,
        "admin noscript",
        "Lists the loaded modules.",
        since="4.0.0",
        complexity="O(N), N being the number of modules.",
        tips="nondeterministic_output_order",
    ),
    _module(
        "module|load",
        -3,
        _LOADING,
        "Loads the module that an installed package offers under a name.",
        since="4.0.0",
        arguments=[string("path"), string("arg", optional=True, multiple=True)],
    ),
    _module(
        "module|loadex",
        -3,
        _LOADING,
        "Loads a module and gives it options.",
        since="7.0.0",
        arguments=[
            string("path"),
            block(
                "configs",
                string("name"),
                string("value"),
                word="CONFIG",
                optional=True,
                multiple=True,
            )._replace(repeats_token=True),
            block("args", string("arg"), word="ARGS", optional=True, multiple=True),
        ],
    ),
    _module(
        "module|unload",
        3,
        _LOADING,
        "Unloads a module.",
        since="4.0.0",
        arguments=[string("name")],
    ),
)

COMMANDS = (
    container(
        "module",
        "Looks after modules: packages that add commands.",
        _MODULE,
        group="server",
        since="4.0.0",
        help_since="5.0.0",
    ),
)
