"""LATENCY: the monitor's events, and how long each command takes."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from shmcache.commands.replies import CommandError, Verbatim, as_c_string, one_line
from shmcache.server.latency import draw_graph

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from shmcache.commands.replies import Reply
    from shmcache.server.client import Client
    from shmcache.server.latency import LatencyEvent
    from shmcache.server.server import Server

__all__ = ["HANDLERS"]

_ADVICE = {
    "command": (
        "SLOWLOG GET shows which commands these were. What walks over whole values or databases "
        "(KEYS, SORT, a large LRANGE or union) is better done in pieces: SCAN and its kin."
    ),
    "fast-command": (
        "Commands that should take microseconds did not: the machine is busy, or swaps. Other "
        "processes that write to the same keys can hold one up, too."
    ),
    "expire-cycle": "Many keys expire at the same time: spread their times to live.",
    "eviction-cycle": (
        "Room was made for writes. A larger maxmemory, or times to live, leave less of that to do."
    ),
}


def _text(word: bytes) -> str:
    return word.decode("utf-8", "surrogateescape")


def _latest(client: Client, _args: Sequence[bytes]) -> Reply:
    return [
        [name.encode(), *event.samples[-1], event.most_ms]
        for name, event in client.server.latency.events.items()
    ]


def _history(client: Client, args: Sequence[bytes]) -> Reply:
    event = client.server.latency.events.get(_text(args[0]))
    return [list(sample) for sample in event.samples] if event is not None else []


def _reset(client: Client, args: Sequence[bytes]) -> Reply:
    return client.server.latency.reset(list(map(_text, args)))


def _graph(client: Client, args: Sequence[bytes]) -> Reply:
    name = _text(args[0])
    event = client.server.latency.events.get(name)
    if event is None:
        shown = one_line(as_c_string(args[0]))
        raise CommandError(f"ERR No samples available for event '{shown}'")
    return Verbatim(draw_graph(name, event))


def _doctor(client: Client, _args: Sequence[bytes]) -> Reply:
    server = client.server
    if server.latency.threshold_ms == 0:
        return Verbatim(
            "The latency monitor is off. CONFIG SET latency-monitor-threshold <milliseconds> "
            "turns it on.\n"
        )
    if not server.latency.events:
        return Verbatim("Nothing took longer than latency-monitor-threshold so far.\n")
    return Verbatim("".join(f"{line}\n" for line in _report(server)))


def _report(server: Server) -> Iterator[str]:
    events = server.latency.events
    for number, (name, event) in enumerate(events.items(), 1):
        yield f"{number}. {name}: {_described(event)}"
    yield ""
    for name in events:
        if name in _ADVICE:
            yield f"- {name}: {_ADVICE[name]}"
    if "command" in events and not 0 <= server.settings.slower_than_us <= (
        server.latency.threshold_ms * 1000
    ):
        yield (
            "- The slow log leaves out some of these: CONFIG SET slowlog-log-slower-than "
            f"{server.latency.threshold_ms * 1000} makes it show them."
        )


def _described(event: LatencyEvent) -> str:
    times = [sample.milliseconds for sample in event.samples]
    mean = statistics.fmean(times)
    deviation = statistics.fmean(abs(each - mean) for each in times)
    seconds = event.samples[-1].unix_s - event.samples[0].unix_s
    return (
        f"{len(times)} spikes within {seconds} s, {mean:.0f} ms on average (mean deviation "
        f"{deviation:.0f} ms), at most {event.most_ms} ms"
    )


def _histogram(client: Client, args: Sequence[bytes]) -> Reply:
    server = client.server
    return {
        name.encode(): {
            b"calls": stats.calls,
            b"histogram_usec": dict(stats.cumulative()),
        }
        for name, stats in server.statistics.commands.items()
        if stats.calls and (not args or _is_named(name, args))
    }


def _is_named(name: str, words: Sequence[bytes]) -> bool:
    """Whether a command is among those asked for, or one of a container's that is."""
    wanted = {_text(word).lower() for word in words}
    return name in wanted or name.partition("|")[0] in wanted


HANDLERS = {
    "latency|doctor": _doctor,
    "latency|graph": _graph,
    "latency|histogram": _histogram,
    "latency|history": _history,
    "latency|latest": _latest,
    "latency|reset": _reset,
}
