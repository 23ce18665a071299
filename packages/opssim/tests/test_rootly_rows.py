from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, timedelta
from functools import cache
from typing import Any

import pytest

from opssim.core.clock import DEFAULT_NOW, parse_iso
from opssim.rootly import RootlyQuirks, RootlySimulator

Json = dict[str, Any]

#: How many attributes the API's document gives each list.
_ATTRIBUTES = {
    "incidents": 135,
    "alerts": 34,
    "alert_events": 16,
    "users": 8,
    "services": 36,
    "teams": 32,
    "schedules": 17,
    "heartbeats": 19,
    "dashboards": 13,
    "authorizations": 7,
    "shifts": 7,
    "oncalls": 12,
    "alert_groups": 13,
    "alert_routes": 5,
    "alert_routing_rules": 10,
    "alert_urgencies": 10,
    "environments": 13,
    "functionalities": 25,
    "incident_types": 11,
    "severities": 11,
    "retrospective_configurations": 6,
}
_TYPES = {"teams": "groups", "oncalls": "on_call_resources"}
_INCIDENT_STATUSES = {
    "in_triage", "started", "detected", "acknowledged", "mitigated", "resolved", "closed",
    "cancelled", "scheduled", "in_progress", "completed",
}  # fmt: skip
_INCIDENT_KINDS = {
    "test", "test_sub", "example", "example_sub", "normal", "normal_sub", "backfilled",
    "scheduled", "scheduled_sub",
}  # fmt: skip


@cache
def _simulator(quirks: RootlyQuirks | None = None) -> RootlySimulator:
    return RootlySimulator(incidents=300, alerts=200, alert_events=900, quirks=quirks)


def _rows(table: str, quirks: RootlyQuirks | None = None) -> list[Json]:
    return [row.data() for row in _simulator(quirks).tables[table]]


def _attributes(table: str, quirks: RootlyQuirks | None = None) -> list[Json]:
    return [row["attributes"] for row in _rows(table, quirks)]


def _times(row: Json) -> Iterable[str]:
    return (value for name, value in row.items() if name.endswith("_at") and value is not None)


def test_every_list_has_its_rows() -> None:
    counts = RootlySimulator().counts()
    assert counts["incidents"] == 1000
    assert counts["alerts"] == 2000
    assert counts["users"] == 40
    assert counts["services"] == 25
    assert counts["schedules"] == 8
    assert counts["teams"] == 10
    assert counts["heartbeats"] == 12
    assert counts["dashboards"] == 6
    assert counts["authorizations"] == 15
    assert set(_ATTRIBUTES) <= set(counts)


def test_sizes_can_be_chosen_down_to_nothing() -> None:
    simulator = RootlySimulator(
        incidents=3,
        alerts=2,
        users=0,
        services=0,
        schedules=0,
        teams=0,
        heartbeats=1,
        dashboards=0,
        authorizations=1,
        alert_events=4,
        shifts=2,
    )
    counts = simulator.counts()
    assert counts["incidents"] == 3
    assert counts["users"] == counts["services"] == counts["oncalls"] == 0
    assert counts["shifts"] == 2


@pytest.mark.parametrize("table", _ATTRIBUTES)
def test_rows_have_the_attributes_of_the_api(table: str) -> None:
    rows = _rows(table)
    for row in rows:
        assert row["type"] == _TYPES.get(table, table)
        assert isinstance(row["id"], str)
        assert row["attributes"].keys() == rows[0]["attributes"].keys()
        assert len(row["attributes"]) == _ATTRIBUTES[table]
    assert len({row["id"] for row in rows}) == len(rows)


@pytest.mark.parametrize("table", _ATTRIBUTES)
def test_times_lie_in_the_two_years_before_now(table: str) -> None:
    begin = DEFAULT_NOW - timedelta(days=731)
    for row in _attributes(table):
        if "created_at" in row:
            created, updated = parse_iso(row["created_at"]), parse_iso(row["updated_at"])
            assert begin <= created <= updated <= DEFAULT_NOW


def test_time_stamps_carry_the_organisation_s_offset_in_both_seasons() -> None:
    offsets = set[str]()
    for row in _attributes("incidents"):
        for text in _times(row):
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}-0[78]:00", text)
            offsets.add(text[-6:])
    assert offsets == {"-07:00", "-08:00"}


def test_an_organisation_elsewhere_has_the_same_rows() -> None:
    elsewhere = RootlyQuirks(utc_offset_hours=(1, 2))
    for here, there in zip(
        _attributes("incidents"), _attributes("incidents", elsewhere), strict=True
    ):
        assert here["title"] == there["title"]
        assert here["created_at"] != there["created_at"]
        assert parse_iso(here["created_at"]) == parse_iso(there["created_at"])


def test_an_organisation_in_utc_writes_a_z() -> None:
    (row, *_) = _attributes("incidents", RootlyQuirks(utc_offset_hours=(0, 0)))
    assert row["created_at"].endswith("Z")
    assert parse_iso(row["created_at"]).tzinfo == UTC


def test_kinds_and_statuses_are_those_of_the_api() -> None:
    rows = _attributes("incidents")
    kinds, statuses = {row["kind"] for row in rows}, {row["status"] for row in rows}
    assert kinds <= _INCIDENT_KINDS
    assert kinds >= {"normal", "test", "example", "backfilled", "scheduled", "normal_sub"}
    assert statuses <= _INCIDENT_STATUSES
    assert statuses >= {"in_triage", "mitigated", "resolved", "closed", "cancelled", "completed"}


def test_odd_incidents_are_among_them() -> None:
    rows = _attributes("incidents")
    assert any(row["severity"] is None for row in rows)
    assert any(row["user"] is None for row in rows)
    assert any(row["sequential_id"] is None for row in rows)
    assert any(row["status"] == "completed" and row["resolved_at"] is None for row in rows)
    assert any(row["status"] == "closed" and row["resolved_at"] is None for row in rows)
    assert any(
        row["resolved_at"] and parse_iso(row["resolved_at"]) < parse_iso(row["started_at"])
        for row in rows
    )


def test_cancelled_incidents_only_know_when_they_were_cancelled() -> None:
    cancelled = [row for row in _attributes("incidents") if row["status"] == "cancelled"]
    assert cancelled
    for row in cancelled:
        assert row["cancelled_at"]
        assert not any(row[f"{stage}_at"] for stage in ("started", "resolved", "mitigated"))


def test_backfilled_incidents_were_written_down_long_after() -> None:
    rows = [row for row in _attributes("incidents") if row["kind"] == "backfilled"]
    assert rows
    for row in rows:
        assert parse_iso(row["created_at"]) - parse_iso(row["started_at"]) > timedelta(days=90)


def test_stages_follow_each_other_except_where_odd() -> None:
    stages = ("started_at", "detected_at", "acknowledged_at", "mitigated_at", "closed_at")
    for row in _attributes("incidents"):
        times = [parse_iso(row[stage]) for stage in stages if row[stage]]
        assert times == sorted(times)
        assert all(at <= DEFAULT_NOW for at in times)


def test_numbers_of_incidents_follow_their_age() -> None:
    rows = [row for row in _attributes("incidents") if row["sequential_id"]]
    by_age = sorted(rows, key=lambda row: parse_iso(row["created_at"]))
    numbers = [row["sequential_id"] for row in by_age]
    assert numbers == sorted(numbers)


def test_integrations_are_mostly_null() -> None:
    rows = _attributes("incidents")
    nulls = sum(value is None for row in rows for value in row.values())
    assert nulls / len(rows) > 85


def test_texts_are_those_of_people() -> None:
    texts = " ".join(row["title"] for row in _attributes("incidents"))
    texts += " ".join(row["full_name"] or "" for row in _attributes("users"))
    for sign in ("ü", "東", "🔥", '"', "\n", "\t", "\\", "'", "“"):
        assert sign in texts


def test_ids_of_users_are_numbers_and_the_others_are_uuids() -> None:
    assert all(row["id"].isdigit() for row in _rows("users"))
    uuid = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
    for table in ("incidents", "alerts", "services", "shifts"):
        assert all(uuid.fullmatch(row["id"]) for row in _rows(table))


def test_users_are_referred_to_by_number() -> None:
    known = {int(row["id"]) for row in _rows("users")}
    assert {row["owner_user_id"] for row in _attributes("schedules")} <= known
    for row in _attributes("services"):
        assert set(row["owner_user_ids"]) <= known
    for row in _rows("shifts"):
        number, user = row["attributes"]["user_id"], row["relationships"]["user"]["data"]
        assert (number is None) is (user is None)
        assert user is None or (user["id"], number in known) == (str(number), True)


def test_references_lead_somewhere() -> None:
    tables = _simulator().tables
    for row in _rows("incidents"):
        for name, table in (("services", "services"), ("groups", "teams")):
            for reference in row["relationships"][name]["data"]:
                assert reference["id"] in tables[table]
    assert all(row["alert_id"] in tables["alerts"] for row in _attributes("alert_events"))
    assert all(row["schedule_id"] in tables["schedules"] for row in _attributes("shifts"))
    assert all(
        row["authorizable_id"] in tables["dashboards"] for row in _attributes("authorizations")
    )


def test_some_people_have_no_names_yet() -> None:
    nameless = [row for row in _attributes("users") if row["full_name"] is None]
    assert nameless
    assert all(row["email"] and row["first_name"] is None for row in nameless)


def test_alerts_name_their_source_twice() -> None:
    for row in _rows("alerts"):
        assert row["source"] == row["attributes"]["source"]


def test_labels_of_alerts_have_values_of_every_type() -> None:
    labels = [label for row in _attributes("alerts") for label in row["labels"]]
    assert None in labels
    types = {type(label["value"]).__name__ for label in labels if label}
    assert types == {"str", "int", "float", "bool"}


def test_payloads_of_alerts_do_not_agree() -> None:
    payloads = [row["data"] for row in _attributes("alerts")]
    assert None in payloads
    assert {} in payloads
    monitors = {type(data["monitor"]).__name__ for data in payloads if data and "monitor" in data}
    values = {type(data["value"]).__name__ for data in payloads if data and "value" in data}
    assert monitors == {"dict", "str"}
    assert values == {"float", "str", "NoneType"}


def test_events_tell_what_became_of_their_alerts() -> None:
    alerts = {row["id"]: row["attributes"] for row in _rows("alerts")}
    actions = {row["action"] for row in _attributes("alert_events")}
    assert actions == {"created", "paged", "acknowledged", "resolved", "added"}
    for event in _attributes("alert_events"):
        alert = alerts[event["alert_id"]]
        assert parse_iso(event["created_at"]) >= parse_iso(alert["created_at"])
        if event["action"] == "resolved":
            assert event["created_at"] == alert["ended_at"]


def _form(value: Any) -> str:
    if value is None:
        return "absent"
    return "wrapped" if isinstance(value, dict) else "list"


@pytest.mark.parametrize("form", ["list", "wrapped", "relationships"])
def test_nested_entries_take_the_form_of_the_organisation(form: Any) -> None:
    expected = "absent" if form == "relationships" else form
    for row in _rows("incidents", RootlyQuirks(nested=form)):
        assert _form(row["attributes"].get("services")) == expected
        assert ("services" in row["attributes"]) is (form != "relationships")
        ids = [entry["id"] for entry in row["relationships"]["services"]["data"]]
        if form == "list":
            entries = [entry["data"] for entry in row["attributes"]["services"]]
            assert [entry["id"] for entry in entries] == ids
        elif form == "wrapped":
            assert [entry["id"] for entry in row["attributes"]["services"]["data"]] == ids


def test_nested_entries_may_take_every_form() -> None:
    rows = _attributes("incidents", RootlyQuirks(nested="mixed"))
    assert {_form(row.get("groups")) for row in rows} == {"list", "wrapped", "absent"}


def test_embedded_entries_are_resources() -> None:
    for row in _attributes("incidents"):
        if row["severity"] is not None:
            data = row["severity"]["data"]
            assert data["type"] == "severities"
            assert {"name", "slug", "severity", "created_at"} <= data["attributes"].keys()
        if row["user"] is not None:
            assert row["user"]["data"]["attributes"]["name"]


@pytest.mark.parametrize(
    ("form", "types"),
    [("object", {"dict"}), ("array", {"dict", "list"}), ("mixed", {"dict", "list"})],
)
def test_labels_take_the_form_of_the_organisation(form: Any, types: set[str]) -> None:
    rows = _attributes("incidents", RootlyQuirks(labels=form))
    assert {type(row["labels"]).__name__ for row in rows} == types
    assert {} in [row["labels"] for row in rows]
    for row in rows:
        if form == "array" and row["labels"]:
            assert all(set(label) == {"key", "value"} for label in row["labels"])


def test_enumerations_may_be_null_or_unknown() -> None:
    spoilt = RootlyQuirks(null_enums=True)
    statuses = {row["status"] for row in _attributes("incidents", spoilt)}
    assert None in statuses
    assert statuses - _INCIDENT_STATUSES - {None} == {"monitoring"}
    kinds = {row["kind"] for row in _attributes("incidents", spoilt)}
    assert kinds - _INCIDENT_KINDS == {None, "drill"}
    assert {"muted", None} <= {row["status"] for row in _attributes("alerts", spoilt)}
    assert None in {row["status"] for row in _attributes("heartbeats", spoilt)}
    assert {None, "opentofu"} <= {row["managed_by"] for row in _attributes("services", spoilt)}
    assert None in {row["kind"] for row in _attributes("alert_events", spoilt)}


def test_strict_switches_everything_on() -> None:
    strict, plain = RootlyQuirks.strict(), RootlyQuirks()
    assert strict.media_type_required
    assert strict.user_agent_required
    assert strict.total_count_unfiltered
    assert strict.omit_total_pages
    assert strict.null_enums
    assert strict.advanced_alert_routing
    assert strict.nested == strict.labels == "mixed"
    assert strict.default_page_size < plain.default_page_size
    assert strict.deep_offset_limit < plain.deep_offset_limit
