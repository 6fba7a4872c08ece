"""Geohashes: coordinates as the interleaved bits of a 52-bit number, and cells of them.

A cell of ``step`` halvings of the longitudes and as many of the latitudes is a number of
``2 * step`` bits, longitude's bit first in each pair. The arithmetic follows Redis's operation by
operation, since its replies show all 17 digits. Distances are great circles' (haversine).
"""

from __future__ import annotations

from math import asin, cos, fabs, isfinite, nan, pi, sin, sqrt
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "LATITUDE_LIMIT",
    "LONGITUDE_LIMIT",
    "Area",
    "Cell",
    "Point",
    "bounding_box",
    "covering",
    "decode",
    "distance",
    "distances_from",
    "encode",
    "latitude_distance",
    "standard_text",
]

LONGITUDE_LIMIT = 180.0
LATITUDE_LIMIT = 85.05112878
"""Web Mercator's (EPSG:3857): what is nearer to a pole has no place on the map."""
FULL_STEP = 26
_FULL_BITS = 2 * FULL_STEP
_CELLS = 1 << FULL_STEP
_WIDE, _TALL = 2 * LONGITUDE_LIMIT, 2 * LATITUDE_LIMIT

_RADIANS = pi / 180.0
_EARTH_RADIUS_METERS = 6372797.560856
_FARTHEST_METERS = pi * _EARTH_RADIUS_METERS
_MERCATOR_METERS = 20037726.37
"""Half of the map's width: what the first step's cells are as wide as."""

_EVEN = 0x5555555555555555
_ODD = 0xAAAAAAAAAAAAAAAA
_UINT32, _UINT64 = 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF
_SPREADS = (  # (shift, mask) of Morton numbers
    (16, 0x0000FFFF0000FFFF),
    (8, 0x00FF00FF00FF00FF),
    (4, 0x0F0F0F0F0F0F0F0F),
    (2, 0x3333333333333333),
    (1, _EVEN),
)
_TEXT_DIGITS = "0123456789bcdefghjkmnpqrstuvwxyz"
_TEXT_LENGTH = 11
_DIGIT_BITS = 5


class Point(NamedTuple):
    """Degrees."""

    longitude: float
    latitude: float


class Area(NamedTuple):
    """Degrees, from the west and the south to the east and the north."""

    west: float
    south: float
    east: float
    north: float


class Cell(NamedTuple):
    """``2 * step`` bits; the area of all points whose own bits begin with them."""

    bits: int
    step: int

    def scores(self) -> tuple[int, int]:
        """The least 52-bit number in the cell, and the least beyond it."""
        shift = _FULL_BITS - 2 * self.step
        return self.bits << shift & _UINT64, (self.bits + 1) << shift & _UINT64

    def moved(self, east: int, north: int) -> Cell:
        """The neighbour at so many cells' distance, each -1, 0 or 1; the map wraps around."""
        width = 64 - 2 * self.step
        longitude, latitude = self.bits & _ODD, self.bits & _EVEN
        odd, even = _ODD >> width, _EVEN >> width
        if east > 0:
            longitude = (longitude + even + 1) & odd
        elif east < 0:
            longitude = ((longitude | even) - (even + 1)) & odd
        if north > 0:
            latitude = (latitude + odd + 1) & even
        elif north < 0:
            latitude = ((latitude | odd) - (odd + 1)) & even
        return Cell(longitude | latitude, self.step)

    def area(self) -> Area:
        """Where it is."""
        cells = 1 << self.step
        latitude, longitude = _gather(self.bits), _gather(self.bits >> 1)
        return Area(
            -LONGITUDE_LIMIT + longitude / cells * _WIDE,
            -LATITUDE_LIMIT + latitude / cells * _TALL,
            -LONGITUDE_LIMIT + ((longitude + 1) & _UINT32) / cells * _WIDE,
            -LATITUDE_LIMIT + ((latitude + 1) & _UINT32) / cells * _TALL,
        )


def _spread(number: int) -> int:
    """The bits of a 32-bit number, each with a zero before it."""
    for shift, mask in _SPREADS:
        number = (number | number << shift) & mask
    return number


_HALF_OF_BYTE = bytes(
    b"0123456789abcdef"[byte & 1 | byte >> 1 & 2 | byte >> 2 & 4 | byte >> 3 & 8]
    for byte in range(256)
)
"""Every second bit of a byte, as a hexadecimal digit."""


def _gather(bits: int) -> int:
    """Every second bit of 64: what :func:`_spread` was given."""
    return int(bits.to_bytes(8).translate(_HALF_OF_BYTE), 16)


# ---- points --------------------------------------------------------------------------------------


def _cell_at(point: Point, step: int, latitude_limit: float = LATITUDE_LIMIT) -> Cell:
    north = (point.latitude + latitude_limit) / (2 * latitude_limit)
    east = (point.longitude + LONGITUDE_LIMIT) / (2 * LONGITUDE_LIMIT)
    cells = 1 << step
    bits = _spread(int(north * cells) & _UINT32) | _spread(int(east * cells) & _UINT32) << 1
    return Cell(bits, step)


def encode(point: Point) -> int:
    """The 52-bit number of a point within the limits."""
    return _cell_at(point, FULL_STEP).bits


def _as_uint64(score: float) -> int:
    """What x86-64 makes of a double that has to be an unsigned integer, whatever it is."""
    if -(2.0**63) <= score < 2.0**64:
        return int(score) & _UINT64
    return 0 if score > 0 else 1 << 63


def decode(score: float) -> Point:
    """The middle of a 52-bit number's cell. Any double has one."""
    bits = _as_uint64(score)
    north, east = _gather(bits), _gather(bits >> 1)
    west_edge = -LONGITUDE_LIMIT + east / _CELLS * _WIDE
    east_edge = -LONGITUDE_LIMIT + ((east + 1) & _UINT32) / _CELLS * _WIDE
    south_edge = -LATITUDE_LIMIT + north / _CELLS * _TALL
    north_edge = -LATITUDE_LIMIT + ((north + 1) & _UINT32) / _CELLS * _TALL
    longitude, latitude = (west_edge + east_edge) / 2, (south_edge + north_edge) / 2
    if bits >> _FULL_BITS:  # no point has such a number, but a sorted set may
        longitude = min(max(longitude, -LONGITUDE_LIMIT), LONGITUDE_LIMIT)
        latitude = min(max(latitude, -LATITUDE_LIMIT), LATITUDE_LIMIT)
    return Point(longitude, latitude)


def standard_text(point: Point) -> bytes:
    """The geohash as everybody writes it, whose latitudes reach from pole to pole.

    It has eleven digits, the last of which would need more bits than there are, and is 0.
    """
    bits = _cell_at(point, FULL_STEP, 90.0).bits
    shifts = range(_FULL_BITS - _DIGIT_BITS, -1, -_DIGIT_BITS)
    text = "".join(_TEXT_DIGITS[bits >> shift & 31] for shift in shifts)
    return text.ljust(_TEXT_LENGTH, "0").encode()


# ---- distances -----------------------------------------------------------------------------------


def latitude_distance(a: float, b: float) -> float:
    """Meters between two latitudes along a meridian."""
    return _EARTH_RADIUS_METERS * fabs(a * _RADIANS - b * _RADIANS)


def distances_from(center: Point) -> Callable[[Point], float]:
    """A function that tells the meters from a point to others."""
    from_longitude, from_latitude = center.longitude * _RADIANS, center.latitude * _RADIANS
    narrowing = cos(from_latitude)

    def meters(point: Point) -> float:
        longitude, latitude = point
        half_longitude = sin((longitude * _RADIANS - from_longitude) / 2)
        if half_longitude == 0.0:
            return latitude_distance(latitude, center.latitude)
        to_latitude = latitude * _RADIANS
        half_latitude = sin((to_latitude - from_latitude) / 2)
        chord = half_latitude * half_latitude + (
            narrowing * cos(to_latitude) * half_longitude * half_longitude
        )
        return 2.0 * _EARTH_RADIUS_METERS * asin(sqrt(chord)) if chord < 1.0 else _FARTHEST_METERS

    return meters


def distance(a: Point, b: Point) -> float:
    """Meters between two points."""
    return distances_from(a)(b)


# ---- cells that cover an area --------------------------------------------------------------------


def bounding_box(center: Point, half_width: float, half_height: float) -> Area:
    """About what lies within so many meters to each side."""
    tall = half_height / _EARTH_RADIUS_METERS / _RADIANS
    # The side nearer to a pole spans more degrees of longitude.
    edge = center.latitude - tall if center.latitude < 0 else center.latitude + tall
    narrowing = cos(edge * _RADIANS) if isfinite(edge) else nan  # an endless box has no sides
    wide = half_width / _EARTH_RADIUS_METERS / narrowing / _RADIANS
    return Area(
        center.longitude - wide,
        center.latitude - tall,
        center.longitude + wide,
        center.latitude + tall,
    )


def _steps_for(radius: float, latitude: float) -> int:
    """How small cells may be for nine of them to cover a circle."""
    if radius == 0:
        return FULL_STEP
    step = 1
    while radius < _MERCATOR_METERS:
        radius *= 2
        step += 1
    step -= 2  # the circle's middle may be at its cell's edge
    if fabs(latitude) > 66:  # where degrees of longitude are short
        step -= 1
        if fabs(latitude) > 80:
            step -= 1
    return min(max(step, 1), FULL_STEP)


_AROUND = ((0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (-1, 1), (1, -1), (-1, -1))
"""(east, north) of the neighbours, in the order in which they are searched."""


def covering(center: Point, radius: float, box: Area) -> list[Cell]:
    """The cell of a point and those of its neighbours that a search within ``box`` needs.

    :param radius: meters from the point to the farthest point of the search
    """
    step = _steps_for(radius, center.latitude)
    middle = _cell_at(center, step)
    if step > 1 and _falls_short(middle, box):
        step -= 1
        middle = _cell_at(center, step)
    area = middle.area()
    cells = [middle]
    for east, north in _AROUND:
        if step >= 2 and _is_inside(area, box, east, north):
            continue
        cell = middle.moved(east, north)
        if len(cells) == 1 or cell != cells[-1]:  # of the largest cells some neighbours are one
            cells.append(cell)
    return cells


def _falls_short(middle: Cell, box: Area) -> bool:
    """Whether the box extends beyond the neighbours."""
    return (
        middle.moved(0, 1).area().north < box.north
        or middle.moved(0, -1).area().south > box.south
        or middle.moved(1, 0).area().east < box.east
        or middle.moved(-1, 0).area().west > box.west
    )


def _is_inside(area: Area, box: Area, east: int, north: int) -> bool:
    """Whether the box ends before the middle cell does on a side that the neighbour is on."""
    return (
        (north < 0 and area.south < box.south)
        or (north > 0 and area.north > box.north)
        or (east < 0 and area.west < box.west)
        or (east > 0 and area.east > box.east)
    )
