"""Who gets which message, in which order and form."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from server.wire import request

if TYPE_CHECKING:
    from collections.abc import Callable

    from server.processes import FrontEnd, RedisServer
    from server.wire import Wire


def test_delivery_is_redis_own(front_end: FrontEnd, redis_server: RedisServer) -> None:
    received = []
    for server in (front_end, redis_server):
        with server.connect() as old, server.connect(resp=3) as new, server.connect() as sender:
            old.run("SUBSCRIBE", "news")
            old.run("PSUBSCRIBE", "n*")
            old.run("PSUBSCRIBE", "[mn]ew?")
            new.run("PSUBSCRIBE", "*")
            new.run("SUBSCRIBE", "news")
            new.run("SUBSCRIBE", "news")
            sent = [
                sender.run("PUBLISH", channel, b"text\r\n\0")
                for channel in ("news", "nothing", "other", "mews")
            ]
            sent.append(sender.run("PUBSUB", "NUMSUB", "news", "other"))
            sent.append(sender.run("PUBSUB", "NUMPAT"))
            sent.append(sender.run("PUBSUB", "CHANNELS", "n*"))
            # which of several fitting patterns comes first is chance in Redis
            seen_old = sorted(old.reply() for _ in range(5))
            seen_new = [new.reply() for _ in range(5)]
            received.append((sent, seen_old, seen_new))
    assert received[0] == received[1]


def test_messages_keep_their_order(front_end: FrontEnd, client: Wire) -> None:
    """Many messages in one pipeline, far more than a socket buffer holds."""
    count, text = 2000, b"x" * 1000
    with front_end.connect() as subscriber:
        subscriber.run("SUBSCRIBE", "c")
        client.send(b"".join(request("PUBLISH", "c", b"%d:" % n + text) for n in range(count)))
        for number in range(count):
            assert subscriber.reply().split(b"\r\n")[-2] == b"%d:" % number + text
        assert [client.reply() for _ in range(count)] == [b":1\r\n"] * count


def test_a_gone_subscriber_is_forgotten(front_end: FrontEnd, client: Wire) -> None:
    with front_end.connect() as subscriber:
        subscriber.run("SUBSCRIBE", "c")
        subscriber.run("PSUBSCRIBE", "c*")
        assert client.run("PUBLISH", "c", "m") == b":2\r\n"
    while client.run("PUBSUB", "NUMSUB", "c") != b"*2\r\n$1\r\nc\r\n:0\r\n":
        pass
    assert client.run("PUBSUB", "NUMPAT") == b":0\r\n"
    assert client.run("PUBLISH", "c", "m") == b":0\r\n"


def test_who_does_not_read_is_dropped(start_front_end: Callable[..., FrontEnd]) -> None:
    """Past the hard limit the slow one goes; the quick one misses nothing."""
    front_end = start_front_end(client_output_buffer_limit="pubsub 1mb 0 0")
    text = b"x" * 10000
    with (
        front_end.connect() as slow,
        front_end.connect() as quick,
        front_end.connect() as sender,
    ):
        slow.run("SUBSCRIBE", "c")
        quick.run("SUBSCRIBE", "c")
        receivers = []
        for _ in range(300):
            receivers.append(sender.run("PUBLISH", "c", text))
            assert quick.reply().endswith(text + b"\r\n")
        assert receivers[0] == b":2\r\n"
        assert receivers[-1] == b":1\r\n"
        assert len(slow.rest()) < 3_000_000
        assert "client_output_buffer_limit_disconnections:1" in sender.text("INFO", "stats")
    front_end.terminate()
    assert "not reading its replies" in front_end.log()


def test_soft_limit_is_for_those_who_stay_behind(
    start_front_end: Callable[..., FrontEnd],
) -> None:
    front_end = start_front_end(client_output_buffer_limit="pubsub 0 256kb 1")
    with front_end.connect() as slow, front_end.connect() as sender:
        slow.run("SUBSCRIBE", "c")
        for _ in range(100):
            assert sender.run("PUBLISH", "c", b"x" * 10000) == b":1\r\n"
        assert "flags=UP" in sender.text("CLIENT", "LIST") or "flags=PU" in sender.text(
            "CLIENT", "LIST"
        )
        while sender.run("PUBSUB", "NUMSUB", "c").endswith(b":1\r\n"):
            pass
        assert "client_output_buffer_limit_disconnections:1" in sender.text("INFO", "stats")


SHARDED = (
    ("a", "SSUBSCRIBE", "s1", "s2"),
    ("a", "SUBSCRIBE", "s1"),
    ("a", "PSUBSCRIBE", "s*"),
    ("b", "SSUBSCRIBE", "s1"),
    ("b", "SSUBSCRIBE", "s1"),
    ("c", "SPUBLISH", "s1", "to a and b"),
    ("c", "PUBLISH", "s1", "to a twice"),
    ("c", "SPUBLISH", "none", "to nobody"),
    ("c", "PUBSUB", "SHARDCHANNELS", "*1"),
    ("c", "PUBSUB", "SHARDCHANNELS", "a", "b"),
    ("c", "PUBSUB", "SHARDNUMSUB", "s1", "s2", "none"),
    ("c", "PUBSUB", "SHARDNUMSUB"),
    ("c", "PUBSUB", "CHANNELS"),
    ("b", "SUNSUBSCRIBE", "s1"),
    ("c", "PUBSUB", "SHARDNUMSUB", "s1"),
    ("b", "SSUBSCRIBE", "s1"),
    ("c", "PUBSUB", "NUMSUB", "s1", "s2"),
    ("b", "GET", "k"),
    ("b", "PING"),
    ("b", "PING", "text"),
    ("b", "SUNSUBSCRIBE"),
    ("b", "SUNSUBSCRIBE"),
    ("b", "SUNSUBSCRIBE", "never"),
    ("b", "PING"),
    ("a", "UNSUBSCRIBE"),
    ("a", "PUNSUBSCRIBE", "s*"),
    ("a", "SUNSUBSCRIBE", "s2", "s2"),
    ("c", "SPUBLISH", "s1", "to a"),
    ("a", "RESET"),
    ("c", "SPUBLISH", "s1", "to nobody"),
    ("a", "GET", "k"),
    ("c", "SSUBSCRIBE"),
    ("c", "SPUBLISH", "s1"),
    ("c", "SUBSCRIBE"),
    ("c", "COMMAND", "GETKEYS", "SPUBLISH", "x", "y"),
)


def _everything_seen(
    server: FrontEnd | RedisServer, script: tuple[tuple[str, ...], ...], resp: int
) -> dict[str, list[bytes]]:
    """What each connection received, the answer to a last PING included."""
    wires = {name: server.connect(resp=resp) for name in "abc"}
    seen: dict[str, list[bytes]] = {name: [] for name in wires}
    for name, *words in script:
        wires[name].send(request(*words))
        for other, wire in wires.items():  # all that this command has caused is there before
            wire.send(request("PING", "so far"))
            while not (reply := wire.reply()).endswith(b"so far\r\n"):
                seen[other].append(reply)
    for wire in wires.values():
        wire.close()
    return seen


@pytest.mark.parametrize("resp", [2, 3])
def test_shard_channels_are_redis_own(
    front_end: FrontEnd, redis_server: RedisServer, resp: int
) -> None:
    ours = _everything_seen(front_end, SHARDED, resp)
    theirs = _everything_seen(redis_server, SHARDED, resp)
    assert ours == theirs


@pytest.mark.parametrize("resp", [2, 3])
def test_in_transactions(front_end: FrontEnd, redis_server: RedisServer, resp: int) -> None:
    lines = (
        ("MULTI",),
        ("PUBLISH", "x", "y"),
        ("SPUBLISH", "x", "y"),
        ("SSUBSCRIBE", "x"),
        ("SUNSUBSCRIBE", "x"),
        ("SUBSCRIBE", "x"),
        ("UNSUBSCRIBE",),
        ("EXEC",),
        ("PING", "the end"),
    )
    seen = []
    for server in (front_end, redis_server):
        with server.connect(resp=resp) as wire:
            wire.send(b"".join(request(*line) for line in lines))
            replies = [wire.reply()]
            while not replies[-1].endswith(b"the end\r\n"):
                replies.append(wire.reply())
            seen.append(replies)
    assert seen[0] == seen[1]


def test_client_list_counts_shard_channels(front_end: FrontEnd, client: Wire) -> None:
    with front_end.connect() as subscriber:
        subscriber.run("SSUBSCRIBE", "one")
        subscriber.run("SSUBSCRIBE", "two")
        line = next(line for line in client.text("CLIENT", "LIST").splitlines() if "ssub=2" in line)
        assert "flags=UP" in line or "flags=PU" in line
        assert "pubsubshard_channels:2" in client.text("INFO", "stats")
