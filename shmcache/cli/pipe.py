"""Mass insertion: RESP from standard input, replies counted."""

from __future__ import annotations

import os
import secrets
import sys
import threading
from typing import TYPE_CHECKING, Final

from shmcache.cli.errors import CliError, Disconnected

if TYPE_CHECKING:
    from shmcache.cli.connection import Connection
    from shmcache.cli.resp import Reply

__all__ = ["transfer"]

_CHUNK_BYTES: Final = 1 << 16


class _Sender(threading.Thread):
    """Sends standard input and at its end an ECHO, whose reply will be the last one."""

    def __init__(self, connection: Connection, last_words: bytes, patience: int) -> None:
        super().__init__(daemon=True)
        self._connection, self._last_words, self._patience = connection, last_words, patience

    def run(self) -> None:
        try:
            while data := os.read(0, _CHUNK_BYTES):
                self._connection.write(data)
            # a newline first: an inline command may have come without its own
            self._connection.write(b"\r\n*2\r\n$4\r\nECHO\r\n$%d\r\n" % len(self._last_words))
            self._connection.write(self._last_words + b"\r\n")
        except (CliError, OSError):
            return  # whoever reads the replies meets the same end
        print("All data transferred. Waiting for the last reply...", flush=True)  # noqa: T201
        self._connection.wait_at_most(self._patience or None)


def transfer(connection: Connection, patience_seconds: int) -> int:
    """Send all of standard input.

    :param patience_seconds: how long to wait for a reply once all is sent; 0: for ever
    :return: the exit status: 1 when a command failed or the replies did not come
    """
    last_words = secrets.token_hex(10).encode()
    sender = _Sender(connection, last_words, patience_seconds)
    sender.start()
    errors = replies = 0
    try:
        while not _is_last(reply := connection.read(), last_words):
            replies += 1
            if reply.kind == "error":
                errors += 1
                sys.stderr.buffer.write(reply.text + b"\n")
                sys.stderr.buffer.flush()
    except TimeoutError:
        sys.stderr.write(f"No replies for {patience_seconds} seconds: exiting.\n")
        errors += 1
    except Disconnected as error:
        sys.stderr.write(f"Error: {error}\n")
        errors += 1
    else:
        sender.join()
        print("Last reply received from server.")  # noqa: T201
    print(f"errors: {errors}, replies: {replies}", flush=True)  # noqa: T201
    return 1 if errors else 0


def _is_last(reply: Reply, last_words: bytes) -> bool:
    return reply.kind == "string" and reply.text == last_words
