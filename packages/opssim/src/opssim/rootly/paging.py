"""Cut a list into pages, by number or by cursor, and say where the others are."""

from __future__ import annotations

import base64
import binascii
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request

from opssim.core.store import JsonObject, Row
from opssim.rootly.answers import RefusedError
from opssim.rootly.filters import Place, Selection
from opssim.rootly.lists import Listing
from opssim.rootly.quirks import RootlyQuirks

_NUMBER, _SIZE, _AFTER = "page[number]", "page[size]", "page[after]"


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list.

    Attributes:
        rows: the rows on it.
        number: which page it is, from 1; None when a cursor asked for it.
        size: the most rows that it could hold.
        matching: how many rows the whole list has.
        more: whether rows follow.
        cursor: what page[after] has to be for the page that follows; None at the end, and on
            lists that know no cursor.
    """

    rows: Sequence[Row]
    number: int | None
    size: int
    matching: int
    more: bool
    cursor: str | None


def cut(
    request: Request, listing: Listing, selection: Selection, rows: list[Row], quirks: RootlyQuirks
) -> Page:
    """Return the page that a request asks for.

    Raises:
        RefusedError: the page is too large, too deep for page[number], or its cursor is no cursor.
    """
    if not listing.paged:
        return Page(rows, 1, len(rows), len(rows), more=False, cursor=None)
    size = _size(request, listing, quirks)
    after = request.query_params.get(_AFTER) if listing.cursor else None
    if after or not listing.numbered:
        start = bisect_right(rows, _place(after, selection), key=selection.place) if after else 0
        number = None
    else:
        number = max(1, _whole(request.query_params.get(_NUMBER), 1))
        if listing.deep_limit and number * size > quirks.deep_offset_limit:
            raise RefusedError(
                400,
                "offset pagination exceeds limit",
                f"page[number] reaches {quirks.deep_offset_limit} rows; go on with page[after]",
            )
        start = (number - 1) * size
    shown = rows[start : start + size]
    more = start + size < len(rows)
    cursor = _cursor(selection, shown[-1]) if listing.cursor and more else None
    return Page(shown, number, size, len(rows), more=more, cursor=cursor)


def meta(page: Page, listing: Listing, quirks: RootlyQuirks, total: int) -> JsonObject:
    """Return the numbers of a page; those of a feed without page numbers are null."""
    if not listing.numbered:
        return {
            "next_cursor": page.cursor,
            "current_page": None,
            "next_page": None,
            "prev_page": None,
            "total_count": None,
            "total_pages": None,
        }
    counted = total if quirks.total_count_unfiltered else page.matching
    number = page.number
    numbers: JsonObject = {
        "next_cursor": page.cursor,
        "current_page": number,
        "next_page": number + 1 if number is not None and page.more else None,
        "prev_page": number - 1 if number is not None and number > 1 else None,
        "total_count": counted,
        "total_pages": _pages(counted, page.size),
    }
    if quirks.omit_total_pages:
        del numbers["total_pages"]
    return numbers


def links(request: Request, page: Page) -> JsonObject:
    """Return the URLs of this page and of those around it, on the host that was asked."""
    if page.number is None:
        return {
            "self": str(request.url),
            "first": _url(request, {_SIZE: page.size}),
            "prev": None,
            "next": _url(request, {_SIZE: page.size, _AFTER: page.cursor}) if page.more else None,
            "last": None,
        }
    last = _pages(page.matching, page.size)

    def numbered(number: int) -> str:
        return _url(request, {_NUMBER: number, _SIZE: page.size})

    return {
        "self": numbered(page.number),
        "first": numbered(1),
        "prev": numbered(page.number - 1) if page.number > 1 else None,
        "next": numbered(page.number + 1) if page.more else None,
        "last": numbered(last),
    }


def _size(request: Request, listing: Listing, quirks: RootlyQuirks) -> int:
    default = min(listing.default_size or quirks.default_page_size, listing.max_size)
    size = _whole(request.query_params.get(_SIZE), default)
    if size <= listing.max_size:
        return size if size > 0 else default
    if quirks.clamp_page_size:
        return listing.max_size
    raise RefusedError(
        400,
        "page size exceeds limit",
        f"page[size] is {size}; this list allows {listing.max_size}",
    )


def _whole(text: str | None, default: int) -> int:
    try:
        return default if text is None else int(text)
    except ValueError:
        return default


def _pages(count: int, size: int) -> int:
    """Return how many pages there are; an empty list has one."""
    return max(1, -(-count // max(1, size)))


def _url(request: Request, page: JsonObject) -> str:
    """Return the URL of another page of the list: the same query but for where to read."""
    kept = [
        (name, value)
        for name, value in request.query_params.multi_items()
        if name not in {_NUMBER, _SIZE, _AFTER}
    ]
    return str(request.url.replace(query=urlencode([*kept, *page.items()])))


def _cursor(selection: Selection, row: Row) -> str:
    """Write down where a row stands, so that rows which come or go before it do not matter."""
    cursor = msgspec.json.encode((selection.sorts, selection.place(row)))
    return base64.urlsafe_b64encode(cursor).decode().rstrip("=")


def _place(cursor: str, selection: Selection) -> Place:
    """Read a cursor.

    Raises:
        RefusedError: it was not made by this server, or for another sort.
    """
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        sorts, place = msgspec.json.decode(
            base64.b64decode(padded, altchars=b"-_", validate=True),
            type=tuple[tuple[str, ...], Place],
        )
    except (binascii.Error, ValueError) as error:
        raise RefusedError(400, "invalid cursor", "page[after] is no meta.next_cursor") from error
    if sorts != selection.sorts:
        raise RefusedError(
            400, "invalid cursor", f"page[after] was given out for sort={','.join(sorts)}"
        )
    return place
