"""redis-py's sorted-set and geo methods give the same from everybody, type for type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from client.sides import SIDES, outcome, shape

from commands.zset_calls import CALLS

if TYPE_CHECKING:
    from client.processes import Daemon, RedisServer


@pytest.mark.parametrize("options", [{}, {"protocol": 3}, {"decode_responses": True}], ids=str)
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("script", CALLS)
def test_same_as_redis(
    script: str, side: str, options: dict[str, Any], daemon: Daemon, redis_server: RedisServer
) -> None:
    with redis_server.connect(**options) as expected, SIDES[side](daemon, **options) as actual:
        expected.flushall()
        for number, step in enumerate(CALLS[script]):
            # as text, in which a not-a-number equals itself
            wanted, given = (repr(shape(outcome(client, step))) for client in (expected, actual))
            assert given == wanted, f"call {number}: {step}"
