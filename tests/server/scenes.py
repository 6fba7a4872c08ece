"""Several clients of one server at once, and what each of them was answered by when."""

from __future__ import annotations

import shlex
import time
from typing import TYPE_CHECKING, NamedTuple, Protocol

from server.wire import TIMEOUT_SECONDS, Wire, request

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Step", "play_scene", "steps_of", "until"]


class _Server(Protocol):
    def connect(self, *, resp: int = 2) -> Wire: ...


class Step(NamedTuple):
    """A client, by name, and what it sends. ``HANGUP`` closes its connection."""

    client: str
    words: tuple[str, ...]


def steps_of(text: str) -> list[Step]:
    """Steps, one a line: ``a BLPOP key 0``. A name that ends in 3 speaks RESP3."""
    lines = (shlex.split(line) for line in text.strip().splitlines())
    return [Step(name, tuple(words)) for name, *words in lines]


def until(condition: object, what: str = "") -> None:
    """Wait for a function to return something true."""
    assert callable(condition)
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, what or condition
        time.sleep(0.001)


class _Guest:
    """One client: its connection, and how many replies it is owed."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.number = wire.run("CLIENT", "ID")[1:-2].decode()
        self.owed = 0


class _Party:
    def __init__(self, server: _Server) -> None:
        self._server = server
        self._host = server.connect()
        self._guests: dict[str, _Guest] = {}

    def send(self, step: Step) -> None:
        guest = self._guests.get(step.client)
        if guest is None:
            wire = self._server.connect(resp=3 if step.client.endswith("3") else 2)
            guest = self._guests[step.client] = _Guest(wire)
        if step.words == ("HANGUP",):
            guest.wire.close()
            del self._guests[step.client]
            until(lambda: self._flags(guest.number) is None)
            return
        guest.owed += 1
        guest.wire.send(request(*step.words))

    def _flags(self, number: str) -> str | None:
        line = self._host.text("CLIENT", "LIST", "ID", number)
        fields = dict(field.split("=", 1) for field in line.split())
        return fields.get("flags")

    def settle(self) -> list[tuple[str, bytes]]:
        """The replies of all that are not blocked, by name."""
        answered: list[tuple[str, bytes]] = []
        # whoever was looked at as blocked may have been served by one who was looked at later
        while more := [each for name in self._guests for each in self._answers(name)]:
            answered += more
        return sorted(answered)

    def _answers(self, name: str) -> Iterator[tuple[str, bytes]]:
        guest = self._guests[name]
        while guest.owed:
            # it has either got its reply, or is blocked, or the server has not read it yet
            until(lambda: guest.wire.has_reply() or "b" in (self._flags(guest.number) or ""))
            if not guest.wire.has_reply():
                return
            yield name, guest.wire.reply()
            guest.owed -= 1

    def end(self) -> list[bytes]:
        """What is left in the keys. All clients go."""
        for guest in self._guests.values():
            guest.wire.close()
        until(lambda: b"blocked_clients:0\r" in self._host.run("INFO", "clients"))
        left = []
        for line in ("LRANGE {} 0 -1", "ZRANGE {} 0 -1 WITHSCORES", "XRANGE {} - +"):
            left += [self._host.run(*line.format(key).split()) for key in "klmxyz"]
        self._host.run("FLUSHALL")
        self._host.close()
        return left


def play_scene(server: _Server, steps: Iterable[Step]) -> list[object]:
    """Each step with the replies that came by its end, and at last what the keys hold."""
    party = _Party(server)
    party.send(Step("host", ("FLUSHALL",)))
    party.settle()
    transcript: list[object] = []
    for step in steps:
        party.send(step)
        transcript.append((step, party.settle()))
    transcript.append(party.end())
    return transcript
