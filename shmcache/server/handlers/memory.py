"""MEMORY: what the memory is used for, and giving some back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shmcache.commands.replies import OK, Verbatim
from shmcache.server.figures import MemoryFigures, human_bytes, memory_figures

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from shmcache.commands.replies import Reply
    from shmcache.server.client import Client

__all__ = ["HANDLERS"]

_SMALL_BYTES = 5 << 20
"""Below this the ratios say nothing: Redis's doctor does not look either."""
_HIGH_FRAGMENTATION = 1.4
_NEARLY_FULL = 0.98
_MANY_CLIENT_BYTES = 200 * 1024


def _stats(client: Client, _args: Sequence[bytes]) -> Reply:
    server = client.server
    memory = memory_figures(server)
    databases: dict[Reply, Reply] = {
        f"db.{db}".encode(): {
            b"overhead.hashtable.main": memory.tables * server.arena.db_keys(db) // memory.keys,
            b"overhead.hashtable.expires": 0,
            b"overhead.hashtable.slot-to-keys": 0,
        }
        for db in range(server.settings.databases)
        if memory.keys and server.arena.db_keys(db)
    }
    return {
        b"peak.allocated": memory.peak,
        b"total.allocated": memory.used,
        b"startup.allocated": 0,
        b"replication.backlog": 0,
        b"clients.slaves": 0,
        b"clients.normal": memory.clients,
        b"cluster.links": 0,
        b"aof.buffer": 0,
        b"lua.caches": server.scripts.engine.script_bytes(),
        b"functions.caches": server.scripts.libraries.source_bytes(),
        **databases,
        b"overhead.total": memory.tables,
        b"keys.count": memory.keys,
        b"keys.bytes-per-key": memory.used // memory.keys if memory.keys else 0,
        b"dataset.bytes": memory.dataset,
        b"dataset.percentage": 100 * memory.dataset / max(memory.used, 1),
        b"peak.percentage": 100 * memory.used / max(memory.peak, 1),
        b"allocator.allocated": memory.used,
        b"allocator.active": memory.pages,
        b"allocator.resident": memory.arena,
        b"allocator-fragmentation.ratio": memory.fragmentation,
        b"allocator-fragmentation.bytes": memory.pages - memory.used,
        b"allocator-rss.ratio": memory.arena / max(memory.pages, 1),
        b"allocator-rss.bytes": memory.arena - memory.pages,
        b"rss-overhead.ratio": memory.resident / max(memory.arena, 1),
        b"rss-overhead.bytes": memory.resident - memory.arena,
        b"fragmentation": memory.fragmentation,
        b"fragmentation.bytes": memory.pages - memory.used,
    }


def _problems(memory: MemoryFigures, policy: str, clients: int) -> Iterator[str]:
    if memory.fragmentation > _HIGH_FRAGMENTATION:
        yield (
            f"Pages hold {memory.fragmentation:.2f} bytes for each byte in use. The maintenance "
            "process joins half-empty pages; is it running?"
        )
    if policy == "noeviction" and memory.used > _NEARLY_FULL * memory.limit:
        yield (
            f"{human_bytes(memory.used)} of {human_bytes(memory.limit)} are in use and "
            "maxmemory-policy is noeviction: writes are about to be refused."
        )
    if clients and memory.clients / clients > _MANY_CLIENT_BYTES:
        yield (
            f"Clients take {human_bytes(memory.clients // clients)} each: some do not read their "
            "replies. CLIENT LIST shows them (omem)."
        )


def _doctor(client: Client, _args: Sequence[bytes]) -> Reply:
    server = client.server
    memory = memory_figures(server)
    policy = server.config.text("maxmemory-policy")
    problems = list(_problems(memory, policy, len(server.clients)))
    if problems:
        return Verbatim("".join(f"* {problem}\n" for problem in problems))
    if memory.used < _SMALL_BYTES:
        return Verbatim(f"Only {human_bytes(memory.used)} in use: too little to say anything.\n")
    return Verbatim("No memory problems found.\n")


def _malloc_stats(client: Client, _args: Sequence[bytes]) -> Reply:
    return Verbatim(client.server.arena.dump())


def _purge(_client: Client, _args: Sequence[bytes]) -> Reply:
    """Give the front-end's own free memory back; the arena's size is fixed."""
    import ctypes  # noqa: PLC0415 - 3 ms that a restart should not wait for

    ctypes.CDLL(None).malloc_trim(0)
    return OK


HANDLERS = {
    "memory|doctor": _doctor,
    "memory|malloc-stats": _malloc_stats,
    "memory|purge": _purge,
    "memory|stats": _stats,
}
