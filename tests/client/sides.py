"""The four who answer a script, and how two answers are compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import shmcache

if TYPE_CHECKING:
    from collections.abc import Callable

    import redis

    from client.processes import Daemon
    from client.scripts import Call

__all__ = ["SIDES", "Raised", "outcome", "raised", "shape"]


class Raised(NamedTuple):
    """An exception as redis-py's users see it: the class they would catch, and its text."""

    kind: str
    text: str


def _redis_class(error: BaseException) -> type[BaseException]:
    """redis-py's class, or Python's, behind one of this package's."""
    for base in type(error).__mro__:
        if not base.__module__.startswith("shmcache"):
            return base
    raise AssertionError


def _plain_text(error: BaseException) -> str:
    # the signature in a TypeError names the class or not, depending on who wrote the method
    return "" if isinstance(error, TypeError) else str(error)


def raised(error: BaseException) -> Raised:
    return Raised(_redis_class(error).__name__, _plain_text(error))


def outcome(client: Any, step: Call) -> Any:
    """What a call gives, an exception included."""
    name, args, names = step
    try:
        result = getattr(client, name)(*args, **names)
    except Exception as error:
        return raised(error)
    return sorted(result) if name == "keys" else result


def shape(value: Any) -> Any:
    """A value with the type of each of its parts, for comparison and for people."""
    if isinstance(value, Raised):
        return value
    if isinstance(value, list | tuple):
        return type(value).__name__, [shape(part) for part in value]
    if isinstance(value, dict):
        return "dict", [(shape(key), shape(part)) for key, part in value.items()]
    return type(value).__name__, value


def _reader(daemon: Daemon, **options: Any) -> redis.Redis:
    return shmcache.attach(daemon.name, **options)


def _writer(daemon: Daemon, **options: Any) -> redis.Redis:
    return shmcache.attach(daemon.name, writable=True, **options)


def _by_socket(daemon: Daemon, **options: Any) -> redis.Redis:
    return shmcache.attach(str(daemon.socket_path), **options)


def _plain(daemon: Daemon, **options: Any) -> redis.Redis:
    return daemon.connect(**options)


SIDES: dict[str, Callable[..., redis.Redis]] = {
    "reader": _reader,
    "writer": _writer,
    "by-socket": _by_socket,
    "plain-redis-py": _plain,
}
