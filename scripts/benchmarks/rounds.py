"""Interleaved rounds: every contender is measured once a round, so that a noisy moment of the
machine meets them all alike; the median over the rounds is what counts.
"""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from support.terminal import Progress

__all__ = ["interleaved", "median_ratio", "medians"]

Name = TypeVar("Name")


def interleaved(
    contenders: Mapping[Name, Callable[[], float]], rounds: int, progress: Progress
) -> dict[Name, list[float]]:
    """Measure each contender once a round.

    :return: what each measured, round by round
    """
    measured: dict[Name, list[float]] = {name: [] for name in contenders}
    for turn in range(rounds):
        for name, measure in contenders.items():
            measured[name].append(measure())
            progress.step(f"round {turn + 1} of {rounds}: {name}")
    return measured


def medians(measured: Mapping[Name, list[float]]) -> dict[Name, float]:
    """The median of each contender's rounds."""
    return {name: median(values) for name, values in measured.items()}


def median_ratio(above: list[float], below: list[float]) -> float:
    """Median over the rounds of one contender's measure through another's of the same round."""
    return median(a / b for a, b in zip(above, below, strict=True))
