"""Hypothesis strategies for command lines: mostly right, often hostile."""

from __future__ import annotations

from itertools import chain

from hypothesis import strategies as st

Words = st.SearchStrategy[list[bytes]]

KEYS = [b"a", b"b", b"c", b"", b"k\x00\xff\r\n", b"{tag}:" + b"x" * 60]

_INTEGERS = [
    *(b"0", b"1", b"-1", b"2", b"7", b"-5", b"10", b"100", b"1000"),
    *(b"9223372036854775807", b"-9223372036854775808", b"9223372036854775806"),
]
_NO_INTEGERS = [
    *(b"9223372036854775808", b"-9223372036854775809", b"99999999999999999999999", b"1.0", b"1e3"),
    *(b"+1", b"01", b"-0", b" 1", b"1 ", b"", b"abc", b"0x10", b"1_0", b"\xd9\xa1", b"NaN"),
]
_FLOATS = [
    *(b"0.1", b"-0.1", b"3.0e3", b"1e-7", b"5.", b".5", b"+2", b"0x1p-3", b"1e17", b"-1e18"),
    *(b"inf", b"-Infinity", b"nan", b"1e5000", b"1e-5000", b"0x", b"1e", b"--1", b"1.5 ", b"-0.0"),
]
_TEXTS = [
    *(b"", b"abc", b"ABCABC", b"\x00\xff\r\n", b"x" * 44, b"x" * 45, b"x" * 300, b"foobar"),
    *(b"ohmytext", b"mynewtext", b"$-1\r\n"),
]
_JUNK = [b"", b"FOO", b"\x00", b"NX", b"GET", b"*", b"-1", b"EX", b"\r\n-ERR", b"'quoted'"]

keys = st.sampled_from(KEYS)
integers = st.sampled_from(_INTEGERS) | st.integers(-20, 20).map(lambda n: b"%d" % n)
hostile_integers = st.sampled_from(_INTEGERS + _NO_INTEGERS)
floats = st.sampled_from(_FLOATS + _INTEGERS) | st.floats(-1e6, 1e6).map(lambda f: b"%r" % f)
values = st.sampled_from(_TEXTS + _INTEGERS + _NO_INTEGERS) | st.binary(max_size=12)
offsets = st.sampled_from([b"0", b"1", b"3", b"50", b"-1", b"536870912", b"4611686018427387904"])
databases = st.sampled_from([b"0", b"1", b"1", b"15", b"16", b"-1", b"x", b"4294967296", b"01"])
globs = st.sampled_from(
    [b"*", b"**", b"a", b"[abc]", b"[^a]", b"?", b"k*", b"{*", b"", b"\\", b"["]
)
types = st.sampled_from([b"string", b"STRING", b"hash", b"nosuch", b""])

# Times lie far ahead or long past, so that nothing dies between the two sides' turns. Those that
# count from now never meet GT or LT, whose outcome could hang on a millisecond.
_NO_TIMES = [b"9223372036854775807", b"-9223372036854775808", *_NO_INTEGERS]
relative_times = st.sampled_from([b"5000000", b"90000000", b"0", b"-1", b"-1000", *_NO_TIMES])
absolute_seconds = st.sampled_from(
    [
        b"4102444800",
        b"5000000000",
        b"4102444801",
        b"1",
        b"0",
        b"-7",
        b"9000000000000000",
        *_NO_TIMES,
    ]
)
absolute_milliseconds = st.sampled_from(
    [b"4102444800000", b"5000000000000", b"4102444800001", b"1", b"0", b"-7", *_NO_TIMES[1:]]
)


def _either_case(word: bytes) -> Words:
    return st.sampled_from([word, word.lower(), word.title()]).map(lambda chosen: [chosen])


def _words(*words: bytes) -> Words:
    return st.sampled_from(words).flatmap(_either_case)


def _after(word: bytes, argument: st.SearchStrategy[bytes]) -> Words:
    return st.tuples(_either_case(word), argument).map(lambda pair: [*pair[0], pair[1]])


def _some(*choices: Words, most: int = 3) -> Words:
    """A few options in any order, contradictions included."""
    return st.lists(st.one_of(*choices), max_size=most).map(
        lambda options: list(chain.from_iterable(options))
    )


def _one(argument: st.SearchStrategy[bytes]) -> Words:
    return argument.map(lambda word: [word])


def _many(*arguments: st.SearchStrategy[bytes]) -> Words:
    return st.lists(st.tuples(*arguments), min_size=1, max_size=3).map(
        lambda rows: [word for row in rows for word in row]
    )


_time_options = (
    _after(b"EX", relative_times),
    _after(b"PX", relative_times),
    _after(b"EXAT", absolute_seconds),
    _after(b"PXAT", absolute_milliseconds),
)
_set_options = _some(_words(b"NX", b"XX", b"GET", b"KEEPTTL", b"PERSIST"), *_time_options)
_getex_options = _some(_words(b"PERSIST", b"KEEPTTL"), *_time_options, most=2)
_relative_conditions = _some(_words(b"NX", b"XX", b"FOO"), most=2)
_absolute_conditions = _some(_words(b"NX", b"XX", b"GT", b"LT"), most=2)
_lcs_options = _some(
    _words(b"LEN", b"IDX", b"IDX", b"WITHMATCHLEN"), _after(b"MINMATCHLEN", hostile_integers)
)
_copy_options = _some(_words(b"REPLACE"), _after(b"DB", databases))
_key, _value, _integer = _one(keys), _one(values), _one(integers | hostile_integers)

SHAPES: dict[bytes, tuple[Words, ...]] = {
    b"SET": (_key, _value, _set_options),
    b"SETNX": (_key, _value),
    b"SETEX": (_key, _one(relative_times), _value),
    b"PSETEX": (_key, _one(relative_times), _value),
    b"GET": (_key,),
    b"GETSET": (_key, _value),
    b"GETDEL": (_key,),
    b"GETEX": (_key, _getex_options),
    b"MGET": (_many(keys),),
    b"MSET": (_many(keys, values),),
    b"MSETNX": (_many(keys, values),),
    b"INCR": (_key,),
    b"DECR": (_key,),
    b"INCRBY": (_key, _integer),
    b"DECRBY": (_key, _integer),
    b"INCRBYFLOAT": (_key, _one(floats | hostile_integers)),
    b"APPEND": (_key, _value),
    b"STRLEN": (_key,),
    b"GETRANGE": (_key, _integer, _integer),
    b"SUBSTR": (_key, _integer, _integer),
    b"SETRANGE": (_key, _one(offsets | st.sampled_from(_NO_INTEGERS)), _value),
    b"LCS": (_key, _key, _lcs_options),
    b"DEL": (_many(keys),),
    b"UNLINK": (_many(keys),),
    b"EXISTS": (_many(keys),),
    b"TOUCH": (_many(keys),),
    b"TYPE": (_key,),
    b"EXPIRE": (_key, _one(relative_times), _relative_conditions),
    b"PEXPIRE": (_key, _one(relative_times), _relative_conditions),
    b"EXPIREAT": (_key, _one(absolute_seconds), _absolute_conditions),
    b"PEXPIREAT": (_key, _one(absolute_milliseconds), _absolute_conditions),
    b"TTL": (_key,),
    b"PTTL": (_key,),
    b"EXPIRETIME": (_key,),
    b"PEXPIRETIME": (_key,),
    b"PERSIST": (_key,),
    b"RENAME": (_key, _key),
    b"RENAMENX": (_key, _key),
    b"COPY": (_key, _key, _copy_options),
    b"MOVE": (_key, _one(databases)),
    b"RANDOMKEY": (),
    b"KEYS": (_one(globs),),
    b"SWAPDB": (_one(databases), _one(databases)),
    b"TIME": (),
    b"FLUSHDB": (_some(_words(b"ASYNC", b"SYNC", b"FOO"), most=1),),
    b"OBJECT": (_words(b"ENCODING", b"IDLETIME", b"REFCOUNT", b"FREQ", b"HELP", b"FOO"), _key),
    b"MEMORY": (_words(b"USAGE"), _key, _some(_after(b"SAMPLES", hostile_integers), most=1)),
    b"NOSUCH": (_many(values),),
}

scan_options = _some(
    _after(b"MATCH", globs),
    _after(b"COUNT", st.sampled_from([b"1", b"3", b"1000"])),
    _after(b"TYPE", types),
)
hostile_scans = st.tuples(
    st.sampled_from([b"0", b"+0", b"-0", b"", b" 1", b"x", b"1x", b"-", b"18446744073709551616"]),
    _some(_after(b"COUNT", hostile_integers), _words(b"COUNT", b"MATCH", b"FOO")),
).map(lambda parts: [b"SCAN", parts[0], *parts[1]])


def _flatten(parts: tuple[list[bytes], ...]) -> list[bytes]:
    return [word for part in parts for word in part]


well_formed = st.sampled_from(sorted(SHAPES)).flatmap(
    lambda name: st.tuples(_either_case(name), *SHAPES[name]).map(_flatten)
)


@st.composite
def _damaged(draw: st.DrawFn) -> list[bytes]:
    """A line with words missing, added or replaced; the command itself stays."""
    line = draw(well_formed)
    if len(line) > 1:
        line = line[: draw(st.integers(1, len(line)))]
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(1, len(line)))
        line.insert(at, draw(st.sampled_from(_JUNK)))
    return line


def _harmless(line: list[bytes]) -> bool:
    """Whether both sides can be expected to agree, and to survive it."""
    name = line[0].upper()
    conditions = {word.upper() for word in line[3:]} & {b"GT", b"LT"}
    return not (name in {b"EXPIRE", b"PEXPIRE"} and conditions)


lines = st.one_of(well_formed, well_formed, well_formed, _damaged().filter(_harmless))
