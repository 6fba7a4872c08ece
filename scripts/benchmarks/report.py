"""What a run of the benchmark collects, prints and writes."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from benchmarks.targets import TARGETS
from support.terminal import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from benchmarks.machine import Machine

__all__ = ["CACHE_PREFIX", "Bench", "Figure", "Row"]

CACHE_PREFIX = "bench"


@dataclass(frozen=True)
class Figure:
    """One measured value."""

    name: str
    value: float
    unit: str
    note: str = ""


@dataclass(frozen=True)
class Row:
    """One target and what was measured for it."""

    name: str
    what: str
    target: str
    measured: float | None
    verdict: str


def number(value: float) -> str:
    """A value with three or four figures that mean something."""
    if value == int(value) and abs(value) < 10_000:
        return f"{value:.0f}"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


@dataclass
class Bench:
    """Given to each section: how thorough to be, and where its results go.

    :ivar quick: fewer rounds and smaller data, to see that it works; the figures are rough
    :ivar times: nanoseconds of a call by (operation, system), for the chart
    :ivar directory: for sockets, logs and databases; gone after the run
    """

    machine: Machine
    directory: Path
    quick: bool
    figures: dict[str, list[Figure]] = field(default_factory=dict)
    measured: dict[str, float] = field(default_factory=dict)
    times: dict[tuple[str, str], float] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    sections: list[str] = field(default_factory=list)
    _title: str = ""

    @property
    def cache_name(self) -> str:
        """Name for a cache of this run's own."""
        return f"{CACHE_PREFIX}-{os.getpid()}"

    @property
    def rounds(self) -> int:
        """How many interleaved rounds a median is taken of."""
        return 3 if self.quick else 7

    def run_section(self, title: str, section: Callable[[Bench], None]) -> None:
        """Run one section and print what it measured."""
        self._title = title
        self.sections.append(title)
        self.figures[title] = []
        section(self)
        self.print_section(title)

    def figure(self, name: str, value: float, unit: str, note: str = "") -> None:
        """Record a measured value."""
        self.figures[self._title].append(Figure(name, value, unit, note))

    def target(self, name: str, value: float) -> None:
        """Record what was measured for a target of targets.py."""
        assert TARGETS[name].section == self._title, name
        self.measured[name] = value

    def leave_out(self, what: str) -> None:
        """Say that something was not measured, and why."""
        self.left_out.append(what)
        print(f"==> Left out: {what}", file=sys.stderr, flush=True)

    def progress(self, steps: int) -> Progress:
        """A progress bar for the section that runs."""
        return Progress(self._title, steps)

    def print_section(self, title: str) -> None:
        """Print a section's figures."""
        print(f"\n{title}")
        figures = self.figures[title]
        width = max((len(figure.name) for figure in figures), default=0)
        for figure in figures:
            text = f"{number(figure.value):>9} {figure.unit}"
            note = f"   {figure.note}" if figure.note else ""
            print(f"  {figure.name:<{width}}  {text}{note}".rstrip(), flush=True)

    def rows(self) -> list[Row]:
        """Each target of the sections that ran."""
        rows = []
        for target in TARGETS.values():
            if target.section not in self.sections:
                continue
            value = self.measured.get(target.name)
            verdict = "not measured"
            if value is not None:
                verdict = "ok" if target.reached(value) else "MISSED"
            bound = f"{target.sense} {number(target.bound)} {target.unit}"
            rows.append(Row(target.name, f"{target.section}: {target.what}", bound, value, verdict))
        return rows

    def print_targets(self) -> None:
        """Print the table of targets."""
        rows = self.rows()
        cells = [("what", "target", "measured", "")]
        cells += [
            (
                row.what,
                row.target,
                "–" if row.measured is None else number(row.measured),
                row.verdict,
            )
            for row in rows
        ]
        print("\ntargets")
        _print_table(cells)
        print(f"\n{self.machine.describe()}")
        if self.quick:
            print("--quick: fewer rounds and smaller data; the figures are rough")

    def write_json(self, path: Path) -> None:
        """Write everything.

        :raises OSError: `path` cannot be written
        """
        document: dict[str, Any] = {
            "machine": asdict(self.machine),
            "quick": self.quick,
            "sections": {
                title: [asdict(figure) for figure in figures]
                for title, figures in self.figures.items()
            },
            "targets": [asdict(row) for row in self.rows()],
            "left_out": self.left_out,
        }
        path.write_text(json.dumps(document, indent=1) + "\n")


def _print_table(cells: Sequence[tuple[str, str, str, str]]) -> None:
    widths = [max(len(row[column]) for row in cells) for column in range(4)]
    for what, target, measured, verdict in cells:
        left = f"  {what:<{widths[0]}}  {target:<{widths[1]}}"
        print(f"{left}  {measured:>{widths[2]}}  {verdict}".rstrip())
