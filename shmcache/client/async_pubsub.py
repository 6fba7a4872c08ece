"""redis-py's asyncio PubSub, listening through shared memory instead of a socket."""

from __future__ import annotations

import asyncio
import functools
import math
import time
from typing import TYPE_CHECKING, Any, Literal

from redis.asyncio.client import PubSub

from shmcache.arena.bus import Watcher
from shmcache.client.pubsub import NOT_SUBSCRIBED, open_mailbox

if TYPE_CHECKING:
    import redis.asyncio

    from shmcache.arena import Arena
    from shmcache.client.attachment import Attachment
    from shmcache.client.mailbox import Mailbox

__all__ = ["AsyncInlinePubSub"]


@functools.lru_cache(maxsize=8)
def _watcher(arena: Arena) -> Watcher:
    """The one thread of this process that sleeps on a cache's bus for all of its loops."""
    return Watcher(arena)


class AsyncInlinePubSub(PubSub):
    """A :class:`redis.asyncio.client.PubSub` whose messages come through the cache's bus.

    See :class:`~shmcache.client.pubsub.InlinePubSub`.
    """

    def __init__(
        self,
        attachment: Attachment,
        protocol: Literal[2, 3],
        connection_pool: redis.asyncio.ConnectionPool,
        **options: Any,
    ) -> None:
        self._attachment = attachment
        self._protocol: Literal[2, 3] = protocol
        self._sleeping: set[asyncio.Future[None]] = set()
        self.connection: Any = None
        super().__init__(connection_pool, **options)

    def __del__(self) -> None:
        self._close_mailbox()

    async def aclose(self) -> None:
        """Listen to nothing any more."""
        self._close_mailbox()
        parent: Any = super()  # redis-py gives this method no types
        await parent.aclose()

    def _close_mailbox(self) -> None:
        mailbox, self.connection = getattr(self, "connection", None), None
        if mailbox is not None:
            mailbox.close()

    async def connect(self) -> None:
        """See that there is a mailbox, on the present arena."""
        attachment, mailbox = self._attachment, self.connection
        if attachment.is_due:
            attachment.look_after()
        if mailbox is None or mailbox.arena is not attachment.arena:
            self.connection = open_mailbox(attachment, self._protocol, self.encoder)
            if mailbox is not None:
                mailbox.close()
                await self.on_connect(self.connection)

    async def execute_command(self, *args: Any) -> None:
        """Subscribe, unsubscribe or ping; the answer comes as a message.

        :raises redis.ResponseError: another command
        """
        await self.connect()
        self.connection.command([bytes(self.encoder.encode(word)) for word in args])
        for future in self._sleeping:
            _finish(future)

    async def parse_response(self, block: bool = True, timeout: float = 0) -> Any:
        """The next reply or message, as a server would have sent it.

        :param timeout: seconds to wait when not ``block``
        :raises MessagesLost: this subscriber was too slow
        """
        if self.connection is None:
            raise RuntimeError(NOT_SUBSCRIBED)
        deadline = math.inf if block or timeout is None else time.monotonic() + timeout
        while True:
            await self.connect()
            reply = self.connection.take()
            if reply is None:
                reply = await self._next(self.connection, deadline - time.monotonic())
            if reply is not None:
                return await self._handled(reply)
            if deadline <= time.monotonic() or self.connection is None:
                return None

    async def _next(self, mailbox: Mailbox, seconds: float) -> Any:
        """What comes within a time; None also when something may have come meanwhile."""
        if seconds <= 0:
            return None
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        self._sleeping.add(future)
        try:
            _watcher(mailbox.arena).wake(lambda: loop.call_soon_threadsafe(_finish, future))
            reply = mailbox.take()  # it may have come before the watcher knew of us
            if reply is None:
                await asyncio.wait((future,), timeout=min(seconds, 1.0))
            return reply
        finally:
            self._sleeping.discard(future)
            future.cancel()

    async def _handled(self, reply: Any) -> Any:
        if self.push_handler_func is not None and self._protocol == 3 and isinstance(reply, list):
            return await self.push_handler_func(reply)
        return reply


def _finish(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
