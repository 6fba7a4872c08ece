"""Declarations of the commands that take strings for bits."""

from __future__ import annotations

from functools import partial

from shmcache.commands import bitfield, bitmaps, spec
from shmcache.commands.spec import KEY, KEYS, block, integer, key, one_of, string, token

__all__ = ["COMMANDS"]

_bitmap = partial(spec.command, group="bitmap", categories="bitmap")

_READ = (key("RO access"),)
_LENGTH_COST = "O(N), N being the number of bytes looked at."
_STEP_COST = "O(N), N being the number of integers."
_UNIT = one_of("index_unit", token("BYTE"), token("BIT"), since="7.0.0", optional=True)
_UNIT_HISTORY = (("7.0.0", "`BYTE` and `BIT`."),)
_WHERE = (string("encoding"), integer("offset"))
_OVERFLOW = one_of(
    "wrap_sat_fail",
    token("WRAP"),
    token("SAT"),
    token("FAIL"),
    word="OVERFLOW",
    optional=True,
)
_WRITE = block(
    "write",
    _OVERFLOW,
    one_of(
        "write_operation",
        block("encoding_offset_value", *_WHERE, integer("value"), word="SET"),
        block("encoding_offset_increment", *_WHERE, integer("increment"), word="INCRBY"),
    ),
)
_GET = block("encoding_offset", *_WHERE, word="GET")

_BITS = (
    _bitmap(
        "getbit",
        3,
        "readonly fast",
        "Returns a bit of a string.",
        since="2.2.0",
        keys=_READ,
        arguments=[KEY, integer("offset")],
        function=bitmaps.getbit,
    ),
    _bitmap(
        "setbit",
        4,
        "write denyoom",
        "Sets or clears a bit of a string, which is made as long as that takes.",
        since="2.2.0",
        complexity="O(N), N being the length of the string.",
        keys=[key("RW access update")],
        arguments=[KEY, integer("offset"), integer("value")],
        function=bitmaps.setbit,
    ),
    _bitmap(
        "bitcount",
        -2,
        "readonly",
        "Counts the bits that are set in a string, or in a part of it.",
        since="2.6.0",
        complexity=_LENGTH_COST,
        keys=_READ,
        arguments=[
            KEY,
            block("index", integer("start"), integer("end"), _UNIT, optional=True),
        ],
        history=_UNIT_HISTORY,
        function=bitmaps.bitcount,
    ),
    _bitmap(
        "bitpos",
        -3,
        "readonly",
        "Finds the first bit of a string that is set, or clear.",
        since="2.8.7",
        complexity=_LENGTH_COST,
        keys=_READ,
        arguments=[
            KEY,
            integer("bit"),
            block(
                "index",
                integer("start"),
                block("end_index", integer("end"), _UNIT, optional=True),
                optional=True,
            ),
        ],
        history=_UNIT_HISTORY,
        function=bitmaps.bitpos,
    ),
    _bitmap(
        "bitop",
        -4,
        "write denyoom",
        "Combines strings bit by bit and stores the result.",
        since="2.6.0",
        complexity="O(N), N being the length of all the strings.",
        keys=[key("OW update", first=2), key("RO access", first=3, last=-1)],
        arguments=[
            string("operation"),
            KEY._replace(name="destkey"),
            KEYS._replace(key_spec=1),
        ],
        function=bitmaps.bitop,
    ),
)

_FIELDS = (
    _bitmap(
        "bitfield",
        -2,
        "write denyoom",
        "Reads, sets and adds to integers of any width inside a string.",
        since="3.2.0",
        complexity=_STEP_COST,
        keys=[key("RW access update variable_flags", notes="May only read, or read and write")],
        arguments=[KEY, one_of("operation", _GET, _WRITE, optional=True, multiple=True)],
        function=bitfield.bitfield,
        variable_flags=bitfield.bitfield_key_flags,
    ),
    _bitmap(
        "bitfield_ro",
        -2,
        "readonly fast",
        "Reads integers of any width inside a string.",
        since="6.0.0",
        complexity=_STEP_COST,
        keys=_READ,
        arguments=[KEY, _GET._replace(optional=True, multiple=True, repeats_token=True)],
        function=bitfield.bitfield_ro,
    ),
)

COMMANDS = (*_BITS, *_FIELDS)
