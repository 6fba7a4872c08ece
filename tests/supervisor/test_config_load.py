"""Files, includes, standard input and the command line, and which of them wins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shmcache.config import OPTIONS, Config, Loaded, load, parse_command_line
from shmcache.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path


def read(*arguments: str, stdin: bytes = b"") -> Config:
    return load(parse_command_line(arguments), stdin=stdin).config


def complaint(*arguments: str, stdin: bytes = b"") -> str:
    with pytest.raises(ConfigurationError) as caught:
        read(*arguments, stdin=stdin)
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_the_last_source_wins(tmp_path: Path) -> None:
    file = tmp_path / "a.conf"
    file.write_text("hz 1\ntimeout 1\ntcp-keepalive 1\n")
    config = read(str(file), "-", "--hz", "3", stdin=b"hz 2\ntimeout 2\n")
    assert [config.integer(name) for name in ("hz", "timeout", "tcp-keepalive")] == [3, 2, 1]
    assert config.path == str(file)


@pytest.mark.parametrize(
    "arguments",
    [["FILE", "-"], ["-"], ["--hz", "5", "-"], ["-", "--hz", "5"], ["FILE", "-", "--hz", "5"]],
)
def test_a_dash_reads_standard_input(tmp_path: Path, arguments: list[str]) -> None:
    file = tmp_path / "a.conf"
    file.write_text("")
    arguments = [str(file) if argument == "FILE" else argument for argument in arguments]
    assert parse_command_line(arguments).stdin
    assert read(*arguments, stdin=b"timeout 7\n").integer("timeout") == 7


def test_without_a_dash_standard_input_is_left_alone() -> None:
    assert not parse_command_line(["--requirepass", "a-b"]).stdin
    assert not parse_command_line([]).stdin


@pytest.mark.parametrize(
    ("arguments", "name", "text"),
    [
        (["--hz", "5"], "hz", "5"),
        (["--hz 5"], "hz", "5"),
        (["--HZ", "5"], "hz", "5"),
        (["--slave-priority", "5"], "replica-priority", "5"),
        (["--requirepass", "--x y"], "requirepass", "--x y"),
        (["--requirepass", ""], "requirepass", ""),
        (["--save", "900", "1", "300", "10"], "save", "900 1 300 10"),
        (["--save", "--hz", "5"], "save", ""),
        (["--save"], "save", ""),
        (["--save", ""], "save", ""),
        (["--bind", "127.0.0.1", "::1"], "bind", "127.0.0.1 ::1"),
        (["--maxmemory", "64mb"], "maxmemory", str(64 << 20)),
    ],
)
def test_command_line(arguments: list[str], name: str, text: str) -> None:
    assert read(*arguments).show(name) == text


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["--no-such", "1"], "command line: '--no-such 1': Bad directive or wrong number of"),
        (["--hz", "x"], "command line: '--hz x': argument couldn't be parsed into an integer"),
        (["--hz"], "wrong number of arguments"),
        (["--hz", "1", "2"], "wrong number of arguments"),
        (["--hz", "--port", "0"], "'--hz --port 0': wrong number of arguments"),
        (["--"], "Bad directive"),
        (["-x"], "unexpected argument '-x'"),
        (["--maxmemory", "12parsecs"], "argument must be a memory value"),
        (["--loglevel", "lo\nud"], "argument(s) must be one of the following: debug, verbose"),
        (["--name", "a\0b"], "NUL"),
        (['--port "5'], "Unbalanced quotes"),
    ],
)
def test_command_line_errors(arguments: list[str], part: str) -> None:
    assert part in complaint(*arguments)


def test_errors_say_which_file_and_line(tmp_path: Path) -> None:
    inner, outer = tmp_path / "inner.conf", tmp_path / "outer.conf"
    inner.write_text("# fine\n\nport 70000\n")
    outer.write_text(f"hz 1\ninclude {inner}\n")
    expected = f"{inner} line 3: 'port 70000': argument must be between 0 and 65535 inclusive"
    assert complaint(str(outer)) == expected
    assert "standard input line 2: 'x': Bad directive" in complaint("-", stdin=b"hz 1\nx")


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "missing.conf"
    assert f"can't open config file '{missing}': No such file" in complaint(str(missing))
    assert "Is a directory" in complaint(str(tmp_path))
    file = tmp_path / "a.conf"
    file.write_text(f"include {missing}\n")
    assert f"can't open config file '{missing}'" in complaint(str(file))


def test_an_endless_file_is_refused() -> None:
    assert "larger than" in complaint("/dev/zero")


def test_includes_take_patterns_and_do_not_loop(tmp_path: Path) -> None:
    (tmp_path / "1.inc").write_text("hz 1\ntimeout 1\n")
    (tmp_path / "2.inc").write_text("hz 2\n")
    file = tmp_path / "a.conf"
    file.write_text(f'include "{tmp_path}/*.inc"\ninclude {tmp_path}/*.nothing\n')
    config = read(str(file))
    assert (config.integer("hz"), config.integer("timeout")) == (2, 1)
    file.write_text(f"include {file}\n")
    assert "includes itself" in complaint(str(file))


def test_what_accumulates_starts_anew_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "a.conf"
    file.write_text(
        "save 900 1\nsave 300 10\nuser a on\nuser b off\n"
        "client-output-buffer-limit pubsub 1mb 2mb 3\n"
        "client-output-buffer-limit normal 1 2 3\n"
    )
    config = read(str(file))
    assert config.show("save") == "900 1 300 10"
    assert config.value("user") == (("a", "on"), ("b", "off"))
    assert config.show("client-output-buffer-limit") == (
        "normal 1 2 3 slave 268435456 67108864 60 pubsub 1048576 2097152 3"
    )


def test_windows_line_ends_and_bytes_that_are_no_text(tmp_path: Path) -> None:
    file = tmp_path / "a.conf"
    file.write_bytes(b'hz 5\r\nrequirepass "\\xff\xfe"\r\n')
    config = read(str(file))
    assert config.text("requirepass") == "\udcff\udcfe"


def test_options_without_effect_are_named_once() -> None:
    arguments = [
        "--appendonly",
        "no",
        "--cluster-enabled",
        "no",
        "--appendonly",
        "yes",
        "--hz",
        "5",
    ]
    loaded: Loaded = load(parse_command_line(arguments))
    assert loaded.unused == ["appendonly", "cluster-enabled"]
    assert loaded.given == {"appendonly", "cluster-enabled", "hz"}


def test_defaults_that_depend_on_the_machine_are_no_choice() -> None:
    config = Config({"unixsocket": "/run/x.sock"})
    assert config.text("unixsocket") == "/run/x.sock"
    assert config.is_default(OPTIONS["unixsocket"])
    config.set_default("unixsocket", "/run/y.sock")
    assert config.text("unixsocket") == "/run/y.sock"
    assert config.is_default(OPTIONS["unixsocket"])


NAMES = sorted(OPTIONS)
WORDS = st.one_of(
    st.sampled_from(["yes", "no", "0", "5", "1mb", "", '"', "'", "#", "normal", "900", "\\x"]),
    st.text(max_size=12),
)
LINE = st.builds(
    lambda name, words: " ".join([name, *words]),
    st.one_of(st.sampled_from(NAMES), st.text(max_size=8)),
    st.lists(WORDS, max_size=4),
)


@given(st.lists(LINE, max_size=8))
@settings(deadline=None)
def test_any_lines_are_a_configuration_or_an_error(lines: list[str]) -> None:
    content = "\n".join(line for line in lines if not line.lower().lstrip().startswith("include"))
    content = "\n".join(p for p in content.split("\n") if not p.strip().lower().startswith("incl"))
    _load_or_complain(content.encode("utf-8", "replace"))


@given(st.binary(max_size=200).filter(lambda content: b"incl" not in content.lower()))
@settings(deadline=None)
def test_any_bytes_are_a_configuration_or_an_error(content: bytes) -> None:
    _load_or_complain(content)


def _load_or_complain(content: bytes) -> None:
    try:
        config = read("-", stdin=content)
    except ConfigurationError as error:
        assert str(error).isprintable(), str(error)  # noqa: PT017 - both outcomes are fine
        return
    assert Config.from_texts(config.texts()).texts() == config.texts()
