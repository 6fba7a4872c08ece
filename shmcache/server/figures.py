"""What memory is used for: the figures behind INFO and MEMORY."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from shmcache.arena import segment_sizes

if TYPE_CHECKING:
    from shmcache.server.server import Server

__all__ = ["MemoryFigures", "human_bytes", "memory_figures"]


class MemoryFigures(NamedTuple):
    """Bytes, at one instant. The arena's memory and the front-end process's are told apart."""

    used: int
    """In blocks of the arena: entries, tables, and what writers hold ready."""
    peak: int
    tables: int
    """Of these, the hash tables."""
    fixed: int
    """The arena's header, writer slots, stripes, page table and access marks."""
    pages: int
    """The heap's pages that hold at least one block."""
    arena: int
    """Both segments, which are allocated in full when they are created."""
    clients: int
    resident: int
    """Of the front-end process, the pages of the arena that it touched included."""
    limit: int
    """maxmemory; the whole heap when that is 0 or more than the heap."""
    keys: int

    @property
    def dataset(self) -> int:
        """Keys and values with their headers. With the tables they make up what is used."""
        return max(self.used - self.tables, 0)

    @property
    def fragmentation(self) -> float:
        """Bytes of pages in use for each byte of blocks."""
        return self.pages / self.used if self.used else 1.0


def memory_figures(server: Server) -> MemoryFigures:
    """Measure now."""
    import psutil  # noqa: PLC0415 - 6 ms that a restart should not wait for

    statistics = server.arena.statistics()
    whole = sum(segment_sizes(statistics.data_bytes))
    maxmemory = server.config.integer("maxmemory")
    server.note_used_memory(statistics.used_bytes)
    return MemoryFigures(
        used=statistics.used_bytes,
        peak=server.peak_used_bytes,
        tables=statistics.index_bytes,
        fixed=whole - statistics.heap_bytes,
        pages=(statistics.pages - statistics.free_pages) * statistics.page_bytes,
        arena=whole,
        clients=sum(client.memory_bytes() for client in server.clients.values()),
        resident=psutil.Process().memory_info().rss,
        limit=min(maxmemory, statistics.heap_bytes) or statistics.heap_bytes,
        keys=statistics.keys,
    )


def human_bytes(count: int) -> str:
    """A size as Redis's INFO shows it: ``1.50M``."""
    if count < 1024:
        return f"{count}B"
    size = float(count)
    for unit in "KMGT":  # noqa: B007 - the one it stops at is wanted
        size /= 1024
        if size < 1024:
            break
    return f"{size:.2f}{unit}"
