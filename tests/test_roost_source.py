"""The Roost.ai source end to end: simulated API, dlt, DuckDB."""

from __future__ import annotations

import json
from collections.abc import Generator
from typing import Any, Literal

import pytest
from tests.roost_loads import (
    DETAILS,
    LISTS,
    PATHS,
    Loaded,
    Roost,
    Start,
    files,
    instants,
    source,
    statuses,
)
from tests.warehouse import Warehouse, keys, loaded, rows

from opsnest.json_values import is_list, is_object
from opsnest.sources import roost_source
from opssim import RoostQuirks, RoostSimulator, serve

#: Columns in which the API sends JSON in a string.
JSON_OF_TESTS = (
    "git_info",
    "ai_model_info",
    "integration_info",
    "additional_info",
    "ui_test_info",
    "trigger_events",
    "connector_ids",
    "labels",
)
JSON_OF_EVENTS = ("git_info", "additional_info", "labels", "test_report", "test_result")


# A first load of everything, in several pages


@pytest.fixture(scope="module")
def first_load(shared_warehouse: Warehouse) -> Generator[Loaded]:
    with serve(RoostSimulator(tests=120, events=210)) as roost:
        shared_warehouse.load(source(roost))
        yield roost, shared_warehouse


@pytest.mark.parametrize("name", LISTS)
def test_each_list_is_a_resource_and_a_table_with_the_rows_of_roost(
    first_load: Loaded, name: str
) -> None:
    roost, warehouse = first_load

    assert warehouse.column(name) == keys(roost, name)
    assert loaded(warehouse, name, LISTS[name]) == instants(roost, name)
    assert len(keys(roost, name)) > 0


@pytest.mark.parametrize("name", ["tests", "test_plans"])
def test_lists_of_tests_are_asked_with_all_that_roost_requires(
    first_load: Loaded, name: str
) -> None:
    roost, _ = first_load

    for seen in roost.simulator.requests.all(PATHS[name]):
        assert {
            "get_for_all": "true",
            "getAll": "true",
            "searchTerm": "",
            "isCaseSensitive": "false",
            "isWholeWord": "false",
        }.items() <= seen.query.items()
        assert seen.query.keys() >= {"take", "skip"}
        assert seen.status == 200


def test_events_are_asked_for_without_a_search(first_load: Loaded) -> None:
    roost, _ = first_load

    for seen in roost.simulator.requests.all(PATHS["events"]):
        assert not seen.query.get("searchTerm")
        assert seen.status == 200


@pytest.mark.parametrize("name", ["tests", "test_plans"])
@pytest.mark.parametrize("column", JSON_OF_TESTS)
def test_json_in_strings_of_tests_becomes_json(first_load: Loaded, name: str, column: str) -> None:
    roost, warehouse = first_load

    check_json(roost, warehouse, name, column)


@pytest.mark.parametrize("column", JSON_OF_EVENTS)
def test_json_in_strings_of_events_becomes_json(first_load: Loaded, column: str) -> None:
    roost, warehouse = first_load

    check_json(roost, warehouse, "events", column)


def check_json(roost: Roost, warehouse: Warehouse, table: str, column: str) -> None:
    """Compare a column with the simulated JSON, secrets taken out of both."""
    sent = {key: row[column] for key, row in rows(roost, table).items()}
    secrets = roost.simulator.secrets()

    def plain(value: Any) -> Any:
        if is_object(value):
            kept = {k: v for k, v in value.items() if not (isinstance(v, str) and v in secrets)}
            return {key: plain(inner) for key, inner in kept.items()}
        return [plain(inner) for inner in value] if is_list(value) else value

    assert warehouse.types(table)[column] == "JSON"
    assert {
        key: text and json.loads(text) for key, text in loaded(warehouse, table, column).items()
    } == {key: text and plain(json.loads(text)) for key, text in sent.items()}


def test_reports_do_not_become_columns(first_load: Loaded) -> None:
    _, warehouse = first_load

    assert warehouse.tables() == set(LISTS)
    assert not [name for name in warehouse.types("events") if "__" in name]


def test_no_secret_of_roost_is_in_the_database(first_load: Loaded) -> None:
    roost, warehouse = first_load

    text = warehouse.text()

    assert keys(roost, "events")[0] in text
    assert len(roost.simulator.secrets()) > 100
    assert not [secret for secret in roost.simulator.secrets() if secret in text]


# What belongs to a test or an event


def test_a_test_is_fetched_for_each_test_of_the_list(roost: Start, warehouse: Warehouse) -> None:
    running = roost()

    counts = warehouse.load(source(running), "tests", "test")

    assert counts == {"tests": 12, "test": 12}
    assert warehouse.column("test") == keys(running, "tests")


def test_tests_are_fetched_by_their_ids_beside_the_lists(
    roost: Start, warehouse: Warehouse
) -> None:
    running = roost()
    chosen = keys(running, "tests")[:2]

    counts = warehouse.load(source(running, test_ids=chosen))

    assert counts == {"tests": 12, "test_plans": 3, "events": 24, "test": 2}
    assert warehouse.column("test") == chosen
    for seen in running.simulator.requests.all(f"/api/test/{chosen[0]}"):
        assert seen.query["clone_test"] == "false"


@pytest.mark.parametrize("shape", ["lines", "text"])
def test_logs_are_rows_of_a_line_each_in_both_shapes(
    roost: Start, warehouse: Warehouse, shape: Literal["lines", "text"]
) -> None:
    running = roost(quirks=RoostQuirks(logs=shape))

    warehouse.load(source(running), "events", "event_logs")

    assert warehouse.query("SELECT DISTINCT trigger_id FROM event_logs ORDER BY 1") == [
        (key,) for key in keys(running, "events")
    ]
    for key, event in rows(running, "events").items():
        lines = warehouse.query(
            f"SELECT line, message FROM event_logs WHERE trigger_id = '{key}' ORDER BY line"
        )
        assert [line for line, _ in lines] == list(range(1, len(lines) + 1))
        assert lines[0][1].endswith(f"event {key} accepted for test {event['test_id']}")
        # one for the beginning, and one for each file of the report
        assert len(lines) > len(files(running, [key]))


def test_the_report_of_each_file_of_an_event_is_fetched(roost: Start, warehouse: Warehouse) -> None:
    running = roost()

    warehouse.load(source(running), "events", "execution_report")

    expected = files(running)
    found = warehouse.query("SELECT trigger_id, file_path, status FROM execution_report")
    assert len(found) == len(expected) > 0
    assert {(trigger, path): status for trigger, path, status in found} == expected


def test_the_report_is_asked_for_with_the_choice_of_the_user(
    roost: Start, warehouse: Warehouse
) -> None:
    running = roost()
    chosen = source(running, report_file_choice="csv")

    warehouse.load(chosen, "execution_report")

    assert set(warehouse.column("execution_report", "file_choice")) == {"csv"}


@pytest.mark.parametrize("as_text", [False, True])
def test_the_status_of_each_file_is_a_row_whether_it_is_json_or_text(
    roost: Start, warehouse: Warehouse, as_text: bool
) -> None:
    running = roost(quirks=RoostQuirks(status_as_text=as_text))

    warehouse.load(source(running), "events", "execution_status")

    assert statuses(warehouse) == files(running)


def test_what_belongs_to_chosen_events_is_fetched_beside_the_lists(
    roost: Start, warehouse: Warehouse
) -> None:
    running = roost()
    chosen = sorted({event for event, _ in files(running)})[:2]

    counts = warehouse.load(source(running, trigger_ids=chosen))

    assert counts.keys() == {*LISTS, "event_logs", "execution_report", "execution_status"}
    assert warehouse.column("events") == keys(running, "events")
    assert set(warehouse.column("event_logs", "trigger_id")) == set(chosen)
    assert statuses(warehouse) == files(running, chosen)
    assert len(warehouse.column("execution_report", "file_path")) == len(files(running, chosen))


def test_details_alone_leave_their_lists_to_be_loaded_later(
    roost: Start, warehouse: Warehouse
) -> None:
    running = roost()
    warehouse.load(source(running), "test", "event_logs")
    assert warehouse.tables() == {"test", "event_logs"}

    warehouse.load(source(running))

    for name in LISTS:
        assert warehouse.column(name) == keys(running, name)


def test_a_detail_that_is_chosen_later_is_fetched_for_all(
    roost: Start, warehouse: Warehouse
) -> None:
    running = roost()
    warehouse.load(source(running), "tests", "events", "event_logs")

    warehouse.load(source(running), "test", "execution_status")

    assert warehouse.column("test") == keys(running, "tests")
    assert statuses(warehouse) == files(running)


def test_the_source_loads_the_lists_by_itself_and_offers_the_details(roost: Start) -> None:
    running = roost()

    assert set(source(running).selected_resources) == set(LISTS)
    assert set(source(running).resources) == {*LISTS, *DETAILS, "event_methods"}


def test_token_and_address_come_from_the_environment(
    roost: Start, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = roost()
    for name, value in running.configuration.items():
        monkeypatch.setenv(name, value)

    warehouse.load(roost_source(), "test_plans")

    assert warehouse.column("test_plans") == keys(running, "test_plans")


# Quirks


@pytest.mark.parametrize(
    "quirks",
    [
        pytest.param(RoostQuirks(max_take=7), id="small pages"),
        pytest.param(RoostQuirks(max_take=12, count_is_page=True), id="count of the page"),
        pytest.param(RoostQuirks(order="oldest", max_take=50), id="oldest first"),
        pytest.param(RoostQuirks(required_params=False), id="nothing required"),
        pytest.param(RoostQuirks.strict(), id="strict"),
    ],
)
def test_lists_are_loaded_completely_whatever_roost_does(
    roost: Start, warehouse: Warehouse, quirks: RoostQuirks
) -> None:
    running = roost(tests=60, events=120, quirks=quirks)

    warehouse.load(source(running))

    for name in LISTS:
        assert warehouse.column(name) == keys(running, name)


def test_everything_is_loaded_from_the_strictest_roost(roost: Start, warehouse: Warehouse) -> None:
    running = roost(quirks=RoostQuirks.strict(), events=20)

    warehouse.load(source(running), "tests", "test", "events", *DETAILS[1:3])

    assert warehouse.column("test") == keys(running, "tests")
    found = warehouse.query("SELECT trigger_id, file_path FROM execution_report")
    assert sorted(found) == sorted(files(running))
    assert set(warehouse.column("event_logs", "trigger_id")) == set(keys(running, "events"))


def test_a_report_of_hundreds_of_kilobytes_is_one_json_value(
    roost: Start, warehouse: Warehouse
) -> None:
    running = roost(events=120, quirks=RoostQuirks(huge_reports=True))
    sizes = {key: len(row["test_report"] or "") for key, row in rows(running, "events").items()}
    largest = max(sizes, key=lambda key: sizes[key])
    assert sizes[largest] > 300_000

    warehouse.load(source(running), "events")

    text = loaded(warehouse, "events", "test_report")[largest]
    assert json.loads(text) == json.loads(rows(running, "events")[largest]["test_report"])
