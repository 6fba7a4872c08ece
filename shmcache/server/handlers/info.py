"""INFO: facts and figures by section, under Redis's names, which monitoring tools read.

Fields of Redis's that would mean nothing here (forks, replication buffers, Lua) are left out,
unless tools rely on them and zero is the truth.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeAlias

from shmcache.commands.modules import MODULE_API
from shmcache.commands.replies import Verbatim
from shmcache.server.figures import human_bytes, memory_figures
from shmcache.server.version import REDIS_VERSION, package_version

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shmcache.arena import Arena
    from shmcache.commands.replies import Reply
    from shmcache.server.client import Client
    from shmcache.server.scripts import Scripts
    from shmcache.server.server import Server

__all__ = ["HANDLERS"]

_Fields: TypeAlias = Iterable[tuple[str, object]]

_DAY_S = 86400
_LRU_BITS = 0xFFFFFF
_TTL_SAMPLES = 16


def _server_section(server: Server) -> _Fields:
    now = time.time()
    uptime_s = int(now - server.statistics.started_at)
    config = server.config
    system = os.uname()
    yield "redis_version", REDIS_VERSION
    yield "redis_git_sha1", "00000000"
    yield "redis_git_dirty", 0
    yield "redis_mode", "standalone"
    yield "os", f"{system.sysname} {system.release} {system.machine}"
    yield "arch_bits", sys.maxsize.bit_length() + 1
    yield "monotonic_clock", "POSIX clock_gettime"
    yield "multiplexing_api", "epoll"
    yield "process_id", os.getpid()
    yield "process_supervised", config.show("supervised")
    yield "run_id", server.run_id
    yield "tcp_port", server.tcp_port
    yield "server_time_usec", int(now * 1_000_000)
    yield "uptime_in_seconds", uptime_s
    yield "uptime_in_days", uptime_s // _DAY_S
    yield "hz", config.show("hz")
    yield "configured_hz", config.show("hz")
    yield "lru_clock", int(now) & _LRU_BITS
    yield "executable", sys.executable
    yield "config_file", config.path or ""
    yield "io_threads_active", 0
    yield "shmcache_version", package_version()
    yield "shmcache_name", server.arena.name
    yield "shmcache_generation", server.arena.statistics().generation
    yield "shmcache_writable_mode", config.show("shm-mode")


def _clients_section(server: Server) -> _Fields:
    recent = server.statistics.recent_peaks(server.frontend)
    yield "connected_clients", len(server.clients)
    yield "cluster_connections", 0
    yield "maxclients", server.settings.max_clients
    yield "client_recent_max_input_buffer", recent.query_bytes
    yield "client_recent_max_output_buffer", recent.output_bytes
    yield "blocked_clients", len(server.blocking) + len(server.pause)
    yield "tracking_clients", server.tracking.clients
    yield "clients_in_timeout_table", server.blocking.count_timeouts()
    yield "pubsub_clients", sum(client.subscriptions > 0 for client in server.clients.values())


def _script_memory(scripts: Scripts) -> _Fields:
    """What scripts take; one interpreter serves them and the functions."""
    engine, libraries = scripts.engine, scripts.libraries
    functions = libraries.function_count  # first, since it loads what was kept
    interpreter, texts = engine.interpreter_bytes(), engine.script_bytes()
    sources = libraries.source_bytes()
    yield "used_memory_lua", interpreter
    yield "used_memory_vm_eval", interpreter
    yield "used_memory_lua_human", human_bytes(interpreter)
    yield "used_memory_scripts_eval", texts
    yield "number_of_cached_scripts", engine.count
    yield "number_of_functions", functions
    yield "number_of_libraries", len(libraries.all)
    yield "used_memory_vm_functions", 0
    yield "used_memory_vm_total", interpreter
    yield "used_memory_vm_total_human", human_bytes(interpreter)
    yield "used_memory_functions", sources
    yield "used_memory_scripts", texts + sources
    yield "used_memory_scripts_human", human_bytes(texts + sources)


def _memory_section(server: Server) -> _Fields:
    memory = memory_figures(server)
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    for name, count in (
        ("used_memory", memory.used),
        ("used_memory_rss", memory.resident),
        ("used_memory_peak", memory.peak),
    ):
        yield name, count
        yield f"{name}_human", human_bytes(count)
    yield "used_memory_peak_perc", f"{100 * memory.used / max(memory.peak, 1):.2f}%"
    yield "used_memory_overhead", memory.tables
    yield "used_memory_startup", 0  # what an arena has from the start is not counted as used
    yield "used_memory_dataset", memory.dataset
    yield "used_memory_dataset_perc", f"{100 * memory.dataset / max(memory.used, 1):.2f}%"
    yield "allocator_allocated", memory.used
    yield "allocator_active", memory.pages
    yield "allocator_resident", memory.arena
    yield "total_system_memory", total
    yield "total_system_memory_human", human_bytes(total)
    yield from _script_memory(server.scripts)
    yield "maxmemory", server.config.integer("maxmemory")
    yield "maxmemory_human", human_bytes(server.config.integer("maxmemory"))
    yield "maxmemory_policy", server.config.text("maxmemory-policy")
    yield "allocator_frag_ratio", f"{memory.fragmentation:.2f}"
    yield "allocator_frag_bytes", memory.pages - memory.used
    yield "allocator_rss_ratio", f"{memory.arena / max(memory.pages, 1):.2f}"
    yield "allocator_rss_bytes", memory.arena - memory.pages
    yield "rss_overhead_ratio", f"{memory.resident / max(memory.arena, 1):.2f}"
    yield "rss_overhead_bytes", memory.resident - memory.arena
    yield "mem_fragmentation_ratio", f"{memory.fragmentation:.2f}"
    yield "mem_fragmentation_bytes", memory.pages - memory.used
    yield "mem_not_counted_for_evict", 0
    yield "mem_replication_backlog", 0
    yield "mem_total_replication_buffers", 0
    yield "mem_clients_slaves", 0
    yield "mem_clients_normal", memory.clients
    yield "mem_cluster_links", 0
    yield "mem_aof_buffer", 0
    yield "mem_allocator", "shmcache"
    yield "active_defrag_running", 0
    yield "lazyfree_pending_objects", 0
    yield "lazyfreed_objects", 0
    yield "shmcache_arena_bytes", memory.arena
    yield "shmcache_index_bytes", memory.tables
    yield "shmcache_fixed_bytes", memory.fixed


def _persistence_section(server: Server) -> _Fields:
    """Nothing is ever saved, forked or rewritten, and nothing of that has failed."""
    yield "loading", 0
    yield "async_loading", 0
    for name in ("peak", "size", "size_age"):
        yield f"current_cow_{name}", 0
    yield "current_fork_perc", "0.00"
    yield "current_save_keys_processed", 0
    yield "current_save_keys_total", 0
    yield "rdb_changes_since_last_save", 0  # those that wait to be saved
    yield "rdb_bgsave_in_progress", 0
    yield "rdb_last_save_time", int(server.statistics.started_at)  # so it is in Redis
    yield "rdb_last_bgsave_status", "ok"
    yield "rdb_last_bgsave_time_sec", -1
    yield "rdb_current_bgsave_time_sec", -1
    yield "rdb_saves", 0
    yield "rdb_last_cow_size", 0
    yield "aof_enabled", 0
    yield "aof_rewrite_in_progress", 0
    yield "aof_rewrite_scheduled", 0
    yield "aof_last_rewrite_time_sec", -1
    yield "aof_current_rewrite_time_sec", -1
    yield "aof_last_bgrewrite_status", "ok"
    yield "aof_rewrites", 0
    yield "aof_rewrites_consecutive_failures", 0
    yield "aof_last_write_status", "ok"
    yield "aof_last_cow_size", 0
    yield "module_fork_in_progress", 0
    yield "module_fork_last_cow_size", 0


def _stats_section(server: Server) -> _Fields:
    statistics, frontend = server.statistics, server.frontend
    arena = server.arena.statistics()
    yield "total_connections_received", statistics.connections
    yield "total_commands_processed", frontend.commands
    yield "instantaneous_ops_per_sec", round(statistics.operations.per_second())
    yield "total_net_input_bytes", frontend.received_bytes
    yield "total_net_output_bytes", frontend.sent_bytes
    yield "total_net_repl_input_bytes", 0
    yield "total_net_repl_output_bytes", 0
    yield "instantaneous_input_kbps", f"{statistics.input.per_second() / 1024:.2f}"
    yield "instantaneous_output_kbps", f"{statistics.output.per_second() / 1024:.2f}"
    yield "instantaneous_input_repl_kbps", "0.00"
    yield "instantaneous_output_repl_kbps", "0.00"
    yield "rejected_connections", statistics.rejected_connections
    yield "sync_full", 0
    yield "sync_partial_ok", 0
    yield "sync_partial_err", 0
    yield "expired_keys", arena.expired
    yield "evicted_keys", arena.evicted
    yield "evicted_clients", statistics.evicted_clients
    yield "keyspace_hits", arena.hits
    yield "keyspace_misses", arena.misses
    yield "pubsub_channels", len(server.pubsub.channels)
    yield "pubsub_patterns", len(server.pubsub.patterns)
    yield "pubsubshard_channels", len(server.pubsub.shard_channels)
    yield "latest_fork_usec", 0
    yield "total_forks", 0
    yield "migrate_cached_sockets", 0
    yield "slave_expires_tracked_keys", 0
    for name in ("hits", "misses", "key_hits", "key_misses"):
        yield f"active_defrag_{name}", 0
    yield "tracking_total_keys", server.tracking.keys
    yield "tracking_total_items", server.tracking.items
    yield "tracking_total_prefixes", server.tracking.prefixes
    yield "unexpected_error_replies", statistics.unexpected_errors
    yield "total_error_replies", statistics.error_replies
    yield "total_reads_processed", frontend.reads
    yield "total_writes_processed", frontend.writes
    yield "io_threaded_reads_processed", 0
    yield "io_threaded_writes_processed", 0
    yield "client_query_buffer_limit_disconnections", statistics.dropped_for_query
    yield "client_output_buffer_limit_disconnections", statistics.dropped_for_output
    for reason, count in server.access.denials.items():
        yield f"acl_access_denied_{'cmd' if reason == 'command' else reason}", count
    yield "shmcache_read_retries", arena.retries


def _replication_section(server: Server) -> _Fields:
    yield "role", "master"
    yield "connected_slaves", 0
    yield "master_failover_state", "no-failover"
    yield "master_replid", server.replication_id
    yield "master_replid2", "0" * 40
    yield "master_repl_offset", 0
    yield "second_repl_offset", -1
    yield "repl_backlog_active", 0
    yield "repl_backlog_size", server.config.integer("repl-backlog-size")
    yield "repl_backlog_first_byte_offset", 0
    yield "repl_backlog_histlen", 0


def _cpu_section(_server: Server) -> _Fields:
    for who, suffix in (
        (resource.RUSAGE_SELF, ""),
        (resource.RUSAGE_CHILDREN, "_children"),
        (resource.RUSAGE_THREAD, "_main_thread"),
    ):
        usage = resource.getrusage(who)
        yield f"used_cpu_sys{suffix}", f"{usage.ru_stime:.6f}"
        yield f"used_cpu_user{suffix}", f"{usage.ru_utime:.6f}"


def _modules_section(server: Server) -> _Fields:
    for loaded in server.modules:
        yield (
            "module",
            f"name={loaded.name},ver={loaded.version},api={MODULE_API},filters=0,usedby=[],"
            "using=[],options=[]",
        )


def _commandstats_section(server: Server) -> _Fields:
    for name, stats in server.statistics.commands.items():
        if stats.calls or stats.rejected or stats.failed:
            each_us = stats.nanoseconds / 1000 / stats.calls if stats.calls else 0.0
            yield (
                f"cmdstat_{name}",
                f"calls={stats.calls},usec={stats.nanoseconds // 1000},"
                f"usec_per_call={each_us:.2f},"
                f"rejected_calls={stats.rejected},failed_calls={stats.failed}",
            )


def _errorstats_section(server: Server) -> _Fields:
    for code, count in server.statistics.errors.items():
        yield f"errorstat_{code}", f"count={count}"


def _latencystats_section(server: Server) -> _Fields:
    if not server.settings.tracks_latency:
        return
    percentiles = server.config.value("latency-tracking-info-percentiles")
    for name, stats in server.statistics.commands.items():
        if stats.calls and percentiles:
            shown = (f"p{each:.10g}={stats.percentile_us(each):.3f}" for each in percentiles)
            yield f"latency_percentiles_usec_{name}", ",".join(shown)


def _cluster_section(_server: Server) -> _Fields:
    yield "cluster_enabled", 0


def _keyspace_section(server: Server) -> _Fields:
    arena = server.arena
    for db in range(server.settings.databases):
        keys = arena.db_keys(db)
        if keys:
            expires = arena.db_expires(db)
            average = _average_ttl_ms(arena, db) if expires else 0
            yield f"db{db}", f"keys={keys},expires={expires},avg_ttl={average}"


def _average_ttl_ms(arena: Arena, db: int) -> int:
    """The mean time to live of a few random keys that have one."""
    now_ms = time.time_ns() // 1_000_000
    found = []
    for _ in range(_TTL_SAMPLES):
        key = arena.random_key(db)
        described = arena.describe(db, key) if key is not None else None
        if described is not None and described.expire_ms:
            found.append(max(described.expire_ms - now_ms, 0))
    return sum(found) // len(found) if found else 0


_SECTIONS: dict[str, Callable[[Server], _Fields]] = {
    "Server": _server_section,
    "Clients": _clients_section,
    "Memory": _memory_section,
    "Persistence": _persistence_section,
    "Stats": _stats_section,
    "Replication": _replication_section,
    "CPU": _cpu_section,
    "Modules": _modules_section,
    "Commandstats": _commandstats_section,
    "Errorstats": _errorstats_section,
    "Latencystats": _latencystats_section,
    "Cluster": _cluster_section,
    "Keyspace": _keyspace_section,
}
_ALL = frozenset(_SECTIONS)
_GROUPS = {
    "default": _ALL - {"Commandstats", "Latencystats"},
    "all": _ALL,
    "everything": _ALL,
}


def _chosen_sections(words: Sequence[bytes]) -> set[str]:
    chosen: set[str] = set()
    by_lower = {name.lower(): name for name in _SECTIONS}
    for word in words or (b"default",):
        text = word.decode("utf-8", "replace").lower()
        chosen.update(_GROUPS.get(text, ()))
        if text in by_lower:
            chosen.add(by_lower[text])
    return chosen


def _info(client: Client, args: Sequence[bytes]) -> Reply:
    chosen = _chosen_sections(args)
    sections = []
    for name, section in _SECTIONS.items():
        if name in chosen:
            lines = [f"{field}:{value}\r\n" for field, value in section(client.server)]
            sections.append(f"# {name}\r\n" + "".join(lines))
    return Verbatim("\r\n".join(sections))


HANDLERS = {"info": _info}
