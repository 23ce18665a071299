"""The catalogue of Rootly: each entry against its OpenAPI file's facts, and against the wire."""

from __future__ import annotations

import json
import re
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from tests.rootly_loads import Rootly, source
from tests.warehouse import Warehouse, keys

from opsnest.catalogue import Entry
from opsnest.catalogue.rootly import ROOTLY
from opssim import RootlySimulator, serve

pytestmark = pytest.mark.xdist_group("rootly-catalogue")

FACTS: dict[str, dict[str, Any]] = {
    fact["path"]: fact
    for fact in json.loads((Path(__file__).parent / "facts" / "rootly_lists.json").read_text())
}
ENTRIES = {entry.name: entry for entry in ROOTLY.entries}

each_entry = pytest.mark.parametrize("entry", ENTRIES.values(), ids=list(ENTRIES))


def fact_of(entry: Entry) -> dict[str, Any]:
    """Return what Rootly's OpenAPI file says of a list; parameters of paths may differ in name."""
    bare = re.sub(r"\{\w+\}", "{}", f"/v1/{entry.path}")
    return next(fact for path, fact in FACTS.items() if re.sub(r"\{\w+\}", "{}", path) == bare)


def operators(entry: Entry, name: str) -> set[str]:
    return set(fact_of(entry)["filters"].get(name, ()))


# Against the OpenAPI file


def test_each_list_of_the_api_has_an_entry() -> None:
    assert len(FACTS) == 113
    assert sorted(map(id, map(fact_of, ENTRIES.values()))) == sorted(map(id, FACTS.values()))


@each_entry
def test_the_way_of_paging_is_one_that_the_list_has(entry: Entry) -> None:
    parameters = set(fact_of(entry)["parameters"])

    match entry.paging:
        case "cursor":
            assert {"page[after]", "page[size]"} <= parameters
        case "number":
            assert {"page[number]", "page[size]"} <= parameters
        case _:
            assert not {"page[number]", "page[after]"} & parameters
    counted = "meta" in fact_of(entry)["envelope"] and entry.name != "alert_events"
    assert (entry.total == "meta.total_count") is counted


@each_entry
def test_the_list_can_be_asked_what_its_strategy_asks(entry: Entry) -> None:
    fact = fact_of(entry)

    match entry.strategy:
        case "changed":
            assert "gte" in operators(entry, "updated_at")
            assert {"gte", "lt"} <= operators(entry, "created_at")
            assert entry.filter == "filter[updated_at][gte]"
        case "appended":
            assert "gte" in operators(entry, "created_at")
            assert entry.filter == "filter[created_at][gte]"
        case "newest_first":
            assert "-updated_at" in fact["sort"]
        case "windows":
            assert {"from", "to"} <= set(fact["parameters"])
            assert {"attributes.starts_at", "attributes.ends_at"} == set(entry.window)
        case _:
            assert entry.filter is None
            assert "updated_at" not in fact["filters"]
    if entry.sort:
        assert entry.sort in fact["sort"]
    else:
        # where it could be sorted by the last change, it is: less is read
        sortable = "-updated_at" in fact["sort"] and "updated_at" in fact["attributes"]
        assert not sortable or entry.parent


@each_entry
def test_columns_that_an_entry_names_are_attributes_of_the_list(entry: Entry) -> None:
    named = [*entry.json, *entry.secrets, *entry.window, *filter(None, [entry.cursor])]
    named = [name for name in named if (entry.name, name) != ("api_keys", "attributes.token")]

    assert {name.removeprefix("attributes.") for name in named} <= set(fact_of(entry)["attributes"])


@each_entry
def test_what_is_called_a_secret_by_its_name_is_left_out(entry: Entry) -> None:
    telling = re.compile(r"(^|_)(secret|token|password|passcode|ping_url)$")
    secret = {name for name in fact_of(entry)["attributes"] if telling.search(name)}

    assert {f"attributes.{name}" for name in secret} <= set(entry.secrets)


@each_entry
def test_children_name_their_parent(entry: Entry) -> None:
    parameters = re.findall(r"\{(\w+)\}", entry.path)

    assert parameters == ([entry.parent_key] if entry.parent else [])
    if entry.parent:
        assert entry.key == (entry.parent_key, "id")
    if entry.include:
        assert entry.include in fact_of(ENTRIES[str(entry.parent)])["include"]
        assert entry.of_changed


def test_lists_of_secrets_are_not_loaded_unless_they_are_named() -> None:
    assert not ENTRIES["secrets"].selected
    assert not ENTRIES["api_keys"].selected


# Against the simulator: everything, loaded once


@pytest.fixture(scope="module")
def everything(shared_warehouse: Warehouse) -> Generator[tuple[Rootly, Warehouse, list[Any]]]:
    made = RootlySimulator(incidents=6, alerts=5, users=3, alert_events=30, shifts=20)
    with pytest.MonkeyPatch.context() as patch, serve(made) as rootly:
        patch.setattr("opsnest.clock.now", made.clock.now)
        shared_warehouse.load(source(rootly), *ENTRIES)
        asked = rootly.simulator.requests.all()
        yield rootly, shared_warehouse, asked


Everything = tuple[Rootly, Warehouse, list[Any]]


def table_of(entry: Entry) -> str:
    """Return the name that the simulator has for a list."""
    parts = re.sub(r"\{\w+\}/?", "", entry.path).strip("/")
    return {
        "alerts_events": "alert_events",
        "incidents_action_items": "action_items",
        "incidents_alerts": "alerts",
        "incidents_meeting_recordings": "meeting_recordings",
        "schedules_shifts": "shifts",
    }.get(name := re.sub(r"[/-]", "_", parts), name)


def loaded_ids(warehouse: Warehouse, entry: Entry) -> set[str]:
    if entry.name not in warehouse.tables():
        return set()
    return set(warehouse.column(entry.name))


@each_entry
def test_the_rows_of_a_list_are_loaded_and_no_others(everything: Everything, entry: Entry) -> None:
    rootly, warehouse, _ = everything
    held = set(keys(rootly, table_of(entry)))

    found = loaded_ids(warehouse, entry)

    # some lists show a part of another's rows, such as the alerts that incidents have
    shared = entry.name in {"events_of_alerts", "incident_alerts"}
    assert found <= held if shared else found == held
    assert found


@each_entry
def test_a_list_is_asked_for_with_parameters_that_it_knows(
    everything: Everything, entry: Entry
) -> None:
    _, _, asked = everything
    fact = fact_of(entry)
    known = {
        *fact["parameters"],
        *(["sort"] if fact["sort"] else []),
        *(["include"] if fact["include"] else []),
        *(f"filter[{name}][{op}]" for name, ops in fact["filters"].items() for op in ops),
    }
    path = re.compile(re.sub(r"\{\w+\}", "[^/]+", f"/v1/{entry.path}"))

    seen = [each for each in asked if path.fullmatch(each.path)]

    assert seen or entry.include
    for each in seen:
        assert set(dict(each.query)) <= known, each.path
        assert each.status == 200


@each_entry
def test_children_carry_the_id_of_their_parent(everything: Everything, entry: Entry) -> None:
    rootly, warehouse, _ = everything
    if not entry.parent:
        assert entry.parent_key is None
        return

    parents = set(warehouse.column(entry.name, str(entry.parent_key)))

    assert parents
    assert parents <= set(keys(rootly, table_of(ENTRIES[entry.parent])))


def test_children_that_an_incident_brings_along_cost_no_call_of_their_own(
    everything: Everything,
) -> None:
    _, _, asked = everything
    own = re.compile(r"/v1/incidents/[^/]+/(\w+)")
    included = {entry.include for entry in ENTRIES.values() if entry.include}

    apart = {match[1] for each in asked if (match := own.fullmatch(each.path))}

    assert not apart & included
    brought = {dict(each.query).get("include") for each in asked if each.path == "/v1/incidents"}
    assert brought == {None, *included}


def test_parents_are_read_once_for_all_their_children(everything: Everything) -> None:
    _, _, asked = everything
    calls = [each.path for each in asked]

    # once for the list itself, once for its children
    for parent in ("dashboards", "workflows", "form_fields", "schedules"):
        assert calls.count(f"/v1/{parent}") == 2, parent


def test_no_secret_of_any_list_is_in_the_database(everything: Everything) -> None:
    rootly, warehouse, _ = everything

    text = warehouse.text()

    assert rootly.simulator.secrets()
    assert not [secret for secret in rootly.simulator.secrets() if secret in text]


def test_everything_is_loaded_once(everything: Everything) -> None:
    rootly, warehouse, _ = everything

    again = warehouse.load(source(rootly), *ENTRIES)

    # but for snapshots, and the children of incidents and alerts of the last minutes
    assert set(again) <= {
        entry.name for entry in ROOTLY.entries if entry.of_changed or entry.strategy == "snapshot"
    }
