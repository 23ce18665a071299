from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import requests

from opssim.core.clock import DEFAULT_NOW, parse_iso
from opssim.core.server import Running, serve
from opssim.rootly import RootlySimulator

Rootly = Running[RootlySimulator]
Json = dict[str, Any]


@pytest.fixture(name="rootly", scope="module")
def _rootly() -> Iterator[Rootly]:
    with serve(RootlySimulator(incidents=5, alerts=5, alert_events=5)) as running:
        yield running


def _ask(rootly: Rootly, path: str, query: dict[str, Any] | None = None) -> requests.Response:
    return requests.get(
        f"{rootly.url}/v1/{path}",
        params=query,
        headers={"Authorization": f"Bearer {rootly.simulator.token}"},
        timeout=5,
    )


def _rows(rootly: Rootly, path: str, query: dict[str, Any] | None = None) -> list[Json]:
    answer = _ask(rootly, path, {"page[size]": 1000, **(query or {})})
    assert answer.status_code == 200, answer.text
    rows: list[Json] = answer.json()["data"]
    return rows


def _window(begin: datetime, days: float) -> dict[str, str]:
    return {"from": begin.isoformat(), "to": (begin + timedelta(days=days)).isoformat()}


def _span(row: Json) -> tuple[datetime, datetime]:
    return parse_iso(row["attributes"]["starts_at"]), parse_iso(row["attributes"]["ends_at"])


def test_shifts_that_touch_the_window(rootly: Rootly) -> None:
    begin = DEFAULT_NOW - timedelta(days=40, hours=5)
    rows = _rows(rootly, "shifts", _window(begin, 10))
    end = begin + timedelta(days=10)
    expected = {
        row.key
        for row in rootly.simulator.tables["shifts"]
        if _span(row.data())[0] < end and _span(row.data())[1] > begin
    }
    assert {row["id"] for row in rows} == expected
    assert len(expected) == 8 * 11


def test_shifts_come_in_the_order_of_their_start(rootly: Rootly) -> None:
    starts = [_span(row)[0] for row in _rows(rootly, "shifts", _window(DEFAULT_NOW, 20))]
    assert starts == sorted(starts)


def test_windows_that_follow_each_other_cover_everything(rootly: Rootly) -> None:
    begin = DEFAULT_NOW - timedelta(days=200)
    keys = set[str]()
    for step in range(8):
        window = _window(begin + timedelta(days=30 * step), 30)
        keys |= {row["id"] for row in _rows(rootly, "shifts", window)}
    assert keys == set(rootly.simulator.tables["shifts"].keys())


def test_shifts_are_planned_ahead(rootly: Rootly) -> None:
    assert len(_rows(rootly, "shifts", _window(DEFAULT_NOW + timedelta(days=20), 60))) == 80


def test_a_page_has_fifty_shifts_and_no_links(rootly: Rootly) -> None:
    page = _ask(rootly, "shifts", _window(DEFAULT_NOW - timedelta(days=30), 30)).json()
    assert len(page["data"]) == 50
    assert "links" not in page
    assert page["meta"]["next_page"] == 2
    assert page["meta"]["total_count"] == 240
    assert page["meta"]["total_pages"] == 5


def test_pages_of_a_window_follow_each_other(rootly: Rootly) -> None:
    window = _window(DEFAULT_NOW - timedelta(days=30), 30)
    keys, number = list[str](), 1
    while number:
        page = _ask(rootly, "shifts", {**window, "page[number]": number, "page[size]": 70}).json()
        keys += [row["id"] for row in page["data"]]
        number = page["meta"]["next_page"]
    assert len(keys) == len(set(keys)) == 240


@pytest.mark.parametrize(
    ("begin", "end", "allowed"),
    [
        ("2026-01-15T00:00:00Z", "2026-03-15T00:00:00Z", True),
        ("2026-01-15T00:00:00Z", "2026-03-15T00:00:01Z", False),
        ("2025-12-31T00:00:00Z", "2026-02-28T00:00:00Z", True),
        ("2025-12-31T00:00:00Z", "2026-03-01T00:00:00Z", False),
        ("2025-11-30T00:00:00+02:00", "2026-01-30T00:00:00+02:00", True),
        ("2020-01-01", "2030-01-01", False),
    ],
)
def test_a_window_is_at_most_two_months(
    rootly: Rootly, begin: str, end: str, *, allowed: bool
) -> None:
    answer = _ask(rootly, "shifts", {"from": begin, "to": end})
    assert answer.status_code == (200 if allowed else 422)
    if not allowed:
        (error,) = answer.json()["errors"]
        assert error["title"] == "Datetime range exceeds 2 month(s)"
        assert error["status"] == "422"


def test_a_window_of_one_schedule_is_at_most_one_month(rootly: Rootly) -> None:
    key = rootly.simulator.tables["schedules"].keys()[0]
    path = f"schedules/{key}/shifts"
    month = {"from": "2026-06-01T00:00:00Z", "to": "2026-07-01T00:00:00Z"}
    assert _ask(rootly, path, month).status_code == 200
    answer = _ask(rootly, path, {**month, "to": "2026-07-01T00:00:01Z"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["title"] == "Datetime range exceeds 1 month(s)"


def test_shifts_of_one_schedule_are_on_one_page(rootly: Rootly) -> None:
    key = rootly.simulator.tables["schedules"].keys()[2]
    month = {"from": "2026-06-01T00:00:00Z", "to": "2026-07-01T00:00:00Z", "page[size]": 3}
    page = _ask(rootly, f"schedules/{key}/shifts", month).json()
    assert set(page) == {"data", "meta", "included"}
    assert len(page["data"]) == 30
    assert {row["attributes"]["schedule_id"] for row in page["data"]} == {key}
    assert page["meta"]["next_page"] is None


def test_shifts_of_no_schedule(rootly: Rootly) -> None:
    assert _ask(rootly, "schedules/nonsense/shifts").status_code == 404


@pytest.mark.parametrize("name", ["from", "to"])
@pytest.mark.parametrize("value", ["soon", "9999-12-31T00:00:00Z", "0001-01-01T00:00:00Z"])
def test_an_end_that_is_no_time(rootly: Rootly, name: str, value: str) -> None:
    answer = _ask(rootly, "shifts", {name: value})
    assert answer.status_code == 422
    assert name in answer.json()["errors"][0]["detail"]


def test_without_a_window_two_weeks_are_answered(rootly: Rootly) -> None:
    rows = _rows(rootly, "shifts")
    assert len(rows) == 8 * 14
    assert all(_span(row)[1] > DEFAULT_NOW for row in rows)


def test_shifts_of_some_schedules_and_users(rootly: Rootly) -> None:
    window = _window(DEFAULT_NOW - timedelta(days=50), 50)
    first, second, *_ = rootly.simulator.tables["schedules"].keys()
    rows = _rows(rootly, "shifts", {**window, "schedule_ids[]": [first, second]})
    assert {row["attributes"]["schedule_id"] for row in rows} == {first, second}
    user = next(row["attributes"]["user_id"] for row in rows if row["attributes"]["user_id"])
    mine = _rows(rootly, "shifts", {**window, "user_ids[]": user})
    assert {row["attributes"]["user_id"] for row in mine} == {user}


def test_some_shifts_have_nobody(rootly: Rootly) -> None:
    shifts = [row.data() for row in rootly.simulator.tables["shifts"]]
    empty = [row for row in shifts if row["attributes"]["user_id"] is None]
    assert 0 < len(empty) < len(shifts) / 10
    assert all(row["relationships"]["assignee"]["data"] is None for row in empty)


def test_shifts_include_their_users_once(rootly: Rootly) -> None:
    query = {**_window(DEFAULT_NOW, 30), "include": "user,assignee,shift_override"}
    page = _ask(rootly, "shifts", query).json()
    included = [(row["type"], row["id"]) for row in page["included"]]
    assert len(included) == len(set(included))
    wanted = {row["attributes"]["user_id"] for row in page["data"]} - {None}
    assert set(included) == {("users", str(number)) for number in wanted}


def test_incidents_include_what_they_concern() -> None:
    with serve(RootlySimulator(incidents=60, alerts=5, alert_events=5)) as rootly:
        page = _ask(rootly, "incidents", {"include": "services,groups,roles"}).json()
        wanted = {
            (entry["type"], entry["id"])
            for row in page["data"]
            for name in ("services", "groups")
            for entry in row["relationships"][name]["data"]
        }
        assert {(row["type"], row["id"]) for row in page["included"]} == wanted
        services = {row.key: row.data() for row in rootly.simulator.tables["services"]}
        for row in page["included"]:
            if row["type"] == "services":
                assert row == services[row["id"]]


def test_who_is_on_call_now_and_later(rootly: Rootly) -> None:
    assert len(_rows(rootly, "oncalls")) == 16
    inside = {"since": "2026-07-03T00:00:00Z", "until": "2026-07-20T00:00:00Z"}
    assert len(_rows(rootly, "oncalls", inside)) == 16
    assert _rows(rootly, "oncalls", {"since": "2026-07-10T00:00:00Z"}) == []
    assert _rows(rootly, "oncalls", {"since": "2026-06-01", "until": "2026-06-02"}) == []
    assert _ask(rootly, "oncalls", {"since": "soon"}).status_code == 422
    levels = {row["attributes"]["escalation_level"] for row in _rows(rootly, "oncalls")}
    assert levels == {1, 2}
