"""DEBUG: what tests of servers and clients ask of one, when enable-debug-command lets them.

Subcommands of Redis's that concern what there is none of here (append-only files, clusters, sds
strings, jemalloc) are unknown.
"""

from __future__ import annotations

import logging
import os
import re
import signal
import time
from typing import TYPE_CHECKING, Final, NamedTuple

from shmcache.arena import PUT_NX
from shmcache.commands.arguments import integer, integer_from
from shmcache.commands.replies import OK, CommandError, Verbatim, as_c_string, one_line
from shmcache.config.kinds import parse_memory
from shmcache.server.digest import digest_of_everything, digest_of_value
from shmcache.server.handlers.debug_protocol import sample_reply
from shmcache.server.replies import WrongSubcommandError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shmcache.arena import Info
    from shmcache.commands.replies import Reply
    from shmcache.server.client import Client

__all__ = ["HANDLERS"]

_log = logging.getLogger("shmcache.server")

_LRU_BITS: Final = 0xFFFFFF
_MOST_PACKED_BYTES: Final = 4 << 30
_NUMBER: Final = re.compile(rb"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_leaked: list[bytes] = []


def _describe(client: Client, key: bytes) -> Info:
    """:raises CommandError: there is no such key"""
    info = client.server.arena.describe(client.db, key)
    if info is None:
        raise CommandError("ERR no such key")
    return info


def _seconds(word: bytes) -> float:
    """A number as C reads it: what comes after it means nothing, and without one it is 0."""
    found = _NUMBER.match(word)
    return max(float(found[0]), 0.0) if found else 0.0


# ---- what there is


def _object(client: Client, args: Sequence[bytes]) -> Reply:
    """In Redis's form; the length is that in the arena's memory, and nothing has an address."""
    info = _describe(client, args[0])
    idle_s = info.idle_ms // 1000
    clock = (int(time.time()) - idle_s) & _LRU_BITS
    return (
        f"Value at:0x0 refcount:1 encoding:{info.encoding} serializedlength:{info.value_bytes} "
        f"lru:{clock} lru_seconds_idle:{idle_s} memory:{info.memory}"
    )


def _packed(client: Client, args: Sequence[bytes]) -> Reply:
    return _log_structure(client, args[0], "listpack", "Listpack")


def _quicklist(client: Client, args: Sequence[bytes]) -> Reply:
    return _log_structure(client, args[0], "quicklist", "Quicklist")


def _log_structure(client: Client, key: bytes, encoding: str, title: str) -> Reply:
    info = _describe(client, key)
    if info.encoding != encoding:
        raise CommandError(f"ERR Not a {encoding} encoded object.")
    _log.warning("DEBUG: %r is %s", key, info)
    return f"{title} structure printed on stdout"


def _hash_table(client: Client, args: Sequence[bytes]) -> Reply:
    """The index is one for all databases."""
    db, arena = integer(args[0]), client.server.arena
    if not 0 <= db < client.server.settings.databases:
        raise CommandError("ERR Out of range database")
    counts = f"number of elements: {arena.db_keys(db)}\nwith a TTL: {arena.db_expires(db)}\n"
    return Verbatim(f"[Dictionary HT]\n{counts}[All databases]\n{arena.dump()}")


def _hash_table_of_key(client: Client, args: Sequence[bytes]) -> Reply:
    info = _describe(client, args[0])
    if info.encoding not in {"hashtable", "skiplist"}:
        raise CommandError(
            "ERR The value stored at the specified key is not represented using an hash table"
        )
    return Verbatim(f"A tree ordered by hash: {info.value_bytes} bytes in {info.memory}\n")


def _digest(client: Client, _args: Sequence[bytes]) -> Reply:
    return digest_of_everything(client.server).hex()


def _digest_value(client: Client, args: Sequence[bytes]) -> Reply:
    return [digest_of_value(client.server, client.db, key).hex() for key in args]


def _protocol(client: Client, args: Sequence[bytes]) -> Reply:
    return sample_reply(args[0], client.resp)


def _error(_client: Client, args: Sequence[bytes]) -> Reply:
    return CommandError(one_line(args[0]))


# ---- what is done


def _sleep(_client: Client, args: Sequence[bytes]) -> Reply:
    time.sleep(_seconds(args[0]))
    return OK


def _populate(client: Client, args: Sequence[bytes]) -> Reply:
    count = integer_from(args[0], 0, complaint="value is out of range, must be positive")
    prefix = args[1] if len(args) > 1 else b"key"
    size = (
        integer_from(args[2], 0, complaint="value is out of range, must be positive")
        if len(args) > 2
        else 0
    )
    arena, db = client.server.arena, client.db
    for number in range(count):
        value = b"value:%d" % number
        if size:
            value = value[:size].ljust(size, b"\0")
        arena.set(db, b"%b:%d" % (prefix, number), value, 0, PUT_NX)
    return OK


def _set_active_expire(client: Client, args: Sequence[bytes]) -> Reply:
    """The maintenance process hears of it as of any option."""
    text = "yes" if re.match(rb"\s*[+-]?0*[1-9]", args[0]) else "no"
    client.server.settings.change([("debug-active-expire", text)], local=True)
    return OK


def _pause_cron(client: Client, args: Sequence[bytes]) -> Reply:
    client.server.ticking = not re.match(rb"\s*[+-]?0*[1-9]", args[0])
    return OK


def _packed_threshold(_client: Client, args: Sequence[bytes]) -> Reply:
    """Checked only: no element of a list is kept by itself here."""
    try:
        size = parse_memory(args[0].decode("utf-8", "surrogateescape"))
    except ValueError:
        size = -1
    if not 0 <= size <= _MOST_PACKED_BYTES:
        raise CommandError("ERR argument must be a memory value bigger than 1 and smaller than 4gb")
    return OK


def _change_replication_id(client: Client, _args: Sequence[bytes]) -> Reply:
    _log.info("changing the replication id after a request of the user's")
    client.server.replication_id = os.urandom(20).hex()
    return OK


def _reload(client: Client, args: Sequence[bytes]) -> Reply:
    """The arena is what would be saved and loaded: it stays, and is checked as a whole."""
    options = {word.upper() for word in args}
    if not options <= {b"MERGE", b"NOFLUSH", b"NOSAVE"}:
        raise CommandError("ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.")
    if b"NOSAVE" in options:
        raise CommandError("ERR Error trying to load the RDB dump, check server logs.")
    return _load_nothing(client, args)


def _load_nothing(client: Client, _args: Sequence[bytes]) -> Reply:
    problems = client.server.arena.validate()
    for problem in problems:
        _log.warning("DEBUG RELOAD: the arena is damaged: %s", problem)
    if problems:
        raise CommandError("ERR the cache's memory is damaged; see its log")
    return OK


def _write_log(_client: Client, args: Sequence[bytes]) -> Reply:
    _log.warning("DEBUG LOG: %s", one_line(as_c_string(args[0])))
    return OK


def _leak(_client: Client, args: Sequence[bytes]) -> Reply:
    _leaked.append(args[0])
    return OK


# ---- ends of this process, which the supervisor answers by another one


def _segfault(_client: Client, _args: Sequence[bytes]) -> Reply:
    os.kill(os.getpid(), signal.SIGSEGV)
    return OK


def _panic(_client: Client, _args: Sequence[bytes]) -> Reply:
    _log.critical("Software Failure. Press left mouse button to continue: a client's DEBUG PANIC")
    os.abort()


def _restart(_client: Client, args: Sequence[bytes]) -> Reply:
    """In order: what others have asked is answered first."""
    time.sleep(_delay_s(args))
    os.kill(os.getpid(), signal.SIGTERM)
    return OK


def _crash(_client: Client, args: Sequence[bytes]) -> Reply:
    time.sleep(_delay_s(args))
    os.kill(os.getpid(), signal.SIGKILL)
    return OK


def _delay_s(args: Sequence[bytes]) -> float:
    return max(integer(args[0]), 0) / 1000 if args else 0.0


class _Subcommand(NamedTuple):
    function: Callable[[Client, Sequence[bytes]], Reply]
    least: int
    most: int | None
    syntax: str
    summary: str


_SUBCOMMANDS: Final = {
    "ASSERT": _Subcommand(_panic, 0, 0, "", "End this process as a failed assertion would."),
    "CHANGE-REPL-ID": _Subcommand(
        _change_replication_id, 0, 0, "", "Give the server another replication id."
    ),
    "CRASH-AND-RECOVER": _Subcommand(
        _crash, 0, 1, "[<milliseconds>]", "Kill this process; the supervisor starts another."
    ),
    "DIGEST": _Subcommand(_digest, 0, 0, "", "Return a fingerprint of all databases."),
    "DIGEST-VALUE": _Subcommand(
        _digest_value, 0, None, "<key> [<key> ...]", "Return fingerprints of values."
    ),
    "ERROR": _Subcommand(_error, 1, 1, "<line>", "Return an error of these words."),
    "HTSTATS": _Subcommand(_hash_table, 1, 1, "<dbid>", "Describe the index."),
    "HTSTATS-KEY": _Subcommand(_hash_table_of_key, 1, 1, "<key>", "Describe a large value."),
    "LEAK": _Subcommand(_leak, 1, 1, "<text>", "Keep a text for ever."),
    "LISTPACK": _Subcommand(_packed, 1, 1, "<key>", "Describe a packed value in the log."),
    "LOADAOF": _Subcommand(_load_nothing, 0, 0, "", "As RELOAD."),
    "LOG": _Subcommand(_write_log, 1, 1, "<text>", "Write a text into the log."),
    "OBJECT": _Subcommand(_object, 1, 1, "<key>", "Describe a key and its value."),
    "OOM": _Subcommand(_panic, 0, 0, "", "End this process as a want of memory would."),
    "PANIC": _Subcommand(_panic, 0, 0, "", "End this process by SIGABRT."),
    "PAUSE-CRON": _Subcommand(_pause_cron, 1, 1, "<0|1>", "Stop periodic work."),
    "POPULATE": _Subcommand(
        _populate, 1, 3, "<count> [<prefix>] [<size>]", "Make strings named key:<number>."
    ),
    "PROTOCOL": _Subcommand(_protocol, 1, 1, "<type>", "Return a reply of a type."),
    "QUICKLIST": _Subcommand(_quicklist, 1, 2, "<key> [<0|1>]", "Describe a list in the log."),
    "QUICKLIST-PACKED-THRESHOLD": _Subcommand(
        _packed_threshold, 1, 1, "<size>", "Check a size: no element is kept by itself here."
    ),
    "RELOAD": _Subcommand(
        _reload, 0, None, "[MERGE|NOFLUSH|NOSAVE ...]", "Check the arena, which stays as it is."
    ),
    "RESTART": _Subcommand(
        _restart, 0, 1, "[<milliseconds>]", "End this process in order; another is started."
    ),
    "SEGFAULT": _Subcommand(_segfault, 0, 0, "", "End this process by SIGSEGV."),
    "SET-ACTIVE-EXPIRE": _Subcommand(
        _set_active_expire, 1, 1, "<0|1>", "Let expired keys that nobody asks for stay."
    ),
    "SLEEP": _Subcommand(_sleep, 1, 1, "<seconds>", "Do nothing for a while."),
}


def _help() -> Reply:
    lines: list[Reply] = ["DEBUG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"]
    for name, subcommand in _SUBCOMMANDS.items():
        lines += [f"{name} {subcommand.syntax}".rstrip(), f"    {subcommand.summary}"]
    return [*lines, "HELP", "    Print this help."]


def _debug(client: Client, args: Sequence[bytes]) -> Reply:
    name = args[0].upper().decode("utf-8", "surrogateescape")
    rest = args[1:]
    if name == "HELP" and not rest:
        return _help()
    subcommand = _SUBCOMMANDS.get(name)
    if (
        subcommand is None
        or len(rest) < subcommand.least
        or (subcommand.most is not None and len(rest) > subcommand.most)
    ):
        raise WrongSubcommandError
    return subcommand.function(client, rest)


HANDLERS = {"debug": _debug}
