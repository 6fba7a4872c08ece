"""The shared-memory segments: made whole or not at all, opened by those who may."""

from __future__ import annotations

import errno
import grp
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from shmcache.arena import min_data_bytes, segment_sizes, segments
from shmcache.arena.segments import (
    attach_arena,
    check_name,
    create_segments,
    lock_path,
    open_segments,
    remove_unfinished,
    segment_names,
    unlink_segments,
)
from shmcache.errors import CacheNotFound, ConfigurationError, LayoutMismatch
from supervisor.daemons import as_nobody, segments_exist, unique_name

if TYPE_CHECKING:
    from collections.abc import Iterator

MEGABYTE = 1 << 20


@pytest.fixture
def name() -> Iterator[str]:
    fresh = unique_name()
    yield fresh
    unlink_segments(fresh)


def paths(name: str) -> list[Path]:
    return [Path("/dev/shm" + segment) for segment in segment_names(name)]


def test_a_new_cache_can_be_attached(name: str) -> None:
    create_segments(name, MEGABYTE).close()
    writer = attach_arena(name, writable=True)
    writer.set(0, b"k", b"v")
    reader = attach_arena(name)
    assert reader.get(0, b"k") == b"v"
    assert reader.name == name
    assert not reader.writable


def test_sizes_modes_and_memory(name: str) -> None:
    old = os.umask(0o077)
    try:
        create_segments(name, MEGABYTE, mode=0o640).close()
    finally:
        os.umask(old)
    files, sizes = [path.stat() for path in paths(name)], segment_sizes(MEGABYTE)
    assert [file.st_size for file in files] == list(sizes)
    assert [file.st_mode & 0o777 for file in files] == [0o640, 0o660, 0o640, 0o660]
    assert all(file.st_blocks * 512 >= size for file, size in zip(files, sizes, strict=True))


def test_sizes_of_the_rings() -> None:
    tiny, common, large = (segment_sizes(n << 20) for n in (1, 64, 4096))
    assert [size >> 10 for size in (tiny.feed, tiny.bus)] == [
        260,
        1168,
    ]  # with their heads, and the register
    assert [size >> 20 for size in (common.feed, common.bus)] == [1, 1]
    assert [size >> 20 for size in (large.feed, large.bus)] == [16, 4]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to any group")
def test_group_by_name_and_number(name: str) -> None:
    group = grp.getgrgid(os.getgroups()[0]) if os.getgroups() else grp.getgrgid(0)
    other = grp.getgrnam("nogroup") if group.gr_gid == 0 else group
    create_segments(name, MEGABYTE, group=other.gr_name).close()
    assert [path.stat().st_gid for path in paths(name)] == [other.gr_gid] * 4
    unlink_segments(name)
    create_segments(name, MEGABYTE, group=other.gr_gid).close()
    assert [path.stat().st_gid for path in paths(name)] == [other.gr_gid] * 4


def test_a_name_in_use_is_left_alone(name: str) -> None:
    create_segments(name, MEGABYTE).close()
    attach_arena(name, writable=True).set(0, b"k", b"v")
    with pytest.raises(FileExistsError):
        create_segments(name, 2 * MEGABYTE)
    assert attach_arena(name).get(0, b"k") == b"v"


@pytest.mark.parametrize(
    "bad", ["", "a/b", "../x", ".hidden", "-x", "a b", "a\n", "ä", "a" * 64, "a\0b"]
)
def test_names_that_are_none(bad: str) -> None:
    with pytest.raises(ConfigurationError, match="invalid cache name"):
        check_name(bad)
    with pytest.raises(ConfigurationError):
        create_segments(bad, MEGABYTE)


@pytest.mark.parametrize("good", ["default", "A-1_b.c", "0", "a" * 63])
def test_names_that_are_some(good: str) -> None:
    assert check_name(good) == good


def test_an_arena_below_the_minimum(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"the least is {min_data_bytes()} bytes"):
        create_segments(name, min_data_bytes() - 1)
    assert not segments_exist(name)


def test_an_unknown_group(name: str) -> None:
    with pytest.raises(ConfigurationError, match="no group named 'no-such-group'"):
        create_segments(name, MEGABYTE, group="no-such-group")
    assert not segments_exist(name)


def test_more_than_dev_shm_has(name: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        create_segments(name, 1 << 46)
    text = str(caught.value)
    assert text.startswith(f"/dev/shm is too small for cache '{name}': it needs ")
    assert "set a smaller maxmemory, enlarge it" in text
    assert not segments_exist(name)


def test_more_than_the_machine_has(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "_available_memory", lambda: MEGABYTE)
    with pytest.raises(ConfigurationError, match="not enough memory for cache"):
        create_segments(name, 4 * MEGABYTE)
    assert not segments_exist(name)


def test_dev_shm_fills_up_meanwhile(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def fallocate(fd: int, offset: int, size: int) -> None:
        calls.append(size)
        if len(calls) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", fallocate)
    with pytest.raises(ConfigurationError, match="/dev/shm is too small"):
        create_segments(name, MEGABYTE)
    assert len(calls) == 2
    assert not segments_exist(name)


def test_a_wrong_hash_makes_no_arena(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    segments._check_hash_once.cache_clear()
    monkeypatch.setattr(segments, "hash64", lambda data, seed=0: len(data))
    with pytest.raises(LayoutMismatch, match="wrong hash"):
        create_segments(name, MEGABYTE)
    assert not segments_exist(name)


def test_attaching_to_nothing(name: str) -> None:
    with pytest.raises(CacheNotFound, match="there is no cache named"):
        attach_arena(name)


@pytest.mark.parametrize("which", range(4))
def test_half_of_a_cache(name: str, which: int) -> None:
    create_segments(name, MEGABYTE).close()
    paths(name)[which].unlink()
    with pytest.raises((CacheNotFound, LayoutMismatch)):
        attach_arena(name)


@pytest.mark.parametrize("which", range(4))
@pytest.mark.parametrize("length", [0, 100, 4096, MEGABYTE - 1])
def test_a_truncated_segment(name: str, which: int, length: int) -> None:
    create_segments(name, MEGABYTE).close()
    length = min(length, paths(name)[which].stat().st_size - 1)
    os.truncate(paths(name)[which], length)
    with pytest.raises(LayoutMismatch):
        attach_arena(name)


def test_another_layout(name: str) -> None:
    create_segments(name, MEGABYTE).close()
    with paths(name)[0].open("r+b") as data:
        data.seek(8)
        data.write(b"\xee")  # the layout version
    with pytest.raises(LayoutMismatch):
        attach_arena(name)


def test_unlinking_is_for_whatever_there_is(name: str) -> None:
    unlink_segments(name)
    create_segments(name, MEGABYTE).close()
    Path(lock_path(name)).touch()
    arena = attach_arena(name, writable=True)
    unlink_segments(name)
    assert not segments_exist(name)
    assert not Path(lock_path(name)).exists()
    arena.set(0, b"k", b"v")  # who has it mapped keeps it
    assert arena.get(0, b"k") == b"v"


def test_unfinished_segments_are_told_from_finished_ones(name: str) -> None:
    assert not remove_unfinished(name)
    create_segments(name, MEGABYTE).close()
    assert not remove_unfinished(name)
    with paths(name)[0].open("r+b") as data:
        data.write(bytes(8))
    assert remove_unfinished(name)
    assert not segments_exist(name)
    for leftover in paths(name):
        leftover.touch()
        assert remove_unfinished(name)
        assert not segments_exist(name)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_the_mode_is_the_access_control(name: str) -> None:
    create_segments(name, MEGABYTE, mode=0o640).close()
    assert as_nobody(lambda: attach_arena(name)).startswith("PermissionError")
    unlink_segments(name)
    create_segments(name, MEGABYTE, mode=0o644).close()
    assert as_nobody(lambda: attach_arena(name)) == "ok"
    refused = as_nobody(lambda: attach_arena(name, writable=True))
    assert refused.startswith("ReadOnly: not allowed to write to /dev/shm/shmcache.")
    assert "mode 0644" in refused
    assert as_nobody(lambda: unlink_segments(name)).startswith("PermissionError")
    assert segments_exist(name)


def test_descriptors_are_closed(name: str) -> None:
    def count() -> int:
        return sum(1 for _ in Path("/proc/self/fd").iterdir())

    before = count()
    create_segments(name, MEGABYTE).close()
    attach_arena(name)
    with pytest.raises(FileExistsError):
        create_segments(name, MEGABYTE)
    paths(name)[1].unlink()
    with pytest.raises(LayoutMismatch):
        open_segments(name, writable=False)
    assert count() == before
