"""Files are one idea each; functions fit a screen."""

from __future__ import annotations

from pathlib import Path

from sources import ROOT, Function, c_functions, python_files, python_functions, source_files

MAX_FILE_LINES = 600
MAX_PYTHON_FUNCTION_LINES = 50
MAX_C_FUNCTION_LINES = 60
# A declarative table is one idea however long it gets.
TABLES = {"shmcache/commands/table.py", "shmcache/config/table.py"}


def _too_long(functions: list[Function], limit: int) -> list[str]:
    return [
        f"{function.path.relative_to(ROOT)}: {function.name}: {function.lines} lines"
        for function in functions
        if function.lines > limit
    ]


def test_file_length() -> None:
    sources = source_files(".py", ".c", ".h", ".pyx", ".pxd", ".pxi", ".pyi")
    assert sources
    long = {
        str(path.relative_to(ROOT)): lines
        for path in sources
        if (lines := path.read_text().count("\n")) > MAX_FILE_LINES
    }
    assert not long.keys() - TABLES, long


def test_python_function_length() -> None:
    functions = [
        function
        for top in ("shmcache", "scripts", "tests")
        for path in python_files(top)
        if str(path.relative_to(ROOT)) not in TABLES
        for function in python_functions(path)
    ]
    assert functions
    long = _too_long(functions, MAX_PYTHON_FUNCTION_LINES)
    assert not long, "\n".join(long)


def test_c_function_length() -> None:
    functions = [
        function
        for path in source_files(".c", ".h")
        for function in c_functions(path, path.read_text())
    ]
    assert functions
    long = _too_long(functions, MAX_C_FUNCTION_LINES)
    assert not long, "\n".join(long)


def test_c_functions_are_measured() -> None:
    text = """static int f(int a,
             int b) {
    g();
}

struct s {
    int a;
};

void h(void) {
}
"""
    found = list(c_functions(Path("x.c"), text))
    assert [(function.name, function.lines) for function in found] == [("f", 4), ("h", 2)]
