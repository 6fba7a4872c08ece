"""GEOSEARCH and the older GEORADIUS: what is asked for, and finding it.

A search looks at the geohash cells around the area it covers, nine at most: each is one range of
scores in the sorted set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from shmcache.commands import geohash
from shmcache.commands.arguments import integer
from shmcache.commands.geo_shapes import (
    Shape,
    parse_box,
    parse_circle,
    parse_point,
)
from shmcache.commands.replies import CommandError, syntax_error

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shmcache.arena import Reads
    from shmcache.commands.geohash import Point

__all__ = ["BY_MEMBER", "BY_POINT", "BY_WORDS", "Family", "Found", "Search", "prepare"]

Family: TypeAlias = str
BY_WORDS: Family = "words"
"""GEOSEARCH: words say around what, and how far."""
BY_POINT: Family = "point"
"""GEORADIUS: the line begins with longitude, latitude, radius and unit."""
BY_MEMBER: Family = "member"
"""GEORADIUSBYMEMBER: the line begins with a member, radius and unit."""

_Seek: TypeAlias = "Callable[[bytes], Point] | None"


class Found(NamedTuple):
    """A member in the area; the distance is in the search's unit."""

    member: bytes
    score: float
    point: Point
    distance: float


class Search:
    """One search: its words once they are read.

    :param seek: where a member is; None when there is no key, which makes members unknown
    :param into: GEOSEARCHSTORE's first key
    :param stores: whether STORE and STOREDIST may name a key
    """

    def __init__(self, seek: _Seek, *, into: bytes | None = None, stores: bool = False) -> None:
        self._seek = seek
        self._stores = stores
        self._is_geosearchstore = into is not None
        self.destination = into
        self.store_distance = False
        self.center: Point | None = None
        self.shape: Shape | None = None
        self.with_distance = self.with_hash = self.with_coordinates = False
        self._from_member = self._from_point = self._by_radius = self._by_box = False
        self._order = b""
        self._any = False
        self._count = 0

    # ---- reading the words

    def parse(self, words: Sequence[bytes], family: Family) -> None:
        """Read what follows the key.

        :raises CommandError: what Redis complains of, in its order
        """
        if family == BY_POINT:
            self.center = parse_point(words[0], words[1])
            self.shape = parse_circle(words[2:4])
            words = words[4:]
        elif family == BY_MEMBER:
            if self._seek is not None:
                self.center = self._seek(words[0])
                self.shape = parse_circle(words[1:3])
            words = words[3:]
        while words:
            taken = self._take_flag(words[0].upper()) or self._take_count(words)
            taken = taken or (
                self._take_area(words) if family == BY_WORDS else self._take_store(words)
            )
            if not taken:
                raise syntax_error()
            words = words[taken:]
        self._check(family)

    def _take_flag(self, word: bytes) -> int:
        """Each of these returns how many words it took."""
        if word == b"WITHDIST":
            self.with_distance = True
        elif word == b"WITHHASH":
            self.with_hash = True
        elif word == b"WITHCOORD":
            self.with_coordinates = True
        elif word == b"ANY":
            self._any = True
        elif word in {b"ASC", b"DESC"}:
            self._order = word
        else:
            return 0
        return 1

    def _take_count(self, words: Sequence[bytes]) -> int:
        if words[0].upper() != b"COUNT" or len(words) < 2:
            return 0
        self._count = integer(words[1])
        if self._count <= 0:
            raise CommandError("ERR COUNT must be > 0")
        return 2

    def _take_store(self, words: Sequence[bytes]) -> int:
        word = words[0].upper()
        if word not in {b"STORE", b"STOREDIST"} or len(words) < 2 or not self._stores:
            return 0
        self.destination = words[1]
        self.store_distance = word == b"STOREDIST"
        return 2

    def _take_area(self, words: Sequence[bytes]) -> int:
        word, left = words[0].upper(), len(words) - 1
        if word == b"STOREDIST" and self._is_geosearchstore:
            self.store_distance = True
            return 1
        if word == b"FROMMEMBER" and left >= 1 and not self._from_point:
            if self._seek is not None:
                self.center = self._seek(words[1])
            self._from_member = True
            return 2
        if word == b"FROMLONLAT" and left >= 2 and not self._from_member:
            self.center = parse_point(words[1], words[2])
            self._from_point = True
            return 3
        if word == b"BYRADIUS" and left >= 2 and not self._by_box:
            self.shape = parse_circle(words[1:3])
            self._by_radius = True
            return 3
        if word == b"BYBOX" and left >= 3 and not self._by_radius:
            self.shape = parse_box(words[1:4])
            self._by_box = True
            return 4
        return 0

    def _check(self, family: Family) -> None:
        if self.destination is not None and self.is_described:
            option = "GEOSEARCHSTORE" if self._is_geosearchstore else "STORE option in GEORADIUS"
            raise CommandError(
                f"ERR {option} is not compatible with WITHDIST, WITHHASH and WITHCOORD options"
            )
        if family == BY_WORDS:
            command = "GEOSEARCHSTORE" if self._is_geosearchstore else "GEOSEARCH"
            if not (self._from_member or self._from_point):
                raise CommandError(
                    f"ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for {command}"
                )
            if not (self._by_radius or self._by_box):
                raise CommandError(
                    f"ERR exactly one of BYRADIUS and BYBOX can be specified for {command}"
                )
        if self._any and not self._count:
            raise CommandError("ERR the ANY argument requires COUNT argument")

    @property
    def is_described(self) -> bool:
        """Whether more than the members' names is asked for."""
        return self.with_distance or self.with_hash or self.with_coordinates

    # ---- finding

    def find(self, reads: Reads, db: int, key: bytes) -> list[Found]:
        """The members in the area, in the order that was asked for."""
        if self._seek is None:
            return []
        found = self._members(reads, db, key)
        if self._order or (self._count and not self._any):
            found.sort(key=_distance, reverse=self._order == b"DESC")
        assert self.shape is not None
        unit = self.shape.unit_meters
        found = found[: self._count] if self._count else found
        return [item._replace(distance=item.distance / unit) for item in found]

    def _members(self, reads: Reads, db: int, key: bytes) -> list[Found]:
        center, shape = self.center, self.shape
        assert center is not None
        assert shape is not None
        measure, found = shape.measure(center), list[Found]()
        for cell in geohash.covering(center, shape.reach, shape.surroundings(center)):
            low, high = cell.scores()
            first = reads.zset_seek(db, key, float(low), False)
            count = max(reads.zset_seek(db, key, float(high), False) - first, 0)
            for member, score in reads.zset_range(db, key, first, count) if count else ():
                point = geohash.decode(score)
                meters = measure(point)
                if meters is not None:
                    found.append(Found(member, score, point, meters))
                    if self._any and len(found) == self._count:
                        return found
        return found


def _distance(found: Found) -> float:
    return found.distance


def prepare(
    reads: Reads | None,
    place: tuple[int, bytes],
    words: Sequence[bytes],
    family: Family,
    *,
    into: bytes | None = None,
    stores: bool = False,
) -> Search:
    """Read a search's words against what the key holds.

    :param reads: None only to learn the destination: nothing is looked up, nothing can be found
    :param place: the database and the key
    :raises WrongType: the key holds something else
    :raises CommandError: the words are wrong, or speak of a member that is not there
    """
    seek: _Seek = None
    if reads is not None and reads.length(*place, "zset"):

        def seek(member: bytes) -> Point:
            (score,) = reads.zset_scores(*place, [member])
            if score is None:
                raise CommandError("ERR could not decode requested zset member")
            return geohash.decode(score)

    search = Search(seek, into=into, stores=stores)
    search.parse(words, family)
    return search
