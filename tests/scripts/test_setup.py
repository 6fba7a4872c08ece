"""When .venv counts as up to date."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]
PROJECT = {"tool": {"setuptools": {"ext-modules": [{"name": "shmcache.x", "sources": ["a.c"]}]}}}


@pytest.fixture
def setup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    specification = importlib.util.spec_from_file_location("_setup", ROOT / "scripts/_setup.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    (tmp_path / "shmcache/core").mkdir(parents=True)
    (tmp_path / "shmcache/core/a.c").write_text("int a;")
    (tmp_path / "shmcache/core/a.h").write_text("extern int a;")
    (tmp_path / "shmcache/b.pyx").write_text("b = 1")
    return module


@pytest.mark.parametrize("changed", ["core/a.c", "core/a.h", "b.pyx", "core/new.h", "b.pxi"])
def test_a_changed_source_is_noticed(setup: ModuleType, tmp_path: Path, changed: str) -> None:
    before = setup.sources_digest(PROJECT)
    assert before == setup.sources_digest(PROJECT)
    (tmp_path / "shmcache" / changed).write_text("another")
    assert setup.sources_digest(PROJECT) != before


@pytest.mark.parametrize("generated", ["b.c", "b.so", "notes.txt", "c.py"])
def test_what_is_not_compiled_from_is_not(
    setup: ModuleType, tmp_path: Path, generated: str
) -> None:
    before = setup.sources_digest(PROJECT)
    (tmp_path / "shmcache" / generated).write_text("whatever")
    assert setup.sources_digest(PROJECT) == before


def test_a_missing_compiler_is_named(setup: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "no-such-compiler-here")
    with pytest.raises(SystemExit, match=r"no C compiler[\s\S]*apt-get install gcc"):
        setup.check_machine()
