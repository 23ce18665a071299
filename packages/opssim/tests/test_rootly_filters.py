from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta, timezone
from typing import Any

import pytest
import requests

from opssim.core.clock import DEFAULT_NOW, parse_iso
from opssim.core.server import Running, serve
from opssim.rootly import RootlyQuirks, RootlySimulator

Rootly = Running[RootlySimulator]
Json = dict[str, Any]


@pytest.fixture(name="rootly", scope="module")
def _rootly() -> Iterator[Rootly]:
    quirks = RootlyQuirks(nested="mixed", labels="mixed", default_page_size=100)
    simulator = RootlySimulator(
        incidents=100, alerts=90, alert_events=100, shifts=40, quirks=quirks
    )
    with serve(simulator) as running:
        yield running


def _rows(rootly: Rootly, path: str, **query: str) -> list[Json]:
    answer = requests.get(
        f"{rootly.url}/v1/{path}",
        params=query,
        headers={"Authorization": f"Bearer {rootly.simulator.token}"},
        timeout=5,
    )
    assert answer.status_code == 200, answer.text
    rows: list[Json] = answer.json()["data"]
    return rows


def _filtered(rootly: Rootly, path: str, name: str, value: str) -> list[Json]:
    return _rows(rootly, path, **{name: value})


def _keys(rows: list[Json]) -> set[str]:
    return {row["id"] for row in rows}


def _expected(rootly: Rootly, table: str, passes: Callable[[Json], bool]) -> set[str]:
    rows = [row.data() for row in rootly.simulator.tables[table]]
    return {row["id"] for row in rows if passes(row["attributes"])}


def _value(rootly: Rootly, table: str, name: str) -> Any:
    """Return an attribute of some row in the middle of a table that has it."""
    rows = [row.data()["attributes"] for row in rootly.simulator.tables[table]]
    known = [row[name] for row in rows if row[name] not in (None, [], {})]
    return known[len(known) // 2]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("incidents", "created_at"),
        ("incidents", "updated_at"),
        ("incidents", "started_at"),
        ("incidents", "detected_at"),
        ("incidents", "acknowledged_at"),
        ("incidents", "mitigated_at"),
        ("incidents", "resolved_at"),
        ("incidents", "closed_at"),
        ("incidents", "in_triage_at"),
        ("alerts", "created_at"),
        ("alerts", "updated_at"),
        ("alerts", "started_at"),
        ("alerts", "ended_at"),
        ("users", "created_at"),
        ("services", "created_at"),
        ("teams", "created_at"),
        ("schedules", "created_at"),
        ("heartbeats", "created_at"),
        ("authorizations", "created_at"),
    ],
)
def test_times_are_compared_as_instants(rootly: Rootly, path: str, name: str) -> None:
    bound = parse_iso(_value(rootly, path, name))
    elsewhere = bound.astimezone(timezone(timedelta(hours=9, minutes=30))).isoformat()
    comparisons: dict[str, Callable[[Any], bool]] = {
        "gt": lambda at: at > bound,
        "gte": lambda at: at >= bound,
        "lt": lambda at: at < bound,
        "lte": lambda at: at <= bound,
    }
    for comparison, compare in comparisons.items():
        expected = {
            row["id"]
            for row in (kept.data() for kept in rootly.simulator.tables[path])
            if row["attributes"][name] and compare(parse_iso(row["attributes"][name]))
        }
        found = _filtered(rootly, path, f"filter[{name}][{comparison}]", elsewhere)
        assert _keys(found) == expected
        assert 0 < len(expected) < len(rootly.simulator.tables[path]) or comparison in {"gt", "lt"}


def test_a_window_of_two_bounds(rootly: Rootly) -> None:
    rows = _rows(
        rootly,
        "incidents",
        **{
            "filter[updated_at][gte]": "2025-06-01T00:00:00Z",
            "filter[updated_at][lt]": "2026-01-01T00:00:00Z",
        },
    )
    first, last = parse_iso("2025-06-01T00:00:00Z"), parse_iso("2026-01-01T00:00:00Z")
    assert _keys(rows) == _expected(
        rootly, "incidents", lambda row: first <= parse_iso(row["updated_at"]) < last
    )
    assert rows


def test_a_bound_finer_than_a_millisecond(rootly: Rootly) -> None:
    text = _value(rootly, "incidents", "created_at")
    just_after = text.replace(text[19:23], text[19:23] + "001")
    assert just_after != text
    with_it = _keys(_filtered(rootly, "incidents", "filter[created_at][gte]", text))
    without = _keys(_filtered(rootly, "incidents", "filter[created_at][gte]", just_after))
    assert len(with_it) - len(without) == 1


@pytest.mark.parametrize("value", ["yesterday", "", "2026-07-01T00:00:00 00:00", "1782900000"])
def test_a_bound_that_is_no_time_is_ignored(rootly: Rootly, value: str) -> None:
    assert len(_filtered(rootly, "incidents", "filter[updated_at][gte]", value)) == 100


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("services", "filter[updated_at][gte]"),
        ("users", "filter[updated_at][gte]"),
        ("alert_events", "filter[updated_at][gte]"),
        ("dashboards", "filter[created_at][gte]"),
        ("oncalls", "filter[starts_at][gte]"),
        ("incidents", "filter[closed_at]"),
        ("incidents", "filter[updated_at][eq]"),
        ("incidents", "updated_at[gte]"),
        ("incidents", "updated_after"),
        ("alert_groups", "filter[name]"),
        ("teams", "filter[nonsense][in]"),
    ],
)
def test_what_a_list_does_not_know_is_ignored(rootly: Rootly, path: str, name: str) -> None:
    shown = min(50 if path == "alert_events" else 100, len(rootly.simulator.tables[path]))
    assert len(_filtered(rootly, path, name, "2030-01-01T00:00:00Z")) == shown


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("incidents", "kind"),
        ("incidents", "status"),
        ("incidents", "sequential_id"),
        ("incidents", "slack_channel_id"),
        ("alerts", "status"),
        ("alerts", "source"),
        ("alert_events", "kind"),
        ("alert_events", "alert_id"),
        ("users", "email"),
        ("services", "slug"),
        ("services", "backstage_id"),
        ("teams", "color"),
        ("schedules", "name"),
        ("heartbeats", "name"),
        ("authorizations", "grantee_type"),
        ("severities", "severity"),
    ],
)
def test_values_are_compared(rootly: Rootly, path: str, name: str) -> None:
    value = _value(rootly, path, name)
    expected = _expected(rootly, path, lambda row: row[name] == value)
    assert expected
    assert _keys(_filtered(rootly, path, f"filter[{name}]", str(value))) <= expected
    assert len(_filtered(rootly, path, f"filter[{name}]", str(value))) == min(
        len(expected), 50 if path == "alert_events" else 100
    )
    assert _filtered(rootly, path, f"filter[{name}]", "no such value") == []


def test_operators_on_values(rootly: Rootly) -> None:
    def statuses(operator: str, value: str) -> set[str]:
        rows = _filtered(rootly, "incidents", f"filter[status]{operator}", value)
        return {row["attributes"]["status"] for row in rows}

    every = statuses("", "resolved,closed,cancelled,completed,scheduled,in_triage,mitigated")
    assert statuses("[eq]", "closed") == {"closed"}
    assert statuses("[eq]", "closed,resolved") == set()
    assert statuses("[in]", "closed,resolved") == {"closed", "resolved"}
    assert statuses("", "closed,resolved") == {"closed", "resolved"}
    assert "closed" not in statuses("[not_eq]", "closed")
    rest = statuses("[not_in]", "closed,resolved")
    assert rest >= every - {"closed", "resolved"}
    assert not rest & {"closed", "resolved"}


def test_lists_know_only_their_operators(rootly: Rootly) -> None:
    assert len(_filtered(rootly, "users", "filter[email][eq]", "nobody")) == 40
    assert len(_filtered(rootly, "alert_groups", "filter[name][eq]", "Group 2")) == 1
    assert len(_filtered(rootly, "alert_groups", "filter[slug][not_in]", "group-1,group-2")) == 2


def test_booleans_are_written_in_lower_case(rootly: Rootly) -> None:
    private = _keys(_filtered(rootly, "incidents", "filter[private]", "true"))
    assert private == _expected(rootly, "incidents", lambda row: row["private"])
    assert private
    broadcast = _keys(_filtered(rootly, "services", "filter[alert_broadcast_enabled]", "false"))
    assert broadcast == _expected(
        rootly, "services", lambda row: not row["alert_broadcast_enabled"]
    )


@pytest.mark.parametrize(
    ("relation", "table", "plural", "ids", "names"),
    [
        ("services", "services", "services", "service_ids", "service_names"),
        ("environments", "environments", "environments", "environment_ids", None),
        ("groups", "teams", "teams", "team_ids", "team_names"),
        ("incident_types", "incident_types", "types", "type_ids", None),
        (
            "functionalities",
            "functionalities",
            "functionalities",
            "functionality_ids",
            "functionality_names",
        ),
    ],
)
def test_incidents_by_what_they_concern(
    rootly: Rootly, relation: str, table: str, plural: str, ids: str, names: str | None
) -> None:
    entry = list(rootly.simulator.tables[table])[1].data()
    expected = {
        row.key
        for row in rootly.simulator.tables["incidents"]
        if entry["id"] in [each["id"] for each in row.data()["relationships"][relation]["data"]]
    }
    assert expected
    attributes = entry["attributes"]
    assert _keys(_filtered(rootly, "incidents", f"filter[{ids}]", entry["id"])) == expected
    for given in (attributes["slug"], attributes["name"]):
        assert _keys(_filtered(rootly, "incidents", f"filter[{plural}][in]", given)) == expected
    assert _filtered(rootly, "incidents", f"filter[{plural}]", entry["id"]) == []
    if names is not None:
        found = _filtered(rootly, "incidents", f"filter[{names}]", attributes["name"])
        assert _keys(found) == expected
    rest = _keys(_filtered(rootly, "incidents", f"filter[{ids}][not_eq]", entry["id"]))
    assert rest == set(rootly.simulator.tables["incidents"].keys()) - expected


def test_incidents_by_severity_and_user(rootly: Rootly) -> None:
    severity = list(rootly.simulator.tables["severities"])[2].data()

    def has_severity(row: Json) -> bool:
        return bool(row["severity"]) and row["severity"]["data"]["id"] == severity["id"]

    expected = _expected(rootly, "incidents", has_severity)
    assert expected
    slug = severity["attributes"]["slug"]
    assert _keys(_filtered(rootly, "incidents", "filter[severity]", slug)) == expected
    found = _filtered(rootly, "incidents", "filter[severity_id]", severity["id"])
    assert _keys(found) == expected

    user = _value(rootly, "incidents", "user")["data"]["id"]
    found = _filtered(rootly, "incidents", "filter[user_id]", user)
    assert found
    assert {row["attributes"]["user"]["data"]["id"] for row in found} == {user}


def test_labels_in_either_form(rootly: Rootly) -> None:
    found = _filtered(rootly, "incidents", "filter[labels]", "region:eu-west-1")
    forms = set[str]()
    for row in found:
        labels: Any = row["attributes"]["labels"]
        if isinstance(labels, dict):
            forms.add("object")
            assert labels["region"] == "eu-west-1"
        else:
            forms.add("array")
            assert {"key": "region", "value": "eu-west-1"} in labels
    assert forms == {"object", "array"}
    assert _filtered(rootly, "alerts", "filter[labels]", "paged:true")


def test_alerts_by_what_they_concern(rootly: Rootly) -> None:
    service = list(rootly.simulator.tables["services"])[3].data()
    found = _filtered(rootly, "alerts", "filter[services]", service["attributes"]["slug"])
    assert _keys(found) == _expected(
        rootly, "alerts", lambda row: service["id"] in row["service_ids"]
    )
    assert found


def test_who_is_on_call_on_a_schedule(rootly: Rootly) -> None:
    first, second, *_ = rootly.simulator.tables["schedules"].keys()
    found = _filtered(rootly, "oncalls", "filter[schedule_ids]", f"{first},{second}")
    assert {row["attributes"]["schedule_id"] for row in found} == {first, second}
    quiet = _filtered(rootly, "oncalls", "filter[notification_types]", "quiet")
    assert len(quiet) == 8


def test_search_ignores_case_and_looks_at_texts(rootly: Rootly) -> None:
    found = _filtered(rootly, "incidents", "filter[search]", "ZÜRICH")
    assert found
    for row in found:
        attributes = row["attributes"]
        assert "zürich" in f"{attributes['title']} {attributes['summary']}".lower()
    assert len(_filtered(rootly, "users", "filter[search]", "@EXAMPLE.com")) == 40
    assert len(_filtered(rootly, "alerts", "filter[search]", "no such text")) == 90


def test_filters_add_up(rootly: Rootly) -> None:
    rows = _rows(
        rootly,
        "incidents",
        **{
            "filter[status]": "resolved,closed",
            "filter[kind]": "normal",
            "filter[created_at][gt]": "2025-07-01T00:00:00Z",
            "filter[search]": "the",
        },
    )
    assert rows
    for row in rows:
        assert row["attributes"]["status"] in {"resolved", "closed"}
        assert row["attributes"]["kind"] == "normal"
        assert parse_iso(row["attributes"]["created_at"]) > parse_iso("2025-07-01T00:00:00Z")


@pytest.mark.parametrize(
    ("path", "sort"),
    [
        ("incidents", "created_at"),
        ("incidents", "-created_at"),
        ("incidents", "updated_at"),
        ("incidents", "-updated_at"),
        ("incidents", "started_at"),
        ("users", "updated_at"),
        ("users", "-updated_at"),
        ("alert_events", "created_at"),
        ("alert_events", "-created_at"),
    ],
)
def test_sorting(rootly: Rootly, path: str, sort: str) -> None:
    name = sort.removeprefix("-")
    times = [row["attributes"][name] for row in _rows(rootly, path, sort=sort)]
    instants = [parse_iso(at) for at in times if at]
    assert instants == sorted(instants, reverse=sort.startswith("-"))
    assert len(set(instants)) > 10


def test_the_newest_come_first_unless_asked(rootly: Rootly) -> None:
    for path in ("incidents", "alerts", "users", "services", "teams", "dashboards", "heartbeats"):
        created = [parse_iso(row["attributes"]["created_at"]) for row in _rows(rootly, path)]
        assert created == sorted(created, reverse=True)
        assert len(created) > 5


def test_the_feed_begins_with_the_oldest(rootly: Rootly) -> None:
    created = [parse_iso(row["attributes"]["created_at"]) for row in _rows(rootly, "alert_events")]
    assert created == sorted(created)


@pytest.mark.parametrize(
    ("path", "sort"),
    [
        ("alerts", "updated_at"),
        ("services", "-updated_at"),
        ("incidents", "closed_at"),
        ("incidents", "title"),
        ("incidents", ""),
    ],
)
def test_a_sort_that_a_list_does_not_know_is_ignored(rootly: Rootly, path: str, sort: str) -> None:
    assert _rows(rootly, path, sort=sort) == _rows(rootly, path)


def test_sorting_by_two_times(rootly: Rootly) -> None:
    rows = _rows(rootly, "incidents", sort="in_triage_at,-updated_at")
    without = [row["attributes"] for row in rows if row["attributes"]["in_triage_at"] is None]
    updated = [parse_iso(row["updated_at"]) for row in without]
    assert len(updated) > 50
    assert updated == sorted(updated, reverse=True)


def test_filters_follow_changes() -> None:
    with serve(RootlySimulator(incidents=50, alerts=5, alert_events=5, shifts=8)) as rootly:
        query = {"filter[updated_at][gte]": DEFAULT_NOW.isoformat()}
        assert _rows(rootly, "incidents", **query) == []
        rootly.simulator.touch("incidents", 3)
        rootly.simulator.insert("incidents", 2)
        assert len(_rows(rootly, "incidents", **query)) == 5
