"""SUBSCRIBE, PUBLISH and their kin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shmcache.commands.glob import glob_matches
from shmcache.server.replies import Pushes, WrongSubcommandError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shmcache.commands.replies import Reply
    from shmcache.server.client import Client
    from shmcache.server.pubsub import Listeners

__all__ = ["HANDLERS"]


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
        listeners.add(name, client)
        messages.append((kind, name, client.subscriptions))
    client.apply()
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
            listeners.remove(name, client)
        messages.append((kind, name, client.subscriptions))
    client.apply()
    return Pushes(messages or [(kind, None, client.subscriptions)])


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


def _publish(client: Client, args: Sequence[bytes]) -> Reply:
    return client.server.pubsub.publish(args[0], args[1])


def _channels(client: Client, args: Sequence[bytes]) -> Reply:
    if len(args) > 1:
        raise WrongSubcommandError
    pattern = args[0] if args else b"*"
    return [name for name in client.server.pubsub.channels if glob_matches(pattern, name)]


def _numsub(client: Client, args: Sequence[bytes]) -> Reply:
    channels = client.server.pubsub.channels
    return [item for name in args for item in (name, channels.count(name))]


def _numpat(client: Client, _args: Sequence[bytes]) -> Reply:
    return len(client.server.pubsub.patterns)


def _shardchannels(_client: Client, args: Sequence[bytes]) -> Reply:
    """Without a cluster nobody can subscribe to a shard channel."""
    if len(args) > 1:
        raise WrongSubcommandError
    return []


def _shardnumsub(_client: Client, args: Sequence[bytes]) -> Reply:
    return [item for name in args for item in (name, 0)]


HANDLERS = {
    "psubscribe": _psubscribe,
    "publish": _publish,
    "pubsub|channels": _channels,
    "pubsub|numpat": _numpat,
    "pubsub|numsub": _numsub,
    "pubsub|shardchannels": _shardchannels,
    "pubsub|shardnumsub": _shardnumsub,
    "punsubscribe": _punsubscribe,
    "subscribe": _subscribe,
    "unsubscribe": _unsubscribe,
}
