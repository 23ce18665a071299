"""What belongs to the rows of Rootly's lists: included, changed with them, and gone with them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from opssim.core.churn import Churn
from opssim.core.server import Running, serve
from opssim.rootly import RootlyQuirks, RootlySimulator
from opssim.rootly.facts import OWNERS, TABLES
from opssim.rootly.generic import FEEDS
from opssim.rootly.lists import LISTINGS

Rootly = Running[RootlySimulator]
Json = dict[str, Any]

_INCIDENT_CHILDREN = {
    "events": "incidents_events",
    "action_items": "action_items",
    "feedbacks": "incidents_feedbacks",
    "custom_field_selections": "incidents_custom_field_selections",
    "sub_statuses": "incidents_sub_statuses",
    "alerts": "alerts",
    "incident_post_mortem": "post_mortems",
}
_OF_INCIDENTS = sorted(
    name for name, owner in OWNERS.items() if owner.table == "incidents" and name != "alerts"
)
_UNCHANGING = FEEDS | {"alert_events", "oncalls", "alert_routes"}


def _small(quirks: RootlyQuirks | None = None, churn: Churn | None = None) -> RootlySimulator:
    simulator = RootlySimulator(
        incidents=30, alerts=40, alert_events=80, shifts=40, users=8, quirks=quirks, churn=churn
    )
    simulator.clock.freeze()
    return simulator


@pytest.fixture(name="rootly", scope="module")
def _rootly() -> Iterator[Rootly]:
    with serve(_small()) as running:
        yield running


def _get(rootly: Rootly, path: str, include: str = "") -> Json:
    query: dict[str, str | int] = {"page[size]": 100}
    if include:
        query["include"] = include
    headers = {"Authorization": f"Bearer {rootly.simulator.token}"}
    answer = requests.get(f"{rootly.url}/v1/{path}", params=query, headers=headers, timeout=5)
    assert answer.status_code == 200, answer.text
    page: Json = answer.json()
    return page


def _linked(row: Json, name: str) -> list[str]:
    links: Any = row["relationships"][name]["data"]
    return [link["id"] for link in ([links] if name == "incident_post_mortem" else links) if link]


def _updated(simulator: RootlySimulator) -> dict[str, str]:
    rows = simulator.tables["incidents"]
    return {row.key: row.data()["attributes"]["updated_at"] for row in rows}


def _bodies(simulator: RootlySimulator, table: str) -> dict[str, bytes]:
    return {row.key: row.body for row in simulator.tables[table]}


@pytest.mark.parametrize("name", _INCIDENT_CHILDREN)
def test_incidents_include_their_children(rootly: Rootly, name: str) -> None:
    table = _INCIDENT_CHILDREN[name]
    page = _get(rootly, "incidents", name)
    children = {row["id"]: row for row in page["included"]}
    assert children
    expected = {
        row.key: row.data() for row in rootly.simulator.tables[table] if row.fields["incident_id"]
    }
    assert children == expected
    linked = {key: row["id"] for row in page["data"] for key in _linked(row, name)}
    owners = rootly.simulator.tables[table]
    assert linked == {row.key: row.fields["incident_id"] for row in owners if row.key in children}


def test_children_of_several_kinds_are_included_at_once(rootly: Rootly) -> None:
    page = _get(rootly, "incidents", ",".join([*_INCIDENT_CHILDREN, "services", "nonsense"]))
    kinds = {row["type"] for row in page["included"]}
    assert {"incident_events", "incident_feedbacks", "alerts", "services"} <= kinds
    links = page["data"][-1]["relationships"]
    assert links["events"]["data"][0].keys() == {"id", "type"}
    assert links["events"]["data"][0]["type"] == "incident_events"


def test_a_post_mortem_is_one_or_none(rootly: Rootly) -> None:
    page = _get(rootly, "incidents", "incident_post_mortem")
    data = [row["relationships"]["incident_post_mortem"]["data"] for row in page["data"]]
    assert sum(each is not None for each in data) == 6
    assert {each["type"] for each in data if each} == {"incident_post_mortems"}


def test_nobody_sees_children_without_asking(rootly: Rootly) -> None:
    rows = rootly.simulator.tables["incidents"]
    for row in _get(rootly, "incidents")["data"]:
        kept = rows.get(row["id"])
        assert kept is not None
        assert row == kept.data()
        assert row["relationships"]["events"] == {"data": []}
        assert "alerts" not in row["relationships"]


def test_single_incidents_include_their_children(rootly: Rootly) -> None:
    key = rootly.simulator.tables["incidents"].keys()[0]
    answer = _get(rootly, f"incidents/{key}", "events")
    events = _get(rootly, f"incidents/{key}/events")["data"]
    assert {row["id"] for row in answer["included"]} == {row["id"] for row in events}
    assert set(_linked(answer["data"], "events")) == {row["id"] for row in events}


@pytest.mark.parametrize(
    ("path", "name"),
    [("dashboards", "panels"), ("users", "phone_numbers"), ("catalogs", "entities")],
)
def test_other_lists_include_their_children_too(rootly: Rootly, path: str, name: str) -> None:
    page = _get(rootly, path, name)
    assert page["included"]
    for row in page["data"]:
        children = _get(rootly, f"{path}/{row['id']}/{name}")["data"]
        assert set(_linked(row, name)) == {child["id"] for child in children}


def test_alerts_of_incidents_are_alerts(rootly: Rootly) -> None:
    alerts = rootly.simulator.tables["alerts"]
    shown = 0
    for incident in rootly.simulator.tables["incidents"]:
        for row in _get(rootly, f"incidents/{incident.key}/alerts")["data"]:
            kept = alerts.get(row["id"])
            assert kept is not None
            assert kept.data() == row
            shown += 1
    assert shown > 0


def test_action_items_are_one_table(rootly: Rootly) -> None:
    everywhere = {row["id"] for row in _get(rootly, "action_items")["data"]}
    of_incidents = {
        row["id"]
        for incident in rootly.simulator.tables["incidents"]
        for row in _get(rootly, f"incidents/{incident.key}/action_items")["data"]
    }
    assert of_incidents == everywhere


@pytest.mark.parametrize("table", _OF_INCIDENTS)
def test_children_touch_their_incident(table: str) -> None:
    simulator = _small()
    for change in (simulator.insert, simulator.touch, simulator.delete):
        before, rows = _updated(simulator), _bodies(simulator, table)
        owners = {row.key: row.fields["incident_id"] for row in simulator.tables[table]}
        change(table, 1)
        after = _updated(simulator)
        owners |= {row.key: row.fields["incident_id"] for row in simulator.tables[table]}
        (child,) = {key for key, _ in rows.items() ^ _bodies(simulator, table).items()}
        moved = [key for key in after if after[key] != before[key]]
        assert moved == [owners[child]]


def test_children_have_the_time_of_their_incident() -> None:
    simulator = _small()
    for change in (simulator.insert, simulator.touch):
        before = _bodies(simulator, "incidents_events")
        change("incidents_events")
        (child,) = (
            row for row in simulator.tables["incidents_events"] if before.get(row.key) != row.body
        )
        updated = child.data()["attributes"]["updated_at"]
        assert _updated(simulator)[str(child.fields["incident_id"])] == updated


@pytest.mark.parametrize("table", _OF_INCIDENTS)
def test_children_leave_their_incident_alone_where_it_is_told_so(table: str) -> None:
    simulator = _small(RootlyQuirks(children_touch_incident=False))
    before = _bodies(simulator, "incidents")
    for change in (simulator.insert, simulator.touch, simulator.delete):
        change(table, 2)
    assert _bodies(simulator, "incidents") == before


def test_alerts_leave_incidents_alone() -> None:
    simulator = _small()
    before = _bodies(simulator, "incidents")
    for change in (simulator.insert, simulator.touch, simulator.delete):
        change("alerts", 10)
    assert _bodies(simulator, "incidents") == before


def test_every_table_can_be_changed() -> None:
    simulator = _small()
    for table in TABLES:
        before = _bodies(simulator, table)
        simulator.insert(table, 2)
        more = _bodies(simulator, table)
        assert len(more) == len(before) + 2, table
        simulator.touch(table, 3)
        touched = _bodies(simulator, table)
        assert touched.keys() == more.keys()
        if table in _UNCHANGING:
            assert touched == more, table
        elif table not in LISTINGS:
            changed = [key for key in more if more[key] != touched[key]]
            assert len(changed) == min(3, len(more)), table
        if table not in {"oncalls", "alert_groups"}:
            ids = [row.data()["id"] for row in simulator.tables[table]]
            assert len(ids) == len(set(ids)) == len(more)


def test_every_table_loses_rows_the_same_way_each_time() -> None:
    one, other = _small(), _small()
    for table in reversed(list(TABLES)):
        before = len(one.tables[table])
        for simulator in (one, other):
            simulator.delete(table, 2)
        assert len(one.tables[table]) == max(0, before - 2), table
        assert one.tables[table].keys() == other.tables[table].keys()


def test_an_unknown_table_is_an_error() -> None:
    simulator = _small()
    for change in (simulator.insert, simulator.touch, simulator.delete):
        with pytest.raises(KeyError, match="no table 'nothing'"):
            change("nothing")


@pytest.mark.parametrize("parent", sorted({owner.table for owner in OWNERS.values()}))
def test_what_belongs_to_a_row_goes_with_it(parent: str) -> None:
    simulator = _small()
    simulator.delete(parent, 1)
    simulator.delete(parent, 1000)
    for table, owner in OWNERS.items():
        left = [row.fields[owner.parameter] for row in simulator.tables[table]]
        if owner.table == parent:
            assert not [key for key in left if key is not None], table
    if parent == "incidents":
        assert len(simulator.tables["alerts"]) == 40
        assert not simulator.tables["events_services"].keys()
    for table in TABLES:
        simulator.insert(table)
        simulator.touch(table)


def test_new_rows_refer_to_what_is_left() -> None:
    simulator = _small()
    for table in ("users", "services", "schedules"):
        simulator.delete(table, 5)
    simulator.delete("alert_events", 1000)
    simulator.delete("alerts", 30)
    simulator.insert("alert_events", 30)
    simulator.insert("workflows", 20)
    tables = simulator.tables
    for row in tables["alert_events"]:
        assert row.data()["attributes"]["alert_id"] in tables["alerts"]
    workflows = [row.data()["attributes"] for row in tables["workflows"]][-20:]
    assert {key for row in workflows for key in row["service_ids"]} <= set(
        tables["services"].keys()
    )


def test_lists_change_while_they_are_read() -> None:
    churn = Churn(every=1, insert=2, delete=1, times=1)
    with serve(_small(churn=churn)) as rootly:
        assert len(_get(rootly, "audits")["data"]) == 7
        assert len(_get(rootly, "audits")["data"]) == 7
        gone = set(rootly.simulator.tables["incidents_events"].keys())
        incident = rootly.simulator.tables["incidents"].keys()[0]
        _get(rootly, f"incidents/{incident}/events")
        assert len(gone - set(rootly.simulator.tables["incidents_events"].keys())) == 1
