"""What Rootly is asked, and how its pages follow each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from opsnest.catalogue import Entry
from opsnest.json_values import is_list, is_object, look_up
from opsnest.reading import Ask
from opsnest.rows import to_utc
from restarrow.paging import Continuation, DecodedPage, Plan, SinglePagePlan, Slice
from restarrow.types import Page, Request

__all__ = ["MEDIA_TYPE", "RootlyDialect"]

MEDIA_TYPE: Final = "application/vnd.api+json"
_HEADERS: Final = {"Accept": MEDIA_TYPE, "Content-Type": MEDIA_TYPE}
_DONE: Final = Continuation(done=True)
#: Slices that begin before this, or end behind that, are open there.
_FIRST_YEAR: Final = 2001
_LAST_YEAR: Final = 8000

Row = dict[str, Any]


class RootlyDialect:
    """Writes requests as Rootly's OpenAPI file of 2026-07 has them."""

    def plan(self, entry: Entry, ask: Ask) -> Plan:
        """Return the plan that leads through the pages of a list."""
        params: dict[str, Any] = {}
        if entry.paging != "none":
            params["page[size]"] = ask.size or entry.page_size
        if ask.since and entry.filter:
            params[entry.filter] = ask.since
        if ask.sort:
            params["sort"] = ask.sort
        if ask.include:
            params["include"] = ask.include
        if ask.between and entry.slice_filter:
            params |= _between(entry.slice_filter, ask.between)
        if ask.window:
            params |= {"from": _text(ask.window.start), "to": _text(ask.window.end)}
        request = Request("GET", entry.path.format(**ask.ids), params, headers=_HEADERS)
        match entry.paging:
            case "cursor":
                return _Cursor(request)
            case "number":
                return _Numbered(request)
            case _:
                return SinglePagePlan(request)

    def rows(self, entry: Entry, payload: Any) -> list[Row]:
        """Return the rows in an answer."""
        data = look_up(payload, entry.holds[0])
        return data if is_list(data) else []

    def ids(self, entry: Entry, parent: Row) -> Iterator[Mapping[str, str]]:
        """Yield the id of a parent, by the name that the path has for it."""
        yield {str(entry.parent_key): str(parent["id"])}

    def children(self, entry: Entry, page: DecodedPage) -> Iterator[tuple[Row, list[Row]]]:
        """Yield each row of a page, with the included rows that its relationship names."""
        included = look_up(page.payload, "included")
        by_key: dict[tuple[object, object], Row] = {
            (row.get("type"), row.get("id")): row
            for row in (included if is_list(included) else [])
            if is_object(row)
        }
        for row in page.rows:
            data: object = look_up(row, f"relationships.{entry.include}.data")
            links = data if is_list(data) else [data]
            found = [
                by_key.get((link.get("type"), link.get("id"))) for link in links if is_object(link)
            ]
            yield row, [child for child in found if child is not None]


class _Cursor:
    """Passes on `meta.next_cursor`, which alone tells whether there is more."""

    def __init__(self, request: Request) -> None:
        self._request = request

    def first(self) -> Request:
        return self._request

    def after(self, page: Page, payload: Any, rows: Sequence[Any]) -> Continuation:
        cursor = look_up(payload, "meta.next_cursor")
        if not cursor or not rows:
            return _DONE
        return Continuation((_with(page.request, {"page[after]": cursor}),))


class _Numbered:
    """Counts pages until none is named as the next, one is empty, or one comes again.

    Counts cannot be trusted for that: `total_count` may be that of the unfiltered list, and some
    lists tell nothing at all.
    """

    def __init__(self, request: Request, number: int = 1, last: bytes = b"") -> None:
        self._request = request
        self._number = number
        self._last = last

    def first(self) -> Request:
        return self._numbered(1)

    def after(self, page: Page, payload: Any, rows: Sequence[Any]) -> Continuation:
        meta = look_up(payload, "meta")
        told = is_object(meta) and "next_page" in meta
        if not rows or (told and meta["next_page"] is None) or page.body == self._last:
            return _DONE
        following = _Numbered(self._request, self._number + 1, page.body)
        return Continuation((self._numbered(self._number + 1),), plan=following)

    def _numbered(self, number: int) -> Request:
        return _with(self._request, {"page[number]": number})


def _between(name: str, part: Slice) -> dict[str, str]:
    bounds: dict[str, str] = {}
    if part.start.year >= _FIRST_YEAR:
        bounds[f"{name}[gte]"] = _text(part.start)
    if part.end.year <= _LAST_YEAR:
        bounds[f"{name}[lt]"] = _text(part.end)
    return bounds


def _with(request: Request, params: Mapping[str, Any]) -> Request:
    return replace(request, params={**request.params, **params})


def _text(moment: datetime) -> str:
    return to_utc(moment.isoformat())
