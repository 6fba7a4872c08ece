"""Imports point downward only."""

from __future__ import annotations

import pytest
from sources import ROOT, Import, imports_of, python_files, source_files

# From the lowest to the highest; a layer may import from those below it and from itself.
LAYERS = (
    "errors",
    "config",
    "arena",
    "protocol",
    "persistence",
    "commands",
    "scripting",
    "server",
    "client",
    "supervisor",
    "cli",
)
# Layers that may import less than all that lies below them.
ONLY = {
    "errors": set[str](),
    "config": {"errors"},
    "protocol": {"errors"},
    "persistence": {"errors", "protocol"},
    "client": {"errors", "config", "arena", "protocol", "commands"},
}
# What users import: the doors to the package, above the client.
PUBLIC = {"shmcache", "shmcache.asyncio", "shmcache.errors"}


def layer_of(module: str) -> str:
    """Second part of a dotted name; `shmcache` and `shmcache.asyncio` are the client's faces."""
    _, _, rest = module.partition(".")
    layer = rest.partition(".")[0]
    return "client" if layer in {"", "asyncio"} else layer


def forbidden(imported: Import) -> str | None:
    """Why an import is against the rules, None when it is not."""
    above, below = layer_of(imported.importer), layer_of(imported.imported)
    where = f"{imported.importer}, line {imported.line}: imports {imported.imported}"
    if above == "contrib":
        return (
            None if imported.imported in PUBLIC else f"{where}; contrib uses the public interface"
        )
    if above not in LAYERS or below not in LAYERS:
        return f"{where}; one of them is in no known layer"
    if above == below:
        return None
    if above in ONLY and below not in ONLY[above]:
        return f"{where}; {above} may import {sorted(ONLY[above])} only"
    if LAYERS.index(below) > LAYERS.index(above):
        return f"{where}; imports point downward"
    return None


def test_imports_point_downward() -> None:
    package = python_files("shmcache") + [
        path
        for path in source_files(".pyx", ".pxd", ".pxi")
        if path.is_relative_to(ROOT / "shmcache")
    ]
    broken = [why for path in package for found in imports_of(path) if (why := forbidden(found))]
    assert not broken, "\n".join(broken)


@pytest.mark.parametrize(
    ("importer", "imported", "allowed"),
    [
        ("shmcache.commands.table", "shmcache.server.server", False),
        ("shmcache.protocol.encoder", "shmcache.arena", False),
        ("shmcache.client.client", "shmcache.server.client", False),
        ("shmcache.server.server", "shmcache.client", False),
        ("shmcache.contrib.django", "shmcache.arena", False),
        ("shmcache.contrib.django", "shmcache", True),
        ("shmcache.server.server", "shmcache.commands.table", True),
        ("shmcache.supervisor.main", "shmcache.server.main", True),
        ("shmcache.mystery", "shmcache.errors", False),
    ],
)
def test_the_rule_itself(importer: str, imported: str, allowed: bool) -> None:
    assert (forbidden(Import(importer, imported, 1)) is None) is allowed


def test_the_core_knows_nothing_of_python_or_the_protocol() -> None:
    core = [
        path for path in source_files(".c", ".h") if path.is_relative_to(ROOT / "shmcache/core")
    ]
    assert core
    guilty = [path.name for path in core if "Python.h" in path.read_text()]
    assert not guilty
