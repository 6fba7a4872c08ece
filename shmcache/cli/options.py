"""The command line, by redis-cli's rules: options first, then the command and its words."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import unquote_to_bytes, urlsplit

from shmcache.cli.errors import CliError
from shmcache.cli.quoting import QuotingError, unquote

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Options", "TlsOptions", "parse_options"]

_ELSEWHERE: Final = {
    **dict.fromkeys(("-c", "--cluster"), "there are no clusters here"),
    "--tls-ciphersuites": "Python's ssl cannot choose them",
    **dict.fromkeys(("--replica", "--rdb", "--functions-rdb"), "there is no replication here"),
    **dict.fromkeys(("--ldb", "--ldb-sync-mode"), "there is no script debugger here"),
    **dict.fromkeys(
        ("--lru-test", "--latency-dist", "--intrinsic-latency"), "use redis-cli for it"
    ),
}


class TlsOptions(NamedTuple):
    """redis-cli's options for TLS; empty: not given."""

    authority_file: str = ""
    authority_directory: str = ""
    certificate_file: str = ""
    key_file: str = ""
    server_name: str = ""
    """What the server is told it is called (SNI)."""
    ciphers: str = ""


@dataclass
class Options:
    """What was asked for; see the usage text."""

    name: str = "default"
    socket_path: str = ""
    host: str = ""
    port: int = 0
    tls: bool = False
    tls_options: TlsOptions = field(default_factory=TlsOptions)
    insecure: bool = False
    """Take any certificate of the server's."""
    db: int = 0
    user: bytes = b""
    password: bytes | None = None
    password_shown: bool = False
    ask_password: bool = False
    auth_warning: bool = True
    protocol: int = 0
    repeat: int = 1
    interval: float = 0.0
    stdin_last: bool = False
    stdin_tag: bytes | None = None
    quoted_input: bool = False
    fail_status: bool = False
    script: str = ""
    output: str = ""
    between: bytes = b"\n"
    after: bytes = b"\n"
    show_pushes: bool | None = None
    mode: str = ""
    pattern: bytes = b""
    count: int = 0
    samples: int | None = None
    pipe_timeout: int = 30
    words: list[bytes] = field(default_factory=list)

    @property
    def is_tcp(self) -> bool:
        """Whether to connect by TCP."""
        return not self.socket_path and bool(self.host or self.port or self.tls)


def _integer(option: str, text: str, least: int, most: int) -> int:
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if not least <= value <= most:
        raise CliError(f"{option} needs a whole number from {least} to {most}, not '{text}'")
    return value


def _seconds(option: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1e9:
        raise CliError(f"{option} needs a number of seconds, not '{text}'")
    return value


def _set_password(options: Options, text: str) -> None:
    options.password, options.password_shown = os.fsencode(text), True


def _set_uri(options: Options, text: str) -> None:
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise CliError(f"Invalid URI: '{text}'") from None
    if parts.scheme not in {"redis", "rediss", "unix"}:
        raise CliError("Invalid URI scheme: use redis://HOST:PORT/DB or unix://SOCKET")
    options.tls = options.tls or parts.scheme == "rediss"
    if parts.scheme == "unix":
        options.socket_path = parts.netloc + parts.path
    else:
        options.host, options.port = host or "127.0.0.1", port or 6379
        if parts.path.strip("/"):
            options.db = _integer("-u", parts.path.strip("/"), 0, 2**31 - 1)
    if parts.password is not None:
        options.user = unquote_to_bytes(parts.username or "")
        options.password, options.password_shown = unquote_to_bytes(parts.password), True
    elif parts.username is not None:
        options.password, options.password_shown = unquote_to_bytes(parts.username), True


def _set_protocol(options: Options, version: int) -> None:
    if options.protocol not in (0, version):
        raise CliError("Options -2 and -3 are mutually exclusive.")
    options.protocol = version


def _set_pushes(options: Options, text: str) -> None:
    if text[:1].lower() not in {"y", "n"}:
        raise CliError(f"Unknown --show-pushes value '{text}' (valid: '[y]es', '[n]o')")
    options.show_pushes = text[:1].lower() == "y"


def _set_quoted_pattern(options: Options, text: str) -> None:
    try:
        options.pattern = unquote(os.fsencode(text))
    except QuotingError:
        raise CliError("Invalid quoted string specified for --quoted-pattern.") from None


def _assign(
    name: str, convert: Callable[[str, str], object]
) -> Callable[[Options, str, str], None]:
    return lambda options, option, text: setattr(options, name, convert(option, text))


def _whole(least: int, most: int = 2**63 - 1) -> Callable[[str, str], int]:
    return lambda option, text: _integer(option, text, least, most)


def _bytes(_option: str, text: str) -> bytes:
    return os.fsencode(text)


def _text(_option: str, text: str) -> str:
    return text


def _tls(name: str) -> Callable[[Options, str, str], None]:
    def assign(options: Options, _option: str, text: str) -> None:
        options.tls_options = options.tls_options._replace(**{name: text})

    return assign


_WITH_VALUE: Final[dict[str, Callable[[Options, str, str], None]]] = {
    "--name": _assign("name", _text),
    "-s": _assign("socket_path", _text),
    "-h": _assign("host", _text),
    "-p": _assign("port", _whole(1, 65535)),
    "-n": _assign("db", _whole(0, 2**31 - 1)),
    "-u": lambda options, _, text: _set_uri(options, text),
    "-a": lambda options, _, text: _set_password(options, text),
    "--pass": lambda options, _, text: _set_password(options, text),
    "--user": _assign("user", _bytes),
    "-r": _assign("repeat", _whole(-1)),
    "-i": _assign("interval", _seconds),
    "-X": _assign("stdin_tag", _bytes),
    "-d": _assign("between", _bytes),
    "-D": _assign("after", _bytes),
    "--eval": _assign("script", _text),
    "--show-pushes": lambda options, _, text: _set_pushes(options, text),
    "--pattern": _assign("pattern", _bytes),
    "--quoted-pattern": lambda options, _, text: _set_quoted_pattern(options, text),
    "--count": _assign("count", _whole(1)),
    "--cacert": _tls("authority_file"),
    "--cacertdir": _tls("authority_directory"),
    "--cert": _tls("certificate_file"),
    "--key": _tls("key_file"),
    "--sni": _tls("server_name"),
    "--tls-ciphers": _tls("ciphers"),
    "--pipe-timeout": _assign("pipe_timeout", _whole(0, 10**9)),
}
_MODES: Final = (
    *("scan", "bigkeys", "memkeys", "hotkeys", "stat", "latency", "latency-history", "pipe"),
    *("help", "version"),
)
_SWITCHES: Final[dict[str, tuple[str, object]]] = {
    "-x": ("stdin_last", True),
    "-e": ("fail_status", True),
    "--quoted-input": ("quoted_input", True),
    "--tls": ("tls", True),
    "--insecure": ("insecure", True),
    "--askpass": ("ask_password", True),
    "--no-auth-warning": ("auth_warning", False),
    "--raw": ("output", "raw"),
    "--no-raw": ("output", "standard"),
    "--csv": ("output", "csv"),
    "--json": ("output", "json"),
    "--quoted-json": ("output", "quoted-json"),
    **{f"--{mode}": ("mode", mode) for mode in _MODES},
    "-v": ("mode", "version"),
}


def parse_options(arguments: Sequence[str]) -> Options:
    """Read a command line.

    :param arguments: without the program's name
    :raises CliError: an unknown option, or one with a bad value or none
    """
    options = Options()
    if "REDISCLI_AUTH" in os.environ:
        options.password = os.fsencode(os.environ["REDISCLI_AUTH"])
    at = 0
    while at < len(arguments) and arguments[at].startswith("-"):
        at += _take(options, arguments[at], arguments[at + 1 : at + 2])
    options.words = list(map(os.fsencode, arguments[at:]))
    if options.stdin_last and options.stdin_tag is not None:
        raise CliError("Options -x and -X are mutually exclusive.")
    if options.quoted_input:
        try:
            options.words = list(map(unquote, options.words))
        except QuotingError:
            raise CliError("Invalid quoted string") from None
    return options


def _take(options: Options, option: str, following: Sequence[str]) -> int:
    """Carry out one option; how many words it took."""
    if option in {"-2", "-3"}:
        _set_protocol(options, int(option[1]))
    elif option == "-h" and not following:
        options.mode = "help"
    elif option == "--memkeys-samples" and following:
        options.mode, options.samples = "memkeys", _integer(option, following[0], 0, 2**63 - 1)
        return 2
    elif option in _WITH_VALUE and following:
        _WITH_VALUE[option](options, option, following[0])
        return 2
    elif option in _SWITCHES:
        setattr(options, *_SWITCHES[option])
    elif option in _ELSEWHERE:
        raise CliError(f"{option} is not supported: {_ELSEWHERE[option]}")
    else:
        raise CliError(f"Unrecognized option or bad number of args for: '{option}'")
    return 1
