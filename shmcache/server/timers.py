"""The loop's timers, for times that clients choose."""

from __future__ import annotations

import math
import time
from typing import Final

__all__ = ["timer_s"]

_LONGEST_S: Final = 86400.0
"""For longer times a timer is set anew: its clock need not be able to tell them."""


def timer_s(end_s: float) -> float:
    """How long to set a timer for something at ``end_s`` of the monotonic clock.

    The loop counts whole milliseconds from the beginning of its turn, so a timer may be early:
    look at the clock when it fires, and set it again.
    """
    left_ms = math.ceil((end_s - time.monotonic()) * 1000)
    return min(max(left_ms / 1000, 0.0), _LONGEST_S)
