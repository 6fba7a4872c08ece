"""DEBUG PROTOCOL: one reply of each type that the protocol has, the same as Redis's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from shmcache.commands.replies import CommandError, SetReply, Verbatim
from shmcache.server.replies import Encoded

if TYPE_CHECKING:
    from shmcache.commands.replies import Reply

__all__ = ["sample_reply"]

_NUMBER: Final = b"1234567999999999999999999999999999999"
_AFTER_ATTRIBUTE: Final = b"Some real reply following the attribute"
_AFTER_PUSH: Final = b"Some real reply following the push reply"
_SAMPLES: Final[dict[bytes, Reply]] = {
    b"string": b"Hello World",
    b"integer": 12345,
    b"double": 3.141,
    b"bignum": _NUMBER,
    b"null": None,
    b"array": [0, 1, 2],
    b"set": SetReply((0, 1, 2)),
    b"map": {0: False, 1: True, 2: False},
    b"attrib": _AFTER_ATTRIBUTE,
    b"push": CommandError("ERR RESP2 is not supported by this command"),
    b"verbatim": Verbatim("This is a verbatim\nstring"),
    b"true": True,
    b"false": False,
}
_SAMPLES_3: Final[dict[bytes, Reply]] = {
    b"bignum": Encoded(b"(%b\r\n" % _NUMBER),
    b"attrib": Encoded(
        b"|1\r\n$14\r\nkey-popularity\r\n*2\r\n$7\r\nkey:123\r\n:90\r\n"
        b"$%d\r\n%b\r\n" % (len(_AFTER_ATTRIBUTE), _AFTER_ATTRIBUTE)
    ),
    b"push": Encoded(
        b">2\r\n$16\r\nserver-cpu-usage\r\n:42\r\n$%d\r\n%b\r\n" % (len(_AFTER_PUSH), _AFTER_PUSH)
    ),
}
"""What RESP2 has no type for."""


def sample_reply(name: bytes, resp: int) -> Reply:
    """The reply of a type.

    :raises CommandError: there is no such type
    """
    kind = name.lower()
    if kind not in _SAMPLES:
        raise CommandError(
            "ERR Wrong protocol type name. Please use one of the following: "
            + "|".join(sample.decode() for sample in _SAMPLES)
        )
    return _SAMPLES_3.get(kind, _SAMPLES[kind]) if resp == 3 else _SAMPLES[kind]
