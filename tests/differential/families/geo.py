"""Places."""

from __future__ import annotations

from differential.families.family import Family, counts, elements, filled, key
from differential.grammar import (
    after,
    always,
    choice,
    decimal,
    drawn,
    either,
    joined,
    many,
    mostly,
    number,
    one,
    row,
    some,
    words,
)

_longitudes = mostly(
    decimal(-180, 180, b"%.6f"),
    choice([b"13.361389", b"15.087269", b"0", b"-180", b"180", b"180.1", b"nan", b"x", b"inf"]),
)
_latitudes = mostly(
    decimal(-85.05, 85.05, b"%.6f"),
    choice([b"38.115556", b"37.502669", b"0", b"-85.06", b"85.05112878", b"90", b"x", b""]),
)
_members = either(elements, number(0, 60, b"f%d"))
_member = one(_members)
_unit = mostly(words(b"m", b"km", b"ft", b"mi", b"m", b"km"), words(b"parsec"), 0.04)
_radii = mostly(
    choice([b"0", b"1", b"200", b"5000", b"100000", b"20000000"]),
    choice([b"-1", b"x", b"1e400", b"nan", b""]),
    0.05,
)
_center = joined(one(_longitudes), one(_latitudes))
_count = mostly(after(b"COUNT", counts), joined(after(b"COUNT", counts), words(b"ANY")))
_showing = mostly(
    words(b"WITHCOORD", b"WITHDIST", b"WITHHASH", b"ASC", b"DESC"), words(b"FOO", b"ANY"), 0.05
)
_search_options = some(_showing, _showing, _count)
_stored = words(b"STORE", b"STOREDIST")
_from = either(after(b"FROMMEMBER", _members), after(b"FROMLONLAT", _longitudes, _latitudes))
_by = either(
    joined(words(b"BYRADIUS"), one(_radii), _unit),
    joined(words(b"BYBOX"), row(_radii, _radii), _unit),
)
_search = (mostly(joined(_from, _by), either(joined(_by, _from), joined(_from, _by, _by))),)
_storing = some(joined(_stored, key), most=1)

SHAPES = {
    b"GEOADD": (
        key,
        some(words(b"NX", b"XX", b"CH"), most=1),
        many(_longitudes, _latitudes, _members),
    ),
    b"GEODIST": (key, _member, _member, some(_unit, most=1)),
    b"GEOHASH": (key, some(many(_members), most=1)),
    b"GEOPOS": (key, some(many(_members), most=1)),
    b"GEOSEARCH": (key, *_search, _search_options),
    b"GEOSEARCHSTORE": (key, key, *_search, some(_showing, _count, words(b"STOREDIST"))),
    b"GEORADIUS": (key, _center, one(_radii), _unit, _search_options, _storing),
    b"GEORADIUS_RO": (key, _center, one(_radii), _unit, _search_options),
    b"GEORADIUSBYMEMBER": (key, _member, one(_radii), _unit, _search_options, _storing),
    b"GEORADIUSBYMEMBER_RO": (key, _member, one(_radii), _unit, _search_options),
    b"ZRANGE": (key, row(always(b"0"), always(b"-1")), words(b"WITHSCORES")),
    b"ZREM": (key, many(_members)),
}


def _large(places: list[tuple[float, float]]) -> list[list[bytes]]:
    words = [
        word
        for number, (longitude, latitude) in enumerate(places)
        for word in (b"%.5f" % longitude, b"%.5f" % latitude, b"f%d" % number)
    ]
    return [[b"GEOADD", b"a", *words]]


def _grid(count: int) -> list[tuple[float, float]]:
    """Places all over the world, no two of them equally far from anything."""
    return [
        (number * 137.508 % 359 - 179.5, number * 61.803 % 169 - 84.5) for number in range(count)
    ]


GEO = Family(
    "geo",
    SHAPES,
    preparations=filled(drawn(_large, drawn(_grid, choice([20, 60, 150, 300])))),
)
