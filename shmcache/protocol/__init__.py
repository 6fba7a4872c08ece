"""RESP2 and RESP3 as bytes: a request parser and a reply encoder. No input, no output."""

from shmcache.protocol._request import RequestLimits, RequestParser
from shmcache.protocol.encoder import (
    Encoder,
    Writer,
    write_aggregate,
    write_error,
    write_push,
    write_verbatim,
)

__all__ = [
    "Encoder",
    "RequestLimits",
    "RequestParser",
    "Writer",
    "write_aggregate",
    "write_error",
    "write_push",
    "write_verbatim",
]
