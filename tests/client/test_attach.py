"""Finding a cache by name, by socket and by URL, and what is said when that fails."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

import shmcache
import shmcache.asyncio
from client.processes import ROOT, Segments, environment, unique_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from client.processes import Daemon, RedisServer

SHM = Path("/dev/shm")
NOBODY = 65534


def _attach_async(*args: Any, **options: Any) -> Any:
    return shmcache.asyncio.attach(*args, **options)


DOORS: list[Callable[..., Any]] = [shmcache.attach, _attach_async]
each_door = pytest.mark.parametrize("attach", DOORS, ids=["sync", "asyncio"])


@each_door
def test_by_url(attach: Callable[..., Any], segments: Segments) -> None:
    client = attach(f"shm://{segments.name}?db=3&writable=yes&decode_responses=yes&protocol=2")
    options = client.connection_pool.connection_kwargs
    assert client.writable
    assert (options["db"], options["decode_responses"], options["protocol"]) == (3, True, 2)
    assert attach(f"shm://{segments.name}").connection_pool.connection_kwargs["db"] == 0
    again = type(client).from_url(f"shm://{segments.name}?db=3", db=1, decode_responses=True)
    assert again.connection_pool.connection_kwargs["db"] == 3
    assert again.connection_pool.connection_kwargs["decode_responses"] is True


@each_door
@pytest.mark.parametrize("url", ["shm://", "shm:///x", "shm://a/b", "shm://a b"])
def test_url_of_no_cache(attach: Callable[..., Any], url: str) -> None:
    with pytest.raises(shmcache.ConfigurationError):
        attach(url)


def test_other_urls_are_redis_pys(daemon: Daemon) -> None:
    client = shmcache.Client.from_url(f"unix://{daemon.socket_path}?db=2")
    client.set("k", "v")
    assert shmcache.attach(daemon.name, db=2).get("k") == b"v"


@each_door
def test_nothing_of_that_name(attach: Callable[..., Any]) -> None:
    for writable in (False, True):
        with pytest.raises(shmcache.CacheNotFound, match="shmcached running"):
            attach(unique_name(), writable=writable)
    with pytest.raises(redis.ConnectionError):
        attach(unique_name())


@each_door
@pytest.mark.parametrize("name", ["", "a b", "-x", ".x", "x" * 64, "ü"])
def test_impossible_names(attach: Callable[..., Any], name: str) -> None:
    with pytest.raises(shmcache.ConfigurationError, match="invalid cache name"):
        attach(name)


@each_door
def test_no_socket_there(attach: Callable[..., Any], tmp_path: Path) -> None:
    with pytest.raises(shmcache.CacheNotFound, match="nobody answers"):
        attach(str(tmp_path / "none.sock"))


@each_door
def test_socket_of_another_server(attach: Callable[..., Any], redis_server: RedisServer) -> None:
    with pytest.raises(shmcache.CacheNotFound, match="not a shmcache daemon"):
        attach(str(redis_server.socket_path))


def test_by_socket_finds_the_arena(daemon: Daemon) -> None:
    client = shmcache.attach(str(daemon.socket_path), db=1, decode_responses=True, writable=True)
    assert client.writable
    client.set("k", "v")
    assert client.get("k") == "v"


def test_by_socket_with_password(start_daemon: Callable[..., Daemon]) -> None:
    daemon = start_daemon(requirepass="secret")
    with pytest.raises(redis.AuthenticationError):
        shmcache.attach(str(daemon.socket_path))
    client = shmcache.attach(str(daemon.socket_path), password="secret")
    assert client.set("k", "v") is True
    assert client.get("k") == b"v"
    without = shmcache.attach(daemon.name, retry=Retry(NoBackoff(), 0))
    assert without.get("k") == b"v", "the in-process door is guarded by file modes alone"
    with pytest.raises(redis.AuthenticationError):
        without.set("k", "v2")


@each_door
def test_truncated_segment(attach: Callable[..., Any], segments: Segments) -> None:
    os.truncate(SHM / f"shmcache.{segments.name}.data", 4096)
    with pytest.raises(shmcache.LayoutMismatch):
        attach(segments.name)


@each_door
def test_segment_of_something_else(attach: Callable[..., Any], segments: Segments) -> None:
    with (SHM / f"shmcache.{segments.name}.data").open("r+b") as file:
        file.write(b"something else")
    with pytest.raises(shmcache.LayoutMismatch):
        attach(segments.name)


def test_half_a_cache(segments: Segments) -> None:
    (SHM / f"shmcache.{segments.name}.access").unlink()
    with pytest.raises(shmcache.LayoutMismatch):
        shmcache.attach(segments.name)


def test_socket_leads_to_a_cache_of_the_same_name_elsewhere(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A container with a /dev/shm of its own: what is there under that name is not the daemon's."""
    other = Segments()
    monkeypatch.setattr(
        "shmcache.client.attachment.open_segments", _redirected(daemon.name, other.name)
    )
    try:
        client = shmcache.attach(str(daemon.socket_path))
        daemon.connect().set("k", "the daemon's")
        shmcache.attach(other.name, writable=True).set("k", "the other's")
        assert client.get("k") == b"the daemon's"
    finally:
        other.unlink()


def _redirected(name: str, other: str) -> Callable[..., Any]:
    from shmcache.arena.segments import open_segments  # noqa: PLC0415

    def opener(asked: str, *, writable: bool) -> Any:
        return open_segments(other if asked == name else asked, writable=writable)

    return opener


AS_NOBODY = """
import os, sys, redis, shmcache.client
# nobody may be unable to read Python's own files, so load now what is needed later
redis.Redis(unix_socket_path=sys.argv[3]).pipeline(transaction=False).echo("x").execute()
os.setgroups([]); os.setgid({id}); os.setuid({id})
try:
    client = shmcache.attach(sys.argv[1], writable=sys.argv[2] == "writable")
    print(client.writable, client._attachment.arena is not None, client.set("k", "v"),
          client.get("k"), client.mget("k", "zz"), client.ttl("k"),
          client.pipeline(transaction=False).get("k").execute())
except Exception as error:
    print(type(error).__name__, error)
"""


def _as_nobody(daemon: Daemon, target: str, mode: str) -> str:
    code = AS_NOBODY.format(id=NOBODY)
    done = subprocess.run(
        [sys.executable, "-c", code, target, mode, str(daemon.socket_path)],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout.strip()


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="another user is needed to be refused")


@needs_root
def test_reader_by_mode_writes_through_the_socket(start_daemon: Callable[..., Daemon]) -> None:
    daemon = start_daemon(shm_mode="0644", unixsocketperm="777")
    daemon.socket_path.parent.chmod(0o755)
    for parent in daemon.socket_path.parents:
        if parent.owner() == "root" and str(parent).startswith("/tmp/"):
            parent.chmod(0o755)
    expected = "False True True b'v' [b'v', None] -1 [b'v']"
    assert _as_nobody(daemon, daemon.name, "reader") == expected
    assert _as_nobody(daemon, str(daemon.socket_path), "reader") == expected
    assert _as_nobody(daemon, daemon.name, "writable").startswith("ReadOnly not allowed to write")


@needs_root
def test_shut_out_of_the_arena_works_through_the_socket(
    start_daemon: Callable[..., Daemon],
) -> None:
    daemon = start_daemon(shm_mode="0600", unixsocketperm="777")
    for parent in daemon.socket_path.parents:
        if parent.owner() == "root" and str(parent).startswith("/tmp/"):
            parent.chmod(0o755)
    assert _as_nobody(daemon, str(daemon.socket_path), "reader") == (
        "False False True b'v' [b'v', None] -1 [b'v']"
    )
    assert _as_nobody(daemon, str(daemon.socket_path), "writable").startswith(
        "ReadOnly attaching writable"
    )
    assert _as_nobody(daemon, daemon.name, "writable").startswith("ReadOnly attaching writable")
    assert _as_nobody(daemon, daemon.name, "reader").startswith("CacheNotFound")


def test_import_is_lean() -> None:
    """The daemon's processes import the package and must start in milliseconds."""
    code = (
        "import sys, shmcache; assert 'redis' not in sys.modules; "
        "shmcache.__version__; dir(shmcache); assert 'redis' not in sys.modules; "
        "shmcache.attach; shmcache.ShmcacheError; assert 'redis' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], env=environment(), check=True, timeout=60)


def test_says_so_elsewhere_than_on_linux() -> None:
    code = "import sys; sys.platform = 'darwin'\nimport shmcache"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "shmcache runs on Linux only, not on darwin" in done.stderr


def test_version_is_the_distributions() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert shmcache.__version__ == project["version"]


def test_every_exported_name_is_there() -> None:
    for name in shmcache.__all__:
        assert getattr(shmcache, name)
    with pytest.raises(AttributeError):
        _ = shmcache.nothing_of_that_name
