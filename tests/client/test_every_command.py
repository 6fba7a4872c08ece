"""Every command that needs nothing but an arena runs in the process that calls it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from differential.right_lines import KEYS, WITH_FUNCTION, right_line

import shmcache
import shmcache.asyncio
from shmcache.commands.table import COMMANDS

if TYPE_CHECKING:
    from client.processes import Daemon, Segments

NEEDS_LFU = {"object|freq"}


def _flags(name: str) -> tuple[str, ...]:
    container, _, subcommand = name.partition("|")
    command = COMMANDS[container]
    return (command.subcommands[name] if subcommand else command).flags


READS = [name for name in WITH_FUNCTION if "readonly" in _flags(name)]
WAITING = {name for name in WITH_FUNCTION if "blocking" in _flags(name)} - {"xread", "xreadgroup"}
WRITES = [name for name in WITH_FUNCTION if "write" in _flags(name) and name not in WAITING]
EXPECTED_READS = """
    bitcount bitfield_ro bitpos dbsize dump exists expiretime geodist geohash geopos georadius_ro
    georadiusbymember_ro geosearch get getbit getrange hexists hexpiretime hget hgetall hkeys hlen
    hmget hpexpiretime hpttl hrandfield hscan hstrlen httl hvals keys lcs lindex llen lpos lrange
    memory|usage mget object|encoding object|idletime object|refcount pexpiretime pttl randomkey
    scan scard sdiff sinter sintercard sismember smembers smismember sort_ro srandmember sscan
    strlen substr sunion touch ttl type xinfo|consumers xinfo|groups xinfo|stream xlen xpending
    xrange xread xrevrange zcard zcount zdiff zinter zintercard zlexcount zmscore zrandmember
    zrange zrangebylex zrangebyscore zrank zrevrange zrevrangebylex zrevrangebyscore zrevrank zscan
    zscore zunion
"""
"""All that only read, of every type. PFCOUNT keeps its estimate in the key, so it is a write."""


def run(client: Any, name: str) -> Any:
    first, *rest = right_line(name)
    if "|" in name:
        return client.execute_command(f"{first.decode()} {rest[0].decode()}", *rest[1:])
    return client.execute_command(first.decode(), *rest)


def fill(client: Any) -> None:
    client.flushall()
    for line in KEYS:
        client.execute_command(*line.split())


def travelled(daemon: Daemon) -> int:
    """How many commands the daemon was sent; asking is one of them."""
    with daemon.connect() as plain:
        return int(plain.info("stats")["total_commands_processed"])


def test_the_list_of_reads_is_whole() -> None:
    missing = set(EXPECTED_READS.split()) - set(READS)
    assert missing == set()


@pytest.mark.parametrize("writable", [False, True])
def test_reads_are_not_sent(daemon: Daemon, writable: bool) -> None:
    fill(shmcache.attach(daemon.name, writable=True))
    client = shmcache.attach(daemon.name, writable=writable)
    overhead = travelled(daemon) - travelled(daemon)
    before = travelled(daemon)
    for name in READS:
        if name not in NEEDS_LFU:
            run(client, name)
    assert travelled(daemon) - before == -overhead


@pytest.mark.parametrize("writable", [False, True])
def test_reads_in_asyncio_are_not_sent(daemon: Daemon, writable: bool) -> None:
    fill(shmcache.attach(daemon.name, writable=True))

    async def read_all() -> int:
        async with shmcache.asyncio.attach(daemon.name, writable=writable) as client:
            before = travelled(daemon)
            for name in READS:
                if name not in NEEDS_LFU:
                    await run(client, name)
            return travelled(daemon) - before

    overhead = travelled(daemon) - travelled(daemon)
    assert asyncio.run(read_all()) == -overhead


def test_writes_of_a_writer_are_not_sent(daemon: Daemon) -> None:
    client = shmcache.attach(daemon.name, writable=True)
    overhead = travelled(daemon) - travelled(daemon)
    before = travelled(daemon)
    for name in WRITES:
        fill(client)
        run(client, name)
    assert travelled(daemon) - before == -overhead


@pytest.mark.parametrize("name", READS)
def test_reads_need_no_daemon(segments: Segments, name: str) -> None:
    fill(shmcache.attach(segments.name, writable=True))
    if name not in NEEDS_LFU:
        run(shmcache.attach(segments.name), name)


@pytest.mark.parametrize("name", WRITES)
def test_a_reader_without_a_daemon_cannot_write(segments: Segments, name: str) -> None:
    fill(shmcache.attach(segments.name, writable=True))
    with pytest.raises(shmcache.ReadOnly):
        run(shmcache.attach(segments.name), name)
