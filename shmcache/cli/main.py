"""The program ``shmcache-cli``."""

from __future__ import annotations

import contextlib
import getpass
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from shmcache.cli.connection import Connection
from shmcache.cli.errors import CliError
from shmcache.cli.formats import Style
from shmcache.cli.options import Options, parse_options
from shmcache.cli.session import Session
from shmcache.cli.usage import USAGE
from shmcache.supervisor.lean import preload_redis_exceptions

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]

_LOCAL_WORDS: Final = ([b"arena"], [b"check"], [b"load"])
_WARNING: Final = (
    "Warning: Using a password with '-a' or '-u' option on the command line interface may not be "
    "safe.\n"
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program.

    :param arguments: the command line without the program's name; default: this process's
    :return: the exit status; what is wrong is one line on standard error
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    preload_redis_exceptions()  # all that is wanted of redis-py, at a tenth of its price
    try:
        status = _run(parse_options(arguments))
        sys.stdout.flush()
    except CliError as error:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
        sys.stderr.write(f"{error.line}\n")
        return 1
    except BrokenPipeError:
        # Whoever read has had enough. What is still buffered must not be tried again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 128 + signal.SIGPIPE
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return status


def _run(options: Options) -> int:
    if options.mode == "help":
        sys.stdout.write(USAGE)
        return 0
    if options.mode == "version":
        from shmcache import __version__  # noqa: PLC0415

        sys.stdout.write(f"shmcache-cli {__version__}\n")
        return 0
    if not options.mode and options.words[:1] in _LOCAL_WORDS:
        return _run_here(options)
    if options.ask_password:
        options.password = os.fsencode(getpass.getpass("Please input password: "))
    elif options.password_shown and options.auth_warning:
        sys.stderr.write(_WARNING)
        sys.stderr.flush()
    connection = _connection(options)
    if options.mode:
        connection.open()
        return _run_mode(options, connection)
    return _run_commands(options, connection)


def _run_here(options: Options) -> int:
    """Do what needs no server."""
    word, *rest = map(os.fsdecode, options.words)
    if word == "arena":
        from shmcache.cli.arena_view import show_arena  # noqa: PLC0415

        return show_arena(options.name, rest)
    from shmcache.cli.files import check_file, load_file  # noqa: PLC0415

    return check_file(rest) if word == "check" else load_file(options.name, rest)


def _connection(options: Options) -> Connection:
    from shmcache.cli.target import find_target  # noqa: PLC0415

    wish = not options.protocol and options.output in {"json", "quoted-json"}
    return Connection(
        find_target(options),
        db=options.db,
        user=options.user,
        password=options.password,
        protocol=3 if wish else options.protocol or 2,
        protocol_is_wish=wish,
    )


def _on_terminal() -> bool:
    return sys.stdout.isatty() or bool(os.environ.get("FAKETTY"))


def _output(options: Options) -> str:
    return options.output or ("standard" if _on_terminal() else "raw")


def _run_mode(options: Options, connection: Connection) -> int:
    from shmcache.cli import gauges, keyspace, pipe  # noqa: PLC0415

    walk = keyspace.Walk(
        connection, pattern=options.pattern, count=options.count, interval=options.interval
    )
    if options.mode == "pipe":
        return pipe.transfer(connection, options.pipe_timeout)
    if options.mode == "scan":
        keyspace.show_keys(walk, quoted=_output(options) == "standard")
    elif options.mode == "hotkeys":
        keyspace.show_hot_keys(walk)
    elif options.mode in {"bigkeys", "memkeys"}:
        by_memory = options.mode == "memkeys"
        keyspace.show_big_keys(walk, samples=options.samples, by_memory=by_memory)
    elif options.mode == "stat":
        gauges.show_statistics(connection, interval=options.interval, repeat=options.repeat)
    else:
        gauges.show_latency(
            connection,
            output=_output(options),
            interval=options.interval,
            history=options.mode == "latency-history",
            live=_output(options) == "standard",
        )
    return 0


def _run_commands(options: Options, connection: Connection) -> int:
    words = _words(options)
    pushes = options.show_pushes
    session = Session(
        connection,
        Style(_output(options), options.between, options.after),
        fail_status=options.fail_status,
        show_pushes=_on_terminal() if pushes is None else pushes,
        may_reconnect=not words,
    )
    if words and words[0].lower() in {b"help", b"?"}:
        from shmcache.cli.helping import help_text  # noqa: PLC0415

        sys.stdout.buffer.write(help_text(words[1:]))
    elif words:
        connection.open()
        session.run(words, repeat=options.repeat, interval=options.interval)
    else:
        _run_lines(session)
    return 0


def _words(options: Options) -> list[bytes]:
    """Return the command, with what comes from standard input and from a script's file."""
    words = options.words
    if options.stdin_tag is not None:
        if words and options.stdin_tag not in words:
            raise CliError("Using -X option but stdin tag not match.")
        place = words.index(options.stdin_tag) if words else 0
        words = [*words[:place], sys.stdin.buffer.read(), *words[place + 1 :]]
    elif options.stdin_last:
        words = [*words, sys.stdin.buffer.read()]
    if not options.script:
        return words
    try:
        script = Path(options.script).read_bytes()
    except OSError as error:
        raise CliError(f"Can't open file '{options.script}': {error.strerror}") from None
    keys = words.index(b",") if b"," in words else len(words)
    return [b"EVAL", script, b"%d" % keys, *words[:keys], *words[keys + 1 :]]


def _run_lines(session: Session) -> None:
    from shmcache.cli.lines import Lines  # noqa: PLC0415

    lines = Lines(session)
    if sys.stdin.isatty() and sys.stdout.isatty():
        from shmcache.cli.interactive import converse  # noqa: PLC0415

        lines.run_all([])  # connects, or says why not
        converse(lines, session)
    else:
        lines.run_all(sys.stdin.buffer)


if __name__ == "__main__":
    raise SystemExit(main())
