"""Redis, and this package's doors to compare with it: those of the differential tests."""

from __future__ import annotations

from differential.conftest import arena, front_end, ours, pair, redis, redis_path, resp

__all__ = ["arena", "front_end", "ours", "pair", "redis", "redis_path", "resp"]
