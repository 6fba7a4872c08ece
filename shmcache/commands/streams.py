"""Commands on streams. How one lies in the arena: `streams_layout`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from shmcache.commands.arguments import integer
from shmcache.commands.removals import is_part_of_more, remove_all, remove_in_steps
from shmcache.commands.replies import (
    NULL_ARRAY,
    OK,
    CommandError,
    Reply,
    syntax_error,
    wrong_arity,
)
from shmcache.commands.streams_ids import (
    MAX_PART,
    interval_end,
    interval_start,
    previous_id,
    strict_id,
    wanted_id,
)
from shmcache.commands.streams_layout import (
    ENTRIES,
    FIRST_NUMBER,
    MAX_ID,
    META,
    MIN_ID,
    pack_fields,
    pack_id,
    unpack_fields,
    unpack_id,
)
from shmcache.errors import OutOfMemory

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from shmcache.arena import Transaction
    from shmcache.commands.context import Context

__all__ = [
    "entries_reply",
    "xadd",
    "xdel",
    "xlen",
    "xrange",
    "xrevrange",
    "xsetid",
    "xtrim",
]

# ---- adding --------------------------------------------------------------------------------------


def xadd(context: Context, args: Sequence[bytes]) -> Reply:
    """XADD key [NOMKSTREAM] [MAXLEN | MINID [= | ~] threshold [LIMIT count]] id field value ..."""
    options = _PLAIN_XADD if args[1] == b"*" else _add_options(args)
    fields = args[options.id_position + 1 :]
    if len(fields) < 2 or len(fields) % 2:
        raise wrong_arity("xadd")
    if options.wanted == (0, 0):
        raise CommandError("ERR The ID specified in XADD must be greater than 0-0")
    try:
        return _append(context, args[0], options, fields, options.trim)
    except OutOfMemory:
        if options.trim is None or is_part_of_more(context.arena):
            raise
    # the new entry may have its memory all the same; only trimming so much at once has not
    added = _append(context, args[0], options, fields, None)
    trimming = _Trimming(context.db, args[0], options.trim)
    remove_in_steps(context.arena, (context.db, args[0]), trimming.remove, "xtrim")
    return added


def _append(
    context: Context, key: bytes, options: _AddOptions, fields: Sequence[bytes], trim: _Trim | None
) -> bytes | None:
    """Add an entry, and trim; the entry's ID as it is shown."""
    db, now_ms, packed = context.db, context.now_ms(), pack_fields(fields)
    with context.arena.transaction(((db, key),), "xadd") as tx:
        meta = tx.stream_meta(db, key)
        if meta is None:
            if not options.create:
                return None
            ms, sequence = _new_id(0, 0, options.wanted, now_ms)
            tx.stream_create(db, key, META.pack(ms, sequence, MIN_ID, 1, FIRST_NUMBER))
        else:
            last_ms, last_sequence, deleted, added, number = META.unpack(meta)
            ms, sequence = _new_id(last_ms, last_sequence, options.wanted, now_ms)
            tx.stream_set_meta(db, key, META.pack(ms, sequence, deleted, added + 1, number))
        tx.tree_put(db, key, ENTRIES, pack_id(ms, sequence), packed)
        if trim is not None and (
            trim.length is None or tx.length(db, key, "stream") > trim.length + trim.slack
        ):
            tx.event("xtrim")
            _Trimming(db, key, trim).remove(tx, -1)
    return b"%d-%d" % (ms, sequence)


def _new_id(
    last_ms: int, last_sequence: int, wanted: tuple[int, int | None] | None, now_ms: int
) -> tuple[int, int]:
    """The next entry's milliseconds and sequence.

    :param wanted: what XADD was given: None for ``*``, a sequence of None for ``ms-*``
    :raises CommandError: there is none, or it would not be above the last
    """
    if last_sequence == MAX_PART and last_ms == MAX_PART:
        raise CommandError(
            "ERR The stream has exhausted the last possible ID, unable to add more items"
        )
    if wanted is None:
        if now_ms > last_ms:
            return now_ms, 0
        return (last_ms, last_sequence + 1) if last_sequence < MAX_PART else (last_ms + 1, 0)
    ms, sequence = wanted
    if sequence is None:
        sequence = last_sequence + 1 if ms == last_ms else 0
    if sequence > MAX_PART or (ms, sequence) <= (last_ms, last_sequence):
        raise CommandError(
            "ERR The ID specified in XADD is equal or smaller than the target stream top item"
        )
    return ms, sequence


# ---- trimming ------------------------------------------------------------------------------------

_RUN = 100
"""Entries that an approximate trim takes away together: Redis's stream-node-max-entries."""
_DEFAULT_LIMIT = 100 * _RUN


class _Trim(NamedTuple):
    """MAXLEN or MINID: one of the two is not None."""

    length: int | None
    least: bytes | None
    approximate: bool
    limit: int = 0
    """How many entries to remove at most, if approximate; 0: any number."""
    slack: int = 0
    """How many entries may be too many before it is worth to trim."""


class _Trimming:
    """Removing a stream's oldest entries, at once or in steps."""

    def __init__(self, db: int, key: bytes, trim: _Trim) -> None:
        self._db, self._key, self._trim = db, key, trim
        self._left: int | None = None

    def remove(self, tx: Transaction, most: int) -> int:
        """Remove what there is too much, at most so many entries if ``most`` is not negative."""
        if self._left is None:
            self._left = self._excess(tx)
        count = self._left if most < 0 else min(self._left, most)
        if not count:
            return 0
        removed = tx.tree_remove_range(self._db, self._key, ENTRIES, MIN_ID, MAX_ID, count)
        self._left = self._left - removed if removed else 0
        return removed

    def _excess(self, tx: Transaction) -> int:
        """How many entries there are too much."""
        trim = self._trim
        length = tx.length(self._db, self._key, "stream")
        if trim.length is not None:
            excess = max(length - trim.length, 0)
        else:
            last = previous_id(trim.least or MIN_ID)
            if not length or last is None:
                return 0
            excess = tx.tree_count(self._db, self._key, ENTRIES, MIN_ID, last)
        return _whole_runs(excess, length, trim.limit) if trim.approximate else excess


def _whole_runs(excess: int, length: int, limit: int) -> int:
    """How many of the ``excess`` oldest entries are whole runs; all entries always are."""
    if excess < length:
        excess -= excess % _RUN
    if limit and excess > limit:
        excess = limit - limit % _RUN
    return excess


class _AddOptions:
    """What stands before XADD's fields, or after XTRIM's key."""

    __slots__ = ("_limit", "_words", "create", "id_position", "trim", "wanted")

    def __init__(self, words: Sequence[bytes], *, trimming: bool = False) -> None:
        """
        :param words: the command's, without its name
        :param trimming: XTRIM's: there is no ID
        :raises CommandError: they make no sense
        """
        self._words = words
        self._limit: int | None = None
        self.trim: _Trim | None = None
        self.create = True
        self.wanted: tuple[int, int | None] | None = None
        position = 1
        while position < len(words):
            taken = self._option(position, trimming=trimming)
            if not taken:
                break
            position += taken
        self.id_position = position
        self._check_limit(trimming=trimming)

    def _option(self, position: int, *, trimming: bool) -> int:
        """Take the option at ``position``; how many words that are, 0 for the ID."""
        words = self._words
        word, more = words[position].upper(), len(words) - position - 1
        if word == b"*" and not trimming:
            return 0
        if word in {b"MAXLEN", b"MINID"} and more:
            return self._threshold(word, position, more)
        if word == b"LIMIT" and more:
            self._limit = integer(words[position + 1])
            if self._limit < 0:
                raise CommandError("ERR The LIMIT argument must be >= 0.")
            return 2
        if trimming:
            raise syntax_error()
        if word == b"NOMKSTREAM":
            self.create = False
            return 1
        self.wanted = wanted_id(words[position])
        return 0

    def _threshold(self, word: bytes, position: int, more: int) -> int:
        if self.trim is not None:
            raise CommandError(
                "ERR syntax error, MAXLEN and MINID options at the same time are not compatible"
            )
        at = position + 1
        approximate = more >= 2 and self._words[at] == b"~"
        if approximate or (more >= 2 and self._words[at] == b"="):
            at += 1
        if word == b"MAXLEN":
            length = integer(self._words[at])
            if length < 0:
                raise CommandError("ERR The MAXLEN argument must be >= 0.")
            slack = _RUN - 1 if approximate and length else 0
            self.trim = _Trim(length, None, approximate, slack=slack)
        else:
            self.trim = _Trim(None, strict_id(self._words[at]), approximate)
        return at + 1 - position

    def _check_limit(self, *, trimming: bool) -> None:
        trim = self.trim
        if self._limit and trim is None:
            raise CommandError(
                "ERR syntax error, LIMIT cannot be used without specifying a trimming strategy"
            )
        if trimming and trim is None:
            raise CommandError("ERR syntax error, XTRIM must be called with a trimming strategy")
        approximate = trim is not None and trim.approximate
        if self._limit is not None and not approximate:
            raise CommandError(
                "ERR syntax error, LIMIT cannot be used without the special ~ option"
            )
        if trim is not None and approximate:
            limit = _DEFAULT_LIMIT if self._limit is None else self._limit
            self.trim = trim._replace(limit=limit)


_PLAIN_XADD = _AddOptions((b"", b"*"))
_OPTION_WORDS = 8
_known_options: dict[tuple[bytes, ...], _AddOptions] = {}
_KNOWN_OPTIONS = 256


def _add_options(args: Sequence[bytes]) -> _AddOptions:
    """XADD's options. A producer sends the same ones again and again: they are remembered."""
    words = tuple(args[1:_OPTION_WORDS])
    if b"*" not in words:
        return _AddOptions(args)
    words = words[: words.index(b"*")]
    options = _known_options.get(words)
    if options is None:
        options = _AddOptions(args)
        # the words alone decide, if it is the star behind them that was taken for the ID
        if options.id_position == len(words) + 1:
            if len(_known_options) >= _KNOWN_OPTIONS:
                _known_options.clear()
            _known_options[words] = options
    return options


def xtrim(context: Context, args: Sequence[bytes]) -> Reply:
    """XTRIM key MAXLEN | MINID [= | ~] threshold [LIMIT count]."""
    trim = _AddOptions(args, trimming=True).trim
    assert trim is not None
    key, db = args[0], context.db
    trimming = _Trimming(db, key, trim)
    return remove_in_steps(context.arena, (db, key), trimming.remove, "xtrim")


# ---- one stream ----------------------------------------------------------------------------------


def xlen(context: Context, args: Sequence[bytes]) -> Reply:
    """XLEN key."""
    return context.arena.length(context.db, args[0], "stream")


def entries_reply(entries: Iterable[tuple[bytes, bytes]]) -> list[Reply]:
    """IDs and packed fields, as clients are shown them."""
    return [[b"%d-%d" % unpack_id(name), unpack_fields(packed)] for name, packed in entries]


def xrange(context: Context, args: Sequence[bytes]) -> Reply:
    """XRANGE key start end [COUNT count]."""
    return _range(context, args, args[1], args[2], reverse=False)


def xrevrange(context: Context, args: Sequence[bytes]) -> Reply:
    """XREVRANGE key end start [COUNT count]."""
    return _range(context, args, args[2], args[1], reverse=True)


def _range(
    context: Context, args: Sequence[bytes], start: bytes, end: bytes, *, reverse: bool
) -> Reply:
    least, most = interval_start(start), interval_end(end)
    count = -1
    for position in range(3, len(args), 2):
        if args[position].upper() != b"COUNT" or position + 1 == len(args):
            raise syntax_error()
        count = max(integer(args[position + 1]), 0)
    arena, key, db = context.arena, args[0], context.db
    if count == 0:  # nothing, but an empty array only if there is no stream
        return [] if arena.stream_meta(db, key) is None else NULL_ARRAY
    return entries_reply(arena.tree_range(db, key, ENTRIES, least, most, count, reverse))


def xdel(context: Context, args: Sequence[bytes]) -> Reply:
    """XDEL key id [id ...]."""
    key, db, arena = args[0], context.db, context.arena
    try:
        wanted = [strict_id(word) for word in args[1:]]
    except CommandError:
        if arena.stream_meta(db, key) is None:
            return 0
        raise

    def remove(ids: Sequence[bytes]) -> int:
        removed = 0
        with arena.transaction(((db, key),), "xdel") as tx:
            meta = tx.stream_meta(db, key)
            if meta is None:
                return 0
            ms, sequence, greatest, added, number = META.unpack(meta)
            for entry_id in ids:
                if tx.tree_remove(db, key, ENTRIES, entry_id):
                    removed += 1
                    greatest = max(greatest, entry_id)
            if removed:
                tx.stream_set_meta(db, key, META.pack(ms, sequence, greatest, added, number))
        return removed

    return remove_all(arena, remove, wanted)


def xsetid(context: Context, args: Sequence[bytes]) -> Reply:
    """XSETID key last-id [ENTRIESADDED entries-added] [MAXDELETEDID max-deleted-id]."""
    last = strict_id(args[1])
    new_added, new_deleted = _setid_options(args, last)
    key, db = args[0], context.db
    with context.arena.transaction(((db, key),), "xsetid") as tx:
        meta = tx.stream_meta(db, key)
        if meta is None:
            raise CommandError("ERR no such key")
        _, _, deleted, added, number = META.unpack(meta)
        if last < deleted:
            raise CommandError(
                "ERR The ID specified in XSETID is smaller than current max_deleted_entry_id"
            )
        top = tx.tree_range(db, key, ENTRIES, MIN_ID, MAX_ID, 1, reverse=True)
        if top and last < top[0][0]:
            raise CommandError(
                "ERR The ID specified in XSETID is smaller than the target stream top item"
            )
        if top and new_added is not None and new_added < tx.length(db, key, "stream"):
            raise CommandError(
                "ERR The entries_added specified in XSETID is smaller than the target stream length"
            )
        if new_deleted != MIN_ID:
            deleted = new_deleted
        if new_added is not None:
            added = new_added
        tx.stream_set_meta(db, key, META.pack(*unpack_id(last), deleted, added, number))
    return OK


def _setid_options(args: Sequence[bytes], last: bytes) -> tuple[int | None, bytes]:
    """How many entries were ever added, if that is given, and the greatest deleted ID or 0-0."""
    added, deleted = None, MIN_ID
    for position in range(2, len(args), 2):
        option = args[position].upper()
        if position + 1 == len(args):
            raise syntax_error()
        if option == b"ENTRIESADDED":
            added = integer(args[position + 1])
            if added < 0:
                raise CommandError("ERR entries_added must be positive")
        elif option == b"MAXDELETEDID":
            deleted = strict_id(args[position + 1])
            if last < deleted:
                raise CommandError(
                    "ERR The ID specified in XSETID is smaller than the provided"
                    " max_deleted_entry_id"
                )
        else:
            raise syntax_error()
    return added, deleted
