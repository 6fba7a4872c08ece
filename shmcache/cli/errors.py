"""What goes wrong in this program, each told in one line."""

from __future__ import annotations

__all__ = ["CliError", "CommandFailed", "Disconnected", "UnreadableReply"]


class CliError(Exception):
    """Ends the program with this line on standard error and status 1."""

    prefix = ""

    @property
    def line(self) -> str:
        """What to tell."""
        return self.prefix + " ".join(str(self).splitlines())


class Disconnected(CliError):
    """The connection broke while a command was under way."""

    prefix = "Error: "


class UnreadableReply(CliError):
    """The server sent what is not RESP."""

    prefix = "Error: "


class CommandFailed(CliError):
    """The server refused a command, and ``-e`` asked to make that the exit status."""
