"""What a module says of itself is true, and no file is left over."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest
from sources import (
    ROOT,
    imports_of,
    module_name,
    parse,
    python_files,
    source_files,
    string_constants,
)

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXTENSIONS = PROJECT["tool"]["setuptools"]["ext-modules"]


def declared_names(tree: ast.Module) -> list[str] | None:
    """Names in ``__all__``, None when a module has none."""
    names: list[str] | None = None
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign) and node.value is not None:
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if isinstance(target, ast.Name) and target.id == "__all__":
                names = (names or []) + ast.literal_eval(node.value)
    return names


def defined_names(tree: ast.AST) -> set[str]:
    """Names that a module's top level binds, in whatever branch; not those of inner scopes."""
    names: set[str] = set()
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
        names |= defined_names(node)
    return names


def lazily_defined(tree: ast.Module) -> bool:
    """Whether the module makes attributes at first use (PEP 562)."""
    return any(
        isinstance(node, ast.FunctionDef) and node.name == "__getattr__" for node in tree.body
    )


def _modules_with_all() -> list[Path]:
    return [
        path
        for top in ("shmcache", "scripts", "tests")
        for path in python_files(top)
        if declared_names(parse(path)) is not None
    ]


def test_all_names_exist() -> None:
    assert _modules_with_all()
    wrong = []
    for path in _modules_with_all():
        tree = parse(path)
        names = declared_names(tree) or []
        missing = set() if lazily_defined(tree) else set(names) - defined_names(tree)
        if missing or len(set(names)) != len(names):
            wrong.append(f"{path.relative_to(ROOT)}: {sorted(missing) or 'a name twice'}")
    assert not wrong, "\n".join(wrong)


def test_library_modules_declare_their_public_names() -> None:
    """A module that defines something public says so; one with a `main` alone need not."""
    silent = []
    for path in python_files("shmcache"):
        tree = parse(path)
        public = [
            node.name
            for node in tree.body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            and not node.name.startswith("_")
        ]
        if public and declared_names(tree) is None and public != ["main"]:
            silent.append(str(path.relative_to(ROOT)))
    assert not silent, silent


def _entry_modules() -> set[str]:
    """Modules that somebody else starts."""
    scripts = {target.partition(":")[0] for target in PROJECT["project"]["scripts"].values()}
    mains = {module_name(path) for path in python_files("shmcache") if path.stem == "__main__"}
    return scripts | mains | {"shmcache", "shmcache.asyncio", "shmcache.errors"}


def test_no_module_is_left_over() -> None:
    """Every module is reached from what users import or start."""
    files = {module_name(path): path for path in python_files("shmcache")}
    compiled = {
        module_name(path): path
        for path in source_files(".pyx")
        if path.is_relative_to(ROOT / "shmcache")
    }
    files |= compiled
    waiting, reached = _entry_modules(), set[str]()
    contrib = {name for name in files if name.startswith("shmcache.contrib")}
    waiting |= contrib  # users import them by name
    while waiting:
        name = waiting.pop()
        if name in reached:
            continue
        reached.add(name)
        waiting |= {name.rpartition(".")[0]} & files.keys()
        if name in files:
            wanted = {found.imported for found in imports_of(files[name])}
            if files[name].suffix == ".py":
                wanted |= string_constants(files[name])
            waiting |= wanted & files.keys()
    assert not files.keys() - reached, sorted(files.keys() - reached)


def test_every_c_file_is_built() -> None:
    built = {source for extension in EXTENSIONS for source in extension["sources"]}
    for source in [source for source in built if source.endswith(".c")]:
        # compiled as one translation unit with what it includes
        included = re.findall(r'#include "([\w./]+\.c)"', (ROOT / source).read_text())
        built |= {str((ROOT / "shmcache/core" / name).relative_to(ROOT)) for name in included}
    core = {str(path.relative_to(ROOT)) for path in source_files(".c") if "shmcache" in path.parts}
    assert core
    assert not core - built, sorted(core - built)
    assert all((ROOT / source).exists() for source in built)


def test_every_header_is_included() -> None:
    texts = [path.read_text() for path in source_files(".c", ".h", ".pyx", ".pxd", ".pxi")]
    included = {
        name for text in texts for name in re.findall(r'(?:#include|extern from) "([\w./]+)"', text)
    }
    headers = {path.name for path in source_files(".h")}
    assert headers
    assert not headers - {Path(name).name for name in included}


def test_every_script_package_file_is_used() -> None:
    texts = {path: path.read_text() for path in python_files("scripts")}
    entries = {"__init__", "__main__", "_setup", "uwsgi_peer"}
    unused = [
        str(path.relative_to(ROOT))
        for path in texts
        if path.stem not in entries
        and not any(
            re.search(rf"\b{path.stem}\b", text) for other, text in texts.items() if other != path
        )
    ]
    assert not unused, unused


@pytest.mark.parametrize("text", ["__all__ = ['gone']\n", "__all__ = ['a']\ndef f():\n    a = 1\n"])
def test_a_missing_name_is_noticed(text: str) -> None:
    tree = ast.parse(text)
    assert set(declared_names(tree) or []) - defined_names(tree)
