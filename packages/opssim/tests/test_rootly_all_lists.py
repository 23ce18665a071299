"""All 113 lists of Rootly, over HTTP, as the facts in `lists.json` tell of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests

from opssim.core.server import Running, serve
from opssim.core.store import Row
from opssim.rootly import RootlyQuirks, RootlySimulator
from opssim.rootly.facts import FACTS, OWNERS, TABLES, Facts
from opssim.rootly.generic import listing_of
from opssim.rootly.lists import LISTINGS
from opssim.rootly.shapes import SECRETS
from opssim.rootly.times import instant, moment_of

Rootly = Running[RootlySimulator]
Json = dict[str, Any]
Query = dict[str, str | int]

_JSON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
}


def _name(facts: Facts) -> str:
    return facts.name


def _every(some: list[Facts]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("facts", some, ids=_name)


every_list = _every(list(FACTS))
every_top_list = _every([facts for facts in FACTS if facts.parent is None])
every_sub_list = _every([facts for facts in FACTS if facts.parent is not None])
every_new_list = _every([facts for facts in FACTS if facts.table not in LISTINGS])


@pytest.fixture(name="rootly", scope="module")
def _rootly() -> Iterator[Rootly]:
    simulator = RootlySimulator(
        incidents=40, alerts=60, alert_events=120, shifts=60, users=12, services=12, children=3
    )
    with serve(simulator) as running:
        yield running


@pytest.fixture(name="session", scope="module")
def _session(rootly: Rootly) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {rootly.simulator.token}"
        yield session


def _parent(rootly: Rootly, facts: Facts) -> str | None:
    """Return a parent that has rows, for a sub-list."""
    if facts.parent is None:
        return None
    owners = [row.fields[OWNERS[facts.table].parameter] for row in _table(rootly, facts)]
    return str(max((owner for owner in owners if owner), key=owners.count))


def _table(rootly: Rootly, facts: Facts) -> list[Row]:
    return list(rootly.simulator.tables[facts.table])


def _rows(rootly: Rootly, facts: Facts) -> dict[str, Row]:
    """Return the rows that a list is to answer."""
    parent = _parent(rootly, facts)
    rows = _table(rootly, facts)
    if parent is not None:
        rows = [row for row in rows if row.fields[OWNERS[facts.table].parameter] == parent]
    return {row.key: row for row in rows}


def _url(rootly: Rootly, facts: Facts) -> str:
    return rootly.url + facts.route.format(parent=_parent(rootly, facts))


def _window(rootly: Rootly, facts: Facts) -> Query:
    """Return what has to be asked of shifts for there to be some."""
    if facts.table != "shifts":
        return {}
    start = rootly.simulator.clock.start
    return {"from": start.isoformat(), "to": (start + timedelta(days=28)).isoformat()}


def _get(session: requests.Session, url: str, query: Query | None = None) -> Json:
    answer = session.get(url, params=query, timeout=5)
    assert answer.status_code == 200, answer.text
    page: Json = answer.json()
    return page


def _ids(page: Json) -> list[str]:
    return [row["id"] for row in page["data"]]


def _all(session: requests.Session, url: str, query: Query) -> list[str]:
    """Return the ids on all pages, found by whatever the list has to find them by."""
    page = _get(session, url, query)
    ids = _ids(page)
    number = 1
    while page["data"]:
        if cursor := page.get("meta", {}).get("next_cursor"):
            page = _get(session, url, {**query, "page[after]": cursor})
        elif page.get("links", {"next": True})["next"] is None:
            break
        else:
            number += 1
            page = _get(session, url, {**query, "page[number]": number})
        ids += _ids(page)
    return ids


def _fits(value: object, text: str) -> bool:
    """Tell whether a value is of a type of the facts."""
    if value is None:
        return text.endswith("?")
    if isinstance(value, bool) and not text.startswith("boolean"):
        return False
    enumerated = text.removesuffix("?")
    if isinstance(value, str) and enumerated.startswith("string[") and enumerated.endswith("]"):
        return value in enumerated[7:-1].split("|")
    kinds = [types for base, types in _JSON_TYPES.items() if text.startswith(base)]
    return isinstance(value, kinds[0] if kinds else dict)


def test_there_are_113_lists_with_names_of_their_own() -> None:
    assert len(FACTS) == len({facts.name for facts in FACTS}) == 113
    assert len(TABLES) == 108


@every_list
def test_every_list_answers_rows_in_its_envelope(
    rootly: Rootly, session: requests.Session, facts: Facts
) -> None:
    page = _get(session, _url(rootly, facts), _window(rootly, facts))
    assert set(page) == {"data", *facts.parts}
    assert page["data"]
    for row in page["data"]:
        assert row["type"] == (facts.type or facts.last)
        assert isinstance(row["id"], str)
        assert facts.attributes.keys() <= row["attributes"].keys()
        for name, text in facts.attributes.items():
            assert _fits(row["attributes"][name], text), name


@every_new_list
def test_rows_have_nothing_that_the_document_does_not_name(rootly: Rootly, facts: Facts) -> None:
    for row in _table(rootly, facts):
        data = row.data()
        assert set(data) == {"id", "type", "attributes"}
        assert data["attributes"].keys() - {"token"} == facts.attributes.keys()


@every_list
def test_pages_reach_every_row_once(
    rootly: Rootly, session: requests.Session, facts: Facts
) -> None:
    window = _window(rootly, facts)
    size = max(1, len(_rows(rootly, facts)) // 3)
    paged: Query = {"page[size]": size} if facts.pages else {}
    if not facts.pages or facts.name == "oncalls" or window:
        ids = _ids(_get(session, _url(rootly, facts), {**window, "page[size]": 1000}))
        expected = set(ids) if window else _rows(rootly, facts).keys()
        assert set(ids) == set(expected)
        assert len(ids) == len(set(ids))
        return
    ids = _all(session, _url(rootly, facts), paged)
    assert set(ids) == _rows(rootly, facts).keys()
    assert len(ids) == len(set(ids))


@_every([facts for facts in FACTS if facts.pages and facts.table != "shifts"])
def test_pages_that_are_too_large_are_refused(
    rootly: Rootly, session: requests.Session, facts: Facts
) -> None:
    answer = session.get(_url(rootly, facts), params={"page[size]": 101}, timeout=5)
    assert answer.status_code == 400


@every_list
def test_what_a_list_does_not_know_is_ignored(
    rootly: Rootly, session: requests.Session, facts: Facts
) -> None:
    window = _window(rootly, facts)
    nonsense: Query = {"filter[nonsense]": "1", "filter[nonsense][gt]": "2", "sort": "nonsense"}
    url = _url(rootly, facts)
    assert _ids(_get(session, url, {**window, **nonsense})) == _ids(_get(session, url, window))


@_every([facts for facts in FACTS if "created_at" in facts.filters])
def test_lists_are_filtered_by_the_time_of_creation(
    rootly: Rootly, session: requests.Session, facts: Facts
) -> None:
    times = {key: row.fields["created_at"] for key, row in _rows(rootly, facts).items()}
    middle = sorted(times.values())[len(times) // 2]
    bound = moment_of(middle).isoformat()
    url = _url(rootly, facts)
    size: Query = {"page[size]": 50}
    later = _all(session, url, {**size, "filter[created_at][gte]": bound})
    earlier = _all(session, url, {**size, "filter[created_at][lt]": bound})
    assert set(later) == {key for key, at in times.items() if at >= middle}
    assert set(earlier) == {key for key, at in times.items() if at < middle}


@_every([facts for facts in FACTS if facts.sorts])
def test_lists_are_sorted_as_they_are_asked_to(
    rootly: Rootly, session: requests.Session, facts: Facts
) -> None:
    rows = _rows(rootly, facts)
    known = [name for name in facts.sorts if name.endswith("_at") or name == "position"]
    assert known
    for name in known:
        for sign in ("", "-"):
            ids = _ids(_get(session, _url(rootly, facts), {"sort": sign + name, "page[size]": 50}))
            values = [rows[key].fields[name] for key in ids]
            shown = [value for value in values if value is not None]
            assert shown == sorted(shown, reverse=bool(sign))


@every_new_list
def test_filters_compare_attributes(
    rootly: Rootly, session: requests.Session, facts: Facts
) -> None:
    url = _url(rootly, facts)
    rows = {key: row.data()["attributes"] for key, row in _rows(rootly, facts).items()}
    for name, operators in facts.filters.items():
        value = next(iter(rows.values())).get(name)
        if not isinstance(value, str) or "=" not in operators.split() or "," in value:
            continue
        equal = {key for key, attributes in rows.items() if attributes[name] == value}
        found = _ids(_get(session, url, {f"filter[{name}]": value, "page[size]": 100}))
        assert set(found) == equal
        if "not_eq" in operators:
            query: Query = {f"filter[{name}][not_eq]": value, "page[size]": 100}
            others = _ids(_get(session, url, query))
            assert set(others) == rows.keys() - equal


@_every([facts for facts in FACTS if facts.parent is None and listing_of(facts).single])
def test_single_rows_are_answered(rootly: Rootly, session: requests.Session, facts: Facts) -> None:
    row = _table(rootly, facts)[0]
    assert _get(session, f"{rootly.url}{facts.path}/{row.key}")["data"] == row.data()
    assert session.get(f"{rootly.url}{facts.path}/nothing", timeout=5).status_code == 404


@every_sub_list
def test_sub_lists_show_the_rows_of_one_parent(
    rootly: Rootly, session: requests.Session, facts: Facts
) -> None:
    parent, parameter = _parent(rootly, facts), OWNERS[facts.table].parameter
    page = _get(session, _url(rootly, facts), _window(rootly, facts))
    assert set(_ids(page)) <= _rows(rootly, facts).keys()
    for row in page["data"]:
        if parameter in facts.attributes:
            assert str(row["attributes"][parameter]) == parent
    missing = session.get(rootly.url + facts.route.format(parent="nothing"), timeout=5)
    assert missing.status_code == 404


@every_list
def test_secrets_are_known(rootly: Rootly, facts: Facts) -> None:
    secrets = rootly.simulator.secrets()
    for row in _table(rootly, facts):
        for name in SECRETS & row.data()["attributes"].keys():
            value = row.data()["attributes"][name]
            assert value is None or any(value.endswith(secret) for secret in secrets)


def test_secrets_and_keys_hold_some(rootly: Rootly) -> None:
    tables = rootly.simulator.tables
    assert all(row.data()["attributes"]["secret"] for row in tables["secrets"])
    keys = [row.data()["attributes"] for row in tables["api_keys"]]
    assert ["token" in key for key in keys] == [True] + [False] * 5


def test_keys_of_teams_see_no_children_of_incidents(rootly: Rootly) -> None:
    headers = {"Authorization": f"Bearer {rootly.simulator.team_token}"}
    for facts in FACTS:
        answer = requests.get(_url(rootly, facts), headers=headers, timeout=5)
        hidden = "incidents" in {facts.name, facts.parent}
        assert answer.status_code == (404 if hidden else 200)


def test_recordings_are_filtered_without_brackets(
    rootly: Rootly, session: requests.Session
) -> None:
    url = f"{rootly.url}/v1/meeting_recordings"
    rows = _get(session, url)["data"]
    platform = rows[0]["attributes"]["platform"]
    found = _ids(_get(session, url, {"platform": platform}))
    assert found == [row["id"] for row in rows if row["attributes"]["platform"] == platform]


@pytest.mark.parametrize(
    ("table", "attribute", "to"),
    [
        ("schedules_override_shifts", "schedule_id", "schedules"),
        ("schedules_override_shifts", "user_id", "users"),
        ("schedules_override_shifts", "rotation_id", "schedules_schedule_rotations"),
        ("workflows", "service_ids", "services"),
        ("workflows", "cause_ids", "causes"),
        ("workflows", "workflow_group_id", "workflow_groups"),
        ("workflows_workflow_runs", "incident_id", "incidents"),
        ("communications_groups", "communication_type_id", "communications_types"),
        ("communications_groups", "member_ids", "users"),
        ("incidents_sub_statuses", "sub_status_id", "sub_statuses"),
        ("incidents_custom_field_selections", "custom_field_id", "custom_fields"),
        ("incidents_form_field_selections", "selected_catalog_entity_ids", "catalogs_entities"),
        ("events_services", "service_id", "services"),
        ("schedules_shift_coverage_requests", "shift_id", "shifts"),
        ("api_keys", "role_id", "roles"),
    ],
)
def test_ids_are_those_of_rows(rootly: Rootly, table: str, attribute: str, to: str) -> None:
    named: list[object] = []
    for row in rootly.simulator.tables[table]:
        value = row.data()["attributes"][attribute]
        named += value if isinstance(value, list) else [value]
    keys = {str(value) for value in named if value is not None}
    assert keys
    assert keys <= set(rootly.simulator.tables[to].keys())


def test_rows_lie_in_the_time_of_their_parents(rootly: Rootly) -> None:
    incidents = rootly.simulator.tables["incidents"]
    children = [name for name, owner in OWNERS.items() if owner.table == "incidents"]
    for name in sorted(set(children) - {"alerts"}):
        for row in rootly.simulator.tables[name]:
            incident = incidents.get(str(row.fields["incident_id"]))
            assert incident is not None
            begin, end = incident.fields["created_at"], incident.fields["updated_at"]
            shown = row.data()["attributes"]
            times = [instant(shown.get("created_at")), instant(shown.get("updated_at"))]
            assert all(begin <= time <= end for time in times if time is not None)


def test_sizes_can_be_chosen_and_leave_other_lists_alone() -> None:
    none, more = RootlySimulator(others=0, children=0), RootlySimulator(others=9, children=4)
    for facts in FACTS:
        rows = [row.body for row in none.tables[facts.table]]
        if facts.table in LISTINGS:
            assert rows == [row.body for row in more.tables[facts.table]]
        else:
            assert not rows
    counts = more.counts()
    assert counts["audits"] == counts["post_mortems"] == 9
    assert counts["incidents_events"] == counts["action_items"] == 80
    assert counts["status_pages_templates"] == 36


def test_unfiltered_totals_count_the_rows_of_the_parent() -> None:
    quirks = RootlyQuirks(total_count_unfiltered=True)
    with serve(RootlySimulator(incidents=5, quirks=quirks)) as rootly, requests.Session() as client:
        client.headers["Authorization"] = f"Bearer {rootly.simulator.token}"
        key = rootly.simulator.tables["incidents"].keys()[0]
        page = _get(client, f"{rootly.url}/v1/incidents/{key}/events")
        assert page["meta"]["total_count"] == 2
