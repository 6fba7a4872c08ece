"""MULTI, EXEC, DISCARD, WATCH and UNWATCH."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shmcache.commands.replies import OK, CommandError
from shmcache.server.transactions import carry_out

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shmcache.commands.replies import Reply
    from shmcache.server.client import Client

__all__ = ["HANDLERS"]


def _multi(client: Client, _args: Sequence[bytes]) -> Reply:
    if client.queue is not None:
        raise CommandError("ERR MULTI calls can not be nested")
    client.begin_transaction()
    return OK


def _exec(client: Client, _args: Sequence[bytes]) -> Reply:
    queue, watched = client.queue, client.watched
    if queue is None:
        raise CommandError("ERR EXEC without MULTI")
    client.watched = {}
    try:
        if queue.failed:
            raise CommandError("EXECABORT Transaction discarded because of previous errors.")
        return carry_out(client, queue, watched)
    finally:
        client.end_transaction()


def _discard(client: Client, _args: Sequence[bytes]) -> Reply:
    if client.queue is None:
        raise CommandError("ERR DISCARD without MULTI")
    client.end_transaction()
    return OK


def _watch(client: Client, args: Sequence[bytes]) -> Reply:
    """Remember what the keys are now; a key too long for the arena never changes."""
    if client.queue is not None:
        raise CommandError("ERR WATCH inside MULTI is not allowed")
    arena, db = client.server.arena, client.db
    for key in args:
        if (db, key) not in client.watched and len(key) <= arena.max_key_bytes:
            client.watched[db, key] = arena.fingerprint(db, key)
    return OK


def _unwatch(client: Client, _args: Sequence[bytes]) -> Reply:
    client.watched = {}
    return OK


HANDLERS = {
    "discard": _discard,
    "exec": _exec,
    "multi": _multi,
    "unwatch": _unwatch,
    "watch": _watch,
}
