"""The units: systemd takes them without a word, and they are as closed as they can be."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from shmcache.config import find_option, parse_command_line
from supervisor.daemons import ROOT

UNITS = ROOT / "systemd"
SERVICE = UNITS / "shmcached.service"
SOCKET = UNITS / "shmcached.socket"
MOST_EXPOSURE = 2.0

needs_analyze = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="no systemd-analyze on this machine"
)


def settings(unit: Path) -> dict[str, list[str]]:
    """Every value of every setting."""
    text = unit.read_text().replace("\\\n", " ")
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", *arguments], capture_output=True, text=True, timeout=60, check=False
    )


@needs_analyze
def test_systemd_has_nothing_to_say() -> None:
    result = analyze("verify", str(SERVICE), str(SOCKET))
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


@needs_analyze
def test_systemd_does_say_what_is_wrong(tmp_path: Path) -> None:
    broken = tmp_path / "shmcached.service"
    broken.write_text(SERVICE.read_text().replace("Type=notify", "Type=no-such-type"))
    assert "no-such-type" in analyze("verify", str(broken)).stderr


@needs_analyze
def test_exposure() -> None:
    result = analyze("security", "--offline=true", "--no-pager", str(SERVICE))
    level = re.search(r"Overall exposure level for shmcached.service: ([0-9.]+)", result.stdout)
    assert level is not None, result.stderr
    assert float(level[1]) <= MOST_EXPOSURE


def test_workers_find_the_arena() -> None:
    service = settings(SERVICE)
    assert "PrivateIPC" not in service
    assert service["RemoveIPC"] == ["no"]
    assert not any("/dev/shm" in value for values in service.values() for value in values)
    assert "ProtectProc" not in service


def test_the_command_line_is_one() -> None:
    words = shlex.split(settings(SERVICE)["ExecStart"][0])
    assert words[:2] == ["/usr/bin/env", "shmcached"]
    command = parse_command_line(words[2:])
    assert command.path == "/etc/shmcached/shmcached.conf"
    options = {name: values for name, *values in command.options}
    for name, values in options.items():
        option = find_option(name)
        assert option is not None
        assert option.used
        option.kind.parse(values, option.default)
    assert options["unixsocket"] == settings(SOCKET)["ListenStream"]
    assert options["shm-group"] == settings(SERVICE)["Group"] == settings(SOCKET)["SocketGroup"]


def test_the_files_belong_together() -> None:
    service = settings(SERVICE)
    user = service["User"][0]
    sysusers = (UNITS / "shmcached.sysusers.conf").read_text()
    assert re.search(rf"^u {user} ", sysusers, re.MULTILINE)
    tmpfiles = (UNITS / "shmcached.tmpfiles.conf").read_text()
    directory = str(Path(settings(SOCKET)["ListenStream"][0]).parent)
    assert directory == f"/run/{service['RuntimeDirectory'][0]}"
    assert re.search(rf"^d {directory} 0755 {user} ", tmpfiles, re.MULTILINE)
    assert re.search(r"^f /etc/shmcached/shmcached.conf ", tmpfiles, re.MULTILINE)


@pytest.mark.skipif(shutil.which("systemd-sysusers") is None, reason="no systemd-sysusers")
def test_sysusers_is_understood(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    result = subprocess.run(
        [
            *("systemd-sysusers", f"--root={tmp_path}", "--dry-run"),
            str(UNITS / "shmcached.sysusers.conf"),
        ],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert "shmcached" in result.stdout + result.stderr
