"""What decoded JSON turns out to be, told in a way that type checkers follow."""

from __future__ import annotations

from typing import Any, TypeGuard

__all__ = ["is_list", "is_object", "look_up"]


def is_object(value: object) -> TypeGuard[dict[str, Any]]:
    """Tell whether this is a JSON object."""
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[list[Any]]:
    """Tell whether this is a JSON array."""
    return isinstance(value, list)


def look_up(data: object, path: str) -> Any:
    """Return what `path` (dotted) points at in decoded JSON, or None."""
    found = data
    for name in path.split("."):
        if not is_object(found):
            return None
        found = found.get(name)
    return found
