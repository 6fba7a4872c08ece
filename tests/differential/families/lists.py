"""Lists."""

from __future__ import annotations

from differential.families.family import (
    Family,
    any_elements,
    counts,
    elements,
    filled,
    key,
    keys,
)
from differential.grammar import (
    after,
    choice,
    counted,
    drawn,
    integers,
    many,
    mostly,
    one,
    some,
    words,
)

_element = one(any_elements)
_index = one(mostly(integers, choice([b"127", b"128", b"-129", b"500"])))
_side = mostly(words(b"LEFT", b"RIGHT"), words(b"UP"), 0.05)
_count = some(one(counts), most=1)

SHAPES = {
    b"LPUSH": (key, many(any_elements, most=5)),
    b"RPUSH": (key, many(any_elements, most=5)),
    b"LPUSHX": (key, many(any_elements)),
    b"RPUSHX": (key, many(any_elements)),
    b"LPOP": (key, _count),
    b"RPOP": (key, _count),
    b"LLEN": (key,),
    b"LINDEX": (key, _index),
    b"LRANGE": (key, _index, _index),
    b"LINSERT": (key, mostly(words(b"BEFORE", b"AFTER"), words(b"AT"), 0.05), _element, _element),
    b"LSET": (key, _index, _element),
    b"LREM": (key, _index, one(elements)),
    b"LTRIM": (key, _index, _index),
    b"LPOS": (
        key,
        one(elements),
        some(after(b"RANK", counts), after(b"COUNT", counts), after(b"MAXLEN", counts)),
    ),
    b"LMOVE": (key, key, _side, _side),
    b"RPOPLPUSH": (key, key),
    b"LMPOP": (counted(keys), _side, some(after(b"COUNT", counts), words(b"FOO"), most=1)),
}


def _large(count: int, length: int) -> list[list[bytes]]:
    return [[b"RPUSH", b"a", *(b"%d" % number * length for number in range(count))]]


LISTS = Family(
    "list",
    SHAPES,
    preparations=filled(drawn(_large, choice([100, 128, 129, 513, 2500]), choice([1, 30]))),
)
