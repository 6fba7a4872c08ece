"""The client: a :class:`redis.Redis` that does in this process what needs no daemon."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, cast

import redis

from shmcache.client._inprocess import InProcess, install
from shmcache.client.codec import Codec
from shmcache.client.inline import InlineCommands
from shmcache.client.pipeline import InlinePipeline
from shmcache.client.plumbing import (
    WatchedCallbacks,
    attachment_for,
    is_select,
    read_shm_url,
    require_socket,
    score_pair,
    select_reply,
    wire_protocol,
)
from shmcache.client.pubsub import InlinePubSub
from shmcache.client.replies import exception_for, translated_errors
from shmcache.commands.replies import error_for
from shmcache.errors import ArenaBusy, ShmcacheError

if TYPE_CHECKING:
    from redis.client import PubSub

    from shmcache.client.attachment import Attachment
    from shmcache.client.replies import Answer

__all__ = ["Client", "attach"]


def attach(
    target: str = "default", *, db: int = 0, writable: bool = False, **options: Any
) -> Client:
    """Return a client of a cache on this machine.

    Reads happen in this process; so do writes if ``writable``. All else goes through the daemon's
    socket, in redis-py's own way.

    :param target: a cache's name; or, with a slash in it, the path of its daemon's socket; or a
        URL: ``shm://NAME?db=1&writable=yes``
    :param db: the logical database, 0 to 15
    :param writable: map the arena for writing; the segments' mode must allow it
    :param options: whatever :class:`redis.Redis` takes but the address: ``decode_responses``,
        ``encoding``, ``protocol``, ``username``, ``password``, ``socket_timeout``, ``retry`` ...
    :raises CacheNotFound: no such cache, or nobody answers at the socket
    :raises ReadOnly: ``writable`` and the segments' mode forbids it
    :raises LayoutMismatch: the segments are no arena, or of an incompatible version
    :raises ConfigurationError: no cache can be called ``target``
    """
    url = read_shm_url(target)
    if url is not None:
        options |= url.options
        target, writable, db = url.name, writable or url.writable, options.pop("db", db)
    attachment = attachment_for(target, writable, options)
    return Client(attachment=attachment, db=db, **options)


class Client(InProcess, redis.Redis):
    """A :class:`redis.Redis` with a cache's arena at hand. Made by :func:`attach`.

    Safe in threads; survives fork, the daemon's death and its return. Without an attachment it is
    a plain :class:`redis.Redis` and takes the same arguments.
    """

    _attachment: Attachment | None = None
    _inline: InlineCommands | None = None

    def __init__(self, *args: Any, attachment: Attachment | None = None, **options: Any) -> None:
        if attachment is not None and "connection_pool" not in options:
            options["unix_socket_path"] = attachment.likely_socket_path
        super().__init__(*args, **options)
        self.response_callbacks = WatchedCallbacks(self.response_callbacks, self)
        self._attachment = attachment
        if attachment is not None:
            codec = self._codec = Codec(self.connection_pool)
            self._bind_codec(codec.encoding, codec.encoding_errors, codec.decode_responses)
            protocol = wire_protocol(self.connection_pool.connection_kwargs)
            self._bind_score_pair(score_pair(self.response_callbacks, protocol))
            self._bind(int(self.connection_pool.connection_kwargs.get("db") or 0))

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        install(cls)

    @classmethod
    def from_url(cls, url: str, **options: Any) -> Self:
        """Return a client for ``shm://NAME?db=1&writable=yes``, or for any URL of redis-py's.

        The query takes what :meth:`redis.Redis.from_url` takes there; where the query and an
        argument differ, the query wins.
        """
        parts = read_shm_url(url)
        if parts is None:
            return cast("Self", super().from_url(url, **options))
        writable = bool(options.pop("writable", False)) or parts.writable
        options |= parts.options
        return cls(attachment=attachment_for(parts.name, writable, options), **options)

    @property
    def writable(self) -> bool:
        """Whether writes happen in this process."""
        arena = self._attachment.arena if self._attachment is not None else None
        return arena is not None and arena.writable

    def client(self) -> Self:
        """Return a client with one connection of its own, on the same cache."""
        return type(self)(
            attachment=self._attachment,
            connection_pool=self.connection_pool,
            single_connection_client=True,
        )

    def pipeline(self, transaction: bool = True, shard_hint: Any = None) -> InlinePipeline:
        """Return an object that queues commands and runs them together.

        Commands that can all run in this process do, with ``transaction`` as one atomic step.
        """
        return InlinePipeline(
            self._current_inline(),
            self.connection_pool,
            self.response_callbacks,
            transaction,
            shard_hint,
        )

    def pubsub(self, **options: Any) -> PubSub:
        """Return an object to subscribe with, whose messages come through shared memory."""
        inline = self._current_inline()
        if inline is None or inline.attachment.arena is None:
            return self._plain_pubsub(**options)
        options.setdefault("event_dispatcher", self._event_dispatcher)
        protocol = wire_protocol(self.connection_pool.connection_kwargs)
        return InlinePubSub(inline.attachment, protocol, self.connection_pool, **options)

    def execute_command(self, *args: Any, **options: Any) -> Any:
        """Run a command in this process if that can be, else through the socket."""
        inline = self._current_inline()
        if inline is None:
            return self._remotely(*args, **options)
        if is_select(args[0]):
            return self._select(inline, args, options)
        answer = inline.answer(args)
        if answer is not None:
            return self._parse(answer, args[0], **options)
        return self._through_socket(inline, args, options)

    def _plain_pubsub(self, **options: Any) -> PubSub:
        parent: Any = super()
        found: PubSub = parent.pubsub(**options)
        return found

    execute_command._routes_in_process = True  # type: ignore[attr-defined]

    def _remotely(self, *args: Any, **options: Any) -> Any:
        parent: Any = super()  # redis-py gives these methods no types
        return parent.execute_command(*args, **options)

    def _parse(self, answer: Answer, command: Any, **options: Any) -> Any:
        untyped: Any = self
        return untyped.parse_response(answer, command, **options)

    def _through_socket(
        self, inline: InlineCommands, args: tuple[Any, ...], options: dict[str, Any]
    ) -> Any:
        require_socket(inline.attachment, args)
        with translated_errors():
            return self._remotely(*args, **options)

    def _select(
        self, inline: InlineCommands, args: tuple[Any, ...], options: dict[str, Any]
    ) -> Any:
        """Change the database of what runs here and of what travels."""
        words = inline.codec.words(args)
        response = self._parse(inline.wrap(select_reply(words)), args[0], **options)
        db = int(words[1])
        if self.connection is not None:
            self._remotely(*args, **options)
            self.connection.db = db
        else:
            self._remake_pool(db=db)
        self._bind(db)
        return response

    def _remake_pool(self, **options: Any) -> None:
        """Let connections made from now on have other options."""
        self.connection_pool.connection_kwargs.update(options)
        self.connection_pool.disconnect(inuse_connections=False)
        self.connection_pool.reset()

    # ---- the arena, and what _inprocess asks for -------------------------------------------------

    def _bind(self, db: int) -> None:
        attachment = self._attachment
        assert attachment is not None
        self._inline = InlineCommands(
            attachment,
            db=db,
            codec=self._codec,
            protocol=wire_protocol(self.connection_pool.connection_kwargs),
        )
        self._bind_arena(attachment.arena, db)

    def _current_inline(self) -> InlineCommands | None:
        if self._attachment is not None and self._attachment.is_due:
            self._look_after_arena()
        return self._inline

    def _look_after_arena(self) -> None:
        attachment, inline = self._attachment, self._inline
        if attachment is None or inline is None:
            return
        attachment.look_after()
        self._bind(inline.db)
        path = attachment.likely_socket_path
        if self.connection_pool.connection_kwargs.get("path", path) != path:
            self._remake_pool(path=path)

    def _without_arena(self, method: str, args: tuple[Any, ...], names: dict[str, Any]) -> Any:
        assert self._attachment is not None
        if not self._attachment.socket_path:
            raise ArenaBusy("the key stayed locked, and there is no daemon to ask")
        plain = redis.Redis(connection_pool=self.connection_pool)
        plain.response_callbacks = self.response_callbacks
        with translated_errors():
            return getattr(plain, method)(*args, **names)

    def _translate(self, error: ShmcacheError) -> Exception:
        return exception_for(error_for(error))


install(Client)
