"""XREAD, and what XREADGROUP has in common with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shmcache.commands.arguments import integer
from shmcache.commands.replies import NULL_ARRAY, CommandError, Reply, syntax_error
from shmcache.commands.streams import entries_reply
from shmcache.commands.streams_ids import format_id, id_or_none, next_id, strict_id
from shmcache.commands.streams_layout import ENTRIES, MAX_ID, MIN_ID
from shmcache.commands.waiting import milliseconds, wait_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shmcache.arena import View
    from shmcache.commands.context import Context

__all__ = ["ReadLine", "RepeatedKeys", "parse_read", "streams_reply", "wait_for_entries", "xread"]


class ReadLine:
    """What an XREAD or XREADGROUP asks for."""

    __slots__ = ("block_ms", "consumer", "count", "group", "grouped", "ids", "keys", "noack")

    def __init__(self) -> None:
        self.count = -1
        """At most so many entries of each stream; -1: all."""
        self.block_ms: int | None = None
        """How long to wait for an entry, 0: for ever; None: not at all."""
        self.grouped = False
        self.group = self.consumer = b""
        self.noack = False
        self.keys: Sequence[bytes] = ()
        self.ids: Sequence[bytes] = ()


def _only_of_groups(option: str) -> CommandError:
    return CommandError(
        f"ERR The {option} option is only supported by XREADGROUP. You called XREAD instead."
    )


def parse_read(args: Sequence[bytes], *, grouped: bool) -> ReadLine:
    """The options and the list of streams.

    :param grouped: XREADGROUP's
    :raises CommandError: they make no sense
    """
    line = ReadLine()
    position, words = 0, len(args)
    while position < words:
        option, more = args[position].upper(), words - position - 1
        if option == b"STREAMS" and more:
            break
        if option == b"BLOCK" and more:
            line.block_ms = milliseconds(args[position + 1])
            position += 2
        elif option == b"COUNT" and more:
            line.count = max(integer(args[position + 1]), 0) or -1
            position += 2
        else:
            position += _group_option(line, option, args, position, grouped=grouped)
    else:
        raise syntax_error()
    number, rest = divmod(words - position - 1, 2)
    if rest:
        raise _unbalanced(grouped=grouped)
    if grouped and not line.grouped:
        raise CommandError("ERR Missing GROUP option for XREADGROUP")
    line.keys = args[position + 1 : position + 1 + number]
    line.ids = args[position + 1 + number :]
    return line


def _group_option(
    line: ReadLine, option: bytes, args: Sequence[bytes], position: int, *, grouped: bool
) -> int:
    """Take GROUP or NOACK; how many words that are."""
    if option == b"GROUP" and len(args) - position > 2:
        if not grouped:
            raise _only_of_groups("GROUP")
        line.grouped = True
        line.group, line.consumer = args[position + 1], args[position + 2]
        return 3
    if option == b"NOACK":
        if not grouped:
            raise _only_of_groups("NOACK")
        line.noack = True
        return 1
    raise syntax_error()


def _unbalanced(*, grouped: bool) -> CommandError:
    name, sign = ("xreadgroup", ">") if grouped else ("xread", "$")
    return CommandError(
        f"ERR Unbalanced '{name}' list of streams: for each stream key an ID or '{sign}' must be"
        " specified."
    )


class RepeatedKeys(dict["Reply", "Reply"]):
    """A map reply in which keys are repeated."""

    def __init__(self, pairs: Sequence[tuple[bytes, Reply]]) -> None:
        super().__init__(pairs)
        self._pairs = pairs

    def __len__(self) -> int:
        return len(self._pairs)

    def items(self) -> Sequence[tuple[bytes, Reply]]:  # type: ignore[override]
        """As often as they were given."""
        return self._pairs


def streams_reply(served: Sequence[tuple[bytes, Reply]], resp: int) -> Reply:
    """Keys and their entries: a map in RESP3, pairs in RESP2, a null if there is none."""
    if not served:
        return NULL_ARRAY
    if resp == 2:
        return served
    unique: dict[Reply, Reply] = dict(served)
    return unique if len(unique) == len(served) else RepeatedKeys(served)


def xread(context: Context, args: Sequence[bytes]) -> Reply:
    """XREAD [COUNT count] [BLOCK milliseconds] STREAMS key [key ...] id [id ...]."""
    line = parse_read(args, grouped=False)
    db, count = context.db, line.count
    wanted = [
        (key, word, _first_wanted(word)) for key, word in zip(line.keys, line.ids, strict=True)
    ]

    def read(view: View) -> tuple[list[tuple[bytes, Reply]], list[bytes]]:
        served: list[tuple[bytes, Reply]] = []
        known: list[bytes] = []
        for key, word, least in wanted:
            if least is None:  # the type is checked before the ID
                last = _last_id(view, db, key)
                _require_nothing_new(word)
                known.append(last if word == b"$" else word)
            else:
                known.append(word)
                if entries := view.tree_range(db, key, ENTRIES, least, MAX_ID, count):
                    served.append((key, entries_reply(entries)))
        return served, known

    if len(wanted) == 1:
        served, known = read(context.arena)  # type: ignore[arg-type]  # one read needs no view
    else:
        served, known = context.arena.read([(db, key) for key in line.keys], read)
    if not served and line.block_ms is not None:
        return wait_for_entries(context, line, args, known, grouped=False)
    return streams_reply(served, context.resp)


def wait_for_entries(
    context: Context, line: ReadLine, args: Sequence[bytes], ids: Sequence[bytes], *, grouped: bool
) -> Reply:
    """Wait for entries behind these IDs; of a key given twice the first one counts."""
    assert line.block_ms is not None
    options = tuple(args[: len(args) - 2 * len(line.keys)])
    known = dict(zip(reversed(line.keys), reversed(ids), strict=True))
    return wait_for(
        context,
        "group" if grouped else "stream",
        line.keys,
        line.block_ms,
        lambda key: [*options, key, known[key]],
    )


def _last_id(view: View, db: int, key: bytes) -> bytes:
    """The last ID that a stream has given out, as clients write it."""
    meta = view.stream_meta(db, key)
    return format_id(MIN_ID if meta is None else meta[:16])


def _first_wanted(word: bytes) -> bytes | None:
    """The least ID that a reader wants who knows the one in ``word``; None if there is none."""
    known = id_or_none(word)
    return None if known is None else next_id(known)


def _require_nothing_new(word: bytes) -> None:
    """Accept what asks for entries that cannot be there yet.

    :raises CommandError: it is no ID
    """
    if word == b"$":
        return
    if word == b">":
        raise CommandError(
            "ERR The > ID can be specified only when calling XREADGROUP using the"
            " GROUP <group> <consumer> option."
        )
    strict_id(word)
