"""Who listens on a cache's bus, as others count it, and a thread that sleeps on it for a loop."""

from __future__ import annotations

import logging
import os
import threading
import weakref
from typing import TYPE_CHECKING, Final

from shmcache.arena import BusReader, bus_count, bus_enter, bus_rouse
from shmcache.errors import MessagesLost

if TYPE_CHECKING:
    from collections.abc import Callable

    from shmcache.arena import Arena

__all__ = ["Register", "Watcher"]

_log = logging.getLogger("shmcache")
_SLEEP_MS: Final = 1000


class Register:
    """Subscriptions of this process in the bus's register, from which PUBLISH takes its answer.

    A name for which there is no room is left out: counts are too low then, and messages arrive all
    the same.
    """

    def __init__(self, arena: Arena) -> None:
        self._arena = arena
        self._entered: dict[tuple[int, bytes], tuple[int, int]] = {}
        _registers.add(self)

    def set(self, kind: int, name: bytes, count: int) -> None:
        """Say how many subscriptions to a name there are."""
        place, old = self._entered.get((kind, name), (-1, 0))
        if count == old:
            return
        if old == 0:
            place = bus_enter(self._arena, kind, name)
        if place >= 0 and (old or count > 1):
            bus_count(self._arena, place, count)
        if count:
            self._entered[kind, name] = place, count
        else:
            del self._entered[kind, name]

    def clear(self) -> None:
        """Take everything out."""
        for kind, name in list(self._entered):
            self.set(kind, name, 0)

    def enter_again(self) -> None:
        """In a fork's child: what the parent entered counts the parent's subscriptions."""
        entered, self._entered = self._entered, {}
        for (kind, name), (_place, count) in entered.items():
            self.set(kind, name, count)


class Watcher:
    """A thread that waits for messages while somebody asks it to, for those who must not sleep.

    While nobody asks, it does not touch the bus, and publishers pay nothing for it.
    """

    def __init__(self, arena: Arena) -> None:
        self._arena = arena
        self._asked: list[Callable[[], object]] = []
        self._condition = threading.Condition()
        self._thread: threading.Thread | None = None
        self._pid = 0
        self._stopped = False

    def wake(self, callback: Callable[[], object]) -> None:
        """Call a function once, from the thread, when there may be a message that was not there
        now; sometimes also when there is none.
        """
        if self._pid != os.getpid():  # threads do not survive a fork
            self._pid = os.getpid()
            self._asked = []
            self._condition = threading.Condition()
            self._thread = threading.Thread(
                target=self._run, args=(BusReader(self._arena),), name="shmcache-bus", daemon=True
            )
            self._thread.start()
        with self._condition:
            self._asked.append(callback)
            self._condition.notify()

    def stop(self) -> None:
        """End the thread soon; call nobody any more."""
        self._stopped = True
        if self._pid == os.getpid():
            with self._condition:
                self._asked.clear()
                self._condition.notify()
            bus_rouse(self._arena)

    def _run(self, reader: BusReader) -> None:
        while not self._stopped:
            with self._condition:
                while not (self._asked or self._stopped):
                    self._condition.wait()
            reader.wait(_SLEEP_MS)
            _read_up(reader)
            with self._condition:
                asked, self._asked = self._asked, []
            for callback in asked:
                try:
                    callback()
                except RuntimeError:  # the loop that asked is closed
                    _log.debug("nobody to wake", exc_info=True)


def _read_up(reader: BusReader) -> None:
    """Go on to where nothing is yet, which is not the end while a record is being written."""
    while True:
        try:
            if reader.read() is None:
                return
        except MessagesLost:
            reader.restart()


_registers: weakref.WeakSet[Register] = weakref.WeakSet()


def _after_fork() -> None:
    for register in list(_registers):
        register.enter_again()


os.register_at_fork(after_in_child=_after_fork)
