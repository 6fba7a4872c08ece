"""Workers that write in a process of their own, until it is killed.

Each does a round of writes on keys of its own and on one that all share, and acknowledges each
write, once the call has returned, in memory that it shares with the test.
"""

from __future__ import annotations

import os
import signal
import traceback
from typing import Any

import shmcache

__all__ = ["Worker", "payload"]

LONGEST_PAYLOAD = 60_000


def payload(turn: int) -> bytes:
    """A value of any size whose every part tells the turn."""
    return (b"%08d" % turn) * (1 + turn * 7919 % (LONGEST_PAYLOAD // 8))


class Worker:
    """One worker's keys, its acknowledgements, and the processes that are it one after another."""

    WRITES: tuple[str, ...] = (
        "count",
        "store",
        "pair",
        "grow",
        "move",
        "payload",
        "replace",
        "shared",
    )

    def __init__(self, name: str, number: int, acknowledged: memoryview) -> None:
        self._name = name
        self._number = number
        self._acknowledged = acknowledged
        self._pid = 0

    def key(self, what: str) -> str:
        return f"{what}:{self._number}"

    def acknowledged(self, what: str) -> int:
        return int(self._acknowledged[self.WRITES.index(what)])

    def total(self) -> int:
        return sum(self._acknowledged)

    def start(self) -> None:
        self._pid = os.fork()
        if self._pid == 0:
            try:
                self.live()
            except BaseException:  # nobody else would ever tell
                traceback.print_exc()
            finally:
                os._exit(1)

    def live(self) -> None:
        """What the process does until it is killed."""
        self._work(shmcache.attach(self._name, writable=True))

    def kill(self) -> None:
        os.kill(self._pid, signal.SIGKILL)
        _, status = os.waitpid(self._pid, 0)
        assert os.WIFSIGNALED(status), "the worker failed before it was killed"
        self._pid = 0

    def end(self) -> None:
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)

    def _work(self, cache: shmcache.Client) -> None:
        for index, what in enumerate(self.WRITES):
            # what was under way when the last process died may be there or not: begin anew
            if what not in {"count", "grow", "shared"}:
                getattr(self, f"_{what}")(cache, int(self._acknowledged[index]))
        self._acknowledged[0] = int(cache.get(self.key("count")) or 0)
        self._acknowledged[3] = cache.strlen(self.key("grow"))
        while True:
            for index, what in enumerate(self.WRITES):
                turn = int(self._acknowledged[index]) + 1
                getattr(self, f"_{what}")(cache, turn)
                self._acknowledged[index] = turn

    def _count(self, cache: shmcache.Client, turn: int) -> None:
        assert cache.incr(self.key("count")) == turn

    def _store(self, cache: shmcache.Client, turn: int) -> None:
        assert cache.set(self.key("store"), turn, ex=100_000)

    def _pair(self, cache: shmcache.Client, turn: int) -> None:
        assert cache.mset({self.key("left"): turn, self.key("right"): turn})

    def _grow(self, cache: shmcache.Client, turn: int) -> None:
        assert cache.append(self.key("grow"), "+") == turn

    def _move(self, cache: shmcache.Client, turn: int) -> None:
        pipe: Any = cache.pipeline()
        pipe.set(self.key("from"), turn).rename(self.key("from"), self.key("move")).execute()

    def _payload(self, cache: shmcache.Client, turn: int) -> None:
        assert cache.set(self.key("payload"), payload(turn))

    def _replace(self, cache: shmcache.Client, turn: int) -> None:
        cache.delete(self.key("replace"))
        assert cache.set(self.key("replace"), turn, nx=True)

    def _shared(self, cache: shmcache.Client, turn: int) -> None:
        assert cache.incr("shared") >= turn

    def check(self, cache: shmcache.Client) -> None:
        """Compare what the dead process acknowledged with what is there."""
        self.check_turn("count", int(cache.get(self.key("count")) or 0))
        self.check_turn("store", int(cache.get(self.key("store")) or 0))
        self.check_turn("grow", cache.strlen(self.key("grow")))
        self.check_turn("move", int(cache.get(self.key("move")) or 0))
        assert cache.get(self.key("from")) is None, "half a transaction"
        replaced = cache.get(self.key("replace"))
        if replaced is not None:
            self.check_turn("replace", int(replaced))
        self.check_pair(cache)
        self.check_payload(cache)
        assert cache.ttl(self.key("store")) > 0 or self.acknowledged("store") == 0

    def check_turn(self, what: str, value: int) -> None:
        """It is the last that was acknowledged, or the one that was under way."""
        turn = self.acknowledged(what)
        assert value in {turn, turn + 1}, f"{self.key(what)}: {value}, acknowledged {turn}"

    def check_pair(self, cache: shmcache.Client) -> None:
        left, right = cache.mget(self.key("left"), self.key("right"))
        assert left == right, "half an MSET"
        self.check_turn("pair", int(left or 0))

    def check_payload(self, cache: shmcache.Client) -> None:
        turn = self.acknowledged("payload")
        stored = cache.get(self.key("payload"))
        assert stored in {payload(turn), payload(turn + 1)} or turn == 0
