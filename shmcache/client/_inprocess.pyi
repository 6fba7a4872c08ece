"""The client's hottest commands, natively. See ``_inprocess.pyx``."""

from typing import Any

from shmcache.arena import Arena
from shmcache.errors import ShmcacheError

NATIVE_METHODS: tuple[str, ...]
"""The names of the methods that :func:`install` gives a class."""

class InProcess:
    """What the native methods need to know of a client. A base class of :class:`Client` alone."""

    def _bind_arena(self, arena: Arena | None, db: int) -> None:
        """Use ``arena`` (None: none) and logical database ``db`` from now on."""

    def _bind_codec(self, encoding: str, encoding_errors: str, decode_responses: bool) -> None:
        """Use redis-py's three settings of that name from now on."""

    def _bind_score_pair(self, score_pair: type | None) -> None:
        """Give members and scores in this type, list or tuple; None: let redis-py make them."""

    def _divert(self) -> None:
        """Let redis-py's methods run every command from now on."""

    # What a client overrides:

    def _look_after_arena(self) -> None:
        """Called about once a second while the client is in use; may bind another arena."""

    def _without_arena(self, method: str, args: tuple[Any, ...], names: dict[str, Any]) -> Any:
        """Call redis-py's ``method`` through the socket: a key stayed locked."""

    def _translate(self, error: ShmcacheError) -> Exception:
        """The exception that a user should see for one of the engine's."""

def install(owner: type) -> None:
    """Give ``owner``, a subclass of InProcess and redis.Redis, the native methods.

    A method that it or one of its bases overrides stays overridden. Where ``execute_command`` is
    overridden by one without a true ``_routes_in_process`` attribute (tracing, say), redis-py's own
    methods come back, so that it sees every command.
    """
