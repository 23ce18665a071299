"""What Roost.ai is asked, how pages follow each other, and the rows within reports and logs."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from opsnest.catalogue import Entry
from opsnest.catalogue.roost_ai import ROOST_AI
from opsnest.reading import Ask
from opsnest.sources.roost_dialect import RoostDialect, SkipPlan
from opsnest.sources.roost_rows import cleaner_of, files_of, method_rows
from restarrow.paging import Plan
from restarrow.types import Headers, Page, Request

Row = dict[str, Any]
REQUIRED = {
    "get_for_all": "true",
    "getAll": "true",
    "searchTerm": "",
    "isCaseSensitive": "false",
    "isWholeWord": "false",
}


def entry(name: str) -> Entry:
    return ROOST_AI.by_name[name]


def read(
    plan: Plan, ids: list[str], *, cap: int, before: Callable[[int], None] = lambda _: None
) -> tuple[list[str], list[int]]:
    """Read a list with a plan; return the ids that came and the offsets that were asked for.

    Args:
        plan: the plan.
        ids: the list, which may change.
        cap: the most rows in an answer.
        before: called with the number of each request, before it is answered.
    """
    request, found, skips = plan.first(), list[str](), list[int]()
    for number in range(200):
        before(number)
        skip = int(request.params["skip"])
        skips.append(skip)
        rows = [{"id": key} for key in ids[skip : skip + min(cap, int(request.params["take"]))]]
        found += [row["id"] for row in rows]
        page = Page(number, request, "", 200, Headers({}), b"")
        following = plan.after(page, {"data": rows}, rows)
        if following.done:
            return found, skips
        plan, request = following.plan or plan, following.requests[0]
    pytest.fail("it does not end")


def skipping(take: int = 100) -> SkipPlan:
    return SkipPlan(Request("GET", "test"), take)


def names(count: int) -> list[str]:
    return [f"r{number}" for number in range(count)]


# Requests


@pytest.mark.parametrize("name", ["tests", "test_plans"])
def test_lists_of_tests_are_asked_with_what_is_required(name: str) -> None:
    first = RoostDialect().plan(entry(name), Ask()).first()

    assert dict(first.params) == {**REQUIRED, "take": 100, "skip": 0}


def test_events_are_sorted_and_not_searched() -> None:
    first = RoostDialect().plan(entry("events"), Ask(sort="modification_time", size=7)).first()

    assert dict(first.params) == {"order_by": "modification_time", "take": 7, "skip": 0}


@pytest.mark.parametrize(
    ("name", "ids", "path", "params"),
    [
        ("test", {"id": "t/1"}, "test/t%2F1", {"clone_test": "false"}),
        ("event_logs", {"trigger_id": "e1"}, "test/event/e1/logs", {}),
        (
            "execution_report",
            {"trigger_id": "e1", "file_path": "a/b c"},
            "test/event/e1/execute/report",
            {"file_path": "a/b c", "file_choice": "csv"},
        ),
        (
            "execution_status",
            {"trigger_id": "e1", "file_path": "a"},
            "test/event/e1/execute/status",
            {"file_path": "a"},
        ),
    ],
)
def test_details_take_one_request(
    name: str, ids: dict[str, str], path: str, params: dict[str, str]
) -> None:
    first = RoostDialect("csv").plan(entry(name), Ask(ids=ids)).first()

    assert (first.path, dict(first.params)) == (path, params)
    assert first.accept == {404}


def test_files_of_an_event_are_asked_for_by_their_paths() -> None:
    event = {"id": "e1", "test_report": report({"F": {"p": {"m": {"testFilePath": "x"}}}})}
    dialect = RoostDialect()

    assert list(dialect.ids(entry("event_logs"), event)) == [{"trigger_id": "e1"}]
    assert list(dialect.ids(entry("execution_status"), event)) == [
        {"trigger_id": "e1", "file_path": "x"}
    ]
    assert list(dialect.ids(entry("execution_status"), {"id": "e2"})) == []
    assert list(dialect.ids(entry("test"), {"id": "t1"})) == [{"id": "t1"}]


# Pages


@pytest.mark.parametrize("cap", [1, 2, 3, 7, 100])
@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 8, 20])
def test_all_rows_come_whatever_the_cap(count: int, cap: int) -> None:
    found, _ = read(skipping(), names(count), cap=cap)

    assert list(dict.fromkeys(found)) == names(count)


def test_pages_overlap_by_a_row() -> None:
    _, skips = read(skipping(), names(7), cap=3)

    assert skips == [0, 2, 4, 6]


def test_rows_that_go_let_no_other_slip_through() -> None:
    ids = names(12)

    def go(number: int) -> None:
        if number == 2:
            del ids[:3]

    found, _ = read(skipping(), ids, cap=4, before=go)

    assert set(names(12)[3:]) <= set(found)


def test_rows_that_go_from_the_end_are_no_end_of_the_others() -> None:
    ids = names(12)

    def go(number: int) -> None:
        if number == 3:
            del ids[:8]

    found, skips = read(skipping(), ids, cap=4, before=go)

    assert set(names(12)[8:]) <= set(found)
    assert skips[3] > skips[4]


def test_rows_that_come_in_front_do_no_harm() -> None:
    ids = names(9)
    found, _ = read(skipping(), ids, cap=4, before=lambda number: ids.insert(0, f"new{number}"))

    assert set(names(9)) <= set(found)


def test_rows_that_move_to_the_end_let_no_other_slip_through() -> None:
    ids = names(9)

    def move(number: int) -> None:
        if number in {1, 2, 3}:
            ids.append(ids.pop(0))

    found, _ = read(skipping(), ids, cap=3, before=move)

    assert set(found) == set(names(9))


# Answers


@pytest.mark.parametrize(
    ("payload", "rows"),
    [
        ({"logs": [{"message": "a"}]}, [{"line": 1, "message": "a"}]),
        ({"data": ["a", "b"]}, [{"line": 1, "message": "a"}, {"line": 2, "message": "b"}]),
        ({"message": "a"}, [{"line": 1, "message": "a"}]),
        ("a\nb", [{"line": 1, "message": "a"}, {"line": 2, "message": "b"}]),
        ("", []),
        (None, []),
        ([], []),
    ],
)
def test_logs_of_any_shape_are_lines(payload: object, rows: list[Row]) -> None:
    assert RoostDialect().rows(entry("event_logs"), payload) == rows


@pytest.mark.parametrize("payload", ["completed", '"completed"'])
def test_a_status_is_a_row(payload: str) -> None:
    assert RoostDialect().rows(entry("execution_status"), payload) == [{"status": "completed"}]


def test_a_single_row_is_one_and_a_list_is_its_data() -> None:
    dialect = RoostDialect()

    assert dialect.rows(entry("test"), {"id": "t1"}) == [{"id": "t1"}]
    assert dialect.rows(entry("tests"), {"data": [{"id": "t1"}], "count": 1}) == [{"id": "t1"}]
    assert dialect.rows(entry("tests"), {"data": None}) == []


def test_timeouts_are_hours_with_a_fraction() -> None:
    row = cleaner_of(entry("tests"))({"id": "t1", "test_timeout": 1})

    assert isinstance(row["test_timeout"], float)


# Methods


def report(details: object) -> str:
    return json.dumps({"status": "completed", "advancedDetails": details})


METHOD = {"methodName": "m", "status": "to_be_processed", "testFilePath": "t"}


def methods(test_report: object) -> list[Row]:
    return list(method_rows({"id": "e1", "test_report": test_report}))


def test_each_method_is_a_row() -> None:
    many = {"F": {"p": {"k1": METHOD, "k2": {**METHOD, "feedback": [{"by": "me"}]}}, "q": {}}}

    assert methods(report(many)) == [
        {
            "event_id": "e1",
            "file": "F",
            "path": "p",
            "method_key": "k1",
            **METHOD,
            "other": None,
        },
        {
            "event_id": "e1",
            "file": "F",
            "path": "p",
            "method_key": "k2",
            **METHOD,
            "feedback": [{"by": "me"}],
            "other": None,
        },
    ]


@pytest.mark.parametrize(
    ("details", "place"),
    [
        (METHOD, ("", "", "")),
        ({"k": METHOD}, ("", "", "k")),
        ({"F": {"k": METHOD}}, ("F", "", "k")),
        ({"F": {"p": {"q": {"k": METHOD}}}}, ("F", "p > q", "k")),
        ({"F": {"p": [METHOD]}}, ("F", "p", "0")),
        ({"status": {"status": {"status": METHOD}}}, ("status", "status", "status")),
    ],
)
def test_reports_that_are_deeper_or_shallower(details: object, place: tuple[str, ...]) -> None:
    (row,) = methods(report(details))

    assert (row["file"], row["path"], row["method_key"]) == place


@pytest.mark.parametrize(
    "test_report",
    [
        None,
        "",
        "<html>",
        "[]",
        "null",
        "{}",
        report(None),
        report({}),
        report({"F": {}}),
        report({"F": {"p": {}}}),
        report({"F": "p"}),
        report({"F": {"p": {"k": None, "l": 3, "m": "text"}}}),
    ],
)
def test_odd_reports_have_no_methods(test_report: object) -> None:
    assert methods(test_report) == []
    assert files_of({"id": "e1", "test_report": test_report}) == []


def test_an_event_without_a_report_has_no_methods() -> None:
    assert list(method_rows({"id": "e1"})) == []


def test_members_that_nobody_knows_do_not_become_columns() -> None:
    (row,) = methods(report({"F": {"p": {"k": {**METHOD, "src/Main.java": {"a": 1}}}}}))

    assert row["other"] == {"src/Main.java": {"a": 1}}
    assert "src/Main.java" not in row


def test_members_keep_their_types_whatever_comes() -> None:
    odd = {**METHOD, "arguments": ["a"], "status": 3, "feedback": "good", "description": None}
    (row,) = methods(report({"F": {"p": {"k": odd}}}))

    assert row["arguments"] == '["a"]'
    assert row["status"] == "3"
    assert row["feedback"] == ["good"]
    assert row["description"] is None


def test_each_file_is_asked_for_once_and_those_without_a_path_are_not() -> None:
    details = {"F": {"p": {"a": METHOD, "b": METHOD, "c": {**METHOD, "testFilePath": ""}}}}

    assert files_of({"id": "e1", "test_report": report(details)}) == ["t"]
