"""What Rootly is asked, how its pages follow each other, and the rows that others bring along."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsnest.catalogue import Entry
from opsnest.catalogue.rootly import ROOTLY
from opsnest.reading import Ask
from opsnest.sources.rootly_dialect import MEDIA_TYPE, RootlyDialect
from restarrow.paging import DecodedPage, Plan, RowSelector, Slice, read_pages
from restarrow.types import Headers, Page, Request

Row = dict[str, Any]

DIALECT = RootlyDialect()
JULY = datetime(2026, 7, 1, tzinfo=UTC)
AUGUST = datetime(2026, 8, 1, tzinfo=UTC)


def entry(name: str) -> Entry:
    return ROOTLY.by_name[name]


def asked(name: str, **ask: Any) -> Request:
    return DIALECT.plan(entry(name), Ask(**ask)).first()


# What is asked


@pytest.mark.parametrize("each", ROOTLY.entries, ids=list(ROOTLY.by_name))
def test_all_of_a_list_is_asked_for_in_the_media_type_that_rootly_insists_on(each: Entry) -> None:
    ids = {each.parent_key: "p1"} if each.parent_key else {}
    request = DIALECT.plan(each, Ask(ids=ids)).first()

    assert request.method == "GET"
    assert request.headers == {"Accept": MEDIA_TYPE, "Content-Type": MEDIA_TYPE}
    assert "{" not in request.path
    assert ("p1" in request.path) is (each.parent is not None)
    size = {} if each.paging == "none" else {"page[size]": each.page_size}
    number = {"page[number]": 1} if each.paging == "number" else {}
    assert request.params == size | number


@pytest.mark.parametrize(
    ("name", "parameter"),
    [
        ("incidents", "filter[updated_at][gte]"),
        ("alerts", "filter[updated_at][gte]"),
        ("alert_events", "filter[created_at][gte]"),
        ("audits", "filter[created_at][gte]"),
    ],
)
def test_what_changed_or_was_made_is_asked_for_from_a_time_on(name: str, parameter: str) -> None:
    assert asked(name, since="2026-07-01T00:00:00.000000Z").params[parameter] == (
        "2026-07-01T00:00:00.000000Z"
    )


def test_a_list_that_has_no_filter_is_not_asked_with_one() -> None:
    assert asked("services", since="2026-07-01T00:00:00.000000Z").params == asked("services").params


def test_a_slice_is_asked_for_with_its_beginning_and_without_its_end() -> None:
    params = asked("incidents", between=Slice(JULY, AUGUST)).params

    assert params["filter[created_at][gte]"] == "2026-07-01T00:00:00.000000Z"
    assert params["filter[created_at][lt]"] == "2026-08-01T00:00:00.000000Z"


def test_the_first_and_the_last_slice_are_open() -> None:
    dawn, dusk = datetime(2000, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)

    first = asked("incidents", between=Slice(dawn, JULY)).params
    last = asked("incidents", between=Slice(JULY, dusk)).params

    assert [name for name in first if "created_at" in name] == ["filter[created_at][lt]"]
    assert [name for name in last if "created_at" in name] == ["filter[created_at][gte]"]


def test_a_window_is_asked_for_from_and_to() -> None:
    params = asked("shifts", window=Slice(JULY, AUGUST)).params

    assert params["from"] == "2026-07-01T00:00:00.000000Z"
    assert params["to"] == "2026-08-01T00:00:00.000000Z"


def test_order_size_and_what_else_is_to_come_are_asked_for() -> None:
    params = asked("incidents", sort="-updated_at", size=1, include="events").params

    assert params["sort"] == "-updated_at"
    assert params["page[size]"] == 1
    assert params["include"] == "events"


def test_children_are_asked_for_below_the_id_that_the_parent_has() -> None:
    panels = entry("dashboard_panels")
    (ids,) = DIALECT.ids(panels, {"id": 17, "type": "dashboards"})

    assert DIALECT.plan(panels, Ask(ids=ids)).first().path == "dashboards/17/panels"


# How pages follow each other

Answers = Sequence[Row]


def read(plan: Plan, answers: Answers) -> tuple[list[Request], list[str]]:
    """Read answers, the last of them again and again; return what was asked, and the ids."""
    sent: list[Request] = []

    def fetch(request: Request, number: int) -> Page:
        sent.append(request)
        body = msgspec.json.encode(answers[min(number, len(answers) - 1)])
        return Page(number, request, "", 200, Headers(), body)

    pages = read_pages(
        fetch, plan, decode=lambda page: msgspec.json.decode(page.body), select=RowSelector("data")
    )
    return sent, [row["id"] for page in pages for row in page.rows]


def numbered() -> Plan:
    return DIALECT.plan(entry("services"), Ask())


def an_answer(*ids: str, **more: Any) -> Row:
    return {"data": [{"id": each} for each in ids], **more}


def told(number: int | None) -> Row:
    return {"next_page": number, "total_count": 99}


@given(sizes=st.lists(st.integers(1, 4), min_size=1, max_size=8), tells=st.booleans())
def test_numbered_pages_are_read_to_their_end_in_order(sizes: list[int], tells: bool) -> None:
    answers: list[Row] = []
    for at, size in enumerate(sizes):
        following = at + 2 if at + 1 < len(sizes) else None
        more = {"meta": told(following)} if tells else {}
        answers.append(an_answer(*(f"{at}-{row}" for row in range(size)), **more))
    if not tells:
        answers.append(an_answer())

    sent, found = read(numbered(), answers)

    assert found == [row["id"] for answer in answers for row in answer["data"]]
    assert [request.params["page[number]"] for request in sent] == list(range(1, len(answers) + 1))
    assert {request.params["page[size]"] for request in sent} == {100}


def test_an_empty_page_is_the_last_whatever_it_tells() -> None:
    sent, found = read(numbered(), [an_answer("a", meta=told(2)), an_answer(meta=told(3))])

    assert found == ["a"]
    assert len(sent) == 2


def test_a_list_that_answers_each_number_with_the_same_page_ends() -> None:
    # it knows no page[number], and tells nothing
    sent, found = read(numbered(), [an_answer("a", "b")])

    assert set(found) == {"a", "b"}
    assert len(sent) == 2


def test_the_number_of_rows_is_not_trusted() -> None:
    # it may be that of the list without the filter, or be nothing
    meta: Row = {"total_count": 1, "total_pages": 1}
    answers = [an_answer("a", meta=meta | {"next_page": 2}), an_answer("b", meta=told(None))]

    assert read(numbered(), answers)[1] == ["a", "b"]


def test_the_cursor_of_each_page_leads_to_the_next() -> None:
    following = ("x", "y", None)
    answers = [an_answer(f"{at}", meta={"next_cursor": each}) for at, each in enumerate(following)]

    plan = DIALECT.plan(entry("alerts"), Ask(since="2026-07-01T00:00:00.000000Z"))
    sent, found = read(plan, answers)

    assert found == ["0", "1", "2"]
    assert [request.params.get("page[after]") for request in sent] == [None, "x", "y"]
    assert all("filter[updated_at][gte]" in request.params for request in sent)
    assert not any("page[number]" in request.params for request in sent)


@pytest.mark.parametrize("meta", [{}, {"next_cursor": None}, {"next_cursor": ""}, None])
def test_without_a_cursor_a_page_is_the_last(meta: Row | None) -> None:
    plan = DIALECT.plan(entry("alerts"), Ask())

    assert len(read(plan, [an_answer("a", meta=meta)])[0]) == 1


def test_an_empty_page_is_the_last_though_it_has_a_cursor() -> None:
    plan = DIALECT.plan(entry("alerts"), Ask())

    assert len(read(plan, [an_answer(meta={"next_cursor": "x"})])[0]) == 1


def test_a_list_without_pages_is_asked_for_once() -> None:
    plan = DIALECT.plan(entry("alert_groups"), Ask())

    sent, found = read(plan, [an_answer("a", meta={"next_cursor": "x", "next_page": 2})])

    assert (len(sent), found) == (1, ["a"])


# Rows


@pytest.mark.parametrize("payload", [None, {}, {"data": None}, {"data": {"id": "1"}}, [], "text"])
def test_an_answer_without_a_list_has_no_rows(payload: Any) -> None:
    assert DIALECT.rows(entry("incidents"), payload) == []


def children(name: str, payload: Row) -> list[tuple[str, list[str]]]:
    request = Request("GET", "incidents")
    page = Page(0, request, "", 200, Headers(), b"")
    found: Iterator[tuple[Row, list[Row]]] = DIALECT.children(
        entry(name), DecodedPage(0, page, payload, payload["data"])
    )
    return [(row["id"], [child["id"] for child in rows]) for row, rows in found]


def linked(key: str, links: Any) -> Row:
    return {"id": key, "relationships": {"events": {"data": links}}}


def test_included_rows_go_to_the_row_that_names_them() -> None:
    links = [{"type": "incident_events", "id": each} for each in "abc"]
    payload: Row = {
        "data": [linked("1", links[:2]), linked("2", []), linked("3", links[2])],
        # of another type with the same id, and of nobody
        "included": [
            {"type": "users", "id": "a"},
            *({"type": "incident_events", "id": each} for each in "cbad"),
        ],
    }

    assert children("incident_events", payload) == [("1", ["a", "b"]), ("2", []), ("3", ["c"])]


@pytest.mark.parametrize(
    "broken",
    [
        {"id": "1"},
        {"id": "1", "relationships": None},
        linked("1", None),
        linked("1", [None, "text"]),
        linked("1", [{"type": "incident_events", "id": "not sent"}]),
    ],
)
@pytest.mark.parametrize("included", [None, [], [None, "text"]])
def test_what_is_not_there_brings_no_children(broken: Row, included: Any) -> None:
    assert children("incident_events", {"data": [broken], "included": included}) == [("1", [])]
