"""CLIENT: what it shows of connections, and how it closes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from server.processes import FrontEnd
from shmcache.server.exitcodes import EXIT_BAD_START

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from server.processes import RedisServer
    from server.wire import Wire

NOT_IN_NAMES = b"cannot contain spaces, newlines or special characters.\r\n"


def fields_of(line: str) -> dict[str, str]:
    return dict(field.split("=", 1) for field in line.split(" "))


def listed(wire: Wire, *words: str) -> list[dict[str, str]]:
    return [fields_of(line) for line in wire.text("CLIENT", "LIST", *words).splitlines()]


def number_of(wire: Wire) -> str:
    return wire.run("CLIENT", "ID")[1:-2].decode()


def test_fields_are_redis_own(client: Wire, redis_server: RedisServer) -> None:
    """In its order, with those that Redis 7.2 added behind."""
    with redis_server.connect() as theirs:
        ours = list(listed(client)[0])
        newer = ["lib-name", "lib-ver"]
        assert [name for name in ours if name != "watch"] == [*listed(theirs)[0], *newer]
        assert ours.index("watch") == ours.index("multi") + 1
        assert client.text("CLIENT", "INFO").endswith("\n")


def test_info_shows_the_state(front_end: FrontEnd) -> None:
    with front_end.connect(resp=3, tcp=True) as wire:
        wire.run("SELECT", "4")
        wire.run("CLIENT", "SETNAME", "me")
        wire.run("CLIENT", "SETINFO", "LIB-NAME", "redis-py(x)")
        wire.run("CLIENT", "SETINFO", "lib-ver", "8.1")
        wire.run("CLIENT", "NO-EVICT", "ON")
        wire.run("CLIENT", "NO-TOUCH", "ON")
        wire.run("SUBSCRIBE", "a")
        wire.run("SUBSCRIBE", "b")
        wire.run("PSUBSCRIBE", "c*")
        host, port = wire.socket.getsockname()
        shown = fields_of(wire.text("CLIENT", "INFO").strip())
        wanted = {
            "id": number_of(wire),
            "addr": f"{host}:{port}",
            "laddr": f"127.0.0.1:{front_end.port}",
            "name": "me",
            "db": "4",
            "sub": "2",
            "psub": "1",
            "flags": "PeT",
            "cmd": "client|info",
            "resp": "3",
            "lib-name": "redis-py(x)",
            "lib-ver": "8.1",
            "user": "default",
            "events": "r",
        }
        assert {name: shown[name] for name in wanted} == wanted


def test_unix_clients_show_the_path(front_end: FrontEnd, client: Wire) -> None:
    shown = fields_of(client.text("CLIENT", "INFO").strip())
    assert shown["addr"] == shown["laddr"] == f"{front_end.path}:0"
    assert shown["flags"] == "U"
    assert shown["name"] == shown["lib-name"] == ""


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("LIB-NAME", "a b"), b"-ERR lib-name " + NOT_IN_NAMES),
        (("LIB-VER", "a\n"), b"-ERR lib-ver " + NOT_IN_NAMES),
        (("FOO", "a"), b"-ERR Unrecognized option 'FOO'\r\n"),
        (("LIB-NAME",), b"-ERR wrong number of arguments for 'client|setinfo' command\r\n"),
    ],
)  # fmt: skip
def test_setinfo_refuses(client: Wire, words: tuple[str, ...], error: bytes) -> None:
    assert client.run("CLIENT", "SETINFO", *words) == error


def test_unfinished_requests_show_in_qbuf(front_end: FrontEnd, client: Wire) -> None:
    with front_end.connect() as other:
        number = number_of(other)
        unfinished = b"*2\r\n$3\r\nGET\r\n$100\r\nabc"
        other.send(unfinished)
        while True:
            (shown,) = listed(client, "ID", number)
            if shown["qbuf"] != "0":
                break
        assert shown["qbuf"] == str(len(unfinished))
        assert int(shown["tot-mem"]) > int(shown["qbuf-free"]) > 0


def test_list_filters(front_end: FrontEnd, client: Wire) -> None:
    with front_end.connect() as subscriber:
        number = number_of(subscriber)
        subscriber.run("SUBSCRIBE", "a")
        assert [each["id"] for each in listed(client, "TYPE", "pubsub")] == [number]
        normal = {each["id"] for each in listed(client, "TYPE", "normal")}
        assert number_of(client) in normal
        assert number not in normal
        both = listed(client, "ID", number, "99999", number_of(client))
        assert [each["id"] for each in both] == [number, number_of(client)]


def test_kill_by_number(front_end: FrontEnd, client: Wire) -> None:
    with front_end.connect() as victim:
        assert client.run("CLIENT", "KILL", "ID", number_of(victim)) == b":1\r\n"
        assert victim.is_closed()
        assert client.run("CLIENT", "KILL", "ID", "99999") == b":0\r\n"


def test_kill_by_address(front_end: FrontEnd, client: Wire) -> None:
    for words in (("CLIENT", "KILL"), ("CLIENT", "KILL", "ADDR")):
        with front_end.connect(tcp=True) as victim:
            host, port = victim.socket.getsockname()
            victim.run("PING")
            assert client.run(*words, f"{host}:{port}") in {b"+OK\r\n", b":1\r\n"}
            assert victim.is_closed()


def test_kill_by_local_address_and_type(front_end: FrontEnd, client: Wire) -> None:
    with front_end.connect(tcp=True) as tcp, front_end.connect(tcp=True) as subscriber:
        subscriber.run("SUBSCRIBE", "a")
        address = f"127.0.0.1:{front_end.port}"
        tcp.run("PING")
        kill = ("CLIENT", "KILL", "LADDR", address, "TYPE")
        assert client.run(*kill, "pubsub") == b":1\r\n"
        assert subscriber.is_closed()
        assert tcp.run("PING") == b"+PONG\r\n"
        assert client.run(*kill, "normal") == b":1\r\n"
        assert tcp.is_closed()


def test_a_client_may_kill_itself(front_end: FrontEnd, redis_server: RedisServer) -> None:
    """It gets its reply first; what it had sent behind is not run."""
    for words in (("SKIPME", "no"), ("ID",)):
        endings = []
        for server in (front_end, redis_server):
            with server.connect() as wire, server.connect() as other:
                mine = (words[0], number_of(wire)) if words == ("ID",) else words
                filters = ("SKIPME", "no") if words == ("ID",) else ()
                other.run("PING")
                reply = wire.run("CLIENT", "KILL", "TYPE", "normal", *mine, *filters)
                endings.append((reply[:1], wire.is_closed()))
        assert endings[0] == endings[1] == (b":", True)


def test_reset_forgets(front_end: FrontEnd) -> None:
    with front_end.connect(resp=3) as wire:
        for words in (
            ("SELECT", "3"),
            ("CLIENT", "SETNAME", "x"),
            ("CLIENT", "SETINFO", "LIB-NAME", "x"),
            ("CLIENT", "NO-EVICT", "ON"),
            ("CLIENT", "NO-TOUCH", "ON"),
            ("SUBSCRIBE", "a"),
        ):
            wire.run(*words)
        assert wire.run("RESET") == b"+RESET\r\n"
        shown = fields_of(wire.text("CLIENT", "INFO").strip())
        assert (shown["db"], shown["name"], shown["lib-name"], shown["flags"]) == ("0", "", "", "U")
        assert (shown["resp"], shown["sub"]) == ("2", "0")
        assert wire.run("PUBSUB", "NUMSUB", "a") == b"*2\r\n$1\r\na\r\n:0\r\n"


def test_no_touch_leaves_no_mark(front_end: FrontEnd, client: Wire) -> None:
    """A key that is read with NO-TOUCH looks as unused as before."""
    client.run("CONFIG", "SET", "maxmemory-policy", "allkeys-lfu")
    try:
        client.run("SET", "quiet", "1")
        client.run("SET", "loud", "1")
        before = client.run("OBJECT", "FREQ", "quiet")
        assert client.run("CLIENT", "NO-TOUCH", "ON") == b"+OK\r\n"
        for _ in range(200):
            client.run("GET", "quiet")
        assert client.run("OBJECT", "FREQ", "quiet") == before
        client.run("CLIENT", "NO-TOUCH", "OFF")
        for _ in range(200):
            client.run("GET", "loud")
        assert client.run("OBJECT", "FREQ", "loud") != before
    finally:
        client.run("CONFIG", "SET", "maxmemory-policy", "noeviction")


def test_kill_by_age(front_end: FrontEnd, client: Wire) -> None:
    with front_end.connect() as other:
        number = number_of(other)
        for words, reply in (
            ("MAXAGE x", b"-ERR maxage is not an integer or out of range\r\n"),
            ("MAXAGE 0", b"-ERR maxage should be greater than 0\r\n"),
            (f"ID {number} MAXAGE 1000", b":0\r\n"),
        ):
            assert client.run("CLIENT", "KILL", *words.split()) == reply
        assert other.run("PING") == b"+PONG\r\n"
        while client.run("CLIENT", "KILL", "ID", number, "MAXAGE", "1") == b":0\r\n":
            pass
        assert other.is_closed()


def test_of_two_conditions_of_a_kind_the_last_counts(
    front_end: FrontEnd, redis_server: RedisServer
) -> None:
    for server in (front_end, redis_server):
        with server.connect() as killer, server.connect() as kept, server.connect() as killed:
            words = ["ID", number_of(kept), "ID", number_of(killed)]
            assert killer.run("CLIENT", "KILL", *words) == b":1\r\n"
            assert kept.run("PING") == b"+PONG\r\n"
            assert killed.is_closed()


def test_watched_keys_are_counted(client: Wire) -> None:
    client.run("WATCH", "a", "b")
    assert " watch=2 " in client.text("CLIENT", "INFO")


def test_the_largest_clients_go_first(start_front_end: Callable[..., FrontEnd]) -> None:
    """maxmemory-clients; NO-EVICT protects."""
    front_end = start_front_end(maxmemory_clients="4mb")
    beginning = b"*2\r\n$3\r\nGET\r\n$3000000\r\n"
    with front_end.connect() as kept, front_end.connect() as large, front_end.connect() as small:
        assert kept.run("CLIENT", "NO-EVICT", "ON") == b"+OK\r\n"
        kept.send(beginning + b"x" * 2_500_000)
        small.send(beginning + b"x" * 100_000)
        large.send(beginning + b"x" * 2_000_000)
        assert large.is_closed()
        for wire, missing in ((small, 2_900_000), (kept, 500_000)):
            wire.send(b"x" * missing + b"\r\n")
            assert wire.reply() == b"$-1\r\n"
        assert "evicted_clients:1\r\n" in small.text("INFO", "stats")


def test_renamed_commands(start_front_end: Callable[..., FrontEnd]) -> None:
    front_end = start_front_end(rename_command='GET fetch\nFLUSHALL ""')
    with front_end.connect() as wire:
        assert wire.run("SET", "a", "1") == b"+OK\r\n"
        assert wire.run("FETCH", "a") == b"$1\r\n1\r\n"
        for line in ("GET a", "FLUSHALL"):
            assert wire.run(*line.split()).startswith(b"-ERR unknown command")
        assert wire.run("MULTI") == b"+OK\r\n"
        assert wire.run("GET", "a").startswith(b"-ERR unknown command")
        assert wire.run("DISCARD") == b"+OK\r\n"
        for line, reply in (
            ("MULTI", b"+OK\r\n"),
            ("fetch a", b"+QUEUED\r\n"),
            ("EXEC", b"*1\r\n$1\r\n1\r\n"),
        ):
            assert wire.run(*line.split()) == reply


@pytest.mark.parametrize("wrong", ["NOSUCH x", "GET set"])
def test_what_cannot_be_renamed(tmp_path: Path, wrong: str) -> None:
    front_end = FrontEnd(tmp_path, rename_command=wrong)
    try:
        assert front_end.process.wait(20) == EXIT_BAD_START
        assert "rename-command: there is " in front_end.log()
    finally:
        front_end.close()
