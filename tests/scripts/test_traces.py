"""Access sequences and the exact LRU that eviction is judged by."""

from __future__ import annotations

import lzma
from array import array
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from support.traces import (
    exact_lru_bytes,
    exact_lru_hits,
    key_of,
    load_trace,
    size_of,
    traces_directory,
    zipf_sequence,
)

if TYPE_CHECKING:
    from pathlib import Path

# From the traces' README: accesses, distinct keys, exact LRU at 5 % and at 20 % of them.
PUBLISHED = {
    "web07": (76_118, 20_484, 0.5056, 0.6103),
    "web12": (95_607, 13_756, 0.6000, 0.7567),
}


def naive_lru_hits(accesses: list[int], sizes: dict[int, int], capacity: int) -> int:
    """The definition: a list, the least recently used first."""
    resident: list[int] = []
    hits = 0
    for number in accesses:
        hits += number in resident
        resident = [other for other in resident if other != number] + [number]
        while sum(sizes[other] for other in resident) > capacity:
            resident.pop(0)
    return hits


@pytest.mark.parametrize("capacity", [1, 2, 7, 50, 1000])
def test_exact_lru_is_the_definition(capacity: int) -> None:
    accesses = list(zipf_sequence(600, objects=60))
    ones = dict.fromkeys(accesses, 1)
    assert exact_lru_hits(accesses, capacity) == naive_lru_hits(accesses, ones, capacity)
    sizes = {number: 1 + number % 5 for number in accesses}
    large = capacity + max(sizes.values())
    assert exact_lru_bytes(accesses, sizes, large) == naive_lru_hits(accesses, sizes, large)


def test_a_trace_is_big_endian_integers_in_xz(tmp_path: Path) -> None:
    path = tmp_path / "some.trace.xz"
    path.write_bytes(lzma.compress(b"\x00\x00\x01\x02\x7f\xff\xff\xff\xff\xff\xff\xfe"))
    assert load_trace(path) == array("i", [258, 2**31 - 1, -2])


def test_zipf_is_the_same_each_time_and_skewed() -> None:
    first = zipf_sequence(20_000)
    assert first == zipf_sequence(20_000)
    counts = [count for _, count in Counter(first).most_common()]
    assert counts[0] > 20 * counts[len(counts) // 2]
    assert len(counts) > 2_000


def test_sizes_follow_from_keys_and_cover_their_range() -> None:
    sizes = [size_of(key_of(number)) for number in range(20_000)]
    assert sizes == [size_of(b"obj:%d" % number) for number in range(20_000)]
    assert 100 <= min(sizes) < 110
    assert 3990 < max(sizes) <= 4000


@pytest.mark.parametrize("name", PUBLISHED)
def test_recorded_traces_give_their_published_figures(name: str) -> None:
    directory = traces_directory()
    if directory is None:
        pytest.skip("the recorded traces are not beside the project")
    accesses = load_trace(directory / f"{name}.trace.xz")
    count, distinct, at_5, at_20 = PUBLISHED[name]
    assert (len(accesses), len(set(accesses))) == (count, distinct)
    for share, published in ((5, at_5), (20, at_20)):
        ratio = exact_lru_hits(accesses, distinct * share // 100) / count
        assert ratio == pytest.approx(published, abs=0.0005)
