"""What answers say about whether there is more. Pure."""

from __future__ import annotations

from typing import Any

from restarrow.errors import PagingError
from restarrow.paging.paths import Finder, first_at
from restarrow.types import Page

_YES = frozenset({"yes", "true", "t", "y", "1"})
_NO = frozenset({"no", "false", "f", "n", "0"})


def read_more(find: Finder | None, payload: Any, page: Page) -> bool:
    """Return what the page says about whether more pages follow; True if it is not asked.

    Raises:
        PagingError: it says nothing, or neither yes nor no.
    """
    if find is None:
        return True
    more = first_at(find, payload)
    if isinstance(more, bool):
        return more
    if isinstance(more, str) and more.lower() in _YES | _NO:
        return more.lower() in _YES
    what = "is missing" if more is None else f"is {_shown(more)}, neither true nor false"
    msg = f"the value at has_more_path {what}"
    raise PagingError(msg, path=page.request.path.partition("?")[0], page=page.number)


def read_total(find: Finder, payload: Any, page: Page) -> int:
    """Return the total that the page tells.

    Raises:
        PagingError: it tells none, or no number.
    """
    total = first_at(find, payload)
    if total is None:
        msg = "the value at total_path is missing; set total_path to None, or to where the total is"
        raise PagingError(msg, path=page.request.path.partition("?")[0], page=page.number)
    try:
        return int(total)
    except (TypeError, ValueError, OverflowError):
        msg = f"the value at total_path is {_shown(total)}, no whole number"
        raise PagingError(msg, path=page.request.path.partition("?")[0], page=page.number) from None


def _shown(value: Any) -> str:
    """Show a value without quoting an answer at length."""
    if isinstance(value, str | int | float):
        return repr(value)[:40]
    return f"of type {type(value).__name__}"
