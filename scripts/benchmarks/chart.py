"""The chart of the README: what one call costs, ours and the peers', on a logarithmic axis."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.machine import Machine

__all__ = ["draw_chart"]

_WIDTH = 860
_LABEL_WIDTH = 190
_RIGHT_MARGIN = 92
_ROW_HEIGHT = 26
_BAR_HEIGHT = 14
_PANEL_GAP = 30
_TOP = 56
_LOWEST, _HIGHEST = 1, 5  # powers of ten of nanoseconds: 10 ns to 100 µs
_TITLES = {"get": "GET", "set": "SET", "incr": "INCR"}

_STYLE = """
  .ground { fill: #ffffff } text { font: 13px system-ui, 'DejaVu Sans', sans-serif; fill: #1c2326 }
  .title { font-size: 17px; font-weight: 650 } .soft { fill: #646f73; font-size: 12px }
  .panel { font-weight: 650 } .grid { stroke: #e3e1da } .bar { fill: #b8bfc1 }
  .ours { fill: #0b7a75 } .oursText { font-weight: 650 }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #14181a } text { fill: #e9ecea } .soft { fill: #94a0a3 }
    .grid { stroke: #2d3538 } .bar { fill: #566266 } .ours { fill: #3cc4bb }
  }
"""


def draw_chart(times: Mapping[tuple[str, str], float], machine: Machine, ours: str) -> str:
    """Draw an SVG.

    :param times: nanoseconds by (operation, system)
    :param machine: named below the bars
    :param ours: the system to draw attention to
    """
    parts: list[str] = []
    y = float(_TOP)
    for operation, title in _TITLES.items():
        of_this = {name: ns for (done, name), ns in times.items() if done == operation}
        if of_this:
            y = _draw_panel(parts, y, title, of_this, ours) + _PANEL_GAP
    height = y + 6
    parts.append(
        f'<text class="soft" x="20" y="{height - 14:.0f}">{escape(machine.describe())}</text>'
    )
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height:.0f}" '
        f'width="{_WIDTH}" height="{height:.0f}" role="img" '
        'aria-label="Time of one call from Python, by system">'
        f'<style>{_STYLE}</style><rect class="ground" width="100%" height="100%" rx="8"/>'
        '<text class="title" x="20" y="30">One call from Python: 16-byte key, 100-byte value</text>'
        f'<text class="soft" x="{_WIDTH - 20}" y="30" text-anchor="end">'
        "logarithmic; shorter is faster</text>"
    )
    return "\n".join([head, *parts, "</svg>"]) + "\n"


def _x(nanoseconds: float) -> float:
    share = (math.log10(max(nanoseconds, 10.0)) - _LOWEST) / (_HIGHEST - _LOWEST)
    return _LABEL_WIDTH + min(share, 1.0) * (_WIDTH - _RIGHT_MARGIN - _LABEL_WIDTH)


def _draw_panel(
    parts: list[str], top: float, title: str, times: Mapping[str, float], ours: str
) -> float:
    """Append one operation's bars, the fastest first; gives where they end."""
    bottom = top + 10 + _ROW_HEIGHT * len(times)
    parts.append(f'<text class="panel" x="20" y="{top:.0f}">{title}</text>')
    for power in range(_LOWEST, _HIGHEST + 1):
        x = _x(10.0**power)
        parts.append(
            f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{top + 6:.0f}" y2="{bottom:.0f}"/>'
        )
        parts.append(
            f'<text class="soft" x="{x:.1f}" y="{top:.0f}" text-anchor="middle">'
            f"{_time(10.0**power)}</text>"
        )
    for row, (name, nanoseconds) in enumerate(sorted(times.items(), key=lambda pair: pair[1])):
        y = top + 14 + row * _ROW_HEIGHT
        kind = "ours" if name == ours else "bar"
        text_class = ' class="oursText"' if name == ours else ""
        end = _x(nanoseconds)
        parts.append(f'<text{text_class} x="20" y="{y + 11:.0f}">{escape(name)}</text>')
        parts.append(
            f'<rect class="{kind}" x="{_LABEL_WIDTH}" y="{y:.0f}" '
            f'width="{end - _LABEL_WIDTH:.1f}" height="{_BAR_HEIGHT}" rx="3"/>'
        )
        parts.append(
            f'<text{text_class} x="{end + 8:.1f}" y="{y + 11:.0f}">{_time(nanoseconds)}</text>'
        )
    return bottom


def _time(nanoseconds: float) -> str:
    if nanoseconds < 1000:
        return f"{nanoseconds:.0f} ns"
    microseconds = nanoseconds / 1000
    return (
        f"{microseconds:.1f} µs"
        if microseconds < 10 and microseconds % 1
        else f"{microseconds:.0f} µs"
    )
