"""Declarations of transactions. Only a connection has any, so none has a function."""

from __future__ import annotations

from functools import partial

from shmcache.commands import spec
from shmcache.commands.spec import KEYS, key

__all__ = ["COMMANDS"]

_transactions = partial(spec.command, group="transactions", categories="transaction")

_ANY_TIME = "noscript loading stale fast allow_busy"

COMMANDS = (
    _transactions(
        "discard",
        1,
        _ANY_TIME,
        "Forgets the commands queued since MULTI, and the watched keys.",
        since="2.0.0",
        complexity="O(N), N being the number of queued commands.",
    ),
    _transactions(
        "exec",
        1,
        "noscript loading stale skip_slowlog",
        "Carries out the commands queued since MULTI as one step.",
        since="1.2.0",
        complexity="That of the queued commands together.",
    ),
    _transactions(
        "multi", 1, _ANY_TIME, "Begins to queue commands instead of running them.", since="1.2.0"
    ),
    _transactions("unwatch", 1, _ANY_TIME, "Forgets the watched keys.", since="2.2.0"),
    _transactions(
        "watch",
        -2,
        _ANY_TIME,
        "Lets the next EXEC do nothing if one of the keys changes until then.",
        since="2.2.0",
        complexity="O(1) for each key; for a string, O(N), N being its length.",
        keys=[key("RO", last=-1)],
        arguments=[KEYS],
    ),
)
