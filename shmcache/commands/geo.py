"""The geo commands: points as members of a sorted set whose scores are geohashes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shmcache.arena import ZADD_NX, ZADD_XX
from shmcache.commands import geohash as cells
from shmcache.commands.geo_search import BY_MEMBER, BY_POINT, BY_WORDS, prepare
from shmcache.commands.geo_shapes import fixed_text, parse_point, parse_unit
from shmcache.commands.replies import NULL_ARRAY, CommandError, Reply, syntax_error
from shmcache.protocol.doubles import HumanDouble, human_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shmcache.arena import Reads
    from shmcache.commands.context import Context
    from shmcache.commands.geo_search import Family, Found, Search

__all__ = [
    "geoadd",
    "geodist",
    "geohash",
    "geopos",
    "georadius",
    "georadius_ro",
    "georadiusbymember",
    "georadiusbymember_ro",
    "geosearch",
    "geosearchstore",
]

_ADD_FLAGS = {b"NX": ZADD_NX, b"XX": ZADD_XX, b"CH": 0}


def geoadd(context: Context, args: Sequence[bytes]) -> Reply:
    """GEOADD key [NX | XX] [CH] longitude latitude member [longitude latitude member ...]."""
    flags, first, count_changed = 0, 1, False
    while first < len(args) and (flag := _ADD_FLAGS.get(args[first].upper())) is not None:
        flags |= flag
        count_changed |= not flag
        first += 1
    words = args[first:]
    if not words or len(words) % 3 or (flags & ZADD_NX and flags & ZADD_XX):
        raise syntax_error()
    points = map(parse_point, words[::3], words[1::3])
    scores = [float(cells.encode(point)) for point in points]
    arena = context.arena
    added, changed = arena.zset_add_many(context.db, args[0], words[2::3], scores, flags)
    return added + changed if count_changed else added


def geodist(context: Context, args: Sequence[bytes]) -> Reply:
    """GEODIST key member1 member2 [M | KM | FT | MI]."""
    meters = 1.0
    if len(args) == 4:
        meters = parse_unit(args[3])
    elif len(args) > 4:
        raise syntax_error()
    a, b = context.arena.zset_scores(context.db, args[0], args[1:3])
    if a is None or b is None:
        return None
    return fixed_text(cells.distance(cells.decode(a), cells.decode(b)) / meters)


def geohash(context: Context, args: Sequence[bytes]) -> Reply:
    """GEOHASH key [member [member ...]]."""
    return [
        None if point is None else cells.standard_text(point) for point in _points(context, args)
    ]


def geopos(context: Context, args: Sequence[bytes]) -> Reply:
    """GEOPOS key [member [member ...]]."""
    return [
        NULL_ARRAY if point is None else _coordinates(point) for point in _points(context, args)
    ]


def _points(context: Context, args: Sequence[bytes]) -> list[cells.Point | None]:
    """Where members are; without members, the key's type counts nevertheless."""
    if len(args) == 1:
        context.arena.length(context.db, args[0], "zset")
        return []
    scores = context.arena.zset_scores(context.db, args[0], args[1:])
    return [None if score is None else cells.decode(score) for score in scores]


def _coordinates(point: cells.Point) -> list[Reply]:
    # What cannot be told in so many decimals is not told in RESP3 either.
    return [HumanDouble(human_text(degrees)) for degrees in point]


# ---- searches ------------------------------------------------------------------------------------


def _search(
    context: Context,
    key: bytes,
    words: Sequence[bytes],
    family: Family,
    *,
    into: bytes | None = None,
    stores: bool = False,
) -> Reply:
    """Answer with what is found, or put it into another key."""
    db = context.db
    destination = into
    if stores:
        destination = _destination(words, family)
    if destination is None:

        def look(view: Reads) -> list[Reply]:
            search = prepare(view, (db, key), words, family, stores=stores)
            return [_described(search, found) for found in search.find(view, db, key)]

        return context.arena.read([(db, key)], look)
    named = "georadiusstore" if stores else "geosearchstore"
    with context.arena.transaction([(db, destination), (db, key)], named) as transaction:
        search = prepare(transaction, (db, key), words, family, into=into, stores=stores)
        found = search.find(transaction, db, key)
        scores = [item.distance if search.store_distance else item.score for item in found]
        members = [item.member for item in found]
        transaction.store(db, destination, "zset", members, scores)
    return len(found)


def _destination(words: Sequence[bytes], family: Family) -> bytes | None:
    """The key that STORE names. None also when the words are wrong: they are read once more."""
    try:
        return prepare(None, (0, b""), words, family, stores=True).destination
    except CommandError:
        return None


def _described(search: Search, found: Found) -> Reply:
    if not search.is_described:
        return found.member
    parts: list[Reply] = [found.member]
    if search.with_distance:
        parts.append(fixed_text(found.distance))
    if search.with_hash:
        parts.append(int(found.score))
    if search.with_coordinates:
        parts.append(_coordinates(found.point))
    return parts


def georadius(context: Context, args: Sequence[bytes]) -> Reply:
    """GEORADIUS key longitude latitude radius unit [options] [STORE key | STOREDIST key]."""
    return _search(context, args[0], args[1:], BY_POINT, stores=True)


def georadius_ro(context: Context, args: Sequence[bytes]) -> Reply:
    """GEORADIUS_RO key longitude latitude radius unit [options]."""
    return _search(context, args[0], args[1:], BY_POINT)


def georadiusbymember(context: Context, args: Sequence[bytes]) -> Reply:
    """GEORADIUSBYMEMBER key member radius unit [options] [STORE key | STOREDIST key]."""
    return _search(context, args[0], args[1:], BY_MEMBER, stores=True)


def georadiusbymember_ro(context: Context, args: Sequence[bytes]) -> Reply:
    """GEORADIUSBYMEMBER_RO key member radius unit [options]."""
    return _search(context, args[0], args[1:], BY_MEMBER)


def geosearch(context: Context, args: Sequence[bytes]) -> Reply:
    """GEOSEARCH key FROMMEMBER | FROMLONLAT ... BYRADIUS | BYBOX ... [options]."""
    return _search(context, args[0], args[1:], BY_WORDS)


def geosearchstore(context: Context, args: Sequence[bytes]) -> Reply:
    """GEOSEARCHSTORE destination source FROMMEMBER | FROMLONLAT ... BYRADIUS | BYBOX ..."""
    return _search(context, args[1], args[2:], BY_WORDS, into=args[0])
