"""Paths, links and flags: against the libraries that dlt uses for them."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from dlt.common import jsonpath
from dlt.sources.helpers.rest_client.client import RESTClient
from dlt.sources.helpers.rest_client.detector import (
    find_next_page_path,
    find_response_page_data,
    find_total_pages_path,
)
from hypothesis import given
from hypothesis import strategies as st
from requests import Response

from restarrow.errors import ConfigurationError, PagingError
from restarrow.paging import RowSelector, detect, finder
from restarrow.paging.detect import detect_rows
from restarrow.paging.flags import read_more, read_total
from restarrow.paging.links import asked_url, link_targets, resolve
from restarrow.paging.paths import check_body_path, with_body, with_param
from restarrow.types import Headers, Page, Request

NAMES = ["a", "b", "next", "@odata", "nextLink", "x-y", "_z", "wherever", "a b", "items", "0"]
STEPS = [".a", ".b", ".next", "['a b']", '["x-y"]', "[0]", "[1]", "[*]", ".@odata", ".items", "._z"]

payloads: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["", "text"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3)
    ),
    max_leaves=12,
)


def written(root: str, steps: list[str]) -> str:
    return (root + "".join(steps)).removeprefix(".")


paths = st.builds(
    written,
    st.sampled_from(["", "$"]),
    st.lists(st.sampled_from(STEPS), min_size=1, max_size=4),
)


@given(path=paths, payload=payloads)
def test_paths_find_what_jsonpath_ng_finds(path: str, payload: Any) -> None:
    assert list(finder(path)(payload)) == jsonpath.find_values(path, payload)


@given(text=st.text(st.sampled_from("ab.$[]'*0-@ \""), max_size=8), payload=payloads)
def test_a_path_is_understood_as_jsonpath_ng_does_or_refused(text: str, payload: Any) -> None:
    try:
        find = finder(text)
    except ConfigurationError:
        return
    assert list(find(payload)) == jsonpath.find_values(text, payload)


@pytest.mark.parametrize(
    "path",
    ["", "a..b", "..a", "a[?(@.b)]", "a[0:2]", "a|b", "a where b", "where", "a.true", "null",
     "a.", ".a", "a b", "`this`", "a[-1]", "$a", "a,b", "a.'b\\'c'", "*", "a.*", "a/b"],
)  # fmt: skip
def test_other_jsonpath_is_refused(path: str) -> None:
    with pytest.raises(ConfigurationError, match="not supported"):
        finder(path)


def test_a_function_is_a_path_too() -> None:
    assert finder(lambda payload: [payload, 1])("x") == ["x", 1]


@given(
    payload=st.dictionaries(st.sampled_from([*NAMES, "data", "meta", "rows"]), payloads, max_size=4)
    | payloads
)
def test_rows_are_where_dlt_finds_them(payload: Any) -> None:
    path, _ = find_response_page_data(payload)
    assert detect_rows(payload) == ".".join(path)


@given(path=paths, payload=payloads)
def test_rows_are_what_dlt_extracts(path: str, payload: Any) -> None:
    response = Response()
    response._content = json.dumps(payload).encode()  # pyright: ignore[reportPrivateUsage]
    want = RESTClient("http://a").extract_response(response, path)
    assert RowSelector(path)(payload) == want


def test_the_first_page_decides_where_rows_are() -> None:
    select = RowSelector()
    assert select({"meta": {"n": 1}, "records": [1]}) == [1]
    assert select({"items": [2]}) == []
    assert RowSelector()("alone") == ["alone"]
    assert RowSelector()(None) == []


@given(
    header=st.lists(
        st.sampled_from(
            ["<http://a/b?c=d>", "</x>", "; rel=next", '; rel="next"', "; REL=next", ",", ", ",
             '; title="a=b"', "; rel=prev", ";", "x", "; url=y", " ", "'", ' ; rel = "last"']
        ),
        max_size=8,
    ).map("".join)
)  # fmt: skip
def test_link_headers_are_read_as_requests_reads_them(header: str) -> None:
    response = Response()
    response.headers["Link"] = header
    want = {relation: link["url"] for relation, link in response.links.items()}
    assert {key: url for key, url in link_targets(header).items() if key} == {
        key: url for key, url in want.items() if key
    }


def test_links_are_seen_from_what_was_asked() -> None:
    assert resolve("https://b/c", "https://a/b") == "https://b/c"
    assert resolve("/c?x=1", "https://a/b/d?y=2") == "https://a/c?x=1"
    assert resolve("c", "https://a/b/d") == "https://a/b/c"
    assert resolve("?x=1", "https://a/b/d?y=2") == "https://a/b/d?x=1"
    assert asked_url("https://a/v1/", "/list") == "https://a/v1/list"
    assert asked_url("https://a/v1", "") == "https://a/v1"
    assert asked_url("https://a/v1", "http://b/c") == "http://b/c"
    assert asked_url("", "list") == "list"


def test_bodies_are_written_to_as_dlt_writes_and_left_as_they_were() -> None:
    bodies: list[Any] = [None, {}, {"a": {"b": 1, "c": 2}, "d": 3}, {"a": {}}]
    for body in bodies:
        given_body = copy.deepcopy(body)
        for path in ("a", "a.b", "x.y.z", "d"):
            want: dict[str, Any] = json.loads(json.dumps(body or {}))
            jsonpath.set_value_at_path(want, path, 9)
            request = Request("POST", "list", json=body)
            check_body_path(request, path)
            written = with_body(request, path, 9).json
            assert written == want
            assert json.dumps(written) == json.dumps(want)
        assert body == given_body


@pytest.mark.parametrize("body", [[1], {"a": [1]}, {"a": None}, {"a": "x"}, "x"])
def test_no_way_into_a_body_is_refused_before_anything_is_sent(body: Any) -> None:
    with pytest.raises(ConfigurationError, match="something else than an object"):
        check_body_path(Request("POST", "list", json=body), "a.b")


def test_a_body_path_beside_data_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="never be sent"):
        check_body_path(Request("POST", "list", data={"x": 1}), "a")


def test_a_parameter_stays_in_its_place() -> None:
    request = with_param(Request("GET", "list", {"page": 7, "q": "x"}), "page", 8)
    assert list(request.params.items()) == [("page", 8), ("q", "x")]


PAGE = Page(3, Request("GET", "list?token=secret"), "http://a/list", 200, Headers(), b"")


@pytest.mark.parametrize(
    ("told", "want"),
    [(True, True), (False, False), ("Yes", True), ("t", True), ("1", True), ("no", False),
     ("F", False), ("0", False)],
)  # fmt: skip
def test_flags_are_read(told: Any, want: bool) -> None:
    assert read_more(finder("more"), {"more": told}, PAGE) is want


@pytest.mark.parametrize("told", [None, 1, 0, "maybe", "", [True], {}])
def test_flags_that_say_nothing_are_errors_with_their_page(told: Any) -> None:
    with pytest.raises(PagingError, match=r"^list, page 3: the value at has_more_path"):
        read_more(finder("more"), {"more": told}, PAGE)


@pytest.mark.parametrize(
    ("told", "want"), [(5, 5), ("5", 5), (" 7 ", 7), (5.9, 5), (True, 1), (0, 0)]
)
def test_totals_are_read(told: Any, want: int) -> None:
    assert read_total(finder("total"), {"total": told}, PAGE) == want


@pytest.mark.parametrize("told", [None, "many", "", [5], {}, float("inf"), float("nan"), "5.0"])
def test_totals_that_are_none_are_errors_with_their_page(told: Any) -> None:
    with pytest.raises(PagingError, match=r"^list, page 3: the value at total_path"):
        read_total(finder("total"), {"total": told}, PAGE)


@given(
    payload=st.recursive(
        st.sampled_from([None, True, 1, 2.5, "x", "/a", "http://a"]),
        lambda inner: st.dictionaries(
            st.sampled_from(["next", "Next_url", "href", "url", "pages", "TotalPages", "a", "b"]),
            inner,
            max_size=3,
        ),
        max_leaves=8,
    )
)
def test_what_is_searched_for_is_found_where_dlt_finds_it(payload: Any) -> None:
    for look, want in (
        (detect._next_in, find_next_page_path(payload)),  # pyright: ignore[reportPrivateUsage]
        (detect._total_pages_in, find_total_pages_path(payload)),  # pyright: ignore[reportPrivateUsage]
    ):
        found = detect._search(payload, look)  # pyright: ignore[reportPrivateUsage]
        assert (found or (None, None)) == want
