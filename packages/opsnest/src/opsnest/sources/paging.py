"""Paginators for lists that move while they are read, and for servers that cap their pages.

dlt's own paginators trust the server in two ways that these APIs do not deserve: that a page holds
as many rows as were asked for, and that a list stands still. The ones here count the rows that
came, and read a list again when it changed under them; reading twice is safe because every
resource is merged on its key.
"""

from __future__ import annotations

import logging
from copy import deepcopy
from typing import Any

from requests import Request, Response

from opsnest.errors import AnswerError
from opsnest.json_values import look_up
from opsnest.sources.rest import BasePaginator

__all__ = ["OffsetByRows", "Settled"]

log = logging.getLogger("opsnest")

Rows = list[Any]

#: Equal pages in a row that mean a circle. A few may come when rows are inserted before the reader.
_REPEATS = 10


class _Passes(BasePaginator):
    """Read a list pass by pass, each with a fresh copy of one paginator, until it is enough.

    Args:
        paginator: how to read the list once.
        passes: passes after which the list is left as it was last seen, with a warning.
    """

    def __init__(self, paginator: BasePaginator, *, passes: int = 5) -> None:
        super().__init__()
        self._template = paginator
        self._inner = paginator
        self._passes = passes
        self._pass = 0
        self._pages = 0
        self._again = False
        self._params: Any = None
        self._body: Any = None

    def init_request(self, request: Request) -> None:
        """Begin with the first pass."""
        self._params, self._body = deepcopy(request.params), deepcopy(request.json)
        self._pass = 0
        self._has_next_page = True
        self._start(request)

    def update_state(self, response: Response, data: Rows | None = None) -> None:
        """Go on with the pass, or decide at its end whether another is needed."""
        rows = data or []
        self._inner.update_state(response, rows)
        self._note(response, rows)
        self._pages += 1
        self._again = False
        if self._inner.has_next_page:
            return
        if self._is_enough():
            self._has_next_page = False
        elif self._pass >= self._passes:
            self._has_next_page = False
            log.warning(
                "%s kept changing while it was read %d times; what changed last may be missing "
                "until it is next read whole",
                response.request.path_url.partition("?")[0],
                self._passes,
            )
        else:
            self._again = True

    def update_request(self, request: Request) -> None:
        """Ask for the next page, or for the first one again."""
        if self._again:
            self._start(request)
        elif self._has_next_page:
            self._inner.update_request(request)

    def _start(self, request: Request) -> None:
        request.params, request.json = deepcopy(self._params), deepcopy(self._body)
        self._pass += 1
        self._pages = 0
        self._again = False
        self._inner = deepcopy(self._template)
        self._inner.init_request(request)

    def _note(self, response: Response, rows: Rows) -> None:
        """Look at a page; `self._pages` is 0 at the first one of a pass."""
        raise NotImplementedError

    def _is_enough(self) -> bool:
        """Tell, at the end of a pass, whether it was the last one needed."""
        raise NotImplementedError


class Settled(_Passes):
    """Read a list again until its total is the same at the end of a pass as at its beginning.

    For lists that can be read in full only. The total is compared, never trusted as a count. One
    that is on each page the number of rows there says nothing about the list: then once is enough.

    Args:
        paginator: how to read the list once.
        total: path of the total in an answer.
    """

    def __init__(self, paginator: BasePaginator, *, total: str) -> None:
        super().__init__(paginator)
        self._total = total
        self._first_total: object = None
        self._last_total: object = None
        self._counts_pages = True

    def _note(self, response: Response, rows: Rows) -> None:
        self._last_total = look_up(response.json(), self._total)
        counts_page = bool(self._last_total == len(rows))
        if self._pages == 0:
            self._first_total = self._last_total
            self._counts_pages = counts_page
        self._counts_pages = self._counts_pages and counts_page

    def _is_enough(self) -> bool:
        return self._counts_pages or bool(self._first_total == self._last_total)


class OffsetByRows(BasePaginator):
    """Page by offset, and advance by the rows that came, not by those that were asked for.

    Ends with an empty page, or when the offset has reached a total above zero: some servers send
    0 there while they send rows (Automation 360), others cap the page below what was asked.

    Args:
        limit: rows to ask for.
        offset_at: where the offset goes: a query parameter, or with `in_body` a path in the JSON.
        limit_at: where the limit goes, likewise.
        in_body: whether both go into the JSON body.
        total: path of the total in an answer; None where it may be that of the page.
        source: the dlt source, for messages.

    Raises:
        AnswerError: page after page is the same: the server ignores the offset.
    """

    def __init__(
        self,
        limit: int,
        *,
        offset_at: str,
        limit_at: str,
        total: str | None = None,
        in_body: bool = False,
        source: str,
    ) -> None:
        super().__init__()
        self._source = source
        self._last: Rows | None = None
        self._repeats = 0
        self._limit = limit
        self._offset_at = offset_at
        self._limit_at = limit_at
        self._in_body = in_body
        self._total = total
        self._offset = 0

    def init_request(self, request: Request) -> None:
        """Ask for the first page."""
        self._offset = 0
        self._last, self._repeats = None, 0
        self._has_next_page = True
        self._put(request, self._limit_at, self._limit)
        self._put(request, self._offset_at, 0)

    def update_state(self, response: Response, data: Rows | None = None) -> None:
        """Count the rows that came."""
        rows = len(data or ())
        self._repeats = self._repeats + 1 if rows and data == self._last else 0
        if self._repeats >= _REPEATS:
            raise _goes_in_circles(response, self._source)
        self._last = data
        self._offset += rows
        total = look_up(response.json(), self._total) if self._total else None
        reached = isinstance(total, int) and 0 < total <= self._offset
        self._has_next_page = rows > 0 and not reached

    def update_request(self, request: Request) -> None:
        """Ask for the page behind the rows that came."""
        self._put(request, self._offset_at, self._offset)

    def _put(self, request: Request, at: str, value: int) -> None:
        if self._in_body:
            put_in(request.json, at, value)
        else:
            request.params = {**(request.params or {}), at: value}


def _goes_in_circles(response: Response, source: str) -> AnswerError:
    return AnswerError(
        source=source,
        resource="",
        method=response.request.method or "GET",
        path=response.request.path_url.partition("?")[0],
        problem="the API sends the same page again and again: it ignores the offset",
        advice="The API has changed, or something caches its answers: please report it with this "
        "message.",
        status=response.status_code,
    )


def put_in(body: Any, path: str, value: object) -> None:
    """Set what `path` (dotted) points at in a JSON body, making the objects on the way."""
    *parents, last = path.split(".")
    for name in parents:
        body = body.setdefault(name, {})
    body[last] = value
