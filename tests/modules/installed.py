"""Packages as an installer leaves them: on the path, with entry points."""

from __future__ import annotations

import os
from pathlib import Path

PACKAGES = Path(__file__).parent / "packages"
ROOT = PACKAGES.parent.parent.parent

ENTRY_POINTS = {
    "shmcache_token_bucket": {"token-bucket": "shmcache_token_bucket:load"},
    "shmcache_odd": {
        **{
            f"odd-{name.replace('_', '-')}": f"shmcache_odd:{name}"
            for name in (
                *("half", "reply", "clash", "clash_with_module", "twice", "flags"),
                *("unknown_flag", "bad_name", "other_api", "not_a_module", "leave"),
            )
        },
        "odd-object": "shmcache_odd:NOT_CALLABLE",
        "odd-missing": "shmcache_odd:nothing_of_this_name",
        "odd-import": "shmcache_odd_that_is_not_there:load",
        "odd-two": "shmcache_odd:half",
    },
    "shmcache_other": {"odd-two": "shmcache_odd:reply"},
}


def install(directory: Path) -> dict[str, str]:
    """Write what tells of the packages; return the environment of a process that has them."""
    for package, entry_points in ENTRY_POINTS.items():
        about = directory / f"{package}-1.0.dist-info"
        about.mkdir(exist_ok=True)
        about.joinpath("METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n"
        )
        lines = (f"{name} = {target}" for name, target in entry_points.items())
        about.joinpath("entry_points.txt").write_text("\n".join(["[shmcache.commands]", *lines]))
    path = [str(ROOT), str(PACKAGES), str(directory)]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path)}
