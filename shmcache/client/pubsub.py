"""redis-py's PubSub, listening through shared memory instead of a socket."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final, Literal

import redis
from redis.client import PubSub

from shmcache.client.mailbox import Mailbox

if TYPE_CHECKING:
    from shmcache.client.attachment import Attachment

__all__ = ["NOT_SUBSCRIBED", "InlinePubSub", "open_mailbox"]

NOT_SUBSCRIBED: Final = (
    "pubsub connection not set: did you forget to call subscribe() or psubscribe()?"
)


def open_mailbox(attachment: Attachment, protocol: Literal[2, 3], encoder: Any) -> Mailbox:
    """Begin to listen on a cache's bus.

    :raises redis.ConnectionError: the cache's segments are gone
    """
    if attachment.arena is None:
        raise redis.ConnectionError(f"cache {attachment.name!r} is being made anew")
    return Mailbox(attachment.arena, protocol, encoder.decode)


class InlinePubSub(PubSub):
    """A :class:`redis.client.PubSub` whose messages come through the cache's bus.

    It behaves as one with a connection does, its messages are the same, and it needs no daemon. A
    subscriber that falls so far behind that messages are overwritten gets
    :class:`~shmcache.errors.MessagesLost`, a :class:`redis.ConnectionError`, once, and may go on.
    """

    def __init__(
        self,
        attachment: Attachment,
        protocol: Literal[2, 3],
        connection_pool: redis.ConnectionPool,
        **options: Any,
    ) -> None:
        self._attachment = attachment
        self._protocol: Literal[2, 3] = protocol
        self.connection: Any = None
        super().__init__(connection_pool, **options)

    def reset(self) -> None:
        """Listen to nothing any more."""
        mailbox, self.connection = self.connection, None
        if mailbox is not None:
            mailbox.close()
        super().reset()

    def execute_command(self, *args: Any) -> None:
        """Subscribe, unsubscribe or ping; the answer comes as a message.

        :raises redis.ResponseError: another command
        """
        encode: Any = self.encoder.encode  # type: ignore[union-attr]
        self._mailbox(create=True).command([bytes(encode(word)) for word in args])

    def parse_response(self, block: bool = True, timeout: float = 0) -> Any:
        """The next reply or message, as a server would have sent it.

        :param timeout: seconds to wait when not ``block``
        :raises MessagesLost: this subscriber was too slow
        """
        deadline = None if block else time.monotonic() + (timeout or 0)
        while True:
            mailbox = self._mailbox()
            reply = mailbox.take()
            if reply is not None:
                return self._handled(reply)
            left = 1.0 if deadline is None else deadline - time.monotonic()
            if left <= 0:
                return None
            mailbox.wait(left)

    def _handled(self, reply: Any) -> Any:
        if self.push_handler_func is not None and self._protocol == 3 and isinstance(reply, list):
            return self.push_handler_func(reply)  # type: ignore[arg-type]
        return reply

    def _mailbox(self, *, create: bool = False) -> Mailbox:
        """The mailbox on the present arena; when that was replaced everything is subscribed anew,
        as after a lost connection.
        """
        attachment, mailbox = self._attachment, self.connection
        if mailbox is None and not create:
            raise RuntimeError(NOT_SUBSCRIBED)
        if attachment.is_due:
            attachment.look_after()
        if mailbox is None or mailbox.arena is not attachment.arena:
            fresh = open_mailbox(attachment, self._protocol, self.encoder)
            self.connection = fresh
            if mailbox is not None:
                mailbox.close()
                self.on_connect(fresh)
            return fresh
        found: Mailbox = mailbox
        return found
