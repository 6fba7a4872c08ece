"""Everything at once, on the same few keys."""

from __future__ import annotations

from differential.families import (
    bitmaps,
    geo,
    hashes,
    hyperloglogs,
    lists,
    sets,
    sorted_sets,
    sorting,
    streams,
)
from differential.families.family import Family
from differential.grammar import either

_MODULES = (hashes, sets, lists, sorted_sets, streams, bitmaps, hyperloglogs, geo, sorting)
_WITH_STEPS = (hashes.HASHES, sets.SETS, sorted_sets.SORTED_SETS)

MIXED = Family(
    "mixed",
    {
        name: shape
        for module in _MODULES
        for name, shape in module.SHAPES.items()
        if name != b"PFCOUNT"  # see exceptions.unkept_estimate: the other families see those bytes
    },
    preparations=either(*(part.preparations for part in _WITH_STEPS)),
    randoms=either(*(part.randoms for part in _WITH_STEPS if part.randoms is not None)),
    scans=either(*(part.scans for part in _WITH_STEPS if part.scans is not None)),
)
