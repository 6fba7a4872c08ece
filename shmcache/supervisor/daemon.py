"""The supervisor's loop: signals, children, messages, heartbeats.

One thread and one selector. It does no work for clients: whatever happens to it, workers read on,
and whatever happens to its children, it starts them again.
"""

from __future__ import annotations

import os
import selectors
import signal
import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from shmcache.arena import BEAT_FRONTEND, BEAT_MAINTENANCE, BEAT_SUPERVISOR
from shmcache.arena.tuning import configure_arena
from shmcache.config.table import OPTIONS, Change
from shmcache.errors import ConfigurationError, ShmcacheError
from shmcache.server.exitcodes import EXIT_BAD_START, EXIT_SHUTDOWN
from shmcache.supervisor.adoption import limit_to_arena
from shmcache.supervisor.children import (
    HANDLED_SIGNALS,
    Backoff,
    Child,
    ChildSpec,
    describe_status,
)
from shmcache.supervisor.lean import resume_garbage_collection
from shmcache.supervisor.maintenance import run_maintenance

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from shmcache.arena import Arena
    from shmcache.config import Config
    from shmcache.supervisor.listeners import Listeners
    from shmcache.supervisor.log import Log
    from shmcache.supervisor.notify import Notifier

__all__ = ["Daemon", "Hooks"]

_BEAT_SECONDS: Final = 1.0
_HUNG_SECONDS: Final = 60.0
"""A child whose heartbeat stands still for so long is killed and started again."""
_MAX_FAILED_STARTS: Final = 5
"""A front-end that never came up is given up after so many attempts."""


class Hooks(NamedTuple):
    """What the daemon asks of whoever made it."""

    reread: Callable[[], Config]
    """Reads the configuration again, for SIGHUP."""
    serve: Callable[[list[str]], int]
    """The front-end's main function."""
    forget: Callable[[], None]
    """Closes, in a child, the maker's files."""
    on_ready: Callable[[], None]
    """Called when clients can be served for the first time."""


class _Post:
    """One child's place: who fills it now, and when to fill it again."""

    def __init__(self, spec: ChildSpec, beat: int) -> None:
        self.spec = spec
        self.beat = beat
        self.child: Child | None = None
        self.backoff = Backoff()
        self.start_at: float | None = 0.0
        self.ever_ready = False
        self.last_beat = (0, 0)
        self.beat_changed = 0.0


class Daemon:
    """Keeps a front-end and a maintenance process running on an arena."""

    def __init__(
        self,
        *,
        config: Config,
        arena: Arena,
        listeners: Listeners,
        log: Log,
        notifier: Notifier,
        hooks: Hooks,
    ) -> None:
        """Prepare; :meth:`run` does it."""
        self._config = config
        self._arena = arena
        self._listeners = listeners
        self._log = log
        self._notifier = notifier
        self._hooks = hooks
        self._selector = selectors.DefaultSelector()
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._users_read = config.value("user")
        self._status: int | None = None
        self._kill_at: float | None = None
        self._next_beat = 0.0
        self._next_watchdog = 0.0
        self._posts = [
            _Post(
                ChildSpec("front-end", "shmcached-serve", self._run_frontend, self._greeting),
                BEAT_FRONTEND,
            ),
            _Post(
                ChildSpec("maintenance", "shmcached-maint", self._run_maintenance), BEAT_MAINTENANCE
            ),
        ]

    def run(self) -> int:
        """Run until told to stop.

        :return: the exit status
        """
        resume_garbage_collection()
        for number in HANDLED_SIGNALS:
            signal.signal(number, _ignore)
        signal.set_wakeup_fd(self._wake_write)
        self._selector.register(self._wake_read, selectors.EVENT_READ, None)
        try:
            while self._status is None or any(post.child for post in self._posts):
                self._do_what_is_due()
                for key, _ in self._selector.select(self._seconds_to_wait()):
                    if key.data is None:
                        self._read_signals()
                    else:
                        self._read_messages(key.data)
        finally:
            signal.set_wakeup_fd(-1)
            self._kill_children()
        return self._status

    # timers

    def _do_what_is_due(self) -> None:
        now = time.monotonic()
        for post in self._posts:
            if self._status is None and post.start_at is not None and now >= post.start_at:
                self._start(post)
        if now >= self._next_beat:
            self._next_beat = now + _BEAT_SECONDS
            self._beat(now)
        interval = self._notifier.watchdog_seconds
        if interval is not None and now >= self._next_watchdog:
            self._next_watchdog = now + interval / 2
            self._notifier.watchdog()
        if self._kill_at is not None and now >= self._kill_at:
            self._kill_at = None
            self._log.warning("A child did not end in time: killing it")
            self._signal_children(signal.SIGKILL)

    def _seconds_to_wait(self) -> float:
        due = [self._next_beat]
        if self._notifier.watchdog_seconds is not None:
            due.append(self._next_watchdog)
        if self._kill_at is not None:
            due.append(self._kill_at)
        if self._status is None:
            due.extend(post.start_at for post in self._posts if post.start_at is not None)
        return max(min(due) - time.monotonic(), 0.0)

    def _beat(self, now: float) -> None:
        self._arena.beat(BEAT_SUPERVISOR)
        for post in self._posts:
            if post.child is None:
                continue
            beat = self._arena.get_beat(post.beat)
            if beat != post.last_beat or not post.child.ready:
                post.last_beat = beat
                post.beat_changed = now
            elif now - post.beat_changed > _HUNG_SECONDS and self._status is None:
                post.beat_changed = now
                self._log.warning(
                    f"The {post.spec.title} has shown no life for {_HUNG_SECONDS:.0f} s: killing it"
                )
                post.child.signal(signal.SIGKILL)

    # children

    def _start(self, post: _Post) -> None:
        post.start_at = None
        try:
            post.child = Child(post.spec, self._log, self._forget)
        except OSError as error:
            delay = post.backoff.after(0.0)
            post.start_at = time.monotonic() + max(delay, Backoff.first_seconds)
            self._log.warning(f"Can't start the {post.spec.title}: {error.strerror}")
            return
        post.beat_changed = post.child.started
        self._selector.register(post.child.control, selectors.EVENT_READ, post)
        self._log.verbose(f"Started the {post.spec.title}, pid {post.child.pid}")

    def _run_frontend(self, control: socket.socket) -> int:
        arguments = ["--name", self._config.text("name"), "--control-fd", str(control.fileno())]
        for listener in self._listeners.sockets:
            arguments += ["--listen-fd", str(listener.fileno())]
        for listener in self._listeners.tls_sockets:
            arguments += ["--tls-fd", str(listener.fileno())]
        return self._hooks.serve(arguments)

    def _run_maintenance(self, control: socket.socket) -> int:
        return run_maintenance(self._arena, self._config, self._log, control)

    def _greeting(self) -> dict[str, Any]:
        return {"options": self._config.texts(), "config_file": self._config.path}

    def _forget(self) -> None:
        """In a child: close what is the supervisor's alone."""
        self._selector.close()
        os.close(self._wake_read)
        os.close(self._wake_write)
        for post in self._posts:
            if post.child is not None:
                post.child.close()
        self._listeners.forget_lock()
        self._hooks.forget()

    def _read_messages(self, post: _Post) -> None:
        if post.child is None:
            return
        try:
            messages = post.child.receive()
        except EOFError:
            self._selector.unregister(post.child.control)
            return  # SIGCHLD tells the rest
        for message in messages:
            if message.get("event") == "ready":
                self._child_is_ready(post)
            elif message.get("event") == "config":
                self._take_options(post, message.get("options", {}))
            elif message.get("event") == "latency":
                self._tell_frontend({**message, "command": "latency"})
            elif message.get("event") == "users":
                self._take_users(message.get("changes", {}))

    def _child_is_ready(self, post: _Post) -> None:
        assert post.child is not None
        post.child.ready = True
        first = not post.ever_ready
        post.ever_ready = True
        if post.beat == BEAT_FRONTEND:
            if first:
                self._log.notice(f"Ready to accept connections: {self._where()}")
                self._hooks.on_ready()
            self._notifier.ready(self._summary())

    def _take_options(self, sender: _Post, texts: dict[str, str]) -> None:
        """Remember what CONFIG SET changed, and pass it on to the other children."""
        try:
            self._config.commit(self._config.parse(texts))
        except (ConfigurationError, KeyError) as error:
            self._log.warning(f"The {sender.spec.title} sent options that mean nothing: {error}")
            return
        self._log.level = self._config.text("loglevel")
        self._push({name: self._config.show(name) for name in texts}, but=sender)

    def _take_users(self, changes: dict[str, list[str] | None]) -> None:
        """Remember users that were changed, for a front-end that has to be started again."""
        users = {words[0]: words for words in self._config.value("user")}
        for name, words in changes.items():
            if words is None:
                users.pop(name, None)
            else:
                users[name] = tuple(words)
        self._config.commit({"user": tuple(users.values())})

    def _push(self, options: dict[str, str], *, but: _Post | None = None) -> None:
        for post in self._posts:
            if post is but or post.child is None:
                continue
            if not post.child.send({"command": "reload", "options": options}):
                self._log.warning(f"The {post.spec.title} does not listen: starting another")
                post.child.signal(signal.SIGKILL)

    def _tell_frontend(self, message: dict[str, Any]) -> None:
        for post in self._posts:
            if post.beat == BEAT_FRONTEND and post.child is not None and post.child.ready:
                post.child.send(message)

    def _reap(self) -> None:
        for post in self._posts:
            status = None if post.child is None else post.child.poll()
            if post.child is not None and status is not None:
                if post.child.control in self._selector.get_map():
                    self._read_messages(post)  # what it said last counts
                child, post.child = post.child, None
                if child.control in self._selector.get_map():
                    self._selector.unregister(child.control)
                child.close()
                self._ended(post, child, status)

    def _ended(self, post: _Post, child: Child, status: int) -> None:
        what = f"The {post.spec.title} (pid {child.pid}) {describe_status(status)}"
        if self._status is not None:
            self._log.verbose(what)
            return
        self._recover_slots()
        code = os.waitstatus_to_exitcode(status)
        if post.beat == BEAT_FRONTEND and code == EXIT_SHUTDOWN:
            self._log.warning("A client asked for the shutdown")
            self._stop(0)
            return
        delay = post.backoff.after(time.monotonic() - child.started)
        hopeless = code == EXIT_BAD_START or post.backoff.failures >= _MAX_FAILED_STARTS
        if hopeless and not post.ever_ready:
            self._log.warning(f"{what} at start: giving up")
            self._stop(1)
            return
        self._log.warning(f"{what}; starting another in {delay:.1f} s")
        if post.backoff.failures > 1:
            self._notifier.status(f"The {post.spec.title} keeps ending; see the log")
        post.start_at = time.monotonic() + delay

    def _recover_slots(self) -> None:
        try:
            recovered = self._arena.sweep_slots()
        except ShmcacheError as error:
            self._log.warning(f"Can't sweep writer slots now: {error}")
            return
        if recovered:
            self._log.notice(f"Recovered the slots of {recovered} dead writers")

    def _signal_children(self, number: int) -> None:
        for post in self._posts:
            if post.child is not None:
                post.child.signal(number)

    def _kill_children(self) -> None:
        """Leave nobody behind, also when the loop ended with an exception."""
        self._signal_children(signal.SIGKILL)
        for post in self._posts:
            if post.child is not None:
                os.waitpid(post.child.pid, 0)
                post.child = None

    # signals

    def _read_signals(self) -> None:
        try:
            numbers = set(os.read(self._wake_read, 4096))
        except BlockingIOError:
            return
        if signal.SIGCHLD in numbers:
            self._reap()
        for number in (signal.SIGTERM, signal.SIGINT):
            if number in numbers:
                self._asked_to_stop(number)
        if signal.SIGHUP in numbers and self._status is None:
            self._reload()

    def _asked_to_stop(self, number: signal.Signals) -> None:
        if self._status is not None:
            self._log.warning(f"Received {number.name} again: killing the children")
            self._signal_children(signal.SIGKILL)
            return
        self._log.warning(f"Received {number.name}: shutting down")
        self._stop(0)

    def _stop(self, status: int) -> None:
        self._status = status
        self._notifier.stopping()
        self._kill_at = time.monotonic() + self._config.integer("shutdown-timeout")
        self._signal_children(signal.SIGTERM)

    def _reload(self) -> None:
        self._log.warning("Received SIGHUP: reading the configuration again")
        self._notifier.reloading()
        try:
            changed = self._apply(self._hooks.reread())
        except ConfigurationError as error:
            self._log.warning(f"The configuration stays as it was: {error}")
            self._notifier.ready(f"Configuration not read: {error}")
            return
        self._log.notice(f"Configuration read, options changed: {', '.join(changed) or 'none'}")
        self._notifier.ready(self._summary())

    def _apply(self, fresh: Config) -> list[str]:
        """Take over what may change while running; return the names."""
        differences = self._config.differences(fresh)
        for name in [n for n in differences if OPTIONS[n].change is Change.RESTART]:
            del differences[name]
            self._log.warning(f"A change of '{name}' needs a restart")
        # Users who were changed while running stay, unless somebody has changed those in the files.
        if fresh.value("user") == self._users_read:
            differences.pop("user", None)
        self._users_read = fresh.value("user")
        self._config.commit(self._config.parse(differences))
        limit_to_arena(self._config, self._arena, self._log)
        configure_arena(self._arena, self._config)
        self._log.level = self._config.text("loglevel")
        self._push(differences)  # none at all is news, too: the log may have been rotated
        return sorted(differences)

    def _where(self) -> str:
        return ", ".join(self._listeners.describe())

    def _summary(self) -> str:
        return f"Serving cache '{self._config.text('name')}' on {self._where()}"


def _ignore(_number: int, _frame: object) -> None:
    """The wake-up pipe tells the loop; a handler has to exist for that."""
