"""What becomes of a command that took long: an entry in the slow log, a sample of the monitor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shmcache.commands.table import COMMANDS
from shmcache.server.secrets import without_secrets

if TYPE_CHECKING:
    from shmcache.commands.spec import Command
    from shmcache.server._frontend import CommandStats
    from shmcache.server.client import Client

__all__ = ["note_slow_command", "slow_limit_ns"]


def slow_limit_ns(slower_than_us: int, threshold_ms: int) -> int:
    """From how many nanoseconds on anybody wants to know of a command; -1: nobody does.

    :param slower_than_us: slowlog-log-slower-than; negative: no slow log
    :param threshold_ms: latency-monitor-threshold; 0: no latency monitor
    """
    limits = []
    if slower_than_us >= 0:
        limits.append(slower_than_us * 1000)
    if threshold_ms:
        limits.append(threshold_ms * 1_000_000)
    return min(limits, default=-1)


def note_slow_command(
    client: Client, words: list[bytes], nanoseconds: int, stats: CommandStats
) -> None:
    """Take in a command that took at least :func:`slow_limit_ns`."""
    server = client.server
    command = _command(stats.name)
    microseconds = nanoseconds // 1000
    if 0 <= server.settings.slower_than_us <= microseconds and (
        "skip_slowlog" not in command.flags
    ):
        shown = without_secrets(command.name, words)
        server.slowlog.add(shown, microseconds, client.address, client.name)
    event = "fast-command" if "fast" in command.flags else "command"
    server.latency.note(event, microseconds // 1000)


def _command(full_name: str) -> Command:
    command = COMMANDS[full_name.partition("|")[0]]
    return command.subcommands.get(full_name, command)
