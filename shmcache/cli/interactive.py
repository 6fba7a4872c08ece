"""Lines from a person at a terminal: history, completion, hints. Uses prompt_toolkit, since the
standard library's readline cannot show a hint behind the cursor.
"""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Final

from prompt_toolkit import PromptSession
from prompt_toolkit.auto_suggest import AutoSuggest, Suggestion
from prompt_toolkit.completion import Completer, Completion
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings

from shmcache.cli.helping import completions, hint

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prompt_toolkit.buffer import Buffer
    from prompt_toolkit.completion import CompleteEvent
    from prompt_toolkit.document import Document
    from prompt_toolkit.key_binding import KeyPressEvent

    from shmcache.cli.lines import Lines
    from shmcache.cli.session import Session

__all__ = ["converse"]

_HISTORY_VARIABLE: Final = "REDISCLI_HISTFILE"
_HISTORY_NAME: Final = ".shmcachecli_history"
_SECRET: Final = ("auth", "hello", "acl", "config set requirepass", "config set masterauth")


def converse(lines: Lines, session: Session) -> None:
    """Ask for commands until the person has had enough."""
    # A prompt that is told to end by SIGTERM must put the terminal right first.
    signal.signal(signal.SIGTERM, _terminated)
    prompts: PromptSession[str] = PromptSession(
        history=_history(),
        completer=_Completer(),
        complete_while_typing=False,
        auto_suggest=_Hints(lines),
        key_bindings=_bindings(),
        enable_history_search=True,
    )
    while True:
        try:
            line = prompts.prompt(lambda: _prompt(session))
        except KeyboardInterrupt:
            if not prompts.default_buffer.text:
                return
            continue
        except EOFError:
            return
        try:
            if not lines.run(line.encode(errors="surrogateescape")):
                return
        except KeyboardInterrupt:
            # What was under way may still answer: that answer belongs to nobody.
            session.connection.close()


def _prompt(session: Session) -> FormattedText:
    connection = session.connection
    if not connection.is_open:
        return FormattedText([("", "not connected> ")])
    text = connection.target.prompt
    if connection.db:
        text += f"[{connection.db}]"
    if connection.is_queueing:
        text += "(TX)"
    return FormattedText([("", text + "> ")])


class _QuietHistory(FileHistory):
    """Keeps secrets out of the file, and puts up with a file that cannot be written."""

    def store_string(self, string: str) -> None:
        if not string.strip().lower().startswith(_SECRET):
            with contextlib.suppress(OSError):
                super().store_string(string)

    def load_history_strings(self) -> Iterable[str]:
        with contextlib.suppress(OSError):
            return list(super().load_history_strings())
        return []


def _history() -> History:
    """The file of earlier sessions' lines, which only its owner may read; /dev/null means none."""
    path = os.environ.get(_HISTORY_VARIABLE) or str(Path.home() / _HISTORY_NAME)
    if path == os.devnull:
        return InMemoryHistory()
    with contextlib.suppress(OSError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    return _QuietHistory(path)


class _Completer(Completer):
    def get_completions(
        self, document: Document, complete_event: CompleteEvent
    ) -> Iterable[Completion]:
        del complete_event
        before = document.text_before_cursor
        for line in completions(before) if before else ():
            yield Completion(line, start_position=-len(before))


class _Hints(AutoSuggest):
    """The arguments still to come, in grey; they are shown and never taken into the line."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines

    def get_suggestion(self, buffer: Buffer, document: Document) -> Suggestion | None:
        del buffer
        text = document.text
        left = hint(text.split()) if self._lines.hints else ""
        if not left:
            return None
        return Suggestion(left if text.endswith(" ") else f" {left}")


def _bindings() -> KeyBindings:
    """Take the keys away that would put a hint into the line."""
    bindings = KeyBindings()

    @bindings.add("right", eager=True)
    @bindings.add("c-f", eager=True)
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.cursor_right()

    @bindings.add("end", eager=True)
    @bindings.add("c-e", eager=True)
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.cursor_right(len(event.current_buffer.text))

    return bindings


def _terminated(_number: int, _frame: object) -> None:
    raise EOFError
