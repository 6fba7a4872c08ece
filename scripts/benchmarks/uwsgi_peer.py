"""Runs inside uWSGI, where alone its cache can be reached; measures when the benchmark asks.

Each line that comes over the socket is ``{"operation": "get", "calls": 1000}``; the answer is the
nanoseconds a call took.
"""

from __future__ import annotations

import json
import os
import socket

import uwsgi

from benchmarks.loops import INCREMENT, READ, STORE, VALUE, keys_for, time_calls

SOCKET_VARIABLE = "SHMCACHE_BENCH_SOCKET"


def main() -> None:
    """Serve until the benchmark closes the socket."""
    keys = keys_for(int(os.environ["SHMCACHE_BENCH_KEYS"]))
    for key in keys:
        uwsgi.cache_update(key, VALUE)
    counters = [b"n" + key for key in keys]
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(os.environ[SOCKET_VARIABLE])
        stream = connection.makefile("rw")
        for line in stream:
            request = json.loads(line)
            rounds = request["calls"] // len(keys) + 1
            many = (keys * rounds)[: request["calls"]]
            if request["operation"] == READ:
                taken = time_calls(uwsgi.cache_get, many)
            elif request["operation"] == STORE:
                taken = time_calls(uwsgi.cache_update, many, VALUE)
            else:
                assert request["operation"] == INCREMENT
                taken = time_calls(uwsgi.cache_inc, (counters * rounds)[: request["calls"]])
            stream.write(f"{taken}\n")
            stream.flush()


main()
