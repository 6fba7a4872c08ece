"""Whoever answers, a call gives what redis-py gives from a real server, type for type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from client.scripts import SCRIPTS
from client.short_scripts import CONTAINER_SCRIPTS
from client.sides import SIDES, outcome, shape

if TYPE_CHECKING:
    from client.processes import Daemon, RedisServer

OPTIONS: dict[str, dict[str, Any]] = {
    "default": {},
    "resp2": {"protocol": 2},
    "resp3": {"protocol": 3},
    "text": {"decode_responses": True},
    "text-resp2": {"decode_responses": True, "protocol": 2},
    "latin1": {"decode_responses": True, "encoding": "latin-1"},
    "replacing": {"decode_responses": True, "encoding_errors": "replace"},
    "db3": {"db": 3},
}


ALL_SCRIPTS = SCRIPTS | CONTAINER_SCRIPTS


@pytest.fixture(params=OPTIONS)
def options(request: pytest.FixtureRequest) -> dict[str, Any]:
    return OPTIONS[request.param]


@pytest.mark.parametrize("script", ALL_SCRIPTS)
@pytest.mark.parametrize("side", SIDES)
def test_same_as_redis(
    side: str, script: str, options: dict[str, Any], daemon: Daemon, redis_server: RedisServer
) -> None:
    with redis_server.connect(**options) as expected, SIDES[side](daemon, **options) as actual:
        expected.flushall()
        for number, step in enumerate(ALL_SCRIPTS[script]):
            wanted = shape(outcome(expected, step))
            given = shape(outcome(actual, step))
            assert given == wanted, f"call {number}: {step}"
