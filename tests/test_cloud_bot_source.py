"""The Cloud bot source end to end: simulated Control Room, dlt, DuckDB."""

from __future__ import annotations

import json
import time
from collections.abc import Generator
from datetime import timedelta
from typing import Any, Literal

import pytest
from tests.cloud_bot_loads import (
    ALL,
    EVERYTHING,
    SIZES,
    ControlRoom,
    Loaded,
    Start,
    bots,
    check_executions,
    check_lists,
    instants,
    source,
)
from tests.warehouse import Warehouse, keys, loaded

from opsnest.sources import cloud_bot_source
from opssim import CloudBotQuirks, CloudBotSimulator, serve

# A first load


@pytest.fixture(scope="module")
def first_load(shared_warehouse: Warehouse) -> Generator[Loaded]:
    sizes: dict[str, Any] = SIZES | {"executions": 120}
    with serve(CloudBotSimulator(**sizes)) as room:
        shared_warehouse.load(source(room))
        yield room, shared_warehouse


@pytest.mark.parametrize("name", ALL)
def test_each_list_is_a_resource_and_a_table_with_the_rows_of_the_control_room(
    first_load: Loaded, name: str
) -> None:
    room, warehouse = first_load

    assert warehouse.column(name) == keys(room, name)
    assert len(keys(room, name)) > 0


def test_a_load_logs_in_once_and_leaves_other_sessions_alone(first_load: Loaded) -> None:
    room, _ = first_load

    logins = room.simulator.requests.all("/v1/authentication")
    assert [seen.status for seen in logins] == [200]
    assert room.simulator.logins == 1
    others = [s for s in room.simulator.requests.all() if s.path != "/v1/authentication"]
    assert others
    for seen in others:
        assert "x-authorization" in seen.headers
        assert "authorization" not in seen.headers


@pytest.mark.parametrize("column", ["start_date_time", "end_date_time", "modified_on"])
def test_times_with_nanoseconds_are_loaded_to_the_microsecond(
    first_load: Loaded, column: str
) -> None:
    room, warehouse = first_load
    name = {"start_date_time": "startDateTime", "end_date_time": "endDateTime"}.get(column)

    assert "TIMESTAMP" in warehouse.types("executions")[column]
    expected = instants(room, "executions", name or "modifiedOn")
    assert loaded(warehouse, "executions", column) == expected


def test_no_secret_of_the_control_room_is_in_the_database(first_load: Loaded) -> None:
    room, warehouse = first_load

    text = warehouse.text()

    assert keys(room, "executions")[0] in text
    assert not [secret for secret in room.simulator.secrets() if secret in text]


# What else the source offers


def test_the_source_loads_the_lists_by_itself_and_offers_the_rest(room: Start) -> None:
    running = room()

    assert set(source(running).selected_resources) == set(ALL)
    assert set(source(running).resources) == EVERYTHING


def test_a_login_with_a_password_works_as_well(room: Start, warehouse: Warehouse) -> None:
    running = room()

    warehouse.load(source(running, password=running.simulator.password), "users")

    assert warehouse.column("users") == keys(running, "users")


def test_address_and_credentials_come_from_the_environment(
    room: Start, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = room()
    for name, value in running.configuration.items():
        monkeypatch.setenv(name, value)

    warehouse.load(cloud_bot_source(), "robots")

    assert warehouse.column("robots") == keys(running, "robots")


def test_single_bots_and_runs_are_fetched_for_each_of_the_lists(
    room: Start, warehouse: Warehouse
) -> None:
    running = room()

    warehouse.load(source(running), "automations", "automation", "executions", "execution")

    assert warehouse.column("automation") == keys(running, "automations")
    assert warehouse.column("execution") == keys(running, "executions")
    # what only the answer for a single run has
    variables = loaded(warehouse, "execution", "bot_out_variables")
    statuses = loaded(warehouse, "executions", "status")
    assert {key for key, text in variables.items() if json.loads(text)["values"]} == {
        key for key, status in statuses.items() if status == "COMPLETED"
    }


def test_single_bots_and_runs_are_fetched_by_their_ids(room: Start, warehouse: Warehouse) -> None:
    running = room()
    some_bots, some_runs = bots(running)[:2], keys(running, "executions")[:2]

    warehouse.load(source(running, automation_ids=some_bots, execution_ids=some_runs))

    assert warehouse.tables() >= {*ALL, "automation", "execution"}
    assert warehouse.column("automation") == some_bots
    assert warehouse.column("execution") == some_runs


def test_the_files_of_the_private_workspace_can_be_loaded_instead(
    room: Start, warehouse: Warehouse
) -> None:
    running = room()

    warehouse.load(source(running, workspace="private"), "automations")

    assert warehouse.column("automations") == keys(running, "private_files")


def test_the_audit_log_is_loaded_when_chosen_past_the_cap_of_its_pages(
    room: Start, warehouse: Warehouse
) -> None:
    running = room(audit_messages=130, quirks=CloudBotQuirks(audit_cap=40))

    warehouse.load(source(running), "audit_messages")

    assert warehouse.column("audit_messages") == keys(running, "audit_messages")
    assert len(running.simulator.requests.all("/v1/audit/messages/list")) > 3


# The paths of dltHub's page


@pytest.fixture
def seed_load(room: Start, warehouse: Warehouse) -> ControlRoom:
    running = room()
    warehouse.load(source(running, api="seed"))
    return running


def test_the_lists_of_the_seed_page_are_loaded(
    seed_load: ControlRoom, warehouse: Warehouse
) -> None:
    assert warehouse.column("automations") == bots(seed_load)
    for name in ("executions", "users", "robots"):
        assert warehouse.column(name) == keys(seed_load, name)
    assert {seen.path for seen in seed_load.simulator.requests.all()} == {
        "/v1/authentication",
        "/v3/automations",
        "/v3/automations/executions",
        "/v1/users",
        "/v1/robots",
    }
    assert None in loaded(warehouse, "executions", "end_date_time").values()


def test_only_changed_rows_of_the_seed_page_are_loaded_again(
    seed_load: ControlRoom, warehouse: Warehouse
) -> None:
    seed_load.simulator.clock.skip(timedelta(hours=1))
    seed_load.simulator.insert("executions", 3)
    seed_load.simulator.touch("users", 1)

    counts = warehouse.load(source(seed_load, api="seed"))

    assert counts == {"executions": 3, "users": 1, "robots": 5}
    check_executions(seed_load, warehouse)


def test_single_bots_and_runs_of_the_seed_page_are_fetched_for_each_of_the_lists(
    room: Start, warehouse: Warehouse
) -> None:
    running = room()

    warehouse.load(source(running, api="seed"), "automation", "execution")

    assert not warehouse.tables() & set(ALL)
    assert warehouse.column("automation") == bots(running)
    assert warehouse.column("execution") == keys(running, "executions")


def test_single_bots_and_runs_of_the_seed_page_are_fetched_by_their_ids(
    room: Start, warehouse: Warehouse
) -> None:
    running = room()
    bot, run = bots(running)[0], keys(running, "executions")[0]
    chosen = source(running, api="seed", automation_ids=[bot], execution_ids=[run])

    warehouse.load(chosen, "automation", "execution")

    assert warehouse.column("automation") == [bot]
    assert warehouse.column("execution") == [run]
    paths = {seen.path for seen in running.simulator.requests.all()}
    assert paths == {
        "/v1/authentication",
        f"/v3/automations/{bot}",
        f"/v3/automations/executions/{run}",
    }


# Quirks


@pytest.mark.parametrize(
    "quirks",
    [
        pytest.param(CloudBotQuirks(page_cap=3), id="page_cap"),
        pytest.param(CloudBotQuirks(total_filter_zero=True, page_cap=5), id="total_filter_zero"),
        pytest.param(CloudBotQuirks(devices_without_page=True, page_cap=2), id="no page"),
        pytest.param(CloudBotQuirks(old_devices=1.0), id="old devices"),
    ],
)
def test_lists_are_loaded_completely_whatever_the_control_room_does(
    room: Start, warehouse: Warehouse, quirks: CloudBotQuirks
) -> None:
    running = room(quirks=quirks)

    warehouse.load(source(running))

    check_lists(running, warehouse)


@pytest.mark.usefixtures("waits")
@pytest.mark.parametrize("api", ["published", "seed"])
def test_the_strictest_control_room_is_loaded_completely(
    room: Start, warehouse: Warehouse, api: Literal["published", "seed"]
) -> None:
    running = room(executions=400, audit_messages=200, quirks=CloudBotQuirks.strict())
    chosen = source(running, api=api)

    warehouse.load(chosen, *ALL, *(["audit_messages"] if api == "published" else []))

    check_executions(running, warehouse)
    assert warehouse.column("users") == keys(running, "users")
    assert warehouse.column("robots") == keys(running, "robots")
    if api == "published":
        assert warehouse.column("automations") == keys(running, "automations")
        assert warehouse.column("audit_messages") == keys(running, "audit_messages")
    else:
        assert warehouse.column("automations") == bots(running)


@pytest.mark.parametrize("form", ["epoch", "empty", "mixed"])
def test_a_run_that_has_not_ended_has_no_end(
    room: Start, warehouse: Warehouse, form: Literal["epoch", "empty", "mixed"]
) -> None:
    running = room(quirks=CloudBotQuirks(epoch_end=form))

    warehouse.load(source(running), "executions")

    ends = loaded(warehouse, "executions", "end_date_time")
    assert ends == instants(running, "executions", "endDateTime")
    assert None in ends.values()
    assert all(end.year > 2000 for end in ends.values() if end)


def test_an_unavailable_control_room_is_asked_again_after_the_time_it_names(
    room: Start, warehouse: Warehouse
) -> None:
    running = room(quirks=CloudBotQuirks(unavailable_every=3))
    began = time.monotonic()

    warehouse.load(source(running), "executions", "users")

    assert running.simulator.requests.statuses()[503] == 1
    assert time.monotonic() - began > 1.0  # Retry-After
    check_executions(running, warehouse)


def test_more_runs_with_one_time_stamp_than_a_page_holds_are_loaded(
    room: Start, warehouse: Warehouse
) -> None:
    running = room(quirks=CloudBotQuirks(activity_cap=7))
    table = running.simulator.tables["executions"]
    for key in table.keys()[10:35]:
        table.update(key, lambda row: row.update(modifiedOn="2026-06-30T12:00:00.000Z"))

    warehouse.load(source(running), "executions")

    check_executions(running, warehouse)


@pytest.mark.parametrize("api", ["published", "seed"])
def test_details_and_their_lists_do_not_wait_for_each_other(
    room: Start, warehouse: Warehouse, api: Literal["published", "seed"]
) -> None:
    running = room()
    warehouse.load(source(running, api=api), "execution")
    warehouse.load(source(running, api=api), "executions", "automations")
    warehouse.load(source(running, api=api), "automation")

    for name in ("execution", "executions"):
        assert warehouse.column(name) == keys(running, "executions")
    assert warehouse.column("automation") == warehouse.column("automations")
