"""What random command lines are made of: arguments, options, damage.

A part is a function of a source of randomness. Hypothesis seeds the source; that its own strategies
would draw every word one by one makes them ten times as slow as the servers, and their taste for
repetition is none of use where most lines should find something to do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any, TypeAlias, TypeVar

Word: TypeAlias = Callable[[Random], bytes]
Words: TypeAlias = Callable[[Random], list[bytes]]
Shape: TypeAlias = tuple[Words, ...]
"""A command's arguments, part by part."""

_Drawn = TypeVar("_Drawn")

UPPER_CASE = 0.8
"""How often a keyword is written as the documentation does."""
DAMAGED = 0.1
"""Lines with words missing, added or replaced."""
JUNK = [b"", b"FOO", b"\x00", b"NX", b"GET", b"-1", b"EX", b"\r\n-ERR", b"'quoted'", b"0"]


def always(value: _Drawn) -> Callable[[Random], _Drawn]:
    return lambda source: value


def choice(words: Sequence[_Drawn]) -> Callable[[Random], _Drawn]:
    return lambda source: source.choice(words)


def either(*parts: Callable[[Random], _Drawn]) -> Callable[[Random], _Drawn]:
    return lambda source: source.choice(parts)(source)


def mostly(
    usual: Callable[[Random], _Drawn], other: Callable[[Random], _Drawn], share: float = 0.12
) -> Callable[[Random], _Drawn]:
    """The other one now and then."""
    return lambda source: (other if source.random() < share else usual)(source)


def number(least: int, most: int, form: bytes = b"%d") -> Word:
    return lambda source: form % source.randint(least, most)


def decimal(least: float, most: float, form: bytes = b"%.6f") -> Word:
    return lambda source: form % source.uniform(least, most)


def drawn(
    make: Callable[..., _Drawn], *parts: Callable[[Random], Any]
) -> Callable[[Random], _Drawn]:
    """What a function makes of drawn arguments."""
    return lambda source: make(*(part(source) for part in parts))


def blob(most: int, least: int = 0) -> Word:
    return lambda source: source.randbytes(source.randint(least, most))


def words(*choices: bytes) -> Words:
    """One keyword of several, in one way of writing it."""

    def draw(source: Random) -> list[bytes]:
        word = source.choice(choices)
        return [
            word if source.random() < UPPER_CASE else source.choice([word.lower(), word.title()])
        ]

    return draw


def one(argument: Word) -> Words:
    return lambda source: [argument(source)]


def just(*line: bytes) -> Words:
    return lambda source: list(line)


def row(*arguments: Word) -> Words:
    return lambda source: [argument(source) for argument in arguments]


def joined(*parts: Words) -> Words:
    return lambda source: [word for part in parts for word in part(source)]


def after(word: bytes, *arguments: Word) -> Words:
    return joined(words(word), row(*arguments))


def many(*arguments: Word, most: int = 3) -> Words:
    """At least one group of arguments."""
    group = row(*arguments)
    return lambda source: [word for _ in range(source.randint(1, most)) for word in group(source)]


def some(*choices: Words, most: int = 3) -> Words:
    """A few options in any order, contradictions included; often none."""
    return lambda source: [
        word for _ in range(source.randint(0, most)) for word in source.choice(choices)(source)
    ]


_wrong_counts = choice([b"0", b"-1", b"1", b"2", b"99", b"9223372036854775807", b"x"])


def counted(argument: Word, *, most: int = 3) -> Words:
    """``numkeys key [key ...]``, the number being right most of the time."""

    def draw(source: Random) -> list[bytes]:
        keys = many(argument, most=most)(source)
        count = mostly(always(b"%d" % len(keys)), _wrong_counts)(source)
        return [count, *keys]

    return draw


def line_of(shapes: dict[bytes, Shape]) -> Words:
    """A line of any of the commands, each as likely as the others; most are right."""
    lines = [joined(words(name), *shape) for name, shape in sorted(shapes.items())]
    return mostly(either(*lines), damaged(either(*lines)), DAMAGED)


def damaged(right: Words) -> Words:
    """A line with words missing, added or replaced; the command itself stays."""

    def draw(source: Random) -> list[bytes]:
        line = right(source)
        line = line[: source.randint(1, len(line))]
        for _ in range(source.randint(0, 2)):
            line.insert(source.randint(1, len(line)), source.choice(JUNK))
        return line

    return draw


# ---- common arguments ----------------------------------------------------------------------------

_ODD_INTEGERS = [
    *(b"9223372036854775807", b"-9223372036854775808", b"9223372036854775806"),
    *(b"9223372036854775808", b"-9223372036854775809", b"99999999999999999999999", b"1.0", b"1e3"),
    *(b"+1", b"01", b"-0", b" 1", b"1 ", b"", b"abc", b"0x10", b"1_0", b"\xd9\xa1", b"NaN"),
]
_ODD_FLOATS = [
    *(b"3.0e3", b"1e-7", b"5.", b".5", b"+2", b"0x1p-3", b"1e17", b"-1e18", b"1e400", b"1e22"),
    *(b"inf", b"-Infinity", b"nan", b"1e5000", b"1e-5000", b"0x", b"1e", b"--1", b"1.5 ", b"-0.0"),
    *(b"", b"abc", b" 1", b"0.1", b"-0.1", b"3.0", b"1e-310", b"4503599627370497.5"),
]
_TEXTS = [
    *(b"", b"abc", b"ABCABC", b"\x00\xff\r\n", b"x" * 44, b"x" * 45, b"x" * 300, b"$-1\r\n"),
    *_ODD_INTEGERS,
]

integers = mostly(number(-20, 20), choice([b"0", b"100", b"1000", *_ODD_INTEGERS]))
floats = mostly(
    either(number(-9, 9), decimal(-1e6, 1e6, b"%r"), decimal(-9, 9, b"%.2f")),
    choice(_ODD_FLOATS),
    0.3,
)
values = either(choice(_TEXTS), blob(12), number(-1000, 1000))

# Times lie far ahead or long past, so that nothing dies between the two sides' turns. Those that
# count from now never meet GT or LT, whose outcome could hang on a millisecond.
relative_times = mostly(
    choice([b"5000000", b"90000000"]), choice([b"0", b"-1", b"-1000", *_ODD_INTEGERS[3:]]), 0.3
)
absolute_seconds = mostly(
    choice([b"4102444800", b"5000000000", b"4102444801"]),
    choice([b"1", b"0", b"-7", b"9000000000000000", *_ODD_INTEGERS]),
    0.3,
)
absolute_milliseconds = mostly(
    choice([b"4102444800000", b"5000000000000", b"4102444800001"]),
    choice([b"1", b"0", b"-7", *_ODD_INTEGERS[1:]]),
    0.3,
)
