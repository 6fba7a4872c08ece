"""Runs the core's proofs, which are plain C programs (see Makefile): one test each.

By default they take about five minutes together on two cores. ``SHMCACHE_PROOFS=long`` gives them
many times that. Each failure prints the command that repeats it, seed included.
"""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

HERE = Path(__file__).parent
OUT = HERE.parents[1] / "build" / "core"
LONG = os.environ.get("SHMCACHE_PROOFS") == "long"
LIMIT_SECONDS = 3600 if LONG else 900
SANITIZERS = {
    "asan": ["-fsanitize=address,undefined"],
    "tsan": ["-fsanitize=thread"],
    "fuzz": ["-fsanitize=fuzzer,address,undefined"],
}

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


@contextmanager
def _build_lock() -> Iterator[None]:
    OUT.mkdir(parents=True, exist_ok=True)
    with (OUT / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _compiler(flavour: str) -> str:
    return "clang" if flavour == "fuzz" else os.environ.get("CC", "cc")


def _require_sanitizers(flavour: str) -> None:
    """Skip, with the reason, where the compiler has not got the flavour's runtime libraries."""
    compiler, flags = _compiler(flavour), SANITIZERS.get(flavour, [])
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    probe = "int LLVMFuzzerTestOneInput(void) { return 0; }\n"
    if flavour != "fuzz":
        probe += "int main(void) { return 0; }\n"
    result = subprocess.run(
        [compiler, *flags, "-x", "c", "-", "-o", os.devnull],
        input=probe,
        capture_output=True,
        text=True,
        check=False,
    )
    if flags and result.returncode != 0:
        pytest.skip(f"{compiler} cannot link {' '.join(flags)}")


@cache
def _build(flavour: str) -> Path:
    _require_sanitizers(flavour)
    with _build_lock():
        result = subprocess.run(
            ["make", "-C", str(HERE), "-j2", f"FLAVOUR={flavour}", f"CC={_compiler(flavour)}"],
            capture_output=True,
            text=True,
            check=False,
        )
    assert result.returncode == 0, result.stdout + result.stderr
    return OUT / flavour


def _run(flavour: str, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(_build(flavour) / program), *arguments]
    return subprocess.run(
        command,
        capture_output=True,
        errors="replace",
        timeout=LIMIT_SECONDS,
        check=False,
        cwd=OUT,
    )


def _prove(flavour: str, program: str, *arguments: str) -> None:
    result = _run(flavour, program, *arguments)
    tail = "\n".join((result.stdout + result.stderr).splitlines()[-60:])
    assert result.returncode == 0, f"{flavour}/{program} {' '.join(arguments)}\n{tail}"


def _scaled(short: int, long: int) -> str:
    return str(long if LONG else short)


def test_units() -> None:
    _prove("asan", "unit")


@pytest.mark.parametrize("policy", range(8))
def test_model(policy: int) -> None:
    """Random operations beside a naive map, in the smallest arena, under each eviction policy."""
    _prove("asan", "model", f"policy={policy}", f"steps={_scaled(20_000, 1_000_000)}")


def test_model_at_full_speed() -> None:
    seconds = _scaled(4, 600)
    _prove("plain", "model", "steps=20000", f"seconds={seconds}")
    _prove("plain", "model", "steps=20000", "bytes=20000000", "policy=1")


@pytest.mark.parametrize("policy", range(8))
def test_containers_beside_arrays(policy: int) -> None:
    """Random operations on containers beside naive arrays, in the smallest arena."""
    _prove("asan", "baskets", f"policy={policy}", f"steps={_scaled(6000, 300_000)}")


def test_containers_at_full_speed() -> None:
    seconds = _scaled(4, 600)
    _prove("plain", "baskets", "steps=4000", f"seconds={seconds}")
    _prove("plain", "baskets", "steps=6000", "bytes=8000000", "policy=0")


@pytest.mark.parametrize(
    "arguments",
    [
        ("processes=2", "threads=3"),
        ("processes=2", "threads=2", "policy=1", "bytes=600000"),
        ("processes=3", "threads=1", "policy=4", "bytes=900000"),
    ],
    ids=["roomy", "lru-tiny", "volatile-tiny"],
)
def test_stress(arguments: tuple[str, ...]) -> None:
    _prove("asan", "stress", f"ms={_scaled(3000, 60_000)}", *arguments)


@pytest.mark.parametrize("arguments", [(), ("policy=2", "bytes=700000")], ids=["roomy", "lfu-tiny"])
def test_stress_for_data_races(arguments: tuple[str, ...]) -> None:
    milliseconds = _scaled(4000, 60_000)
    _prove("tsan", "stress", "processes=0", "threads=4", f"ms={milliseconds}", *arguments)


@pytest.mark.parametrize("arguments", [(), ("policy=1", "bytes=600000")], ids=["roomy", "lru-tiny"])
def test_stress_with_workers_killed_all_the_time(arguments: tuple[str, ...]) -> None:
    _prove("plain", "stress", "kill=3", f"ms={_scaled(5000, 120_000)}", *arguments)


@pytest.mark.parametrize("flavour", ["asan", "tsan"])
@pytest.mark.parametrize(
    "arguments", [(), ("held=1", "cells=128", "producers=4")], ids=["bus", "feed-tiny"]
)
def test_rings(flavour: str, arguments: tuple[str, ...]) -> None:
    """Many producers and consumers: nothing torn, nothing twice, no loss that is not told."""
    _prove(flavour, "rings", f"ms={_scaled(1000, 30_000)}", *arguments)


@pytest.mark.parametrize("arguments", [(), ("held=1", "cells=128")], ids=["bus", "feed-tiny"])
def test_rings_with_producers_killed_all_the_time(arguments: tuple[str, ...]) -> None:
    _prove("plain", "rings", "mode=kill", f"ms={_scaled(2000, 60_000)}", *arguments)


def test_damaged_rings_harm_nobody() -> None:
    _prove("asan", "rings", "mode=damage", "cells=128", f"ms={_scaled(2000, 60_000)}")


def test_a_torn_record_is_noticed() -> None:
    """The canary of the tests above."""
    result = _run("asan", "rings", "canary=1")
    assert result.returncode != 0
    assert "is torn" in result.stderr


def test_mapped_at_several_addresses() -> None:
    _prove("asan", "twice", f"ms={_scaled(1500, 20_000)}")


def test_killed_at_every_store() -> None:
    # most=0: every store of every scene, none skipped
    _prove("kill", "kill", "which=strings", "jobs=2", "most=0", f"again={_scaled(1, 30)}")


def test_killed_while_changing_containers() -> None:
    # Some hundred stores of each scene, other ones in each run; with most=0 it takes ten minutes.
    most, again = _scaled(100, 0), _scaled(1, 10)
    _prove("kill", "kill", "which=containers", "jobs=2", f"most={most}", f"again={again}")


@pytest.mark.parametrize("which", ["strings", "containers"])
def test_killed_while_somebody_wants_the_feed(which: str) -> None:
    """A step's record is there if and only if the step was done."""
    most, again = _scaled(20, 0), _scaled(0, 2)
    some = "" if LONG or which == "strings" else "drop last"  # each of them takes its time
    options = ("jobs=2", f"most={most}", f"again={again}", f"only={some}")
    _prove("kill", "kill", f"which={which}", "feed=1", *options)


def test_a_killed_writer_that_nobody_recovers_is_noticed() -> None:
    """The canary of the test above: it must be able to fail."""
    result = _run("kill", "kill", "only=set new", "canary=1")
    assert result.returncode != 0
    assert "FAILED" in result.stderr


@pytest.mark.parametrize("flavour", ["plain", "asan"])
def test_damaged_arena_harms_no_reader(flavour: str) -> None:
    rounds = {"plain": _scaled(3000, 200_000), "asan": _scaled(800, 30_000)}[flavour]
    _prove(flavour, "damage", f"rounds={rounds}")


@pytest.mark.parametrize(("canary", "how"), [("1", "by damage"), ("2", "hung by damage")])
def test_an_unchecked_read_is_noticed(canary: str, how: str) -> None:
    """The canary of the test above: a wild offset crashes, an endless walk is stopped."""
    result = _run("plain", "damage", f"canary={canary}", "rounds=10")
    assert result.returncode != 0
    assert how in result.stderr


@pytest.mark.parametrize("program", ["fuzz_ops", "fuzz_baskets"])
def test_fuzzed_operations(program: str, tmp_path: Path) -> None:
    seconds = _scaled(8, 1200)
    options = [f"-max_total_time={seconds}", "-max_len=1024", "-len_control=0", "-timeout=60"]
    _prove("fuzz", program, *options, f"-artifact_prefix={tmp_path}/", str(tmp_path))
