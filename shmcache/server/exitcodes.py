"""Exit statuses of the front-end process, which the supervisor acts upon."""

from __future__ import annotations

from typing import Final

__all__ = ["EXIT_BAD_START", "EXIT_SHUTDOWN"]

EXIT_SHUTDOWN: Final = 64
"""A client sent SHUTDOWN: the supervisor stops everything instead of restarting the front-end."""

EXIT_BAD_START: Final = 65
"""The front-end cannot work with what it was given; one line on stderr says why.

Restarting it with the same arguments would fail in the same way.
"""
