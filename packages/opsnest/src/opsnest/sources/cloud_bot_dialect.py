"""What a Control Room is asked, and how its pages follow each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from opsnest.catalogue import Entry
from opsnest.json_values import is_list, is_object, look_up
from opsnest.reading import Ask
from opsnest.rows import to_utc
from restarrow.paging import Continuation, DecodedPage, Plan, SinglePagePlan
from restarrow.types import Page, Request

__all__ = ["CloudBotDialect", "KeysetPlan", "OffsetPlan", "PageNumberPlan"]

_DONE: Final = Continuation(done=True)
#: `YYYY-MM-DDTHH:MM:SS`, as Bot Insight's documentation writes times.
_TO_THE_SECOND: Final = 19
#: What a list of a parent answers when the parent is gone.
_GONE: Final[frozenset[int]] = frozenset({404})
#: What Bot Insight answers to a page number that it does not have.
_NO_SUCH_PAGE: Final[frozenset[int]] = frozenset({400})

Row = dict[str, Any]


class CloudBotDialect:
    """Writes requests as the OpenAPI files of Automation 360 have them."""

    def plan(self, entry: Entry, ask: Ask) -> Plan:
        """Return the plan that leads through the pages of a list."""
        request = Request(
            entry.method, entry.path.format(**ask.ids), accept=_GONE if ask.ids else frozenset()
        )
        length = ask.size or entry.page_size
        if entry.method == "GET":
            if entry.paging == "none":
                return SinglePagePlan(request)
            params: dict[str, Any] = {"limit": length}
            if ask.since and entry.filter:
                params[entry.filter] = ask.since[:_TO_THE_SECOND]
            return PageNumberPlan(replace(request, params=params))
        if entry.paging == "none":
            return SinglePagePlan(_with(request, filter=_any_of("id", list(ask.ids.values()))))
        if ask.values:
            where = _any_of(str(entry.under_way_by), ask.values)
            return OffsetPlan(_with(request, filter=where, sort=_sort()), length)
        if entry.paging == "keyset" and ask.sort and entry.filter:
            return KeysetPlan(
                _with(request, sort=_sort(ask.sort)),
                entry.filter,
                since=ask.since,
                length=length,
                within=_within(entry, ask),
            )
        return OffsetPlan(_with(request, sort=_sort()), length)

    def rows(self, entry: Entry, payload: Any) -> list[Row]:
        """Return the rows in an answer; device pools have them in `page` at times."""
        name = entry.holds[0]
        if entry.method == "GET" and entry.paging == "none":
            return [payload] if is_object(payload) else []
        for path in (name, f"page.{name}"):
            rows = look_up(payload, path)
            if is_list(rows):
                return rows
        return []

    def ids(self, entry: Entry, parent: Row) -> Iterator[Mapping[str, str]]:
        """Yield the id of a parent, by the name that the path has for it."""
        yield {str(entry.parent_key): str(parent["id"])}

    def children(self, entry: Entry, page: DecodedPage) -> Iterator[tuple[Row, list[Row]]]:
        """Yield nothing: no list of a Control Room brings those of another along."""
        del entry, page
        return iter(())


@dataclass(frozen=True, slots=True)
class OffsetPlan:
    """Pages by offset, and advances by the rows that came, not by those that were asked for.

    Ends with an empty page, or when the offset has reached a total above zero: some servers send 0
    there while they send rows, and all cap pages below what is asked for, if it is enough.

    Attributes:
        request: the request, without a page.
        length: rows to ask for.
        offset: where it stands.
    """

    request: Request
    length: int
    offset: int = 0

    def first(self) -> Request:
        """Return the request of the first page."""
        return _page(self.request, self.offset, self.length)

    def after(self, page: Page, payload: Any, rows: Sequence[Any]) -> Continuation:
        """Go on behind the rows that came."""
        del page
        offset = self.offset + len(rows)
        if not rows or _reached(payload, offset):
            return _DONE
        following = replace(self, offset=offset)
        return Continuation((following.first(),), plan=following)


_Identity = tuple[object, object]


@dataclass(frozen=True, slots=True)
class KeysetPlan:
    """Pages by the value of the last row: each request filters for rows from there on.

    For lists that are sorted by a time which moves when a row changes. With an offset, a row that
    moves to the end would let its successor slip through between two pages; here it is just read
    again. Rows that share the last value come twice and are merged; if they fill a whole page, the
    offset steps over those that were seen, bar the last: where another row is in its place, rows
    have moved away, and the reader goes back to the first that share it. So it does where a page of
    a single row was stepped over and rows come that were not seen: others may be before them.

    Attributes:
        request: the request, without a filter and a page.
        by: the field to filter by; the list is sorted by it, ascending.
        since: the value to begin with; "" for all rows.
        length: rows to ask for.
        within: what else is filtered for.
        offset: where it stands among the rows from `since` on.
        top: the row that should be the first of the page, as it was the last of the page before.
        seen: the rows that were seen since `since` was reached.
    """

    request: Request
    by: str
    since: str = ""
    length: int = 1000
    within: tuple[dict[str, str], ...] = ()
    offset: int = 0
    top: _Identity | None = None
    seen: frozenset[_Identity] = field(default_factory=frozenset[_Identity])

    def first(self) -> Request:
        """Return the request of the first page."""
        request = self.request
        leaves = [*self.within, *([_leaf("ge", self.by, self.since)] if self.since else ())]
        if leaves:
            request = _with(request, filter=_joined("and", leaves))
        return _page(request, self.offset, self.length)

    def after(self, page: Page, payload: Any, rows: Sequence[Any]) -> Continuation:
        """Move on to the last value; end when a page brings nothing new."""
        del page
        if not rows and self.top is None:
            return _DONE
        here = [(row.get("id"), row.get(self.by)) for row in rows]
        seen = [identity in self.seen for identity in here]
        last = str(rows[-1].get(self.by) or self.since) if rows else self.since
        known = self.seen.union(here)
        # a page of a single row cannot begin with one that was seen
        unproven = self.top is None and self.offset > 0
        if (unproven and not all(seen)) or (self.top is not None and self.top not in here[:1]):
            following = replace(self, offset=0, top=None, seen=known)
        elif all(seen) and _reached(payload, self.offset + len(rows)):
            # a page full of rows already seen says nothing about those behind it
            return _DONE
        elif (all(seen) and not unproven) or last == self.since:
            top = here[-1] if len(rows) > 1 else None
            offset = self.offset + len(rows) - (top is not None)
            following = replace(self, offset=offset, top=top, seen=known)
        else:
            following = replace(
                self, since=last, offset=0, top=None, seen=frozenset[_Identity](here)
            )
        # going back asks the same again, of a list that has moved
        return Continuation((following.first(),), plan=following, repeats=True)


@dataclass(frozen=True, slots=True)
class PageNumberPlan:
    """Counts pages until one is empty, or one comes again.

    The documentation of Bot Insight counts from 0, its example from 1: a page 0 that is refused is
    one that there is not. Its total may be that of the answer, and is not looked at.

    Attributes:
        request: the request, without a page number.
        number: the page.
        last: the page before.
    """

    request: Request
    number: int = 0
    last: bytes = b""

    def first(self) -> Request:
        """Return the request of the first page."""
        params = {**self.request.params, "pageno": self.number}
        accept = _NO_SUCH_PAGE if self.number == 0 else frozenset[int]()
        return replace(self.request, params=params, accept=accept)

    def after(self, page: Page, payload: Any, rows: Sequence[Any]) -> Continuation:
        """Go on with the next number."""
        del payload
        refused = page.status in _NO_SUCH_PAGE
        if not refused and (not rows or page.body == self.last):
            return _DONE
        following = replace(self, number=self.number + 1, last=page.body)
        return Continuation((following.first(),), plan=following)


def _reached(payload: Any, offset: int) -> bool:
    total: object = look_up(payload, "page.totalFilter")
    return isinstance(total, int) and 0 < total <= offset


def _leaf(operator: str, name: str, value: str) -> dict[str, str]:
    return {"operator": operator, "field": name, "value": value}


def _any_of(name: str, values: Sequence[str]) -> dict[str, Any]:
    return _joined("or", [_leaf("eq", name, value) for value in values])


def _joined(operator: str, leaves: Sequence[dict[str, str]]) -> dict[str, Any]:
    if len(leaves) == 1:
        return dict(leaves[0])
    return {"operator": operator, "operands": list(leaves)}


def _within(entry: Entry, ask: Ask) -> tuple[dict[str, str], ...]:
    """Return what filters for the rows that were made in a span of time."""
    if ask.between is None or entry.slice_filter is None:
        return ()
    ends = (("ge", ask.between.start), ("lt", ask.between.end))
    return tuple(_leaf(how, entry.slice_filter, to_utc(end.isoformat())) for how, end in ends)


def _sort(*fields: str) -> list[dict[str, str]]:
    """Sort by these fields, and by the id, so that pages can be told apart."""
    return [{"field": name, "direction": "asc"} for name in (*fields, "id")]


def _with(request: Request, **members: Any) -> Request:
    return replace(request, json={**(request.json or {}), **members})


def _page(request: Request, offset: int, length: int) -> Request:
    return _with(request, page={"offset": offset, "length": length})
