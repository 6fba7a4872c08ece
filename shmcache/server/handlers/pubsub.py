"""SUBSCRIBE, PUBLISH and their kin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shmcache.arena import PATTERN, SHARD_CHANNEL
from shmcache.commands.glob import glob_matches
from shmcache.commands.pubsub import count_listeners, listened_to
from shmcache.commands.replies import CommandError
from shmcache.server.replies import Pushes, WrongSubcommandError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shmcache.commands.replies import Reply
    from shmcache.server.client import Client
    from shmcache.server.pubsub import Listeners

__all__ = ["HANDLERS"]


def _count(client: Client, listeners: Listeners) -> int:
    """What a confirmation counts: shard channels by themselves, the others together."""
    if listeners.kind == SHARD_CHANNEL:
        return len(client.shard_channels)
    return len(client.channels) + len(client.patterns)


def _listen(
    client: Client,
    kind: bytes,
    names: Sequence[bytes],
    own: dict[bytes, None],
    listeners: Listeners,
) -> Reply:
    messages = []
    for name in names:
        own[name] = None
        listeners.add(name, client.connection)
        messages.append((kind, name, _count(client, listeners)))
    client.apply()
    client.server.pubsub.attend()
    return Pushes(messages)


def _stop_listening(
    client: Client,
    kind: bytes,
    names: Sequence[bytes],
    own: dict[bytes, None],
    listeners: Listeners,
) -> Reply:
    messages: list[tuple[Reply, ...]] = []
    for name in names or list(own):
        if name in own:
            del own[name]
            listeners.remove(name, client.connection)
        messages.append((kind, name, _count(client, listeners)))
    client.apply()
    return Pushes(messages or [(kind, None, _count(client, listeners))])


def _subscribe(client: Client, args: Sequence[bytes]) -> Reply:
    return _listen(client, b"subscribe", args, client.channels, client.server.pubsub.channels)


def _psubscribe(client: Client, args: Sequence[bytes]) -> Reply:
    return _listen(client, b"psubscribe", args, client.patterns, client.server.pubsub.patterns)


def _unsubscribe(client: Client, args: Sequence[bytes]) -> Reply:
    channels = client.server.pubsub.channels
    return _stop_listening(client, b"unsubscribe", args, client.channels, channels)


def _punsubscribe(client: Client, args: Sequence[bytes]) -> Reply:
    patterns = client.server.pubsub.patterns
    return _stop_listening(client, b"punsubscribe", args, client.patterns, patterns)


def _ssubscribe(client: Client, args: Sequence[bytes]) -> Reply:
    if not client.may_block:
        raise CommandError("ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client")
    channels = client.server.pubsub.shard_channels
    return _listen(client, b"ssubscribe", args, client.shard_channels, channels)


def _sunsubscribe(client: Client, args: Sequence[bytes]) -> Reply:
    channels = client.server.pubsub.shard_channels
    return _stop_listening(client, b"sunsubscribe", args, client.shard_channels, channels)


def _publish(client: Client, args: Sequence[bytes]) -> Reply:
    return client.server.pubsub.publish(args[0], args[1])


def _spublish(client: Client, args: Sequence[bytes]) -> Reply:
    return client.server.pubsub.publish_shard(args[0], args[1])


def _names(client: Client, listeners: Listeners, args: Sequence[bytes]) -> Reply:
    if len(args) > 1:
        raise WrongSubcommandError
    pattern = args[0] if args else b"*"
    others = listened_to(client.server.arena, listeners.kind, of_others=True)
    return [name for name in dict.fromkeys([*listeners, *others]) if glob_matches(pattern, name)]


def _counts(client: Client, listeners: Listeners, args: Sequence[bytes]) -> Reply:
    arena, kind = client.server.arena, listeners.kind
    return [
        item
        for name in args
        for item in (
            name,
            listeners.count(name) + count_listeners(arena, kind, name, of_others=True),
        )
    ]


def _channels(client: Client, args: Sequence[bytes]) -> Reply:
    return _names(client, client.server.pubsub.channels, args)


def _numsub(client: Client, args: Sequence[bytes]) -> Reply:
    return _counts(client, client.server.pubsub.channels, args)


def _numpat(client: Client, _args: Sequence[bytes]) -> Reply:
    others = listened_to(client.server.arena, PATTERN, of_others=True)
    return len({*client.server.pubsub.patterns, *others})


def _shardchannels(client: Client, args: Sequence[bytes]) -> Reply:
    return _names(client, client.server.pubsub.shard_channels, args)


def _shardnumsub(client: Client, args: Sequence[bytes]) -> Reply:
    return _counts(client, client.server.pubsub.shard_channels, args)


HANDLERS = {
    "psubscribe": _psubscribe,
    "publish": _publish,
    "pubsub|channels": _channels,
    "pubsub|numpat": _numpat,
    "pubsub|numsub": _numsub,
    "pubsub|shardchannels": _shardchannels,
    "pubsub|shardnumsub": _shardnumsub,
    "punsubscribe": _punsubscribe,
    "spublish": _spublish,
    "ssubscribe": _ssubscribe,
    "subscribe": _subscribe,
    "sunsubscribe": _sunsubscribe,
    "unsubscribe": _unsubscribe,
}
