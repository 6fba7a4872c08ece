"""redis-py's pipeline, run in this process where that can be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import redis
from redis.client import Pipeline

from shmcache.client.batch import run_batch
from shmcache.client.plumbing import require_socket
from shmcache.client.replies import Answer, translated_errors

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from shmcache.client.inline import InlineCommands

__all__ = ["InlinePipeline"]


class InlinePipeline(Pipeline):
    """A :class:`redis.client.Pipeline` of which no part need travel.

    When every command can run in this process they do: one after the other, or, as a transaction,
    as one atomic step. When one cannot, all go through the socket, so that they keep their order.
    """

    def __init__(
        self,
        inline: InlineCommands | None,
        connection_pool: redis.ConnectionPool,
        response_callbacks: MutableMapping[str, Any],
        transaction: bool,
        shard_hint: Any,
    ) -> None:
        super().__init__(connection_pool, response_callbacks, transaction, shard_hint)
        self._inline = inline
        self._is_transaction = transaction

    def execute(self, raise_on_error: bool = True) -> list[Any]:
        """Run the queued commands and return their responses."""
        if self._inline is None or not self.command_stack or self.watching or self.scripts:
            return super().execute(raise_on_error)
        try:
            atomic = bool(self._is_transaction or self.explicit_transaction)
            answers = run_batch(self._inline, self, Answer, atomic=atomic)
            if answers is not None:
                return self._responses(answers, raise_on_error)
            require_socket(self._inline.attachment, self.command_stack[0][0])
        except BaseException:
            self.reset()
            raise
        return super().execute(raise_on_error)

    def _responses(self, answers: list[Answer], raise_on_error: bool) -> list[Any]:
        responses: list[Any] = []
        for answer, (args, options) in zip(answers, self.command_stack, strict=True):
            try:
                responses.append(self.parse_response(answer, args[0], **options))
            except redis.ResponseError as error:
                responses.append(error)
        stack = self.command_stack
        self.reset()
        if raise_on_error:
            untyped: Any = self
            untyped.raise_first_error(stack, responses)
        return responses

    def parse_response(self, connection: Any, command_name: Any, **options: Any) -> Any:
        """Parse one response; a failure that this package has a class for comes as that."""
        parent: Any = super()
        with translated_errors():
            return parent.parse_response(connection, command_name, **options)
