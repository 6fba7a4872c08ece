"""The commands on the times of death of a hash's fields: those of Redis 7.4 and 8.0.

What they take, answer and refuse is described at https://redis.io/docs/latest/commands/hexpire/ and
its neighbours. A time of death that is past removes the field at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from shmcache.arena import PUT_KEEP_TTL
from shmcache.commands.arguments import integer, integer_or_none
from shmcache.commands.removals import is_part_of_more
from shmcache.commands.replies import CommandError, as_c_string, one_line, wrong_arity
from shmcache.errors import OutOfMemory

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shmcache.arena import Transaction
    from shmcache.commands.context import Context
    from shmcache.commands.replies import Reply

__all__ = [
    "hexpire",
    "hexpireat",
    "hexpiretime",
    "hgetdel",
    "hgetex",
    "hpersist",
    "hpexpire",
    "hpexpireat",
    "hpexpiretime",
    "hpttl",
    "hsetex",
    "httl",
]

_LAST_MS = (1 << 46) - 1
"""The last time of death that Redis can give a field, in Unix milliseconds: some two thousand years
from now."""

_NO_FIELD, _NO_EXPIRY = -2, -1
_REFUSED, _DONE, _DELETED = 0, 1, 2

_MOST_FIELDS = (1 << 31) - 1

_AT_LEAST_ONE = "Parameter `numFields` should be greater than 0"
_POSITIVE = "Number of fields must be a positive integer"

_Condition: TypeAlias = "Callable[[int, int], bool]"
"""Of the time of death that a field has, 0 if none, and of the new one."""
_Shift: TypeAlias = tuple[int, bool]
"""Milliseconds in a unit, and whether times are absolute."""
_TIMES: Final[dict[bytes, _Shift]] = {
    b"EX": (1000, False),
    b"PX": (1, False),
    b"EXAT": (1000, True),
    b"PXAT": (1, True),
}

# ---- arguments -----------------------------------------------------------------------------------


def _fields(words: Sequence[bytes], complaint: str) -> Sequence[bytes]:
    """The fields of ``FIELDS numfields field [field ...]``.

    :param complaint: what Redis says of a number that is not positive
    :raises CommandError: it is anything else
    """
    if len(words) < 2 or words[0].upper() != b"FIELDS":
        raise CommandError("ERR Mandatory argument FIELDS is missing or not at the right position")
    number = integer_or_none(words[1])
    if number is None or number < 1:
        raise CommandError(f"ERR {complaint}")
    if number != len(words) - 2:
        raise CommandError("ERR The `numfields` parameter must match the number of arguments")
    return words[2:]


def _time_of_death(context: Context, word: bytes, shift: _Shift, command: str) -> int:
    """Unix milliseconds; never 0, which the arena takes for "never".

    :raises CommandError: not an integer, negative, or too far off
    """
    unit_ms, absolute = shift
    time = integer(word)
    if time < 0:
        raise CommandError("ERR invalid expire time, must be >= 0")
    when_ms = time * unit_ms + (0 if absolute else context.now_ms())
    if when_ms > _LAST_MS:
        raise CommandError(f"ERR invalid expire time in '{command}' command")
    return max(when_ms, 1)


# ---- setting and removing times of death ---------------------------------------------------------


def _is_later(old_ms: int, new_ms: int) -> bool:
    return old_ms != 0 and new_ms > old_ms


_CONDITIONS: Final[dict[bytes, _Condition]] = {
    b"NX": lambda old_ms, _: old_ms == 0,
    b"XX": lambda old_ms, _: old_ms != 0,
    b"GT": _is_later,
    b"LT": lambda old_ms, new_ms: old_ms == 0 or new_ms < old_ms,
}


class _Death(NamedTuple):
    """When a field is to die, and what the time of death that it has must be like for that."""

    when_ms: int
    is_past: bool
    allows: _Condition | None = None

    @property
    def event(self) -> str:
        """What it is called in keyspace notifications."""
        return "hdel" if self.is_past else "hexpire"


def _death(context: Context, when_ms: int, allows: _Condition | None = None) -> _Death:
    return _Death(when_ms, when_ms <= context.now_ms(), allows)


def _expire_field(
    transaction: Transaction, db: int, key: bytes, field: bytes, death: _Death
) -> int:
    expiries = transaction.hash_expiries(db, key, [field])
    old_ms = None if expiries is None else expiries[0]
    if old_ms is None:
        return _NO_FIELD
    if death.allows is not None and not death.allows(old_ms, death.when_ms):
        return _REFUSED
    if death.is_past:
        transaction.hash_delete(db, key, [field])
        return _DELETED
    transaction.hash_expire(db, key, field, death.when_ms)
    return _DONE


def _expire(context: Context, args: Sequence[bytes], *, shift: _Shift, command: str) -> Reply:
    """Give fields a time of death: ``key time [NX | XX | GT | LT] FIELDS numfields field ...``."""
    db, key = context.db, args[0]
    with context.arena.transaction([(db, key)]) as transaction:
        transaction.length(db, key, "hash")  # another type is refused first
        when_ms = _time_of_death(context, args[1], shift, command)
        allows = _CONDITIONS.get(args[2].upper())
        fields = _fields(args[2 if allows is None else 3 :], _AT_LEAST_ONE)
        death = _death(context, when_ms, allows)
        transaction.event(death.event)
        return [_expire_field(transaction, db, key, field, death) for field in fields]


def hexpire(context: Context, args: Sequence[bytes]) -> Reply:
    """HEXPIRE key seconds [NX | XX | GT | LT] FIELDS numfields field [field ...]."""
    return _expire(context, args, shift=_TIMES[b"EX"], command="hexpire")


def hpexpire(context: Context, args: Sequence[bytes]) -> Reply:
    """HPEXPIRE key milliseconds [NX | XX | GT | LT] FIELDS numfields field [field ...]."""
    return _expire(context, args, shift=_TIMES[b"PX"], command="hpexpire")


def hexpireat(context: Context, args: Sequence[bytes]) -> Reply:
    """HEXPIREAT key unix-time-seconds [NX | XX | GT | LT] FIELDS numfields field [field ...]."""
    return _expire(context, args, shift=_TIMES[b"EXAT"], command="hexpireat")


def hpexpireat(context: Context, args: Sequence[bytes]) -> Reply:
    """HPEXPIREAT key unix-time-milliseconds [NX | XX | GT | LT] FIELDS numfields field ..."""
    return _expire(context, args, shift=_TIMES[b"PXAT"], command="hpexpireat")


def hpersist(context: Context, args: Sequence[bytes]) -> Reply:
    """HPERSIST key FIELDS numfields field [field ...]."""
    db, key = context.db, args[0]
    with context.arena.transaction([(db, key)], "hpersist") as transaction:
        transaction.length(db, key, "hash")  # another type is refused first
        fields = _fields(args[1:], _POSITIVE)
        replies: list[Reply] = []
        for field in fields:
            expiries = transaction.hash_expiries(db, key, [field])
            expire_ms = None if expiries is None else expiries[0]
            if expire_ms:
                transaction.hash_expire(db, key, field, 0)
            replies.append(_field_reply(expire_ms, lambda _: _DONE))
    return replies


# ---- asking for times of death -------------------------------------------------------------------


def _field_reply(expire_ms: int | None, reply: Callable[[int], int]) -> int:
    """-2 without such a field, -1 without a time of death, else what ``reply`` makes of it."""
    if expire_ms is None:
        return _NO_FIELD
    return reply(expire_ms) if expire_ms else _NO_EXPIRY


def _tell(context: Context, args: Sequence[bytes], reply: Callable[[int], int]) -> Reply:
    arena, db, key = context.arena, context.db, args[0]
    arena.length(db, key, "hash")  # another type is refused first
    fields = _fields(args[1:], _POSITIVE)
    expiries = arena.hash_expiries(db, key, fields)
    if expiries is None:
        return [_NO_FIELD] * len(fields)
    return [_field_reply(expire_ms, reply) for expire_ms in expiries]


def _seconds(milliseconds: int) -> int:
    """Rounded up: a field that is there has a second left."""
    return (milliseconds + 999) // 1000


def httl(context: Context, args: Sequence[bytes]) -> Reply:
    """HTTL key FIELDS numfields field [field ...]."""
    return _tell(context, args, lambda ms: _seconds(max(ms - context.now_ms(), 0)))


def hpttl(context: Context, args: Sequence[bytes]) -> Reply:
    """HPTTL key FIELDS numfields field [field ...]."""
    return _tell(context, args, lambda ms: max(ms - context.now_ms(), 0))


def hexpiretime(context: Context, args: Sequence[bytes]) -> Reply:
    """HEXPIRETIME key FIELDS numfields field [field ...]."""
    return _tell(context, args, _seconds)


def hpexpiretime(context: Context, args: Sequence[bytes]) -> Reply:
    """HPEXPIRETIME key FIELDS numfields field [field ...]."""
    return _tell(context, args, int)


# ---- values together with times of death ---------------------------------------------------------


def hgetdel(context: Context, args: Sequence[bytes]) -> Reply:
    """HGETDEL key FIELDS numfields field [field ...]."""
    db, key = context.db, args[0]
    context.arena.length(db, key, "hash")  # another type is refused first
    fields = _fields(args[1:], _POSITIVE)
    try:
        return _take_fields(context, key, fields)
    except OutOfMemory:
        if len(fields) == 1 or is_part_of_more(context.arena):
            raise
    return [value for field in fields for value in _take_fields(context, key, [field])]


def _take_fields(context: Context, key: bytes, fields: Sequence[bytes]) -> list[bytes | None]:
    db = context.db
    values: list[bytes | None] = []
    with context.arena.transaction([(db, key)], "hdel") as transaction:
        for field in fields:  # one after the other: a field named twice is gone the second time
            values.append(transaction.hash_get(db, key, field))
            transaction.hash_delete(db, key, [field])
    return values


def hgetex(context: Context, args: Sequence[bytes]) -> Reply:
    """HGETEX key [EX | PX | EXAT | PXAT time | PERSIST] FIELDS numfields field [field ...]."""
    db, key = context.db, args[0]
    with context.arena.transaction([(db, key)]) as transaction:
        transaction.length(db, key, "hash")  # another type is refused first
        shift = _TIMES.get(args[1].upper())
        persist = args[1].upper() == b"PERSIST"
        when_ms = 0
        if shift is not None:
            when_ms = _time_of_death(context, args[2], shift, "hgetex")
        fields = _fields(args[3 if shift else 2 if persist else 1 :], _POSITIVE)
        death = _death(context, when_ms)
        transaction.event("hpersist" if persist else death.event)
        values: list[Reply] = []
        for field in fields:
            values.append(transaction.hash_get(db, key, field))
            if persist:
                transaction.hash_expire(db, key, field, 0)
            elif when_ms:
                _expire_field(transaction, db, key, field, death)
    return values


class _SetOptions(NamedTuple):
    """What stands between HSETEX's key and its pairs."""

    time: tuple[_Shift, bytes] | None
    keep: bool
    only_if: bytes
    """FNX, FXX or nothing."""
    pairs: Sequence[bytes]


def _set_options(words: Sequence[bytes]) -> _SetOptions:
    """What follows HSETEX's key.

    There are at least four words, and three at most come before FIELDS: nothing runs out.
    """
    time, keep, only_if = None, False, b""
    position = 0
    while (option := words[position].upper()) != b"FIELDS":
        if option in {b"FNX", b"FXX"}:
            if only_if:
                raise CommandError("ERR Only one of FXX or FNX arguments can be specified")
            only_if = option
        elif option in _TIMES or option == b"KEEPTTL":
            if time or keep:
                raise CommandError(
                    "ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified"
                )
            keep = option == b"KEEPTTL"
            if not keep:
                position += 1
                time = (_TIMES[option], words[position])
        else:
            raise CommandError(f"ERR unknown argument: {one_line(as_c_string(words[position]))}")
        position += 1
    return _SetOptions(time, keep, only_if, _pairs(words[position + 1 :]))


def _pairs(words: Sequence[bytes]) -> Sequence[bytes]:
    """The fields and values of ``numfields field value [field value ...]``."""
    if len(words) < 3:
        raise wrong_arity("hsetex")
    number = integer_or_none(words[0])
    if number is None or not 1 <= number <= _MOST_FIELDS:
        raise CommandError("ERR invalid number of fields")
    if len(words) - 1 != number * 2:
        raise wrong_arity("hsetex")
    return words[1:]


def hsetex(context: Context, args: Sequence[bytes]) -> Reply:
    """HSETEX key [FNX | FXX] [EX | PX | EXAT | PXAT time | KEEPTTL] FIELDS numfields pairs."""
    db, key = context.db, args[0]
    options = _set_options(args[1:])
    when_ms = 0
    if options.time is not None:
        shift, word = options.time
        when_ms = _time_of_death(context, word, shift, "hsetex")
    fields = options.pairs[::2]
    with context.arena.transaction([(db, key)]) as transaction:
        if options.only_if:
            expiries = transaction.hash_expiries(db, key, fields) or [None] * len(fields)
            missing = expiries.count(None)
            if missing < len(fields) if options.only_if == b"FNX" else missing:
                return 0
        transaction.hash_set(db, key, options.pairs, PUT_KEEP_TTL if options.keep else 0)
        if when_ms:
            death = _death(context, when_ms)
            transaction.event(death.event)
            for field in fields:
                _expire_field(transaction, db, key, field, death)
    return 1
