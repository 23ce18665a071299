"""The catalogue of Roost.ai: each entry against the API's facts, and against the wire."""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Sequence
from typing import Any, NamedTuple

import pytest
from tests.roost_loads import LISTS, Roost, files, source, statuses
from tests.same_cells import Cells, live_cells
from tests.warehouse import Warehouse, keys, no_warnings, rows

from opsnest.catalogue import CATALOGUES, Entry
from opsnest.catalogue.roost_ai import ROOST_AI
from opsnest.loading import load
from opssim import RoostQuirks, RoostSimulator, serve

pytestmark = pytest.mark.xdist_group("roost-catalogue")

ENTRIES = ROOST_AI.by_name
#: Columns of `test_gpt` and `test_gpt_events`, of RoostGPT's database schema v1.1.17.
TEST_COLUMNS = frozenset(
    {
        "id",
        "user_id",
        "thirdparty_app_id",
        "test_name",
        "git_info",
        "ai_model_info",
        "integration_info",
        "additional_info",
        "ui_test_info",
        "trigger_events",
        "created_on",
        "updated_on",
        "deleted",
        "test_timeout",
        "webhook_error",
        "test_framework",
        "git_type",
        "source_repo",
        "source_branch",
        "connector_ids",
        "git_ops",
        "labels",
        "test_source",
        "test_scope",
    }
)
EVENT_COLUMNS = frozenset(
    {
        "id",
        "user_id",
        "thirdparty_app_id",
        "git_event_id",
        "status",
        "time",
        "test_id",
        "status_details",
        "completion_time",
        "pr_create_duration",
        "test_endpoints",
        "test_report",
        "test_type",
        "test_result",
        "slack_timestamp",
        "modification_time",
        "git_info",
        "ai_model_info",
        "additional_info",
        "integration_info",
        "ui_test_info",
        "retrigger_data",
        "labels",
        "test_timeout",
        "deleted",
    }
)
COLUMNS = {
    "tests": TEST_COLUMNS,
    "test_plans": TEST_COLUMNS,
    "test": TEST_COLUMNS,
    "events": EVENT_COLUMNS,
}
#: Path and parameters of each entry, as RoostGPT's OpenAPI file v1.1.15 has them.
REQUIRED = {"get_for_all", "getAll", "searchTerm", "isCaseSensitive", "isWholeWord", "take", "skip"}
REQUESTS: dict[str, tuple[str, set[str]]] = {
    "tests": ("/api/test", REQUIRED),
    "test_plans": ("/api/test/getAllTestPlan", REQUIRED),
    "events": ("/api/test/event", {"take", "skip", "order_by"}),
    "test": (r"/api/test/[\w-]{36}", {"clone_test"}),
    "event_logs": (r"/api/test/event/[\w-]{36}/logs", set()),
    "execution_report": (
        r"/api/test/event/[\w-]{36}/execute/report",
        {"file_choice", "file_path"},
    ),
    "execution_status": (r"/api/test/event/[\w-]{36}/execute/status", {"file_path"}),
    "event_methods": ("/api/test/event", {"take", "skip", "order_by"}),
}

each_entry = pytest.mark.parametrize("entry", ENTRIES.values(), ids=list(ENTRIES))


# Against the facts


def test_the_catalogue_is_known_by_the_name_of_its_platform() -> None:
    assert CATALOGUES["roost"] is ROOST_AI
    assert set(ENTRIES) == set(REQUESTS)


@each_entry
def test_columns_that_an_entry_names_are_in_the_database_schema(entry: Entry) -> None:
    tops = {path.partition(".")[0] for path in (*entry.secrets, *entry.json_text)}
    tops |= {path.partition("[")[0] for path in filter(None, [entry.cursor])}

    if entry.name in COLUMNS:
        assert tops <= COLUMNS[entry.name]
        assert set(entry.key) <= COLUMNS[entry.name]
    assert entry.within is None or entry.within in EVENT_COLUMNS


@each_entry
def test_children_name_their_parent(entry: Entry) -> None:
    parameters = re.findall(r"\{(\w+)\}", entry.path)

    assert parameters == ([entry.parent_key] if entry.parent and not entry.within else [])
    assert not entry.parent or entry.key[0] == entry.parent_key
    assert entry.of_changed is (entry.parent is not None)


@each_entry
def test_no_count_is_taken_for_the_total_of_a_list(entry: Entry) -> None:
    assert entry.total is None


def test_lists_are_loaded_by_themselves_and_details_by_name() -> None:
    assert {entry.name for entry in ROOST_AI.entries if entry.selected} == set(LISTS)


# Against the wire


class Loads(NamedTuple):
    """A load of each entry by itself, and all of it again with nothing changed."""

    roost: Roost
    warehouse: Warehouse
    asked: dict[str, Sequence[Any]]
    first: Cells
    again: Cells
    reloaded: bool


QUIRKS = {
    "usual": RoostQuirks(max_take=20),
    "awkward": RoostQuirks(
        max_take=7,
        count_is_page=True,
        status_as_text=True,
        logs="text",
        utc_offset_hours=5,
        stamp_grain_seconds=60,
    ),
}


@pytest.fixture(scope="module", params=list(QUIRKS))
def loads(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Generator[Loads]:
    folder = tmp_path_factory.mktemp("catalogue")
    simulator = RoostSimulator(tests=22, events=24, quirks=QUIRKS[request.param])
    with pytest.MonkeyPatch.context() as patch, serve(simulator) as roost, no_warnings():
        patch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
        patch.setenv("DLT_DATA_DIR", str(folder / "dlt"))
        patch.chdir(folder)
        warehouse = Warehouse(folder)
        asked: dict[str, Sequence[Any]] = {}
        for name in ENTRIES:
            simulator.requests.clear()
            load(warehouse.pipeline, source(roost).with_resources(name))
            asked[name] = simulator.requests.all()
        first = live_cells(warehouse)
        warehouse.close()
        outcome = load(warehouse.pipeline, source(roost).with_resources(*ENTRIES))
        again = live_cells(warehouse)
        yield Loads(roost, warehouse, asked, first, again, outcome.info is not None)
        warehouse.close()


def methods(roost: Roost) -> dict[tuple[str, str, str, str], dict[str, Any]]:
    """Return the methods of the simulated reports by the key of their rows."""
    return {
        (event["id"], file, path, key): method
        for event in rows(roost, "events").values()
        if event["test_report"]
        for file, paths in json.loads(event["test_report"])["advancedDetails"].items()
        for path, by_key in paths.items()
        for key, method in by_key.items()
    }


@pytest.mark.parametrize("name", [*LISTS, "test"])
def test_rows_and_values_are_those_of_roost(loads: Loads, name: str) -> None:
    simulated = rows(loads.roost, "tests" if name == "test" else name)
    found = {row["id"]: row for row in loads.first[name]}
    as_sent = COLUMNS[name] - set(ENTRIES[name].json_text) - {"test_timeout"}
    as_sent -= {"created_on", "updated_on", "time", "modification_time", "completion_time"}

    assert found.keys() == simulated.keys()
    for key, row in simulated.items():
        values = {column: found[key].get(column) for column in as_sent}
        assert values == {column: row[column] for column in as_sent}
        assert found[key]["test_timeout"] == row["test_timeout"]


def test_each_method_of_a_report_is_a_row(loads: Loads) -> None:
    found = {
        (row["event_id"], row["file"], row["path"], row["method_key"]): row
        for row in loads.first["event_methods"]
    }
    expected = methods(loads.roost)

    assert found.keys() == expected.keys()
    assert len(found) == len(loads.first["event_methods"]) > 20
    for key, method in expected.items():
        row = found[key]
        assert row["method_name"] == method["methodName"]
        assert row["status"] == method["status"]
        assert row["test_file_path"] == method["testFilePath"]
        assert row["csv_file_path"] == method["csvFilePath"]
        assert row["description"] == method["description"]
        assert json.loads(row["existing_test_case"]) == method["existingTestCase"]
        assert json.loads(row["feedback"]) == method["feedback"]
        assert row["arguments"] == method["arguments"]


def test_names_of_files_and_methods_are_no_columns(loads: Loads) -> None:
    assert set(loads.warehouse.types("event_methods")) - {"_dlt_load_id", "_dlt_id"} == {
        "event_id",
        "file",
        "path",
        "method_key",
        "method_name",
        "status",
        "test_file_path",
        "csv_file_path",
        "description",
        "existing_test_case",
        "feedback",
        "arguments",
        "other",
        "deleted_at",
    }


def test_logs_and_states_of_files_are_there(loads: Loads) -> None:
    of_reports = {(row["trigger_id"], row["file_path"]) for row in loads.first["execution_report"]}

    assert {row["trigger_id"] for row in loads.first["event_logs"]} == set(
        keys(loads.roost, "events")
    )
    assert statuses(loads.warehouse) == files(loads.roost)
    assert of_reports == set(files(loads.roost))


@each_entry
def test_requests_are_those_of_the_openapi_file(loads: Loads, entry: Entry) -> None:
    path, parameters = REQUESTS[entry.name]
    asked = [seen for seen in loads.asked[entry.name] if re.fullmatch(path, seen.path)]
    parent = REQUESTS[entry.parent][0] if entry.parent else path

    assert asked
    assert {seen.method for seen in loads.asked[entry.name]} == {"GET"}
    assert all(re.fullmatch(f"{path}|{parent}", seen.path) for seen in loads.asked[entry.name])
    assert all(seen.query.keys() == parameters for seen in asked)
    assert all(seen.status == 200 for seen in asked)


def test_where_nothing_has_changed_nothing_is_loaded(loads: Loads) -> None:
    assert not loads.reloaded
    assert loads.again == loads.first
