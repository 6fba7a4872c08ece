"""From a command's reply to what redis-py would have made of it, had it come through a socket."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, cast

from redis.connection import DefaultParser
from redis.exceptions import ResponseError

from shmcache import errors
from shmcache.commands.replies import CommandError, NullArray, Reply, SetReply, Verbatim, error_for
from shmcache.protocol.encoder import Encoder

if TYPE_CHECKING:
    from redis.exceptions import RedisError

__all__ = ["Answer", "AsyncAnswer", "exception_for", "translated_errors"]

Decode = Callable[[bytes], Any]

_RESP2: Final = Encoder()
_parse_error: Callable[[str], RedisError] = cast("Any", DefaultParser).parse_error


def exception_for(error: CommandError) -> RedisError:
    """Return the exception that redis-py raises for an error line, in this package's class."""
    line = str(error).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return _translate(_parse_error(line))


@contextmanager
def translated_errors() -> Iterator[None]:
    """Let an error that a server replied leave the block in this package's class."""
    try:
        yield
    except ResponseError as error:
        translated = _translate(error)
        if translated is error:
            raise
        raise translated from error


def _translate(error: RedisError) -> RedisError:
    """Return this package's exception for a failure that has one, else ``error`` itself."""
    kind = _KINDS.get(str(error))
    if kind is None or isinstance(error, kind):
        return error
    translated = kind(*error.args)
    translated.__dict__.update(error.__dict__)
    return translated


_KINDS: Final[dict[str, type[errors.ShmcacheError]]] = {
    str(_parse_error(str(error_for(kind())))): kind
    for kind in (
        errors.WrongType,
        errors.NotAnInteger,
        errors.NotFinite,
        errors.NotFinite,
        errors.ValueOverflow,
        errors.OutOfMemory,
        errors.ValueTooLong,
        errors.KeyTooLong,
        errors.ArenaBusy,
        errors.CorruptArena,
    )
}


class Answer:
    """A reply in the shape of a redis-py connection from which one response can be read.

    redis-py's own ``parse_response`` then does to it all that it does to a server's: options,
    response callbacks, exceptions.
    """

    __slots__ = ("_decode", "_reply", "_resp3")

    def __init__(self, reply: Reply, decode: Decode, *, resp3: bool) -> None:
        self._reply = reply
        self._decode = decode
        self._resp3 = resp3

    def read_response(self, disable_decoding: bool = False, **_: object) -> Any:
        """Return the response, or raise the error that it is."""
        reply = self._reply
        if isinstance(reply, CommandError):
            raise exception_for(reply)
        return _convert(reply, bytes if disable_decoding else self._decode, self._resp3)


class AsyncAnswer(Answer):
    """The same for :mod:`redis.asyncio`; never waits."""

    __slots__ = ()

    async def read_response(self, disable_decoding: bool = False, **_: object) -> Any:
        """Return the response, or raise the error that it is."""
        return Answer.read_response(self, disable_decoding)


def _convert(reply: Reply, decode: Decode, resp3: bool) -> Any:
    """Do as redis-py's parsers do: a simple string comes as bytes, a set as a list."""
    converter = _CONVERTERS.get(type(reply))
    if converter is not None:
        return converter(reply, decode, resp3)
    for kind, converter in _CONVERTERS.items():
        if isinstance(reply, kind):
            return converter(reply, decode, resp3)
    raise TypeError(f"not a reply: {type(reply).__name__}")


def _as_it_is(reply: Any, decode: Decode, resp3: bool) -> Any:  # noqa: ARG001
    return reply


def _nothing(reply: NullArray, decode: Decode, resp3: bool) -> Any:  # noqa: ARG001
    return None


def _from_bytes(reply: bytes, decode: Decode, resp3: bool) -> Any:  # noqa: ARG001
    return decode(reply)


def _from_text(reply: str, decode: Decode, resp3: bool) -> Any:  # noqa: ARG001
    return decode(reply.encode("utf-8", "surrogateescape"))


def _from_verbatim(reply: Verbatim, decode: Decode, resp3: bool) -> Any:
    return _from_text(reply.text, decode, resp3)


def _from_bool(reply: bool, decode: Decode, resp3: bool) -> Any:  # noqa: ARG001
    return reply if resp3 else int(reply)


def _from_float(reply: float, decode: Decode, resp3: bool) -> Any:
    return float(reply) if resp3 else decode(_RESP2.encode(reply, 2).split(b"\r\n")[1])


def _from_error(reply: CommandError, decode: Decode, resp3: bool) -> Any:  # noqa: ARG001
    return exception_for(reply)


def _from_sequence(reply: Iterable[Reply], decode: Decode, resp3: bool) -> Any:
    return [_convert(part, decode, resp3) for part in reply]


def _from_map(reply: Mapping[Reply, Reply], decode: Decode, resp3: bool) -> Any:
    flat = [_convert(part, decode, resp3) for pair in reply.items() for part in pair]
    return dict(zip(flat[::2], flat[1::2], strict=True)) if resp3 else flat


_CONVERTERS: Final[dict[type, Callable[[Any, Decode, bool], Any]]] = {
    bytes: _from_bytes,
    bool: _from_bool,
    int: _as_it_is,
    type(None): _as_it_is,
    NullArray: _nothing,
    str: _from_text,
    float: _from_float,
    Verbatim: _from_verbatim,
    CommandError: _from_error,
    # found at the first look; what follows them is for all other kinds
    list: _from_sequence,
    tuple: _from_sequence,
    SetReply: _from_sequence,
    dict: _from_map,
    Mapping: _from_map,
    Sequence: _from_sequence,
    AbstractSet: _from_sequence,
}
