"""The asyncio counterpart of :func:`shmcache.attach`.

>>> import shmcache.asyncio
>>> cache = shmcache.asyncio.attach()
>>> await cache.get("user:1")

What happens in this process is done when the coroutine first runs: awaiting it never suspends, so
no other task gets a turn and the event loop is not touched. All else goes through the daemon's
socket as :mod:`redis.asyncio` does it.
"""

from __future__ import annotations

import functools
import weakref
from typing import TYPE_CHECKING, Any, Self, cast

import redis
import redis.asyncio
from redis.asyncio.client import Pipeline

from shmcache.client._inprocess import NATIVE_METHODS
from shmcache.client.async_pubsub import AsyncInlinePubSub
from shmcache.client.batch import run_batch
from shmcache.client.codec import Codec
from shmcache.client.direct import REFUSED, Direct
from shmcache.client.inline import InlineCommands
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
from shmcache.client.replies import AsyncAnswer, translated_errors

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from redis.asyncio.client import PubSub

    from shmcache.client.attachment import Attachment

__all__ = ["AsyncClient", "AsyncInlinePipeline", "attach"]


def attach(
    target: str = "default", *, db: int = 0, writable: bool = False, **options: Any
) -> AsyncClient:
    """Return an asyncio client of a cache on this machine.

    Takes and raises what :func:`shmcache.attach` does, ``options`` being those of
    :class:`redis.asyncio.Redis`. Attaching itself makes a few system calls, and by socket asks the
    daemon, without the event loop.
    """
    url = read_shm_url(target)
    if url is not None:
        options |= url.options
        target, writable, db = url.name, writable or url.writable, options.pop("db", db)
    attachment = attachment_for(target, writable, _synchronous(options))
    return AsyncClient(attachment=attachment, db=db, **options)


def _synchronous(options: dict[str, Any]) -> dict[str, Any]:
    """The options without an asyncio retry policy, which a blocking question cannot use."""
    return {name: value for name, value in options.items() if name != "retry"}


class AsyncClient(redis.asyncio.Redis):
    """A :class:`redis.asyncio.Redis` with a cache's arena at hand. Made by :func:`attach`."""

    _attachment: Attachment | None = None
    _inline: InlineCommands | None = None

    def __init__(self, *, attachment: Attachment | None = None, **options: Any) -> None:
        if attachment is not None and "connection_pool" not in options:
            options["unix_socket_path"] = attachment.likely_socket_path
        super().__init__(**options)
        self._attachment = attachment
        self._direct = Direct(weakref.WeakMethod(self._look_after_arena))
        if type(self).execute_command is not AsyncClient.execute_command:
            self._direct._divert()  # a subclass wants to see every command
        if attachment is not None:
            self.response_callbacks = WatchedCallbacks(
                cast("dict[str, Any]", self.response_callbacks), self._direct
            )
            codec = self._codec = Codec(self.connection_pool)
            self._direct._bind_codec(codec.encoding, codec.encoding_errors, codec.decode_responses)
            protocol = wire_protocol(self.connection_pool.connection_kwargs)
            self._direct._bind_score_pair(score_pair(self.response_callbacks, protocol))
            self._bind(int(self.connection_pool.connection_kwargs.get("db") or 0))

    @classmethod
    def from_url(cls, url: str, **options: Any) -> Self:  # type: ignore[override]
        """Return a client for ``shm://NAME?db=1&writable=yes``, or for any URL of redis-py's."""
        parts = read_shm_url(url)
        if parts is None:
            return cast("Self", super().from_url(url, **options))
        writable = bool(options.pop("writable", False)) or parts.writable
        options |= parts.options
        attachment = attachment_for(parts.name, writable, _synchronous(options))
        return cls(attachment=attachment, **options)

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

    def pipeline(self, transaction: bool = True, shard_hint: Any = None) -> AsyncInlinePipeline:
        """Return an object that queues commands and runs them together."""
        return AsyncInlinePipeline(
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
            return super().pubsub(**options)
        options.setdefault("event_dispatcher", self._event_dispatcher)
        protocol = wire_protocol(self.connection_pool.connection_kwargs)
        return AsyncInlinePubSub(inline.attachment, protocol, self.connection_pool, **options)

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """Run a command in this process if that can be, else through the socket."""
        inline = self._current_inline()
        if inline is None:
            return await self._remotely(*args, **options)
        if is_select(args[0]):
            return await self._select(inline, args, options)
        answer = inline.answer(args, AsyncAnswer)
        if answer is not None:
            return await self.parse_response(cast("Any", answer), args[0], **options)
        require_socket(inline.attachment, args)
        with translated_errors():
            return await self._remotely(*args, **options)

    async def _remotely(self, *args: Any, **options: Any) -> Any:
        parent: Any = super()  # redis-py gives this method no types
        return await parent.execute_command(*args, **options)

    async def _select(
        self, inline: InlineCommands, args: tuple[Any, ...], options: dict[str, Any]
    ) -> Any:
        """Change the database of what runs here and of what travels."""
        words = inline.codec.words(args)
        answer = inline.wrap(select_reply(words), AsyncAnswer)
        response = await self.parse_response(cast("Any", answer), args[0], **options)
        db = int(words[1])
        if self.connection is not None:
            await self._remotely(*args, **options)
            self.connection.db = db
        else:
            self.connection_pool.connection_kwargs["db"] = db
            await self.connection_pool.disconnect(inuse_connections=False)
            self.connection_pool.reset()
        self._bind(db)
        return response

    def _bind(self, db: int) -> None:
        assert self._attachment is not None
        self._inline = InlineCommands(
            self._attachment,
            db=db,
            codec=self._codec,
            protocol=wire_protocol(self.connection_pool.connection_kwargs),
        )
        self._direct._bind_arena(self._attachment.arena, db)

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
            self.connection_pool.connection_kwargs["path"] = path
            self.connection_pool.reset()


def _native_method(name: str) -> Any:
    redis_method = getattr(redis.asyncio.Redis, name)

    @functools.wraps(redis_method)
    async def method(self: AsyncClient, *args: Any, **names: Any) -> Any:
        answer = getattr(self._direct, name)(*args, **names)
        return await redis_method(self, *args, **names) if answer is REFUSED else answer

    return method


for _name in NATIVE_METHODS:
    if not _name.startswith("__"):
        setattr(AsyncClient, _name, _native_method(_name))


class AsyncInlinePipeline(Pipeline):
    """A :class:`redis.asyncio.client.Pipeline` of which no part need travel.

    When every command can run in this process they do: one after the other, or, as a transaction,
    as one atomic step. When one cannot, all go through the socket, so that they keep their order.
    """

    def __init__(
        self,
        inline: InlineCommands | None,
        connection_pool: redis.asyncio.ConnectionPool,
        response_callbacks: MutableMapping[Any, Any],
        transaction: bool,
        shard_hint: str | None,
    ) -> None:
        super().__init__(connection_pool, response_callbacks, transaction, shard_hint)
        self._inline = inline

    async def execute(self, raise_on_error: bool = True) -> list[Any]:
        """Run the queued commands and return their responses."""
        if self._inline is None or not self.command_stack or self.watching or self.scripts:
            return await super().execute(raise_on_error)
        try:
            atomic = bool(self.is_transaction or self.explicit_transaction)
            answers = run_batch(self._inline, cast("Any", self), AsyncAnswer, atomic=atomic)
            if answers is not None:
                return await self._responses(cast("list[AsyncAnswer]", answers), raise_on_error)
            require_socket(self._inline.attachment, self.command_stack[0][0])
        except BaseException:
            await self._forget()
            raise
        return await super().execute(raise_on_error)

    async def _forget(self) -> None:
        untyped: Any = self
        await untyped.reset()

    async def _responses(self, answers: list[AsyncAnswer], raise_on_error: bool) -> list[Any]:
        responses: list[Any] = []
        for answer, (args, options) in zip(answers, self.command_stack, strict=True):
            try:
                responses.append(await self.parse_response(cast("Any", answer), args[0], **options))
            except redis.ResponseError as error:
                responses.append(error)
        stack = self.command_stack
        await self._forget()
        if raise_on_error:
            self.raise_first_error(stack, responses)
        return responses

    async def parse_response(self, connection: Any, command_name: Any, **options: Any) -> Any:
        """Parse one response; a failure that this package has a class for comes as that."""
        with translated_errors():
            return await super().parse_response(connection, command_name, **options)
