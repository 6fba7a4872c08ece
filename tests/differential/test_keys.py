"""COMMAND GETKEYS and GETKEYSANDFLAGS of random lines, right ones and damaged ones."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Literal

import pytest

from differential.conftest import open_door
from differential.exceptions import is_newer_form
from differential.families.family import GENERIC, SIMPLE
from differential.families.hyperloglogs import HYPERLOGLOGS
from differential.families.mixed import MIXED
from differential.grammar import joined, line_of, words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from differential.sides import Pair, Side

LINES = 2500
SEED = 12


SHAPES = {**MIXED.shapes, **HYPERLOGLOGS.shapes, **SIMPLE, **GENERIC}


@pytest.fixture(params=["model", "socket"])
def ours(request: pytest.FixtureRequest, resp: Literal[2, 3]) -> Iterator[Side]:
    """Where keys are found does not depend on the arena."""
    side = open_door(request, resp)
    yield side
    side.close()


@pytest.mark.parametrize("command", [b"GETKEYS", b"GETKEYSANDFLAGS"])
def test_keys_of_random_lines(pair: Pair, command: bytes) -> None:
    source = Random(SEED)
    line = line_of(SHAPES)
    for _ in range(LINES):
        asked = line(source)
        if not is_newer_form(asked):
            theirs, ours = pair.ask([b"COMMAND", command, *asked])
            assert ours == theirs, asked


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_keys_of_right_lines(pair: Pair, name: bytes) -> None:
    line = joined(words(name), *SHAPES[name])
    source = Random(name)
    for _ in range(20):
        asked = line(source)
        if not is_newer_form(asked):
            theirs, ours = pair.ask([b"COMMAND", b"GETKEYS", *asked])
            assert ours == theirs, asked
