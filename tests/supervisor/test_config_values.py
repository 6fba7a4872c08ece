"""Values of options: what is taken, what is refused and in which words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shmcache.config import OPTIONS, Config, OptionError, find_option, load, parse_command_line
from shmcache.config.kinds import format_memory, parse_memory
from shmcache.config.lists import Directives
from shmcache.errors import ConfigurationError
from supervisor.redis_oracle import needs_redis, redis_complaint, running_redis

if TYPE_CHECKING:
    from pathlib import Path

OURS = {"name", "shm-mode", "shm-group", "shm-keep"}
NEWER = {"set-max-listpack-entries", "set-max-listpack-value"}  # than the server compared with
DIFFERENT_DEFAULTS = {"maxmemory", "bind", "dir", "unixsocket", "enable-protected-configs"}


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("0", 0),
        ("100", 100),
        ("1b", 1),
        ("1k", 1000),
        ("1kb", 1024),
        ("1m", 1_000_000),
        ("1mb", 1 << 20),
        ("2GB", 2 << 30),
        ("2g", 2_000_000_000),
    ],
)
def test_memory_units(text: str, count: int) -> None:
    assert parse_memory(text) == count


@pytest.mark.parametrize("text", ["", "b", "1.5gb", "-1", "+1", "1 mb", "1tb", "0x10", "1" * 40])
def test_what_is_no_memory_size(text: str) -> None:
    with pytest.raises(ValueError, match="argument must be a memory value"):
        parse_memory(text)


@given(st.integers(0, 2**63 - 1))
@settings(deadline=None)
def test_memory_sizes_are_read_back(count: int) -> None:
    assert parse_memory(format_memory(count)) == count


def test_typed_access() -> None:
    config = Config()
    config.commit(config.check([("timeout", "5"), ("slave-priority", "7")]))
    assert config.integer("TIMEOUT") == 5
    assert config.integer("replica-priority") == config.integer("slave-priority") == 7
    assert config.boolean("protected-mode") is True
    assert config.text("requirepass") == ""
    assert config.show("shm-mode") == "0640"
    with pytest.raises(KeyError):
        config.value("no-such-option")


def test_texts_travel_between_processes() -> None:
    config = Config()
    config.commit(config.check([("requirepass", "s p\u00e4\udcff"), ("maxmemory-clients", "5%")]))
    config.commit(config.parse_directive("user", ["bob", "on", ">a b", "#x"], first=True))
    config.commit(config.parse_directive("user", ["eve", "off"], first=False))
    config.commit(config.parse_directive("save", [""], first=True))
    copy = Config.from_texts(config.texts(), path="/x")
    assert copy.texts() == config.texts()
    assert not config.differences(copy)
    assert copy.value("user") == (("bob", "on", ">a b", "#x"), ("eve", "off"))
    assert copy.path == "/x"


def test_every_default_is_read_back() -> None:
    config = Config()
    for name, option in OPTIONS.items():
        assert config.parse({name: config.show(name)}) == {name: option.default}, name


def test_differences_name_what_changed() -> None:
    one, other = Config(), Config()
    other.commit(other.check([("hz", "50"), ("loglevel", "debug")]))
    assert one.differences(other) == {"hz": "50", "loglevel": "debug"}
    assert other.copy().differences(other) == {}


def test_config_set_is_all_or_nothing() -> None:
    config = Config()
    before = config.texts()
    with pytest.raises(OptionError):
        config.commit(config.check([("hz", "50"), ("timeout", "x")]))
    assert config.texts() == before


def test_protected_options_ask_for_permission(tmp_path: Path) -> None:
    config = Config()
    for allowed, local, passes in [
        ("no", True, False),
        ("local", False, False),
        ("local", True, True),
        ("yes", False, True),
    ]:
        config.commit(config.parse({"enable-protected-configs": allowed}))
        if passes:
            assert config.check([("dir", str(tmp_path))], local=local) == {"dir": str(tmp_path)}
        else:
            with pytest.raises(OptionError, match="can't set protected config"):
                config.check([("dir", str(tmp_path))], local=local)


@needs_redis
def test_every_option_of_redis_is_known(tmp_path: Path) -> None:
    with running_redis(tmp_path) as redis:
        reply = redis("CONFIG", "GET", "*")
    theirs = dict(zip(reply[::2], reply[1::2], strict=True))
    ours = dict(Config().items())
    assert set(theirs) <= set(ours)
    assert set(ours) - set(theirs) == OURS | NEWER
    different = {name for name, text in theirs.items() if ours[name] != text}
    assert different == DIFFERENT_DEFAULTS


CANDIDATES = [
    *("zz", "yes", "NO", "0", "1", "-1", "5", "99", "100", "101", "1000", "65535", "65536"),
    *("2147483647", "2147483648", "9223372036854775807", "-9223372036854775808", "01", "5%"),
    *("1kb", "1MB", "10gb", "0777", "888", "always", "allkeys-lru", "1 1", "60 1000", "a b"),
    *("normal 1 2 3", "normal 0 0 0 pubsub 1mb 2mb 3", "slave 1 2 -1", "Ex", "AKE", "K$g"),
    *("save now", "0 200 800", "50 99.9", "no one", "host 6379", "a/b", "default"),
]
# Where this cache's limits are its own, or Redis looks at the machine.
SKIPPED = (
    {
        "activedefrag",
        "databases",
        "dir",
        "maxclients",
        "tls-port",
        "debug-active-expire",  # not Redis's; DEBUG SET-ACTIVE-EXPIRE sets it
        "aclfile",
        "oom-score-adj",
        "repl-backlog-size",
    }
    | OURS
    | NEWER
)


@needs_redis
def test_config_set_answers_as_redis_does(tmp_path: Path) -> None:
    """Every option that Redis can change at run time, against a list of good and bad texts."""
    config = Config()
    config.commit(config.parse({"enable-protected-configs": "yes"}))
    compared = 0
    with running_redis(tmp_path) as redis:
        for name, option in OPTIONS.items():
            if name in SKIPPED or isinstance(option.kind, Directives):
                continue
            theirs_is_live = "immutable" not in redis("CONFIG", "SET", name, "zz")
            if name == "requirepass" or not theirs_is_live or name in {"bind", "port"}:
                redis("CONFIG", "SET", "requirepass", "")
                continue
            for text in CANDIDATES:
                theirs = redis("CONFIG", "SET", name, text)
                if "TLS configuration" in theirs:
                    continue  # the value was fine, the machine said no
                assert _set(config, name, text) == theirs, (name, text)
                compared += 1
            got = redis("CONFIG", "GET", name)
            assert config.show(name) == got[1], name
    assert compared > 3000


def _set(config: Config, name: str, text: str) -> str:
    try:
        config.commit(config.check([(name, text)], local=True))
    except OptionError as error:
        return str(error)
    return "OK"


@needs_redis
@pytest.mark.parametrize(
    "pairs",
    [
        ["foo", "1"],
        ["hz", "1", "hz", "2"],
        ["hz", "1", "daemonize", "yes"],
        ["timeout", "1", "slave-priority", "x"],
        ["slave-priority", "3", "replica-priority", "4"],
        ["user", "x"],
        ["TIMEOUT", "x"],
    ],
)
def test_config_set_errors_are_redis_s(tmp_path: Path, pairs: list[str]) -> None:
    config = Config()
    with running_redis(tmp_path) as redis:
        theirs = redis("CONFIG", "SET", *pairs)
    try:
        config.check(list(zip(pairs[::2], pairs[1::2], strict=True)))
        ours = "OK"
    except OptionError as error:
        ours = str(error)
    if theirs == "OK":  # Redis does not see that both names mean one option
        assert ours.endswith("duplicate parameter")
    else:
        assert ours == theirs


@needs_redis
@pytest.mark.parametrize(
    "line",
    [
        "hz",
        "hz 1 2",
        "port 70000",
        "save 10",
        'save "10 1"',
        "save -1 1",
        'save ""',
        'save "" ""',
        "unixsocketperm 0777",
        "unixsocketperm 1777",
        "unixsocketperm 778",
        "appendfilename a/b",
        "appenddirname a/b",
        'appendfilename ""',
        "dbfilename a/b",
        "client-output-buffer-limit normal 1 2",
        "client-output-buffer-limit foo 1 2 3",
        "client-output-buffer-limit normal x 2 3",
        "oom-score-adj-values 1 2",
        "oom-score-adj-values 1 2 8000",
        "latency-tracking-info-percentiles 50 101",
        "shutdown-on-sigterm save nosave",
        "shutdown-on-sigterm",
        "cluster-announce-hostname a_b",
        "proc-title-template {foo}",
        "bind 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17",
        "replicaof a",
        "replicaof no one",
        "replicaof h 99999",
        "maxmemory-clients 101%",
        "supervised maybe",
        "io-threads 129",
        "rename-command GET",
        "user",
        "loadmodule",
        "list-max-ziplist-entries 5",
        "timeout 5 # no comments here",
        'requirepass "abc',
        'port "5"x',
        "PORT 5",
    ],
)
def test_a_file_s_lines_are_judged_as_redis_does(tmp_path: Path, line: str) -> None:
    assert _our_complaint(tmp_path, line) == redis_complaint(tmp_path, line)


def _our_complaint(directory: Path, line: str) -> str | None:
    file = directory / "ours.conf"
    file.write_text(line + "\n")
    try:
        load(parse_command_line([str(file)]))
    except ConfigurationError as error:
        return str(error).removeprefix(f"{file} line 1: '{line}': ")
    return None


@given(st.sampled_from(sorted(OPTIONS)), st.text(max_size=40))
@settings(max_examples=500, deadline=None)
def test_any_text_is_a_value_or_an_option_error(name: str, text: str) -> None:
    config = Config()
    try:
        values = config.check([(name, text)])
    except OptionError:
        return
    config.commit(values)
    option = find_option(name)
    assert option is not None
    shown = config.show(name)
    assert config.parse({name: shown}) == values
