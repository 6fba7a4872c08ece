"""Geohashes, distances and the cells that a search reads."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING

import model_arena
import pytest
from differential.compare import require_same
from hypothesis import given
from hypothesis import strategies as st

from shmcache.commands.geo_search import BY_POINT, prepare
from shmcache.commands.geo_shapes import Box, Circle, fixed_text
from shmcache.commands.geohash import (
    LATITUDE_LIMIT,
    Cell,
    Point,
    covering,
    decode,
    distance,
    encode,
    standard_text,
)

if TYPE_CHECKING:
    from differential.sides import Pair

points = st.builds(Point, st.floats(-180, 180), st.floats(-LATITUDE_LIMIT, LATITUDE_LIMIT))
inland = st.builds(Point, st.floats(-150, 150), st.floats(-60, 60))
"""Where no search reaches a pole or the date line."""


@given(points)
def test_a_point_is_in_its_cell(point: Point) -> None:
    found = decode(encode(point))
    assert abs(found.longitude - point.longitude) <= 360 / 2**26
    assert abs(found.latitude - point.latitude) <= 2 * LATITUDE_LIMIT / 2**26


@given(st.integers(0, 2**52 - 1))
def test_a_cell_is_that_of_its_middle(bits: int) -> None:
    assert encode(decode(float(bits))) == bits


@given(points, points)
def test_distances_are_the_same_both_ways(a: Point, b: Point) -> None:
    there, back = distance(a, b), distance(b, a)
    assert there == pytest.approx(back, abs=1e-6)
    assert 0 <= there <= math.pi * 6372797.560856 + 1
    assert distance(a, a) == 0


def test_known_places() -> None:
    palermo, catania = Point(13.361389, 38.115556), Point(15.087269, 37.502669)
    assert encode(palermo) == 3479099956230698
    assert encode(catania) == 3479447370796909
    assert standard_text(decode(3479099956230698.0)) == b"sqc8b49rny0"
    assert fixed_text(distance(decode(3479099956230698.0), decode(3479447370796909.0))) == (
        b"166274.1516"
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, b"0.0000"), (0.00005, b"0.0000"), (0.00015, b"0.0001"), (12.3456789, b"12.3457")],
)
def test_distances_have_four_decimals(value: float, text: bytes) -> None:
    assert fixed_text(value) == text


@given(st.integers(1, 26), st.integers(0, 2**52 - 1))
def test_moving_there_and_back(step: int, bits: int) -> None:
    cell = Cell(bits & ((1 << 2 * step) - 1), step)
    for east in (-1, 0, 1):
        for north in (-1, 0, 1):
            assert cell.moved(east, north).moved(-east, -north) == cell


@given(inland, st.floats(1, 1_000_000), st.floats(0, 2 * math.pi), st.floats(0, 1))
def test_the_cells_cover_the_circle(
    center: Point, radius: float, direction: float, part: float
) -> None:
    degrees = math.degrees(radius * part / 6372797.560856)
    point = Point(
        center.longitude + degrees * math.sin(direction) / math.cos(math.radians(center.latitude)),
        center.latitude + degrees * math.cos(direction),
    )
    circle = Circle(radius, 1.0)
    if circle.measure(center)(point) is None:
        return  # on a sphere the way there is longer
    score = encode(point)
    cells = covering(center, circle.reach, circle.surroundings(center))
    assert len(cells) <= 9
    assert any(low <= score < high for low, high in (cell.scores() for cell in cells))


def test_a_box_is_no_circle() -> None:
    measure = Box(200.0, 100.0, 1000.0).measure(Point(10.0, 45.0))
    assert measure(Point(11.2, 45.0)) is not None
    assert measure(Point(11.3, 45.0)) is None
    assert measure(Point(10.0, 45.44)) is not None
    assert measure(Point(10.0, 45.46)) is None


class _Counting:
    """An arena that counts the members that it gives away."""

    def __init__(self, arena: model_arena.Arena) -> None:
        self._arena = arena
        self.given = 0

    def length(self, db: int, key: bytes, kind: str) -> int:
        return int(self._arena.length(db, key, kind))

    def zset_seek(self, db: int, key: bytes, score: float, including: bool) -> int:
        return int(self._arena.zset_seek(db, key, score, including))

    def zset_range(self, db: int, key: bytes, first: int, count: int) -> list[tuple[bytes, float]]:
        found = self._arena.zset_range(db, key, first, count)
        self.given += len(found)
        return list(found)


def test_a_search_reads_the_neighbourhood_only() -> None:
    numbers, arena = random.Random(1), model_arena.Arena()
    places = [Point(numbers.uniform(-170, 170), numbers.uniform(-80, 80)) for _ in range(3000)]
    names = [b"%d" % number for number in range(len(places))]
    arena.zset_add_many(0, b"k", names, [float(encode(place)) for place in places])
    counting = _Counting(arena)
    words = [b"10", b"45", b"300", b"km"]
    search = prepare(counting, (0, b"k"), words, BY_POINT)  # type: ignore[arg-type]
    found = search.find(counting, 0, b"k")  # type: ignore[arg-type]
    center = Point(10.0, 45.0)
    near = {
        name
        for name, place in zip(names, places, strict=True)
        if distance(center, decode(float(encode(place)))) <= 300_000
    }
    assert {item.member for item in found} == near
    assert near
    assert counting.given < 100


def _search_lines(numbers: random.Random, names: list[bytes]) -> list[bytes]:
    """A search of any kind; distances differ, so there is one right order."""

    def number(low: float, high: float) -> bytes:
        return repr(numbers.uniform(low, high)).encode()

    unit = numbers.choice([b"m", b"km", b"ft", b"mi"])
    center = numbers.choice(
        [
            [b"FROMMEMBER", numbers.choice(names)],
            [b"FROMLONLAT", number(-180, 180), number(-85, 85)],
        ]
    )
    size = 10 ** numbers.uniform(2, 7)
    area = numbers.choice(
        [[b"BYRADIUS", number(0, size), unit], [b"BYBOX", number(0, size), number(0, size), unit]]
    )
    options = [[], [b"ASC"], [b"DESC"], [b"COUNT", b"3"], [b"COUNT", b"3", b"ANY"]]
    more = [[], [b"WITHDIST", b"WITHHASH", b"WITHCOORD"]]
    return [b"GEOSEARCH", b"k", *center, *area, *numbers.choice(options), *numbers.choice(more)]


def test_random_searches(pair: Pair) -> None:
    numbers = random.Random(8)
    names = [b"%d" % number for number in range(300)]
    for name in names:
        near = numbers.random() < 0.5
        place = (
            (numbers.gauss(13, 2), numbers.gauss(42, 2))
            if near
            else (numbers.uniform(-180, 180), numbers.uniform(-85, 85))
        )
        require_same(pair, [b"GEOADD", b"k", *(repr(part).encode() for part in place), name])
    for _ in range(200):
        require_same(pair, _search_lines(numbers, names))
    for _ in range(50):
        a, b = numbers.sample(names, 2)
        require_same(pair, [b"GEODIST", b"k", a, b, numbers.choice([b"m", b"km", b"ft", b"mi"])])
        require_same(pair, [b"GEOPOS", b"k", a, b])
        require_same(pair, [b"GEOHASH", b"k", a, b])
