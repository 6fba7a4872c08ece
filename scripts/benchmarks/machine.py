"""Which machine the figures belong to."""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import dataclass
from pathlib import Path

import psutil

__all__ = ["Machine"]


@dataclass(frozen=True)
class Machine:
    """What a reader needs to judge a figure."""

    processor: str
    cores: int
    memory_gib: float
    kernel: str
    python: str
    redis: str
    load_before: float

    @classmethod
    def this(cls) -> Machine:
        """Describe the machine this runs on."""
        return cls(
            processor=_processor(),
            cores=len(os.sched_getaffinity(0)),
            memory_gib=round(psutil.virtual_memory().total / 2**30, 1),
            kernel=platform.release(),
            python=platform.python_version(),
            redis=_redis_version(),
            load_before=round(os.getloadavg()[0], 2),
        )

    def describe(self) -> str:
        """One line."""
        return (
            f"{self.processor}, {self.cores} cores, {self.memory_gib} GiB, Linux {self.kernel}, "
            f"Python {self.python}, redis-server {self.redis}, load before {self.load_before}"
        )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() in {"model name", "Model"}:
            return value.strip()
    return platform.machine()


def _redis_version() -> str:
    try:
        words = subprocess.check_output(["redis-server", "--version"], text=True).split()
    except OSError:
        return "none"
    return next((word[2:] for word in words if word.startswith("v=")), "unknown")
