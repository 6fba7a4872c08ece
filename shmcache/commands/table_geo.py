"""Declarations of the geo commands."""

from __future__ import annotations

from functools import partial

from shmcache.commands import geo, spec
from shmcache.commands.spec import (
    KEY,
    Argument,
    block,
    double,
    integer,
    key,
    keys_after,
    one_of,
    string,
    token,
)

__all__ = ["COMMANDS"]

_geo = partial(spec.command, group="geo", categories="geo")

_READ = (key("RO access"),)
_LOG_COST = "O(log(N)), N being the number of members."
_SEARCH_COST = (
    "O(N+log(M)), N being the number of members in the cells of the map around the area, and M "
    "that of all."
)
_UPPER_CASE = ("7.0.0", "Units may be in upper case.")
_ANY = ("6.2.0", "Knows `ANY` after `COUNT`.")

_MEMBER = string("member")

_LONGITUDE_LATITUDE = (double("longitude"), double("latitude"))
_UNIT = one_of("unit", token("M"), token("KM"), token("FT"), token("MI"))
_FROM = one_of(
    "from",
    string("member", "FROMMEMBER"),
    block("longitude_latitude", *_LONGITUDE_LATITUDE, word="FROMLONLAT"),
)
_BY = one_of(
    "by",
    block("circle", double("radius", "BYRADIUS"), _UNIT),
    block("box", double("width", "BYBOX"), double("height"), _UNIT),
)
_ORDER = one_of("order", token("ASC"), token("DESC"), optional=True)
_WITH = (
    token("WITHCOORD", optional=True),
    token("WITHDIST", optional=True),
    token("WITHHASH", optional=True),
)
_STORE = (
    Argument("key", "key", "STORE", key_spec=1, optional=True),
    Argument("key", "key", "STOREDIST", key_spec=2, optional=True),
)


def _count(any_since: str = "") -> Argument:
    any_word = token("ANY", since=any_since, optional=True)
    return block("count", integer("count", "COUNT"), any_word, optional=True)


def _stored(start: int) -> list[spec.KeySpec]:
    """The keys of GEORADIUS or GEORADIUSBYMEMBER, whose options begin at word ``start``."""
    stores = (keys_after("OW update", word, start) for word in ("STORE", "STOREDIST"))
    return [*_READ, *stores]


_POINTS = (
    _geo(
        "geoadd",
        -5,
        "write denyoom",
        "Adds members at places, or moves them.",
        since="3.2.0",
        complexity="O(log(N)) for each member given, N being the number of members.",
        keys=[key("RW update")],
        arguments=[
            KEY,
            one_of("condition", token("NX"), token("XX"), since="6.2.0", optional=True),
            Argument("change", "pure-token", "CH", since="6.2.0", optional=True),
            block("longitude_latitude_member", *_LONGITUDE_LATITUDE, _MEMBER, multiple=True),
        ],
        history=[("6.2.0", "Knows `CH`, `NX` and `XX`.")],
        function=geo.geoadd,
    ),
    _geo(
        "geodist",
        -4,
        "readonly",
        "Returns the distance between two members.",
        since="3.2.0",
        complexity=_LOG_COST,
        keys=_READ,
        arguments=[
            KEY,
            string("member1"),
            string("member2"),
            _UNIT._replace(optional=True),
        ],
        function=geo.geodist,
    ),
    _geo(
        "geohash",
        -2,
        "readonly",
        "Returns the geohashes of members as text.",
        since="3.2.0",
        complexity="O(log(N)) for each member asked for, N being the number of members.",
        keys=_READ,
        arguments=[KEY, string("member", multiple=True)],
        function=geo.geohash,
    ),
    _geo(
        "geopos",
        -2,
        "readonly",
        "Returns the longitudes and latitudes of members.",
        since="3.2.0",
        complexity="O(N), N being the number of members asked for.",
        keys=_READ,
        arguments=[KEY, string("member", multiple=True)],
        function=geo.geopos,
    ),
)

_SEARCHES = (
    _geo(
        "georadius",
        -6,
        "write denyoom",
        "Returns the members within a distance of a place, or puts them into another key.",
        since="3.2.0",
        complexity=_SEARCH_COST,
        keys=_stored(6),
        arguments=[
            KEY,
            *_LONGITUDE_LATITUDE,
            double("radius"),
            _UNIT,
            *_WITH,
            _count("6.2.0"),
            _ORDER,
            *_STORE,
        ],
        history=[_ANY, _UPPER_CASE],
        deprecated_since="6.2.0",
        replaced_by="`GEOSEARCH` and `GEOSEARCHSTORE` with `BYRADIUS`",
        function=geo.georadius,
    ),
    _geo(
        "georadius_ro",
        -6,
        "readonly",
        "Returns the members within a distance of a place.",
        since="3.2.10",
        complexity=_SEARCH_COST,
        keys=_READ,
        arguments=[
            KEY,
            *_LONGITUDE_LATITUDE,
            double("radius"),
            _UNIT,
            *_WITH,
            _count("6.2.0"),
            _ORDER,
        ],
        history=[_ANY],
        deprecated_since="6.2.0",
        replaced_by="`GEOSEARCH` with `BYRADIUS`",
        function=geo.georadius_ro,
    ),
    _geo(
        "georadiusbymember",
        -5,
        "write denyoom",
        "Returns the members within a distance of one of them, or puts them into another key.",
        since="3.2.0",
        complexity=_SEARCH_COST,
        keys=_stored(5),
        arguments=[KEY, _MEMBER, double("radius"), _UNIT, *_WITH, _count(), _ORDER, *_STORE],
        history=[_UPPER_CASE],
        deprecated_since="6.2.0",
        replaced_by="`GEOSEARCH` and `GEOSEARCHSTORE` with `BYRADIUS` and `FROMMEMBER`",
        function=geo.georadiusbymember,
    ),
    _geo(
        "georadiusbymember_ro",
        -5,
        "readonly",
        "Returns the members within a distance of one of them.",
        since="3.2.10",
        complexity=_SEARCH_COST,
        keys=_READ,
        arguments=[KEY, _MEMBER, double("radius"), _UNIT, *_WITH, _count(), _ORDER],
        deprecated_since="6.2.0",
        replaced_by="`GEOSEARCH` with `BYRADIUS` and `FROMMEMBER`",
        function=geo.georadiusbymember_ro,
    ),
    _geo(
        "geosearch",
        -7,
        "readonly",
        "Returns the members in a circle or a box.",
        since="6.2.0",
        complexity=_SEARCH_COST,
        keys=_READ,
        arguments=[KEY, _FROM, _BY, _ORDER, _count(), *_WITH],
        history=[_UPPER_CASE],
        function=geo.geosearch,
    ),
    _geo(
        "geosearchstore",
        -8,
        "write denyoom",
        "Puts the members in a circle or a box into another key.",
        since="6.2.0",
        complexity=_SEARCH_COST,
        keys=[key("OW update"), key("RO access", 2)],
        arguments=[
            Argument("destination", "key", key_spec=0),
            Argument("source", "key", key_spec=1),
            _FROM,
            _BY,
            _ORDER,
            _count(),
            token("STOREDIST", optional=True),
        ],
        history=[_UPPER_CASE],
        function=geo.geosearchstore,
    ),
)

COMMANDS = (*_POINTS, *_SEARCHES)
