"""A right line for every command, and the keys that the lines want."""

from __future__ import annotations

import shlex

from shmcache.commands.table import COMMANDS
from shmcache.persistence.payload import dump_value

KEYS: list[str] = [
    "SET text abc",
    "SET number 12",
    "SET other 1",
    "RPUSH list 3 1 2",
    "SADD set a b c",
    "HSET hash f 1 g 2",
    "ZADD zset 1 a 2 b",
    "GEOADD places 13.361389 38.115556 a 15.087269 37.502669 b",
    "XADD stream 1-1 f v",
    "XADD stream 2-1 f v",
    "XGROUP CREATE stream group 0",
    "XGROUP CREATECONSUMER stream group me",
    "PFADD unique a b c",
]

_OF_ONE_KEY = {
    "text": "dump get getdel strlen bitcount type ttl pttl expiretime pexpiretime persist",
    "number": "incr decr",
    "list": "llen lpop rpop",
    "set": "scard smembers spop srandmember",
    "hash": "hgetall hkeys hvals hlen hrandfield",
    "zset": "zcard zpopmin zpopmax zrandmember",
    "stream": "xlen",
    "unique": "pfcount",
}

_LINES = """
    getex text EX 100; append text x
    getset text x; setnx text x; set text x; mset text x; msetnx new x
    mget text other; setex text 10 x; psetex text 10 x; getrange text 0 -1; substr text 0 -1
    setrange text 0 x; incrby number 1; decrby number 1; incrbyfloat number 1; lcs text other
    del text other; unlink text; exists text other; touch text; rename text other
    renamenx text other; copy text new; move text 1; expire text 100; pexpire text 100000
    expireat text 4102444800; pexpireat text 4102444800000; keys *; scan 0; dbsize; randomkey
    time; flushall; flushdb; swapdb 0 1; command; object|encoding text; object|idletime text
    object|refcount text; object|freq text; memory|usage text; setbit text 1 1; getbit text 1
    bitpos text 1; bitop AND text other; bitfield text SET u8 0 1; bitfield_ro text GET u8 0
    pfadd unique x; pfmerge unique unique; hset hash f 1; hmset hash f 1; hsetnx hash f 1
    hget hash f; hmget hash f g; hdel hash f; hexists hash f; hstrlen hash f; hincrby hash f 1
    hincrbyfloat hash f 1; hscan hash 0; hexpire hash 100 FIELDS 1 f
    hpexpire hash 100000 FIELDS 1 f; hexpireat hash 4102444800 FIELDS 1 f
    hpexpireat hash 4102444800000 FIELDS 1 f; httl hash FIELDS 1 f; hpttl hash FIELDS 1 f
    hexpiretime hash FIELDS 1 f; hpexpiretime hash FIELDS 1 f; hpersist hash FIELDS 1 f
    hgetdel hash FIELDS 1 f; hgetex hash FIELDS 1 f; hsetex hash FIELDS 1 f 1; lpush list x
    rpush list x; lpushx list x; rpushx list x; lindex list 0; lrange list 0 -1
    linsert list BEFORE 1 x; lset list 0 x; lrem list 0 1; ltrim list 0 1; lpos list 1
    lmove list list LEFT RIGHT; rpoplpush list list; lmpop 1 list LEFT; blpop list 1; brpop list 1
    blmove list list LEFT RIGHT 1; brpoplpush list list 1; blmpop 1 1 list LEFT; bzpopmin zset 1
    bzpopmax zset 1; bzmpop 1 1 zset MIN; sort list STORE new
    sort_ro list
    sadd set x; srem set a; sismember set a; smismember set a x; smove set set a; sinter set set
    sintercard 1 set; sinterstore new set; sunion set; sunionstore new set; sdiff set
    sdiffstore new set; sscan set 0; zadd zset 1 a; zincrby zset 1 a; zscore zset a
    zmscore zset a x; zcount zset 0 5; zlexcount zset - +; zrank zset a; zrevrank zset a
    zrange zset 0 -1; zrangestore new zset 0 -1; zrevrange zset 0 -1; zrangebyscore zset 0 5
    zrevrangebyscore zset 5 0; zrangebylex zset - +; zrevrangebylex zset + -; zrem zset a
    zremrangebyrank zset 0 0; zremrangebyscore zset 0 1; zremrangebylex zset - +
    zmpop 1 zset MIN; zunion 1 zset; zunionstore new 1 zset; zinter 1 zset
    zinterstore new 1 zset; zintercard 1 zset; zdiff 1 zset; zdiffstore new 1 zset; zscan zset 0
    geoadd places 1 1 c; geodist places a b; geohash places a; geopos places a
    geosearch places FROMMEMBER a BYRADIUS 500 km
    geosearchstore new places FROMMEMBER a BYRADIUS 500 km; georadius places 15 37 200 km STORE new
    georadius_ro places 15 37 200 km; georadiusbymember places a 200 km STORE new
    georadiusbymember_ro places a 200 km; xadd stream 9-1 f v; xrange stream - +
    xrevrange stream + -; xread STREAMS stream 0; xdel stream 1-1; xtrim stream MAXLEN 1
    xsetid stream 9-9; xreadgroup GROUP group me STREAMS stream 0; xack stream group 1-1
    xpending stream group; xclaim stream group me 0 1-1; xautoclaim stream group me 0 0
    xinfo|stream stream; xinfo|groups stream; xinfo|consumers stream group
    xgroup|create stream other 0; xgroup|setid stream group 0; xgroup|destroy stream group
    xgroup|createconsumer stream group you; xgroup|delconsumer stream group me
"""


def _lines() -> dict[str, list[bytes]]:
    parts = [line for row in _LINES.strip().splitlines() for line in row.split(";")]
    parts += [f"{name} {key}" for key, names in _OF_ONE_KEY.items() for name in names.split()]
    words = (shlex.split(part) for part in parts)
    lines = {
        first: [*(word.encode() for word in first.upper().split("|")), *map(str.encode, rest)]
        for first, *rest in words
    }
    lines["restore"] = [b"RESTORE", b"new", b"0", dump_value(b"abc")]
    return lines


RIGHT_LINES = _lines()
"""By the command's full name."""
WITH_FUNCTION = sorted(
    leaf.name
    for command in COMMANDS.values()
    for leaf in (*command.subcommands.values(), command)
    if leaf.function is not None and not leaf.name.startswith(("pfdebug", "pfselftest"))
)
"""The commands that need nothing but an arena."""


def right_line(name: str) -> list[bytes]:
    if name in RIGHT_LINES:
        return RIGHT_LINES[name]
    assert name.endswith("|help") or name.startswith("command|"), f"no right line for {name}"
    return [word.upper().encode() for word in name.split("|")]
