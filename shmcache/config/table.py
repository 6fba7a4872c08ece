"""Every option, declared once: name, kind, default, when it may change, whether it does something.

All options of Redis 7.0 are here, and of 7.2's those that matter, under Redis's names and with
Redis's limits. Those that mean
nothing to a cache in shared memory are accepted, checked, shown and rewritten like the others.
"""

from __future__ import annotations

import enum
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from shmcache.config.kinds import (
    INT_MAX,
    LONG_MAX,
    Boolean,
    Choice,
    Frequency,
    Integer,
    Kind,
    Memory,
    MemoryOrPercent,
    Octal,
    Text,
)
from shmcache.config.lists import (
    BufferLimit,
    BufferLimits,
    Directives,
    Endpoint,
    Flags,
    KeyspaceEvents,
    Numbers,
    Percentiles,
    SavePoints,
    Words,
)

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "MODULE_OPTIONS",
    "OPTIONS",
    "Change",
    "Option",
    "add_option",
    "find_directive",
    "find_option",
    "remove_option",
]


class Change(enum.Enum):
    """When an option can get another value."""

    LIVE = "live"
    """At any time: CONFIG SET, SIGHUP."""
    PROTECTED = "protected"
    """As LIVE, by CONFIG SET only if ``enable-protected-configs`` allows it."""
    RESTART = "restart"
    """When the daemon starts."""


class Option(NamedTuple):
    """One option's declaration."""

    name: str
    kind: Kind
    default: Any
    change: Change
    alias: str = ""
    """The name it had before: accepted everywhere, and shown by CONFIG GET."""
    used: bool = True
    """False: accepted for the sake of existing files, and without any effect here."""
    hidden: bool = False
    """CONFIG GET shows it only when asked by its exact name, or, for directives, never."""


LIVE: Final = Change.LIVE
PROTECTED: Final = Change.PROTECTED
RESTART: Final = Change.RESTART
UINT_MAX: Final = 2**32 - 1
ULONG_MAX: Final = 2**64 - 1

MODULE_OPTIONS: Final = "module-options"
"""The lines ``MODULE.OPTION value``, by the whole name."""

_BOOLEAN: Final = Boolean()
_COUNT: Final = Integer(0, INT_MAX)
_LONG: Final = Integer(0, LONG_MAX)
_PORT: Final = Integer(0, 65535)
_MEMORY: Final = Memory()
_TEXT: Final = Text()
_SHUTDOWN: Final = Flags(
    "default",
    "save",
    "nosave",
    "now",
    "force",
    exclusive=("save", "nosave", "shutdown options SAVE and NOSAVE can't be used simultaneously"),
)
_OOM_SCORES: Final = Numbers(
    3, 2000, "Invalid oom-score-adj-values, elements must be between -2000 and 2000."
)
_BUFFER_LIMITS: Final = (
    BufferLimit(0, 0, 0),
    BufferLimit(256 << 20, 64 << 20, 60),
    BufferLimit(32 << 20, 8 << 20, 60),
)
_POLICIES: Final = (
    "volatile-lru",
    "volatile-lfu",
    "volatile-random",
    "volatile-ttl",
    "allkeys-lru",
    "allkeys-lfu",
    "allkeys-random",
    "noeviction",
)
_TITLE_FIELDS: Final = frozenset(
    ("title", "listen-addr", "server-mode", "port", "tls-port", "unixsocket", "config-file")
)
_HOSTNAME: Final = re.compile(r"[A-Za-z0-9.-]{0,255}", re.ASCII)


def _check_directory(text: str) -> None:
    try:
        directory = Path(text).is_dir()
        exists = bool(text) and Path(text).exists()
    except OSError as error:
        raise ValueError(error.strerror) from error
    if not exists:
        raise ValueError("No such file or directory")
    if not directory:
        raise ValueError("Not a directory")


def _check_hostname(text: str) -> None:
    if len(text) > 255:
        raise ValueError("Hostnames must be less than 256 characters")
    if not _HOSTNAME.fullmatch(text):
        raise ValueError("Hostnames may only contain alphanumeric characters, hyphens or dots")


def _check_title(text: str) -> None:
    fields = re.findall(r"\{([^{}]*)\}", text)
    braces = text.count("{") + text.count("}")
    if not text or braces != 2 * len(fields) or not set(fields) <= _TITLE_FIELDS:
        raise ValueError("template format is invalid or contains unknown variables")


def _file_name(option: str, what: str, *, empty: bool = True) -> Callable[[str], None]:
    """Return a check for a file's name without directories."""

    def check(text: str) -> None:
        if not text and not empty:
            raise ValueError(f"{option} can't be empty")
        if "/" in text:
            raise ValueError(f"{option} can't be a path, just a {what}")

    return check


def _unused(
    name: str, kind: Kind, default: Any, change: Change, alias: str = "", *, hidden: bool = False
) -> Option:
    return Option(name, kind, default, change, alias, used=False, hidden=hidden)


# What the daemon acts upon. `name` and `shm-*` are additions to Redis's; `maxmemory`, `port`,
# `bind` and `databases` differ from it in default, limit or in when they may change.
_USED: Final = (
    Option("acl-pubsub-default", Choice("allchannels", "resetchannels"), "resetchannels", LIVE),
    Option("aclfile", _TEXT, "", RESTART),
    Option("acllog-max-len", _LONG, 128, LIVE),
    Option("active-expire-effort", Integer(1, 10), 1, LIVE),
    Option("bind", Words(), ("127.0.0.1", "-::1"), RESTART),
    Option("busy-reply-threshold", _LONG, 5000, LIVE, alias="lua-time-limit"),
    Option("client-output-buffer-limit", BufferLimits(), _BUFFER_LIMITS, LIVE),
    Option("client-query-buffer-limit", Memory(1 << 20), 1 << 30, LIVE),
    Option("daemonize", _BOOLEAN, False, RESTART),
    Option("databases", Integer(1, 16), 16, RESTART),
    Option("debug-active-expire", _BOOLEAN, True, LIVE, hidden=True),
    Option("dir", Text(_check_directory), ".", PROTECTED),
    Option("enable-debug-command", Choice("no", "yes", "local"), "no", RESTART),
    Option("enable-module-command", Choice("no", "yes", "local"), "no", RESTART),
    Option("enable-protected-configs", Choice("no", "yes", "local"), "no", RESTART),
    Option("hash-max-listpack-entries", _LONG, 512, LIVE, alias="hash-max-ziplist-entries"),
    Option("hash-max-listpack-value", _MEMORY, 64, LIVE, alias="hash-max-ziplist-value"),
    Option("hll-sparse-max-bytes", _MEMORY, 3000, LIVE),
    Option("hz", Frequency(), 10, LIVE),
    Option("latency-monitor-threshold", _LONG, 0, LIVE),
    Option("latency-tracking", _BOOLEAN, True, LIVE),
    Option("latency-tracking-info-percentiles", Percentiles(), (50.0, 99.0, 99.9), LIVE),
    Option("lfu-decay-time", _COUNT, 1, LIVE),
    Option("lfu-log-factor", _COUNT, 10, LIVE),
    Option(
        "list-max-listpack-size",
        Integer(-INT_MAX - 1, INT_MAX),
        -2,
        LIVE,
        alias="list-max-ziplist-size",
    ),
    Option("loadmodule", Directives(1), (), RESTART, hidden=True),
    Option("logfile", _TEXT, "", RESTART),
    Option("loglevel", Choice("debug", "verbose", "notice", "warning"), "notice", LIVE),
    Option("maxclients", Integer(1, UINT_MAX), 10000, LIVE),
    Option("maxmemory", Memory(0, ULONG_MAX), 256 << 20, LIVE),
    Option("maxmemory-clients", MemoryOrPercent(), 0, LIVE),
    Option("maxmemory-policy", Choice(*_POLICIES), "noeviction", LIVE),
    Option("maxmemory-samples", Integer(1, INT_MAX), 5, LIVE),
    Option(MODULE_OPTIONS, Directives(2), (), RESTART, hidden=True),
    Option("name", _TEXT, "default", RESTART),
    Option("notify-keyspace-events", KeyspaceEvents(), "", LIVE),
    Option("pidfile", _TEXT, "", RESTART),
    Option("port", _PORT, 0, RESTART),
    Option("protected-mode", _BOOLEAN, True, LIVE),
    Option("proto-max-bulk-len", Memory(1 << 20), 512 << 20, LIVE),
    Option("rename-command", Directives(2, 2), (), RESTART, hidden=True),
    Option("requirepass", _TEXT, "", LIVE),
    Option("set-max-intset-entries", _LONG, 512, LIVE),
    Option("set-max-listpack-entries", _LONG, 128, LIVE),
    Option("set-max-listpack-value", _MEMORY, 64, LIVE),
    Option("shm-group", _TEXT, "", RESTART),
    Option("shm-keep", _BOOLEAN, True, LIVE),
    Option("shm-mode", Octal(digits=4), 0o640, RESTART),
    Option("shutdown-timeout", _COUNT, 10, LIVE),
    Option("slowlog-log-slower-than", Integer(-1, LONG_MAX), 10000, LIVE),
    Option("slowlog-max-len", _LONG, 128, LIVE),
    Option("supervised", Choice("upstart", "systemd", "auto", "no"), "no", RESTART),
    Option("tcp-backlog", _COUNT, 511, RESTART),
    Option("tcp-keepalive", _COUNT, 300, LIVE),
    Option("timeout", _COUNT, 0, LIVE),
    Option("tls-auth-clients", Choice("no", "yes", "optional"), "yes", LIVE),
    Option("tls-ca-cert-dir", _TEXT, "", LIVE),
    Option("tls-ca-cert-file", _TEXT, "", LIVE),
    Option("tls-cert-file", _TEXT, "", LIVE),
    Option("tls-ciphers", _TEXT, "", LIVE),
    Option("tls-ciphersuites", _TEXT, "", LIVE),
    Option("tls-dh-params-file", _TEXT, "", LIVE),
    Option("tls-key-file", _TEXT, "", LIVE),
    Option("tls-key-file-pass", _TEXT, "", LIVE),
    Option("tls-port", _PORT, 0, RESTART),
    Option("tls-prefer-server-ciphers", _BOOLEAN, False, LIVE),
    Option("tls-protocols", _TEXT, "", LIVE),
    Option("tls-session-caching", _BOOLEAN, True, LIVE),
    Option("tracking-table-max-keys", _LONG, 1000000, LIVE),
    Option("unixsocket", _TEXT, "", RESTART),
    Option("unixsocketperm", Octal(), 0, RESTART),
    Option("user", Directives(1), (), LIVE, hidden=True),
    Option("zset-max-listpack-entries", _LONG, 128, LIVE, alias="zset-max-ziplist-entries"),
    Option("zset-max-listpack-value", _MEMORY, 64, LIVE, alias="zset-max-ziplist-value"),
)

# What a file may hold without any effect here.
_UNUSED: Final = (
    _unused("active-defrag-cycle-max", Integer(1, 99), 25, LIVE),
    _unused("active-defrag-cycle-min", Integer(1, 99), 1, LIVE),
    _unused("active-defrag-ignore-bytes", Memory(1), 100 << 20, LIVE),
    _unused("active-defrag-max-scan-fields", Integer(1, LONG_MAX), 1000, LIVE),
    _unused("active-defrag-threshold-lower", Integer(0, 1000), 10, LIVE),
    _unused("active-defrag-threshold-upper", Integer(0, 1000), 100, LIVE),
    _unused("activedefrag", _BOOLEAN, False, LIVE),
    _unused("activerehashing", _BOOLEAN, True, LIVE),
    _unused("always-show-logo", _BOOLEAN, False, RESTART),
    _unused("aof-disable-auto-gc", _BOOLEAN, False, LIVE),
    _unused("aof-load-truncated", _BOOLEAN, True, LIVE),
    _unused("aof-rewrite-incremental-fsync", _BOOLEAN, True, LIVE),
    _unused("aof-timestamp-enabled", _BOOLEAN, False, LIVE),
    _unused("aof-use-rdb-preamble", _BOOLEAN, True, LIVE),
    _unused("aof_rewrite_cpulist", _TEXT, "", RESTART),
    _unused(
        "appenddirname",
        Text(_file_name("appenddirname", "dirname", empty=False)),
        "appendonlydir",
        RESTART,
    ),
    _unused(
        "appendfilename",
        Text(_file_name("appendfilename", "filename", empty=False)),
        "appendonly.aof",
        RESTART,
    ),
    _unused("appendfsync", Choice("everysec", "always", "no"), "everysec", LIVE),
    _unused("appendonly", _BOOLEAN, False, LIVE),
    _unused("auto-aof-rewrite-min-size", _MEMORY, 64 << 20, LIVE),
    _unused("auto-aof-rewrite-percentage", _COUNT, 100, LIVE),
    _unused("bgsave_cpulist", _TEXT, "", RESTART),
    _unused("bind-source-addr", _TEXT, "", LIVE),
    _unused("bio_cpulist", _TEXT, "", RESTART),
    _unused("cluster-allow-pubsubshard-when-down", _BOOLEAN, True, LIVE),
    _unused("cluster-allow-reads-when-down", _BOOLEAN, False, LIVE),
    _unused("cluster-allow-replica-migration", _BOOLEAN, True, LIVE),
    _unused("cluster-announce-bus-port", _PORT, 0, LIVE),
    _unused("cluster-announce-hostname", Text(_check_hostname), "", LIVE),
    _unused("cluster-announce-ip", _TEXT, "", LIVE),
    _unused("cluster-announce-port", _PORT, 0, LIVE),
    _unused("cluster-announce-tls-port", _PORT, 0, LIVE),
    _unused("cluster-config-file", _TEXT, "nodes.conf", RESTART),
    _unused("cluster-enabled", _BOOLEAN, False, RESTART),
    _unused("cluster-link-sendbuf-limit", _MEMORY, 0, LIVE),
    _unused("cluster-migration-barrier", _COUNT, 1, LIVE),
    _unused("cluster-node-timeout", _LONG, 15000, LIVE),
    _unused("cluster-port", _PORT, 0, RESTART),
    _unused(
        "cluster-preferred-endpoint-type", Choice("ip", "hostname", "unknown-endpoint"), "ip", LIVE
    ),
    _unused(
        "cluster-replica-no-failover", _BOOLEAN, False, LIVE, alias="cluster-slave-no-failover"
    ),
    _unused(
        "cluster-replica-validity-factor", _COUNT, 10, LIVE, alias="cluster-slave-validity-factor"
    ),
    _unused("cluster-require-full-coverage", _BOOLEAN, True, LIVE),
    _unused("crash-log-enabled", _BOOLEAN, True, LIVE),
    _unused("crash-memcheck-enabled", _BOOLEAN, True, LIVE),
    _unused("dbfilename", Text(_file_name("dbfilename", "filename")), "dump.rdb", PROTECTED),
    _unused("disable-thp", _BOOLEAN, True, RESTART),
    _unused("dynamic-hz", _BOOLEAN, True, LIVE),
    _unused("ignore-warnings", _TEXT, "", LIVE),
    _unused("io-threads", Integer(1, 128), 1, RESTART),
    _unused("io-threads-do-reads", _BOOLEAN, False, RESTART),
    _unused("jemalloc-bg-thread", _BOOLEAN, True, LIVE),
    _unused("key-load-delay", Integer(-INT_MAX - 1, INT_MAX), 0, LIVE, hidden=True),
    _unused("lazyfree-lazy-eviction", _BOOLEAN, False, LIVE),
    _unused("lazyfree-lazy-expire", _BOOLEAN, False, LIVE),
    _unused("lazyfree-lazy-server-del", _BOOLEAN, False, LIVE),
    _unused("lazyfree-lazy-user-del", _BOOLEAN, False, LIVE),
    _unused("lazyfree-lazy-user-flush", _BOOLEAN, False, LIVE),
    _unused("list-compress-depth", _COUNT, 0, LIVE),
    _unused("list-max-ziplist-entries", Directives(1, 1), (), RESTART, hidden=True),
    _unused("list-max-ziplist-value", Directives(1, 1), (), RESTART, hidden=True),
    _unused("masterauth", _TEXT, "", LIVE),
    _unused("masteruser", _TEXT, "", LIVE),
    _unused("maxmemory-eviction-tenacity", Integer(0, 100), 10, LIVE),
    _unused("min-replicas-max-lag", _COUNT, 10, LIVE, alias="min-slaves-max-lag"),
    _unused("min-replicas-to-write", _COUNT, 0, LIVE, alias="min-slaves-to-write"),
    _unused("no-appendfsync-on-rewrite", _BOOLEAN, False, LIVE),
    _unused("oom-score-adj", Choice("no", "yes", "relative", "absolute"), "no", LIVE),
    _unused("oom-score-adj-values", _OOM_SCORES, (0, 200, 800), LIVE),
    _unused("proc-title-template", Text(_check_title), "{title} {listen-addr} {server-mode}", LIVE),
    _unused(
        "propagation-error-behavior", Choice("ignore", "panic", "panic-on-replicas"), "ignore", LIVE
    ),
    _unused("rdb-del-sync-files", _BOOLEAN, False, LIVE),
    _unused("rdb-key-save-delay", Integer(-INT_MAX - 1, INT_MAX), 0, LIVE, hidden=True),
    _unused("rdb-save-incremental-fsync", _BOOLEAN, True, LIVE),
    _unused("rdbchecksum", _BOOLEAN, True, RESTART),
    _unused("rdbcompression", _BOOLEAN, True, LIVE),
    _unused("repl-backlog-size", Memory(1), 1 << 20, LIVE),
    _unused("repl-backlog-ttl", _LONG, 3600, LIVE),
    _unused("repl-disable-tcp-nodelay", _BOOLEAN, False, LIVE),
    _unused("repl-diskless-load", Choice("disabled", "on-empty-db", "swapdb"), "disabled", LIVE),
    _unused("repl-diskless-sync", _BOOLEAN, True, LIVE),
    _unused("repl-diskless-sync-delay", _COUNT, 5, LIVE),
    _unused("repl-diskless-sync-max-replicas", _COUNT, 0, LIVE),
    _unused(
        "repl-ping-replica-period", Integer(1, INT_MAX), 10, LIVE, alias="repl-ping-slave-period"
    ),
    _unused("repl-timeout", Integer(1, INT_MAX), 60, LIVE),
    _unused("replica-announce-ip", _TEXT, "", LIVE, alias="slave-announce-ip"),
    _unused("replica-announce-port", _PORT, 0, LIVE, alias="slave-announce-port"),
    _unused("replica-announced", _BOOLEAN, True, LIVE),
    _unused("replica-ignore-disk-write-errors", _BOOLEAN, False, LIVE),
    _unused("replica-ignore-maxmemory", _BOOLEAN, True, LIVE, alias="slave-ignore-maxmemory"),
    _unused("replica-lazy-flush", _BOOLEAN, False, LIVE, alias="slave-lazy-flush"),
    _unused("replica-priority", _COUNT, 100, LIVE, alias="slave-priority"),
    _unused("replica-read-only", _BOOLEAN, True, LIVE, alias="slave-read-only"),
    _unused("replica-serve-stale-data", _BOOLEAN, True, LIVE, alias="slave-serve-stale-data"),
    _unused("replicaof", Endpoint(), None, RESTART, alias="slaveof"),
    _unused("sanitize-dump-payload", Choice("no", "yes", "clients"), "no", LIVE),
    _unused("save", SavePoints(), ((3600, 1), (300, 100), (60, 10000)), LIVE),
    _unused("server_cpulist", _TEXT, "", RESTART),
    _unused("set-proc-title", _BOOLEAN, True, RESTART),
    _unused("shutdown-on-sigint", _SHUTDOWN, (), LIVE),
    _unused("shutdown-on-sigterm", _SHUTDOWN, (), LIVE),
    _unused("socket-mark-id", Integer(0, UINT_MAX), 0, RESTART),
    _unused("stop-writes-on-bgsave-error", _BOOLEAN, True, LIVE),
    _unused("stream-node-max-bytes", _MEMORY, 4096, LIVE),
    _unused("stream-node-max-entries", _LONG, 100, LIVE),
    _unused("syslog-enabled", _BOOLEAN, False, RESTART),
    _unused(
        "syslog-facility",
        Choice("user", *(f"local{number}" for number in range(8))),
        "local0",
        RESTART,
    ),
    _unused("syslog-ident", _TEXT, "redis", RESTART),
    _unused("tls-client-cert-file", _TEXT, "", LIVE),
    _unused("tls-client-key-file", _TEXT, "", LIVE),
    _unused("tls-client-key-file-pass", _TEXT, "", LIVE),
    _unused("tls-cluster", _BOOLEAN, False, LIVE),
    _unused("tls-replication", _BOOLEAN, False, LIVE),
    _unused("tls-session-cache-size", _COUNT, 20480, LIVE),
    _unused("tls-session-cache-timeout", _COUNT, 300, LIVE),
    _unused("use-exit-on-panic", _BOOLEAN, False, LIVE, hidden=True),
)

OPTIONS: Final[dict[str, Option]] = {option.name: option for option in (*_USED, *_UNUSED)}
"""By name."""

_ALIASES: Final = {option.alias: option for option in OPTIONS.values() if option.alias}


def find_option(name: str) -> Option | None:
    """Return the option of that name or alias, in any case; None if there is none."""
    lowered = name.lower()
    return OPTIONS.get(lowered) or _ALIASES.get(lowered)


def find_directive(name: str) -> Option | None:
    """Return the option that a line of a configuration file sets; None if it sets none.

    ``MODULE.OPTION`` is one of a module that may not be loaded yet: such lines are collected in
    one option until it is.
    """
    option = find_option(name)
    return OPTIONS[MODULE_OPTIONS] if option is None and "." in name else option


def add_option(option: Option) -> None:
    """Know one more option, a module's."""
    OPTIONS[option.name] = option


def remove_option(name: str) -> None:
    """Know it no longer."""
    del OPTIONS[name]
