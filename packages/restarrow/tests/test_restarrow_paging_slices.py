"""Long lists, cut by time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restarrow.errors import ConfigurationError, PagingError
from restarrow.paging import (
    CursorPlan,
    OffsetPlan,
    RowSelector,
    SinglePagePlan,
    Slice,
    SlicePlan,
    SlicePolicy,
    WindowPolicy,
    cut,
    halve,
    read_pages,
)
from restarrow.types import Headers, Page, Request

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return BEGIN + timedelta(minutes=minutes)


@given(length=st.integers(-5, 5000), width=st.integers(1, 700))
def test_slices_cover_the_range_without_gap_or_overlap(length: int, width: int) -> None:
    slices = cut(at(0), at(length), timedelta(minutes=width))
    if length <= 0:
        assert slices == ()
        return
    assert slices[0].start == at(0)
    assert slices[-1].end == at(length)
    assert all(one.end == two.start for one, two in pairwise(slices))
    assert all(timedelta() < each.width <= timedelta(minutes=width) for each in slices)
    assert len(slices) == -(-length // width)


@given(microseconds=st.integers(1, 10**9), least=st.integers(0, 10**6))
def test_halves_are_the_whole(microseconds: int, least: int) -> None:
    whole = Slice(BEGIN, BEGIN + timedelta(microseconds=microseconds))
    halves = halve(whole, timedelta(microseconds=least))
    if halves is None:
        assert microseconds // 2 < max(least, 1)
        return
    one, two = halves
    assert (one.start, one.end, two.end) == (whole.start, two.start, whole.end)
    assert min(one.width, two.width) >= timedelta(microseconds=max(least, 1))


def test_senseless_ranges_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="width"):
        cut(at(0), at(1), timedelta())
    with pytest.raises(ConfigurationError, match="time zone"):
        cut(at(0), datetime(2026, 1, 2), timedelta(hours=1))  # noqa: DTZ001
    with pytest.raises(ConfigurationError, match="empty"):
        SlicePlan((), ask)


def ask(part: Slice) -> Request:
    return Request("GET", "list", {"from": part.start.isoformat(), "to": part.end.isoformat()})


class Events:
    """An API with events in time order, a cap per list, and three ways to page."""

    def __init__(self, minutes: list[float], *, cap: int = 10**9, size: int = 10**9) -> None:
        self.minutes = sorted(minutes)
        self.cap, self.size = cap, size
        self.asked: list[Request] = []

    def fetch(self, request: Request, number: int) -> Page:
        self.asked.append(request)
        start, end = (datetime.fromisoformat(request.params[name]) for name in ("from", "to"))
        found = [m for m in self.minutes if start <= at(m) < end]
        total, found = min(len(found), self.cap), found[: self.cap]
        place = int(request.params.get("cursor") or request.params.get("offset") or 0)
        rows = found[place : place + self.size]
        body: dict[str, Any] = {"items": rows, "total": total}
        if place + self.size < total:
            body["cursors"] = {"next": str(place + self.size)}
        return Page(number, request, "http://a/list", 200, Headers(), msgspec.json.encode(body))


def gather(events: Events, plan: SlicePlan, most: int = 4) -> list[float]:
    reading = read_pages(
        events.fetch,
        plan,
        decode=lambda page: msgspec.json.decode(page.body),
        select=RowSelector("items"),
        policy=WindowPolicy(most=most, adaptive=False),
    )
    return [row for page in reading for row in page.rows]


times = st.lists(st.integers(0, 999), max_size=60, unique=True)


@given(minutes=times, width=st.integers(50, 600), cap=st.integers(3, 20), most=st.integers(1, 5))
@settings(max_examples=80, deadline=None)
def test_full_slices_are_halved_until_every_row_is_there_once(
    minutes: list[float], width: int, cap: int, most: int
) -> None:
    events = Events(minutes, cap=cap)
    slices = cut(at(0), at(1000), timedelta(minutes=width))
    policy = SlicePolicy(cap=cap, least=timedelta(seconds=10))
    assert gather(events, SlicePlan(slices, ask, policy=policy), most) == sorted(minutes)
    asked = [tuple(request.params.items()) for request in events.asked]
    assert len(asked) == len(set(asked)), "no slice is fetched twice"


@given(
    minutes=times,
    width=st.integers(50, 600),
    size=st.integers(1, 6),
    kind=st.sampled_from(["cursor", "offset"]),
    most=st.integers(1, 5),
)
@settings(max_examples=80, deadline=None)
def test_slices_with_pages_of_their_own_come_in_order(
    minutes: list[float], width: int, size: int, kind: str, most: int
) -> None:
    events = Events(minutes, size=size)

    def plan(request: Request) -> CursorPlan | OffsetPlan:
        return CursorPlan(request) if kind == "cursor" else OffsetPlan(request, size)

    slices = cut(at(0), at(1000), timedelta(minutes=width))
    assert gather(events, SlicePlan(slices, ask, plan), most) == sorted(minutes)
    asked = [tuple(request.params.items()) for request in events.asked]
    assert len(asked) == len(set(asked))


def test_a_total_tells_that_a_slice_is_full_before_its_rows_are_handed_out() -> None:
    events = Events([float(m) for m in range(40)], cap=16, size=4)
    plan = SlicePlan(
        (Slice(at(0), at(40)),),
        ask,
        lambda request: OffsetPlan(request, 4),
        SlicePolicy(cap=16),
    )
    assert gather(events, plan) == [float(m) for m in range(40)]


def test_a_slice_that_cannot_be_narrower_is_an_error() -> None:
    events = Events([5.0 + n / 1000 for n in range(30)], cap=10)
    plan = SlicePlan((Slice(at(0), at(10)),), ask, policy=SlicePolicy(10, timedelta(minutes=1)))
    with pytest.raises(PagingError, match=r"more rows between .* cannot be narrower"):
        gather(events, plan)


def test_first_pages_of_slices_are_fetched_ahead() -> None:
    plan = SlicePlan(cut(at(0), at(600), timedelta(hours=1)), ask, SinglePagePlan)
    page = Page(0, plan.first(), "http://a/list", 200, Headers(), b"")
    following = plan.after(page, {}, [1])
    assert [r.params["from"] for r in following.requests] == [
        at(60 * n).isoformat() for n in range(1, 10)
    ]
    assert not following.done
