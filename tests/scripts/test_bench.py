"""The benchmark's bookkeeping: rounds, verdicts, JSON and the chart."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import pytest

from benchmarks.__main__ import SECTIONS, parse_arguments
from benchmarks.chart import draw_chart
from benchmarks.machine import Machine
from benchmarks.report import Bench
from benchmarks.rounds import interleaved, median_ratio
from benchmarks.targets import TARGETS
from support.terminal import Progress

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(Machine.this(), tmp_path, quick=True)


def test_every_target_belongs_to_a_section() -> None:
    assert {target.section for target in TARGETS.values()} == SECTIONS.keys()


def test_verdicts(bench: Bench, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    def section(bench: Bench) -> None:
        bench.figure("something", 12.345, "ns", "a note")
        bench.target("adopt", 99.0)
        bench.target("lost", 1)

    bench.run_section("restart", section)
    bench.print_targets()
    printed = capsys.readouterr().out
    assert "12.3 ns   a note" in printed
    verdicts = {row.name: row.verdict for row in bench.rows()}
    assert verdicts == {"adopt": "ok", "lost": "MISSED"}
    bench.write_json(tmp_path / "out.json")
    written = json.loads((tmp_path / "out.json").read_text())
    assert written["targets"][0]["measured"] == 99.0
    assert written["sections"]["restart"][0]["name"] == "something"
    assert written["machine"]["cores"] >= 1


def test_what_was_not_measured_is_no_success(bench: Bench) -> None:
    bench.run_section("restart", lambda bench: None)
    assert {row.verdict for row in bench.rows()} == {"not measured"}


def test_contenders_take_turns() -> None:
    order: list[str] = []

    def contender(name: str, values: list[float]) -> float:
        order.append(name)
        return values.pop(0)

    a, b = [1.0, 2.0, 3.0], [2.0, 8.0, 3.0]
    measured = interleaved(
        {"a": lambda: contender("a", a), "b": lambda: contender("b", b)}, 3, Progress("", 6)
    )
    assert order == ["a", "b"] * 3
    assert median_ratio(measured["b"], measured["a"]) == 2.0


def test_the_chart_is_well_formed_and_in_proportion() -> None:
    times = {("get", "dict"): 30.0, ("get", "shmcache"): 60.0, ("get", "a & b"): 60_000.0}
    drawing = ET.fromstring(draw_chart(times, Machine.this(), "shmcache"))
    name = "{http://www.w3.org/2000/svg}"
    bars = [bar for bar in drawing.iter(f"{name}rect") if bar.get("class") in {"bar", "ours"}]
    widths = [float(bar.get("width") or 0) for bar in bars]
    assert widths == sorted(widths)
    assert [bar.get("class") for bar in bars] == ["bar", "ours", "bar"]
    assert "a & b" in {text.text for text in drawing.iter(f"{name}text")}
    # one factor of ten is the same length everywhere: 30 to 60 ns is a tenth of 60 to 60,000
    assert (widths[1] - widths[0]) / (widths[2] - widths[1]) == pytest.approx(0.1003, abs=0.002)


def test_an_unknown_section_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse_arguments(["nonsense"])
    assert "nonsense" in capsys.readouterr().err
