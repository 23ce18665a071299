from __future__ import annotations

import time
from email.utils import formatdate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restarrow.http.limits import Allowance, read_allowance, read_wait
from restarrow.types import Headers

_NOW = 1_800_000_000.0
_DATE = formatdate(_NOW, usegmt=True)


def test_the_epoch_of_rootly_is_no_span_of_time() -> None:
    headers = Headers(
        {
            "X-RateLimit-Limit": "3000, 3000;window=60",
            "X-RateLimit-Remaining": "12",
            "X-RateLimit-Used": "2988",
            "X-RateLimit-Reset": str(int(_NOW) + 42),
            "Date": _DATE,
        }
    )
    # the local clock is wrong by a year
    assert read_allowance(headers, _NOW - 31_536_000) == Allowance(3000, 12, 42)


@pytest.mark.parametrize(
    ("headers", "allowance"),
    [
        (
            {"RateLimit-Limit": "100", "RateLimit-Remaining": "5", "RateLimit-Reset": "7"},
            Allowance(100, 5, 7),
        ),
        ({"RateLimit": "limit=100, remaining=5, reset=7"}, Allowance(100, 5, 7)),
        (
            {"RateLimit": '"default";r=5;t=7', "RateLimit-Policy": '"default";q=100;w=60'},
            Allowance(100, 5, 7),
        ),
        ({"X-Rate-Limit-Remaining": "5", "X-Rate-Limit-Reset": "7.5"}, Allowance(None, 5, 7.5)),
        (
            {"X-RateLimit-Remaining": "5", "X-RateLimit-Reset": f"{int(_NOW + 7) * 1000}"},
            Allowance(None, 5, 7),
        ),
        (
            {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": formatdate(_NOW + 9, usegmt=True)},
            Allowance(None, 0, 9),
        ),
        (
            {"X-RateLimit-Remaining": "12, 800", "X-RateLimit-Reset": "7"},
            Allowance(None, 12, 7),
        ),
        ({"X-RateLimit-Remaining": "5", "X-RateLimit-Reset": "1000000001"}, Allowance(None, 5, 0)),
        ({"X-RateLimit-Remaining": "5"}, None),
        ({"X-RateLimit-Reset": "5"}, None),
        ({"X-RateLimit-Remaining": "many", "X-RateLimit-Reset": "5"}, None),
        ({"X-RateLimit-Remaining": "5", "X-RateLimit-Reset": "soon"}, None),
        ({}, None),
    ],
)
def test_what_is_left(headers: dict[str, str], allowance: Allowance | None) -> None:
    assert read_allowance(Headers(headers), _NOW) == allowance


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        ("7", 7.0),
        (" 7 ", 7.0),
        ("1.5", 1.5),
        ("0", 0.0),
        (formatdate(_NOW + 90, usegmt=True), 90.0),
        (formatdate(_NOW - 90, usegmt=True), 0.0),
        (formatdate(_NOW + 90), 90.0),
        ("-5", None),
        ("soon", None),
        ("", None),
        ("Fri, 99 Foo 2024", None),
    ],
)
def test_retry_after(value: str, wait: float | None) -> None:
    headers = Headers({"Retry-After": value, "Date": _DATE})
    assert read_wait(headers, _NOW + 1e6, limited=False) == wait


def test_without_retry_after_a_429_waits_for_the_reset() -> None:
    headers = Headers({"X-RateLimit-Reset": str(int(_NOW) + 42), "Date": _DATE})
    assert read_wait(headers, _NOW, limited=True) == 42
    assert read_wait(headers, _NOW, limited=False) is None
    with_rest = Headers({"RateLimit": "limit=9, remaining=0, reset=3"})
    assert read_wait(with_rest, _NOW, limited=True) == 3


def test_retry_after_comes_before_the_reset() -> None:
    headers = Headers({"Retry-After": "3", "X-RateLimit-Reset": "42"})
    assert read_wait(headers, _NOW, limited=True) == 3


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(
            ["retry-after", "date", "ratelimit", "ratelimit-policy"]
            + [
                f"{p}-{n}"
                for p in ("x-ratelimit", "ratelimit")
                for n in ("limit", "remaining", "reset")
            ]
        ),
        st.text() | st.integers().map(str) | st.floats(0, 1e12).map(str),
    ),
    st.booleans(),
)
def test_no_header_makes_it_fail_or_wait_for_less_than_nothing(
    headers: dict[str, str], limited: bool
) -> None:
    now = time.time()
    wait = read_wait(Headers(headers), now, limited=limited)
    assert wait is None or wait >= 0
    allowance = read_allowance(Headers(headers), now)
    assert allowance is None or allowance.reset >= 0


@settings(deadline=None)
@given(st.integers(0, 4_000_000_000))
def test_a_reset_is_never_decades_away(reset: int) -> None:
    """An epoch read as a span would be: it is the trap that this module is there for."""
    headers = Headers({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(reset)})
    allowance = read_allowance(headers, _NOW)
    assert allowance is not None
    if reset >= 1_000_000_000:
        assert allowance.reset == max(0.0, reset - _NOW)
    else:
        assert allowance.reset == reset
