"""A redis-py client as a side: what its users get, types included, in the form of other replies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from client.sides import Raised, raised

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import redis

    from differential.wire import Tagged


def _by_name(method: str) -> Callable[[Any, Sequence[bytes]], Any]:
    return lambda client, args: getattr(client, method)(*args)


def _with_integers(method: str, *places: int) -> Callable[[Any, Sequence[bytes]], Any]:
    def run(client: Any, args: Sequence[bytes]) -> Any:
        return getattr(client, method)(
            *(_number(int, arg) if place in places else arg for place, arg in enumerate(args))
        )

    return run


def _number(kind: type[int] | type[float], text: bytes) -> float:
    """A number that redis-py sends as just this text.

    :raises ValueError: there is none
    """
    number = kind(text)
    if repr(number).encode() != text:
        raise ValueError(text)
    return number


def _score(text: bytes) -> float:
    """An integer or a float, as it is written."""
    try:
        return _number(int, text)
    except ValueError:
        return _number(float, text)


def _zadd(client: Any, args: Sequence[bytes]) -> Any:
    return client.zadd(args[0], {args[2]: _score(args[1])})


METHODS: dict[tuple[bytes, int], Callable[[Any, Sequence[bytes]], Any]] = {
    **{
        (name.encode().upper(), count): _by_name(name)
        for count, names in {
            1: "hgetall hkeys hvals hlen scard smembers llen zcard lpop rpop spop xlen",
            2: "hget hexists hstrlen hdel sismember smismember sadd srem lpush rpush zscore zrank "
            "zrevrank zrem hmget getbit rpoplpush pfadd",
            3: "hset hsetnx hdel sadd lpush rpush zincrby setbit hmget zrem srem",
        }.items()
        for name in names.split()
    },
    (b"HMGET", 2): lambda client, args: client.hmget(args[0], args[1:]),
    (b"HMGET", 3): lambda client, args: client.hmget(args[0], args[1:]),
    (b"SMISMEMBER", 2): lambda client, args: client.smismember(args[0], args[1:]),
    (b"ZINCRBY", 3): lambda client, args: client.zincrby(args[0], _score(args[1]), args[2]),
    (b"ZADD", 3): _zadd,
    (b"LINDEX", 2): _with_integers("lindex", 1),
    (b"LRANGE", 3): _with_integers("lrange", 1, 2),
    (b"ZRANGE", 3): _with_integers("zrange", 1, 2),
    (b"ZREVRANGE", 3): _with_integers("zrevrange", 1, 2),
    (b"HINCRBY", 3): _with_integers("hincrby", 2),
}
"""Commands that have a method of their own, which may be a short way: by name and arguments."""


class ClientSide:
    """Someone's redis-py client. Lines in upper case go through the client's methods."""

    def __init__(self, client: redis.Redis) -> None:
        self._client: Any = client

    def execute(self, *words: bytes) -> Tagged:
        return tagged(self._outcome(words))

    def execute_many(self, lines: Sequence[Sequence[bytes]]) -> list[Tagged]:
        return [self.execute(*words) for words in lines]

    def close(self) -> None:
        self._client.close()

    def _outcome(self, words: Sequence[bytes]) -> Any:
        method = METHODS.get((words[0], len(words) - 1))
        try:
            if method is not None:
                try:
                    return method(self._client, words[1:])
                except (ValueError, OverflowError):
                    pass  # an argument that has no Python form
            return self._client.execute_command(words[0].decode("latin-1"), *words[1:])
        except ValueError as error:
            # redis-py could not read the reply, and quotes it
            return raised(error)._replace(text="")
        except Exception as error:
            return raised(error)


def tagged(value: Any) -> Tagged:
    """What redis-py returned, as :mod:`differential.wire` writes replies."""
    match value:
        case Raised():
            return ("error", f"{value.kind}: {value.text}".encode("utf-8", "surrogateescape"))
        case None:
            return ("null",)
        case dict():
            return ("map", tuple((tagged(key), tagged(part)) for key, part in value.items()))
        case list() | tuple() | set() | frozenset():
            kind = {list: "array", tuple: "tuple"}.get(type(value), "set")
            return (kind, tuple(tagged(part) for part in value))
    return (_KINDS[type(value)], repr(value) if isinstance(value, float) else value)


_KINDS = {bool: "bool", int: "int", float: "double", bytes: "bulk", str: "simple"}
