"""Lua scripts: the interpreter, what scripts see, and function libraries. Knows no server."""

from __future__ import annotations

__all__: list[str] = []
