"""limits: rate limiting by scripts."""

from __future__ import annotations

import pytest
from limits import RateLimitItemPerMinute, RateLimitItemPerSecond
from limits.storage import RedisStorage
from limits.strategies import (
    FixedWindowRateLimiter,
    MovingWindowRateLimiter,
    RateLimiter,
    SlidingWindowCounterRateLimiter,
)


@pytest.mark.parametrize(
    "strategy",
    [FixedWindowRateLimiter, MovingWindowRateLimiter, SlidingWindowCounterRateLimiter],
)
def test_so_many_and_no_more(path: str, strategy: type[RateLimiter]) -> None:
    storage = RedisStorage(f"redis+unix://{path}")
    assert storage.check()
    limiter, limit = strategy(storage), RateLimitItemPerMinute(5)
    assert [limiter.hit(limit, "me") for _ in range(7)] == [True] * 5 + [False] * 2
    assert not limiter.test(limit, "me")
    assert limiter.test(limit, "somebody else")
    assert limiter.get_window_stats(limit, "me").remaining == 0
    limiter.clear(limit, "me")
    assert limiter.hit(limit, "me", cost=5)
    assert not limiter.hit(limit, "me")
    assert limiter.hit(RateLimitItemPerSecond(3), "me", cost=3)
    assert storage.reset() is not None
