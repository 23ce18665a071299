from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from opssim.core.clock import DEFAULT_NOW, parse_iso
from opssim.rootly import RootlyQuirks, RootlySimulator
from opssim.rootly.data import KINDS

Json = dict[str, Any]
_UNCHANGING = {"alert_events", "oncalls", "alert_routes"}
_UNSTAMPED = {"shifts", "oncalls", "alert_routes"}


def _small(seed: int = 7, **quirks: Any) -> RootlySimulator:
    simulator = RootlySimulator(
        seed=seed,
        incidents=60,
        alerts=30,
        alert_events=60,
        shifts=40,
        quirks=RootlyQuirks(**quirks),
    )
    simulator.clock.freeze()
    return simulator


def _bodies(simulator: RootlySimulator) -> dict[str, list[bytes]]:
    return {name: [row.body for row in table] for name, table in simulator.tables.items()}


def test_a_seed_gives_the_same_rows_and_keys_every_time() -> None:
    one, other = _small(), _small()
    assert _bodies(one) == _bodies(other)
    assert (one.token, one.team_token) == (other.token, other.team_token)
    assert one.secrets() == other.secrets()


def test_another_seed_gives_others() -> None:
    one, other = _small(), _small(seed=8)
    assert one.token != other.token
    assert not set(_bodies(one)["incidents"]) & set(_bodies(other)["incidents"])
    assert len(one.secrets() & other.secrets()) == 0


def test_the_size_of_one_list_leaves_the_small_ones_alone() -> None:
    small, large = RootlySimulator(incidents=1), RootlySimulator(incidents=50, alerts=1)
    for table in ("users", "services", "teams", "schedules", "heartbeats", "shifts"):
        assert _bodies(small)[table] == _bodies(large)[table]


def test_data_ends_when_it_is_told_to() -> None:
    now = datetime(2024, 3, 1, tzinfo=UTC)
    simulator = RootlySimulator(incidents=50, alerts=50, now=now)
    for table in ("incidents", "alerts"):
        for row in simulator.tables[table]:
            updated = parse_iso(row.data()["attributes"]["updated_at"])
            assert now - timedelta(days=731) < updated <= now


def test_changes_are_the_same_every_time() -> None:
    one, other = _small(), _small()
    for simulator in (one, other):
        for table in simulator.tables:
            simulator.insert(table, 2)
            simulator.touch(table, 3)
    assert _bodies(one) == _bodies(other)


@pytest.mark.parametrize("table", KINDS)
def test_inserting_adds_rows(table: str) -> None:
    simulator = _small()
    before = set(simulator.tables[table].keys())
    simulator.insert(table, 3)
    new = [row for row in simulator.tables[table] if row.key not in before]
    assert len(new) == 3
    assert len(simulator.tables[table]) == len(before) + 3
    if table not in _UNSTAMPED:
        for row in new:
            attributes = row.data()["attributes"]
            assert parse_iso(attributes["created_at"]) > DEFAULT_NOW
            assert attributes["updated_at"] == attributes["created_at"]


def test_inserted_rows_can_be_told_apart_by_their_times() -> None:
    simulator = _small()
    simulator.insert("incidents", 10)
    created = [row.data()["attributes"]["created_at"] for row in simulator.tables["incidents"]]
    assert len(set(created[-10:])) == 10


def test_numbers_go_on() -> None:
    simulator = _small()
    simulator.insert("incidents", 1)
    last = list(simulator.tables["incidents"])[-1].data()["attributes"]
    assert last["sequential_id"] == 61


@pytest.mark.parametrize("table", KINDS)
def test_touching_changes_rows_in_place(table: str) -> None:
    simulator = _small()
    before = {row.key: row.body for row in simulator.tables[table]}
    count = min(3, len(before))
    simulator.touch(table, 3)
    after = {row.key: row.body for row in simulator.tables[table]}
    assert list(after) == list(before)
    changed = [key for key in after if after[key] != before[key]]
    assert len(changed) == (0 if table in _UNCHANGING else count)
    for key in changed:
        row = simulator.tables[table].get(key)
        assert row is not None
        if table != "shifts":
            assert parse_iso(row.data()["attributes"]["updated_at"]) > DEFAULT_NOW


def test_touching_more_rows_than_there_are_touches_all() -> None:
    simulator = _small()
    simulator.touch("users", 1000)
    for row in simulator.tables["users"]:
        assert parse_iso(row.data()["attributes"]["updated_at"]) > DEFAULT_NOW


def test_filters_see_touched_rows() -> None:
    simulator = _small()
    simulator.touch("incidents", 60)
    for row in simulator.tables["incidents"]:
        at = parse_iso(row.data()["attributes"]["updated_at"])
        assert row.fields["updated_at"] == round(at.timestamp() * 1000)


def test_a_new_incident_goes_through_its_stages() -> None:
    simulator = RootlySimulator(incidents=0, alerts=0, alert_events=0, shifts=0)
    simulator.insert("incidents", 1)
    statuses, attributes = list[str](), dict[str, Any]()
    for _ in range(8):
        (row,) = simulator.tables["incidents"]
        attributes = row.data()["attributes"]
        statuses.append(attributes["status"])
        simulator.touch("incidents", 1)
        simulator.clock.skip(timedelta(minutes=5))
    assert statuses[:7] == [
        "in_triage", "started", "detected", "acknowledged", "mitigated", "resolved", "closed",
    ]  # fmt: skip
    assert statuses[7] == "closed"
    stages = ("started", "detected", "acknowledged", "mitigated", "resolved", "closed")
    times = [parse_iso(attributes[f"{stage}_at"]) for stage in stages]
    assert times == sorted(set(times))
    assert attributes["resolved_by"]["data"]["type"] == "users"


def test_scheduled_incidents_are_completed() -> None:
    simulator = _small()
    key = next(
        row.key
        for row in simulator.tables["incidents"]
        if row.data()["attributes"]["status"] == "scheduled"
    )
    seen = list[str]()
    for _ in range(4):
        simulator.touch("incidents", 60)
        row = simulator.tables["incidents"].get(key)
        assert row is not None
        seen.append(row.data()["attributes"]["status"])
    assert seen == ["in_progress", "completed", "completed", "completed"]


def test_an_alert_is_acknowledged_resolved_and_reopened() -> None:
    simulator = RootlySimulator(incidents=0, alerts=0, alert_events=0, shifts=0)
    simulator.insert("alerts", 1)
    seen = list[tuple[str, bool]]()
    for _ in range(5):
        (row,) = simulator.tables["alerts"]
        attributes = row.data()["attributes"]
        seen.append((attributes["status"], attributes["ended_at"] is not None))
        simulator.touch("alerts", 1)
    assert seen == [
        ("triggered", False),
        ("acknowledged", False),
        ("resolved", True),
        ("open", False),
        ("acknowledged", False),
    ]


def test_odd_statuses_survive_being_touched() -> None:
    simulator = _small(null_enums=True)
    simulator.touch("incidents", 60)
    simulator.touch("alerts", 30)
    assert len(simulator.tables["incidents"]) == 60


def test_a_heartbeat_reports() -> None:
    simulator = _small()
    simulator.touch("heartbeats", 12)
    for row in simulator.tables["heartbeats"]:
        attributes = row.data()["attributes"]
        assert attributes["status"] == "active"
        assert parse_iso(attributes["expires_at"]) > parse_iso(attributes["last_pinged_at"])


def test_a_shift_is_taken_over() -> None:
    simulator = _small()
    simulator.touch("shifts", 40)
    for row in simulator.tables["shifts"]:
        data = row.data()
        assert data["attributes"]["is_override"]
        user = str(data["attributes"]["user_id"])
        assert data["relationships"]["user"]["data"]["id"] == user
        assert data["relationships"]["assignee"]["data"]["id"] == user


@pytest.mark.parametrize("change", ["insert", "touch"])
def test_there_is_no_such_table(change: str) -> None:
    with pytest.raises(KeyError, match="no table 'nonsense'; it has users"):
        getattr(_small(), change)("nonsense")


def test_secrets_are_all_reported() -> None:
    simulator = _small()
    simulator.insert("heartbeats", 2)
    simulator.insert("incidents", 15)
    secrets = simulator.secrets()
    assert {simulator.token, simulator.team_token} <= secrets
    found = set[str]()
    for row in simulator.tables["heartbeats"]:
        attributes = row.data()["attributes"]
        assert any(secret in attributes["ping_url"] for secret in secrets)
        found.add(attributes["secret"])
    with_meeting = 0
    for row in simulator.tables["incidents"]:
        attributes = row.data()["attributes"]
        passwords = {value for name, value in attributes.items() if name.endswith("password")}
        found |= passwords - {None}
        with_meeting += passwords != {None}
    assert with_meeting > 5
    assert found <= secrets
    assert len(found) == 14 + 3 * with_meeting


def test_every_secret_looks_like_one_and_is_told_apart() -> None:
    simulator = _small()
    rows = simulator.secrets() - {simulator.token, simulator.team_token}
    assert all(secret.startswith("sk-sim-") and len(secret) == 39 for secret in rows)
    everything = b"".join(body for bodies in _bodies(simulator).values() for body in bodies)
    for secret in rows:
        assert everything.count(secret.encode()) == 1
    assert everything.count(b"sk-sim-") == len(rows)
    assert simulator.token.encode() not in everything
