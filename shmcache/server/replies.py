"""The encoder of everything a handler may answer, out-of-band messages included."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from shmcache.commands.replies import (
    CommandError,
    NullArray,
    SetReply,
    Verbatim,
    as_c_string,
    one_line,
)
from shmcache.protocol import Encoder, write_aggregate, write_error, write_push, write_verbatim

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shmcache.commands.replies import Reply

__all__ = ["ENCODER", "NOTHING", "Encoded", "Pushes", "WrongSubcommandError"]


class Pushes(tuple["tuple[Reply, ...]", ...]):
    """Any number of out-of-band messages instead of a reply. CLIENT REPLY does not silence them."""

    __slots__ = ()


class Encoded(NamedTuple):
    """A reply that was given its form already."""

    data: bytes


class WrongSubcommandError(CommandError):
    """A subcommand's arguments are wrong; the server puts the words as they were sent into it."""

    def line(self, words: Sequence[bytes]) -> CommandError:
        """The error that the client gets."""
        container, subcommand = (one_line(as_c_string(word, 128)) for word in words[:2])
        return CommandError(
            f"ERR unknown subcommand or wrong number of arguments for '{subcommand}'. "
            f"Try {container.upper()} HELP."
        )


NOTHING: Final = Pushes()
"""The answer of a command that answers nothing."""


def _write_error(_encoder: Encoder, reply: CommandError, out: list[bytes], _resp: int) -> None:
    write_error(out, str(reply))


def _write_null_array(_encoder: Encoder, _reply: NullArray, out: list[bytes], resp: int) -> None:
    out.append(b"_\r\n" if resp == 3 else b"*-1\r\n")


def _write_verbatim(_encoder: Encoder, reply: Verbatim, out: list[bytes], resp: int) -> None:
    write_verbatim(out, reply.text, reply.format, resp)


def _write_set(encoder: Encoder, reply: SetReply, out: list[bytes], resp: int) -> None:
    write_aggregate(encoder, reply, out, resp, b"~" if resp == 3 else b"*")


def _write_pushes(encoder: Encoder, reply: Pushes, out: list[bytes], resp: int) -> None:
    for message in reply:
        write_push(encoder, message, out, resp)


def _write_encoded(_encoder: Encoder, reply: Encoded, out: list[bytes], _resp: int) -> None:
    out.append(reply.data)


ENCODER: Final = Encoder(
    {
        CommandError: _write_error,
        Encoded: _write_encoded,
        NullArray: _write_null_array,
        Pushes: _write_pushes,
        SetReply: _write_set,
        Verbatim: _write_verbatim,
    }
)
