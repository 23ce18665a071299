"""Paging: links, headers and cursors lead where requests and dlt would go, or are errors."""

from __future__ import annotations

from itertools import islice
from typing import Any

from dlt.sources.helpers.rest_client.detector import find_response_page_data
from requests import Response

from fuzz.taking import Taker
from restarrow.errors import RestarrowError
from restarrow.http.limits import read_allowance, read_wait
from restarrow.paging import RowSelector
from restarrow.paging.detect import AutoPlan, detect_rows
from restarrow.paging.links import link_targets
from restarrow.paging.plans import Plan
from restarrow.paging.ranges import PageNumberPlan
from restarrow.paging.references import CursorPlan, HeaderCursorPlan, HeaderLinkPlan, JsonLinkPlan
from restarrow.types import Headers, Page, Request

ALLOWED = (RestarrowError,)

ASKED = Request("GET", "/v1/items", {"a": "1"}, json={"b": {}})
BASE = "https://h/v1"
_SOME = 100
#: Headers that are looked at, each of which gets the same value.
NAMES = ("link", "next", "retry-after", "ratelimit", "x-ratelimit-remaining", "x-ratelimit-reset")


def one(data: bytes) -> None:
    """Follow a page whose headers and body say anything."""
    taker = Taker(data)
    value = taker.line().decode("latin-1").replace("\r", "")
    payload = taker.json()
    headers = Headers([(name, value) for name in (*NAMES, "date", "ratelimit-reset")])
    response = Response()
    response.headers["Link"] = value
    theirs = {relation: link["url"] for relation, link in response.links.items() if relation}
    assert {key: url for key, url in link_targets(value).items() if key} == theirs
    for limited in (False, True):
        wait = read_wait(headers, 1_700_000_000.0, limited=limited)
        assert wait is None or wait >= 0
    read_allowance(headers, 1_700_000_000.0)
    path, _ = find_response_page_data(payload)
    assert detect_rows(payload) == ".".join(path)
    page = Page(1, ASKED, "https://h/v1/items", 200, headers, b"")
    for plan in _plans():
        _follow(plan, page, payload)


def _plans() -> list[Plan]:
    return [
        JsonLinkPlan(ASKED, "next", base_url=BASE),
        JsonLinkPlan(ASKED, "links[0].next"),
        HeaderLinkPlan(ASKED, base_url=BASE),
        HeaderCursorPlan(ASKED),
        CursorPlan(ASKED, "next", has_more_path="more"),
        CursorPlan(ASKED, "next", cursor_body_path="b.c", stop_after_empty_page=True),
        PageNumberPlan(ASKED, total_path="total"),
        AutoPlan(ASKED, base_url=BASE),
    ]


def _follow(plan: Plan, page: Page, payload: Any) -> None:
    try:
        rows = RowSelector()(payload)
        plan.first()
        going_on = plan.after(page, payload, rows)
    except ALLOWED:
        return
    assert len(going_on.requests) >= 0
    some = islice(going_on.requests, _SOME)  # a page may say that there are any number of them
    assert all(isinstance(request.path, str) for request in some)
