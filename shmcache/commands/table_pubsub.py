"""Declarations of publish and subscribe. They need a server, so none has a function."""

from __future__ import annotations

from functools import partial

from shmcache.commands import spec
from shmcache.commands.containers import container
from shmcache.commands.spec import KeySpec, block, pattern, string

__all__ = ["COMMANDS"]

_pubsub = partial(spec.command, group="pubsub")

_ASK = "pubsub loading stale"
_LISTEN = "pubsub noscript loading stale"
_NO_KEY = ("not_key",)  # a shard channel lies where keys do, and is none
_CHANNELS_COST = "O(N), N being the number of channels."

_INSPECT = (
    _pubsub(
        "pubsub|channels",
        -2,
        _ASK,
        "Returns the channels that have subscribers.",
        since="2.8.0",
        complexity=_CHANNELS_COST,
        arguments=[pattern("pattern", optional=True)],
    ),
    _pubsub("pubsub|numpat", 2, _ASK, "Returns how many patterns have subscribers.", since="2.8.0"),
    _pubsub(
        "pubsub|numsub",
        -2,
        _ASK,
        "Returns how many subscribers each channel has.",
        since="2.8.0",
        complexity=_CHANNELS_COST,
        arguments=[string("channel", optional=True, multiple=True)],
    ),
    _pubsub(
        "pubsub|shardchannels",
        -2,
        _ASK,
        "Returns the shard channels that have subscribers.",
        since="7.0.0",
        complexity=_CHANNELS_COST,
        arguments=[pattern("pattern", optional=True)],
    ),
    _pubsub(
        "pubsub|shardnumsub",
        -2,
        _ASK,
        "Returns how many subscribers each shard channel has.",
        since="7.0.0",
        complexity=_CHANNELS_COST,
        arguments=[string("shardchannel", optional=True, multiple=True)],
    ),
)

COMMANDS = (
    _pubsub(
        "psubscribe",
        -2,
        _LISTEN,
        "Listens to the channels that fit patterns.",
        since="2.0.0",
        complexity="O(N), N being the number of patterns.",
        arguments=[block("pattern", pattern("pattern"), multiple=True)],
    ),
    _pubsub(
        "publish",
        3,
        "pubsub loading stale fast",
        "Sends a message to a channel and returns how many received it.",
        since="2.0.0",
        complexity="O(N+M), N being the receivers and M the patterns subscribed to.",
        arguments=[string("channel"), string("message")],
    ),
    container(
        "pubsub",
        "Tells who listens to what.",
        _INSPECT,
        group="pubsub",
        since="2.8.0",
        help_since="6.2.0",
    ),
    _pubsub(
        "punsubscribe",
        -1,
        _LISTEN,
        "Stops listening to patterns, or to all of them.",
        since="2.0.0",
        complexity="O(N), N being the number of patterns.",
        arguments=[pattern("pattern", optional=True, multiple=True)],
    ),
    _pubsub(
        "spublish",
        3,
        "pubsub loading stale fast",
        "Sends a message to a shard channel and returns how many received it.",
        since="7.0.0",
        complexity="O(N), N being the receivers.",
        keys=[KeySpec(_NO_KEY, 1)],
        arguments=[string("shardchannel"), string("message")],
    ),
    _pubsub(
        "ssubscribe",
        -2,
        _LISTEN,
        "Listens to shard channels.",
        since="7.0.0",
        complexity=_CHANNELS_COST,
        keys=[KeySpec(_NO_KEY, 1, -1)],
        arguments=[string("shardchannel", multiple=True)],
    ),
    _pubsub(
        "subscribe",
        -2,
        _LISTEN,
        "Listens to channels.",
        since="2.0.0",
        complexity=_CHANNELS_COST,
        arguments=[string("channel", multiple=True)],
    ),
    _pubsub(
        "sunsubscribe",
        -1,
        _LISTEN,
        "Stops listening to shard channels, or to all of them.",
        since="7.0.0",
        complexity=_CHANNELS_COST,
        keys=[KeySpec(_NO_KEY, 1, -1)],
        arguments=[string("shardchannel", optional=True, multiple=True)],
    ),
    _pubsub(
        "unsubscribe",
        -1,
        _LISTEN,
        "Stops listening to channels, or to all of them.",
        since="2.0.0",
        complexity=_CHANNELS_COST,
        arguments=[string("channel", optional=True, multiple=True)],
    ),
)
