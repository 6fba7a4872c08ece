"""The core's XXH3 against the `xxhash` package: every length that takes a path of its own."""

import random

import pytest
import xxhash

from shmcache.arena import hash64

SEEDS = (0, 1, 0x9E3779B1, 2**32 - 1, 2**32, 2**63, 2**64 - 1)


@pytest.mark.parametrize("seed", SEEDS)
def test_all_lengths_to_1100(seed: int) -> None:
    data = random.Random(seed).randbytes(1100)
    for length in range(1101):
        part = data[:length]
        assert hash64(part, seed) == xxhash.xxh3_64_intdigest(part, seed), length


def test_random_lengths_and_seeds() -> None:
    rng = random.Random(7)
    lengths = [2047, 2048, 2049, 65_536, 1_000_003]
    lengths += [rng.randrange(5000) for _ in range(2000)]
    for length in lengths:
        data = rng.randbytes(length)
        seed = rng.getrandbits(64)
        assert hash64(data, seed) == xxhash.xxh3_64_intdigest(data, seed), (length, seed)


def test_no_alignment_is_assumed() -> None:
    data = random.Random(3).randbytes(600)
    for start in range(16):
        view = bytes(memoryview(data)[start:])
        assert hash64(view) == xxhash.xxh3_64_intdigest(view)
