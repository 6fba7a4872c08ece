"""SORT: elements of a list, a set or a sorted set, by themselves or by what other keys hold.

Texts are compared byte by byte, as Redis does it in the C locale; what comes after a NUL counts
only with STORE. Elements whose weights are equal texts keep their order.
"""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from shmcache.commands.arguments import integer
from shmcache.commands.replies import CommandError, Reply, as_c_string, syntax_error
from shmcache.commands.sorted_set_arguments import strtod
from shmcache.errors import WrongType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shmcache.arena import View
    from shmcache.commands.context import Context

__all__ = ["find_keys", "find_keys_ro", "sort", "sort_ro"]

_SORTABLE = {"list", "set", "zset"}
_SURE_DIGITS = 15  # so many digits are a double, whatever they are

_KeyFlags: TypeAlias = tuple[int, tuple[str, ...]]


# ---- what is asked for ---------------------------------------------------------------------------


class _Pattern(NamedTuple):
    """A name made out of an element: what is before and after it; a hash's field, if any."""

    before: bytes
    after: bytes
    field: bytes | None

    def look_up(self, view: View, db: int, element: bytes) -> bytes | None:
        """The string, or the hash's field, of the key that the pattern makes of an element."""
        key = b"%b%b%b" % (self.before, element, self.after)
        try:
            if self.field is None:
                return view.get(db, key)
            return view.hash_get(db, key, self.field)
        except WrongType:
            return None


def _pattern(text: bytes) -> _Pattern | None:
    """None if there is no star for the element to take the place of."""
    before, star, after = text.partition(b"*")
    if not star or b"\0" in before:
        return None
    visible = as_c_string(after)
    arrow = visible.find(b"->")
    if arrow < 0 or len(visible) == arrow + 2:
        return _Pattern(before, after, None)
    return _Pattern(before, after[:arrow], after[arrow + 2 :])


class _Order:
    """What the words after SORT's key ask for."""

    __slots__ = (
        "alpha",
        "by",
        "by_constant",
        "count",
        "descending",
        "gets",
        "offset",
        "reads_any_key",
        "store",
    )

    def __init__(self, words: Sequence[bytes], *, may_store: bool, reads_any_key: bool) -> None:
        self.reads_any_key = reads_any_key
        self.descending = self.alpha = self.by_constant = False
        self.offset, self.count = 0, -1
        self.by: _Pattern | None = None
        self.gets: list[_Pattern | bytes | None] = []
        """Of each GET the pattern, ``#`` for the element, or None for one that finds nothing."""
        self.store: bytes | None = None
        position = 0
        while position < len(words):
            position += 1 + self._take(words, position, may_store)

    def _take(self, words: Sequence[bytes], position: int, may_store: bool) -> int:
        """Accept a word and its values; how many those were."""
        option = words[position].upper()
        values = words[position + 1 :]
        if option in {b"ASC", b"DESC"}:
            self.descending = option == b"DESC"
            return 0
        if option == b"ALPHA":
            self.alpha = True
            return 0
        if option == b"LIMIT" and len(values) >= 2:
            self.offset, self.count = integer(values[0]), integer(values[1])
            return 2
        if not values:
            raise syntax_error()
        if option == b"STORE" and may_store:
            self.store = values[0]
        elif option == b"BY":
            # one constant turns sorting off, whatever other BY there is
            self.by = _pattern(values[0])
            if self.by is not None:
                self._check_permission("BY")
            self.by_constant = self.by_constant or self.by is None
        elif option == b"GET":
            self._check_permission("GET")
            self.gets.append(values[0] if values[0] == b"#" else _pattern(values[0]))
        else:
            raise syntax_error()
        return 1

    def _check_permission(self, option: str) -> None:
        if not self.reads_any_key:
            raise CommandError(
                f"ERR {option} option of SORT denied due to insufficient ACL permissions."
            )

    @property
    def looks_elsewhere(self) -> bool:
        """Whether keys are read that the command line does not name."""
        return self.by is not None or any(isinstance(get, _Pattern) for get in self.gets)

    def window(self, length: int) -> slice:
        """Which of so many elements LIMIT lets through."""
        first = min(max(self.offset, 0), length)
        return slice(first, length if self.count < 0 else min(first + self.count, length))


# ---- the commands --------------------------------------------------------------------------------


def sort(context: Context, args: Sequence[bytes]) -> Reply:
    """SORT key [BY pattern] [LIMIT offset count] [GET pattern ...] [ASC | DESC] [ALPHA]
    [STORE destination].
    """
    order = _Order(args[1:], may_store=True, reads_any_key=context.reads_any_key("sort", args))
    if order.store is None:
        return _read(context, args[0], order)
    db, keys = context.db, (args[0], order.store)
    named = None if order.looks_elsewhere else [(db, key) for key in keys]
    with context.arena.transaction(named, "sortstore") as transaction:
        rows = _rows(transaction, db, args[0], order)
        elements = [b"" if row is None else row for row in rows]
        transaction.store(db, order.store, "list", elements)
    return len(elements)


def sort_ro(context: Context, args: Sequence[bytes]) -> Reply:
    """SORT_RO key [BY pattern] [LIMIT offset count] [GET pattern ...] [ASC | DESC] [ALPHA]."""
    reads_any_key = context.reads_any_key("sort_ro", args)
    order = _Order(args[1:], may_store=False, reads_any_key=reads_any_key)
    return _read(context, args[0], order)


def _read(context: Context, key: bytes, order: _Order) -> Reply:
    db = context.db
    named = None if order.looks_elsewhere else [(db, key)]
    return context.arena.read(named, lambda view: _rows(view, db, key, order))


def find_keys(words: Sequence[bytes]) -> list[_KeyFlags]:
    """The keys of SORT that its command line names; the last STORE counts."""
    found = find_keys_ro(words)
    skip = 0
    for position, word in enumerate(words[:-1]):
        option = word.upper()
        if position < 2 or skip:
            skip -= bool(skip)
        elif option == b"STORE":
            found[1:] = [(position + 1, ("OW", "update"))]
        else:
            skip = {b"LIMIT": 2, b"GET": 1, b"BY": 1}.get(option, 0)
    return found


def find_keys_ro(words: Sequence[bytes]) -> list[_KeyFlags]:  # noqa: ARG001
    """The key of SORT_RO."""
    return [(1, ("RO", "access"))]


# ---- sorting -------------------------------------------------------------------------------------


def _rows(view: View, db: int, key: bytes, order: _Order) -> list[bytes | None]:
    """The reply: the elements, or for each of them what every GET found."""
    elements = _sorted(view, db, key, order)
    if not order.gets:
        return [*elements]
    rows: list[bytes | None] = []
    for element in elements:
        for get in order.gets:
            if isinstance(get, _Pattern):
                rows.append(get.look_up(view, db, element))
            else:
                rows.append(element if get else None)
    return rows


def _sorted(view: View, db: int, key: bytes, order: _Order) -> list[bytes]:
    info = view.describe(db, key)
    if info is None:
        return []
    if info.type not in _SORTABLE:
        raise WrongType
    if order.by_constant and not (info.type == "set" and order.store is not None):
        return _unsorted(view, db, key, info.type, order)
    elements = _elements(view, db, key, info.type)
    # the members of a set have no order: to store them in any would not be repeatable
    by, alpha = (None, True) if order.by_constant else (order.by, order.alpha)
    weights = elements if by is None else [by.look_up(view, db, element) for element in elements]
    if alpha:
        paired = _by_text(elements, weights, whole=order.store is not None)
    else:
        paired = _by_number(elements, weights)
    paired.sort(key=_weight, reverse=order.descending)
    return [element for _, element in paired[order.window(len(paired))]]


def _unsorted(view: View, db: int, key: bytes, kind: str, order: _Order) -> list[bytes]:
    """What the container's own order gives; of a long one only what LIMIT lets through."""
    if kind == "set":
        members = view.set_members(db, key)
        return members[order.window(len(members))]
    length = view.length(db, key, "list" if kind == "list" else "zset")
    window = order.window(length)
    first, count = window.start, window.stop - window.start
    if count <= 0:
        return []
    if kind == "zset":
        return view.zset_members(db, key, first, count, order.descending)
    if not order.descending:
        return view.list_range(db, key, first, first + count - 1)
    return view.list_range(db, key, length - first - count, length - first - 1)[::-1]


def _elements(view: View, db: int, key: bytes, kind: str) -> list[bytes]:
    if kind == "list":
        return view.list_range(db, key, 0, -1)
    if kind == "set":
        return view.set_members(db, key)
    return view.zset_members(db, key, 0, view.length(db, key, "zset"))


_Weighted: TypeAlias = tuple[tuple[float, bytes], bytes]


def _weight(pair: _Weighted) -> tuple[float, bytes]:
    return pair[0]


def _by_text(
    elements: Sequence[bytes], weights: Sequence[bytes | None], *, whole: bool
) -> list[_Weighted]:
    """Elements with no weight at all come first."""
    return [
        ((0.0, b"") if weight is None else (1.0, weight if whole else as_c_string(weight)), element)
        for element, weight in zip(elements, weights, strict=True)
    ]


def _by_number(elements: Sequence[bytes], weights: Sequence[bytes | None]) -> list[_Weighted]:
    """Elements with no weight weigh nothing; those of the same weight are compared as bytes."""
    return [
        ((0.0 if weight is None else _number(weight), element), element)
        for element, weight in zip(elements, weights, strict=True)
    ]


def _number(weight: bytes) -> float:
    """A weight as C's strtod reads it: white space may be in front, a NUL ends it, nothing is 0.

    :raises CommandError: there is more than a number, or it is too large or small for a double
    """
    if weight.isdigit() and len(weight) <= _SURE_DIGITS:
        return float(weight)
    text = as_c_string(weight)
    value, end, out_of_range = strtod(text)
    subnormal = 0 < abs(value) < sys.float_info.min
    if end != len(text) or out_of_range or subnormal or math.isnan(value):
        raise CommandError("ERR One or more scores can't be converted into double")
    return value
