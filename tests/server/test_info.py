"""INFO and MEMORY: Redis's names, true figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from server.processes import FrontEnd, RedisServer
    from server.wire import Wire

SECTIONS = (
    *("server", "clients", "memory", "persistence", "replication"),
    *("cpu", "modules", "cluster", "keyspace", "stats"),
)


def info(wire: Wire, *sections: str) -> dict[str, str]:
    lines = wire.text("INFO", *sections).split("\r\n")
    return dict(line.split(":", 1) for line in lines if line and not line.startswith("#"))


@pytest.mark.parametrize("words", [(), ("all",), ("everything",), ("default",), ("server", "cpu")])
def test_sections_are_redis_own(
    client: Wire, redis_server: RedisServer, words: tuple[str, ...]
) -> None:
    with redis_server.connect() as theirs:
        titles = [
            [line for line in wire.text("INFO", *words).split("\r\n") if line.startswith("#")]
            for wire in (client, theirs)
        ]
        assert titles[0] == titles[1]


@pytest.mark.parametrize("section", SECTIONS)
def test_names_are_redis_own(client: Wire, redis_server: RedisServer, section: str) -> None:
    """In Redis's order; what is added is marked as ours, or a later Redis has it."""
    later = {
        "pubsub_clients",
        "client_query_buffer_limit_disconnections",
        "client_output_buffer_limit_disconnections",
        *("acl_access_denied_auth", "acl_access_denied_cmd"),
        *("acl_access_denied_key", "acl_access_denied_channel"),
    }
    with redis_server.connect() as theirs:
        ours = [
            name
            for name in info(client, section)
            if not name.startswith("shmcache_") and name not in later
        ]
        wanted = list(info(theirs, section))
        assert [name for name in wanted if name in ours] == ours


def test_counters(front_end: FrontEnd, client: Wire) -> None:
    client.run("CONFIG", "RESETSTAT")
    before = info(client, "stats")
    client.run("SET", "a", "1")
    client.run("GET", "a")
    client.run("GET", "b")
    client.run("STRLEN", "nothing")
    with front_end.connect() as other:
        other.run("PING")
    after = info(client, "all")
    assert before["total_commands_processed"] == "1"
    assert after["total_commands_processed"] == "7"
    assert after["total_connections_received"] == "1"
    assert after["keyspace_hits"] == "1"
    assert int(after["keyspace_misses"]) >= 1
    assert after["cmdstat_get"].startswith("calls=2,usec=")
    assert after["cmdstat_get"].endswith(",rejected_calls=0,failed_calls=0")
    assert "cmdstat_config|resetstat" in after
    assert after["latency_percentiles_usec_get"].startswith("p50=")
    assert int(after["total_net_input_bytes"]) > int(before["total_net_input_bytes"])
    assert int(after["total_net_output_bytes"]) > int(before["total_net_output_bytes"])


def test_rejected_and_failed_calls(client: Wire) -> None:
    client.run("CONFIG", "RESETSTAT")
    client.run("SET", "a", "x")
    client.run("INCR", "a")
    client.run("GETRANGE", "a", "x", "y")
    client.run("GET")
    client.run("NOTHING")
    fields = info(client, "all")
    assert fields["cmdstat_incr"].endswith("rejected_calls=0,failed_calls=1")
    assert fields["cmdstat_getrange"].endswith("rejected_calls=0,failed_calls=1")
    assert fields["cmdstat_get"].endswith(
        "calls=0,usec=0,usec_per_call=0.00,rejected_calls=1,failed_calls=0"
    )
    assert fields["errorstat_ERR"] == "count=4"
    assert fields["total_error_replies"] == "4"


def test_keyspace(client: Wire) -> None:
    client.run("MSET", "a", "1", "b", "2")
    client.run("SELECT", "7")
    client.run("SET", "c", "1", "EX", "100")
    fields = info(client, "keyspace")
    assert fields["db0"] == "keys=2,expires=0,avg_ttl=0"
    assert fields["db7"].startswith("keys=1,expires=1,avg_ttl=")
    assert 90_000 < int(fields["db7"].rpartition("=")[2]) <= 100_000
    client.run("FLUSHALL")
    assert info(client, "keyspace") == {}


def test_clients_and_server(front_end: FrontEnd, client: Wire) -> None:
    fields = info(client, "server", "clients")
    assert fields["process_id"] == str(front_end.process.pid)
    assert fields["tcp_port"] == str(front_end.port)
    assert fields["shmcache_name"] == front_end.name
    assert fields["redis_mode"] == "standalone"
    connected = int(fields["connected_clients"])
    with front_end.connect() as other:
        other.run("PING")
        assert int(info(client, "clients")["connected_clients"]) == connected + 1


def test_memory_follows_the_data(start_front_end: Callable[..., FrontEnd]) -> None:
    client = start_front_end(data_bytes=8 << 20).connect()
    before = int(info(client, "memory")["used_memory"])
    client.run("SET", "big", b"x" * 2_000_000)
    fields = info(client, "memory")
    assert 2_000_000 < int(fields["used_memory"]) - before < 2_200_000
    assert int(fields["used_memory_peak"]) >= int(fields["used_memory"])
    assert fields["used_memory_human"].endswith("M")
    assert float(fields["mem_fragmentation_ratio"]) >= 1
    client.close()


def test_memory_stats_names(front_end: FrontEnd, redis_server: RedisServer) -> None:
    names = []
    for server in (front_end, redis_server):
        with server.connect() as wire:
            wire.run("SET", "a", "1")
            reply = wire.run("MEMORY", "STATS").split(b"\r\n")
            names.append({line for line in reply if b"." in line and line[:1].isalpha()})
            wire.run("DEL", "a")
    assert names[0] == names[1]


def test_memory_reports(client: Wire) -> None:
    assert client.text("MEMORY", "DOCTOR")
    assert "stripe" in client.text("MEMORY", "MALLOC-STATS")


def test_what_scripts_take(client: Wire) -> None:
    names = ("number_of_cached_scripts", "number_of_libraries", "number_of_functions")
    client.run("SCRIPT", "FLUSH")
    client.run("FUNCTION", "FLUSH")
    before = info(client, "memory")
    assert [before[name] for name in names] == ["0", "0", "0"]
    client.run("EVAL", "return 1", "0")
    code = "#!lua name=mine\nfor n = 1, 2 do redis.register_function('f' .. n, print) end"
    assert client.run("FUNCTION", "LOAD", code.replace("print", "function() end")) == (
        b"$4\r\nmine\r\n"
    )
    after = info(client, "memory")
    assert [after[name] for name in names] == ["1", "1", "2"]
    assert int(after["used_memory_lua"]) > 10_000
    assert int(after["used_memory_functions"]) > len(code)
    client.run("FUNCTION", "FLUSH")
