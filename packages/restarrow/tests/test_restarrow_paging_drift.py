"""Lists that move while they are read: what is seen of it, and what is read again."""

from __future__ import annotations

import random
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from restarrow.paging import (
    Drift,
    DriftAudit,
    DriftPolicy,
    OffsetPlan,
    RowSelector,
    WindowPolicy,
    find_drift,
    read_pages,
)
from restarrow.paging.drift import PageFact
from restarrow.types import Headers, Page, Request

REQUEST = Request("GET", "list")


def fact(
    number: int, order: int, total: int | None = 10, keys: tuple[int, ...] = (), **more: Any
) -> PageFact:
    return PageFact(number, REQUEST, order, more.pop("rows", 2), frozenset(keys), total, **more)


def test_a_list_that_stands_still_is_no_drift() -> None:
    drift = find_drift([fact(n, n, keys=(2 * n, 2 * n + 1), expected=2) for n in range(5)])
    assert not drift
    assert drift == Drift()


def test_nothing_read_is_no_drift() -> None:
    assert not find_drift([])


def test_where_the_total_changed_the_older_reading_is_torn() -> None:
    drift = find_drift([fact(0, 1, 10), fact(1, 4, 9), fact(2, 2, 10), fact(3, 3, 10)])
    assert drift.reasons == ("the total changed from 10 to 9 while the list was read",)
    assert [each.number for each in drift.torn] == [0, 2]


def test_a_total_that_came_back_is_a_change_too() -> None:
    drift = find_drift([fact(0, 1, 10), fact(1, 2, 12), fact(2, 3, 10)])
    assert drift.reasons == ("the total changed between 10 and 12 while the list was read",)


def test_neighbours_with_rows_in_common_are_torn() -> None:
    drift = find_drift([fact(0, 1, None, (1, 2)), fact(1, 2, None, (2, 3)), fact(2, 3, None, (4,))])
    assert drift.reasons == ("pages 0 and 1 have rows in common",)
    assert [each.number for each in drift.torn] == [0]


def test_short_pages_are_reported_but_not_read_again() -> None:
    """An API that gives fewer rows than asked for gives them the second time, too."""
    drift = find_drift([fact(n, n, rows=1, expected=2) for n in range(4)])
    assert drift.reasons == ("page 0 has 1 rows instead of 2, and 3 more pages are short",)
    assert drift.torn == ()


def test_a_second_reading_mends() -> None:
    readings = [fact(0, 1, 10), fact(1, 2, 9), fact(2, 3, 9)]
    assert [each.number for each in find_drift(readings).torn] == [0]
    assert find_drift([*readings, fact(0, 4, 9)]).torn == ()


class Moving:
    """A list that rows are added to and removed from, between requests, as a script says."""

    def __init__(self, rows: int, script: dict[int, list[tuple[str, int]]], seed: int) -> None:
        self.rows = list(range(1000, 1000 + rows))
        self.always = set(self.rows)
        self.script = script
        self.requests = 0
        self.fresh = 0
        self.chance = random.Random(seed)

    def fetch(self, request: Request, number: int) -> Page:
        for what, where in self.script.get(self.requests, []):
            if what == "add":
                self.rows.insert(min(where, len(self.rows)), self.fresh)
                self.fresh += 1
            elif self.rows:
                gone = self.rows.pop(where % len(self.rows))
                self.always.discard(gone)
        self.requests += 1
        offset, limit = request.params["offset"], request.params["limit"]
        body = {"items": self.rows[offset : offset + limit], "total": len(self.rows)}
        return Page(number, request, "http://a/list", 200, Headers(), msgspec.json.encode(body))


def gather(moving: Moving, size: int, audit: DriftAudit | None, most: int = 1) -> list[int]:
    reading = read_pages(
        moving.fetch,
        OffsetPlan(REQUEST, size),
        decode=lambda page: msgspec.json.decode(page.body),
        select=RowSelector("items"),
        policy=WindowPolicy(most=most, adaptive=False),
        audit=audit,
    )
    return [row for page in reading for row in page.rows]


def test_a_row_that_slipped_is_found_again() -> None:
    script = {2: [("remove", 0)]}
    plainly = Moving(20, script, 0)
    missed = plainly.always - set(gather(plainly, 5, None))
    assert missed == {1010}, "without an audit a row is lost: the test is worth something"
    found: list[Drift] = []
    audit = DriftAudit(DriftPolicy(reread=True), report=found.append)
    moving = Moving(20, script, 0)
    got = gather(moving, 5, audit)
    assert moving.always <= set(got)
    assert found == [Drift(("the total changed from 20 to 19 while the list was read",))]
    assert moving.requests == 5, "one page is read again, and no more"


def test_a_page_that_comes_again_says_so() -> None:
    moving = Moving(20, {2: [("remove", 0)]}, 0)
    reading = read_pages(
        moving.fetch,
        OffsetPlan(REQUEST, 5),
        decode=lambda page: msgspec.json.decode(page.body),
        select=RowSelector("items"),
        policy=WindowPolicy(most=1),
        audit=DriftAudit(DriftPolicy(reread=True)),
    )
    assert [(p.number, p.again, p.last) for p in reading] == [
        (0, False, False),
        (1, False, False),
        (2, False, False),
        (3, False, True),
        (1, True, False),
    ]


def test_by_default_drift_is_only_reported() -> None:
    found: list[Drift] = []
    moving = Moving(20, {2: [("remove", 0)]}, 0)
    gather(moving, 5, DriftAudit(report=found.append))
    assert moving.requests == 4
    assert [each.number for each in found[0].torn] == [1]


def test_an_even_exchange_is_seen_by_keys_only() -> None:
    script = {2: [("add", 0), ("remove", 19)]}
    found: list[Drift] = []
    gather(Moving(20, script, 0), 5, DriftAudit(report=found.append))
    assert found == []
    gather(Moving(20, script, 0), 5, DriftAudit(identify=int, report=found.append))
    assert found[0].reasons == ("pages 1 and 2 have rows in common",)


def test_a_quiet_list_is_not_reported() -> None:
    found: list[Drift] = []
    gather(Moving(20, {}, 0), 5, DriftAudit(DriftPolicy(reread=True), report=found.append))
    assert found == []


moves = st.tuples(st.sampled_from(["add", "remove"]), st.integers(0, 40))


@given(
    rows=st.integers(1, 40),
    size=st.integers(3, 8),
    moment=st.integers(0, 8),
    what=st.sampled_from(["add", "remove"]),
    places=st.lists(st.integers(0, 40), min_size=1, max_size=2),
    most=st.sampled_from([1, 4]),
)
@settings(max_examples=150, deadline=None)
def test_nothing_that_stayed_is_lost_if_less_than_a_page_moved_at_once(
    rows: int, size: int, moment: int, what: str, places: list[int], most: int
) -> None:
    """The list moves once, by fewer rows than a page holds, during the first reading."""
    moving = Moving(rows, {moment: [(what, place) for place in places]}, 0)
    audit = DriftAudit(DriftPolicy(reread=True, rounds=9))
    got = gather(moving, size, audit, most)
    before_end = moment < -(-rows // size)
    if before_end:
        assert moving.always <= set(got)


@given(
    rows=st.integers(1, 60),
    size=st.integers(4, 8),
    script=st.dictionaries(st.integers(0, 30), st.lists(moves, max_size=2), max_size=6),
    most=st.sampled_from([1, 4]),
)
@settings(max_examples=100, deadline=None)
def test_an_audit_always_comes_to_an_end(
    rows: int, size: int, script: dict[int, list[tuple[str, int]]], most: int
) -> None:
    moving = Moving(rows, script, 0)
    policy = DriftPolicy(reread=True, rounds=3, most=5)
    gather(moving, size, DriftAudit(policy, identify=int), most)
    # each page at most once, but for totals that grow; then three rounds of five
    assert moving.requests <= -(-(rows + 12) // size) + 1 + 2 * most + 15
