"""``scripts/run``: start everything, drive it with a trace, say what happened, stay up."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from demo.application import CACHE_VARIABLE, DATABASE_VARIABLE
from demo.catalogue import build_catalogue
from demo.load import Address, LoadResult, drive, fetch
from support.daemon import Daemon, remove_leftovers
from support.processes import (
    ScriptError,
    end_on_signals,
    program,
    runtime_directory,
    spawn,
    stop,
    undisturbed,
    wait_until,
)
from support.terminal import Progress, say
from support.traces import (
    ATTRIBUTION,
    TRACES,
    exact_lru_hits,
    load_trace,
    traces_directory,
    zipf_sequence,
)

if TYPE_CHECKING:
    import subprocess
    from array import array
    from collections.abc import Iterator, Sequence

_CACHE_PREFIX = "run"
_DEFAULT_TRACE = "web12"
_PERCENTILES = (50, 95, 99)


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="scripts/run",
        description="Start shmcached and gunicorn workers that share its cache in front of SQLite, "
        "drive them over HTTP with a recorded trace, print what came of it, and stay up.",
    )
    add = parser.add_argument
    add("--once", action="store_true", help="end after the report; the exit code tells")
    add("--workers", type=int, default=3, metavar="N", help="gunicorn workers (default: 3)")
    add("--requests", type=int, default=60_000, metavar="N", help="HTTP requests (default: 60,000)")
    add("--visitors", type=int, default=8, metavar="N", help="connections at a time (default: 8)")
    add("--maxmemory", default="16mb", metavar="SIZE", help="size of the cache (default: 16mb)")
    add("--port", type=int, default=0, metavar="N", help="of the application (default: a free one)")
    add(
        "--trace",
        choices=[*TRACES, "zipf"],
        help=f"access sequence (default: {_DEFAULT_TRACE} where recorded traces are, else zipf)",
    )
    parsed = parser.parse_args(arguments)
    for name in ("workers", "requests", "visitors"):
        if getattr(parsed, name) < 1:
            parser.error(f"--{name} must be at least 1")
    return parsed


def accesses_for(trace: str | None, requests: int) -> tuple[str, array[int]]:
    """Name and first `requests` accesses of the sequence asked for.

    :raises ScriptError: that trace is not here
    """
    directory = traces_directory()
    name = trace or (_DEFAULT_TRACE if directory else "zipf")
    if name == "zipf":
        return "a Zipf sequence", zipf_sequence(requests)
    path = (directory or Path()) / f"{name}.trace.xz"
    if not path.exists():
        raise ScriptError(f"there is no {path}; SHMCACHE_TRACES names another directory")
    return f"trace {name}", load_trace(path)[:requests]


@contextmanager
def gunicorn(
    directory: Path, workers: int, port: int, environment: dict[str, str]
) -> Iterator[tuple[subprocess.Popen[bytes], Address]]:
    """Run the application; gives its process and its address."""
    log = directory / "gunicorn.log"
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError as error:
            raise ScriptError(f"port {port}: {error.strerror}") from None
        listener.listen(128)
        host, port = listener.getsockname()
        # Bound here and handed over: no other program can take the port in between.
        process = spawn(
            [
                *(program("gunicorn"), "--bind", f"fd://{listener.fileno()}"),
                *("--config", "python:demo.gunicorn_settings", "--workers", str(workers)),
                *("--worker-tmp-dir", str(directory)),
                "demo.application:application",
            ],
            log=log,
            pass_fds=[listener.fileno()],
            environment=environment,
        )
    try:

        def serves() -> bool:
            try:
                return asyncio.run(fetch((host, port), "/figures.json"))[0] == 200
            except OSError:
                return False

        wait_until(serves, process, "gunicorn", log)
        yield process, (host, port)
    finally:
        with undisturbed():
            stop(process)


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1e3:.2f} ms"


def _short(nanoseconds: float | None) -> str:
    if nanoseconds is None:
        return "none"
    if nanoseconds < 1e3:
        return f"{nanoseconds:.0f} ns"
    return f"{nanoseconds / 1e3:.1f} µs" if nanoseconds < 1e6 else f"{nanoseconds / 1e6:.1f} ms"


def _percentiles(texts: Sequence[str]) -> str:
    return "   ".join(
        f"p{percent} {text}" for percent, text in zip(_PERCENTILES, texts, strict=True)
    )


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.2%}" if whole else "none"


def report(load: LoadResult, figures: dict[str, Any], accesses: Sequence[int]) -> None:
    """Print what came of the load."""
    reads, daemon = figures["reads"], figures["daemon"]
    endless = _share(exact_lru_hits(accesses, len(accesses)), len(accesses))
    rows = {
        "hit ratio": f"{_share(figures['hits'], reads)}   (an endless cache: {endless})",
        "requests/s": f"{len(load.latencies) / load.seconds:,.0f}",
        "latency of a request": _percentiles(
            [_milliseconds(load.percentile(percent)) for percent in _PERCENTILES]
        ),
        "cache read, in the worker": _percentiles([_short(ns) for ns in figures["read_ns"]]),
        "page made from SQLite": _percentiles([_short(ns) for ns in figures["build_ns"]]),
    }
    if daemon is not None:
        served = daemon["socket_reads"]
        rows["reads that never left the worker"] = (
            f"{_share(reads - served, reads)}   ({reads:,} reads; the daemon served {served:,})"
        )
        rows["cache"] = (
            f"{daemon['keys']:,} keys in {daemon['used_bytes'] / 2**20:.1f} of "
            f"{daemon['arena_bytes'] / 2**20:.1f} MiB, {daemon['evicted']:,} evicted"
        )
    rows["requests by worker"] = " · ".join(f"{count:,}" for count in figures["workers"].values())
    print()
    for name, text in rows.items():
        print(f"  {name:<34}{text}")
    print(flush=True)


def problems_of(load: LoadResult, figures: dict[str, Any], expected_reads: int) -> list[str]:
    """What is wrong with a run, nothing when all is well."""
    problems = []
    if load.failures:
        problems.append(f"{load.failures:,} requests failed")
    if figures["reads"] != expected_reads:
        problems.append(
            f"the workers counted {figures['reads']:,} reads for {expected_reads:,} requests"
        )
    if not figures["hits"]:
        problems.append("nothing was ever found in the cache")
    if figures["daemon"] is None:
        problems.append("the daemon does not answer")
    elif figures["daemon"]["socket_reads"] >= figures["reads"]:
        problems.append("no read was served inside a worker")
    return problems


def main_job(options: argparse.Namespace, directory: Path) -> int:
    """Do everything; the exit code."""
    title, accesses = accesses_for(options.trace, options.requests)
    remove_leftovers(_CACHE_PREFIX)
    database = directory / "catalogue.db"
    products, reviews = build_catalogue(database, accesses)
    say(f"SQLite holds {products:,} products and {reviews:,} reviews")
    daemon = Daemon(
        f"{_CACHE_PREFIX}-{os.getpid()}",
        directory,
        maxmemory=options.maxmemory,
        maxmemory_policy="volatile-lru",
        save="",
    )
    with daemon:
        say(f"shmcached is up: cache {daemon.name!r}, {options.maxmemory}, {daemon.socket_path}")
        environment = {
            CACHE_VARIABLE: daemon.name,
            DATABASE_VARIABLE: str(database),
            "PYTHONPATH": str(Path(__file__).parents[1]),
        }
        with gunicorn(directory, options.workers, options.port, environment) as (server, address):
            url = f"http://{address[0]}:{address[1]}/"
            say(f"gunicorn is up with {options.workers} workers: {url}")
            if "trace" in title:
                say(ATTRIBUTION)
            say(f"Asking for {len(accesses):,} pages ({title}) over {options.visitors} connections")
            with Progress("load", len(accesses)) as progress:
                load = asyncio.run(drive(address, accesses, options.visitors, progress))
            figures = json.loads(asyncio.run(fetch(address, "/figures.json"))[1])
            report(load, figures, accesses)
            problems = problems_of(load, figures, len(accesses))
            for problem in problems:
                print(f"scripts/run: {problem}", file=sys.stderr)
            if not options.once:
                say(f"The live figures are at {url}   Ctrl-C ends everything")
                server.wait()
                raise ScriptError("gunicorn ended by itself")
    return 1 if problems else 0


def main() -> int:
    """Entry point."""
    options = parse_arguments()
    try:
        with end_on_signals(), runtime_directory("run") as directory:
            return main_job(options, directory)
    except ScriptError as error:
        print(f"scripts/run: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return 0 if not options.once else 130


if __name__ == "__main__":
    sys.exit(main())
