"""What the options mean for a running front-end: put into effect at the start and by CONFIG SET."""

from __future__ import annotations

import logging
import resource
from typing import TYPE_CHECKING, Any, Final

from shmcache.arena.tuning import ARENA_OPTIONS, check_limit, configure_arena
from shmcache.config import OptionError
from shmcache.errors import ConfigurationError, ShmcacheError
from shmcache.server.slow import slow_limit_ns
from shmcache.server.tls import TLS_OPTIONS, make_tls_context

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from shmcache.server.server import Server

__all__ = ["Settings"]

_log = logging.getLogger("shmcache.server")

_RESERVED_DESCRIPTORS: Final = 32
"""For listeners, logs, the arena, the event loop: Redis's number."""
_LOG_LEVELS: Final = {
    "debug": logging.DEBUG,
    "verbose": logging.INFO,
    "notice": logging.INFO,
    "warning": logging.WARNING,
}


def _descriptors_for(clients: int, each: int) -> int:
    """Raise the limit of open files for so many clients.

    :param each: descriptors that a client may take, if there are as many
    :return: how many clients it lets in
    """
    wanted = clients * each + _RESERVED_DESCRIPTORS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return clients
    for limit in ((wanted, max(hard, wanted)), (min(wanted, hard), hard)):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, limit)
        except (OSError, ValueError):  # only root raises the hard limit, and not beyond nr_open
            continue
        break
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return min(clients, max(soft - _RESERVED_DESCRIPTORS, 1))


class Settings:
    """The options in the form in which the front-end asks for them again and again.

    :param on_config: called with the texts of options that CONFIG SET has changed
    """

    def __init__(self, server: Server, on_config: Callable[[dict[str, str]], None]) -> None:
        self._server = server
        self._on_config = on_config
        self.max_clients = 0
        self.timeout_s = 0
        self.keepalive_s = 0
        self.protected_mode = True
        self.busy_reply_ms = 0
        self.databases = 0
        self.tracks_latency = True
        self.slower_than_us = -1
        self._appliers: dict[str, Callable[[], None]] = {
            "acl-pubsub-default": self._apply_acl,
            "acllog-max-len": self._apply_acl,
            "client-output-buffer-limit": self._apply_output_limits,
            "client-query-buffer-limit": self._apply_query_limit,
            "busy-reply-threshold": self._apply_plain,
            "databases": self._apply_plain,
            "latency-monitor-threshold": self._apply_slow,
            "latency-tracking": self._apply_plain,
            "loglevel": self._apply_log_level,
            "maxclients": self._apply_max_clients,
            "notify-keyspace-events": self._apply_notifications,
            "proto-max-bulk-len": self._apply_bulk_limit,
            "protected-mode": self._apply_plain,
            "requirepass": self._apply_password,
            "slowlog-log-slower-than": self._apply_slow,
            "slowlog-max-len": self._apply_slow,
            "tcp-keepalive": self._apply_plain,
            "timeout": self._apply_plain,
            "tracking-table-max-keys": self._apply_tracking,
            "user": self.apply_users,
            **dict.fromkeys(TLS_OPTIONS, self._apply_tls),
            **dict.fromkeys(ARENA_OPTIONS, self._apply_arena),
        }

    def apply_all(self) -> None:
        """Put every option into effect; what cannot be had in full is logged."""
        config = self._server.config
        wanted = config.integer("maxclients")
        possible = _descriptors_for(wanted, self._descriptors_each())
        if possible < wanted:
            _log.warning(
                "the limit of open files lets only %d clients in: maxclients is %d instead of %d",
                possible, possible, wanted,
            )  # fmt: skip
            config.commit({"maxclients": possible})
        self._apply(name for name in self._appliers if name != "user")

    def change(self, pairs: Iterable[tuple[str, str]], *, local: bool) -> None:
        """CONFIG SET: all of it, or nothing.

        :param local: the client is on this host
        :raises OptionError: Redis's error line
        """
        config = self._server.config
        values = config.check(pairs, local=local)
        self._change(values)
        texts = {name: config.show(name) for name in values}
        self.tell_supervisor(self._server.modules.texts_to_keep(texts))

    def tell_supervisor(self, texts: dict[str, str]) -> None:
        """Have changed options kept for a front-end that has to be restarted."""
        self._on_config(texts)

    def add_applier(self, option: str, applier: Callable[[], None]) -> None:
        """Call a function when an option has got another value; it may raise an OptionError."""
        self._appliers[option] = applier

    def remove_applier(self, option: str) -> None:
        """Do so no longer."""
        del self._appliers[option]

    def reload(self, texts: Mapping[str, str]) -> None:
        """Take over options that the supervisor has read anew; what cannot be is logged."""
        for name, text in texts.items():
            try:
                self._change(self._server.config.parse({name: text}))
            except OptionError as error:
                _log.warning("option not taken over: %s", error)

    def _change(self, values: Mapping[str, Any]) -> None:
        config = self._server.config
        before = {name: config.value(name) for name in values}
        config.commit(values)
        try:
            self._apply(values)
        except OptionError:
            config.commit(before)
            self._apply(before)
            raise

    def _apply(self, names: Iterable[str]) -> None:
        for applier in dict.fromkeys(map(self._appliers.get, names)):
            if applier is not None:
                applier()

    def _apply_plain(self) -> None:
        config = self._server.config
        self.busy_reply_ms = config.integer("busy-reply-threshold")
        self.databases = config.integer("databases")
        self.keepalive_s = config.integer("tcp-keepalive")
        self.protected_mode = config.boolean("protected-mode")
        self.timeout_s = config.integer("timeout")
        self.tracks_latency = config.boolean("latency-tracking")

    def _apply_slow(self) -> None:
        server, config = self._server, self._server.config
        self.slower_than_us = config.integer("slowlog-log-slower-than")
        server.latency.threshold_ms = config.integer("latency-monitor-threshold")
        server.slowlog.most = config.integer("slowlog-max-len")
        server.frontend.slow_ns = slow_limit_ns(self.slower_than_us, server.latency.threshold_ms)

    def _apply_tracking(self) -> None:
        tracking = self._server.tracking
        tracking.max_keys = self._server.config.integer("tracking-table-max-keys")
        tracking.shrink_soon()

    def _apply_password(self) -> None:
        self._server.access.set_default_password(self._server.config.text("requirepass"))

    def _apply_acl(self) -> None:
        config, access = self._server.config, self._server.access
        access.all_channels = config.text("acl-pubsub-default") == "allchannels"
        access.log.limit(config.integer("acllog-max-len"))

    def apply_users(self) -> None:
        """Have the users that the configuration tells of.

        :raises OptionError: a rule of theirs cannot be applied
        """
        try:
            self._server.access.declare_users(self._server.config.value("user"))
        except ConfigurationError as error:
            raise OptionError("user", str(error)) from error

    def reread_certificates(self) -> None:
        """Use what the files of the tls-* options hold now; what is wrong is logged."""
        try:
            self._apply_tls()
        except OptionError as error:
            _log.warning("the certificates stay as they were: %s", error.reason)

    def _apply_tls(self) -> None:
        """For connections that are made from now on."""
        server = self._server
        if not server.config.integer("tls-port"):
            return
        try:
            server.tls_context = make_tls_context(server.config)
        except ConfigurationError as error:
            _log.warning("%s", error)
            raise OptionError(
                "tls-cert-file", "Unable to update TLS configuration. Check server logs."
            ) from error

    def _descriptors_each(self) -> int:
        """How many a client may take: one over TLS has a relay's socket pair, too."""
        return 3 if self._server.config.integer("tls-port") else 1

    def _apply_max_clients(self) -> None:
        wanted = self._server.config.integer("maxclients")
        possible = _descriptors_for(wanted, self._descriptors_each())
        if possible < wanted:
            raise OptionError(
                "maxclients",
                "The operating system is not able to handle the specified number of clients, "
                f"try with {possible}",
            )
        self.max_clients = wanted

    def _apply_output_limits(self) -> None:
        limits = self._server.config.value("client-output-buffer-limit")
        for number, limit in enumerate(limits):
            self._server.frontend.set_output_limit(number, *limit)

    def _apply_query_limit(self) -> None:
        limit = self._server.config.integer("client-query-buffer-limit")
        self._server.frontend.query_limit_bytes = limit

    def _apply_notifications(self) -> None:
        server = self._server
        try:
            server.notifications.configure(server.config.text("notify-keyspace-events"))
        except ShmcacheError as error:
            raise OptionError("notify-keyspace-events", str(error)) from error
        server.go_slow("key misses", server.notifications.tells_misses)

    def _apply_bulk_limit(self) -> None:
        limit = self._server.config.integer("proto-max-bulk-len")
        self._server.frontend.request_limits.bulk_bytes = limit
        for client in self._server.clients.values():
            client.max_bulk_bytes = limit

    def _apply_log_level(self) -> None:
        _log.setLevel(_LOG_LEVELS[self._server.config.text("loglevel")])

    def _apply_arena(self) -> None:
        server = self._server
        try:
            check_limit(server.arena, server.config.integer("maxmemory"))
        except ConfigurationError as error:
            raise OptionError("maxmemory", str(error)) from error
        configure_arena(server.arena, server.config)
