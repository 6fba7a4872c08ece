"""Kinds of options that take several arguments, or that are given line by line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from shmcache.config.kinds import INT_MAX, Kind, format_memory, parse_memory
from shmcache.config.lexer import encode, quote, split_arguments

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "BufferLimit",
    "BufferLimits",
    "Directives",
    "Endpoint",
    "Flags",
    "KeyspaceEvents",
    "Numbers",
    "Percentiles",
    "SavePoints",
    "Words",
]

_NUMBER: Final = re.compile(r"-?[0-9]{1,18}", re.ASCII)
_FLOAT: Final = re.compile(r"-?([0-9]{1,20}(\.[0-9]{0,17})?|\.[0-9]{1,17})", re.ASCII)
_PLAIN_WORD: Final = re.compile(r"[!$-&(-~]+", re.ASCII)
_MAX_BIND_ADDRESSES: Final = 16


class Words(Kind):
    """A list of words: the addresses of ``bind``."""

    many = True

    def parse(self, arguments: Sequence[str], old: Any) -> tuple[str, ...]:  # noqa: ARG002
        """See :class:`Kind`."""
        words = tuple(word for word in arguments if word)
        if len(words) > _MAX_BIND_ADDRESSES:
            raise ValueError("Too many bind addresses specified.")
        return words

    def show(self, value: tuple[str, ...]) -> str:
        """See :class:`Kind`."""
        return " ".join(value)

    def lines(self, value: tuple[str, ...]) -> list[str]:
        """See :class:`Kind`."""
        return [" ".join(value) or '""']


class SavePoints(Kind):
    """``save``: pairs of seconds and changes, in one line or in several; an empty text clears."""

    many = True
    accumulates = True

    def parse(
        self, arguments: Sequence[str], old: tuple[tuple[int, int], ...]
    ) -> tuple[tuple[int, int], ...]:
        """See :class:`Kind`."""
        if list(arguments) == [""]:
            return ()
        numbers = [word for argument in arguments for word in argument.split()]
        if not numbers or len(numbers) % 2 or not all(map(_NUMBER.fullmatch, numbers)):
            raise ValueError("Invalid save parameters")
        pairs = tuple(
            (int(seconds), int(changes))
            for seconds, changes in zip(numbers[::2], numbers[1::2], strict=True)
        )
        if any(not 1 <= s <= INT_MAX or not 0 <= c <= INT_MAX for s, c in pairs):
            raise ValueError("Invalid save parameters")
        return (*old, *pairs)

    def show(self, value: tuple[tuple[int, int], ...]) -> str:
        """See :class:`Kind`."""
        return " ".join(f"{seconds} {changes}" for seconds, changes in value)

    def lines(self, value: tuple[tuple[int, int], ...]) -> list[str]:
        """See :class:`Kind`."""
        return [f"{seconds} {changes}" for seconds, changes in value] or ['""']


class BufferLimit(NamedTuple):
    """What a class of clients may leave unread before it is disconnected; 0 = no limit."""

    hard_bytes: int
    soft_bytes: int
    soft_seconds: int


class BufferLimits(Kind):
    """``client-output-buffer-limit``: a limit for each of normal, replica and pubsub clients."""

    many = True
    classes: Final = {"normal": 0, "slave": 1, "replica": 1, "pubsub": 2}

    def parse(
        self, arguments: Sequence[str], old: tuple[BufferLimit, ...]
    ) -> tuple[BufferLimit, ...]:
        """See :class:`Kind`; classes that are not named keep their limits."""
        if not arguments or len(arguments) % 4:
            raise ValueError("Wrong number of arguments in buffer limit configuration.")
        limits = list(old)
        for start in range(0, len(arguments), 4):
            name, *figures = arguments[start : start + 4]
            if name.lower() not in self.classes:
                raise ValueError("Invalid client class specified in buffer limit configuration.")
            limits[self.classes[name.lower()]] = self._limit(*figures)
        return tuple(limits)

    @staticmethod
    def _limit(hard: str, soft: str, seconds: str) -> BufferLimit:
        try:
            limit = BufferLimit(parse_memory(hard), parse_memory(soft), int(seconds))
        except ValueError:
            limit = None
        if limit is None or not _NUMBER.fullmatch(seconds) or limit.soft_seconds < 0:
            raise ValueError(
                "Error in hard, soft or soft_seconds setting in buffer limit configuration."
            )
        return limit

    def show(self, value: tuple[BufferLimit, ...]) -> str:
        """See :class:`Kind`."""
        return " ".join(
            f"{name} {limit.hard_bytes} {limit.soft_bytes} {limit.soft_seconds}"
            for name, limit in zip(("normal", "slave", "pubsub"), value, strict=True)
        )

    def lines(self, value: tuple[BufferLimit, ...]) -> list[str]:
        """See :class:`Kind`."""
        return [
            f"{name} {format_memory(limit.hard_bytes)} {format_memory(limit.soft_bytes)} "
            f"{limit.soft_seconds}"
            for name, limit in zip(("normal", "replica", "pubsub"), value, strict=True)
        ]


class Flags(Kind):
    """Several of some names; pairs that exclude each other come with their message."""

    many = True

    def __init__(self, *names: str, exclusive: tuple[str, str, str] | None = None) -> None:
        self.names = names
        self.exclusive = exclusive

    def parse(self, arguments: Sequence[str], old: Any) -> tuple[str, ...]:  # noqa: ARG002
        """See :class:`Kind`."""
        given = {word.lower() for argument in arguments for word in argument.split()}
        if not given or not given <= set(self.names):
            raise ValueError(f"argument(s) must be one of the following: {', '.join(self.names)}")
        if self.exclusive is not None and set(self.exclusive[:2]) <= given:
            raise ValueError(self.exclusive[2])
        # "default" stands for none of the others
        return tuple(name for name in self.names if name in given and name != "default")

    def show(self, value: tuple[str, ...]) -> str:
        """See :class:`Kind`."""
        return " ".join(value) or "default"


class Numbers(Kind):
    """A fixed count of numbers in a range: ``oom-score-adj-values``."""

    many = True

    def __init__(self, count: int, bound: int, message: str) -> None:
        self.count = count
        self.bound = bound
        self.message = message

    def parse(self, arguments: Sequence[str], old: Any) -> tuple[int, ...]:  # noqa: ARG002
        """See :class:`Kind`."""
        if len(arguments) != self.count:
            raise ValueError("wrong number of arguments")
        if not all(map(_NUMBER.fullmatch, arguments)):
            raise ValueError(self.message)
        numbers = tuple(int(argument) for argument in arguments)
        if any(abs(number) > self.bound for number in numbers):
            raise ValueError(self.message)
        return numbers

    def show(self, value: tuple[int, ...]) -> str:
        """See :class:`Kind`."""
        return " ".join(map(str, value))


class Percentiles(Kind):
    """``latency-tracking-info-percentiles``: numbers from 0 to 100, or none."""

    many = True

    def parse(self, arguments: Sequence[str], old: Any) -> tuple[float, ...]:  # noqa: ARG002
        """See :class:`Kind`."""
        if not any(arguments):
            return ()
        if not all(map(_FLOAT.fullmatch, arguments)):
            raise ValueError("Invalid latency-tracking-info-percentiles parameters")
        numbers = tuple(float(argument) for argument in arguments)
        if any(not 0 <= number <= 100 for number in numbers):
            raise ValueError(
                "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]"
            )
        return numbers

    def show(self, value: tuple[float, ...]) -> str:
        """See :class:`Kind`."""
        return " ".join(f"{number:.10g}" for number in value)

    def lines(self, value: tuple[float, ...]) -> list[str]:
        """See :class:`Kind`."""
        return [self.show(value) or '""']


class Endpoint(Kind):
    """``replicaof``: a host and a port, or ``no one``."""

    many = True

    def parse(self, arguments: Sequence[str], old: Any) -> tuple[str, int] | None:  # noqa: ARG002
        """See :class:`Kind`."""
        if len(arguments) != 2:
            raise ValueError("wrong number of arguments")
        host, port = arguments
        if (host.lower(), port.lower()) == ("no", "one"):
            return None
        if not _NUMBER.fullmatch(port) or not 0 <= int(port) <= 65535:
            raise ValueError("Invalid master port")
        return host, int(port)

    def parse_text(self, text: str, old: Any) -> tuple[str, int] | None:
        """See :class:`Kind`; an empty text, as CONFIG GET shows it, is no one."""
        return self.parse(text.split(" ") if text else ["no", "one"], old)

    def show(self, value: tuple[str, int] | None) -> str:
        """See :class:`Kind`."""
        return "" if value is None else f"{value[0]} {value[1]}"

    def lines(self, value: tuple[str, int] | None) -> list[str]:
        """See :class:`Kind`."""
        return [] if value is None else [self.show(value)]


class KeyspaceEvents(Kind):
    """``notify-keyspace-events``: classes of events as letters, shown in Redis's order."""

    all_classes: Final = "g$lshzxetd"
    order: Final = "A" + all_classes + "nKEm"

    def parse_one(self, text: str) -> str:
        """See :class:`Kind`."""
        if set(text) - set(self.order):
            raise ValueError("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.")
        given = set(text) | (set(self.all_classes) if "A" in text else set())
        if set(self.all_classes) <= given:
            given = given - set(self.all_classes) | {"A"}
        return "".join(letter for letter in self.order if letter in given)

    def lines(self, value: str) -> list[str]:
        """See :class:`Kind`."""
        return [quote(value)]


class Directives(Kind):
    """Lines that are kept as they are: ``user``, ``rename-command``, ``loadmodule``.

    The value is a tuple of argument tuples; its text has a line for each.
    """

    many = True
    accumulates = True

    def __init__(self, least: int, most: int = INT_MAX) -> None:
        self.least = least
        self.most = most

    def parse(
        self, arguments: Sequence[str], old: tuple[tuple[str, ...], ...]
    ) -> tuple[tuple[str, ...], ...]:
        """See :class:`Kind`."""
        if not self.least <= len(arguments) <= self.most:
            raise ValueError("Bad directive or wrong number of arguments")
        return (*old, tuple(arguments))

    def parse_text(self, text: str, old: Any) -> tuple[tuple[str, ...], ...]:  # noqa: ARG002
        """See :class:`Kind`."""
        return tuple(tuple(split_arguments(encode(line))) for line in text.split("\n") if line)

    def show(self, value: tuple[tuple[str, ...], ...]) -> str:
        """See :class:`Kind`."""
        return "\n".join(self.lines(value))

    def lines(self, value: tuple[tuple[str, ...], ...]) -> list[str]:
        """See :class:`Kind`."""
        return [" ".join(map(_word, words)) for words in value]


def _word(word: str) -> str:
    """Quote a word only if it would not be read back as it is."""
    return word if _PLAIN_WORD.fullmatch(word) else quote(word)
