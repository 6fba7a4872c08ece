"""The replies that are Python's own types, as bytes; all others are left to the caller."""

from collections.abc import Callable

def encode_reply(
    reply: object, resp: int, write_other: Callable[[object, list[bytes], int], None]
) -> bytes:
    """The bytes of a reply.

    :param write_other: ``write_other(reply, out, resp)`` appends the bytes of a reply to a list, if
        it is none of bytes, int (of 64 bits), str (a line of ASCII), bool, None, list, tuple, dict
    """
