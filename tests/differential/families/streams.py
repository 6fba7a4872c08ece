"""Streams and consumer groups. Ids are given, since those that the clock makes differ."""

from __future__ import annotations

from differential.families.family import (
    Family,
    any_elements,
    counts,
    elements,
    key,
)
from differential.grammar import (
    Word,
    Words,
    after,
    choice,
    drawn,
    either,
    integers,
    joined,
    just,
    many,
    mostly,
    number,
    one,
    some,
    words,
)

_IDS = [
    *(b"1-1", b"1-2", b"2-1", b"2-1", b"3-3", b"5-0", b"5-1", b"7", b"9-9", b"100-1", b"1000-5"),
    *(b"18446744073709551615-18446744073709551615", b"18446744073709551615"),
]
_BAD_IDS = [
    *(b"0-0", b"0", b"-", b"+", b"x", b"", b"1-", b"-1", b"1-x", b"1--1", b"1-1-1", b" 1-1"),
    *(b"18446744073709551616-1", b"1-18446744073709551616", b"$", b">", b"(1-1", b"1-*x", b"01-1"),
]
_fresh_ids = drawn(lambda ms, seq: ms + seq, number(1, 40), number(0, 3, b"-%d"))
_late_ids = drawn(lambda ms, seq: ms + seq, number(30, 99), number(0, 3, b"-%d"))
_partial_ids = number(0, 40, b"%d-*")
_ids = mostly(either(choice(_IDS), _fresh_ids, _fresh_ids), choice(_BAD_IDS), 0.06)
_new_ids = either(_fresh_ids, _late_ids, _late_ids, _partial_ids, _ids)
# Above every id that may have been deleted: 7.0 would go below it, 7.2 does not.
_set_ids = mostly(choice([b"2000-1", b"5000", b"7000-0"]), choice([b"x", b"", b"0-", b"*"]), 0.07)
_from = mostly(
    choice([b"-", b"-", b"1", b"(1-1", b"2-1", b"(5", b"7-3"]),
    choice([b"+", b"(", b"(-", b"x"]),
    0.07,
)
_to = mostly(
    choice([b"+", b"+", b"9", b"(5-1", b"40-3", b"(5", b"2"]), choice([b"-", b"(+", b""]), 0.07
)
_group_names = mostly(choice([b"g", b"g", b"h"]), choice([b"", b"nosuch"]), 0.08)
_group, _consumer = one(_group_names), one(choice([b"c", b"c", b"d", b"", b"\x00\xff"]))
_streams = one(mostly(choice([b"a", b"a", b"b"]), choice([b"text", b"missing", b"c", b""])))
_since = mostly(
    choice([b"0", b"0-0", b"$", b"2-1", b"5", b"40-3"]), choice([b"x", b"-", b"+", b">"]), 0.07
)
_group_since = mostly(choice([b">", b">", b">", b"0", b"2-1", b"40"]), choice([b"$", b"x"]), 0.07)
_some_count = after(b"COUNT", counts)
_numbers = integers

_exact_trim = joined(
    either(
        joined(words(b"MAXLEN"), some(just(b"="), most=1), one(_numbers)),
        joined(words(b"MINID"), some(just(b"="), most=1), one(_ids)),
    ),
    some(after(b"LIMIT", counts), most=1),
)
# About so many: servers may differ in what they leave, but for streams that were only added to.
_about = joined(
    either(
        joined(words(b"MAXLEN"), just(b"~"), one(mostly(number(0, 400), integers))),
        joined(words(b"MINID"), just(b"~"), one(number(0, 450, b"7-%d"))),
    ),
    some(after(b"LIMIT", choice([b"0", b"1", b"50", b"100", b"150", b"x", b"-1"])), most=1),
)
_trim = either(_exact_trim, _exact_trim, joined(words(b"MAXLEN", b"MINID"), one(_ids)))


def _reading(since: Word) -> Words:
    """STREAMS with as many ids as keys, most of the time."""
    one_stream = joined(words(b"STREAMS"), _streams, one(since))
    two_streams = joined(words(b"STREAMS"), _streams, _streams, one(since), one(since))
    unequal = joined(words(b"STREAMS"), _streams, _streams, one(since))
    return mostly(either(one_stream, one_stream, two_streams), unequal, 0.05)


# Either nothing or everything has been idle for so long.
_idle_times = mostly(choice([b"0", b"0", b"0", b"90000000"]), choice([b"-1", b"x"]), 0.07)
_claim_options = some(
    after(b"IDLE", _idle_times),
    after(b"TIME", mostly(choice([b"1000000", b"0"]), choice([b"x", b"-1"]))),
    after(b"RETRYCOUNT", counts),
    words(b"FORCE", b"JUSTID", b"FORCE"),
    after(b"LASTID", _ids),
    most=2,
)
_set_id_options = some(after(b"ENTRIESADDED", _numbers), after(b"MAXDELETEDID", _ids), most=2)

SHAPES = {
    b"XADD": (
        mostly(
            joined(
                key,
                some(words(b"NOMKSTREAM"), _exact_trim, most=1),
                one(_new_ids),
                many(elements, any_elements),
            ),
            joined(just(b"log"), some(_about, most=1), just(b"7-*", b"f", b"v")),
            0.3,
        ),
    ),
    b"XLEN": (key,),
    b"XRANGE": (key, one(_from), one(_to), some(_some_count, words(b"FOO"), most=1)),
    b"XREVRANGE": (key, one(_to), one(_from), some(_some_count, most=1)),
    b"XREAD": (some(_some_count, words(b"FOO"), most=1), _reading(_since)),
    b"XDEL": (key, many(_ids)),
    b"XTRIM": (mostly(joined(key, _trim), joined(just(b"log"), _about), 0.3),),
    b"XSETID": (key, one(_set_ids), _set_id_options),
    b"XREADGROUP": (
        words(b"GROUP"),
        _group,
        _consumer,
        some(_some_count, words(b"NOACK"), most=2),
        _reading(_group_since),
    ),
    b"XACK": (key, _group, many(_ids)),
    b"XPENDING": (
        key,
        _group,
        either(
            just(),
            joined(
                some(after(b"IDLE", _idle_times), most=1),
                one(_from),
                one(_to),
                one(counts),
                some(_consumer, most=1),
            ),
        ),
    ),
    b"XCLAIM": (key, _group, _consumer, one(_idle_times), many(_ids), _claim_options),
    b"XAUTOCLAIM": (
        key,
        _group,
        _consumer,
        one(_idle_times),
        one(_from),
        some(_some_count, words(b"JUSTID"), most=2),
    ),
    b"XINFO": (
        either(
            joined(
                words(b"STREAM"),
                key,
                some(joined(words(b"FULL"), some(_some_count, most=1)), most=1),
            ),
            joined(words(b"GROUPS"), key),
            joined(words(b"CONSUMERS"), key, _group),
        ),
    ),
    b"XGROUP": (
        either(
            joined(
                words(b"CREATE"),
                key,
                _group,
                one(either(_since, _ids)),
                some(words(b"MKSTREAM"), after(b"ENTRIESREAD", _numbers), most=2),
            ),
            joined(
                words(b"SETID"), key, _group, one(_ids), some(after(b"ENTRIESREAD", counts), most=1)
            ),
            joined(words(b"DESTROY"), key, _group),
            joined(words(b"CREATECONSUMER", b"DELCONSUMER"), key, _group, _consumer),
        ),
    ),
}


_GROUPS: list[list[bytes]] = [
    [b"XGROUP", b"CREATE", b"a", b"g", b"0", b"MKSTREAM"],
    [b"XGROUP", b"CREATE", b"a", b"h", b"5"],
    [b"XGROUP", b"CREATE", b"b", b"g", b"$", b"MKSTREAM"],
]


def _large(count: int) -> list[list[bytes]]:
    lines = [
        [b"XADD", b"a", b"%d-%d" % (n // 3 + 1, n % 3 + 1), b"n", b"%d" % n] for n in range(count)
    ]
    log = ([b"XADD", b"log", b"7-%d" % (n + 1), b"f", b"v"] for n in range(count + count % 7 * 50))
    return [*lines, *_GROUPS, *log]


def makes_its_own_id(line: list[bytes]) -> bool:
    """XADD whose id comes from the clock."""
    return line[0].upper() == b"XADD" and b"*" in line[2:]


STREAMS = Family(
    "stream",
    SHAPES,
    preparations=drawn(_large, choice([0, 0, 8, 30, 250])),
)
