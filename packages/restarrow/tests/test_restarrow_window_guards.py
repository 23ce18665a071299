"""What the window does not read for ever, and what it knows of the pages to come."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packages.restarrow.tests.fake_pages import (
    Fake,
    pages,
    read,
    rows_of,
    threads,
)

from restarrow.errors import ConfigurationError, PagingError
from restarrow.paging import (
    Continuation,
    CursorPlan,
    HeaderCursorPlan,
    JsonLinkPlan,
    LoopPolicy,
    OffsetPlan,
    SinglePagePlan,
    WindowPolicy,
)
from restarrow.paging.plans import Ahead
from restarrow.types import Headers, Page, Request


def test_a_bad_window_is_refused() -> None:
    bads: list[dict[str, Any]] = [
        {"most": 0},
        {"least": 3, "most": 2},
        {"initial": 0},
        {"max_bytes": 0},
    ]
    for bad in bads:
        with pytest.raises(ConfigurationError):
            WindowPolicy(**bad)


# lists that never end


def test_a_cursor_that_repeats_is_an_error_with_its_page() -> None:
    ring = {None: "a", "a": "b", "b": "c", "c": "a"}
    fetch = Fake(
        lambda request: {"items": [1], "cursors": {"next": ring[request.params.get("cursor")]}}
    )
    got: list[int] = []
    with pytest.raises(PagingError, match=r"list, page 3: .*read before") as caught:
        got.extend(p.number for p in read(fetch, CursorPlan(Request("GET", "list"))))
    assert got == [0, 1, 2, 3]
    assert caught.value.page == 3
    assert len(fetch.asked) == 4


def test_a_link_to_itself_is_an_error() -> None:
    fetch = Fake(lambda _: {"items": [1], "next": "http://a/list?page=2"})
    with pytest.raises(PagingError, match="page 1: "):
        list(read(fetch, JsonLinkPlan(Request("GET", "http://a/list"))))


def test_an_empty_header_cursor_is_sent_once() -> None:
    fetch = Fake(lambda _: {"items": [1], "headers": {"next": ""}})
    with pytest.raises(PagingError, match="page 1: "):
        list(read(fetch, HeaderCursorPlan(Request("GET", "list"))))
    assert [dict(each.params) for each in fetch.asked] == [{}, {"cursor": ""}]


def test_a_scroll_may_keep_its_cursor() -> None:
    left = [[1, 2], [3], [4], [5], []]
    fetch = Fake(lambda _: {"items": left.pop(0), "cursors": {"next": "same"}})
    plan = CursorPlan(Request("GET", "list"), stop_after_empty_page=True)
    assert rows_of(read(fetch, plan)) == [1, 2, 3, 4, 5]


def test_an_api_that_does_not_count_is_an_error() -> None:
    fetch = Fake(lambda _: {"items": [{"id": 1}, {"id": 2}]})
    got: list[int] = []
    with pytest.raises(PagingError, match="page 7: the last 8 pages are equal"):
        got.extend(p.number for p in read(fetch, pages(total_path=None)))
    assert got == list(range(8))


def test_equal_pages_without_rows_are_no_loop() -> None:
    fetch = Fake(lambda _: {"items": [], "total": 30})
    plan = pages(stop_after_empty_page=False)
    assert len(list(read(fetch, plan))) == 30


def test_the_guard_can_be_told_otherwise() -> None:
    fetch = Fake(lambda _: {"items": [7], "total": 30})
    policy = WindowPolicy(loops=LoopPolicy(same_pages=0))
    assert rows_of(read(fetch, pages(), policy)) == [7] * 30


@pytest.mark.parametrize("link", ["", 5, {"href": "x"}, "http://[bad"])
def test_a_link_that_is_none_is_an_error_after_its_page(link: Any) -> None:
    fetch = Fake(lambda _: {"items": [1], "next": link})
    got: list[int] = []
    with pytest.raises(PagingError, match="page 0: the link to the next page"):
        got.extend(p.number for p in read(fetch, JsonLinkPlan(Request("GET", "http://a/list"))))
    assert got == [0]


# totals that move


@given(steps=st.lists(st.integers(0, 12), min_size=1, max_size=14), most=st.integers(1, 6))
@settings(max_examples=60, deadline=None)
def test_each_page_decides_by_the_total_that_it_tells(steps: list[int], most: int) -> None:
    """As if read one by one, however the total shrinks and grows from page to page."""

    def total(number: int) -> int:
        return steps[min(number, len(steps) - 1)]

    fetch = Fake(
        lambda request: {
            "items": [request.params["page"]],
            "total": total(request.params["page"]),
        }
    )
    want = 1
    while want < total(want - 1):
        want += 1
    assert rows_of(read(fetch, pages(), WindowPolicy(most=most))) == list(range(want))
    assert not threads()


def test_what_was_expected_but_is_not_is_dropped() -> None:
    fetch = Fake(
        lambda request: {
            "items": [request.params["page"]],
            "total": 50 if request.params["page"] < 3 else 4,
        }
    )
    assert rows_of(read(fetch, pages(), WindowPolicy(most=4, adaptive=False))) == [0, 1, 2, 3]
    assert len(fetch.asked) <= 4 + 8


# plans of one's own


class Countdown:
    """A plan that keeps state and changes its mind about what comes next."""

    def __init__(self, begin: int) -> None:
        self.begin = begin

    def first(self) -> Request:
        return Request("GET", "list", {"page": self.begin})

    def after(self, page: Page, payload: Any, rows: Sequence[Any]) -> Continuation:
        here = page.request.params["page"]
        likely = [Request("GET", "list", {"page": at}) for at in range(here - 1, -1, -1)]
        if here == 7:
            likely.insert(0, Request("GET", "list", {"page": 700}))
        if here == 700:
            likely = [Request("GET", "list", {"page": at}) for at in range(6, -1, -1)]
        return Continuation(likely, done=not likely)


def test_a_plan_may_put_a_page_between_without_fetching_others_again() -> None:
    fetch = Fake(lambda request: {"items": [request.params["page"]]}, delay=lambda: 0.001)
    got = list(read(fetch, Countdown(9), WindowPolicy(most=4, adaptive=False)))
    assert [page.rows[0] for page in got] == [9, 8, 7, 700, 6, 5, 4, 3, 2, 1, 0]
    assert [page.page.number for page in got] == list(range(11))
    assert len(fetch.asked) == 11, "pages that were under way were kept under a new number"


def test_a_single_page_is_one_request() -> None:
    fetch = Fake(lambda _: {"items": [1, 2]})
    got = list(read(fetch, SinglePagePlan(Request("GET", "list"))))
    assert [(page.rows, page.last) for page in got] == [([1, 2], True)]
    assert len(fetch.asked) == 1


def test_all_remaining_requests_are_known_after_the_first_page() -> None:
    plan = OffsetPlan(Request("GET", "list"), 10)
    first = Page(0, plan.first(), "http://a/list", 200, Headers(), b"")
    following = plan.after(first, {"total": 95}, [0] * 10)
    assert following.certain
    assert [request.params["offset"] for request in following.requests] == list(range(10, 95, 10))
    assert following.requests[-1].params == {"offset": 90, "limit": 10}
    assert [r.params["offset"] for r in following.requests[2:4]] == [30, 40]
    with pytest.raises(IndexError):
        following.requests[9]


def test_requests_are_not_guessed_far_beyond_what_was_read() -> None:
    plan = OffsetPlan(Request("GET", "list"), 10, total_path=None)
    for number in range(5):
        page = Page(number, plan.request_at(number), "http://a/list", 200, Headers(), b"")
        following = plan.after(page, {}, [0] * 10)
        assert not following.certain
        assert len(following.requests) == number + 1


def test_consecutive_requests_know_whether_they_are_the_same() -> None:
    plan = pages()
    some = Ahead(plan.request_at, 1, 9)
    assert Ahead(plan.request_at, 3, 2).continues(some, 2)
    assert not Ahead(plan.request_at, 3, 2).continues(some, 1)
    assert not Ahead(pages().request_at, 3, 2).continues(some, 2)
    assert not Ahead(plan.request_at, 1, 2).continues(list(some), 0)


def test_a_list_may_say_that_it_has_pages_without_end() -> None:
    far = Ahead(pages().request_at, 3, 10**100)

    assert len(far) > 10**9
    assert far[10**9].params["page"] == 10**9 + 3
