"""The rows of pages as bytes: always the same rows as decoding the page gives."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from restarrow.dlt.lane import decoded
from restarrow.errors import BodyError, ConfigurationError, NormaliseError
from restarrow.normalise.byte_lane import Raws
from restarrow.paging import DecodedPage, RowSelector
from restarrow.rows import RawRows, RowReader, batches
from restarrow.types import Headers, Page, Request

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


def page(body: Any, number: int = 0) -> Page:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = Request("GET", "/things")
    return Page(number, request, "http://127.0.0.1/things", 200, Headers(), content)


def rows_of(reader: RowReader, body: Any) -> tuple[Any, list[Any], bool]:
    """Return what was decoded around the rows, the rows decoded, and whether they were bytes."""
    payload = reader.decode(page(body))
    found = reader.select(payload)
    raw = isinstance(found, RawRows)
    return payload, [msgspec.json.decode(row) if raw else row for row in found], raw


@pytest.mark.parametrize(
    ("selector", "body"),
    [
        ("data", {"data": [{"a": 1}, {"a": "é"}], "total": 2}),
        ("data", {"total": 2, "data": [], "links": {"next": None}}),
        ("a.b.data", {"a": {"x": 1, "b": {"data": [1, [2], None]}}, "y": 2}),
        ("$", [{"a": 1}, {"b": [1, 2]}]),
        ("['odd key']", {"odd key": [{"a": 1}]}),
    ],
)
def test_rows_that_are_left_as_bytes(selector: str, body: Any) -> None:
    reader = RowReader(selector)
    for _ in range(2):  # the second time, it knows the keys
        payload, rows, raw = rows_of(reader, body)
        assert raw
        assert rows == RowSelector(selector)(body)
        if isinstance(body, dict):
            assert list(payload) == list(body) or set(payload) == set(body)  # pyright: ignore[reportUnknownArgumentType]
            assert payload.get("total") == body.get("total")  # pyright: ignore[reportUnknownMemberType]


@pytest.mark.parametrize(
    ("selector", "body"),
    [
        ("data", {"data": {"a": 1}}),
        ("data", {"data": None}),
        ("data", {"other": []}),
        ("data", [1, 2]),
        ("$", {"a": 1}),
        ("data[*].x", {"data": [{"x": 1}, {"x": 2}]}),
        ("data[0]", {"data": [[{"a": 1}]]}),
    ],
)
def test_pages_that_are_decoded_whole(selector: str, body: Any) -> None:
    payload, rows, raw = rows_of(RowReader(selector), body)
    assert not raw
    assert payload == body
    assert rows == RowSelector(selector)(body)


def test_without_a_selector_the_first_page_decides() -> None:
    reader = RowReader()
    assert rows_of(reader, {"meta": {"pages": 2}, "items": [{"a": 1}]})[1:] == ([{"a": 1}], True)
    assert rows_of(reader, {"items": [{"a": 2}], "data": [{"b": 1}]})[1:] == ([{"a": 2}], True)
    assert rows_of(RowReader(), {"a": 1})[1:] == ([{"a": 1}], False)
    assert rows_of(RowReader(), [{"a": 1}])[1:] == ([{"a": 1}], True)


@pytest.mark.parametrize("looked_at", ["data[0].id", "data", "data.next", "$"])
def test_rows_that_are_looked_at_are_decoded(looked_at: str) -> None:
    reader = RowReader("data", [looked_at])
    body = {"data": [{"id": 1}]}
    assert rows_of(reader, body) == (body, [{"id": 1}], False)


def test_what_is_beside_rows_may_be_looked_at() -> None:
    assert rows_of(RowReader("a.data", ["a.next", "meta.total"]), {"a": {"data": []}})[2]
    reader = RowReader("data", ["total"])
    reader.decode_rows()
    assert not rows_of(reader, {"data": [1], "total": 1})[2]


def test_other_keys_than_on_the_page_before() -> None:
    reader = RowReader("data")
    assert rows_of(reader, {"data": [1], "next": "x"})[0]["next"] == "x"
    assert rows_of(reader, {"data": [2]})[1:] == ([2], True)
    assert rows_of(reader, {"data": [3], "more": True})[0]["more"] is True
    assert rows_of(reader, {"data": {"a": 1}, "more": True})[1:] == ([{"a": 1}], False)
    assert rows_of(reader, {"data": [4], "more": False})[1:] == ([4], True)


@given(JSON)
def test_any_answer_has_the_same_rows(body: Any) -> None:
    for selector in ("data", "$", "a.b"):
        reader = RowReader(selector)
        for _ in range(2):
            assert rows_of(reader, body)[1] == RowSelector(selector)(body)


@given(st.lists(JSON, max_size=5), st.dictionaries(st.text(max_size=3), JSON, max_size=4))
def test_any_list_has_the_same_rows(rows: list[Any], around: dict[str, Any]) -> None:
    body = {**around, "data": rows}
    reader = RowReader("data")
    for _ in range(2):
        payload, found, raw = rows_of(reader, body)
        assert raw
        assert found == rows
        assert {key: value for key, value in payload.items() if key != "data"} == {
            key: value for key, value in around.items() if key != "data"
        }


@pytest.mark.parametrize("body", [b'{"data": [{"a": 1', b'{"data": [}', b"", b'{"data": [1] "x"}'])
def test_what_is_no_json_is_an_error_that_names_the_page(body: bytes) -> None:
    reader = RowReader("data")
    with pytest.raises(BodyError, match="page 7"):
        reader.decode(page(body, 7))


def test_rows_before_a_page_are_a_mistake() -> None:
    with pytest.raises(ConfigurationError, match="before a page"):
        RowReader().select({})


def _pages(*each: Any) -> list[DecodedPage]:
    return [
        DecodedPage(number, page(b"x" * 10), None, rows, last=number == len(each) - 1)
        for number, rows in enumerate(each)
    ]


def _raw(*rows: int) -> RawRows:
    return RawRows(msgspec.Raw(str(row).encode()) for row in rows)


def test_batches_are_bounded_by_rows_and_by_bytes() -> None:
    pages = _pages([1], [2], [3], [], [4], [5])
    assert list(batches(pages, most_rows=2)) == [[1, 2], [3, 4], [5]]
    assert list(batches(pages, most_bytes=20)) == [[1, 2], [3], [4, 5]]
    assert list(batches(pages)) == [[1, 2, 3, 4, 5]]
    assert list(batches(_pages([], []))) == []


def test_bytes_and_decoded_rows_are_not_mixed() -> None:
    found = list(batches(_pages([1], _raw(2), _raw(3), [4])))
    assert [isinstance(each, Raws) for each in found] == [False, True, False]
    assert [len(each) for each in found] == [1, 2, 1]
    assert isinstance(found[1], Raws)
    assert found[1].checked


def test_rows_for_dlt_that_are_no_values_are_a_clear_error() -> None:
    assert decoded(Raws([b'{"a":1e999}'])) == [{"a": float("inf")}]
    with pytest.raises(NormaliseError, match="a number in a row has thousands of digits"):
        decoded(Raws([b'{"a":%s}' % (b"1" * 5000)]))
    with pytest.raises(NormaliseError, match="not JSON"):
        decoded(Raws([b'{"a":nope}']))
