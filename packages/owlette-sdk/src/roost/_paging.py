"""Lists that come page after page: the token of the next one, and a guard against going round."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, TypeVar

from roost._errors import PagingError

__all__ = ["next_token", "page_query", "walk"]

_T = TypeVar("_T")


def next_token(payload: Any) -> str | None:
    """Return the token of the next page, under any of the names it has; None on the last page."""
    if isinstance(payload, dict):
        for name in ("nextPageToken", "next_page_token", "nextCursor"):
            token: object = payload.get(name)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
            if isinstance(token, str) and token:
                return token
    return None


def page_query(page_size: int | None, page_token: str | None, cursor: str | None) -> dict[str, Any]:
    """Return what a page is asked for with.

    Raises:
        ValueError: there are two tokens, which differ.
    """
    if page_token and cursor and page_token != cursor:
        msg = "page_token and cursor are two names of the same: give one of them"
        raise ValueError(msg)
    return {"page_size": page_size, "page_token": page_token or cursor or None}


async def walk(
    page: Callable[[str | None], Awaitable[tuple[list[_T], str | None]]], first: str | None
) -> AsyncGenerator[_T, None]:
    """Yield the rows of page after page.

    Args:
        page: gives the rows that a token leads to, and the next token.
        first: the token to begin with.

    Raises:
        PagingError: a token comes for the second time. The server begins anew where it does not
            know a token, so the list would never end.
    """
    token, seen = first, {first}
    while True:
        rows, token = await page(token)
        for row in rows:
            yield row
        if token is None:
            return
        if token in seen:
            msg = f"the page token {token!r} came twice, so the list would not end: read it anew"
            raise PagingError(msg)
        seen.add(token)
