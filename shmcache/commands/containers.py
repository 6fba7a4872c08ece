"""Commands that hold subcommands, each with a HELP made out of its declarations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shmcache.commands.spec import Argument, Command, command

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from shmcache.commands.context import Context
    from shmcache.commands.replies import Reply

__all__ = ["container", "help_command", "syntax"]


def container(
    name: str,
    summary: str,
    subcommands: Sequence[Command],
    *,
    group: str,
    since: str,
    help_since: str,
    help_categories: str = "",
) -> Command:
    """Declare a command that only holds subcommands, such as OBJECT, and its HELP."""
    helper = help_command(
        name, subcommands, group=group, since=help_since, categories=help_categories
    )
    return command(
        name,
        -2,
        "",
        summary,
        group=group,
        since=since,
        complexity="Depends on subcommand.",
        subcommands=[*subcommands, helper],
    )


def help_command(
    container_name: str,
    subcommands: Iterable[Command],
    *,
    group: str,
    since: str,
    categories: str = "",
    preface: Sequence[str] = (),
) -> Command:
    """Declare the HELP of a container.

    :param preface: lines on what the container does without a subcommand
    """
    lines = _help_lines(container_name, subcommands, preface)

    def show_help(context: Context, args: Sequence[bytes]) -> Reply:  # noqa: ARG001
        return lines

    return command(
        f"{container_name}|help",
        2,
        "loading stale",
        "Lists the subcommands.",
        group=group,
        since=since,
        categories=categories,
        function=show_help,
    )


def _help_lines(
    container_name: str, subcommands: Iterable[Command], preface: Sequence[str]
) -> list[Reply]:
    lines: list[Reply] = [
        f"{container_name.upper()} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        *preface,
    ]
    for subcommand in subcommands:
        name = subcommand.name.partition("|")[2].upper()
        lines.append(" ".join((name, *map(syntax, subcommand.arguments))))
        lines.append(f"    {subcommand.summary}")
    return [*lines, "HELP", "    Print this help."]


def syntax(argument: Argument) -> str:
    """An argument as a manual would show it: ``[EX <seconds> | PX <milliseconds>]``."""
    if argument.type == "pure-token":
        text = argument.token
    elif argument.parts:
        separator = " | " if argument.type == "oneof" else " "
        text = separator.join(map(syntax, argument.parts))
    else:
        text = f"<{argument.name}>"
    if argument.token and argument.type != "pure-token":
        text = f"{argument.token} {text}"
    if argument.multiple:
        text = f"{text} ..." if argument.type == "oneof" else f"{text} [{text} ...]"
    return f"[{text}]" if argument.optional else text
