"""The list protocol: POST {filter, sort, fields, page} is answered with {page, list}."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from opssim.cloud_bot.errors import (
    ApiError,
    Handler,
    as_object,
    as_strings,
    bad_request,
    json_object,
    json_response,
    not_found,
)
from opssim.cloud_bot.filters import compile_filter, compile_sort
from opssim.cloud_bot.listings import LISTINGS, Listing
from opssim.cloud_bot.quirks import CloudBotQuirks
from opssim.core.store import JsonObject, Row, Table, encode

_USUAL_LENGTH = 100


@dataclass(frozen=True, slots=True)
class _Slice:
    """The part of a list that a request gets."""

    rows: list[Row]
    offset: int
    total: int
    matching: int


class Lists:
    """The endpoints that answer with lists.

    Args:
        tables: the rows.
        quirks: the caps, and the forms of the answers.
        before: what is to happen before a list of the named table is read.
    """

    def __init__(
        self,
        tables: Mapping[str, Table],
        quirks: CloudBotQuirks,
        before: Callable[[str], None],
    ) -> None:
        self._tables = tables
        self._quirks = quirks
        self._before = before
        self._asked = 0

    def routes(self, guarded: Callable[[Handler], Handler]) -> list[Route]:
        """Return the endpoints, each behind the guard."""
        return [
            Route(path, guarded(self._handler(listing, path)), methods=["POST"])
            for listing in LISTINGS
            for path in listing.paths
        ]

    def admit(self, table: str) -> None:
        """Count a request for a list, and let the data change before it is answered.

        Raises:
            ApiError: it is this request's turn to find the service unavailable.
        """
        self._asked += 1
        every = self._quirks.unavailable_every
        if every and self._asked % every == 0:
            raise ApiError(503, "Service Unavailable", code=503, headers={"Retry-After": "1"})
        self._before(table)

    def _handler(self, listing: Listing, path: str) -> Handler:
        whole_ids = path.startswith("/v1/usermanagement/")

        async def handle(request: Request) -> Response:
            body = await json_object(request)
            self.admit(listing.table)
            part = self._slice(listing, body, request.path_params)
            chosen = as_strings(body.get("fields") or [])
            if chosen is None:
                msg = "fields is a list of names"
                raise bad_request(msg)
            bodies = [row.body for row in part.rows]
            if chosen or whole_ids:
                bodies = [_rendered(row, chosen, whole_ids=whole_ids) for row in part.rows]
            return json_response(self._envelope(listing.table, part, b",".join(bodies)))

        return handle

    def _slice(self, listing: Listing, body: JsonObject, parameters: Mapping[str, str]) -> _Slice:
        table = self._tables[listing.table]
        scope = parameters[listing.scope] if listing.scope else None
        if scope is not None and scope not in self._tables[listing.parent]:
            msg = f"{listing.scope} {scope}"
            raise not_found(msg)
        tree, sort = body.get("filter"), body.get("sort")
        predicate = compile_filter(tree, listing.filterable)
        order = compile_sort(sort, listing.kinds)

        def within(row: Row) -> bool:
            return listing.scope is None or str(row.fields[listing.scope]) == scope

        def matches(row: Row) -> bool:
            return within(row) and (predicate is None or predicate(row))

        everything = scope is None and predicate is None
        rows = table.view(
            (scope, encode([tree, sort])), where=None if everything else matches, order=order
        )
        total = len(table) if scope is None else len(table.view(("scope", scope), where=within))
        offset, length = self._page(listing, body.get("page"))
        return _Slice(rows[offset : offset + length], offset, total, len(rows))

    def _page(self, listing: Listing, page: Any) -> tuple[int, int]:
        asked = as_object({} if page is None else page)
        if asked is None:
            msg = "page is an object with offset and length"
            raise bad_request(msg)
        offset = _whole_number(asked.get("offset", 0))
        length = _whole_number(asked.get("length", _USUAL_LENGTH))
        if listing.refused_above is not None and length > listing.refused_above:
            msg = f"page.length must not exceed {listing.refused_above}"
            raise bad_request(msg)
        caps = {"executions": self._quirks.activity_cap, "audit_messages": self._quirks.audit_cap}
        cap = caps.get(listing.table, length)
        return offset, min(length, cap, self._quirks.page_cap or length)

    def _envelope(self, table: str, part: _Slice, rows: bytes) -> bytes:
        listed = b'"list":[' + rows + b"]"
        if table == "robots" and self._quirks.devices_without_page:
            return b"{" + listed + b"}"
        matching = 0 if self._quirks.total_filter_zero else part.matching
        page = b'"page":{"offset":%d,"total":%d,"totalFilter":%d' % (
            part.offset,
            0 if table == "executions" and self._quirks.activity_total_zero else part.total,
            matching,
        )
        if table == "device_pools" and self._quirks.nested_pool_list:
            return b"{" + page + b"," + listed + b"}}"
        return b"{" + page + b"}," + listed + b"}"


def _whole_number(value: Any) -> int:
    if type(value) is not int or value < 0:
        msg = "page.offset and page.length are whole numbers from 0"
        raise bad_request(msg)
    return value


def _rendered(row: Row, chosen: Sequence[str], *, whole_ids: bool) -> bytes:
    data = with_whole_ids(row.data()) if whole_ids else row.data()
    return encode({name: data[name] for name in chosen if name in data} if chosen else data)


def with_whole_ids(row: JsonObject) -> JsonObject:
    """Return the row as v1 of the user management has it: ids are numbers there."""
    row["id"] = int(row["id"])
    for name in ("roles", "sysAssignedRoles"):
        for role in row.get(name, ()):
            role["id"] = int(role["id"])
    return row
