"""``scripts/bench``: measure, print, judge."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.chart import draw_chart
from benchmarks.machine import Machine
from benchmarks.report import CACHE_PREFIX, Bench
from benchmarks.sections import (
    connections,
    eviction,
    feed,
    inprocess,
    memory,
    pubsub,
    restart,
    scaling,
    scripts,
    socket,
    transactions,
    types,
)
from support.daemon import remove_leftovers
from support.processes import ScriptError, end_on_signals, runtime_directory
from support.terminal import say

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_QUIET_LOAD = 0.3  # of each processor

SECTIONS: dict[str, Callable[[Bench], None]] = {
    "inprocess": inprocess.run,
    "socket": socket.run,
    "types": types.run,
    "transactions": transactions.run,
    "pubsub": pubsub.run,
    "scripts": scripts.run,
    "connections": connections.run,
    "feed": feed.run,
    "scaling": scaling.run,
    "memory": memory.run,
    "eviction": eviction.run,
    "restart": restart.run,
}


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description="Measure shmcache against its peers in the same run. Each figure is the median "
        "of interleaved rounds; each target is printed with what was measured.",
        epilog=f"sections: {' '.join(SECTIONS)} (default: all)",
    )
    add = parser.add_argument
    add("sections", nargs="*", metavar="SECTION", help="what to measure")
    add("--quick", action="store_true", help="smaller and rougher, to see that it works")
    add("--json", type=Path, metavar="FILE", help="write every figure")
    add("--chart", type=Path, metavar="FILE", help="draw inprocess as an SVG")
    parsed = parser.parse_args(arguments)
    unknown = set(parsed.sections) - set(SECTIONS)
    if unknown:
        parser.error(
            f"no section named {', '.join(sorted(unknown))}; there are {', '.join(SECTIONS)}"
        )
    chosen = parsed.sections or list(SECTIONS)
    if parsed.chart and "inprocess" not in chosen:
        parser.error("--chart draws the section inprocess; name it, too")
    return parsed


def measure(options: argparse.Namespace, directory: Path) -> int:
    """Run the sections and report; a missed target is a finding, no failure: the exit code is 0."""
    remove_leftovers(CACHE_PREFIX)
    bench = Bench(Machine.this(), directory, options.quick)
    print(bench.machine.describe())
    if bench.machine.load_before > _QUIET_LOAD * bench.machine.cores:
        say("The machine is busy with something else: figures of several processes will be off")
    for title, section in SECTIONS.items():
        if title in (options.sections or SECTIONS):
            bench.run_section(title, section)
    bench.print_targets()
    if options.json:
        bench.write_json(options.json)
    if options.chart:
        options.chart.write_text(draw_chart(bench.times, bench.machine, inprocess.OURS))
    return 0


def main() -> int:
    """Entry point."""
    options = parse_arguments()
    try:
        with end_on_signals(), runtime_directory("bench") as directory:
            return measure(options, directory)
    except (ScriptError, OSError) as error:
        print(f"scripts/bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
