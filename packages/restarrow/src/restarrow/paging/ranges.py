"""Lists that are counted through: by page number, or by offset. No IO.

If the length of the list is known after the first page (`total_path`, or a maximum without
`stop_after_empty_page`), all remaining requests are known at once. If the list ends with an empty
page, or where `has_more_path` says so, pages are fetched on trust: after the n-th page at most n
more. Those beyond the end are wasted and their answers dropped, whatever they are, so that reading
sends at most as many needless requests as the window is wide, and at most as many as it got pages.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from restarrow.errors import ConfigurationError
from restarrow.paging.flags import read_more, read_total
from restarrow.paging.paths import Path, check_body_path, finder, with_body, with_param
from restarrow.paging.plans import DONE, Ahead, Continuation
from restarrow.types import Page, Request


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a number goes in a request."""

    param: str | None
    body_path: str | None

    def put(self, request: Request, value: int) -> Request:
        if self.body_path:
            return with_body(request, self.body_path, value)
        return with_param(request, self.param or "", value)


class PageNumberPlan:
    """Counts pages: page=0, page=1, ...

    Args:
        request: what to ask for, without the page number.
        base_page: the number that the API gives its first page.
        page: the page to begin with; the first one by default.
        page_param: the parameter for the page number, `page` by default.
        total_path: where the number of pages is told.
        maximum_page: the page to end before.
        stop_after_empty_page: whether a page without rows is the last one.
        has_more_path: where it is told whether there is more.
        page_body_path: where in the request's JSON the page number goes, instead of a parameter.

    Raises:
        ConfigurationError: the arguments contradict each other, or the list would never end.
    """

    def __init__(  # noqa: PLR0913 - as dlt has it
        self,
        request: Request,
        base_page: int = 0,
        page: int | None = None,
        page_param: str | None = None,
        total_path: Path | None = "total",
        maximum_page: int | None = None,
        stop_after_empty_page: bool = True,  # noqa: FBT001, FBT002 - as dlt has it
        *,
        has_more_path: Path | None = None,
        page_body_path: str | None = None,
    ) -> None:
        self._request = request
        self._page = _place("page", page_param, page_body_path, request)
        self._begin = base_page if page is None else page
        self._end = _End(base_page, total_path, maximum_page, stop_after_empty_page, has_more_path)

    def first(self) -> Request:
        """Return the request of the first page."""
        return self.request_at(0)

    def request_at(self, number: int) -> Request:
        """Return the request of the page with a number, counted from 0."""
        return self._page.put(self._request, self._begin + number)

    def after(self, page: Page, payload: Any, rows: Sequence[Any]) -> Continuation:
        """Tell the pages that follow.

        Raises:
            PagingError: the page does not tell the total, or whether there is more.
        """
        return self._end.after(
            page, payload, rows, counted=Counted(self._begin, 1, None, self.request_at)
        )


class OffsetPlan:
    """Counts rows: offset=0, offset=100, ...

    Args:
        request: what to ask for, without offset and limit.
        limit: how many rows to ask for at once.
        offset: the row to begin with.
        offset_param: the parameter for the offset, `offset` by default.
        limit_param: the parameter for the limit, `limit` by default.
        total_path: where the number of rows is told.
        maximum_offset: the offset to end before.
        stop_after_empty_page: whether a page without rows is the last one.
        has_more_path: where it is told whether there is more.
        offset_body_path: where in the request's JSON the offset goes, instead of a parameter.
        limit_body_path: where in the request's JSON the limit goes, instead of a parameter.

    Raises:
        ConfigurationError: the arguments contradict each other, or the list would never end.
    """

    def __init__(  # noqa: PLR0913 - as dlt has it
        self,
        request: Request,
        limit: int,
        offset: int = 0,
        offset_param: str | None = None,
        limit_param: str | None = None,
        total_path: Path | None = "total",
        maximum_offset: int | None = None,
        stop_after_empty_page: bool = True,  # noqa: FBT001, FBT002 - as dlt has it
        *,
        has_more_path: Path | None = None,
        offset_body_path: str | None = None,
        limit_body_path: str | None = None,
    ) -> None:
        if limit < 1:
            msg = f"limit must be at least 1, not {limit}: the list would never end"
            raise ConfigurationError(msg)
        offset_place = _place("offset", offset_param, offset_body_path, request)
        limit_place = _place("limit", limit_param, limit_body_path, request)
        if offset_place == limit_place:
            msg = "offset and limit cannot go to the same place"
            raise ConfigurationError(msg)
        self._request = request
        self._offset, self._limit = offset_place, limit_place
        self._begin, self._step = offset, limit
        self._end = _End(0, total_path, maximum_offset, stop_after_empty_page, has_more_path)

    def first(self) -> Request:
        """Return the request of the first page."""
        return self.request_at(0)

    def request_at(self, number: int) -> Request:
        """Return the request of the page with a number, counted from 0."""
        request = self._offset.put(self._request, self._begin + number * self._step)
        return self._limit.put(request, self._step)

    def after(self, page: Page, payload: Any, rows: Sequence[Any]) -> Continuation:
        """Tell the pages that follow.

        Raises:
            PagingError: the page does not tell the total, or whether there is more.
        """
        counted = Counted(self._begin, self._step, self._step, self.request_at)
        return self._end.after(page, payload, rows, counted=counted)


@dataclass(frozen=True, slots=True)
class Counted:
    """How the pages are counted.

    Attributes:
        begin: the value of the first page.
        step: by how much it grows from page to page.
        size: the rows of a full page, if that is known.
        make: writes the request of the page with a number.
    """

    begin: int
    step: int
    size: int | None
    make: Callable[[int], Request]


class _End:
    """Decides where a list that is counted through ends."""

    def __init__(
        self,
        base: int,
        total_path: Path | None,
        maximum: int | None,
        stop_after_empty: bool,  # noqa: FBT001
        has_more_path: Path | None,
    ) -> None:
        if (
            total_path is None
            and maximum is None
            and has_more_path is None
            and not stop_after_empty
        ):
            msg = (
                "the list would never end: set total_path, a maximum, has_more_path "
                "or stop_after_empty_page"
            )
            raise ConfigurationError(msg)
        self._base = base
        self._total = finder(total_path) if total_path else None
        self._maximum = maximum
        self._stop_after_empty = stop_after_empty
        self._has_more = finder(has_more_path) if has_more_path else None

    def after(
        self, page: Page, payload: Any, rows: Sequence[Any], *, counted: Counted
    ) -> Continuation:
        here = counted.begin + page.number * counted.step
        if self._stop_after_empty and not rows:
            return DONE
        total = None if self._total is None else read_total(self._total, payload, page)
        following = here + counted.step
        ends = [] if total is None else [total + self._base]
        if self._maximum is not None:
            ends.append(self._maximum)
        end = min(ends, default=None)
        more = read_more(self._has_more, payload, page)
        expected = _expected(here, counted.size, total)
        if not more or (end is not None and following >= end):
            return Continuation(done=True, total=total, expected=expected)
        certain = self._has_more is None and (
            total is not None or (self._maximum is not None and not self._stop_after_empty)
        )
        count = None if end is None else -((following - end) // counted.step)
        if not certain:
            trusted = page.number + 1
            count = trusted if count is None else min(count, trusted)
        ahead = Ahead(counted.make, page.number + 1, count or 1)
        return Continuation(ahead, certain=certain, total=total, expected=expected)


def _expected(here: int, size: int | None, total: int | None) -> int | None:
    if size is None or total is None:
        return None
    return max(0, min(size, total - here))


def _place(kind: str, param: str | None, body_path: str | None, request: Request) -> _Place:
    if param is None and body_path is None:
        return _Place(kind, None)
    if bool(param) == bool(body_path):
        msg = f"give either {kind}_param or {kind}_body_path"
        raise ConfigurationError(msg)
    if body_path:
        check_body_path(request, body_path)
        return _Place(None, body_path)
    return _Place(param, None)
