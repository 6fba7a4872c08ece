"""The bytes that redis-py would send for a command's arguments.

redis-py has two packers, its own and hiredis's, which differ in what they accept and in how they
complain, so odd arguments are given to whichever one this client's connections use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    import redis
    import redis.asyncio

__all__ = ["Codec"]


class Codec:
    """Encodes arguments and decodes values with a connection pool's settings."""

    def __init__(self, pool: redis.ConnectionPool | redis.asyncio.ConnectionPool) -> None:
        encoder = pool.get_encoder()
        self.encoding = str(encoder.encoding)
        self.encoding_errors = str(encoder.encoding_errors)
        self.decode_responses = bool(encoder.decode_responses)
        self.decode = encoder.decode
        self.text_is_utf8 = self.encoding_errors == "strict" and self.encoding.lower() in {
            "utf-8",
            "utf8",
        }
        """Whether both packers send the UTF-8 form of a str."""
        self._pool = pool
        self._packing: Any = None

    def words(self, args: Sequence[Any]) -> list[bytes]:
        """Return the words of a command line.

        :param args: as ``execute_command`` takes them: the first may hold a subcommand too
        :raises redis.DataError: an argument that redis-py does not send
        """
        if not self.text_is_utf8:
            return self._pack(args)
        words: list[bytes] = []
        for argument in args:
            kind = type(argument)
            if kind is str:
                words.append(argument.encode())
            elif kind is bytes:
                words.append(argument)
            elif kind is int:
                words.append(b"%d" % argument)
            else:
                return self._pack(args)
        return words if b" " not in words[0] else words[0].split() + words[1:]

    def _pack(self, args: Sequence[Any]) -> list[bytes]:
        """Let a connection that is never connected pack the command, and take it apart."""
        if self._packing is None:
            self._packing = self._pool.connection_class(**self._pool.connection_kwargs)
        return _bulks(b"".join(map(bytes, self._packing.pack_command(*args))))


def _bulks(packed: bytes) -> list[bytes]:
    """The bulk strings of one well-formed RESP array."""
    words = []
    position = packed.index(b"\r\n") + 2
    while position < len(packed):
        start = packed.index(b"\r\n", position) + 2
        end = start + int(packed[position + 1 : start - 2])
        words.append(packed[start:end])
        position = end + 2
    return words
