"""Modes that look again and again: --stat, --latency, --latency-history."""

from __future__ import annotations

import itertools
import re
import sys
import time
from typing import TYPE_CHECKING, Final

from shmcache.cli.errors import CliError

if TYPE_CHECKING:
    from shmcache.cli.connection import Connection

__all__ = ["show_latency", "show_statistics"]

_STATISTICS_HEAD: Final = """\
------- data ------ --------------------- load -------------------- - child -
keys       mem      clients blocked requests            connections          
"""  # noqa: W291 - as redis-cli has it
_HEAD_EVERY_LINES: Final = 20
_KEYS: Final = re.compile(r"^db\d+:keys=(\d+)", re.MULTILINE)
_LATENCY_PAUSE_SECONDS: Final = 0.01
_LATENCY_SECONDS: Final = 1.0
_HISTORY_SECONDS: Final = 15.0
_CHILDREN: Final = (("rdb_bgsave_in_progress", "SAVE"), ("aof_rewrite_in_progress", "AOF"))
_CHILDREN_TOO: Final = (("loading", "LOAD"),)


def show_statistics(connection: Connection, *, interval: float, repeat: int) -> None:
    """Print a line of INFO's figures every ``interval`` seconds (0: every second).

    :param repeat: how many lines; -1 or 1, which is the option's default, for ever
    """
    lines = itertools.count() if repeat in (-1, 1) else range(repeat)
    requests: int | None = None
    for line in lines:
        reply = connection.ask(b"INFO")
        if reply.kind == "error":
            raise CliError(f"ERROR: {reply.text.decode(errors='replace')}")
        text = reply.text.decode(errors="replace")
        figures = dict(part.split(":", 1) for part in text.splitlines() if ":" in part)
        done = int(figures.get("total_commands_processed", "0"))
        head = "" if line % _HEAD_EVERY_LINES else _STATISTICS_HEAD
        grown = done - requests if requests is not None else 0
        sys.stdout.write(head + _statistics_line(text, figures, done, grown))
        sys.stdout.flush()
        requests = done
        time.sleep(interval or 1.0)


def _statistics_line(text: str, figures: dict[str, str], done: int, grown: int) -> str:
    keys = sum(map(int, _KEYS.findall(text)))
    requests = f"{done} (+{grown})"
    children = " + ".join(
        word for name, word in (*_CHILDREN, *_CHILDREN_TOO) if figures.get(name, "0") != "0"
    )
    return (
        f"{keys:<11}{_human_bytes(int(figures.get('used_memory', '0'))):<9}"
        f"{figures.get('connected_clients', ''):<8}{figures.get('blocked_clients', ''):<8}"
        f"{requests:<19} {figures.get('total_connections_received', ''):<12}{children}\n"
    )


def _human_bytes(count: int) -> str:
    if count < 1024:
        return f"{count}B"
    size = float(count)
    for unit in "KMG":
        size /= 1024
        if size < 1024 or unit == "G":
            break
    return f"{size:.2f}{unit}"


def show_latency(
    connection: Connection, *, output: str, interval: float, history: bool, live: bool
) -> None:
    """Print how long PINGs take, in milliseconds: least, most, mean, number.

    :param live: rewrite the line of a terminal for ever; else one line after a second
    :param history: begin a new line every 15 seconds
    :param interval: instead of that second, or those 15
    """
    span = interval or (_HISTORY_SECONDS if history else _LATENCY_SECONDS)
    least = most = total = count = 0
    start = time.monotonic()
    while True:
        asked = time.monotonic()
        connection.ask(b"PING")
        took = int((time.monotonic() - asked) * 1000)
        least = took if not count else min(least, took)
        most, total, count = max(most, took), total + took, count + 1
        text = _latency_text(output, live=live, figures=(least, most, total / count, count))
        sys.stdout.write(text if live else "")
        if time.monotonic() - start > span and (history or not live):
            seconds = time.monotonic() - start
            tail = f" -- {seconds:.2f} seconds range\n" if history and live else "\n"
            sys.stdout.write(tail if live else text + "\n")
            sys.stdout.flush()
            if not history:
                return
            least = most = total = count = 0
            start = time.monotonic()
        sys.stdout.flush()
        time.sleep(_LATENCY_PAUSE_SECONDS)


def _latency_text(output: str, *, live: bool, figures: tuple[int, int, float, int]) -> str:
    least, most, mean, count = figures
    if live:
        shown = f"min: {least}, max: {most}, avg: {mean:.2f} ({count} samples)"
        return f"\x1b[0G\x1b[2K{shown}"
    if output == "csv":
        return f"{least},{most},{mean:.2f},{count}"
    if output in {"json", "quoted-json"}:
        return f'{{"min": {least}, "max": {most}, "avg": {mean:.2f}, "count": {count}}}'
    return f"{least} {most} {mean:.2f} {count}"
