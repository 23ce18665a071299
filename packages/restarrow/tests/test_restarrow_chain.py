"""Many lists read as one: each behind the other, and ahead of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packages.restarrow.tests.fake_pages import Answer, Fake, read, rows_of, threads

from restarrow.errors import PagingError
from restarrow.paging import (
    ChainPlan,
    CursorPlan,
    JsonLinkPlan,
    LoopPolicy,
    OffsetPlan,
    PageNumberPlan,
    Plan,
    SinglePagePlan,
    Slice,
    SlicePlan,
    SlicePolicy,
    WindowPolicy,
)
from restarrow.types import Headers, Page, Request

SIZE = 3
KINDS = ("single", "cursor", "number", "offset")
lists = st.lists(st.tuples(st.integers(0, 4 * SIZE), st.sampled_from(KINDS)), min_size=1)
#: How many pages each list has, and how wide the window is.
Lists = list[tuple[int, str]]


def rows_in(lists: Lists) -> list[list[str]]:
    """Return the rows of each list; no two rows are equal."""
    return [[f"{at}-{row}" for row in range(count)] for at, (count, _) in enumerate(lists)]


def answering(rows: list[list[str]]) -> Answer:
    """Answer with the page of a list that a request asks for, whatever way it is paged."""

    def answer(request: Request) -> dict[str, Any]:
        every, asked = rows[int(request.path)], request.params
        if asked["kind"] == "single":
            return {"items": every}
        at = int(asked.get("cursor", 0)) or asked.get("offset", 0) or asked.get("page", 0) * SIZE
        body: dict[str, Any] = {"items": every[at : at + SIZE]}
        if at + SIZE < len(every):
            body["cursors"] = {"next": str(at + SIZE)}
        return body

    return answer


def plan_of(at: int, kind: str) -> Plan:
    request = Request("GET", str(at), {"kind": kind})
    match kind:
        case "cursor":
            return CursorPlan(request)
        case "number":
            return PageNumberPlan(request, total_path=None)
        case "offset":
            return OffsetPlan(request, SIZE, total_path=None)
        case _:
            return SinglePagePlan(request)


def window(most: int, *, speculate: bool = True) -> WindowPolicy:
    return WindowPolicy(most=most, adaptive=False, speculate=speculate)


@given(lists=lists, most=st.integers(1, 6), speculate=st.booleans())
@settings(max_examples=100, deadline=None)
def test_the_rows_of_any_lists_come_in_their_order_once(
    lists: Lists, most: int, speculate: bool
) -> None:
    rows = rows_in(lists)
    plan = ChainPlan([plan_of(at, kind) for at, (_, kind) in enumerate(lists)])

    found = list(read(Fake(answering(rows)), plan, window(most, speculate=speculate)))

    assert rows_of(found) == [row for every in rows for row in every]
    assert [page.number for page in found] == list(range(len(found)))
    assert [page.last for page in found] == [False] * (len(found) - 1) + [True]


@given(lists=lists, most=st.integers(1, 6))
@settings(max_examples=60, deadline=None)
def test_the_place_of_a_list_is_told_just_before_each_of_its_pages(lists: Lists, most: int) -> None:
    rows, told = rows_in(lists), list[int]()
    plan = ChainPlan([plan_of(at, kind) for at, (_, kind) in enumerate(lists)], note=told.append)

    for seen, page in enumerate(read(Fake(answering(rows)), plan, window(most)), start=1):
        assert len(told) == seen, "it is told once for each page, and of no page to come"
        assert page.page.request.path == str(told[-1])
        assert {row.partition("-")[0] for row in page.rows} <= {str(told[-1])}

    assert sorted(set(told)) == list(range(len(lists)))


@given(lists=st.lists(st.tuples(st.integers(0, 12), st.sampled_from(KINDS[:2])), min_size=1))
@settings(max_examples=40, deadline=None)
def test_no_page_is_fetched_that_reading_list_after_list_would_not_fetch(lists: Lists) -> None:
    rows = rows_in(lists)
    plans = [plan_of(at, kind) for at, (_, kind) in enumerate(lists)]
    chained, apart = Fake(answering(rows)), Fake(answering(rows))

    list(read(chained, ChainPlan(plans), window(4, speculate=False)))
    for plan in plans:
        list(read(apart, plan, window(1, speculate=False)))

    assert sorted(map(repr, chained.asked)) == sorted(map(repr, apart.asked))


def test_first_pages_of_the_lists_behind_are_under_way_at_the_same_time() -> None:
    rows = rows_in([(2, "single")] * 24)
    fetch = Fake(answering(rows), delay=lambda: 0.01)
    plan = ChainPlan([plan_of(at, "single") for at in range(24)])

    found = rows_of(read(fetch, plan, window(6)))

    assert found == [row for every in rows for row in every]
    assert 4 <= fetch.peak <= 6
    assert len(fetch.asked) == 24


def test_the_lists_behind_a_long_one_do_not_wait_for_its_end() -> None:
    rows = rows_in([(6 * SIZE, "cursor"), *[(1, "single")] * 3])
    fetch = Fake(answering(rows), delay=lambda: 0.002)
    plan = ChainPlan([plan_of(0, "cursor"), *(plan_of(at, "single") for at in range(1, 4))])

    pages = read(fetch, plan, window(4))
    next(pages)
    next(pages)
    asked = [request.path for request in list(fetch.asked)]
    remaining = rows_of(pages)

    assert {"1", "2"} <= set(asked), "they were asked for when the first list had four pages to go"
    assert len(remaining) == 4 * SIZE + 3
    assert len(fetch.asked) == 9, "and not once more"


def test_one_list_is_read_as_it_is_without_a_chain() -> None:
    rows = rows_in([(2 * SIZE + 1, "cursor")])

    assert rows_of(read(Fake(answering(rows)), ChainPlan([plan_of(0, "cursor")]))) == rows[0]


@pytest.mark.parametrize("kind", KINDS)
def test_lists_without_rows_are_a_page_each(kind: str) -> None:
    plan = ChainPlan([plan_of(at, kind) for at in range(100)])

    found = list(read(Fake(answering([[]] * 100)), plan, window(4, speculate=False)))

    assert [page.page.request.path for page in found] == [str(at) for at in range(100)]
    assert rows_of(found) == []


@pytest.mark.parametrize("kind", KINDS)
def test_lists_may_be_equal(kind: str) -> None:
    # such as the one alert that many incidents have
    plan = ChainPlan([plan_of(at, kind) for at in range(30)])

    assert rows_of(read(Fake(answering([["a"]] * 30)), plan, window(3))) == ["a"] * 30


def test_a_list_that_never_ends_is_found_behind_others() -> None:
    def answer(request: Request) -> dict[str, Any]:
        return {"items": ["a"]}

    plans = [plan_of(at, "single") for at in range(5)]
    endless = PageNumberPlan(Request("GET", "5"), total_path=None)
    policy = WindowPolicy(most=1, loops=LoopPolicy(same_pages=8))

    with pytest.raises(PagingError, match="pages are equal") as raised:
        list(read(Fake(answer), ChainPlan([*plans, endless]), policy))

    assert raised.value.path == "5"


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_list_that_cannot_go_on_is_an_error_behind_its_rows(place: int) -> None:
    def answer(request: Request) -> dict[str, Any]:
        broken = request.path == str(place)
        return {"items": [request.path], "next": 7 if broken else None}

    plans = [JsonLinkPlan(Request("GET", str(at)), next_url_path="next") for at in range(3)]
    found: list[str] = []

    with pytest.raises(PagingError, match="no URL") as raised:
        found.extend(
            row for page in read(Fake(answer), ChainPlan(plans), window(3)) for row in page.rows
        )

    assert found == [str(at) for at in range(place + 1)]
    assert raised.value.path == str(place)
    assert threads() == []


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_slice_that_is_too_full_is_an_error_wherever_it_is(place: int) -> None:
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    moment = Slice(begin, begin + timedelta(seconds=1))

    def answer(request: Request) -> dict[str, Any]:
        return {"items": list(range(5 if request.path == str(place) else 1))}

    def sliced(at: int) -> SlicePlan:
        return SlicePlan([moment], lambda _: Request("GET", str(at)), policy=SlicePolicy(cap=5))

    with pytest.raises(PagingError, match="more rows between"):
        list(read(Fake(answer), ChainPlan([sliced(at) for at in range(3)])))


def test_a_list_that_cannot_be_fetched_is_an_error_behind_those_before_it() -> None:
    rows = rows_in([(2, "single")] * 5)
    fetch = Fake(answering(rows), fails={3: OSError("broken")})
    plan = ChainPlan([plan_of(at, "single") for at in range(5)])
    found: list[str] = []

    with pytest.raises(OSError, match="broken"):
        found.extend(row for page in read(fetch, plan, window(1)) for row in page.rows)

    assert found == [row for every in rows[:3] for row in every]


def test_a_chain_can_be_read_again_from_its_beginning() -> None:
    rows = rows_in([(4, "cursor"), (0, "offset"), (7, "number")])
    kinds = ("cursor", "offset", "number")
    plan = ChainPlan([plan_of(at, kind) for at, kind in enumerate(kinds)])

    once, twice = (rows_of(read(Fake(answering(rows)), plan)) for _ in range(2))

    assert once == twice == [row for every in rows for row in every]


def test_what_follows_is_told_for_thousands_of_lists_without_writing_them_all_down() -> None:
    plan = ChainPlan([plan_of(at, "single") for at in range(5000)])
    page = Page(0, plan.first(), "http://a/0", 200, Headers(), b"")

    following = plan.after(page, {"items": []}, [])

    assert not following.done
    assert [request.path for request in following.requests][:3] == ["1", "2", "3"]
    assert len(following.requests) < 100
