"""What is asked, and what of an answer is taken: the options of clients and endpoints."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import Any

import pytest
import requests
from packages.restarrow.tests.dlt_comparison import Comparison, Lists, answer, config, lists
from packages.restarrow.tests.dlt_rows import PAGES, ROWS, Row, requests_of, taken, things
from starlette.requests import Request
from starlette.responses import Response


@pytest.fixture
def api() -> Generator[Lists]:
    with lists({"things": PAGES}) as served:
        yield served


def _alike(compared: Comparison, api: Lists, *resources: Any, **client: Any) -> list[Row]:
    """Load resources on both sides, compare all, and return what was asked for."""

    def make(rest: Any) -> Any:
        return rest.rest_api_source(config(api, *resources, **client))

    ours, theirs = requests_of(compared, api, make)
    assert ours == theirs
    compared.check()
    names = ("path", "query", "headers", "body")
    return [dict(zip(names, each, strict=True)) for each in ours]


def _echo(api: Lists) -> None:
    """Let the API answer with one row, which tells the method and the place of the request."""

    def answered(request: Request) -> Response:
        row = {"id": 1, "method": request.method, "path": request.url.path}
        return answer({"data": [row], "next": None})

    api.answer = answered


# ---- where


def _places(api: Lists) -> list[Row]:
    return [
        {"name": "things"},
        {"name": "no_endpoint", "endpoint": {}},
        {"name": "as_text", "endpoint": "a/b"},
        {"name": "from_the_top", "endpoint": {"path": "/top"}},
        {"name": "slash_at_the_end", "endpoint": "things/"},
        {"name": "with_a_query", "endpoint": "things?a=1&b=%20"},
        {"name": "absolute", "endpoint": {"path": f"{api.url}/elsewhere/things"}},
        {"name": "filled_in", "endpoint": {"path": "a/{x}/{y}/c", "params": {"x": 1, "y": "é"}}},
        {"name": "spaces", "endpoint": "a b/ü"},
    ]


def test_paths(compared: Comparison, api: Lists) -> None:
    _echo(api)
    asked = _alike(compared, api, *_places(api), base_url=f"{api.url}/v1")
    assert {"/v1/things", "/v1/top", "/elsewhere/things"} <= {each["path"] for each in asked}


@pytest.mark.slow
def test_base_urls(compared: Comparison, api: Lists) -> None:
    _echo(api)
    bases = {"none": "", "slash": "/", "slash_at_the_end": "/v1/"}

    def make(rest: Any) -> Any:
        return [
            rest.rest_api_source(
                config(
                    api,
                    *({**each, "table_name": f"{name}_{each['name']}"} for each in _places(api)),
                    base_url=api.url + base,
                ),
                name=name,
            )
            for name, base in bases.items()
        ]

    ours, theirs = requests_of(compared, api, make)
    assert ours == theirs
    paths = {path for path, *_ in ours}
    assert {"/things", "/top", "/v1/things", "/v1/top", "/elsewhere/things"} <= paths
    compared.check()


def test_paths_of_one_thing(compared: Comparison, api: Lists) -> None:
    one = {"name": "one", "endpoint": {"path": "things/{id}", "params": {"id": 5, "a": 1}}}
    made = config(api, one)
    del made["resource_defaults"]
    api.answer = lambda _: answer({"id": 5, "data": [{"deep": 1}], "next": f"{api.url}/never"})
    for _ in range(2):
        compared.load(lambda rest: rest.rest_api_source(made))
    assert api.paths() == ["/things/5?a=1"] * 4
    assert taken(compared, "one")
    compared.check()


# ---- how


PARAMS: dict[str, Row] = {
    "text": {"a": "b c&d=é/+", "empty": ""},
    "numbers": {"integer": 1, "float": 1.5, "bool": True, "none": None},
    "lists": {"list": ["1", "2"], "empty": [], "tuple": (1, 2)},
    "braces": {"filter": "{{a}}", "{{b}}": "1"},
    "reserved": {"a[b]": "x,y;z:@", "$top": "5", "~": "*!'()"},
}


def test_params(compared: Comparison, api: Lists) -> None:
    _echo(api)
    resources = [
        {"name": name, "endpoint": {"path": name, "params": params}}
        for name, params in PARAMS.items()
    ]
    asked = _alike(compared, api, *resources)
    assert {each["query"] for each in asked if each["path"] == "/braces"} == {
        "filter=%7Ba%7D&%7Bb%7D=1"
    }
    assert taken(compared, *PARAMS)


BODIES: dict[str, Row] = {
    "json": {"json": {"filter": {"a": [1, "{{x}}", None, 1.5, True]}, "é": "ü"}},
    "json_and_params": {"json": {"a": 1}, "params": {"q": "a b", "list": ["1", "2"]}},
    "empty_json": {"json": {}},
    "form": {"data": {"field": "a&b", "list": ["x", "y"], "n": 1}},
    "text": {"data": "plain é text", "headers": {"Content-Type": "text/plain"}},
    "no_body": {},
}


def test_methods_and_bodies(compared: Comparison, api: Lists) -> None:
    _echo(api)
    resources = [
        {"name": f"{name}_{method}", "endpoint": {"path": name, "method": method, **body}}
        for name, body in BODIES.items()
        for method in ("GET", "POST")
    ]
    asked = _alike(compared, api, *resources, headers={"X-One": "1"})
    assert {each["headers"]["x-one"] for each in asked} == {"1"}
    assert {each["body"] for each in asked if each["path"] == "/form"} == {
        "field=a%26b&list=x&list=y&n=1"
    }
    assert compared.query("SELECT method FROM json_post") == [("POST",)]


def test_headers(compared: Comparison, api: Lists) -> None:
    resources = [
        things(),
        {"name": "more", "endpoint": {"path": "things", "headers": {"X-Two": "{{2}}"}}},
        {"name": "other", "endpoint": {"path": "things", "headers": {"x-one": "other"}}},
        {"name": "own", "endpoint": {"path": "things", "headers": {"User-Agent": "mine"}}},
        {"name": "accepts", "endpoint": {"path": "things", "headers": {"Accept": "text/json"}}},
    ]
    asked = _alike(compared, api, *resources, headers={"X-One": "1", "X-Empty": ""})
    assert {each["headers"]["x-one"] for each in asked} == {"1", "other"}
    assert {each["headers"].get("x-two") for each in asked} == {None, "{2}"}
    assert "mine" in {each["headers"]["user-agent"] for each in asked}


# None takes away a header that is there, bytes are sent as they are, "é" as latin-1, and numbers
# and blanks at the front are refused: all that is for requests to do
def test_odd_values_of_headers(compared: Comparison, api: Lists) -> None:
    values: dict[str, Row] = {
        "none": {"Accept": None},
        "bytes": {"X-Odd": b"bytes"},
        "latin_1": {"X-Odd": "é"},
    }
    asked = _alike(
        compared,
        api,
        *(
            {"name": name, "endpoint": {"path": "things", "headers": headers}}
            for name, headers in values.items()
        ),
    )
    assert {each["headers"].get("x-odd") for each in asked} == {None, "bytes", "é"}


@pytest.mark.slow
@pytest.mark.parametrize("value", [1, " x"])
def test_values_of_headers_that_are_refused(compared: Comparison, api: Lists, value: Any) -> None:
    def make(rest: Any) -> Any:
        return rest.rest_api_source(config(api, things(headers={"X-Odd": value})))

    ours, theirs = requests_of(compared, api, make)
    assert ours == theirs
    compared.check(failed=True)


def test_a_session_of_a_user(compared: Comparison, api: Lists) -> None:
    session: Any = requests.Session()
    session.cookies.set("c", "1")
    session.headers["X-Session"] = "mine"
    session.params = {"from": "session"}
    asked = _alike(compared, api, "things", session=session)
    assert {each["headers"]["x-session"] for each in asked} == {"mine"}
    assert {each["headers"]["cookie"] for each in asked} == {"c=1"}


def test_cookies_of_an_api(compared: Comparison, api: Lists) -> None:
    def answered(request: Request) -> Response | None:
        if request.query_params.get("page"):
            return None
        link = f"{api.url}/things?page=1"
        return answer({"data": [{"id": 0}], "next": link}, headers={"Set-Cookie": "seen=1"})

    api.answer = answered
    asked = _alike(compared, api, "things")
    assert [each["headers"].get("cookie") for each in asked] == [None, "seen=1", "seen=1"]


# ---- what of an answer


SELECTORS: dict[str, Any] = {
    "name": "data",
    "root": "$",
    "from_root": "$.data",
    "in_rows": "data[*].nested",
    "in_lists": "data[*].nested.ids",
    "every_list": "data[*].nested.ids[*]",
    "one": "data[0]",
    "some": "data[0:1]",
    "anywhere": "$..deep",
    "a_value": "total",
    "an_object": "cursors",
    "nothing": "none",
    "to_be_found": None,
}


def test_data_selectors(compared: Comparison, api: Lists) -> None:
    resources = [
        {"name": name, "endpoint": {"path": "things", "data_selector": selector}}
        for name, selector in SELECTORS.items()
    ]
    _alike(compared, api, *resources)
    assert taken(compared, "name", "root", "from_root", "to_be_found")


ANSWERS: dict[str, Any] = {
    "bare_list": [ROWS[0], {"id": 7}],
    "one_object": {"id": 1, "name": "x"},
    "items": {"items": [{"id": 1}], "meta": {"n": 1}},
    "deep": {"result": {"records": [{"id": 1}], "more": False}},
    "two_lists": {"data": [{"id": 1}], "errors": [{"text": "x"}]},
    "empty_list": {"data": []},
    "empty_object": {},
    "null": {"data": None, "other": 1},
    "scalars": ["a", "b"],
    "lists_of_lists": [[{"id": 1}], [{"id": 2}]],
}


@pytest.mark.slow
def test_rows_that_are_to_be_found(compared: Comparison, api: Lists) -> None:
    api.answer = lambda request: answer(ANSWERS[request.url.path[1:]])
    pages: dict[str, Row] = {
        "unsaid": {},
        "single": {"paginator": "single_page"},
        "auto": {"paginator": "auto"},
    }

    def load(kinds: Iterable[str]) -> None:
        made = config(
            api,
            *(
                {"name": f"{name}_{kind}", "endpoint": {"path": name, **pages[kind]}}
                for name in ANSWERS
                for kind in kinds
            ),
        )
        del made["resource_defaults"]
        compared.load(lambda rest: rest.rest_api_source(made))

    load(list(pages))
    load(["unsaid"])
    compared.check()


# ---- what holds for all


def test_resource_defaults(compared: Comparison, api: Lists) -> None:
    for name in ("two", "three"):
        api.pages[name] = PAGES
    defaults: Row = {
        "primary_key": "id",
        "write_disposition": "merge",
        "columns": {"at": {"data_type": "text"}},
        "max_table_nesting": 0,
        "endpoint": {
            "data_selector": "data",
            "params": {"per_page": 2, "sort": "id"},
            "headers": {"X-Default": "1"},
        },
    }
    resources: list[Any] = [
        "things",
        {
            "name": "two",
            "max_table_nesting": 2,
            "columns": {"id": {"data_type": "double"}, "at": {"nullable": False}},
            "endpoint": {"params": {"sort": "at", "more": 1}, "headers": {"X-Own": "2"}},
        },
        {"name": "three", "write_disposition": "append", "endpoint": {"data_selector": "data[0]"}},
    ]

    def make(rest: Any) -> Any:
        made = {**config(api, *resources), "resource_defaults": defaults}
        return rest.rest_api_source(made, name="named", section="sections")

    compared.load(make)
    ours, theirs = requests_of(compared, api, make)
    assert ours == theirs
    assert "per_page=2&sort=at&more=1" in {query for path, query, *_ in ours if path == "/two"}
    assert taken(compared, "things", "two", "three")
    compared.check()


def test_defaults_of_bodies(compared: Comparison, api: Lists) -> None:
    _echo(api)
    made = config(api, "things", {"name": "own", "endpoint": {"json": {"b": {"y": 1}}}})
    made["resource_defaults"]["endpoint"] |= {"method": "POST", "json": {"a": 1, "b": {"x": 1}}}
    compared.load(lambda rest: rest.rest_api_source(made))
    bodies = sorted({body for _, _, _, body in api.asked})
    assert bodies == ['{"a": 1, "b": {"x": 1}}', '{"a": 1, "b": {"y": 1}}']
    compared.check()
