"""Client-side caching: who has read which keys, and who is told when they change.

The protocol is Redis's, https://redis.io/docs/latest/develop/reference/client-side-caching/. A
client that tracks is told of a change to a key

* that it has read since it was last told (the default mode), at once, behind the reply to the
  command under way; or
* that begins with one of its prefixes (BCAST), for all the changes of a wake-up together.

Both follow :mod:`shmcache.server.changes`, which says for all doors what was committed. A key is
remembered in the same step of the loop in which it is read, and changes are taken in between steps:
so no change can slip in between, and a client hears of every change that came after what it read.

As in Redis keys are remembered by name, whatever their database, and a client that goes is
forgotten key by key, when the next change of each is told.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from shmcache.commands.keys import keys_of
from shmcache.server.replies import ENCODER, Pushes

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from shmcache.commands.replies import Reply
    from shmcache.commands.spec import Command
    from shmcache.server.changes import Change, Changes
    from shmcache.server.client import Client

__all__ = ["ClientTracking", "Tracking"]

_CHANNEL: Final = b"__redis__:invalidate"
_WHOLE: Final = frozenset(("flushdb", "flushall", "swapdb"))
_CALLERS: Final = frozenset(("eval_ro", "evalsha_ro", "fcall_ro"))
"""Commands that read nothing themselves: what they run does."""
_SHRINK_AT_ONCE: Final = 1000


class ClientTracking:
    """How one client tracks.

    :ivar prefixes: of a client in broadcasting mode
    :ivar redirect: the number of the client that is told instead; 0: this one
    :ivar broken: that one is gone
    :ivar caching: CLIENT CACHING was called for the next command
    """

    __slots__ = (
        "_after_client",
        "broadcasts",
        "broken",
        "caching",
        "no_loop",
        "opt_in",
        "opt_out",
        "prefixes",
        "redirect",
    )

    def __init__(
        self,
        *,
        broadcasts: bool = False,
        opt_in: bool = False,
        opt_out: bool = False,
        no_loop: bool = False,
        redirect: int = 0,
    ) -> None:
        self.broadcasts = broadcasts
        self.opt_in = opt_in
        self.opt_out = opt_out
        self.no_loop = no_loop
        self.redirect = redirect
        self.broken = False
        self.caching = False
        self.prefixes: set[bytes] = set()
        self._after_client = True

    def begin_command(self, name: str, *, queueing: bool) -> None:
        """Note which command comes next: what CLIENT CACHING said is for one only, or one EXEC.

        :param name: in full; empty for an unknown one
        :param queueing: the command before was one between MULTI and EXEC
        """
        if not self._after_client and not queueing:
            self.caching = False
        self._after_client = name.startswith("client|")

    def remembers(self) -> bool:
        """Whether the keys of the command under way are remembered; not of one that broadcasts."""
        return self.caching if self.opt_in else not (self.opt_out and self.caching)

    def flags(self) -> list[str]:
        """Redis's words for the mode, as CLIENT TRACKINGINFO shows them."""
        flags = (
            ("on", True),
            ("bcast", self.broadcasts),
            ("optin", self.opt_in),
            ("caching-yes", self.opt_in and self.caching),
            ("optout", self.opt_out),
            ("caching-no", self.opt_out and self.caching),
            ("noloop", self.no_loop),
            ("broken_redirect", self.broken),
        )
        return [flag for flag, holds in flags if holds]


class _Prefix:
    """Who wants to hear of the keys that begin so, and which changed in this wake-up."""

    def __init__(self) -> None:
        self.clients: dict[Client, None] = {}
        self.changed: dict[bytes, Client | None] = {}
        """By whom, None for others than our clients."""


class _Step:
    """What a command under way, often an EXEC or a script, has read and written by now.

    :ivar client: whose command it is
    :ivar last_read: keys that it has read since it last wrote them
    :ivar late: those of them that its client had not remembered when it wrote them
    """

    def __init__(self, client: Client | None = None) -> None:
        self.client = client
        self._written: set[bytes] = set()
        self.last_read: set[bytes] = set()
        self.late: set[bytes] = set()

    def write(self, key: bytes) -> None:
        self._written.add(key)
        self.last_read.discard(key)
        self.late.discard(key)

    def read(self, key: bytes, *, remembered: bool) -> None:
        self.last_read.add(key)
        if key in self._written and not remembered:
            self.late.add(key)


class Tracking:
    """What the clients of one front-end have read or listen for.

    :param loop: for what is sent at the end of a wake-up
    :param changes: where changes are told; it is listened to while somebody tracks
    :param clients: by number
    :param current: whose command is being run, None between commands
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        changes: Changes,
        clients: Mapping[int, Client],
        current: Callable[[], Client | None],
    ) -> None:
        self._loop = loop
        self._changes = changes
        self._clients = clients
        self._current = current
        self._tracking: dict[Client, None] = {}
        self._readers: OrderedDict[bytes, int | set[int]] = OrderedDict()
        self._prefixes: dict[bytes, _Prefix] = {}
        self._step = _Step()
        self._own: list[Sequence[bytes] | None] = []
        self._told_all = False
        self._scheduled = False
        self._shrinking = False
        self.items = 0
        """How many clients are remembered for all keys together."""
        self.max_keys = 0
        """tracking-table-max-keys; 0: any number."""

    # ---- figures

    @property
    def clients(self) -> int:
        """How many clients track."""
        return len(self._tracking)

    @property
    def keys(self) -> int:
        """How many keys are remembered."""
        return len(self._readers)

    @property
    def prefixes(self) -> int:
        """How many prefixes are listened for."""
        return len(self._prefixes)

    # ---- who tracks

    def turn_on(self, client: Client, mode: ClientTracking, prefixes: Iterable[bytes]) -> None:
        """Let a client track, or track in another way.

        :raises ShmcacheError: changes cannot be followed now; nothing has changed
        """
        if not self._tracking:
            self._changes.listen(
                self._on_change, on_lost=self._on_lost, on_drained=self._end_changes
            )
        old = client.tracking
        if old is not None:
            mode.caching = old.caching
            mode.prefixes = old.prefixes
        client.tracking = mode
        self._step = _Step(client)
        self._tracking[client] = None
        if mode.broadcasts:
            for prefix in prefixes or (b"",):
                self._prefixes.setdefault(prefix, _Prefix()).clients[client] = None
                mode.prefixes.add(prefix)
        client.apply()

    def turn_off(self, client: Client) -> None:
        """Let a client track no longer; one that does not is no error."""
        mode, client.tracking = client.tracking, None
        if mode is None:
            return
        for name in mode.prefixes:
            prefix = self._prefixes[name]
            del prefix.clients[client]
            if not prefix.clients:
                del self._prefixes[name]
        del self._tracking[client]
        if not self._tracking:
            self._changes.ignore(self._on_change)
            self._readers.clear()
            self.items = 0
        if not client.connection.closed:
            client.apply()

    # ---- what is read

    def begin_command(self, client: Client, name: str) -> None:
        """Note that a client that tracks begins a command, named in full."""
        assert client.tracking is not None
        client.tracking.begin_command(name, queueing=client.queue is not None)
        self._step = _Step(client)

    def note(self, client: Client, command: Command, words: Sequence[bytes]) -> None:
        """Remember what a client has read with a command, be it one in a script or in EXEC."""
        mode, flags = client.tracking, command.flags
        if mode is None or mode.broadcasts:
            return
        # somebody who was blocked may be served in the middle of another one's command
        step = self._step if self._step.client is client else _Step()
        if "write" in flags:
            if command.name in _WHOLE:
                step.last_read.clear()
            for use in keys_of(command, words):
                step.write(use.key)
        if (
            not mode.remembers()
            or "readonly" not in flags
            or "pubsub" in flags
            or command.name in _CALLERS
        ):
            return
        for use in keys_of(command, words):
            known = self._has_read(use.key, client.number)
            step.read(use.key, remembered=known)
            if not known:
                self._remember(use.key, client.number)
        if self.max_keys and len(self._readers) > self.max_keys:
            self.shrink_soon()

    def _remember(self, key: bytes, number: int) -> None:
        """Remember a reader that is not remembered yet."""
        readers = self._readers.get(key)
        if readers is None:
            self._readers[key] = number
        elif isinstance(readers, set):
            readers.add(number)
        else:
            self._readers[key] = {readers, number}
        self.items += 1

    def _has_read(self, key: bytes, number: int) -> bool:
        readers = self._readers.get(key)
        return number in readers if isinstance(readers, set) else number == readers

    def _end_changes(self) -> None:
        """Tell who made the changes, behind all others, and remember what he read after them."""
        self._told_all = False
        own, self._own = self._own, []
        client = self._current()
        if client is None or client.tracking is None:
            return
        for keys in own:
            self._send(client, keys)
        if self._step.client is not client:
            return
        # what an EXEC or a script has read after it wrote it was forgotten with the write
        for key in self._step.last_read:
            if not self._has_read(key, client.number):
                self._remember(key, client.number)

    def _forget(self, key: bytes) -> Iterable[int]:
        """Return who has read a key, and forget it."""
        readers = self._readers.pop(key, None)
        if readers is None:
            return ()
        numbers = readers if isinstance(readers, set) else (readers,)
        self.items -= len(numbers)
        return numbers

    # ---- what has changed

    def _on_change(self, change: Change) -> None:
        if change.is_whole:
            if not (change.event == "swapdb" and self._told_all):  # one for each database
                self._on_lost()
            return
        self._told_all = False
        culprit = self._current() if change.local else None
        for name, prefix in self._prefixes.items():
            if change.key.startswith(name):
                prefix.changed.setdefault(change.key, culprit)
                self._broadcast_soon()
        self._invalidate(change.key, culprit)

    def _invalidate(self, key: bytes, culprit: Client | None) -> None:
        """Tell those who have read a key."""
        for number in self._forget(key):
            client = self._clients.get(number)
            mode = client.tracking if client is not None else None
            if client is None or mode is None or mode.broadcasts:
                continue
            if client is culprit and (mode.no_loop or self._is_late(client, key)):
                continue
            self._tell(client, [key])

    def _is_late(self, client: Client, key: bytes) -> bool:
        """Whether a client has read a key only behind its own change of it, in one command."""
        return self._step.client is client and key in self._step.late

    def _on_lost(self) -> None:
        """Any key may have changed: tell everybody to forget all."""
        self._readers.clear()
        self.items = 0
        self._told_all = True
        for client in self._tracking:
            self._tell(client, None)

    def _tell(self, client: Client, keys: Sequence[bytes] | None) -> None:
        """Send a message for a change: now, or to whose command made it after all others."""
        if client is self._current():
            self._own.append(keys)
        else:
            self._send(client, keys)

    def _broadcast_soon(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._broadcast)

    def _broadcast(self) -> None:
        """Tell of what changed in this wake-up by prefixes."""
        self._scheduled = False
        for _, prefix in sorted(self._prefixes.items()):
            changed, prefix.changed = prefix.changed, {}
            for client in prefix.clients:
                mode = client.tracking
                assert mode is not None
                keys = sorted(
                    key
                    for key, culprit in changed.items()
                    if not (mode.no_loop and culprit is client)
                )
                if keys:
                    self._send(client, keys)

    def _send(self, client: Client, keys: Sequence[bytes] | None) -> None:
        """Send a client, or whom it redirects to, a message; None: forget all keys."""
        mode = client.tracking
        assert mode is not None
        receiver = client
        if mode.redirect:
            redirected = self._clients.get(mode.redirect)
            if redirected is None:
                mode.broken = True
                if client.resp == 3:
                    _push(client, (b"tracking-redir-broken", mode.redirect))
                return
            receiver = redirected
        if receiver.resp == 3:
            _push(receiver, (b"invalidate", keys))
        elif mode.redirect and receiver.subscriptions:
            _push(receiver, (b"message", _CHANNEL, keys))

    # ---- how much is remembered

    def shrink_soon(self) -> None:
        """Remember no more than tracking-table-max-keys allows, once this wake-up is over."""
        if not self._shrinking:
            self._shrinking = True
            self._loop.call_soon(self._shrink)

    def _shrink(self) -> None:
        """Forget the keys that were remembered first, some at a time."""
        self._shrinking = False
        for _ in range(_SHRINK_AT_ONCE):
            if not self.max_keys or len(self._readers) <= self.max_keys:
                return
            self._invalidate(next(iter(self._readers)), None)
        self.shrink_soon()


def _push(client: Client, message: tuple[Reply, ...]) -> None:
    client.connection.write(ENCODER.encode(Pushes((message,)), client.resp))
