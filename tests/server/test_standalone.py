"""What a server without replicas and without a cluster answers, byte for byte as redis-server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from server.wire import request
from shmcache.commands.table_cluster import COMMANDS as CLUSTER_COMMANDS
from shmcache.server.version import REDIS_VERSION

if TYPE_CHECKING:
    from server.processes import FrontEnd, RedisServer
    from server.wire import Wire

LINES = (
    *("REPLICAOF NO ONE", "SLAVEOF no one", "REPLICAOF a b", "REPLICAOF a 70000", "REPLICAOF a"),
    *("ROLE", "ROLE x", "FAILOVER", "FAILOVER ABORT", "FAILOVER ABORT ABORT", "FAILOVER BOGUS"),
    *("FAILOVER TO a 1", "FAILOVER TO a x", "FAILOVER TO a", "FAILOVER TO a 1 FORCE TIMEOUT 5"),
    *("FAILOVER TIMEOUT 0", "FAILOVER TIMEOUT x", "FAILOVER TIMEOUT 5 TIMEOUT 6"),
    *("FAILOVER ABORT TIMEOUT 5", "FAILOVER TO a 1 TO b 2", "FAILOVER FORCE"),
    *("REPLCONF", "REPLCONF x", "REPLCONF a b", "REPLCONF listening-port 1 capa eof"),
    *("REPLCONF listening-port x", "REPLCONF rdb-only 2", "REPLCONF rdb-filter-only x"),
    *("REPLCONF rdb-filter-only functions", "REPLCONF ip-address " + 300 * "1", "PSYNC", "SYNC x"),
    *("READONLY", "READWRITE", "ASKING", "READONLY x", "CLUSTER", "CLUSTER BOGUS"),
    *("CLUSTER KEYSLOT", "LOLWUT VERSION x"),
    *("SLOWLOG", "SLOWLOG BOGUS", "SLOWLOG GET x", "SLOWLOG GET -2", "SLOWLOG GET 1 2"),
    *("SLOWLOG RESET", "SLOWLOG LEN", "SLOWLOG GET", "SLOWLOG LEN x"),
    *("LATENCY", "LATENCY BOGUS", "LATENCY LATEST", "LATENCY LATEST x", "LATENCY HISTORY x"),
    *("LATENCY GRAPH x", "LATENCY GRAPH", "LATENCY RESET", "LATENCY RESET x", "MONITOR x"),
    *("LATENCY HISTOGRAM nosuch", "WAIT 0 0", "WAIT -1 0", "WAIT x 1", "WAIT 0 -1", "WAIT 1 x"),
    *("WAIT 0 1.5", "WAIT 1 10", "MULTI", "WAIT 1 0", "EXEC"),
)
CLUSTER_LINES = tuple(
    " ".join([*part.name.split("|"), *"123456789"[: abs(part.arity) - 2]])
    for command in CLUSTER_COMMANDS
    for part in command.subcommands.values()
)


@pytest.mark.parametrize("resp", [2, 3])
def test_answers_are_redis_own(front_end: FrontEnd, redis_server: RedisServer, resp: int) -> None:
    with front_end.connect(resp=resp) as ours, redis_server.connect(resp=resp) as theirs:
        for line in LINES + CLUSTER_LINES:
            assert ours.run(*line.split()) == theirs.run(*line.split()), line


def test_nothing_is_replicated(client: Wire) -> None:
    for line in ("REPLICAOF localhost 6379", "PSYNC ? -1", "SYNC"):
        assert b"has no replication\r\n" in client.run(*line.split())
    assert client.run("PING") == b"+PONG\r\n"


def test_a_replica_s_acknowledgement_is_not_answered(client: Wire) -> None:
    client.send(b"*3\r\n$8\r\nREPLCONF\r\n$3\r\nACK\r\n$1\r\n0\r\n")
    assert client.run("PING") == b"+PONG\r\n"


def test_lolwut_draws(client: Wire) -> None:
    assert client.text("LOLWUT", "VERSION", "9", "x") == f"Redis ver. {REDIS_VERSION}\n"
    picture = client.text("LOLWUT", "VERSION", "1", "30", "5")
    assert [len(line) for line in picture.splitlines()[:5]] == [32] * 5
    assert picture.rstrip().splitlines()[-1].count("Redis ver. ") == 1
    assert len(client.text("LOLWUT", "1000000000", "1000000000")) < 50_000
    assert len(client.text("LOLWUT").splitlines()) == 20
    assert client.text("LOLWUT", "VERSION", "9", "x") == f"Redis ver. {REDIS_VERSION}\n"


def test_waitaof(client: Wire) -> None:
    """As the documentation of 7.2 has it: https://redis.io/docs/latest/commands/waitaof/."""
    for line, reply in (
        ("0 0 0", "*2\r\n:0\r\n:0"),
        ("0 1 5", "*2\r\n:0\r\n:0"),
        ("2 0 0", "-ERR value is out of range, value must between 0 and 1"),
        ("0 -1 0", "-ERR value is out of range, must be positive"),
        ("x 0 0", "-ERR value is not an integer or out of range"),
        ("0 0 -5", "-ERR timeout is negative"),
        ("0 0 x", "-ERR timeout is not an integer or out of range"),
        ("1 0 0", "-ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled."),
        ("1 0 -5", "-ERR timeout is negative"),
    ):
        assert client.run("WAITAOF", *line.split()) == f"{reply}\r\n".encode(), line


@pytest.mark.parametrize("how", ["TIMEOUT", "ERROR"])
def test_wait_for_ever(front_end: FrontEnd, redis_server: RedisServer, how: str) -> None:
    """Until somebody ends it; what was sent behind it waits, too."""
    received = []
    for server in (front_end, redis_server):
        with server.connect() as waiting, server.connect() as other:
            number = waiting.run("CLIENT", "ID")[1:-2]
            waiting.send(request("WAIT", "1", "0") + request("PING"))
            while other.run("CLIENT", "UNBLOCK", number, how) != b":1\r\n":
                pass
            received.append([waiting.reply(), waiting.reply()])
            waiting.send(request("WAIT", "1", "0"))  # and it may vanish meanwhile
    assert received[0] == received[1]
