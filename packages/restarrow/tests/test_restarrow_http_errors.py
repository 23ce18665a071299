"""The leaves: errors and types."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restarrow import errors
from restarrow.errors import (
    AuthenticationError,
    BodyError,
    ClosedError,
    ConfigurationError,
    DepthError,
    FetchError,
    ForeignOriginError,
    NormaliseError,
    PagingError,
    RateLimitedError,
    RestarrowError,
    StatusError,
    TransportError,
    UnsupportedError,
    Where,
)
from restarrow.types import Headers, Page, Request

_WHERE = Where("GET", "/v1/incidents", 3, 5)

_ALL: list[RestarrowError] = [
    RestarrowError("what"),
    ConfigurationError("what"),
    FetchError("what", _WHERE),
    TransportError("what", _WHERE),
    StatusError("what", _WHERE, status=500, excerpt="body", headers={"x": "y"}),
    AuthenticationError("what", _WHERE, status=401),
    RateLimitedError("what", _WHERE, status=429),
    BodyError("what", _WHERE, reason="truncated", offset=7),
    ForeignOriginError("what", _WHERE),
    ClosedError("what", _WHERE),
    PagingError("what", path="/v1/incidents", page=3),
    NormaliseError("what", table="incidents"),
    DepthError(300, table="incidents"),
    UnsupportedError("what", table="incidents"),
]


def test_every_error_is_here_and_in_the_drawing() -> None:
    made = {type(error) for error in _ALL}
    there = {
        each
        for each in vars(errors).values()
        if isinstance(each, type) and issubclass(each, RestarrowError)
    }
    assert made == there
    assert errors.__doc__ is not None
    assert [each.__name__ for each in there if each.__name__ not in errors.__doc__] == []


@pytest.mark.parametrize("error", _ALL, ids=lambda error: type(error).__name__)
def test_errors_can_be_pickled_and_copied(error: RestarrowError) -> None:
    error.add_note("seen by a test")
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(again) is type(error)
        assert str(again) == str(error)
        assert again.__dict__ == error.__dict__
        assert again is not error


def test_messages_say_what_and_where() -> None:
    error = FetchError("not found (404)", _WHERE)
    assert str(error) == "GET /v1/incidents, page 3, after 5 attempts: not found (404)"
    assert (error.method, error.path, error.page, error.attempts) == ("GET", "/v1/incidents", 3, 5)
    assert str(error.after(1)) == "GET /v1/incidents, page 3: not found (404)"
    assert str(_ALL[10]) == "/v1/incidents, page 3: what"
    assert str(UnsupportedError("cookies", table="t")) == "table t: cookies"
    assert UnsupportedError("cookies").reason == str(UnsupportedError("cookies")) == "cookies"


def test_a_wrong_setting_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="what"):
        raise _ALL[1]


def test_a_wait_is_kept() -> None:
    error = RateLimitedError("what", _WHERE, status=429)
    assert error.wait is None
    error.wait = 7.5
    assert pickle.loads(pickle.dumps(error)).wait == 7.5


def test_headers_are_found_in_any_case_and_joined() -> None:
    headers = Headers([("Link", "<a>"), ("X-One", "1"), ("LINK", "<b>")])
    assert headers["link"] == headers["LiNk"] == "<a>, <b>"
    assert "X-ONE" in headers
    nothing: Any = 5
    assert nothing not in headers
    assert headers.get("x-two") is None
    assert dict(headers) == {"link": "<a>, <b>", "x-one": "1"}
    assert len(headers) == 2
    with pytest.raises(KeyError):
        headers["x-two"]


@settings(deadline=None)
@given(st.dictionaries(st.text(st.characters(max_codepoint=127)), st.text()))
def test_headers_hold_what_they_were_given(given_: dict[str, str]) -> None:
    headers = Headers(given_)
    assert set(headers) == {name.lower() for name in given_}
    assert pickle.loads(pickle.dumps(headers)) == headers


def test_a_page_shows_neither_body_nor_the_values_of_headers() -> None:
    page = Page(0, Request("GET", "/x"), "https://h/x", 200, Headers({"Set-Cookie": "s=1"}), b"pii")
    assert "pii" not in repr(page)
    assert "s=1" not in repr(page)
    assert pickle.loads(pickle.dumps(page)) == page
