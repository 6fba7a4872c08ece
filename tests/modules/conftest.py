from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from supervisor.daemons import DaemonProcess

from modules.installed import PACKAGES, install

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the packages' entry points are."""
    return tmp_path_factory.mktemp("site-packages")


@pytest.fixture(scope="session")
def environment(packages: Path) -> Mapping[str, str]:
    """Of a process in which the packages are installed."""
    return install(packages)


@pytest.fixture
def installed_here(
    environment: Mapping[str, str], packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Install them in the test's own process."""
    for path in (packages, PACKAGES):
        monkeypatch.syspath_prepend(path)


@pytest.fixture(scope="session")
def shared_daemon(
    tmp_path_factory: pytest.TempPathFactory, environment: Mapping[str, str]
) -> Iterator[DaemonProcess]:
    with DaemonProcess(tmp_path_factory.mktemp("daemon")) as daemon:
        yield daemon.start(
            *("--enable-module-command", "local", "--loadmodule", "token-bucket"),
            environment=environment,
        )


@pytest.fixture
def daemon(shared_daemon: DaemonProcess) -> DaemonProcess:
    """A daemon with the token bucket, emptied, which other tests have used too."""
    assert shared_daemon.ask("FLUSHALL") == b"+OK\r\n"
    return shared_daemon


@pytest.fixture(autouse=True)
def _forget_imports() -> Iterator[None]:
    yield
    for name in [name for name in sys.modules if name.startswith("shmcache_")]:
        del sys.modules[name]
