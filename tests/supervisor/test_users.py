"""Users of the configuration, of ACL files and of ACL SETUSER: who is there after what."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

import pytest
import redis
from server.wire import Wire

import shmcache
from supervisor.daemons import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from supervisor.daemons import DaemonProcess

SECRET = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"


@pytest.fixture
def file(daemon: DaemonProcess) -> Path:
    """The daemon's configuration file, empty."""
    path = daemon.directory / "shmcached.conf"
    path.write_text("")
    daemon.command = lambda *options: [  # type: ignore[method-assign]
        *(sys.executable, "-m", "shmcache.supervisor.main", str(path)),
        *("--name", daemon.name, "--unixsocket", daemon.socket, "--maxmemory", "8mb"),
        *("--logfile", str(daemon.log), *options),
    ]
    return path


def users(daemon: DaemonProcess) -> list[str]:
    lines = daemon.ask("ACL", "LIST").decode().split("\r\n")[2:-1:2]
    return [line.removeprefix("user ") for line in lines]


def names(daemon: DaemonProcess) -> list[str]:
    return [line.split()[0] for line in users(daemon)]


def reload(daemon: DaemonProcess) -> None:
    def ended() -> int:
        text = daemon.log_text()
        return text.count("Configuration read") + text.count("stays as it was")

    before = ended()
    daemon.process.send_signal(signal.SIGHUP)
    eventually(lambda: ended() > before, "the configuration is not read")


def replace_front_end(daemon: DaemonProcess) -> None:
    old = daemon.frontend()
    old.kill()
    eventually(lambda: daemon.ask("PING") and daemon.frontend().pid != old.pid)


DEFAULT = "default on nopass sanitize-payload ~* &* +@all"


def test_users_of_the_configuration(daemon: DaemonProcess, file: Path) -> None:
    """They are read, changed, kept over a front-end's death, and rewritten."""
    file.write_text('user alice on >secret ~a:* "(%R~b:* +get)" +@read\n')
    daemon.start("--user", "carol", "off")
    alice = f"alice on sanitize-payload #{SECRET} ~a:* resetchannels -@all +@read "
    alice += "(%R~b:* resetchannels -@all +get)"
    carol = "carol off sanitize-payload resetchannels -@all"
    assert users(daemon) == [alice, carol, DEFAULT]
    assert daemon.ask("ACL", "SETUSER", "bob", "on", "nopass", "+get", "&c") == b"+OK\r\n"
    assert daemon.ask("ACL", "SETUSER", "carol", "on", "(~x", "+set)") == b"+OK\r\n"
    bob = "bob on nopass sanitize-payload resetchannels &c -@all +get"
    carol = "carol on sanitize-payload resetchannels -@all (~x resetchannels -@all +set)"
    replace_front_end(daemon)
    assert users(daemon) == [alice, bob, carol, DEFAULT]
    assert daemon.ask("ACL", "DELUSER", "carol") == b":1\r\n"
    assert daemon.ask("CONFIG", "REWRITE") == b"+OK\r\n"
    written = file.read_text()
    assert "secret" not in written
    for line in (alice.replace(f"#{SECRET}", f'"#{SECRET}"'), bob):
        assert f"user {line}\n" in written
    assert "user default" not in written
    reload(daemon)
    everybody = ["alice", "bob", "carol", "default"]  # the command line has her
    eventually(lambda: names(daemon) == everybody)


def test_the_files_users_count_once_they_change(daemon: DaemonProcess, file: Path) -> None:
    file.write_text("user alice on nopass +get\ntimeout 1\n")
    daemon.start()
    daemon.ask("ACL", "SETUSER", "bob", "on", "nopass", "+@all")
    with Wire(daemon.socket) as bob:
        assert bob.run("AUTH", "bob", "x") == b"+OK\r\n"
        file.write_text("user alice on nopass +get\ntimeout 2\n")
        reload(daemon)
        eventually(lambda: b"$1\r\n2" in daemon.ask("CONFIG", "GET", "timeout"))
        assert names(daemon) == ["alice", "bob", "default"]
        assert bob.run("PING") == b"+PONG\r\n"
        file.write_text("user alice on nopass +set\nuser default on >secret +@all ~* &*\n")
        reload(daemon)
        assert bob.socket.recv(1) == b""
    assert daemon.ask("AUTH", "bob", "x").startswith(b"-WRONGPASS")
    assert daemon.ask("PING").startswith(b"-NOAUTH")
    alice = redis.Redis(unix_socket_path=daemon.socket, username="alice", password="x")
    with alice, pytest.raises(redis.exceptions.NoPermissionError, match="'get' command"):
        alice.get("x")
    file.write_text("user alice on nopass +sett\n")
    reload(daemon)
    assert (
        "stays as it was: user 'alice': Error in user declaration '+sett': Unknown"
        in daemon.log_text()
    )


def test_passwords_outlive_the_front_end(daemon: DaemonProcess) -> None:
    """requirepass and the default user's password are one, whoever changes it."""
    daemon.launch("--requirepass", "one")
    eventually(lambda: b"NOAUTH" in daemon.ask("PING"), "the daemon does not answer")

    def kill_front_end() -> None:
        old = daemon.frontend()
        old.kill()
        eventually(lambda: b"NOAUTH" in daemon.ask("PING") and daemon.frontend().pid != old.pid)

    def right_passwords() -> list[str]:
        tried = ("one", "two", "three")
        return [word for word in tried if daemon.ask("AUTH", word) == b"+OK\r\n"]

    assert right_passwords() == ["one"]
    with redis.Redis(unix_socket_path=daemon.socket, password="one") as client:
        assert client.config_set("requirepass", "two")
    kill_front_end()
    assert right_passwords() == ["two"]
    with redis.Redis(unix_socket_path=daemon.socket, password="two") as client:
        assert client.acl_setuser("default", enabled=True, passwords="+three")
    kill_front_end()
    assert right_passwords() == ["two", "three"]


def test_an_acl_file(daemon: DaemonProcess, file: Path) -> None:
    path = daemon.directory / "users.acl"
    path.write_text("user alice on >secret ~* +@all\n\nuser default on nopass +@all ~* &*  \n")
    file.write_text(f"dir {daemon.directory}\naclfile users.acl\n")
    daemon.start()
    alice = f"alice on sanitize-payload #{SECRET} ~* resetchannels +@all"
    assert users(daemon) == [alice, DEFAULT]
    daemon.ask("ACL", "SETUSER", "bob", "on", "nopass", "+@all")
    replace_front_end(daemon)
    assert names(daemon) == ["alice", "bob", "default"]
    reload(daemon)
    assert names(daemon) == ["alice", "bob", "default"]
    assert daemon.ask("CONFIG", "REWRITE") == b"+OK\r\n"
    assert "user" not in [line.split()[0] for line in file.read_text().splitlines() if line]
    assert daemon.ask("ACL", "SAVE") == b"+OK\r\n"
    bob = "bob on nopass sanitize-payload resetchannels +@all"
    assert path.read_text() == f"user {alice}\nuser {bob}\nuser {DEFAULT}\n"
    daemon.ask("ACL", "DELUSER", "bob")
    with redis.Redis(unix_socket_path=daemon.socket, username="alice", password="secret") as client:
        assert client.client_id()
        first = client.client_id()
        assert client.acl_load()
        assert client.client_id() == first  # nothing has changed for her
    assert names(daemon) == ["alice", "bob", "default"]
    path.write_text("user alice on\nuser alice off\nbogus\nuser bob +gett ~* ~a >x &b\tc\n")
    expected = (
        "-ERR WARNING: Duplicate user 'alice' found on line 2. users.acl:3 should start with user "
        "keyword followed by the username. users.acl:4: Error in applying operation '+gett': "
        "Unknown command or category name in ACL. users.acl:4: Adding a pattern after the * "
        "pattern (or the 'allkeys' flag) is not valid and does not have any effect. Try "
        "'resetkeys' to start with an empty list of patterns. WARNING: ACL errors detected, no "
        "change to the previously active ACL rules was performed\r\n"
    )
    assert daemon.ask("ACL", "LOAD").decode() == expected
    assert names(daemon) == ["alice", "bob", "default"]
    path.write_text("user carol on nopass +@all\n")
    reload(daemon)
    eventually(lambda: names(daemon) == ["carol", "default"])
    path.unlink()
    assert b"opening file 'users.acl': No such file" in daemon.ask("ACL", "LOAD")
    path.mkdir()
    assert b"There was an error trying to save the ACLs" in daemon.ask("ACL", "SAVE")
    assert names(daemon) == ["carol", "default"]


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        (
            "timeout 5\nuser alice on >hidden +gett\n",
            "shmcached: user 'alice': Error in user declaration '+gett': Unknown command",
        ),
        (
            'timeout 5\nuser alice on >hidden "~a\\tb"\n',
            " line 2: 'user alice on >(redacted) \"~a\\tb\"': Error in user",
        ),
        ("user alice on\n\nuser alice off\n", " line 3: 'user alice off': Duplicate user found."),
        (
            "user alice (~x +get\n",
            " line 1: 'user alice (~x +get': Error in user declaration '(~x'",
        ),
        ("user 'a b' on\n", " line 1: 'user 'a b' on': Spaces not allowed in ACL usernames"),
        ("user\n", " line 1: 'user': Bad directive or wrong number of arguments"),
        (
            "user alice on\naclfile users.acl\n",
            "shmcached: users declared in the configuration and",
        ),
        ("aclfile nowhere.acl\n", "opening file '{}/nowhere.acl': No such file or directory"),
        (
            "aclfile shmcached.conf\nacl-pubsub-default allchannels\n",
            "ACL errors: {}/shmcached.conf:1 should start with user keyword followed",
        ),
        (
            "acl-pubsub-default allchannels\nuser alice on &x\n",
            "Error in user declaration '&x': Adding a pattern after the * pattern",
        ),
    ],
)
def test_what_is_wrong_is_one_line(
    daemon: DaemonProcess, file: Path, lines: str, complaint: str
) -> None:
    file.write_text(f"{lines}dir {daemon.directory}\n")
    text = daemon.fails()
    assert complaint.format(daemon.directory) in text
    assert "hidden" not in text


def test_many_users(daemon: DaemonProcess) -> None:
    """More than a socket takes at once, told to the supervisor and to the next front-end."""
    path = daemon.directory / "users.acl"
    path.write_text("user u on\n")
    daemon.start("--aclfile", str(path))
    rules = " ".join(f"~{number}:{'x' * 100}" for number in range(20))
    path.write_text("".join(f"user u{number} on nopass {rules}\n" for number in range(1000)))
    assert path.stat().st_size > 2 << 20
    assert daemon.ask("ACL", "LOAD") == b"+OK\r\n"
    replace_front_end(daemon)
    with redis.Redis(unix_socket_path=daemon.socket) as client:
        assert len(client.acl_users()) == 1001
        assert len(client.acl_getuser("u999")["keys"]) == 20
        assert client.acl_deluser(*(f"u{number}" for number in range(1000))) == 1000
    replace_front_end(daemon)
    assert names(daemon) == ["default"]


def test_clients_of_this_package_log_in(daemon: DaemonProcess) -> None:
    """Their in-process reads know no users; what goes through the socket does."""
    rules = ("on", ">secret", "~k", "+get", "+set", "+acl|whoami", "+@connection")
    daemon.start("--user", "alice", *rules)
    # Nor may she ask which cache it is: the arenas are looked at.
    with shmcache.attach(daemon.socket, username="alice", password="secret") as client:
        assert client.acl_whoami() == "alice"
        assert client.set("k", "1")
        assert client.get("k") == b"1"
        with pytest.raises(redis.exceptions.NoPermissionError):
            client.set("x", "1")
        with pytest.raises(redis.exceptions.NoPermissionError):
            client.acl_users()
        assert client.get("x") is None  # read in place, where only the file mode counts
    with pytest.raises(redis.AuthenticationError):
        shmcache.attach(daemon.socket, username="alice", password="wrong")
