"""The plans against dlt's own paginators, over real HTTP: the same requests, the same rows."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Generator
from dataclasses import dataclass
from itertools import islice
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from dlt.common import jsonpath
from dlt.sources.helpers.rest_client.client import RESTClient
from dlt.sources.rest_api.config_setup import PAGINATOR_MAP, create_paginator
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packages.restarrow.tests.scripted_server import Asked, Server, reply, scripted
from requests import Response

from restarrow.errors import RestarrowError
from restarrow.http import Client
from restarrow.http.retry import RetryPolicy
from restarrow.paging import KINDS, LoopPolicy, RowSelector, WindowPolicy, make_plan, read_pages
from restarrow.types import Request

#: Beyond this page the API refuses, so that lists end which otherwise never would.
LAST = 12
#: Who has read so many pages reads in a circle.
ENDLESS = 30
#: dlt reads in circles for ever, so must we here.
NO_GUARD = LoopPolicy(repeated_requests=False, same_pages=0)
ONE = WindowPolicy(most=1, speculate=False, loops=NO_GUARD)
FIXED = WindowPolicy(most=4, adaptive=False, loops=NO_GUARD)
ADAPTIVE = WindowPolicy(most=6, initial=2, loops=NO_GUARD)

MISSING = object()


@dataclass
class ListApi:
    """An API with one list, as odd as it is told to be.

    `locate` finds the place in the list that a request means, `more` writes the way to the next
    page: into the payload, and as headers.
    """

    rows: int
    size: int
    locate: Callable[[dict[str, str], Any], int]
    more: Callable[[int, bool], tuple[dict[str, Any], dict[str, str]]]
    shape: Callable[[list[Any], dict[str, Any]], Any] = lambda rows, extra: {
        "items": rows,
        **extra,
    }

    def __call__(self, asked: Asked) -> bytes:
        query = {name: values[-1] for name, values in self._query(asked).items()}
        body = json.loads(asked.body) if asked.body else None
        place = self.locate(query, body)
        if place > LAST * self.size:
            return reply({"error": "too far"}, 404)
        rows = [
            {"id": at, "name": f"r{at}"} for at in range(place, min(place + self.size, self.rows))
        ]
        extra, headers = self.more(place + self.size, place + self.size < self.rows)
        return reply(self.shape(rows, extra), headers=headers)

    @staticmethod
    def _query(asked: Asked) -> dict[str, list[str]]:
        return parse_qs(urlsplit(asked.target).query, keep_blank_values=True)


@dataclass(frozen=True)
class Reading:
    pages: list[list[Any]]
    failed: bool
    asked: list[tuple[str, str, Any]]


class Arena:
    """One server, one dlt client and one of ours, for all the examples of a test."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.dlt = RESTClient(server.url)
        self.client = Client(server.url, retry=RetryPolicy())

    def asked(self) -> list[tuple[str, str, Any]]:
        asked = [
            (a.method, a.target, json.loads(a.body) if a.body else None) for a in self.server.asked
        ]
        self.server.asked.clear()
        return asked

    def by_dlt(self, config: Any, selector: str | None, **request: Any) -> Reading:
        pages: list[list[Any]] = []
        failed = False
        try:
            # what is given is written to by dlt, so give it a copy
            request = json.loads(json.dumps(request))
            paginator = create_paginator(config)
            reading = self.dlt.paginate(
                paginator=paginator,
                data_selector=selector,
                hooks={"response": [refuse]},
                **request,
            )
            pages.extend(list(page) for page in islice(reading, ENDLESS))
        except Exception:  # noqa: BLE001
            failed = True
        return Reading(pages, failed, self.asked())

    def by_us(
        self, config: Any, selector: str | None, policy: WindowPolicy, **request: Any
    ) -> Reading:
        pages: list[list[Any]] = []
        failed = False
        asked = Request(
            request.get("method", "GET"),
            request["path"],
            request.get("params") or {},
            request.get("json"),
        )
        try:
            plan = make_plan(config, asked, base_url=self.server.url)
            reading = read_pages(
                self.client.fetch,
                plan,
                decode=lambda page: msgspec.json.decode(page.body),
                select=RowSelector(selector),
                policy=policy,
            )
            pages.extend(list(page.rows) for page in islice(reading, ENDLESS))
            reading.close()
        except RestarrowError:
            failed = True
        return Reading(pages, failed, self.asked())

    def compare(
        self,
        api: ListApi,
        config: Any,
        selector: str | None = "items",
        *,
        sure: bool = False,
        **request: Any,
    ) -> Reading:
        """Read with dlt and with us, one by one and at once, and return what dlt read."""
        request.setdefault("path", "list")
        self.server.answer = api
        want = self.by_dlt(config, selector, **request)
        one = self.by_us(config, selector, ONE, **request)
        if len(want.pages) == ENDLESS:
            # what follows the last page may be under way already
            assert (one.pages, one.asked[:ENDLESS]) == (want.pages, want.asked)
        else:
            assert one == want
        for policy in (FIXED, ADAPTIVE):
            ours = self.by_us(config, selector, policy, **request)
            assert (ours.pages, ours.failed) == (want.pages, want.failed)
            wasted = len(ours.asked) - len(want.asked)
            assert 0 <= wasted <= min(policy.most, len(want.asked))
            assert all(each in ours.asked for each in want.asked)
            if sure and not want.failed and len(want.pages) < ENDLESS:
                assert wasted == 0
        return want


def refuse(response: Response, *_: Any, **__: Any) -> None:
    """Raise as dlt does, but read the body before, so that no connection is left behind."""
    assert response.content is not None
    response.raise_for_status()


@pytest.fixture(scope="module")
def arena() -> Generator[Arena]:
    with scripted(lambda _asked: reply()) as server:
        made = Arena(server)
        yield made
        made.client.close()
        with contextlib.suppress(Exception):
            made.dlt.session.close()


quick = settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

flags = st.sampled_from(["bool"] * 4 + ["yes/no"] * 3 + ["1/0"] * 3 + [MISSING, "maybe", 1])


def put_flag(extra: dict[str, Any], kind: Any, more: bool) -> None:
    if kind == "bool":
        extra["more"] = more
    elif kind == "yes/no":
        extra["more"] = "Yes" if more else "no"
    elif kind == "1/0":
        extra["more"] = "1" if more else "0"
    elif kind is not MISSING:
        extra["more"] = kind


@st.composite
def counted(  # noqa: C901 - the ways to configure a list are many
    draw: st.DrawFn,
) -> tuple[ListApi, dict[str, Any], dict[str, Any], bool]:
    """A list that is counted through, and one of the many ways to configure that."""
    by_page = draw(st.booleans())
    rows, size = draw(st.sampled_from([*range(3), *range(6, 24)])), draw(st.integers(1, 6))
    base = draw(st.sampled_from([0, 1])) if by_page else 0
    where = draw(st.sampled_from(["default", "param", "body", "deep"]))
    kind = "page" if by_page else "offset"
    config: dict[str, Any] = {"type": "page_number" if by_page else "offset"}
    name = kind
    if where == "param":
        config[f"{kind}_param"] = name = draw(st.sampled_from(["p", "page[number]", "from"]))
    elif where != "default":
        config[f"{kind}_body_path"] = name = "start" if where == "body" else "paging.at.start"
    if by_page:
        config["base_page"] = base
        if draw(st.booleans()):
            config["page"] = draw(st.integers(base, base + 2))
    else:
        config["limit"] = size
        if draw(st.booleans()):
            config["offset"] = draw(st.integers(0, 5))
        if draw(st.booleans()):
            config[draw(st.sampled_from(["limit_param", "limit_body_path"]))] = "take"
    told = draw(st.sampled_from([*["right"] * 9, "text", "low", "high", "null", "word", "float"]))
    total_path = draw(st.sampled_from(["total", "meta.total", "$.meta.total", None]))
    config["total_path"] = total_path
    if draw(st.sampled_from([True, False, False])):
        config[f"maximum_{kind}"] = draw(st.integers(0, 20))
    config["stop_after_empty_page"] = draw(st.booleans())
    flag = draw(flags)
    if draw(st.sampled_from([True, False, False])):
        config["has_more_path"] = "more"

    def locate(query: dict[str, str], body: Any) -> int:
        if where in {"default", "param"}:
            value = int(query[name])
        else:
            for part in name.split("."):
                body = body[part]
            value = body
        return (value - base) * size if by_page else value

    def more(_place: int, is_more: bool) -> tuple[dict[str, Any], dict[str, str]]:
        total: Any = -(-rows // size) if by_page else rows
        total = {
            "right": total, "text": str(total), "low": max(0, total - 2), "high": total + 2,
            "null": None, "word": "many", "float": float(total),
        }[told]  # fmt: skip
        extra: dict[str, Any] = {"meta": {"total": total}, "total": total}
        put_flag(extra, flag, is_more)
        return extra, {}

    request: dict[str, Any] = {"method": draw(st.sampled_from(["GET", "POST"]))}
    if draw(st.booleans()):
        request["params"] = {"q": "a b", name: 99, "z": [1, 2]}
    if draw(st.booleans()):
        request["json"] = {"filter": {"state": "open"}, "paging": {"keep": 1}}
    sure = total_path is not None and "has_more_path" not in config and told not in {"low", "high"}
    sure = sure and not (config["stop_after_empty_page"] and rows < 99)
    return ListApi(rows, size, locate, more), config, request, sure


@given(case=counted())
@quick
def test_counted_lists_are_read_as_dlt_reads_them(
    arena: Arena, case: tuple[ListApi, dict[str, Any], dict[str, Any], bool]
) -> None:
    api, config, request, sure = case
    arena.compare(api, config, sure=sure, **request)


@st.composite
def referring(  # noqa: C901 - as are the ways to refer
    draw: st.DrawFn,
) -> tuple[ListApi, dict[str, Any], dict[str, Any]]:
    """A list whose pages tell the next one, in one of the ways to tell it."""
    rows, size = draw(st.sampled_from([*range(3), *range(4, 20)])), draw(st.integers(1, 5))
    kind = draw(
        st.sampled_from(["json_link", "header_link", "header_cursor", "cursor", "single_page"])
    )
    config: dict[str, Any] = {"type": kind}
    end = draw(st.sampled_from(["leave out", "null", "empty", "zero", "go on"]))
    form = draw(st.sampled_from(["whole", "path", "query", "relative"]))
    cursor_as = draw(st.sampled_from([str, int]))
    name = "cursor"
    where = "query"
    flag = draw(flags)
    if kind == "json_link":
        config["next_url_path"] = draw(st.sampled_from(["next", "links.next", "$['links'].next"]))
    elif kind == "header_link":
        config["links_next_key"] = draw(st.sampled_from(["next", "more"]))
    elif kind == "header_cursor":
        config["cursor_key"] = draw(st.sampled_from(["next", "X-Next"]))
        config["cursor_param"] = name = draw(st.sampled_from(["cursor", "page[after]"]))
    elif kind == "cursor":
        config["cursor_path"] = draw(st.sampled_from(["next", "cursors.next", "cursors['next']"]))
        where = draw(st.sampled_from(["query", "after", "page.after"]))
        if where != "query":
            config["cursor_body_path"] = where
        config["stop_after_empty_page"] = draw(st.booleans())
        if draw(st.sampled_from([True, False, False])):
            config["has_more_path"] = "more"

    def locate(query: dict[str, str], body: Any) -> int:
        if where == "query":
            return int(query.get(name) or 0)
        values = jsonpath.find_values(where, body or {})
        return int(values[0]) if values else 0

    def link(place: int) -> str:
        query = f"{name}={place}&keep=a%20b"
        return {
            "whole": f"{arena_url[0]}/list?{query}", "path": f"/list?{query}",
            "query": f"?{query}", "relative": f"list?{query}",
        }[form]  # fmt: skip

    def more(place: int, is_more: bool) -> tuple[dict[str, Any], dict[str, str]]:
        extra: dict[str, Any] = {}
        headers: dict[str, str] = {}
        put_flag(extra, flag, is_more)
        target: Any = link(place) if kind.endswith("link") else cursor_as(place)
        if not is_more and end != "go on":
            target = {"leave out": MISSING, "null": None, "empty": "", "zero": 0}[end]
        if target is MISSING:
            return extra, headers
        extra.update(next=target, links={"next": target}, cursors={"next": target})
        if kind == "header_link" and isinstance(target, str):
            headers["Link"] = f'<{target}>; rel="next", <{target}>; rel=more, <x>; rel="prev"'
        if kind == "header_cursor" and target is not None:
            headers |= {"next": str(target), "X-Next": str(target)}
        return extra, headers

    request: dict[str, Any] = {"method": draw(st.sampled_from(["GET", "POST"]))}
    if draw(st.booleans()):
        request["params"] = {"q": "a b", "cursor": "0"}
    if draw(st.booleans()):
        request["json"] = {"filter": {"state": "open"}, "page": {"size": 3}}
    return ListApi(rows, size, locate, more), config, request


arena_url = [""]


@given(case=referring())
@quick
def test_referring_lists_are_read_as_dlt_reads_them(
    arena: Arena, case: tuple[ListApi, dict[str, Any], dict[str, Any]]
) -> None:
    arena_url[0] = arena.server.url
    api, config, request = case
    arena.compare(api, config, sure=True, **request)


def shapes() -> st.SearchStrategy[Callable[[list[Any], dict[str, Any]], Any]]:
    """Payloads as the detector may meet them."""
    made: list[Callable[[list[Any], dict[str, Any]], Any]] = [
        lambda rows, extra: {"items": rows, **extra},
        lambda rows, extra: {**extra, "list": rows, "tags": ["a"]},
        lambda rows, extra: {"page": {"of": {"rows": rows}}, "meta": extra},
        lambda rows, extra: {"a": {"b": {"c": {"rows": rows}}}, "meta": {"deep": extra}},
        lambda rows, extra: {"tags": [1, 2], "data": rows, "pagination": extra},
        lambda rows, _extra: rows,
        lambda rows, extra: {"one": rows[:1], "next": {"deep": extra}},
        lambda _rows, extra: {"single": "thing", **extra},
    ]
    return st.sampled_from(made)


@given(
    rows=st.integers(0, 11),
    size=st.integers(1, 4),
    shape=shapes(),
    key=st.sampled_from(["next", "NextLink", "next_page", "next-cursor", "nextPageToken", "after"]),
    way=st.sampled_from(["link", "path", "header", "cursor", "number", "object", "http", "none"]),
    pages=st.sampled_from(["pages", "total_pages", "totalPages", "TotalPages", "none"]),
    told=st.sampled_from(["right", "text", "word", "true"]),
    selector=st.sampled_from([None, None, "items", "$"]),
)
@settings(quick, max_examples=120)
def test_unnamed_lists_are_recognised_as_dlt_recognises_them(
    arena: Arena, rows: int, size: int, shape: Any, key: str, way: str, pages: str, told: str,
    selector: str | None,
) -> None:  # fmt: skip
    url = arena.server.url

    def locate(query: dict[str, str], _body: Any) -> int:
        if "page" in query:
            return int(query["page"]) * size
        cursor = query.get("cursor", "0").removeprefix("http")
        return int(float(cursor)) if cursor.replace(".", "").isdigit() else 0

    def more(place: int, is_more: bool) -> tuple[dict[str, Any], dict[str, str]]:
        extra: dict[str, Any] = {}
        count = -(-rows // size)
        if pages != "none":
            told_pages: Any = {"right": count, "text": str(count), "word": "x", "true": True}
            extra[pages] = told_pages[told]
        if not is_more or way == "none":
            return extra, {}
        if way == "header":
            return extra, {"Link": f'<{url}/list?cursor={place}>; rel="next"'}
        target: Any = {
            "link": f"{url}/list?cursor={place}", "path": f"/list?cursor={place}",
            "cursor": f"{place}", "number": place, "http": f"http{place}",
            "object": {"title": "next", "href": f"/list?cursor={place}"},
        }[way]  # fmt: skip
        return {**extra, key: target}, {}

    arena.compare(ListApi(rows, size, locate, more, shape), None, selector)


@pytest.mark.parametrize(
    "config",
    [
        {"type": "offset", "limit": 10, "offset_param": "a", "offset_body_path": "b"},
        {"type": "offset", "limit": 10, "offset_param": ""},
        {"type": "offset", "limit": 10, "limit_param": "a", "limit_body_path": "b"},
        {"type": "offset", "limit": 10, "total_path": None, "stop_after_empty_page": False},
        {"type": "page_number", "page_param": "a", "page_body_path": "b"},
        {"type": "page_number", "page_body_path": ""},
        {"type": "page_number", "total_path": None, "stop_after_empty_page": False},
        {"type": "cursor", "cursor_param": "a", "cursor_body_path": "b"},
        {"type": "offset"},
        {"type": "nonsense"},
        {"type": "cursor", "nonsense": 1},
        "offset",
        "nonsense",
    ],
)
def test_what_dlt_refuses_is_refused(config: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        create_paginator(config)
    with pytest.raises(RestarrowError):
        make_plan(config, Request("GET", "list"))


def test_every_paginator_of_dlt_is_known() -> None:
    assert set(PAGINATOR_MAP) - {"json_response"} == set(KINDS)


def test_a_default_page_number_begins_with_0_and_needs_a_total(arena: Arena) -> None:
    told: dict[str, Any] = {"total": 3}

    def more(_place: int, _is_more: bool) -> tuple[dict[str, Any], dict[str, str]]:
        return dict(told), {}

    api = ListApi(7, 3, lambda query, _: int(query["page"]) * 3, more)
    read = arena.compare(api, "page_number", sure=True)
    assert [target for _, target, _ in read.asked] == [f"/list?page={n}" for n in range(3)]
    told.clear()
    assert arena.compare(api, "page_number").pages == []
