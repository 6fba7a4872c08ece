"""Messages to the service manager: READY=1 and its like, as sd_notify(3) defines them."""

from __future__ import annotations

import os
import socket
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Notifier"]


class Notifier:
    """Sends to the socket that NOTIFY_SOCKET names, or nowhere.

    A service manager that does not listen must not stop the daemon: failures are ignored, as
    sd_notify(3) advises.
    """

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._address = environment.get("NOTIFY_SOCKET", "")
        self.watchdog_seconds = _watchdog_seconds(environment)

    @property
    def active(self) -> bool:
        """Whether anybody asked to be notified."""
        return bool(self._address)

    def ready(self, status: str) -> None:
        """Tell that starting, or reloading, is done."""
        self._send("READY=1", f"STATUS={status}")

    def reloading(self) -> None:
        """Tell that the configuration is being read again; :meth:`ready` has to follow."""
        now_us = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self._send("RELOADING=1", f"MONOTONIC_USEC={now_us}")

    def stopping(self) -> None:
        """Tell that the daemon is on its way out."""
        self._send("STOPPING=1", "STATUS=Stopping")

    def status(self, text: str) -> None:
        """Give a line for people to read."""
        self._send(f"STATUS={text}")

    def watchdog(self) -> None:
        """Tell that all is well."""
        self._send("WATCHDOG=1")

    def main_pid(self, pid: int) -> None:
        """Tell which process is the daemon now."""
        self._send(f"MAINPID={pid}")

    def _send(self, *lines: str) -> None:
        if not self._address:
            return
        address = self._address
        if address.startswith("@"):
            address = "\0" + address[1:]  # the abstract namespace
        message = "\n".join(line.replace("\n", " ") for line in lines)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
            sender.settimeout(1.0)
            try:
                sender.sendto(message.encode(), address)
            except OSError:
                return


def _watchdog_seconds(environment: Mapping[str, str]) -> float | None:
    """Return how often the manager wants to hear from this process at least, None if never."""
    try:
        interval_us = int(environment.get("WATCHDOG_USEC", "0"))
        pid = int(environment.get("WATCHDOG_PID", "0"))
    except ValueError:
        return None
    if interval_us <= 0 or pid not in {0, os.getpid()}:
        return None
    return interval_us / 1e6
