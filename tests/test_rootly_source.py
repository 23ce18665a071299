"""The Rootly source end to end: simulated API, dlt, DuckDB."""

from __future__ import annotations

import json
import time
from collections.abc import Generator
from typing import Any, Literal

import pytest
from dlt.pipeline.exceptions import PipelineStepFailed
from tests.rootly_loads import (
    LISTS,
    SIZES,
    Rootly,
    Start,
    asked,
    attributes,
    check_labels,
    check_services,
    instants,
    source,
)
from tests.warehouse import Warehouse, keys, loaded

from opsnest.catalogue.rootly import ROOTLY
from opsnest.explain import explain
from opsnest.sources import rootly_incident_management_source
from opssim import RootlyQuirks, RootlySimulator, serve

# A first load, of several pages, from an organisation that insists on what it may insist on


@pytest.fixture(scope="module")
def first_load(shared_warehouse: Warehouse) -> Generator[tuple[Rootly, Warehouse]]:
    quirks = RootlyQuirks(user_agent_required=True, media_type_required=True, deep_offset_limit=100)
    sizes: dict[str, Any] = SIZES | {"incidents": 250, "alerts": 250, "users": 250}
    made = RootlySimulator(quirks=quirks, **sizes)
    with serve(made) as rootly:
        zoom = next(
            k for k, row in attributes(rootly, "incidents").items() if row["zoom_meeting_id"]
        )
        paths = [f"heartbeats/{keys(rootly, 'heartbeats')[0]}", f"incidents/{zoom}"]
        chosen = source(rootly, any_single_resource=paths)
        shared_warehouse.load(chosen, *LISTS, "any-single-resource")
        yield rootly, shared_warehouse


FirstLoad = tuple[Rootly, Warehouse]


def test_each_list_is_a_resource_and_a_table_with_the_rows_of_rootly(
    first_load: FirstLoad,
) -> None:
    rootly, warehouse = first_load

    for name in LISTS:
        assert warehouse.column(name) == keys(rootly, name)
        assert len(keys(rootly, name)) > 0


def test_requests_carry_a_user_agent_and_the_media_type_that_rootly_insists_on(
    first_load: FirstLoad,
) -> None:
    rootly, _ = first_load

    for seen in rootly.simulator.requests.all():
        assert seen.headers["user-agent"].startswith("opsnest/")
        assert seen.headers["content-type"] == "application/vnd.api+json"
        assert seen.headers["accept"] == "application/vnd.api+json"
    assert set(rootly.simulator.requests.statuses()) == {200}


def test_pages_have_the_size_that_rootly_allows_at_most(first_load: FirstLoad) -> None:
    rootly, _ = first_load

    queries = asked(rootly, "incidents") + asked(rootly, "users")
    # users once more from the top: they were read in the order of their changes; a page behind that
    # may have been asked for ahead of its need
    assert len(queries) - (3 + 3) in {1, 2}
    assert {query["page[size]"] for query in queries} == {"100"}


def test_incidents_are_read_by_cursor_as_deep_offsets_are_refused(first_load: FirstLoad) -> None:
    rootly, _ = first_load

    first, *others = asked(rootly, "incidents")
    assert "page[after]" not in first
    assert all(query["page[after]"] for query in others)
    assert not any("page[number]" in query for query in [first, *others])


def test_alerts_are_read_by_cursor(first_load: FirstLoad) -> None:
    rootly, _ = first_load

    first, second, *_ = asked(rootly, "alerts")
    assert "page[after]" not in first
    assert second["page[after]"]


def test_lists_are_only_asked_for_filters_that_they_know(first_load: FirstLoad) -> None:
    rootly, _ = first_load

    for name in LISTS:
        filters = {key for query in asked(rootly, name) for key in query if "filter" in key}
        # at first everything is asked for; alerts, which cannot be sorted, then for what changed
        known = {"filter[updated_at][gte]"} if name == "alerts" else set[str]()
        assert filters == known, name


def test_labels_and_services_of_incidents_are_loaded(first_load: FirstLoad) -> None:
    check_labels(*first_load)
    check_services(*first_load)


def test_the_payload_of_an_alert_is_a_json_column_whatever_its_source_sent(
    first_load: FirstLoad,
) -> None:
    rootly, warehouse = first_load

    assert warehouse.types("alerts")["attributes__data"] == "JSON"
    texts = loaded(warehouse, "alerts", "attributes__data")
    assert {key: json.loads(text) if text else None for key, text in texts.items()} == {
        key: row["data"] for key, row in attributes(rootly, "alerts").items()
    }


@pytest.mark.parametrize("name", ["created_at", "updated_at", "started_at"])
def test_time_stamps_with_offsets_are_the_same_instants_in_summer_and_in_winter(
    first_load: FirstLoad, name: str
) -> None:
    rootly, warehouse = first_load
    texts = [row[name] for row in attributes(rootly, "incidents").values() if row[name]]

    assert {text[-6:] for text in texts} == {"-08:00", "-07:00"}
    assert loaded(warehouse, "incidents", f"attributes__{name}") == instants(
        rootly, "incidents", name
    )


def test_no_secret_of_rootly_is_in_the_database(first_load: FirstLoad) -> None:
    rootly, warehouse = first_load

    text = warehouse.text()

    assert keys(rootly, "heartbeats")[0] in text
    assert not [secret for secret in rootly.simulator.secrets() if secret in text]
    for table in ("heartbeats", "any_single_resource"):
        assert "attributes__ping_url" not in warehouse.types(table)


# Quirks


def test_the_strictest_rootly_is_loaded_completely(rootly: Start, warehouse: Warehouse) -> None:
    running = rootly(incidents=120, users=120, quirks=RootlyQuirks.strict())

    warehouse.load(source(running), *LISTS)

    for name in LISTS:
        assert warehouse.column(name) == keys(running, name)
    assert set(running.simulator.requests.statuses()) == {200}
    check_labels(running, warehouse)
    check_services(running, warehouse)
    for name in ("incidents", "alerts"):  # with statuses that are null or not documented
        statuses = {key: row["status"] for key, row in attributes(running, name).items()}
        assert None in statuses.values()
        assert loaded(warehouse, name, "attributes__status") == statuses


@pytest.mark.parametrize(("labels", "nested"), [("array", "wrapped"), ("object", "relationships")])
def test_labels_and_services_are_loaded_in_each_form_that_rootly_has_for_them(
    rootly: Start,
    warehouse: Warehouse,
    labels: Literal["object", "array"],
    nested: Literal["wrapped", "relationships"],
) -> None:
    running = rootly(quirks=RootlyQuirks(labels=labels, nested=nested))

    warehouse.load(source(running), "incidents")

    check_labels(running, warehouse)
    check_services(running, warehouse)


def test_a_full_window_of_requests_is_waited_out_until_the_moment_that_rootly_names(
    rootly: Start, warehouse: Warehouse
) -> None:
    running = rootly(users=250, rate_limit=2, rate_window=1.0)
    began = time.monotonic()

    warehouse.load(source(running), "users")

    assert warehouse.column("users") == keys(running, "users")
    # no refusal: what was left was told, and the wait was not the fifty years that the header is
    statuses = running.simulator.requests.statuses()
    assert statuses.keys() == {200}
    assert statuses[200] in {4, 5}  # one of them may have been asked for ahead of its need
    assert 1.0 < time.monotonic() - began < 10.0


def test_counts_of_the_unfiltered_list_or_none_at_all_do_not_cut_a_load_short(
    rootly: Start, warehouse: Warehouse
) -> None:
    quirks = RootlyQuirks(total_count_unfiltered=True, omit_total_pages=True)
    running = rootly(incidents=120, users=120, quirks=quirks)
    warehouse.load(source(running), "incidents", "users")
    running.simulator.touch("incidents", 110)  # two pages of a filtered list

    counts = warehouse.load(source(running), "incidents", "users")

    assert counts == {"incidents": 110}
    assert warehouse.column("users") == keys(running, "users")
    assert loaded(warehouse, "incidents", "attributes__updated_at") == instants(
        running, "incidents", "updated_at"
    )


# What else the source offers


def test_the_source_loads_the_lists_by_itself_and_single_resources_when_asked(
    rootly: Start,
) -> None:
    running = rootly()

    every = {entry.name for entry in ROOTLY.entries}
    usual = {entry.name for entry in ROOTLY.entries if entry.selected}
    assert len(every) == 113
    assert set(LISTS) < usual < every
    assert set(source(running).selected_resources) == usual
    assert set(source(running).resources) == {*every, "any-single-resource"}
    chosen = source(running, any_single_resource=["services/one"])
    assert set(chosen.selected_resources) == {*usual, "any-single-resource"}


def test_token_and_address_come_from_the_environment(
    rootly: Start, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = rootly()
    for name, value in running.configuration.items():
        monkeypatch.setenv(name, value)

    warehouse.load(rootly_incident_management_source(), "dashboards")

    assert warehouse.column("dashboards") == keys(running, "dashboards")


def test_single_resources_are_loaded_by_their_paths(rootly: Start, warehouse: Warehouse) -> None:
    running = rootly()
    incident = keys(running, "incidents")[0]
    service = keys(running, "services")[0]
    alert, row = next(iter(attributes(running, "alerts").items()))
    paths = [f"incidents/{incident}", f"/v1/services/{service}", f"alerts/{row['short_id']}"]

    counts = warehouse.load(source(running, any_single_resource=paths), "any-single-resource")

    assert counts == {"any_single_resource": 3}
    assert set(warehouse.query("SELECT type, id FROM any_single_resource")) == {
        ("incidents", incident),
        ("services", service),
        ("alerts", alert),
    }


@pytest.mark.parametrize(
    "path",
    ["incidents", "incidents/", "", "/", "incidents/1?include=x", "a//b", "incidents/../api_keys"],
)
def test_what_is_not_the_path_of_a_single_resource_is_refused_without_a_request(
    rootly: Start, warehouse: Warehouse, path: str
) -> None:
    running = rootly()

    with pytest.raises(PipelineStepFailed) as raised:
        warehouse.load(source(running, any_single_resource=[path]), "any-single-resource")

    error = explain(raised.value)
    assert error is not None
    assert error.exit_code == 3
    assert f"{path!r} is not the path of a single resource" in str(error)
    assert "incidents/142" in str(error)
    assert running.simulator.requests.all() == []


def test_a_single_resource_that_does_not_exist_is_an_error_that_says_so(
    rootly: Start, warehouse: Warehouse
) -> None:
    running = rootly()
    chosen = source(running, any_single_resource=["services/no-such"])

    with pytest.raises(PipelineStepFailed) as raised:
        warehouse.load(chosen, "any-single-resource")

    message = str(explain(raised.value))
    assert "rootly_incident_management_source / any-single-resource" in message
    assert 'GET /v1/services/no-such -> 404 "Not found or unauthorized"' in message
    assert "check the path and the id" in message
