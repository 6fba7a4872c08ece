"""The state machine that sends a family's commands to everybody."""

from __future__ import annotations

import os
from random import Random
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from differential.exceptions import is_newer_form, made_equal
from differential.families.family import GENERIC, OF_OTHER_TYPES, SIMPLE
from differential.families.sorting import leaves_order_open
from differential.families.streams import makes_its_own_id
from differential.grammar import either, line_of, mostly
from differential.world import Difference, Step

if TYPE_CHECKING:
    from differential.families.family import Family
    from differential.world import World

EXAMPLES = int(os.environ.get("SHMCACHE_DIFFERENTIAL_EXAMPLES", "80"))
STEPS = 6
LINES_PER_STEP = 60
OF_OTHERS = 0.2
"""How many of the lines are not the family's own."""
SEEDS = st.integers(0, (1 << 64) - 1)


def _settings(examples: int) -> settings:
    return settings(
        max_examples=max(examples, 1),
        stateful_step_count=STEPS,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        # The world shortens a script by itself, in less time and on the very servers that differed.
        phases=[Phase.explicit, Phase.reuse, Phase.generate],
    )


def sendable(line: list[bytes]) -> bool:
    """Whether a line does the same on 7.0 as on 7.2, and always the same."""
    return not (is_newer_form(line) or makes_its_own_id(line) or leaves_order_open(line))


class FamilyMachine(RuleBasedStateMachine):
    """Rules that need no strategies of the family's; see :func:`run_family`."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world
        self.differs = False

    def source(self, seed: int) -> Random:
        """Hypothesis likes to draw the same number twice."""
        return Random(f"{seed} {len(self.world.history)}")

    def send(self, lines: list[list[bytes]]) -> None:
        with self._noting():
            self.world.send(lines)

    def _noting(self) -> _Noting:
        return _Noting(self)

    def teardown(self) -> None:
        if not self.differs:
            self.world.compare_contents()


class _Noting:
    """Keeps a machine that failed from failing again, less clearly, when it is torn down."""

    def __init__(self, machine: FamilyMachine) -> None:
        self._machine = machine

    def __enter__(self) -> None:
        """Nothing happened yet."""

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        self._machine.differs |= isinstance(error, Difference)


def _of(family: Family, world: World) -> type[FamilyMachine]:
    own, generic, simple = (line_of(part) for part in (family.shapes, GENERIC, SIMPLE))
    line = mostly(own, either(generic, simple), OF_OTHERS)
    steps = [("random", family.randoms), ("scan", family.scans)]
    kinds = [(kind, words) for kind, words in steps if words is not None]

    class Machine(FamilyMachine):
        def __init__(self) -> None:
            super().__init__(world)

        @initialize(seed=SEEDS)
        def begin(self, seed: int) -> None:
            self.world.reset()
            self.send([*OF_OTHER_TYPES, *family.preparations(Random(seed))])

        @rule(seed=SEEDS)
        def send_some(self, seed: int) -> None:
            source = self.source(seed)
            lines = (line(source) for _ in range(source.randint(1, LINES_PER_STEP)))
            self.send([same for words in lines if sendable(words) for same in made_equal(words)])

        @precondition(lambda self: bool(kinds))
        @rule(seed=SEEDS)
        def take(self, seed: int) -> None:
            source = self.source(seed)
            kind, words = source.choice(kinds)
            with self._noting():
                self.world.take(Step(kind, words(source)))

    return Machine


def run_family(family: Family, world: World, examples: int = EXAMPLES) -> None:
    """Send random lines of a family's commands to everybody in a world.

    :raises Difference: with the shortest script that shows one
    """
    machine = _of(family, world)
    run_state_machine_as_test(machine, settings=_settings(examples))
