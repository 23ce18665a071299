"""How deep JSON is nested, told without recursion. A leaf."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

__all__ = ["DEEP", "depth_of", "depth_of_json"]

#: Levels up to which rows are taken apart here, by functions that call themselves. Python's own
#: bound (1000 calls) is met by far more of them; deeper rows are left to dlt, which writes them
#: down to about 250 levels.
DEEP: Final = 200

_CONTAINERS = frozenset({dict, list})
#: Texts, whose brackets do not count, and brackets.
_TOKENS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[{]|[\]}]', re.DOTALL)
#: So many bytes of a body are looked at: it is for a message only.
_LOOKED_AT = 8 * 1024 * 1024


def depth_of(value: Any) -> int:
    """Return how many levels of objects and lists a decoded value has; 0 if it is neither."""
    depth = 0
    level: list[Any] = [value] if type(value) in _CONTAINERS else []
    while level:
        depth += 1
        level = [inner for each in level for inner in _values(each) if type(inner) in _CONTAINERS]
    return depth


def _values(container: Any) -> Iterable[Any]:
    return container.values() if isinstance(container, dict) else container  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]


def depth_of_json(body: bytes) -> int:
    """Return how many levels of brackets are open at a time, at most, in the first megabytes."""
    depth = most = 0
    for found in _TOKENS.finditer(body, 0, _LOOKED_AT):
        token = found[0]
        if token in {b"[", b"{"}:
            depth += 1
            most = max(most, depth)
        elif token in {b"]", b"}"}:
            depth -= 1
    return most
