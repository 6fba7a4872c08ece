"""DEBUG DIGEST: a fingerprint of contents that does not depend on how they are kept.

It is Redis's own, so that the digests of equal databases are equal. SHA-1 values are xor-ed where
the order of elements means nothing, and hashed again after each where it does. A key's digest
begins with the number of its type, and tells of a time to live, not of its length.
"""

from __future__ import annotations

from hashlib import sha1
from typing import TYPE_CHECKING, Any, Final

from shmcache.commands.context import Context

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shmcache.arena import Arena
    from shmcache.server.server import Server

__all__ = ["EMPTY_DIGEST", "digest_of_everything", "digest_of_value"]

EMPTY_DIGEST: Final = bytes(20)
_TYPES: Final = {"string": 0, "list": 1, "set": 2, "zset": 3, "hash": 4, "stream": 6}
_SCAN_COUNT: Final = 1000


class _Digest:
    """One digest under way."""

    def __init__(self) -> None:
        self._number = 0

    def add(self, data: bytes) -> None:
        """Take something in whose place among the others does not matter."""
        self._number ^= int.from_bytes(_sha1(data))

    def append(self, data: bytes) -> None:
        """Take something in that comes after all that was taken in before."""
        self.add(data)
        self._number = int.from_bytes(_sha1(self.value()))

    def value(self) -> bytes:
        """The digest of what was taken in."""
        return self._number.to_bytes(20)


def _sha1(data: bytes) -> bytes:
    return sha1(data, usedforsecurity=False).digest()


def digest_of_value(server: Server, db: int, key: bytes) -> bytes:
    """The digest of what is under a key; EMPTY_DIGEST when there is nothing."""
    digest = _Digest()
    _take_value(digest, server, db, key)
    return digest.value()


def digest_of_everything(server: Server) -> bytes:
    """The digest of all keys of all databases. Writers may change them meanwhile."""
    total = _Digest()
    for db in range(server.settings.databases):
        keys = sorted(set(_keys(server.arena, db)))
        if keys:
            total.append(db.to_bytes(4))
        for key in keys:
            digest = _Digest()
            digest.append(key)
            if _take_value(digest, server, db, key):
                total.add(digest.value())
    return total.value()


def _keys(arena: Arena, db: int) -> Iterator[bytes]:
    cursor = 0
    while True:
        cursor, keys = arena.scan(db, cursor, _SCAN_COUNT)
        yield from keys
        if cursor == 0:
            return


def _take_value(digest: _Digest, server: Server, db: int, key: bytes) -> bool:
    """Take a key's value in; False when there is none."""
    info = server.arena.describe(db, key)
    if info is None:
        return False
    context = Context(server.arena, db=db)

    def ask(*words: bytes) -> Any:
        return server.dispatcher.execute(context, words)

    digest.append(_TYPES[info.type].to_bytes(4))
    if info.type == "string":
        digest.append(ask(b"GET", key))
    elif info.type == "list":
        for element in ask(b"LRANGE", key, b"0", b"-1"):
            digest.append(element)
    elif info.type == "set":
        for member in ask(b"SMEMBERS", key):
            digest.add(member)
    elif info.type == "stream":
        _take_stream(digest, ask(b"XRANGE", key, b"-", b"+"))
    else:
        _take_pairs(digest, ask, info.type, key)
    if info.expire_ms:
        digest.add(b"!!expire!!")
    return True


def _take_stream(digest: _Digest, entries: Any) -> None:
    for number, fields in entries:
        digest.append(number.replace(b"-", b"."))
        for word in fields:
            digest.append(word)


def _take_pairs(digest: _Digest, ask: Any, kind: str, key: bytes) -> None:
    """Take the fields of a hash or the members of a sorted set in."""
    if kind == "hash":
        flat = ask(b"HGETALL", key)
        pairs = list(zip(flat[::2], flat[1::2], strict=True))
    else:
        flat = ask(b"ZRANGE", key, b"0", b"-1", b"WITHSCORES")
        scores = (b"%.17g" % float(score) for score in flat[1::2])
        pairs = list(zip(flat[::2], scores, strict=True))
    mortal = _mortal_fields(ask, key, [name for name, _ in pairs]) if kind == "hash" else set()
    for name, value in pairs:
        part = _Digest()
        part.append(name)
        part.append(value)
        if name in mortal:
            part.add(b"!!hexpire!!")
        digest.add(part.value())


def _mortal_fields(ask: Any, key: bytes, fields: list[bytes]) -> set[bytes]:
    """The fields of a hash that have a time to live of their own."""
    moments = ask(b"HPEXPIRETIME", key, b"FIELDS", b"%d" % len(fields), *fields)
    return {field for field, moment in zip(fields, moments, strict=True) if moment > 0}
