"""The native methods without a client around them, for one that is no :class:`redis.Redis`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from shmcache.client._inprocess import NATIVE_METHODS, InProcess, install
from shmcache.client.replies import exception_for
from shmcache.commands.replies import error_for

if TYPE_CHECKING:
    import weakref
    from collections.abc import Callable

    from shmcache.errors import ShmcacheError

__all__ = ["REFUSED", "Direct"]

REFUSED: Final = object()
"""What a native method returns that cannot answer: wrong types, options, no arena, a busy key."""


class _Refusing:
    """Where redis-py's methods would be."""

    def execute_command(self, *args: Any, **options: Any) -> Any:  # noqa: ARG002
        return REFUSED

    execute_command._routes_in_process = True  # type: ignore[attr-defined]


def _refuse(self: _Refusing, *args: Any, **names: Any) -> Any:  # noqa: ARG001
    return REFUSED


for _name in NATIVE_METHODS:
    setattr(_Refusing, _name, _refuse)


class Direct(InProcess, _Refusing):
    """Answers a native method's call, or returns :data:`REFUSED`.

    :param look_after_arena: called about once a second while it is in use
    """

    def __init__(self, look_after_arena: weakref.WeakMethod[Callable[[], None]]) -> None:
        self._owner_look = look_after_arena

    def _look_after_arena(self) -> None:
        look = self._owner_look()
        if look is not None:
            look()

    def _without_arena(self, method: str, args: tuple[Any, ...], names: dict[str, Any]) -> Any:  # noqa: ARG002
        return REFUSED

    def _translate(self, error: ShmcacheError) -> Exception:
        return exception_for(error_for(error))


install(Direct)
