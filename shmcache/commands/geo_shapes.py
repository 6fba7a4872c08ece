"""What a geo command line says of places: points, units, circles and boxes."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from shmcache.commands.geohash import (
    LATITUDE_LIMIT,
    LONGITUDE_LIMIT,
    Area,
    Point,
    bounding_box,
    distance,
    distances_from,
    latitude_distance,
)
from shmcache.commands.replies import CommandError
from shmcache.commands.sorted_set_arguments import double

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = [
    "Box",
    "Circle",
    "Measure",
    "Shape",
    "fixed_text",
    "parse_box",
    "parse_circle",
    "parse_point",
    "parse_unit",
]

Measure: TypeAlias = "Callable[[Point], float | None]"
"""Meters to a point, None to one outside."""

_METERS = {b"M": 1.0, b"KM": 1000.0, b"FT": 0.3048, b"MI": 1609.34}
_DISTANCE_DECIMALS = 4


def fixed_text(value: float) -> bytes:
    """A distance with four decimals."""
    if value > 1e14:  # beyond what integers hold exactly; no place is so far away
        return b"%.*f" % (_DISTANCE_DECIMALS, value)
    whole, fraction = divmod(round(value * 10**_DISTANCE_DECIMALS), 10**_DISTANCE_DECIMALS)
    return b"%d.%04d" % (whole, fraction)


def parse_point(longitude: bytes, latitude: bytes) -> Point:
    """A place on the map.

    :raises CommandError: not two numbers, or a place outside of the map
    """
    point = Point(double(longitude), double(latitude))
    if not (
        -LONGITUDE_LIMIT <= point.longitude <= LONGITUDE_LIMIT
        and -LATITUDE_LIMIT <= point.latitude <= LATITUDE_LIMIT
    ):
        raise CommandError(
            f"ERR invalid longitude,latitude pair {point.longitude:f},{point.latitude:f}"
        )
    return point


def parse_unit(word: bytes) -> float:
    """How many meters a unit has.

    :raises CommandError: an unknown unit
    """
    meters = _METERS.get(word.upper())
    if meters is None:
        raise CommandError("ERR unsupported unit provided. please use M, KM, FT, MI")
    return meters


class Circle(NamedTuple):
    """All that is not farther away than ``radius``, in units of so many meters."""

    radius: float
    unit_meters: float

    @property
    def reach(self) -> float:
        """Meters to the farthest point."""
        return self.radius * self.unit_meters

    def surroundings(self, center: Point) -> Area:
        """The degrees it is within."""
        return bounding_box(center, self.reach, self.reach)

    def measure(self, center: Point) -> Measure:
        """A function that tells how far away a point is."""
        meters_to, reach = distances_from(center), self.reach

        def measure(point: Point) -> float | None:
            meters = meters_to(point)
            return None if meters > reach else meters

        return measure


class Box(NamedTuple):
    """All that is not farther north or south, east or west than half of its height and width."""

    width: float
    height: float
    unit_meters: float

    @property
    def reach(self) -> float:
        """Meters to a corner."""
        half_width, half_height = self.width / 2, self.height / 2
        return sqrt(half_width * half_width + half_height * half_height) * self.unit_meters

    def surroundings(self, center: Point) -> Area:
        """The degrees it is within."""
        return bounding_box(
            center, self.unit_meters * (self.width / 2), self.unit_meters * (self.height / 2)
        )

    def measure(self, center: Point) -> Measure:
        """A function that tells how far away a point is."""
        meters_to = distances_from(center)
        to_edge = self.width * self.unit_meters / 2
        to_top = self.height * self.unit_meters / 2

        def measure(point: Point) -> float | None:
            if latitude_distance(point.latitude, center.latitude) > to_top:
                return None
            if distance(point, Point(center.longitude, point.latitude)) > to_edge:
                return None
            return meters_to(point)

        return measure


Shape: TypeAlias = Circle | Box


def parse_circle(words: Sequence[bytes]) -> Circle:
    """``radius unit``.

    :raises CommandError: no number, a negative one, or an unknown unit
    """
    radius = double(words[0], "need numeric radius")
    if radius < 0:
        raise CommandError("ERR radius cannot be negative")
    return Circle(radius, parse_unit(words[1]))


def parse_box(words: Sequence[bytes]) -> Box:
    """``width height unit``.

    :raises CommandError: no numbers, negative ones, or an unknown unit
    """
    width = double(words[0], "need numeric width")
    height = double(words[1], "need numeric height")
    if width < 0 or height < 0:
        raise CommandError("ERR height or width cannot be negative")
    return Box(width, height, parse_unit(words[2]))
