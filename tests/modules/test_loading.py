"""loadmodule and MODULE: loading, listing, refusing, forgetting, and all of it after a restart."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

import pytest
import redis
from supervisor.daemons import DaemonProcess, eventually

from shmcache.arena.module_notes import load_notes
from shmcache.arena.segments import module_notes_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

NOT_LOADED = "Error loading the extension. Please check the server logs."


@pytest.fixture
def client(daemon: DaemonProcess) -> Iterator[redis.Redis]:
    with redis.Redis(unix_socket_path=daemon.socket, decode_responses=True, protocol=2) as client:
        yield client


def run(client: redis.Redis, *words: str | int) -> Any:
    """A reply as it came."""
    connection = client.connection_pool.get_connection()
    try:
        connection.send_command(*words)
        return connection.read_response()
    finally:
        client.connection_pool.release(connection)


def test_a_loaded_module_is_listed_everywhere(client: redis.Redis) -> None:
    about = ["name", "token-bucket", "ver", 3, "path", "shmcache_token_bucket:load", "args", []]
    assert run(client, "MODULE", "LIST") == [about]
    hello = run(client, "HELLO", 2)
    assert hello[hello.index("modules") + 1] == [about]
    assert "module:name=token-bucket,ver=3,api=1," in str(run(client, "INFO", "modules"))
    names = run(client, "COMMAND", "LIST", "FILTERBY", "MODULE", "token-bucket")
    assert names == ["tokenbucket.take", "tokenbucket.peek"]
    assert run(client, "COMMAND", "LIST", "FILTERBY", "MODULE", "") == []


def test_its_commands_are_described_like_others(client: redis.Redis) -> None:
    info = run(client, "COMMAND", "INFO", "tokenbucket.take")[0]
    assert info[:6] == ["tokenbucket.take", -4, ["write", "denyoom", "fast", "module"], 1, 1, 1]
    assert info[6] == ["@write", "@fast"]
    docs = run(client, "COMMAND", "DOCS", "tokenbucket.peek")
    facts = dict(zip(docs[1][::2], docs[1][1::2], strict=True))
    assert (facts["group"], facts["module"]) == ("module", "token-bucket")
    keys = run(client, "COMMAND", "GETKEYS", "tokenbucket.take", "k", 1, 2)
    assert keys == ["k"]


def test_wrong_numbers_of_words_are_refused(client: redis.Redis) -> None:
    with pytest.raises(redis.ResponseError, match="wrong number of arguments for 'tokenb"):
        run(client, "TOKENBUCKET.TAKE", "k")


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("nothing", "no installed package offers it"),
        ("token-bucket", "it is loaded already"),
        ("odd-two", "several packages offer it: shmcache_odd:half, shmcache_odd:reply"),
        ("odd-import", "importing it failed: ModuleNotFoundError: No module named"),
        ("odd-missing", "importing it failed: AttributeError"),
        ("odd-object", "shmcache_odd:NOT_CALLABLE is no function"),
        ("odd-leave", "SystemExit: 3"),
        ("odd-not-a-module", "made a dict, not a Module"),
        ("odd-other-api", "written for version 99 of the module interface, and this is version 1"),
        ("odd-clash", "there is a command 'get' already"),
        ("odd-clash-with-module", "there is a command 'tokenbucket.take' already"),
        ("odd-twice", "command 'odd.twice' is declared twice"),
        ("odd-flags", "'odd.flags': its flags must have one of 'readonly' and 'write'"),
        ("odd-unknown-flag", "'odd.flags': unknown flag 'quick'"),
        ("odd-bad-name", "a command cannot be called 'ODD name'"),
    ],
)
def test_what_cannot_be_loaded_is_one_line(
    daemon: DaemonProcess, client: redis.Redis, name: str, line: str
) -> None:
    before = run(client, "COMMAND", "COUNT"), len(daemon.log_text().splitlines())
    with pytest.raises(redis.ResponseError, match=NOT_LOADED):
        run(client, "MODULE", "LOAD", name)
    said = daemon.log_text().splitlines()[before[1] :]
    assert len(said) == 1
    assert f"module '{name}': " in said[0]
    assert line in said[0]
    assert run(client, "COMMAND", "COUNT") == before[0]


def test_a_module_can_be_unloaded_and_loaded_again(client: redis.Redis) -> None:
    with pytest.raises(redis.ResponseError, match="no such module with that name"):
        run(client, "MODULE", "UNLOAD", "odd-half")
    for _ in range(2):
        assert run(client, "MODULE", "LOAD", "odd-half", "an", "argument") == "OK"
        assert run(client, "MODULE", "LIST")[-1][-1] == ["an", "argument"]
        with pytest.raises(redis.ResponseError, match="a mistake"):
            run(client, "ODD.HALF", "h")
        assert run(client, "MODULE", "UNLOAD", "odd-half") == "OK"
        with pytest.raises(redis.ResponseError, match="unknown command"):
            run(client, "ODD.HALF", "h")


def test_what_was_queued_outlives_its_module(client: redis.Redis, daemon: DaemonProcess) -> None:
    run(client, "MODULE", "LOAD", "odd-half")
    with redis.Redis(
        unix_socket_path=daemon.socket, single_connection_client=True, decode_responses=True
    ) as other:
        other.execute_command("MULTI")
        assert other.execute_command("ODD.HALF", "h") == "QUEUED"
        run(client, "MODULE", "UNLOAD", "odd-half")
        (answer,) = other.execute_command("EXEC")
        assert "command 'odd.half' failed" in str(answer)
        with pytest.raises(redis.ResponseError, match="unknown command"):
            other.execute_command("ODD.HALF", "h")


@pytest.mark.parametrize("argument", [(), ("exit",)])
def test_a_command_that_raises_leaves_nothing(
    client: redis.Redis, daemon: DaemonProcess, argument: tuple[str, ...]
) -> None:
    run(client, "MODULE", "LOAD", "odd-half")
    try:
        before = len(daemon.log_text().splitlines())
        with pytest.raises(redis.ResponseError, match="module 'odd-half': command"):
            run(client, "ODD.HALF", "h", *argument)
        said = daemon.log_text().splitlines()[before:]
        assert ["command 'odd.half' failed: " in line for line in said] == [True]
        assert client.exists("h") == 0
        with client.pipeline() as pipe:
            pipe.set("before", 1)
            pipe.execute_command("ODD.HALF", "h", *argument)
            pipe.set("after", 2)
            replies = pipe.execute(raise_on_error=False)
        assert [type(reply) for reply in replies] == [bool, redis.ResponseError, bool]
        assert client.mget("before", "after") == ["1", "2"]
        assert client.exists("h") == 0
    finally:
        run(client, "MODULE", "UNLOAD", "odd-half")


def test_a_reply_that_is_none_is_an_error(client: redis.Redis) -> None:
    run(client, "MODULE", "LOAD", "odd-reply")
    try:
        with pytest.raises(redis.ResponseError, match="internal error"):
            run(client, "ODD.REPLY", "h")
        assert client.ping()
    finally:
        run(client, "MODULE", "UNLOAD", "odd-reply")


# ---- options


def test_options_are_those_of_config(client: redis.Redis) -> None:
    name = "token-bucket.most-tokens"
    assert client.config_get("token-bucket.*") == {name: "1000"}
    assert client.config_set(name, "20")
    assert client.config_get(name.upper()) == {name.upper(): "20"}
    with pytest.raises(redis.ResponseError, match="a number from 1 to 20 is wanted"):
        run(client, "TOKENBUCKET.TAKE", "k", 21, 1)
    with pytest.raises(redis.ResponseError, match=f"'{name}'.*most-tokens must not end with a 7"):
        client.config_set(name, "27")
    with pytest.raises(redis.ResponseError, match="argument must be between 1 and 1000000"):
        client.config_set(name, "0")
    assert client.config_get(name) == {name: "20"}
    assert client.config_set(name, "1000")


def test_loadex(client: redis.Redis, daemon: DaemonProcess) -> None:
    name = "token-bucket.most-tokens"
    run(client, "MODULE", "UNLOAD", "token-bucket")
    try:
        assert client.config_get("token-bucket.*") == {}
        wrong: list[tuple[list[str], str]] = [
            (["FOO"], "syntax error at 'FOO'"),
            (["CONFIG", name], "CONFIG without a name and a value"),
            (["CONFIG", name, "5", "CONFIG"], "CONFIG without a name and a value"),
            (["CONFIG", "token-bucket.nothing", "5"], "it has no option 'token-bucket.nothing'"),
            (["CONFIG", name, "x"], f"option '{name}': argument couldn't be parsed"),
            (["CONFIG", name, "7"], f"option '{name}': most-tokens must not end with a 7"),
            (["ARGS", "1", "2"], "at most one argument is wanted"),
            (["ARGS", "x"], "invalid literal for int()"),
        ]
        for words, line in wrong:
            with pytest.raises(redis.ResponseError, match=NOT_LOADED):
                run(client, "MODULE", "LOADEX", "token-bucket", *words)
            assert line in daemon.log_text().splitlines()[-1]
        given = ("CONFIG", name, "5", "ARGS", "60")
        assert run(client, "MODULE", "LOADEX", "token-bucket", *given) == "OK"
        assert client.config_get(name) == {name: "5"}
        run(client, "MODULE", "UNLOAD", "token-bucket")
    finally:
        run(client, "MODULE", "LOADEX", "token-bucket")
    assert client.config_get(name) == {name: "1000"}


# ---- who may, and what outlives a process


def test_loading_has_to_be_allowed(tmp_path: Path, environment: Mapping[str, str]) -> None:
    with DaemonProcess(tmp_path) as daemon:
        daemon.launch("--requirepass", "secret", environment=environment)
        eventually(lambda: daemon.ask("PING").startswith(b"-NOAUTH"))
        for words in (("LOAD", "token-bucket"), ("LOADEX", "x"), ("UNLOAD", "x")):
            refusal = daemon.ask("MODULE", *words)
            assert refusal.startswith(b"-ERR MODULE command not allowed. If the enable-module-comm")
        assert daemon.ask("MODULE", "LIST").startswith(b"-NOAUTH")


def check_permissions(daemon: DaemonProcess) -> None:
    """Users are allowed or refused a module's commands as any others."""
    with redis.Redis(unix_socket_path=daemon.socket, username="named") as client:
        assert run(client, "TOKENBUCKET.TAKE", "named:k", 9, 1)[0] == 1
        with pytest.raises(redis.exceptions.NoPermissionError, match="access a key"):
            run(client, "TOKENBUCKET.TAKE", "k", 9, 1)
        with pytest.raises(redis.exceptions.NoPermissionError, match=r"tokenbucket\.peek"):
            run(client, "TOKENBUCKET.PEEK", "named:k", 9, 1)


class ConfiguredDaemon(DaemonProcess):
    """A daemon with a configuration file."""

    def command(self, *options: str) -> list[str]:
        words = super().command(*options)
        return [*words[:3], str(self.directory / "conf"), *words[3:]]


def test_everything_is_loaded_again(tmp_path: Path, environment: Mapping[str, str]) -> None:
    config = tmp_path / "conf"
    mine = ["enable-module-command yes", "# mine", "token-bucket.most-tokens 30"]
    mine += ["loadmodule token-bucket", "nothing.of-this 1", "loadmodule odd-clash"]
    user = "user named on nopass ~named:* resetchannels -@all +tokenbucket.take"
    config.write_text("\n".join([*mine, user]))
    with ConfiguredDaemon(tmp_path) as daemon:
        daemon.start(environment=environment)
        assert "'odd-clash': there is a command 'get' already" in daemon.log_text()
        assert "option 'nothing.of-this' belongs to no module that is loaded" in daemon.log_text()
        check_permissions(daemon)
        with redis.Redis(unix_socket_path=daemon.socket, decode_responses=True) as client:
            assert client.config_get("token-*") == {"token-bucket.most-tokens": "30"}
            client.config_set("token-bucket.most-tokens", 40)
            run(client, "MODULE", "LOAD", "odd-half", "two words")
            front_end = daemon.frontend()
            front_end.send_signal(signal.SIGKILL)
            eventually(lambda: daemon.frontend().pid != front_end.pid and daemon._answers())
            assert client.config_get("token-*") == {"token-bucket.most-tokens": "40"}
            assert "two words" in str(run(client, "MODULE", "LIST"))
            assert [note.name for note in load_notes(daemon.name)] == ["token-bucket", "odd-half"]
            client.config_rewrite()
        check_permissions(daemon)
        lines = config.read_text().splitlines()
        mine[2] = "token-bucket.most-tokens 40"
        assert lines[: len(mine)] == mine
        assert lines.count('loadmodule odd-half "two words"') == 1
        assert daemon.stop() == 0
        assert module_notes_path(daemon.name).exists()  # workers go on while it restarts
    assert not module_notes_path(daemon.name).exists()
