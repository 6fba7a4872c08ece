"""Random commands to a real redis-server and to ours: every reply, then all that is left."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from differential import lines
from differential.compare import require_same, require_same_contents, scan_all

if TYPE_CHECKING:
    from differential.sides import Pair

EXAMPLES = int(os.environ.get("SHMCACHE_DIFFERENTIAL_EXAMPLES", "30"))
STEPS = 40

SETTINGS = settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    # Shrinking a failure of a whole machine takes minutes; ask for it when one has to be found.
    phases=[
        phase for phase in Phase if phase is not Phase.shrink or "SHMCACHE_SHRINK" in os.environ
    ],
)


class Machine(RuleBasedStateMachine):
    """One client on each side, sending the same."""

    def __init__(self, pair: Pair) -> None:
        super().__init__()
        self.pair = pair

    @initialize()
    def empty(self) -> None:
        self.pair.reset()

    @rule(batch=st.lists(lines.lines, min_size=1, max_size=8))
    def send(self, batch: list[list[bytes]]) -> None:
        for line in batch:
            require_same(self.pair, line)

    @rule(db=st.sampled_from([0, 1, 15]))
    def select(self, db: int) -> None:
        self.pair.select(db)

    @rule(options=lines.scan_options)
    def scan(self, options: list[bytes]) -> None:
        assert scan_all(self.pair.ours, *options) == scan_all(self.pair.theirs, *options)

    @rule(line=lines.hostile_scans)
    def scan_badly(self, line: list[bytes]) -> None:
        require_same(self.pair, line)

    def teardown(self) -> None:
        require_same_contents(self.pair)


def test_random_commands(pair: Pair) -> None:
    class OnThisPair(Machine):
        def __init__(self) -> None:
            super().__init__(pair)

    run_state_machine_as_test(OnThisPair, settings=SETTINGS)
