"""CLIENT, CONFIG, MEMORY, OBJECT, SHUTDOWN: right and wrong lines, answered as by redis-server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from server.processes import FrontEnd, RedisServer

CLIENTS = (
    *(
        "CLIENT",
        "CLIENT BOGUS",
        "CLIENT KILL",
        "CLIENT KILL x",
        "CLIENT KILL ID",
        "CLIENT KILL ID x",
    ),
    *(
        "CLIENT KILL ID 0",
        "CLIENT KILL ID 999999",
        "CLIENT KILL ID 5 ID",
        "CLIENT KILL USER nobody",
    ),
    *("CLIENT KILL TYPE x", "CLIENT KILL TYPE master", "CLIENT KILL TYPE replica SKIPME no"),
    *("CLIENT KILL SKIPME x", "CLIENT KILL ADDR 1.2.3.4:5", "CLIENT KILL ADDR x LADDR"),
    *("CLIENT KILL LADDR 1.2.3.4:5 TYPE normal", "CLIENT LIST x", "CLIENT LIST TYPE"),
    *("CLIENT LIST TYPE x", "CLIENT LIST TYPE master", "CLIENT LIST TYPE slave x"),
    *("CLIENT LIST TYPE replica", "CLIENT LIST ID", "CLIENT LIST ID x", "CLIENT LIST ID 999999"),
    *("CLIENT LIST ID 999999 x", "CLIENT NO-EVICT", "CLIENT NO-EVICT x", "CLIENT NO-EVICT on"),
    *("CLIENT NO-EVICT off", "CLIENT REPLY", "CLIENT REPLY x", "CLIENT REPLY on"),
    *("CLIENT SETNAME", "CLIENT SETNAME a b", "CLIENT GETNAME", "CLIENT ID x", "CLIENT INFO x"),
    *("CLIENT GETREDIR", "CLIENT UNBLOCK", "CLIENT UNBLOCK x", "CLIENT UNBLOCK 999999"),
)
OPTIONS = (
    *(
        "CONFIG",
        "CONFIG BOGUS",
        "CONFIG GET",
        "CONFIG GET nosuch",
        "CONFIG GET hz",
        "CONFIG GET HZ",
    ),
    *("CONFIG GET hz hz", "CONFIG SET", "CONFIG SET hz"),
    *("CONFIG SET nosuch 1", "CONFIG SET hz 10 nosuch 1", "CONFIG SET hz 10 hz 11"),
    *("CONFIG SET hz 20 maxmemory-samples 7", "CONFIG GET hz", "CONFIG GET maxmemory-samples"),
    *("CONFIG SET hz 10 maxmemory-samples x", "CONFIG GET hz", "CONFIG SET hz 10 port"),
    *("CONFIG SET hz 10 maxmemory-samples 5", "CONFIG SET databases 3", "CONFIG RESETSTAT"),
    *("CONFIG RESETSTAT x", "CONFIG REWRITE", "CONFIG REWRITE x", "CONFIG SET maxmemory-clients x"),
    *("CONFIG SET maxmemory-clients 101%", "CONFIG SET maxmemory-clients 50%"),
    *("CONFIG GET maxmemory-clients", "CONFIG SET maxmemory-clients 0"),
    *("CONFIG SET latency-monitor-threshold -1", "CONFIG SET slowlog-log-slower-than -2"),
    *("CONFIG SET slowlog-max-len -1", "CONFIG SET tls-auth-clients maybe"),
    *("CONFIG SET tls-protocols TLSv1.2", "CONFIG GET tls-protocols", "CONFIG SET tls-protocols "),
    *("CONFIG SET enable-debug-command yes",),
)
MEMORY = (
    *("MEMORY", "MEMORY BOGUS", "MEMORY USAGE", "MEMORY USAGE nokey", "MEMORY USAGE s SAMPLES"),
    *("MEMORY USAGE s SAMPLES -1", "MEMORY USAGE s BOGUS 1", "MEMORY USAGE s SAMPLES x"),
    *("MEMORY PURGE", "MEMORY PURGE x", "MEMORY DOCTOR x", "MEMORY STATS x"),
    *("MEMORY MALLOC-STATS x", "OBJECT", "OBJECT BOGUS s", "OBJECT REFCOUNT s", "OBJECT FREQ"),
    *("OBJECT REFCOUNT nokey", "OBJECT ENCODING nokey", "OBJECT IDLETIME nokey"),
    *("OBJECT FREQ nokey", "OBJECT IDLETIME s x", "DBSIZE x", "TIME x", "LOLWUT VERSION x"),
)
SHUTDOWN = (
    *("SHUTDOWN BOGUS", "SHUTDOWN ABORT", "SHUTDOWN SAVE NOSAVE", "SHUTDOWN ABORT NOW"),
    *("SHUTDOWN ABORT SAVE", "SHUTDOWN NOSAVE SAVE FORCE", "SHUTDOWN FORCE ABORT"),
)
POLICIES = (
    *("noeviction", "allkeys-lru", "allkeys-lfu", "allkeys-random"),
    *("volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl"),
)


@pytest.mark.parametrize("resp", [2, 3])
@pytest.mark.parametrize(
    "lines", [CLIENTS, OPTIONS, MEMORY, SHUTDOWN], ids=["clients", "options", "memory", "shutdown"]
)
def test_answers_are_redis_own(
    front_end: FrontEnd, redis_server: RedisServer, resp: int, lines: tuple[str, ...]
) -> None:
    with front_end.connect(resp=resp) as ours, redis_server.connect(resp=resp) as theirs:
        for wire in (ours, theirs):
            wire.run("FLUSHALL")
            wire.run("SET", "s", "text")
        for line in lines:
            words = line.split(" ")
            assert ours.run(*words) == theirs.run(*words), line


@pytest.mark.parametrize("policy", POLICIES)
def test_what_is_known_of_a_key_under_a_policy(
    front_end: FrontEnd, redis_server: RedisServer, policy: str
) -> None:
    with front_end.connect() as ours, redis_server.connect() as theirs:
        replies = []
        for wire in (ours, theirs):
            wire.run("DEL", "s")
            wire.run("CONFIG", "SET", "maxmemory-policy", policy)
            wire.run("SET", "s", "text")
            told = [wire.run("OBJECT", part, "s") for part in ("FREQ", "IDLETIME", "REFCOUNT")]
            wire.run("CONFIG", "SET", "maxmemory-policy", "noeviction")
            replies.append(told)
        assert replies[0] == replies[1]
