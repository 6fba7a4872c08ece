"""Requests out of a stream of bytes: RESP arrays of bulk strings, and inline commands."""

from typing import Self

class RequestLimits:
    """Limits that all parsers of a server share and that may change while they work."""

    bulk_bytes: int
    """proto-max-bulk-len"""
    def __init__(self, bulk_bytes: int = ...) -> None: ...

class RequestParser:
    """Finds requests in bytes that arrive in any pieces: feed it, then iterate over the requests.

    :param limits: shared by the parsers of one server
    """

    trusted: bool
    """False limits what is accepted before AUTH: 10 arguments, 16 KiB each."""
    def __init__(self, limits: RequestLimits | None = None) -> None: ...
    def feed(self, data: bytes | bytearray | memoryview) -> None:
        """Add received bytes."""
    def __iter__(self) -> Self: ...
    def __next__(self) -> list[bytes]:
        """The next complete request.

        :raises ProtocolError: what arrived is no request; nothing can be parsed any more
        """
    @property
    def pending(self) -> int:
        """Bytes received that belong to no finished request."""
    @property
    def capacity(self) -> int:
        """Bytes of memory held for an unfinished request."""
