"""The project's own source files, and what the style tests ask of them."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ROOT", "Function", "Import", "c_functions", "imports_of", "module_name", "parse"]
__all__ += ["python_files", "python_functions", "source_files", "string_constants"]

ROOT = Path(__file__).resolve().parents[2]
_CIMPORT = re.compile(
    r"^\s*(?:from\s+(shmcache[\w.]*)\s+c?import\s+([\w, ]+|\()|c?import\s+(shmcache[\w.]*))",
    re.MULTILINE,
)


class Import(NamedTuple):
    """One imported module of this package, as written in a file."""

    importer: str
    imported: str
    line: int


class Function(NamedTuple):
    """One function and its length in lines."""

    path: Path
    name: str
    lines: int


@cache
def source_files(*suffixes: str) -> tuple[Path, ...]:
    """Source files under shmcache, scripts and tests, without what Cython generates."""
    found = []
    for top in ("shmcache", "scripts", "tests"):
        for path in sorted((ROOT / top).rglob("*")):
            generated = path.suffix == ".c" and path.with_suffix(".pyx").exists()
            if path.suffix in suffixes and not generated:
                found.append(path)
    return tuple(found)


def python_files(top: str) -> list[Path]:
    """Python modules below one of the top-level directories."""
    return [path for path in source_files(".py") if path.is_relative_to(ROOT / top)]


@cache
def parse(path: Path) -> ast.Module:
    """Syntax tree of a Python file."""
    return ast.parse(path.read_text(), str(path))


def module_name(path: Path) -> str:
    """Dotted name of a module of the package."""
    parts = list(path.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def _module_exists(name: str) -> bool:
    base = ROOT / name.replace(".", "/")
    return any(
        candidate.exists()
        for candidate in (base / "__init__.py", base.with_suffix(".py"), base.with_suffix(".pyx"))
    )


def imports_of(path: Path) -> Iterator[Import]:
    """Modules of the package that a Python or Cython file imports, wherever in it."""
    importer = module_name(path)
    if path.suffix == ".py":
        for node in ast.walk(parse(path)):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    if alias.name.split(".")[0] == "shmcache":
                        yield Import(importer, alias.name, node.lineno)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path}:{node.lineno}: relative import"
                if (node.module or "").split(".")[0] == "shmcache":
                    names = [alias.name for alias in node.names]
                    yield from _from_import(importer, node.module or "", names, node.lineno)
        return
    text = path.read_text()
    for found in _CIMPORT.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        if found[3]:
            yield Import(importer, found[3], line)
        else:
            names = re.findall(r"\w+", found[2])
            yield from _from_import(importer, found[1], names, line)


def _from_import(importer: str, module: str, names: list[str], line: int) -> Iterator[Import]:
    """``from a import b`` imports ``a.b`` if that is a module, else ``a``."""
    for name in names or [""]:
        if name == "__version__":  # a constant that every layer may tell
            continue
        inner = f"{module}.{name}"
        yield Import(importer, inner if name and _module_exists(inner) else module, line)


def string_constants(path: Path) -> set[str]:
    """Every string in a Python file: modules are sometimes named in one."""
    return {
        node.value
        for node in ast.walk(parse(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def python_functions(path: Path) -> Iterator[Function]:
    """Functions and methods of a Python file; their docstrings do not count."""
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0]
            docstring = 0
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                docstring = (first.end_lineno or first.lineno) - first.lineno + 1
            lines = (node.end_lineno or node.lineno) - node.lineno + 1 - docstring
            yield Function(path, node.name, lines)


def c_functions(path: Path, text: str) -> Iterator[Function]:
    """Functions of a C file as clang-format lays them out: from a line that ends in ``) {`` outside
    all braces to the next line that starts with ``}``.
    """
    start = head = 0
    inside = False
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if inside:
            if line.startswith("}"):
                inside = False
                if start:
                    found = re.search(r"(\w+)\(", " ".join(lines[head:start]))
                    yield Function(path, found[1] if found else "?", number - head + 1)
        else:
            if line and not line[0].isspace():
                head = number
            if line.endswith("{"):
                inside = True
                start = number + 1 if line.endswith(") {") else 0
