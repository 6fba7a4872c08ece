"""TLS: with redis-py and bare sockets, peers that behave badly, and options that are wrong."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import pytest
import redis
import trustme
from redis.backoff import NoBackoff
from redis.retry import Retry

from supervisor.daemons import ROOT, DaemonProcess, eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PING = b"*1\r\n$4\r\nPING\r\n"


class Certificates(NamedTuple):
    """Files of one authority's."""

    authority: Path
    server: Path
    client: Path
    """Certificate and key in one file each."""
    encrypted: Path
    """The server's key, which wants the password `secret`."""


def make_certificates(directory: Path) -> Certificates:
    directory.mkdir(exist_ok=True)
    authority = trustme.CA()
    made = Certificates(
        *(directory / f"{name}.pem" for name in ("authority", "server", "client", "encrypted"))
    )
    authority.cert_pem.write_to_path(made.authority)
    server = authority.issue_cert("localhost", "127.0.0.1")
    server.private_key_and_cert_chain_pem.write_to_path(made.server)
    client = authority.issue_cert("client@example.org")
    client.private_key_and_cert_chain_pem.write_to_path(made.client)
    subprocess.run(
        [
            *("openssl", "pkcs8", "-topk8", "-passout", "pass:secret"),
            *("-in", made.server, "-out", made.encrypted),
        ],
        check=True,
        capture_output=True,
    )
    return made


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def options(certificates: Certificates, port: int, **more: str) -> list[str]:
    chosen = {
        "tls-port": str(port),
        "tls-cert-file": str(certificates.server),
        "tls-key-file": str(certificates.server),
        "tls-ca-cert-file": str(certificates.authority),
        "tls-auth-clients": "no",
        **{name.replace("_", "-"): text for name, text in more.items()},
    }
    return [word for name, text in chosen.items() for word in (f"--{name}", text)]


class Secure:
    """A daemon with TLS."""

    def __init__(self, daemon: DaemonProcess, certificates: Certificates, **more: str) -> None:
        self.daemon = daemon
        self.certificates = certificates
        self.port = free_port()
        daemon.start(*options(certificates, self.port, **more))

    def client(self, *, certified: bool = False, **more: Any) -> redis.Redis:
        if certified:
            more["ssl_certfile"] = more["ssl_keyfile"] = str(self.certificates.client)
        return redis.Redis(
            port=self.port,
            ssl=True,
            ssl_ca_certs=str(self.certificates.authority),
            retry=Retry(NoBackoff(), 0),
            **more,
        )

    def connect(self, **context: Any) -> ssl.SSLSocket:
        made = ssl.create_default_context(cafile=self.certificates.authority)
        for name, value in context.items():
            setattr(made, name, value)
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        return made.wrap_socket(plain, server_hostname="localhost")

    def clients(self) -> list[str]:
        listed = self.daemon.ask("CLIENT", "LIST").decode().splitlines()
        return [line for line in listed if f"laddr=127.0.0.1:{self.port} " in line]


@pytest.fixture(scope="module")
def secure(
    certificates: Certificates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Secure]:
    with DaemonProcess(tmp_path_factory.mktemp("tls")) as daemon:
        secure = Secure(daemon, certificates, maxmemory="32mb")
        daemon.ask("CONFIG", "SET", "client-output-buffer-limit", "normal 8mb 0 0")
        yield secure


def test_redis_py(secure: Secure) -> None:
    """Commands, pipelines, large values both ways, and messages."""
    client = secure.client(protocol=3)
    assert client.set("a", "1")
    pipeline = client.pipeline(transaction=True)
    pipeline.incr("a")
    pipeline.get("a")
    assert pipeline.execute() == [2, b"2"]
    large = bytes(range(256)) * 12_000
    client.set("large", large)
    assert client.get("large") == large
    listener = client.pubsub()
    listener.subscribe("c")
    assert next(listener.listen())["type"] == "subscribe"
    client.publish("c", "hello")
    assert next(listener.listen())["data"] == b"hello"
    listener.close()
    client.close()


def test_the_true_addresses_are_shown(secure: Secure) -> None:
    with secure.connect() as peer:
        peer.sendall(PING)
        assert peer.recv(100) == b"+PONG\r\n"
        host, port = peer.getsockname()
        (line,) = [line for line in secure.clients() if f"addr={host}:{port} " in line]
        number = re.findall(r"id=(\d+) ", line)[0]
        assert secure.daemon.ask("CLIENT", "KILL", "ID", number) == b":1\r\n"
        assert peer.recv(100) == b""
    assert f"tls:tcp:127.0.0.1:{secure.port}" in secure.daemon.log_text()


def test_a_hundred_clients(secure: Secure) -> None:
    with contextlib.ExitStack() as stack:
        peers = [stack.enter_context(secure.connect()) for _ in range(100)]
        for number, peer in enumerate(peers):
            peer.sendall(b"*2\r\n$4\r\nECHO\r\n$3\r\n%03d\r\n" % number)
        for number, peer in enumerate(peers):
            assert peer.recv(100) == b"$3\r\n%03d\r\n" % number
        assert len(secure.clients()) >= 100
    eventually(lambda: not secure.clients())


def test_who_does_not_speak_tls(secure: Secure) -> None:
    with socket.create_connection(("127.0.0.1", secure.port), timeout=20) as plain:
        plain.sendall(PING)
        with contextlib.suppress(ConnectionError):
            while plain.recv(100):
                pass
    eventually(lambda: "TLS: handshake with 127.0.0.1:" in secure.daemon.log_text())
    assert secure.client().ping()


def test_half_closed(secure: Secure) -> None:
    """A peer that says that it sends no more still gets its replies."""
    context = ssl.create_default_context(cafile=secure.certificates.authority)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
    with socket.create_connection(("127.0.0.1", secure.port), timeout=20) as plain:

        def until(step: Callable[[], object]) -> object:
            while True:
                try:
                    return step()
                except ssl.SSLWantReadError:
                    plain.sendall(outgoing.read())
                    received = plain.recv(65536)
                    incoming.write(received) if received else incoming.write_eof()
                finally:
                    plain.sendall(outgoing.read())

        until(session.do_handshake)
        session.write(PING * 1000)
        with contextlib.suppress(ssl.SSLWantReadError):
            session.unwrap()
        received = b""
        with contextlib.suppress(ssl.SSLZeroReturnError):  # its own farewell
            while chunk := until(lambda: session.read(65536)):
                received += cast("bytes", chunk)
        assert received == b"+PONG\r\n" * 1000
    eventually(lambda: not secure.clients())


def test_a_vanished_peer(secure: Secure) -> None:
    """In the middle of a handshake, and after it, by a reset."""
    for shaken in (False, True):
        plain = socket.create_connection(("127.0.0.1", secure.port), timeout=20)
        if shaken:
            context = ssl.create_default_context(cafile=secure.certificates.authority)
            plain = context.wrap_socket(plain, server_hostname="localhost")
            plain.sendall(PING)
            plain.recv(100)
        else:
            plain.sendall(b"\x16\x03\x01")
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        plain.close()
    eventually(lambda: not secure.clients())
    assert secure.client().ping()


def test_a_slow_reader_is_dropped_alone(secure: Secure) -> None:
    client = secure.client()
    client.set("big", b"x" * 1_000_000)
    with secure.connect() as peer:
        peer.sendall(b"*2\r\n$3\r\nGET\r\n$3\r\nbig\r\n" * 30)
        eventually(
            lambda: (
                b"output_buffer_limit_disconnections:1\r\n" in secure.daemon.ask("INFO", "stats")
            )
        )
        assert client.ping()
        assert not secure.clients() or len(secure.clients()) == 1  # redis-py's own
        received = 0
        with contextlib.suppress(OSError):
            while chunk := peer.recv(1 << 20):
                received += len(chunk)
        assert received < 30_000_000
    client.close()


def test_a_slow_reader_gets_everything_in_the_end(secure: Secure) -> None:
    client = secure.client()
    client.set("big", b"y" * 1_000_000)
    with secure.connect() as peer:
        peer.sendall(b"*2\r\n$3\r\nGET\r\n$3\r\nbig\r\n" * 5)
        expected = 5 * len(b"$1000000\r\n" + b"y" * 1_000_000 + b"\r\n")
        received = 0
        while received < expected:
            received += len(peer.recv(3000 if received < 300_000 else 1 << 20))
        assert received == expected
    client.close()


@pytest.mark.parametrize("wanted", ["yes", "optional", "no"])
def test_clients_certificates(
    daemon: DaemonProcess, certificates: Certificates, wanted: str
) -> None:
    secure = Secure(daemon, certificates, tls_auth_clients=wanted)
    assert secure.client(certified=True).ping()
    if wanted == "yes":
        with pytest.raises(redis.ConnectionError):
            secure.client().ping()
    else:
        assert secure.client().ping()


def test_a_key_with_a_password_and_tls_alone(
    daemon: DaemonProcess, certificates: Certificates
) -> None:
    more = {"tls_key_file": str(certificates.encrypted), "tls_key_file_pass": "secret"}
    secure = Secure(daemon, certificates, **more)
    assert secure.client().info("server")["tcp_port"] == secure.port


def test_versions(daemon: DaemonProcess, certificates: Certificates) -> None:
    secure = Secure(daemon, certificates, tls_protocols="TLSv1.2", tls_ciphers="ECDHE+AESGCM")
    with secure.connect() as peer:
        assert peer.version() == "TLSv1.2"
        cipher = peer.cipher()
        assert cipher is not None
        assert "GCM" in cipher[0]
    with pytest.raises(ssl.SSLError):
        secure.connect(minimum_version=ssl.TLSVersion.TLSv1_3)
    with secure.client() as client:
        assert client.config_set("tls-protocols", "TLSv1.3")
    with secure.connect() as peer:
        assert peer.version() == "TLSv1.3"


def test_other_certificates_while_it_runs(
    daemon: DaemonProcess, certificates: Certificates, tmp_path: Path
) -> None:
    """By CONFIG SET, and by SIGHUP from the same file; what is wrong changes nothing."""
    own = tmp_path / "server.pem"
    own.write_bytes(certificates.server.read_bytes())
    secure = Secure(daemon, certificates, tls_cert_file=str(own), tls_key_file=str(own))
    old = secure.client()
    assert old.ping()
    others = make_certificates(tmp_path / "others")
    with pytest.raises(redis.ResponseError, match="Unable to update TLS configuration"):
        old.config_set("tls-cert-file", "/nowhere")
    assert secure.client().ping()
    own.write_bytes(others.server.read_bytes())
    daemon.process.send_signal(1)
    secure.certificates = others

    def answers_with_the_new_one() -> bool:
        try:
            return bool(secure.client().ping())
        except redis.ConnectionError:
            return False

    eventually(answers_with_the_new_one)
    assert old.ping()  # as it was connected
    old.config_set(
        "tls-cert-file", str(certificates.server), "tls-key-file", str(certificates.server)
    )
    secure.certificates = certificates
    assert secure.client().ping()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"tls_cert_file": ""}, "TLS needs tls-cert-file and tls-key-file"),
        ({"tls_cert_file": "/nowhere"}, "No such file or directory"),
        ({"tls_protocols": "SSLv9"}, "'sslv9' is none of"),
        ({"tls_ciphers": "nonsense"}, "No cipher can be selected"),
        ({"tls_auth_clients": "yes", "tls_ca_cert_file": ""}, "tls-auth-clients needs"),
    ],
)
def test_what_cannot_be_is_told_at_the_start(
    daemon: DaemonProcess, certificates: Certificates, more: dict[str, str], said: str
) -> None:
    assert said in daemon.fails(*options(certificates, free_port(), **more))


def test_a_handshake_that_never_ends_holds_nobody_up(secure: Secure) -> None:
    """Those who only connect are counted, wait, and are not in CLIENT LIST."""
    waiting = [socket.create_connection(("127.0.0.1", secure.port)) for _ in range(20)]
    started = time.monotonic()
    assert secure.client().ping()
    assert time.monotonic() - started < 10
    for plain in waiting:
        plain.close()


class TestCommandLine:
    """shmcache-cli, with redis-cli's names for it."""

    def run(self, secure: Secure, *words: str, stdin: bytes = b"") -> tuple[bytes, bytes]:
        done = subprocess.run(
            [sys.executable, "-m", "shmcache.cli.main", "-p", str(secure.port), *words],
            input=stdin,
            capture_output=True,
            timeout=60,
            check=False,
            cwd=ROOT,
        )
        return done.stdout, done.stderr

    def test_commands(self, secure: Secure) -> None:
        trusting = ("--tls", "--cacert", str(secure.certificates.authority))
        assert self.run(secure, *trusting, "ping") == (b"PONG\n", b"")
        assert self.run(secure, "--tls", "--insecure", "--sni", "localhost", "ping")[0] == b"PONG\n"
        assert b"certificate verify failed" in self.run(secure, "--tls", "ping")[1]
        client = str(secure.certificates.client)
        certified = (*trusting, "--cert", client, "--key", client)
        large = "x" * 100_000
        assert self.run(secure, *certified, "set", "cli", large)[0] == b"OK\n"
        assert self.run(secure, *certified, "get", "cli")[0] == large.encode() + b"\n"
        uri = f"rediss://127.0.0.1:{secure.port}/3"
        shown = self.run(secure, *trusting, "-u", uri, "client", "info")[0]
        assert b" db=3 " in shown

    def test_mass_insertion(self, secure: Secure) -> None:
        """Sending and receiving at the same time."""
        lines = b"".join(b"SET mass:%d %b\r\n" % (i, b"v" * 500) for i in range(5000))
        trusting = ("--tls", "--cacert", str(secure.certificates.authority))
        out, err = self.run(secure, *trusting, "--pipe", stdin=lines)
        assert (err, out.splitlines()[-1]) == (b"", b"errors: 0, replies: 5000")
