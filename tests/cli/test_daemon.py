"""redis-cli and shmcache-cli on the same shmcached: every type, both protocols, every output."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from client.conftest import shared_daemon

from cli.scripted import OURS, run, theirs

if TYPE_CHECKING:
    from client.processes import Daemon

__all__ = ["shared_daemon"]

LINES = rb"""
flushall
set string "a\x00\xff\r\n" ex 1000
get string
get nothing
mset a 1 b 2
mget a nothing b
incrbyfloat a 1.25
hset hash f v "g\"" w
hgetall hash
hmget hash f nothing
hset one f v
hrandfield one -2 withvalues
rpush list a b c d e f g h i j k
lrange list 0 -1
lpop list 2
sadd set m
smembers set
sismember set m
smismember set m n
zadd zset 1 a 2.5 b inf c
zrange zset 0 -1 withscores
zscore zset b
zrank zset b withscore
zmpop 1 zset min
zpopmax zset
xadd stream 1-1 f v g w
xrange stream - +
xread streams stream 0
xinfo stream stream
geoadd geo 13.361389 38.115556 Palermo
geopos geo Palermo nowhere
geosearch geo fromlonlat 13 38 byradius 200 km withcoord withdist
config get maxmemory-s*
command docs get
command info get
object encoding string
client setname me
client getname
select 3
dbsize
select 0
get hash
nosuch
"""


@pytest.mark.parametrize("protocol", ["-2", "-3"])
@pytest.mark.parametrize("output", ["--raw", "--no-raw", "--csv", "--json", "--quoted-json"])
def test_the_same_text(shared_daemon: Daemon, protocol: str, output: str) -> None:
    expected, got = (
        run(program, "-s", shared_daemon.socket_path, protocol, output, stdin=LINES)
        for program in (theirs(), OURS)
    )
    assert expected.out.count(b"\n") > 50 or output.endswith("json") or output == "--csv"
    assert got == expected


def test_the_modes(shared_daemon: Daemon) -> None:
    place = ("--name", shared_daemon.name)
    run(OURS, *place, stdin=LINES)
    keys = run(OURS, *place, "--scan").out
    assert sorted(keys.split()) == sorted(run(OURS, *place, "keys", "*").out.split())
    assert run(theirs(), "-s", shared_daemon.socket_path, "--scan").out == keys
    for mode in ("--bigkeys", "--memkeys"):
        expected = run(theirs(), "-s", shared_daemon.socket_path, mode)
        got = run(OURS, *place, mode)
        assert sorted(got.out.splitlines()) == sorted(expected.out.splitlines())
        assert b"stream" in got.out
    figures = run(OURS, *place, "--stat", "-r", "2", "-i", "0.01").out.splitlines()
    assert figures[2].split()[0] == b"%d" % len(keys.split())
    assert run(OURS, *place, "--pipe", stdin=b"set piped 1\r\n").out.endswith(
        b"errors: 0, replies: 1\n"
    )
    assert run(OURS, *place, "--latency", "-i", "0.05", "--csv").out.count(b",") == 3
