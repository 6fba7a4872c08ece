"""TLS as the tls-* options ask for it. Certificates are read when a context is made, not later."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Final

from shmcache.errors import ConfigurationError

if TYPE_CHECKING:
    from shmcache.config import Config

__all__ = ["TLS_OPTIONS", "make_tls_context"]

TLS_OPTIONS: Final = (
    *("tls-cert-file", "tls-key-file", "tls-key-file-pass", "tls-ca-cert-file"),
    *("tls-ca-cert-dir", "tls-auth-clients", "tls-protocols", "tls-ciphers", "tls-ciphersuites"),
    *("tls-prefer-server-ciphers", "tls-session-caching", "tls-dh-params-file"),
)
"""Every option that :func:`make_tls_context` reads."""

_VERIFY: Final = {
    "yes": ssl.CERT_REQUIRED,
    "optional": ssl.CERT_OPTIONAL,
    "no": ssl.CERT_NONE,
}
_REFUSAL: Final = {
    "tlsv1": ssl.OP_NO_TLSv1,
    "tlsv1.1": ssl.OP_NO_TLSv1_1,
    "tlsv1.2": ssl.OP_NO_TLSv1_2,
    "tlsv1.3": ssl.OP_NO_TLSv1_3,
}
_USUAL_PROTOCOLS: Final = "TLSv1.2 TLSv1.3"


def make_tls_context(config: Config) -> ssl.SSLContext:
    """Return what connections on ``tls-port`` are wrapped with.

    :raises ConfigurationError: a file is missing or wrong, or something cannot be had
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        _load_certificates(context, config)
        _choose_protocols(context, config.text("tls-protocols") or _USUAL_PROTOCOLS)
        if config.text("tls-ciphers"):
            context.set_ciphers(config.text("tls-ciphers"))
        if config.text("tls-dh-params-file"):
            context.load_dh_params(config.text("tls-dh-params-file"))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigurationError(f"TLS cannot be set up: {reason}") from error
    if not config.boolean("tls-prefer-server-ciphers"):
        context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    if not config.boolean("tls-session-caching"):
        context.options |= ssl.OP_NO_TICKET
        context.num_tickets = 0
    _choose_suites(context, config.text("tls-ciphersuites"))
    return context


def _load_certificates(context: ssl.SSLContext, config: Config) -> None:
    """:raises OSError: a file cannot be read, or is no certificate or key
    :raises ConfigurationError: an option is missing
    """
    certificate, key = config.text("tls-cert-file"), config.text("tls-key-file")
    if not certificate or not key:
        raise ConfigurationError("TLS needs tls-cert-file and tls-key-file")
    # OpenSSL would ask the terminal for what it is not given
    context.load_cert_chain(certificate, key, password=config.text("tls-key-file-pass"))
    authorities = config.text("tls-ca-cert-file"), config.text("tls-ca-cert-dir")
    verify = _VERIFY[config.text("tls-auth-clients")]
    if any(authorities):
        context.load_verify_locations(authorities[0] or None, authorities[1] or None)
    elif verify != ssl.CERT_NONE:
        raise ConfigurationError(
            "tls-auth-clients needs tls-ca-cert-file or tls-ca-cert-dir, to check clients' "
            "certificates with"
        )
    context.verify_mode = verify


def _choose_protocols(context: ssl.SSLContext, names: str) -> None:
    """:raises ValueError: not a version"""
    chosen = names.lower().split()
    unknown = [name for name in chosen if name not in _REFUSAL]
    if unknown:
        raise ValueError(f"tls-protocols: '{unknown[0]}' is none of {', '.join(_REFUSAL)}")
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    for name, refusal in _REFUSAL.items():
        if name not in chosen:
            context.options |= refusal


def _choose_suites(context: ssl.SSLContext, names: str) -> None:
    """The suites of TLS 1.3, which Python's ssl can choose from version 3.15 on.

    :raises ConfigurationError: not with this Python, or unknown names
    """
    if not names:
        return
    choose = getattr(context, "set_ciphersuites", None)
    if choose is None:
        raise ConfigurationError("tls-ciphersuites cannot be chosen with this version of Python")
    try:
        choose(names)
    except ssl.SSLError as error:
        raise ConfigurationError(f"TLS cannot be set up: {error}") from error
