"""TLS for the command line: a thread of its own speaks it, everybody else has a plain socket."""

from __future__ import annotations

import select
import socket
import ssl
import threading
from typing import TYPE_CHECKING, Final

from shmcache.cli.errors import CliError

if TYPE_CHECKING:
    from shmcache.cli.options import TlsOptions

__all__ = ["connect_by_tls"]

_CHUNK_BYTES: Final = 65536


def connect_by_tls(host: str, port: int, options: TlsOptions, *, insecure: bool) -> socket.socket:
    """Return a socket that is connected to a server by way of TLS.

    As in redis-cli, the server's certificate has to come from an authority that is trusted; which
    name it is for is not looked at.

    :param insecure: take any certificate
    :raises OSError: nobody is there, or the handshake failed
    :raises CliError: the options cannot be used
    """
    context = _context(options, insecure=insecure)
    plain = socket.create_connection((host, port))
    try:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        wrapped = context.wrap_socket(plain, server_hostname=options.server_name or host)
    except BaseException:
        plain.close()
        raise
    wrapped.setblocking(False)
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    threading.Thread(target=_carry, args=(wrapped, theirs), daemon=True).start()
    return ours


def _context(options: TlsOptions, *, insecure: bool) -> ssl.SSLContext:
    """:raises CliError: a file or a name is wrong"""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    try:
        if insecure:
            context.verify_mode = ssl.CERT_NONE
        elif options.authority_file or options.authority_directory:
            context.load_verify_locations(
                options.authority_file or None, options.authority_directory or None
            )
        else:
            context.load_default_certs()
        if options.certificate_file:
            context.load_cert_chain(options.certificate_file, options.key_file or None)
        if options.ciphers:
            context.set_ciphers(options.ciphers)
    except OSError as error:
        raise CliError(f"TLS cannot be set up: {error.strerror or error}") from None
    return context


def _carry(peer: ssl.SSLSocket, ours: socket.socket) -> None:
    """Carry bytes both ways until one side ends; one thread, since OpenSSL wants it so."""
    to_peer = to_us = b""
    ended = False
    try:
        while not ended or to_us:
            _wait(peer, ours, to_peer, to_us)
            if not to_us and not ended:
                to_us, ended = _received(peer)
            to_us = _sent(ours, to_us)
            if not to_peer:
                to_peer, gone = _received(ours)
                if gone:
                    return
            to_peer = _sent(peer, to_peer)
    except OSError:
        return  # the other side of the pair sees an end
    finally:
        ours.close()
        peer.close()


def _wait(peer: ssl.SSLSocket, ours: socket.socket, to_peer: bytes, to_us: bytes) -> None:
    """Wait until something can be carried."""
    if peer.pending() and not to_us:
        return
    poll = select.poll()
    for sock, sending, taking in ((peer, to_peer, not to_us), (ours, to_us, not to_peer)):
        poll.register(sock, (select.POLLOUT if sending else 0) | (select.POLLIN if taking else 0))
    poll.poll()


def _received(sock: socket.socket) -> tuple[bytes, bool]:
    """What has come, and whether nothing more will."""
    try:
        data = sock.recv(_CHUNK_BYTES)
    except (ssl.SSLWantReadError, ssl.SSLWantWriteError, BlockingIOError):
        return b"", False
    return data, not data


def _sent(sock: socket.socket, data: bytes) -> bytes:
    """Send what can be sent; returns the rest."""
    if not data:
        return data
    try:
        return data[sock.send(data) :]
    except (ssl.SSLWantReadError, ssl.SSLWantWriteError, BlockingIOError):
        return data
