"""ZUNION, ZINTER, ZDIFF, their STORE forms, and ZINTERCARD: sets are inputs, too."""

from __future__ import annotations

import math
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from shmcache.commands.arguments import integer, integer_from
from shmcache.commands.replies import CommandError, Reply, syntax_error
from shmcache.commands.sorted_set_arguments import NO_SIGN, double
from shmcache.errors import WrongType

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shmcache.arena import View
    from shmcache.commands.context import Context

__all__ = [
    "zdiff",
    "zdiffstore",
    "zinter",
    "zintercard",
    "zinterstore",
    "zunion",
    "zunionstore",
]

_Scores: TypeAlias = "dict[bytes, float]"


class _Form(Enum):
    """Which words a command takes after its keys."""

    UNION = "union"
    INTER = "inter"
    DIFF = "diff"
    CARD = "card"


def _sum(a: float, b: float) -> float:
    """Infinities of both signs make 0."""
    total = a + b
    return 0.0 if math.isnan(total) else total


_AGGREGATES: dict[bytes, Callable[[float, float], float]] = {b"SUM": _sum, b"MIN": min, b"MAX": max}


class _Options:
    """What the words after the keys ask for."""

    __slots__ = ("aggregate", "limit", "weights", "with_scores")

    def __init__(self, keys: int) -> None:
        self.weights = [1.0] * keys
        self.aggregate: Callable[[float, float], float] = _sum
        self.with_scores = False
        self.limit = 0


def _parse(words: Sequence[bytes], keys: int, form: _Form, *, store: bool) -> _Options:
    options = _Options(keys)
    position, end = 0, len(words)
    while position < end:
        word, left = words[position].upper(), end - position - 1
        weighed = form in {_Form.UNION, _Form.INTER}
        if word == b"WEIGHTS" and weighed and left >= keys:
            given = words[position + 1 : position + 1 + keys]
            options.weights = [double(weight, "weight value is not a float") for weight in given]
            position += keys
        elif word == b"AGGREGATE" and weighed and left:
            position += 1
            aggregate = _AGGREGATES.get(words[position].upper())
            if aggregate is None:
                raise syntax_error()
            options.aggregate = aggregate
        elif word == b"WITHSCORES" and not store and form is not _Form.CARD:
            options.with_scores = True
        elif word == b"LIMIT" and form is _Form.CARD and left:
            position += 1
            options.limit = integer_from(words[position], 0, complaint="LIMIT can't be negative")
        else:
            raise syntax_error()
        position += 1
    return options


# ---- inputs --------------------------------------------------------------------------------------


class _Input(NamedTuple):
    """One key of a view: a sorted set, or a set whose members all count 1; or nothing."""

    key: bytes
    kind: str
    length: int
    weight: float

    def scores(self, view: View, db: int) -> _Scores:
        """All members."""
        if self.kind == "set":
            return dict.fromkeys(view.set_members(db, self.key), 1.0)
        return dict(view.zset_range(db, self.key, 0, self.length)) if self.length else {}

    def weighed(self, view: View, db: int) -> _Scores:
        """All members, scores times the weight; infinity times 0 is 0."""
        scores, weight = self.scores(view, db), self.weight
        if weight == 1.0:
            return scores
        return {member: _number(score * weight) for member, score in scores.items()}

    def find(self, view: View, db: int, members: Sequence[bytes]) -> list[float | None]:
        """The scores of some members, None for those that are not there."""
        if self.kind == "set":
            return [1.0 if has else None for has in view.set_has(db, self.key, members)]
        return view.zset_scores(db, self.key, members)


def _number(score: float) -> float:
    return 0.0 if math.isnan(score) else score


def _kinds(view: View, db: int, keys: Sequence[bytes]) -> list[str]:
    """What the keys hold; empty for nothing."""
    kinds: list[str] = []
    for key in keys:
        info = view.describe(db, key)
        if info is not None and info.type not in {"zset", "set"}:
            raise WrongType
        kinds.append("" if info is None else info.type)
    return kinds


def _inputs(
    view: View, db: int, keys: Sequence[bytes], kinds: Sequence[str], weights: Sequence[float]
) -> list[_Input]:
    inputs: list[_Input] = []
    for key, kind, weight in zip(keys, kinds, weights, strict=True):
        length = 0
        if kind:
            length = view.length(db, key, "set" if kind == "set" else "zset")
        inputs.append(_Input(key, kind, length, weight))
    return inputs


# ---- what comes of them --------------------------------------------------------------------------


def _union(view: View, db: int, inputs: Sequence[_Input], options: _Options) -> _Scores:
    total: _Scores = {}
    for part in inputs:
        for member, score in part.weighed(view, db).items():
            old = total.get(member)
            total[member] = score if old is None else options.aggregate(old, score)
    return total


def _inter(view: View, db: int, inputs: Sequence[_Input], options: _Options) -> _Scores:
    if not inputs[0].length:
        return {}
    total = inputs[0].weighed(view, db)
    for part in inputs[1:]:
        members = list(total)
        found = part.find(view, db, members)
        total = {
            member: options.aggregate(total[member], score * part.weight)
            for member, score in zip(members, found, strict=True)
            if score is not None
        }
        if not total:
            break
    return total


def _diff(view: View, db: int, inputs: Sequence[_Input], options: _Options) -> _Scores:  # noqa: ARG001
    total = inputs[0].scores(view, db)
    for part in inputs[1:]:
        if not total:
            break
        if part.length:
            members = list(total)
            found = part.find(view, db, members)
            for member, score in zip(members, found, strict=True):
                if score is not None:
                    del total[member]
    return total


_COMBINE = {
    _Form.UNION: _union,
    _Form.INTER: _inter,
    _Form.CARD: _inter,
    _Form.DIFF: _diff,
}


class _Operation:
    """A command line whose number of keys makes sense."""

    def __init__(self, words: Sequence[bytes], form: _Form, command: str, *, store: bool) -> None:
        """Take ``numkeys key [key ...] [options]`` apart.

        :raises CommandError: there are not so many keys
        """
        number = integer(words[0])
        if number < 1:
            raise CommandError(f"ERR at least 1 input key is needed for '{command}' command")
        if number > len(words) - 1:
            raise syntax_error()
        self.keys = words[1 : number + 1]
        self._options = words[number + 1 :]
        self._form = form
        self._store = store

    def run(self, view: View, db: int) -> tuple[list[tuple[bytes, float]], _Options]:
        """The result in order, and the options.

        Redis complains of a key's type before it looks at the options.
        """
        kinds = _kinds(view, db, self.keys)
        options = _parse(self._options, len(self.keys), self._form, store=self._store)
        inputs = _inputs(view, db, self.keys, kinds, options.weights)
        if self._form is not _Form.DIFF:
            inputs.sort(key=_length)  # in Redis's order of adding, so that sums round alike
        scores = _COMBINE[self._form](view, db, inputs, options)
        return sorted(scores.items(), key=_rank), options


def _length(part: _Input) -> int:
    return part.length


def _rank(pair: tuple[bytes, float]) -> tuple[float, bytes]:
    return pair[1], pair[0]


# ---- commands ------------------------------------------------------------------------------------


def _reply(context: Context, args: Sequence[bytes], form: _Form, command: str) -> Reply:
    operation, db = _Operation(args, form, command, store=False), context.db
    pairs, options = context.arena.read(
        [(db, key) for key in operation.keys], lambda view: operation.run(view, db)
    )
    if form is _Form.CARD:
        return min(len(pairs), options.limit) if options.limit else len(pairs)
    if not options.with_scores:
        return [member for member, _ in pairs]
    return pairs if context.resp == 3 else [part for pair in pairs for part in pair]


def _store(context: Context, args: Sequence[bytes], form: _Form, command: str) -> Reply:
    operation, db = _Operation(args[1:], form, command, store=True), context.db
    keys = [(db, args[0]), *((db, key) for key in operation.keys)]
    with context.arena.transaction(keys, command) as transaction:
        pairs, _ = operation.run(transaction, db)
        members = [member for member, _ in pairs]
        scores = [score + NO_SIGN for _, score in pairs]
        transaction.store(db, args[0], "zset", members, scores)
    return len(pairs)


def zunion(context: Context, args: Sequence[bytes]) -> Reply:
    """ZUNION numkeys key [key ...] [WEIGHTS ...] [AGGREGATE SUM | MIN | MAX] [WITHSCORES]."""
    return _reply(context, args, _Form.UNION, "zunion")


def zinter(context: Context, args: Sequence[bytes]) -> Reply:
    """ZINTER numkeys key [key ...] [WEIGHTS ...] [AGGREGATE SUM | MIN | MAX] [WITHSCORES]."""
    return _reply(context, args, _Form.INTER, "zinter")


def zdiff(context: Context, args: Sequence[bytes]) -> Reply:
    """ZDIFF numkeys key [key ...] [WITHSCORES]."""
    return _reply(context, args, _Form.DIFF, "zdiff")


def zintercard(context: Context, args: Sequence[bytes]) -> Reply:
    """ZINTERCARD numkeys key [key ...] [LIMIT limit]."""
    return _reply(context, args, _Form.CARD, "zintercard")


def zunionstore(context: Context, args: Sequence[bytes]) -> Reply:
    """ZUNIONSTORE destination numkeys key [key ...] [WEIGHTS ...] [AGGREGATE SUM | MIN | MAX]."""
    return _store(context, args, _Form.UNION, "zunionstore")


def zinterstore(context: Context, args: Sequence[bytes]) -> Reply:
    """ZINTERSTORE destination numkeys key [key ...] [WEIGHTS ...] [AGGREGATE SUM | MIN | MAX]."""
    return _store(context, args, _Form.INTER, "zinterstore")


def zdiffstore(context: Context, args: Sequence[bytes]) -> Reply:
    """ZDIFFSTORE destination numkeys key [key ...]."""
    return _store(context, args, _Form.DIFF, "zdiffstore")
