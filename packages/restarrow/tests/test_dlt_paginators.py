"""Ways to page through a list: every kind, with each of its options, and kinds of a user's own."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Generator
from typing import Any

import pytest
from dlt.sources.helpers.rest_client import paginators
from dlt.sources.rest_api import config_setup
from packages.restarrow.tests.dlt_comparison import Comparison, Lists, answer, config, lists
from packages.restarrow.tests.dlt_rows import Row, requests_of, taken
from starlette.requests import Request
from starlette.responses import Response

ROWS: list[Row] = [{"id": number} for number in range(6)]
PAGES = [ROWS[:2], ROWS[2:5], ROWS[5:]]


@pytest.fixture
def api() -> Generator[Lists]:
    with lists({"things": PAGES}) as served:
        yield served


class ByPage(paginators.BasePaginator):
    """A paginator of a user's own."""

    def __init__(self, page_param: str = "page") -> None:
        super().__init__()
        self.param = page_param
        self.page = 0

    def init_request(self, request: Any) -> None:
        self.page = 0
        self.update_request(request)

    def update_state(self, response: Any, data: Any = None) -> None:
        self.page += 1
        self._has_next_page = response.json()["has_more"]

    def update_request(self, request: Any) -> None:
        request.params = {**(request.params or {}), self.param: str(self.page)}


class FromTwo(paginators.PageNumberPaginator):
    """One of dlt's, made a user's own."""

    def __init__(self) -> None:
        super().__init__(page=2, total_path="total")


LINKS: dict[str, Any] = {
    "json_link": {"type": "json_link", "next_url_path": "next"},
    "json_link_by_its_old_name": {"type": "json_response", "next_url_path": "next"},
    "json_link_by_default": "json_link",
    "json_link_instance": paginators.JSONLinkPaginator(next_url_path="$.next"),
    "header_link": "header_link",
    "header_link_of_another_name": {"type": "header_link", "links_next_key": "more"},
    "header_link_instance": paginators.HeaderLinkPaginator(),
    "cursor": {"type": "cursor", "cursor_path": "cursors.next", "cursor_param": "cursor"},
    "cursor_instance": paginators.JSONResponseCursorPaginator("cursors.next", "cursor"),
    "cursor_more": {"type": "cursor", "cursor_param": "cursor", "has_more_path": "has_more"},
    "cursor_until_empty": {
        "type": "cursor",
        "cursor_param": "cursor",
        "stop_after_empty_page": True,
    },
    "single_page": "single_page",
    "single_page_instance": paginators.SinglePagePaginator(),
    "auto": "auto",
    "auto_as_a_type": {"type": "auto"},
}
NUMBERS: dict[str, Any] = {
    "offset": {"type": "offset", "limit": 2},
    "offset_instance": paginators.OffsetPaginator(limit=4, total_path=None),
    "offset_from": {"type": "offset", "limit": 2, "offset": 3, "total_path": "$.total"},
    "offset_maximum": {"type": "offset", "limit": 2, "total_path": None, "maximum_offset": 4},
    "offset_on": {"type": "offset", "limit": 2, "stop_after_empty_page": False},
    "page_number": {"type": "page_number", "base_page": 0},
    "page_number_from": {"type": "page_number", "page": 1},
    "page_number_of_another_base": {"type": "page_number", "base_page": 1},
    "page_number_instance": paginators.PageNumberPaginator(base_page=0, total_path="total"),
    "page_number_more": {"type": "page_number", "total_path": None, "has_more_path": "has_more"},
    "page_number_maximum": {"type": "page_number", "total_path": None, "maximum_page": 2},
    "page_number_until_empty": {"type": "page_number", "total_path": None},
    "own": ByPage(),
    "own_registered": {"type": "by_page", "page_param": "page"},
    "own_of_dlt": {"type": "from_two"},
}
#: Rows of those that do not have all six.
FEWER = {
    "header_link_of_another_name": 2,
    "single_page": 2,
    "single_page_instance": 2,
    "offset_from": 3,
    "offset_maximum": 4,
    "page_number_from": 4,
    "page_number_of_another_base": 4,
    "page_number_maximum": 5,
    "own_of_dlt": 1,
}
#: Where the end shows only when it is there, the page behind it may be under way.
AHEAD = {"page_number_more", "page_number_until_empty", "offset_instance"}


def _load(compared: Comparison, api: Lists, kinds: dict[str, Any], **endpoint: Any) -> None:
    api.pages = dict.fromkeys(kinds, PAGES)

    def make(rest: Any) -> Any:
        resources = [
            {"name": name, "endpoint": {"path": name, "paginator": paginator, **endpoint}}
            for name, paginator in kinds.items()
        ]
        return rest.rest_api_source(config(api, *resources))

    ours, theirs = requests_of(compared, api, make)
    paths = Counter(f"{path}?{query} {body}" for path, query, _, body in ours)
    wanted = Counter(f"{path}?{query} {body}" for path, query, _, body in theirs)
    assert not wanted - paths
    assert {path.partition("?")[0].strip("/") for path in paths - wanted} <= AHEAD
    assert taken(compared, *kinds)
    counts = compared.arrow.counts[-1]
    assert {name: counts[name] for name in kinds} == {
        name: FEWER.get(name, len(ROWS)) for name in kinds
    }
    compared.check()


@pytest.fixture
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config_setup, "PAGINATOR_MAP", dict(config_setup.PAGINATOR_MAP))
    config_setup.register_paginator("by_page", ByPage)
    config_setup.register_paginator("from_two", FromTwo)


def test_paginators_that_follow_links(compared: Comparison, api: Lists) -> None:
    _load(compared, api, LINKS)


@pytest.mark.usefixtures("_registered")
def test_paginators_that_count(compared: Comparison, api: Lists) -> None:
    _load(compared, api, NUMBERS)


# ---- places and names of an API's own


def _number(place: Any) -> int:
    return int(place or 0)


def _in_other_places(api: Lists) -> None:
    """Let an API take pages by names of its own, of the query or the body, and answer alike."""

    def answered(request: Request) -> Response | None:
        query, body = request.query_params, json.loads(api.asked[-1][3] or "{}")
        place: Row = {**query, **(body.get("paging") or {})}
        if "count" in place:
            start = _number(place["start"])
            rows = ROWS[start : start + _number(place["count"])]
            number, is_last = 0, start + len(rows) >= len(ROWS)
        else:
            number = _number(place.get("number") or place.get("after") or place.get("cursor"))
            rows, is_last = PAGES[number], number + 1 == len(PAGES)
        following = None if is_last else str(number + 1)
        return answer(
            {"data": rows, "meta": {"rows": len(ROWS), "pages": 3, "more": following, "a.b": None}},
            headers={} if is_last else {"X-Next": str(number + 1), "next": str(number + 1)},
        )

    api.answer = answered


IN_QUERIES: dict[str, Any] = {
    "header_cursor": {"type": "header_cursor", "cursor_param": "after"},
    "header_cursor_named": {
        "type": "header_cursor",
        "cursor_key": "X-Next",
        "cursor_param": "number",
    },
    "header_cursor_instance": paginators.HeaderCursorPaginator("x-next", "after"),
    "cursor_by_default": {"type": "cursor", "cursor_path": "meta.more"},
    "offset_named": {
        "type": "offset",
        "limit": 4,
        "offset_param": "start",
        "limit_param": "count",
        "total_path": "meta.rows",
    },
    "page_number_named": {
        "type": "page_number",
        "page_param": "number",
        "total_path": "meta.pages",
    },
}
IN_BODIES: dict[str, Any] = {
    "cursor_in_body": {
        "type": "cursor",
        "cursor_path": "meta.more",
        "cursor_body_path": "paging.after",
    },
    "offset_in_body": {
        "type": "offset",
        "limit": 4,
        "offset_body_path": "paging.start",
        "limit_body_path": "paging.count",
        "total_path": "meta.rows",
    },
    "page_number_in_body": {
        "type": "page_number",
        "page_body_path": "paging.number",
        "total_path": "meta.pages",
    },
}


def test_paginators_with_names_of_an_api(compared: Comparison, api: Lists) -> None:
    _in_other_places(api)
    _load(compared, api, IN_QUERIES)


def test_paginators_in_bodies(compared: Comparison, api: Lists) -> None:
    _in_other_places(api)
    _load(
        compared, api, IN_BODIES, method="POST", json={"filter": {"a": [1]}, "paging": {"keep": 1}}
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "shared",
    [paginators.PageNumberPaginator(base_page=0, total_path="total"), ByPage()],
    ids=["dlt", "own"],
)
def test_one_paginator_for_all_lists(compared: Comparison, api: Lists, shared: Any) -> None:
    api.pages = dict.fromkeys(("one", "two", "three"), PAGES)
    for _ in range(2):
        compared.load(lambda rest: rest.rest_api_source(config(api, *api.pages, paginator=shared)))
    assert compared.query("SELECT count(*) FROM one") == [(12,)]
    compared.check()
