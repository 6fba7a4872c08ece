"""Where replies differ from redis-server 7.0's on purpose: the target is 7.2. All of them are here.

Each exception is a function of the command line and the two replies: whether the difference is the
one that its docstring tells of. Commands that 7.0 does not know at all, or knows in another form
only, are listed in ``NEWER_FORMS``; no comparison sends them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from shmcache.protocol.doubles import double_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from differential.wire import Tagged

NEWER_COMMANDS = frozenset(
    {
        # 7.2
        *("client|setinfo", "client|no-touch", "waitaof"),
        # 7.4
        *("hexpire", "hpexpire", "hexpireat", "hpexpireat", "hpersist"),
        *("httl", "hpttl", "hexpiretime", "hpexpiretime"),
        # 8.0
        *("hgetdel", "hgetex", "hsetex"),
    }
)
NEWER_ARGUMENTS = frozenset({"zrank", "zrevrank", "hscan", "client|kill"})
"""Commands with arguments that 7.0 did not have: ZRANK WITHSCORE, HSCAN NOVALUES, KILL MAXAGE."""
LEAST = b"-9223372036854775808"
NEWER_FORMS = {
    b"ZRANK": 4,  # ZRANK key member WITHSCORE, since 7.2
    b"ZREVRANK": 4,
}
"""Lines of these commands with so many words, or more, mean something in 7.2 only."""

_ENCODINGS = {
    # OBJECT ENCODING of small sets and lists: 7.2 packs both
    (b"hashtable", b"listpack"),
    (b"quicklist", b"listpack"),
    # SORT unpacks the sorted set that it reads.
    (b"skiplist", b"listpack"),
    # Redis keeps what INCRBYFLOAT computed as text even where it is an integer.
    (b"embstr", b"int"),
}
_ZEROS: list[set[object]] = [{b"0", b"-0"}, {"0.0", "-0.0"}]
_DOUBLES = re.compile(rb"Z|GEO|SORT")


def newer_encoding(words: Sequence[bytes], theirs: Tagged, ours: Tagged) -> bool:
    """OBJECT ENCODING names an encoding that 7.0 did not have."""
    return words[0].upper() == b"OBJECT" and (theirs[-1], ours[-1]) in _ENCODINGS


def shorter_double(words: Sequence[bytes], theirs: Tagged, ours: Tagged) -> bool:
    """7.0 prints doubles with 17 digits, 7.2 with as many as are needed: 0.1."""
    if not _DOUBLES.match(words[0].upper()) or {theirs[0], ours[0]} != {"bulk"}:
        return False
    try:
        value = float(theirs[1])
    except ValueError:
        return False
    return bool(theirs[1] == b"%.17g" % value and ours[1] == double_text(value))


def quoted_name(words: Sequence[bytes], theirs: Tagged, ours: Tagged) -> bool:
    """Redis quotes some names in errors as they were typed, this package as they are declared."""
    quoting = (b"GEOSEARCH", b"XGROUP", b"XINFO")
    if not words[0].upper().startswith(quoting) or {theirs[0], ours[0]} != {"error"}:
        return False
    return bool(theirs[1].upper() == ours[1].upper())


def named_command(words: Sequence[bytes], theirs: Tagged, ours: Tagged) -> bool:
    """XREAD without as many ids as keys: since 7.2 the error names the command that was called."""
    if not words[0].upper().startswith(b"XREAD") or {theirs[0], ours[0]} != {"error"}:
        return False
    expected = theirs[1].replace(b"XREAD list", b"'%b' list" % words[0].lower())
    return bool(ours[1].replace(b"'>'", b"'$'") == expected)


def negative_zero(words: Sequence[bytes], theirs: Tagged, ours: Tagged) -> bool:
    """A zero with a sign, which Redis keeps in some encodings of a sorted set and in others not."""
    if not _DOUBLES.match(words[0].upper()) or theirs[0] != ours[0]:
        return False
    return theirs[0] in {"bulk", "double"} and {theirs[1], ours[1]} in _ZEROS


def unkept_estimate(words: Sequence[bytes], theirs: Tagged, ours: Tagged) -> bool:
    """PFCOUNT keeps what it found in the value; a process that may only read cannot."""
    if {theirs[0], ours[0]} != {"bulk"}:
        return False
    kept = slice(8, 16)
    without = [reply[1][: kept.start] + reply[1][kept.stop :] for reply in (theirs, ours)]
    same_length = len(theirs[1]) == len(ours[1])
    return bool(same_length and without[0] == without[1] and theirs[1].startswith(b"HYLL"))


EXCEPTIONS = (
    newer_encoding,
    unkept_estimate,
    shorter_double,
    negative_zero,
    quoted_name,
    named_command,
)


def made_equal(words: list[bytes]) -> list[list[bytes]]:
    """What makes a line do on 7.0 what it does on 7.2.

    XREADGROUP, XCLAIM and XAUTOCLAIM create the consumer also when there is nothing for it.
    """
    name = words[0].upper()
    if name in {b"XCLAIM", b"XAUTOCLAIM"} and len(words) > 3:
        return [[b"XGROUP", b"CREATECONSUMER", *words[1:4]], words]
    if name == b"XREADGROUP":
        upper = [word.upper() for word in words]
        at = upper.index(b"STREAMS") + 1 if b"STREAMS" in upper else len(words)
        keys = words[at : at + (len(words) - at) // 2]
        return [*([b"XGROUP", b"CREATECONSUMER", key, *words[2:4]] for key in keys), words]
    return [words]


def is_exception(words: Sequence[bytes], theirs: Tagged, ours: Tagged) -> bool:
    return any(exception(words, theirs, ours) for exception in EXCEPTIONS)


def is_newer_form(words: Sequence[bytes]) -> bool:
    name = words[0].upper()
    if name == b"LPOS" and LEAST in words:
        return True  # as a RANK it is out of range since 7.2
    return len(words) >= NEWER_FORMS.get(name, len(words) + 1)
