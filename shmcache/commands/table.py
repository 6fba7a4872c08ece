"""Every command: the families' declarations, and COMMAND itself, which tells of them all."""

from __future__ import annotations

from functools import partial

from shmcache.commands import (
    spec,
    table_acl,
    table_bitmaps,
    table_cluster,
    table_connection,
    table_generic,
    table_geo,
    table_hashes,
    table_hyperloglog,
    table_lists,
    table_modules,
    table_operations,
    table_pubsub,
    table_replication,
    table_scripting,
    table_server,
    table_sets,
    table_sorted_sets,
    table_streams,
    table_strings,
    table_transactions,
)
from shmcache.commands.command_info import Introspection
from shmcache.commands.containers import help_command
from shmcache.commands.spec import Command, CommandFunction, one_of, pattern, string

__all__ = ["COMMANDS"]

_command = partial(spec.command, group="server", categories="connection")

_TABLE_COST = "O(N), N being the number of commands."
_NAMES_COST = "O(N), N being the number of names."
_LINE_COST = "O(N), N being the number of arguments."
_ANY_ORDER = "nondeterministic_output_order"
_NAMES = (string("command-name", optional=True, multiple=True),)
_FILTER = one_of(
    "filterby",
    string("module-name", "MODULE"),
    string("category", "ACLCAT"),
    pattern("pattern", "PATTERN"),
    word="FILTERBY",
    optional=True,
)


def _subcommand(
    name: str, arity: int, summary: str, function: CommandFunction, cost: str, since: str
) -> Command:
    return _command(
        f"command|{name}",
        arity,
        "loading stale",
        summary,
        since=since,
        complexity=cost,
        function=function,
    )


def _looking_up(told: Introspection) -> tuple[Command, ...]:
    """The subcommands that tell about commands."""
    count = _subcommand(
        "count", 2, "Returns how many commands there are.", told.count, "O(1)", "2.8.13"
    )
    docs = _subcommand(
        "docs", -2, "Returns the manual of commands.", told.docs, _NAMES_COST, "7.0.0"
    )
    info = _subcommand("info", -2, "Returns facts on commands.", told.info, _NAMES_COST, "2.8.13")
    names = _subcommand(
        "list", -2, "Returns the names of commands.", told.list_names, _TABLE_COST, "7.0.0"
    )
    return (
        count,
        docs._replace(tips=(_ANY_ORDER,), arguments=_NAMES),
        info._replace(
            tips=(_ANY_ORDER,),
            arguments=_NAMES,
            history=(("7.0.0", "No names: all commands."),),
        ),
        names._replace(tips=(_ANY_ORDER,), arguments=(_FILTER,)),
    )


def _finding_keys(told: Introspection) -> tuple[Command, ...]:
    """The subcommands that take a command line apart."""
    return (
        _subcommand(
            "getkeys",
            -4,
            "Returns the keys of a command line.",
            told.get_keys,
            _LINE_COST,
            "2.8.13",
        ),
        _subcommand(
            "getkeysandflags",
            -4,
            "Returns the keys of a command line and what it does to them.",
            told.get_keys_and_flags,
            _LINE_COST,
            "7.0.0",
        ),
    )


def _introspective(told: Introspection) -> Command:
    """COMMAND and its subcommands."""
    subcommands = (*_looking_up(told), *_finding_keys(told))
    helper = help_command(
        "command",
        subcommands,
        group="server",
        since="5.0.0",
        categories="connection",
        preface=("(no subcommand)", "    Returns facts on all commands."),
    )
    return _command(
        "command",
        -1,
        "loading stale",
        "Tells about the commands.",
        since="2.8.13",
        complexity=_TABLE_COST,
        tips=_ANY_ORDER,
        subcommands=(*subcommands, helper),
        function=told.describe_all,
    )


def _assemble() -> dict[str, Command]:
    families = (
        table_acl,
        table_bitmaps,
        table_cluster,
        table_connection,
        table_generic,
        table_geo,
        table_hashes,
        table_hyperloglog,
        table_lists,
        table_modules,
        table_operations,
        table_pubsub,
        table_replication,
        table_scripting,
        table_server,
        table_sets,
        table_sorted_sets,
        table_streams,
        table_strings,
        table_transactions,
    )
    table = {command.name: command for family in families for command in family.COMMANDS}
    assert len(table) == sum(len(family.COMMANDS) for family in families), "declared twice"
    table["command"] = _introspective(Introspection(table))
    return table


COMMANDS: dict[str, Command] = _assemble()
"""The commands by lower-case name; subcommands are inside their containers."""
