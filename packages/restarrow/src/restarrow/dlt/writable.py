"""Rows that dlt cannot write, refused in words before it fails without any.

dlt writes the rows that are left to it with orjson, which knows neither integers of more than 64
bits, nor half a surrogate pair, nor more than about 250 levels; it says neither where nor what to
do. Whether rows can be written is asked of dlt's own encoder.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from dlt.common import json

from restarrow.errors import DepthError, NormaliseError
from restarrow.nesting import DEEP, depth_of

__all__ = ["refuse_unwritable"]

_LEAST: Final = -(2**63)
_MOST: Final = 2**64 - 1


def refuse_unwritable(rows: list[Any], table: str) -> None:
    """Refuse rows that dlt cannot write.

    Raises:
        DepthError: a row is nested too deeply.
        NormaliseError: a value is one that dlt has no way to write.
    """
    if _can_be_written(rows):
        return
    depth = max(map(depth_of, rows))
    if depth > DEEP:
        raise DepthError(depth, table=table)
    for place, what in _odd(rows):
        msg = f"{place}: {what}, which dlt cannot write: leave it out, or make it a text, in a map"
        raise NormaliseError(msg, table=table)
    # of a kind that is not known: dlt itself tells


def _can_be_written(rows: list[Any]) -> bool:
    try:
        json.typed_dumpb(rows)
    except (TypeError, ValueError, RecursionError):
        return False
    return True


def _odd(rows: list[Any]) -> Iterator[tuple[str, str]]:
    """Yield what cannot be written, and at which keys."""
    stack: list[tuple[str, Any]] = [("", row) for row in reversed(rows)]
    while stack:
        place, value = stack.pop()
        if isinstance(value, dict):
            found: dict[Any, Any] = value  # pyright: ignore[reportUnknownVariableType]
            stack += ((f"{place}.{key}".lstrip("."), found[key]) for key in reversed(found))
        elif isinstance(value, list):
            items: list[Any] = value  # pyright: ignore[reportUnknownVariableType]
            stack += ((place, item) for item in reversed(items))
        elif type(value) is int and not _LEAST <= value <= _MOST:
            yield place, f"an integer has {value.bit_length()} bits"
        elif isinstance(value, str) and not _is_whole(value):
            yield place, "a text holds half a surrogate pair"


def _is_whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
