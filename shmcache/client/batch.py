"""A pipeline's commands, run in this process one after the other or as one atomic step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, cast

from shmcache.client.replies import Answer, exception_for
from shmcache.commands.atomic import LockedKeys, SeenKeys, keys_to_lock
from shmcache.commands.replies import CommandError, Reply, error_for
from shmcache.errors import ArenaBusy, ShmcacheError

if TYPE_CHECKING:
    from shmcache.arena import Arena
    from shmcache.client.inline import InlineCommands, Prepared

__all__ = ["run_batch"]


class _Pipeline(Protocol):
    """What redis-py's two pipelines have in common."""

    command_stack: list[tuple[tuple[Any, ...], dict[str, Any]]]

    def annotate_exception(
        self, exception: Exception, number: int, command: tuple[Any, ...]
    ) -> None: ...


def run_batch(
    inline: InlineCommands, pipeline: _Pipeline, kind: type[Answer], *, atomic: bool
) -> list[Answer] | None:
    """Run a pipeline's commands. None: it has to go through the socket as a whole.

    :raises redis.DataError: an argument that redis-py would not send; nothing was run
    :raises redis.ResponseError: an atomic batch has a command wrongly used, or one of several keys
        that failed half-way (no memory); nothing was done
    """
    prepared = [inline.prepare(args) for args, _ in pipeline.command_stack]
    if atomic:
        _refuse_errors(pipeline, prepared)
        replies = _run_atomically(inline, cast("list[Prepared | None]", prepared))
        return None if replies is None else [inline.wrap(reply, kind) for reply in replies]
    if None in prepared:
        return None
    return [
        inline.wrap(command if isinstance(command, CommandError) else inline.run(command), kind)
        for command in prepared
        if command is not None
    ]


def _refuse_errors(pipeline: _Pipeline, prepared: list[Prepared | CommandError | None]) -> None:
    """Do as EXEC does: one command that cannot even be queued, and nothing is run."""
    for index, command in enumerate(prepared):
        if isinstance(command, CommandError):
            error = exception_for(command)
            pipeline.annotate_exception(error, index + 1, pipeline.command_stack[index][0])
            raise error


def _run_atomically(inline: InlineCommands, prepared: list[Prepared | None]) -> list[Reply] | None:
    arena = inline.attachment.arena
    commands = [command for command in prepared if command is not None]
    if arena is None or len(commands) < len(prepared):
        return None
    on_keys = [command for command in commands if not _is_message(command)]
    replies = _run_together(inline, arena, on_keys) if on_keys else []
    if replies is None:
        return None
    rest = iter(replies)  # messages go out when nothing can be taken back any more
    return [inline.run(command) if _is_message(command) else next(rest) for command in commands]


def _run_together(
    inline: InlineCommands, arena: Arena, commands: list[Prepared]
) -> list[Reply] | None:
    keys = keys_to_lock((inline.db, command.entry.command, command.words) for command in commands)
    if arena.writable:
        return _run_locked(inline, arena, commands, keys)
    if all(map(_only_reads_keys, commands)):
        return arena.read(
            keys,
            lambda view: [
                inline.run(command, cast("Arena", SeenKeys(arena, view))) for command in commands
            ],
        )
    return None


def _only_reads_keys(command: Prepared) -> bool:
    """What reads whole databases would have to lock them, to see them at one instant."""
    return "readonly" in command.entry.command.flags and bool(command.entry.command.keys)


def _is_message(command: Prepared) -> bool:
    return "pubsub" in command.entry.command.flags


def _run_locked(
    inline: InlineCommands,
    arena: Arena,
    commands: list[Prepared],
    keys: list[tuple[int, bytes]] | None,
) -> list[Reply] | None:
    try:
        with arena.transaction(keys) as transaction:
            locked = LockedKeys(arena, transaction)
            replies = [inline.run(command, cast("Arena", locked)) for command in commands]
            if locked.failure is not None:  # leaving the block with it rolls everything back
                raise exception_for(_line(locked.failure)) from locked.failure
            return replies
    except ArenaBusy as error:
        if inline.attachment.socket_path:
            return None
        raise exception_for(error_for(error)) from error


def _line(failure: Exception | SystemExit) -> CommandError:
    """:raises Exception: the failure, when it is none that has a line"""
    if isinstance(failure, CommandError):
        return failure
    if isinstance(failure, ShmcacheError):
        return error_for(failure)
    raise failure
