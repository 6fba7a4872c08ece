"""Users at the socket door: who comes in, and what becomes of those whose rights change."""

from __future__ import annotations

import re
import time
from contextlib import ExitStack
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
import redis

from server.processes import RedisServer
from server.wire import request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from server.processes import FrontEnd
    from server.wire import Wire

WRONG = b"-WRONGPASS invalid username-password pair or user is disabled.\r\n"
NOAUTH = b"-NOAUTH Authentication required.\r\n"
OK = b"+OK\r\n"
CHANGED = (
    b"-NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC "
    b"call. This command is no longer allowed for the following reason: %b\r\n"
)


@pytest.fixture
def admin(front_end: FrontEnd) -> Iterator[Wire]:
    """An almighty client; in the end there are no users but the default one."""
    with front_end.connect() as wire:
        wire.run("ACL", "LOG", "RESET")
        yield wire
    with front_end.connect() as wire:
        users = wire.run("ACL", "USERS").split(b"\r\n")[2:-1:2]
        wire.run("ACL", "DELUSER", *(name for name in users if name != b"default"), "nobody")


@pytest.fixture
def log_in(front_end: FrontEnd) -> Iterator[Callable[..., Wire]]:
    """A function that connects as a user without a password."""
    with ExitStack() as stack:

        def connect(name: str, *, resp: int = 2) -> Wire:
            wire = stack.enter_context(front_end.connect(resp=resp))
            assert wire.run("AUTH", name, "") == OK
            return wire

        yield connect


def is_closed(wire: Wire) -> bool:
    return wire.socket.recv(1) == b""


def read_log(front_end: FrontEnd, *count: int) -> list[dict[str, Any]]:
    with redis.Redis(unix_socket_path=front_end.path, decode_responses=True) as client:
        return list(client.acl_log(*count))


# ---- passwords -----------------------------------------------------------------------------------

CONVERSATION = [
    # from the start, as 7.2 has it
    *("ACL SETUSER default sanitize-payload", "ACL SETUSER a sanitize-payload"),
    *("ACL SETUSER a on >one >two ~* +@all", "AUTH a one", "AUTH a two", "AUTH a three"),
    *("AUTH b one", "AUTH a", "AUTH x", "AUTH a b c", "ACL WHOAMI", "ACL SETUSER a <one"),
    *("AUTH a one", "ACL SETUSER a nopass", "AUTH a anything", "ACL SETUSER a resetpass"),
    *("AUTH a anything", "AUTH a one", "ACL SETUSER a >one off", "AUTH a one", "ACL WHOAMI"),
    *("HELLO 2 AUTH a one", "ACL SETUSER a on", "HELLO 2 AUTH a two", "HELLO AUTH a one"),
    *("RESET", "ACL WHOAMI", "ACL SETUSER default >x", "PING", "RESET", "PING", "ACL WHOAMI"),
    *("AUTH y", "AUTH x", "PING", "CONFIG GET requirepass", "CONFIG SET requirepass y", "PING"),
    *("RESET", "AUTH x", "AUTH default y", "ACL GETUSER default", "ACL SETUSER default off"),
    *("PING", "AUTH y", "RESET", "AUTH y", "AUTH a one", "PING", "ACL SETUSER default on nopass"),
    *("RESET", "PING", "AUTH x", "CONFIG SET requirepass z", "RESET", "AUTH z", "ACL LIST"),
    *("CONFIG SET requirepass :empty:", "RESET", "PING", "ACL LIST", "ACL DELUSER a", "ACL USERS"),
]


def test_logging_in(tmp_path: Path, start_front_end: Callable[..., FrontEnd]) -> None:
    """The same bytes as from a redis-server."""
    theirs, ours = RedisServer(tmp_path), start_front_end()
    try:
        with theirs.connect() as there, ours.connect() as here:
            for line in CONVERSATION:
                words = [word.replace(":empty:", "") for word in line.split()]
                expected, got = there.run(*words), here.run(*words)
                if words[0] == "HELLO" and got[:1] == b"*":
                    continue  # each server has its own things to tell
                assert got == expected, line
    finally:
        theirs.close()


def test_who_is_not_logged_in_may_log_in_only(start_front_end: Callable[..., FrontEnd]) -> None:
    front_end = start_front_end(user="default on >secret ~* &* +@all\nguest on nopass +ping")
    with front_end.connect() as wire:
        for line in ("GET a", "ACL WHOAMI", "MULTI", "SUBSCRIBE a"):
            assert wire.run(*line.split()) == NOAUTH
        assert wire.run("AUTH", "guest", "") == OK
        assert wire.run("PING") == b"+PONG\r\n"
        assert wire.run("GET", "a").startswith(b"-NOPERM")
        assert wire.run("RESET") == b"+RESET\r\n"
        assert wire.run("PING") == NOAUTH
        assert wire.run("AUTH", "default", "secret") == OK


def test_no_password_is_kept(admin: Wire) -> None:
    admin.run("ACL", "SETUSER", "a", ">hunter2")
    told = admin.run("ACL", "LIST") + admin.run("ACL", "GETUSER", "a")
    assert b"hunter2" not in told
    assert b"f52fbd32b2b3b86ff88ef6c490628285f482af15ddcb29541f94bcf526a3f6c7" in told


# ---- rights that change --------------------------------------------------------------------------


def test_a_change_counts_at_once(admin: Wire, log_in: Callable[..., Wire]) -> None:
    """Also for commands that are run without Python while nothing is forbidden."""
    admin.run("ACL", "SETUSER", "a", "on", "nopass", "+@all", "~*", "&*")
    client = log_in("a")
    assert client.run("SET", "k", "1") == OK
    admin.run("ACL", "SETUSER", "a", "-set")
    assert client.run("SET", "k", "2") == (
        b"-NOPERM User a has no permissions to run the 'set' command\r\n"
    )
    assert client.run("GET", "k") == b"$1\r\n1\r\n"
    admin.run("ACL", "SETUSER", "a", "+@all", "resetkeys", "%R~k")
    assert client.run("SET", "k", "2") == b"-NOPERM No permissions to access a key\r\n"
    assert client.run("GET", "k") == b"$1\r\n1\r\n"
    admin.run("ACL", "SETUSER", "a", "allkeys", "off")
    assert client.run("SET", "k", "2") == OK


def test_default_user_can_be_restricted(start_front_end: Callable[..., FrontEnd]) -> None:
    front_end = start_front_end()
    with front_end.connect() as early, front_end.connect() as admin:
        assert early.run("SET", "k", "1") == OK
        admin.run("ACL", "SETUSER", "root", "on", "nopass", "+@all", "~*", "&*")
        admin.run("AUTH", "root", "")
        admin.run("ACL", "SETUSER", "default", "-set")
        for wire in (early, front_end.connect()):
            assert wire.run("SET", "k", "1").startswith(b"-NOPERM User default has no")
            assert wire.run("GET", "k") == b"$1\r\n1\r\n"
            wire.close()


def test_deleted_users_are_closed(admin: Wire, log_in: Callable[..., Wire]) -> None:
    for name in ("a", "b", "c"):
        admin.run("ACL", "SETUSER", name, "on", "nopass", "+@all", "~*", "&*")
    first, second, other = log_in("a"), log_in("b"), log_in("c")
    assert admin.run("ACL", "DELUSER", "a", "b", "b", "nobody") == b":2\r\n"
    assert is_closed(first)
    assert is_closed(second)
    assert other.run("ACL", "DELUSER", "c") == b":1\r\n"  # the answer comes before the end
    assert is_closed(other)
    assert admin.run("PING") == b"+PONG\r\n"


@pytest.mark.parametrize("resp", [2, 3])
def test_listeners_that_lose_a_channel_are_closed(
    admin: Wire, log_in: Callable[..., Wire], resp: int
) -> None:
    admin.run("ACL", "SETUSER", "a", "on", "nopass", "+@all", "resetchannels", "&c*", "&d*")
    listeners = {}
    for line in ("SUBSCRIBE c1", "SUBSCRIBE d1", "PSUBSCRIBE c*", "SSUBSCRIBE c2", "PING"):
        listeners[line] = log_in("a", resp=resp)
        listeners[line].run(*line.split())
    admin.run("ACL", "SETUSER", "a", "&e*")
    admin.run("ACL", "SETUSER", "a", "resetchannels", "&d*", "&c1")
    assert is_closed(listeners["PSUBSCRIBE c*"])
    assert is_closed(listeners["SSUBSCRIBE c2"])
    for line in ("SUBSCRIBE c1", "SUBSCRIBE d1", "PING"):
        assert b"ong" in listeners[line].run("PING").lower()
    admin.run("ACL", "SETUSER", "a", "allchannels")
    admin.run("ACL", "SETUSER", "a", "resetchannels", "(&d1 +ping)")
    assert is_closed(listeners["SUBSCRIBE c1"])
    assert b"ong" in listeners["SUBSCRIBE d1"].run("PING").lower()


def test_one_may_take_ones_own_channels(admin: Wire, log_in: Callable[..., Wire]) -> None:
    admin.run("ACL", "SETUSER", "a", "on", "nopass", "+@all", "allchannels")
    wire = log_in("a", resp=3)
    wire.run("SUBSCRIBE", "c")
    assert wire.run("ACL", "SETUSER", "a", "resetchannels") == OK
    assert is_closed(wire)


def test_transactions_are_checked_twice(admin: Wire, log_in: Callable[..., Wire]) -> None:
    """When commands are queued, and when they are run."""
    admin.run("ACL", "SETUSER", "a", "on", "nopass", "+@all", "~k*", "&c")
    wire = log_in("a")
    wire.run("MULTI")
    assert wire.run("SET", "x", "1") == b"-NOPERM No permissions to access a key\r\n"
    assert wire.run("SET", "k1", "1") == b"+QUEUED\r\n"
    assert wire.run("EXEC").startswith(b"-EXECABORT")
    wire.run("MULTI")
    for line in ("SET k1 1", "SET k2 2", "GET k1", "PUBLISH c x", "SELECT 1", "SET k1 9"):
        assert wire.run(*line.split()) == b"+QUEUED\r\n"
    admin.run("ACL", "SETUSER", "a", "resetkeys", "~k1", "-get", "-select", "resetchannels")
    reply = wire.run("EXEC")
    command = CHANGED % b"no permission to execute the command or subcommand"
    key = CHANGED % b"no permission to touch the specified keys"
    channel = (
        CHANGED % b"no permission to access one of the channels used as arguments to the command"
    )
    assert reply == b"*6\r\n" + OK + key + command + channel + command + OK
    assert admin.run("GET", "k1") == b"$1\r\n9\r\n"
    admin.run("SELECT", "1")
    assert admin.run("DBSIZE") == b":0\r\n"


def test_a_transaction_may_change_its_own_user(admin: Wire, log_in: Callable[..., Wire]) -> None:
    admin.run("ACL", "SETUSER", "a", "on", "nopass", "+@all", "~*", "&*")
    wire = log_in("a")
    lines = ("SET k 1", "ACL SETUSER a -get", "GET k", "AUTH default x", "GET k", "ACL WHOAMI")
    wire.send(b"".join(request(*line.split()) for line in ("MULTI", *lines, "EXEC")))
    replies = [wire.reply() for _ in range(8)]
    parts = replies[-1].split(b"\r\n", 3)
    assert parts[:3] == [b"*6", b"+OK", b"+OK"]
    assert parts[3].startswith(b"-NOPERM ACLs rules changed")
    assert parts[3].endswith(b"\r\n+OK\r\n$1\r\n1\r\n$7\r\ndefault\r\n")


def test_sort_reads_no_keys_that_it_does_not_name(admin: Wire, log_in: Callable[..., Wire]) -> None:
    admin.run("RPUSH", "l", "1", "2")
    admin.run("ACL", "SETUSER", "a", "on", "nopass", "+@all", "~l")
    wire = log_in("a")
    assert wire.run("SORT", "l", "BY", "nosort") == b"*2\r\n$1\r\n1\r\n$1\r\n2\r\n"
    for line in ("SORT l BY w*", "SORT_RO l BY w*", "SORT l GET #", "SORT l BY nosort GET w*"):
        assert re.fullmatch(
            rb"-ERR (BY|GET) option of SORT denied due to insufficient ACL permissions.\r\n",
            wire.run(*line.split()),
        )
    for keys in ("(+sort %R~*)", "(~* +get)"):
        admin.run("ACL", "SETUSER", "a", "clearselectors", keys)
        allowed = wire.run("SORT", "l", "GET", "#").startswith(b"*2")
        assert allowed == ("sort" in keys)


def test_new_users_and_channels(start_front_end: Callable[..., FrontEnd]) -> None:
    front_end = start_front_end(acl_pubsub_default="allchannels")
    with front_end.connect() as wire:
        wire.run("ACL", "SETUSER", "a")
        wire.run("CONFIG", "SET", "acl-pubsub-default", "resetchannels")
        wire.run("ACL", "SETUSER", "b", "(+get)")
        told = wire.run("ACL", "LIST")
        assert b"user a off sanitize-payload &* -@all" in told
        assert b"user b off sanitize-payload resetchannels -@all (resetchannels -@all +get)" in told
        wire.run("ACL", "SETUSER", "a", "reset")
        assert b"user a off sanitize-payload resetchannels -@all" in wire.run("ACL", "LIST")


def test_scripts_may_do_what_their_caller_may(
    front_end: FrontEnd, admin: Wire, log_in: Callable[..., Wire]
) -> None:
    admin.run("ACL", "SETUSER", "a", "on", "nopass", "+eval", "+eval_ro", "+get", "+set", "%R~k")
    wire = log_in("a")
    assert wire.run("EVAL", "return 1", "1", "k") == b"-NOPERM No permissions to access a key\r\n"
    assert wire.run("EVAL_RO", "return redis.call('GET', KEYS[1])", "1", "k") == b"$-1\r\n"
    for line, why in (
        ("redis.call('GET', 'x')", b"No permissions to access a key"),
        ("redis.call('SET', 'k', 'v')", b"No permissions to access a key"),
        ("redis.call('DEL', 'k')", b"User a has no permissions to run the 'del' command"),
        ("return redis.pcall('GET', 'x')", b"No permissions to access a key"),
    ):
        reply = wire.run("EVAL", line, "0")
        assert reply.startswith(b"-ERR ACL failure in script: " + why), reply
    checked = "return {redis.acl_check_cmd('GET', 'k'), redis.acl_check_cmd('GET', 'x')}"
    assert wire.run("EVAL", checked, "0") == b"*2\r\n:1\r\n$-1\r\n"
    noted = [(each["context"], each["reason"], each["object"]) for each in read_log(front_end)]
    assert noted[0] == ("lua", "key", "x")
    assert ("lua", "command", "del") in noted
    assert noted[-1] == ("toplevel", "key", "k")


# ---- without Python ------------------------------------------------------------------------------

NATIVE_LINES = (
    *(
        "GET {}",
        "SET {} v",
        "SET {} v EX 9",
        "SET {} v GET",
        "MGET {} {}",
        "MSET {} a {} b",
        "DEL {}",
    ),
    *(
        "DEL {} {}",
        "UNLINK {}",
        "EXISTS {}",
        "EXISTS {} {}",
        "INCR {}",
        "DECRBY {} 2",
        "PING",
        "PING x",
    ),
    *(
        "HGET {} f",
        "HSET {} f v",
        "HDEL {} f",
        "HINCRBY {} f 1",
        "HGETALL {}",
        "HLEN {}",
        "GET",
        "MGET",
    ),
    *(
        "SISMEMBER {} m",
        "SADD {} m",
        "SREM {} m",
        "SPOP {}",
        "SCARD {}",
        "LINDEX {} 0",
        "MSET {} a {}",
    ),
    *("LRANGE {} 0 -1", "LLEN {}", "LPUSH {} x", "RPUSH {} x", "LPOP {}", "RPOP {}", "ZSCORE {} m"),
    *("ZRANK {} m", "ZRANGE {} 0 -1", "ZCARD {}", "ZADD {} 1 m", "ZINCRBY {} 1 m", "ZREM {} m"),
    *("ZPOPMIN {}", "ZPOPMAX {}", "TYPE {}", "GETDEL {}"),
)
NATIVE_KEYS = ("a", "ab", "abc", "b", "bc", ":empty:", "*", "ab*")
NATIVE_RULES = (
    *(
        "~a",
        "~a*",
        "~ab*",
        "~*",
        "%R~*",
        "%W~*",
        "%R~a*",
        "%W~ab",
        "%W~b",
        "~?",
        "~[ab]",
        "~",
        "~a\\*",
    ),
    *(
        "+@all",
        "+@read",
        "+@write",
        "+@string",
        "+@fast",
        "-get",
        "-mset",
        "-@hash",
        "+get",
        "+ping",
    ),
)


def test_the_inner_loop_allows_what_the_rules_allow(
    admin: Wire, log_in: Callable[..., Wire]
) -> None:
    """Every line is refused if, and only if, ACL DRYRUN says so."""
    source = Random(7)
    admin.run("ACL", "SETUSER", "a", "on", "nopass")
    wire = log_in("a")
    refused = asked = 0
    for _ in range(40):
        rules = ["resetkeys", "-@all", "clearselectors", *source.sample(NATIVE_RULES, k=4)]
        rules.append(f"({' '.join(source.sample(NATIVE_RULES, k=3))})")
        if admin.run("ACL", "SETUSER", "a", *rules) != OK:
            continue  # a pattern after ~*
        lines = []
        for line in source.choices(NATIVE_LINES, k=60):
            keys = source.choices(NATIVE_KEYS, k=line.count("{}"))
            lines.append([word.replace(":empty:", "") for word in line.format(*keys).split()])
        for side, prefix in ((admin, ["ACL", "DRYRUN", "a"]), (wire, [])):
            side.send(b"".join(request(*prefix, *line) for line in lines))
        for words in lines:
            told, got = admin.reply(), wire.reply()
            denied = got.startswith(b"-NOPERM")
            assert denied == (b" has no permissions to " in told), (rules, words, told, got)
            refused += denied
            asked += 1
    assert 0 < refused < asked


# ---- what is noted -------------------------------------------------------------------------------


def counts(wire: Wire) -> dict[str, int]:
    fields = re.findall(r"acl_access_denied_(\w+):(\d+)", wire.text("INFO", "stats"))
    return {name: int(count) for name, count in fields}


def test_log(front_end: FrontEnd, admin: Wire, log_in: Callable[..., Wire]) -> None:
    admin.run("CONFIG", "RESETSTAT")
    admin.run("ACL", "SETUSER", "a", "on", "nopass", "+get", "+publish", "+multi", "+exec", "~k")
    wire = log_in("a")
    for line in ("GET x", "SET k 1", "GET x", "PUBLISH c x", "MULTI", "GET x", "EXEC", "GET x"):
        wire.run(*line.split())
    wire.run("AUTH", "a", "wrong")  # there is no wrong password for him
    for name in ("nobody", "nobody", "someone"):
        assert wire.run("AUTH", name, "wrong") == WRONG
    entries = read_log(front_end)
    assert [
        (e["count"], e["reason"], e["context"], e["object"], e["username"]) for e in entries
    ] == [
        (1, "auth", "toplevel", "AUTH", "someone"),
        (2, "auth", "toplevel", "AUTH", "nobody"),
        (3, "key", "toplevel", "x", "a"),
        (1, "key", "multi", "x", "a"),
        (1, "channel", "toplevel", "c", "a"),
        (1, "command", "toplevel", "set", "a"),
    ]
    assert all(0 <= float(entry["age-seconds"]) < 20 for entry in entries)
    assert all(entry["client-info"]["user"] == "a" for entry in entries)
    first = entries[2]["entry-id"]  # x was refused before SET was
    assert [entry["entry-id"] - first for entry in entries] == [5, 4, 0, 3, 2, 1]
    assert all(e["timestamp-created"] <= e["timestamp-last-updated"] for e in entries)
    assert counts(admin) == {"auth": 3, "cmd": 1, "key": 4, "channel": 1}
    assert [entry["entry-id"] - first for entry in read_log(front_end, 2)] == [5, 4]
    admin.run("CONFIG", "SET", "acllog-max-len", "1")
    assert len(read_log(front_end)) == 1
    admin.run("CONFIG", "SET", "acllog-max-len", "128")
    assert admin.run("ACL", "LOG", "RESET") == OK
    assert read_log(front_end) == []
    admin.run("CONFIG", "RESETSTAT")
    assert set(counts(admin).values()) == {0}


def test_client_list_and_kill(admin: Wire, log_in: Callable[..., Wire]) -> None:
    for name in ("a", "b"):
        admin.run("ACL", "SETUSER", name, "on", "nopass", "+@all")
    first, second, other = log_in("a"), log_in("a"), log_in("b")
    listed = re.findall(r" user=(\S+)", admin.text("CLIENT", "LIST"))
    assert sorted(listed) == ["a", "a", "b", "default"]
    assert " user=a " in first.text("CLIENT", "INFO")
    assert admin.run("CLIENT", "KILL", "USER", "nobody") == b"-ERR No such user 'nobody'\r\n"
    assert admin.run("CLIENT", "KILL", "USER", "a") == b":2\r\n"
    assert is_closed(first)
    assert is_closed(second)
    assert other.run("PING") == b"+PONG\r\n"


# ---- redis-py ------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", [2, 3])
def test_redis_py_methods(
    tmp_path: Path, start_front_end: Callable[..., FrontEnd], protocol: int
) -> None:
    """Type for type what they return with a redis-server."""
    theirs, ours = RedisServer(tmp_path), start_front_end()

    def use(path: str) -> list[Any]:
        client = redis.Redis(unix_socket_path=path, protocol=protocol, decode_responses=True)
        name = "a"
        results: list[Any] = [
            client.acl_setuser(
                name,
                enabled=True,
                passwords=["+one", "+two"],
                categories=["+@read"],
                commands=["+set", "-mget"],
                keys=["k*", "l"],
                channels=["c"],
                selectors=[("+set", "%W~w*")],
            ),
            client.acl_users(),
            client.acl_whoami(),
            sorted(client.acl_cat()),
            len(client.acl_genpass(64)),
            client.acl_dryrun(name, "get", "k1"),
            client.acl_log_reset(),
            client.acl_log(),
            client.acl_setuser("b", nopass=True, reset=True),
            client.acl_getuser("b"),
            client.acl_getuser("nobody"),
            client.acl_list(),
            client.acl_deluser(name, "b"),
        ]
        return results

    try:
        expected, got = use(theirs.path), use(ours.path)
        told = [line for line in got[11] if line.startswith("user a")]
        assert told[0].endswith("-@all +@read +set -mget (%W~w* resetchannels -@all +set)")
        expected[11], got[11] = ([line[:7] for line in part[11]] for part in (expected, got))
        assert got == expected
    finally:
        theirs.close()


# ---- those who wait ------------------------------------------------------------------------------


def test_who_waits_is_checked_again_when_served(admin: Wire, log_in: Callable[..., Wire]) -> None:
    admin.run("ACL", "SETUSER", "a", "on", "nopass", "+@all", "~*")
    wire = log_in("a")
    number = wire.run("CLIENT", "ID")[1:-2]
    wire.send(request("BLPOP", "l", "0"))
    deadline = time.monotonic() + 15
    while " cmd=blpop " not in admin.text("CLIENT", "LIST", "ID", number):
        assert time.monotonic() < deadline
    admin.run("ACL", "SETUSER", "a", "-blpop")
    admin.run("RPUSH", "l", "x")
    assert wire.reply() == b"-NOPERM User a has no permissions to run the 'blpop' command\r\n"
    assert admin.run("LLEN", "l") == b":1\r\n"
    wire.send(request("BRPOP", "m", "0"))
    while " cmd=brpop " not in admin.text("CLIENT", "LIST", "ID", number):
        assert time.monotonic() < deadline
    admin.run("ACL", "DELUSER", "a")
    assert is_closed(wire)
