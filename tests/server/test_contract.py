"""Byte for byte what redis-server answers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from server.wire import request

if TYPE_CHECKING:
    from server.processes import FrontEnd, RedisServer

CONVERSATIONS: dict[str, list[str | list[str]]] = {
    "ping": ["PING", "PING hello", "PING a b", "ping", "ECHO hello", "ECHO", "ECHO a b"],
    "select": [
        "SELECT 3",
        "SET k v",
        "SELECT 0",
        "GET k",
        "SELECT 3",
        "GET k",
        "SELECT 16",
        "SELECT -1",
        "SELECT abc",
        "SELECT 99999999999",
        "SELECT",
        "SELECT 1 2",
        "FLUSHALL",
    ],
    "names": [
        "CLIENT GETNAME",
        "CLIENT SETNAME abc",
        "CLIENT GETNAME",
        ["CLIENT", "SETNAME", "a b"],
        ["CLIENT", "SETNAME", "a\n"],
        ["CLIENT", "SETNAME", "\u00e9"],
        ["CLIENT", "SETNAME", ""],
        "CLIENT GETNAME",
        "CLIENT SETNAME a b",
        "CLIENT GETNAME a",
    ],
    "hello": [
        "HELLO 4",
        "HELLO 1",
        "HELLO abc",
        "HELLO 2 FOO",
        "HELLO 3 AUTH",
        "HELLO 3 AUTH x",
        "HELLO 3 AUTH x y",
        ["HELLO", "3", "SETNAME", "a b"],
        "CLIENT GETNAME",
        "HELLO 3 SETNAME",
    ],
    "auth": ["AUTH x", "AUTH default x", "AUTH other x", "AUTH a b c", "AUTH"],
    "client errors": [
        "CLIENT",
        "CLIENT FOO",
        "CLIENT KILL",
        "CLIENT KILL 1.2.3.4:5",
        "CLIENT KILL ID 0",
        "CLIENT KILL ID abc",
        "CLIENT KILL ID",
        "CLIENT KILL ID 999999",
        "CLIENT KILL TYPE foo",
        "CLIENT KILL TYPE master",
        "CLIENT KILL USER foo",
        "CLIENT KILL SKIPME maybe",
        "CLIENT KILL FOO bar",
        "CLIENT KILL ADDR 1:2 LADDR 3:4 TYPE normal SKIPME yes",
        "CLIENT LIST TYPE foo",
        "CLIENT LIST TYPE replica",
        "CLIENT LIST TYPE",
        "CLIENT LIST ID",
        "CLIENT LIST ID abc",
        "CLIENT LIST ID 999999",
        "CLIENT LIST foo",
        "CLIENT REPLY foo",
        "CLIENT REPLY",
        "CLIENT NO-EVICT foo",
        "CLIENT NO-EVICT on",
        "CLIENT NO-EVICT OFF",
        "CLIENT ID 1",
        "CLIENT INFO 1",
    ],
    "unknown": [
        "FOO",
        "FOO bar",
        ["FOO", "a b", "c'd", "e\r\nf"],
        ["FOO", "x" * 200, "y" * 10],
        ["F" * 200, "y"],
        ["FOO", *["abc"] * 100],
        ["a\r\nb"],
        [""],
        "GET",
        "GET a b",
        "SET a",
        "MGET",
        "MSET a",
        "MSET a b c",
        "INCRBY a",
        "DEL",
        "EXISTS",
        "PUBLISH a",
        "SUBSCRIBE",
        "COMMAND FOO",
    ],
    "config": [
        "CONFIG GET",
        "CONFIG GET nothing",
        "CONFIG GET maxclients",
        "CONFIG GET MAXCLIENTS maxclient?",
        "CONFIG GET slave-priority",
        "CONFIG SET maxclients abc",
        "CONFIG SET maxclients 0",
        "CONFIG SET foo bar",
        "CONFIG SET maxclients",
        "CONFIG SET timeout 1 maxclients",
        "CONFIG SET timeout 1 timeout 2",
        "CONFIG SET timeout 1 foo 2",
        "CONFIG SET timeout 1 maxclients x",
        "CONFIG GET timeout",
        "CONFIG SET protected-mode maybe",
        "CONFIG SET maxmemory-policy sometimes",
        "CONFIG SET proto-max-bulk-len 1kb",
        "CONFIG SET databases 3",
        "CONFIG SET dir /tmp",
        ["CONFIG", "SET", "client-output-buffer-limit", "normal 1"],
        ["CONFIG", "SET", "client-output-buffer-limit", "foo 1 2 3"],
        ["CONFIG", "SET", "client-output-buffer-limit", "normal 1mb 100kb 10"],
        "CONFIG GET client-output-buffer-limit",
        ["CONFIG", "SET", "client-output-buffer-limit", "normal 0 0 0"],
        "CONFIG SET timeout 0",
        "CONFIG FOO",
        "CONFIG REWRITE now",
        "CONFIG RESETSTAT",
    ],
    "shutdown": [
        "SHUTDOWN FOO",
        "SHUTDOWN ABORT",
        "SHUTDOWN SAVE NOSAVE",
        "SHUTDOWN NOSAVE ABORT",
        "SHUTDOWN ABORT ABORT",
    ],
    "info": ["INFO nothing", "INFO modules", "INFO cluster", "INFO Cluster modules CLUSTER"],
    "memory": ["MEMORY PURGE", "MEMORY FOO", "MEMORY DOCTOR x"],
    "pubsub": [
        "PUBSUB CHANNELS",
        "PUBSUB CHANNELS a b",
        "PUBSUB NUMSUB",
        "PUBSUB NUMSUB a b",
        "PUBSUB NUMPAT",
        "PUBSUB NUMPAT x",
        "PUBSUB SHARDCHANNELS",
        "PUBSUB SHARDCHANNELS a b",
        "PUBSUB SHARDNUMSUB a",
        "PUBSUB FOO",
        "PUBLISH a b",
    ],
    "reset": [
        "SELECT 2",
        "CLIENT SETNAME x",
        "RESET",
        "CLIENT GETNAME",
        "SET a 1",
        "SELECT 0",
        "GET a",
        "DEL a",
        "RESET 1",
    ],
    "hot": [
        "SET a 1",
        "GET a",
        "INCR a",
        "DECR a",
        "INCRBY a 41",
        "DECRBY a -8",
        "INCRBY a x",
        "INCRBY a 1.5",
        "INCRBY a +1",
        "INCRBY a 9223372036854775807",
        "DECRBY a -9223372036854775808",
        "INCR b c",
        "SET b text",
        "INCR b",
        "APPEND a x",
        "INCR a",
        "MGET a b c",
        "MSET a 1 a 2 b 3",
        "MGET a b a",
        "EXISTS a",
        "EXISTS a a nothing",
        "DEL a",
        "DEL a b c",
        "UNLINK a",
        "SET a 1 EX 100",
        "TTL a",
        "SET a 1 px 100000",
        "TTL a",
        "SET a 1 EX 0",
        "SET a 1 EX -1",
        "SET a 1 EX x",
        "SET a 1 EX 9223372036854775807",
        "SET a 1 PX 9223372036854775807",
        "SET a 1 EX",
        "SET a 1 FOO 1",
        "SET a 2 XX",
        "SET a 2 NX GET",
        "GET a",
        ["SET", "", ""],
        ["GET", ""],
        ["STRLEN", ""],
        ["MGET", "", "a"],
        ["DEL", "", "a"],
    ],
}


def words_of(command: str | list[str]) -> list[str]:
    return command.split() if isinstance(command, str) else command


@pytest.mark.parametrize("resp", [2, 3])
@pytest.mark.parametrize("name", CONVERSATIONS)
def test_conversation(front_end: FrontEnd, redis_server: RedisServer, name: str, resp: int) -> None:
    with front_end.connect(resp=resp) as ours, redis_server.connect(resp=resp) as theirs:
        for command in CONVERSATIONS[name]:
            words = words_of(command)
            assert (words, ours.run(*words)) == (words, theirs.run(*words))


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_conversation_pipelined(front_end: FrontEnd, redis_server: RedisServer, name: str) -> None:
    stream = b"".join(request(*words_of(command)) for command in CONVERSATIONS[name])
    with front_end.connect() as ours, redis_server.connect() as theirs:
        for wire in (ours, theirs):
            wire.send(stream)
        for command in CONVERSATIONS[name]:
            assert (command, ours.reply()) == (command, theirs.reply())


def inline(*commands: str) -> bytes:
    return b"".join(f"{command}\r\n".encode() for command in commands)


RAW = {
    "inline": b"PING\r\nSET a b\nGET a\r\n\r\n  \r\n"
    b'ECHO "a\\x41\\n\\"b\\a" \r\n'
    b"ECHO 'it\\'s \\n'\r\n"
    b'ECHO ""\r\nECHO a"b c"\r\nDEL a\r\n',
    "inline, binary": b'ECHO \xff\xfe\r\nECHO "\\xff\\xzz\\x4"\r\n',
    "unbalanced double": b'PING\r\nECHO "abc\r\nPING\r\n',
    "unbalanced single": b"ECHO 'abc\r\nPING\r\n",
    "glued quotes": b'ECHO "abc"d\r\nPING\r\n',
    "empty arrays": b"*0\r\n*-1\r\n*1\r\n$4\r\nPING\r\n*-100\r\nPING\r\n",
    "bad multibulk": b"PING\r\n*abc\r\nPING\r\n",
    "bad multibulk, empty": b"*\r\nPING\r\n",
    "bad multibulk, plus": b"*+1\r\n$4\r\nPING\r\n",
    "bad multibulk, zero": b"*01\r\n$4\r\nPING\r\n",
    "huge multibulk": b"*2147483648\r\nPING\r\n",
    "too many digits": b"*99999999999999999999999\r\nPING\r\n",
    "bad bulk": b"*1\r\n$abc\r\nPING\r\n",
    "negative bulk": b"*1\r\n$-1\r\nPING\r\n",
    "huge bulk": b"*1\r\n$536870913\r\nPING\r\n",
    "wrong type": b"*2\r\n$3\r\nGET\r\n:1\r\n",
    "wrong type, letter": b"*1\r\nPING\r\n",
    "wrong type, byte": b"*1\r\n\xff\r\nPING\r\n",
    "no line feed": b"*1\r$4\r\nPING\r\n",
    "long multibulk count": b"*" + b"1" * 70000,
    "long bulk count": b"*1\r\n$" + b"1" * 70000,
    "long inline": b"a" * 70000,
    "http": b"PING\r\nPOST / HTTP/1.1\r\nHost: x\r\n\r\nPING\r\n",
    "http header": b"Host: x\r\nPING\r\n",
    "bulk with other ending": b"*2\r\n$4\r\nECHO\r\n$3\r\nabcXY*1\r\n$4\r\nPING\r\n",
    "quit": b"PING\r\nQUIT\r\nPING\r\n",
    "quit with words": b"QUIT a b\r\nPING\r\n",
    "silence": inline(
        "CLIENT REPLY OFF",
        "PING",
        "SET a 1",
        "GET a",
        "CLIENT REPLY SKIP",
        "CLIENT REPLY ON",
        "GET a",
        "CLIENT REPLY SKIP",
        "GET a",
        "PING",
        "FOO",
        "CLIENT REPLY SKIP",
        "CLIENT REPLY SKIP",
        "PING",
        "PING",
        "CLIENT REPLY SKIP",
        "CLIENT REPLY ON",
        "PING",
        "DEL a",
    ),
    "silence and pushes": inline(
        "CLIENT REPLY OFF", "SUBSCRIBE c", "PING", "UNSUBSCRIBE c", "CLIENT REPLY ON"
    ),
    "subscriber": inline(
        "SUBSCRIBE a b",
        "PSUBSCRIBE c*",
        "PING",
        "PING hi",
        "GET a",
        "CLIENT LIST",
        "PUBLISH a b",
        "SUBSCRIBE a",
        "UNSUBSCRIBE nothing",
        "UNSUBSCRIBE a",
        "UNSUBSCRIBE",
        "PUNSUBSCRIBE",
        "UNSUBSCRIBE",
        "PUNSUBSCRIBE",
        "PING",
        "SUBSCRIBE a",
        "RESET",
        "PING",
        "SUBSCRIBE a",
        "QUIT",
    ),
}


@pytest.mark.parametrize("name", RAW)
def test_raw_bytes(front_end: FrontEnd, redis_server: RedisServer, name: str) -> None:
    """The same bytes, then the end of the stream: the same answers, to the last byte."""
    with front_end.connect() as ours, redis_server.connect() as theirs:
        for wire in (ours, theirs):
            wire.send(RAW[name] + b"QUIT\r\n" * (b"long" not in name.encode()))
        assert ours.rest() == theirs.rest()


@pytest.mark.parametrize("name", ["inline", "empty arrays", "silence", "bulk with other ending"])
def test_raw_bytes_one_by_one(front_end: FrontEnd, redis_server: RedisServer, name: str) -> None:
    """However the bytes arrive."""
    stream = RAW[name] + b"QUIT\r\n"
    with front_end.connect() as ours, redis_server.connect() as theirs:
        theirs.send(stream)
        for position in range(len(stream)):
            ours.send(stream[position : position + 1])
        assert ours.rest() == theirs.rest()


def test_resp3_subscriber(front_end: FrontEnd, redis_server: RedisServer) -> None:
    """With RESP3 a subscriber may do everything, and messages are pushes."""
    commands = ["SUBSCRIBE c", "PSUBSCRIBE d*", "PING", "SET a 1", "GET a", "PUBLISH c m", "DEL a"]
    replies = []
    for server in (front_end, redis_server):
        with server.connect(resp=3) as wire:
            for command in commands:
                wire.send(request(*command.split()))
            replies.append([wire.reply() for _ in range(len(commands) + 1)])
    assert replies[0] == replies[1]
    assert b">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nm\r\n" in replies[0]


def test_hello(front_end: FrontEnd, redis_server: RedisServer) -> None:
    """All fields; the client's number is the server's own."""
    for version in ("2", "3"):
        replies = []
        for server in (front_end, redis_server):
            with server.connect() as wire:
                number = wire.run("CLIENT", "ID")
                reply = wire.run("HELLO", version, "SETNAME", "me", "AUTH", "default", "x")
                assert b"$2\r\nid\r\n" + number in reply
                assert wire.run("CLIENT", "GETNAME") == b"$2\r\nme\r\n"
                reply = reply.replace(b"$2\r\nid\r\n" + number, b"<id>")
                replies.append(re.sub(rb"\$\d\r\n7\.\d\.\d+\r\n", b"<version>", reply))
        assert replies[0] == replies[1]
