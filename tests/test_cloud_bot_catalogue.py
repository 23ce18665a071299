"""The catalogue of Cloud bot: each entry against the facts of the API, and against the wire."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Generator, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
from tests.cloud_bot_loads import ALL, ControlRoom, Start, source
from tests.warehouse import Warehouse, keys, rows

from opsnest.catalogue import Entry
from opsnest.catalogue.cloud_bot import CLOUD_BOT
from opsnest.errors import ConfigurationError
from opsnest.http import ApiSession
from opsnest.loading import load
from opsnest.sources.cloud_bot_rows import NOT_YET
from opssim import CloudBotQuirks, CloudBotSimulator, serve

pytestmark = pytest.mark.xdist_group("cloud_bot-catalogue")

FACTS: dict[str, dict[str, Any]] = {
    fact["name"]: fact
    for fact in json.loads((Path(__file__).parent / "facts/cloud_bot_lists.json").read_text())
}
ENTRIES = CLOUD_BOT.by_name
#: More of single rows, which are asked for one by one.
DETAILS = {"automation": "automations", "execution": "executions"}

each_entry = pytest.mark.parametrize("entry", ENTRIES.values(), ids=list(ENTRIES))
each_list = pytest.mark.parametrize("name", [name for name in ENTRIES if name not in DETAILS])


# Against the OpenAPI files


def test_each_list_of_the_api_has_an_entry_and_those_of_before_are_selected() -> None:
    assert set(FACTS) | set(DETAILS) == set(ENTRIES)
    assert {entry.name for entry in CLOUD_BOT.entries if entry.selected} == set(ALL)


@each_list
def test_an_entry_is_what_the_files_say_of_its_list(name: str) -> None:
    entry, fact = ENTRIES[name], FACTS[name]

    assert f"/{entry.path}" == fact["path"]
    assert entry.method == fact["method"]
    assert entry.key[-1] == fact["key"]
    row = set(fact["row"] or ())
    if row:
        tops = {path.split(".")[0].removesuffix("[]") for path in (*entry.text, *entry.json)}
        assert set(entry.times) | tops - {"botOutVariables"} <= row
        stamps = {column for column, kind in fact["row"].items() if "datetime" in kind}
        assert stamps <= set(entry.times)
    if entry.cursor and fact["cursor"]:
        assert entry.cursor == fact["cursor"]
    if fact["filterable"] and entry.filter:
        assert entry.filter in fact["filterable"]
    if fact["filterable"] and entry.under_way_by:
        assert entry.under_way_by in fact["filterable"]


@each_entry
def test_children_name_their_parent(entry: Entry) -> None:
    parameters = re.findall(r"\{(\w+)\}", entry.path)

    if entry.name != "automation":
        assert parameters == ([entry.parent_key] if entry.parent else [])
    if entry.parent:
        assert entry.parent_key in entry.key


# Against the wire


class Asked(NamedTuple):
    """A request of a load."""

    method: str
    path: str
    body: Any
    params: Any


class Loads(NamedTuple):
    """Two loads of everything, with nothing changed in between."""

    room: ControlRoom
    warehouse: Warehouse
    asked: list[Asked]
    counts: dict[str, int]
    again: dict[str, int]


QUIRKS = {
    "usual": CloudBotQuirks(),
    "strict": CloudBotQuirks(
        total_filter_zero=True,
        nested_pool_list=True,
        devices_without_page=True,
        old_devices=0.4,
        epoch_end="mixed",
        page_cap=7,
        audit_cap=5,
        bot_runs_first_page=0,
        bot_run_numbers=True,
        bot_runs_total_of_page=True,
        utc_offset_hours=5,
    ),
}


@pytest.fixture(scope="module", params=list(QUIRKS))
def loads(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Generator[Loads]:
    folder = tmp_path_factory.mktemp("catalogue")
    asked: list[Asked] = []
    send = ApiSession.request

    def noted(self: ApiSession, method: str, url: str, **options: Any) -> Any:
        path = urlsplit(url).path
        asked.append(Asked(method, path, options.get("json"), options.get("params")))
        return send(self, method, url, **options)

    simulator = CloudBotSimulator(
        executions=45,
        bots=15,
        users=12,
        devices=9,
        audit_messages=30,
        work_items=40,
        quirks=QUIRKS[request.param],
    )
    with serve(simulator) as room, pytest.MonkeyPatch.context() as patch:
        patch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
        patch.setenv("DLT_DATA_DIR", str(folder / "dlt"))
        patch.chdir(folder)
        patch.setattr(ApiSession, "request", noted)
        warehouse = Warehouse(folder)
        counts = warehouse.load(source(room), *ENTRIES)
        first = list(asked)
        again = warehouse.load(source(room), *ENTRIES)
        yield Loads(room, warehouse, first, counts, again)
        warehouse.close()


def simulated(room: ControlRoom, name: str) -> dict[tuple[str, ...], dict[str, Any]]:
    """Return the rows that a list should have, by their keys as texts."""
    table = DETAILS.get(name, name)
    found = rows(room, "executions" if name == "bot_runs" else table)
    if name == "bot_runs":
        numbers = room.simulator.quirks.bot_run_numbers
        return {
            (str(int(key[-12:], 16)) if numbers else key,): {
                "status": row["status"],
                "userName": row["userName"],
                "startDate": row["startDateTime"],
            }
            for key, row in found.items()
            if row["endDateTime"] not in NOT_YET
        }
    return {tuple(str(row[part]) for part in ENTRIES[name].key): row for row in found.values()}


def cells(entry: Entry, row: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the values of a simulated row as they should be in the table."""
    for name, value in row.items():
        if name in entry.secrets or isinstance(value, dict | list):
            continue
        column = re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()
        if value in NOT_YET and name in entry.times:
            yield column, None
        elif name in entry.times and value:
            yield column, datetime.fromisoformat(value)
        else:
            yield column, value


@pytest.mark.parametrize("name", list(ENTRIES))
def test_all_rows_of_a_list_are_loaded_cell_by_cell(loads: Loads, name: str) -> None:
    entry = ENTRIES[name]
    expected = simulated(loads.room, name)
    types = loads.warehouse.types(name)
    columns = [column for column in types if not column.startswith("_dlt")]
    chosen = ", ".join(f'"{column}"' for column in columns)
    found = [
        dict(zip(columns, values, strict=True))
        for values in loads.warehouse.query(f"SELECT {chosen} FROM {name}")
    ]

    key = [re.sub(r"([A-Z])", r"_\1", part).lower() for part in entry.key]
    by_key = {tuple(str(row[part]) for part in key): row for row in found}
    assert len(found) == len(by_key) == len(expected) > 0
    assert by_key.keys() == expected.keys()
    for at, row in expected.items():
        for column, value in cells(entry, row):
            assert by_key[at].get(column) == value, column
    for path in entry.text:
        if path == "id":
            assert types["id"] == "VARCHAR"


@pytest.mark.parametrize("name", list(ENTRIES))
def test_nothing_is_loaded_again_when_nothing_has_changed(loads: Loads, name: str) -> None:
    assert loads.counts[name] == len(simulated(loads.room, name))
    snapshot = ENTRIES[name].strategy == "snapshot"
    assert loads.again.get(name, 0) == (loads.counts[name] if snapshot else 0)


@each_list
def test_requests_are_what_the_protocol_says(loads: Loads, name: str) -> None:
    entry = ENTRIES[name]
    path = re.sub(r"\{\w+\}", r"[^/]+", f"/{entry.path}")
    asked = [each for each in loads.asked if re.fullmatch(path, each.path)]

    assert asked
    assert {each.method for each in asked} == {entry.method}
    if entry.method == "GET":
        assert [each.params["pageno"] for each in asked] == list(range(len(asked)))
        assert all(each.params["limit"] <= 1000 for each in asked)
        return
    by_id = {"field": "id", "direction": "asc"}
    sort = [{"field": entry.sort, "direction": "asc"}, by_id] if entry.sort else [by_id]
    lists = [each.body for each in asked if "page" in each.body]
    assert lists
    for body in lists:
        assert set(body) <= {"filter", "sort", "page"}
        assert set(body["page"]) == {"offset", "length"}
        assert body["page"]["length"] <= 1000
        assert body["sort"] == sort
        if "filter" in body:
            leaf = body["filter"]
            assert (leaf["operator"], leaf["field"]) == ("ge", entry.filter)
            assert isinstance(leaf["value"], str)


def test_counts_and_other_numbers_that_come_as_text_stay_text(loads: Loads) -> None:
    types = loads.warehouse.types("device_pools")

    assert types["device_count"] == types["automation_count"] == "VARCHAR"


# Settings


def test_other_versions_of_endpoints_can_be_named(room: Start, warehouse: Warehouse) -> None:
    running = room()
    other = {"users": "v1", "roles": "v1", "schedules": "v1"}

    warehouse.load(source(running, versions=other), *other)

    for name in ("users", "roles"):
        assert warehouse.column(name) == keys(running, name)  # numbers there, and still text here
    roles = warehouse.query("SELECT DISTINCT typeof(id) FROM users__roles")
    assert roles == [("VARCHAR",)]
    paths = {seen.path for seen in running.simulator.requests.all()}
    assert "/v1/usermanagement/users/list" in paths
    assert not [path for path in paths if path.startswith("/v2")]
    assert warehouse.load(source(running), *other) == {}  # nor do they differ


@pytest.mark.parametrize(
    ("versions", "problem"),
    [
        ({"user": "v1"}, "versions names 'user', which is no list"),
        ({"users": "2"}, "the version '2' of users is none"),
        ({"users": "v1/../v3"}, "the version 'v1/../v3' of users is none"),
    ],
)
def test_versions_that_make_no_sense(room: Start, versions: dict[str, str], problem: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(problem)):
        source(room(), versions=versions)


def test_versions_come_from_the_environment(
    room: Start, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = room()
    monkeypatch.setenv("SOURCES__CLOUD_BOT_SOURCE__VERSIONS", '{"users": "v1"}')

    warehouse.load(source(running), "users")

    assert running.simulator.requests.all("/v1/usermanagement/users/list")


# Rows that change in ways of their own


def test_a_run_that_ends_without_a_change_of_its_time_is_loaded_again(
    room: Start, warehouse: Warehouse
) -> None:
    running = room(executions=60)
    table = running.simulator.tables["executions"]
    under_way = [key for key, row in rows(running, "executions").items() if row["progress"] < 95]
    under_way = [key for key in under_way if row_of(running, key)["endDateTime"] in NOT_YET]
    late = under_way[0]
    running.simulator.clock.skip(timedelta(hours=3))
    running.simulator.insert("executions", 1)  # so that the time of the others is long ago
    warehouse.load(source(running), "executions", "execution")
    ended = {"status": "COMPLETED", "progress": 100, "endDateTime": "2026-07-01T00:00:00.5Z"}
    table.update(late, lambda row: row.update(ended))

    counts = warehouse.load(source(running), "executions", "execution")

    assert counts == {"executions": 1, "execution": 1}
    for name in ("executions", "execution"):
        found = warehouse.query(f"SELECT status, progress FROM {name} WHERE id = '{late}'")
        assert found == [("COMPLETED", 100)]
    assert warehouse.load(source(running), "executions", "execution") == {}


def row_of(room: ControlRoom, key: str) -> dict[str, Any]:
    return rows(room, "executions")[key]


def test_rows_are_counted_where_changes_are_read_and_not_once_more(
    room: Start, warehouse: Warehouse
) -> None:
    running = room()
    load(warehouse.pipeline, source(running).with_resources("executions"))
    running.simulator.clock.skip(timedelta(hours=1))
    running.simulator.insert("executions", 2)
    running.simulator.requests.clear()

    outcome = load(warehouse.pipeline, source(running).with_resources("executions"))

    assert not outcome.differences
    asked = [seen.path for seen in running.simulator.requests.all()]
    # what changed, the last row of which comes again, and what was under way
    assert 2 <= asked.count("/v3/activity/list") <= 3


def test_a_run_that_ends_late_is_among_the_bot_runs(room: Start, warehouse: Warehouse) -> None:
    running = room(executions=60)
    warehouse.load(source(running), "bot_runs")
    before = set(warehouse.column("bot_runs"))
    running.simulator.clock.skip(timedelta(hours=2))
    while len(simulated(running, "bot_runs")) < len(before) + 2:
        running.simulator.touch("executions", 1)

    counts = warehouse.load(source(running), "bot_runs")

    assert counts == {"bot_runs": 2}
    assert len(warehouse.column("bot_runs")) == len(simulated(running, "bot_runs"))


def test_a_queue_that_goes_while_its_items_are_read_takes_them_along(
    room: Start, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = room(work_items=60)
    send: Callable[..., Any] = ApiSession.request

    def delete_first(self: ApiSession, method: str, url: str, **options: Any) -> Any:
        if "/workitems/" in url and "1" in running.simulator.tables["wlm_queues"]:
            running.simulator._world.remove("wlm_queues", "1")  # pyright: ignore[reportPrivateUsage]
        return send(self, method, url, **options)

    monkeypatch.setattr(ApiSession, "request", delete_first)

    warehouse.load(source(running), "wlm_work_items")

    assert warehouse.column("wlm_work_items") == keys(running, "wlm_work_items")


def test_a_wrong_version_of_the_work_items_is_not_taken_for_queues_that_are_gone(
    room: Start, warehouse: Warehouse
) -> None:
    running = room(work_items=20)

    with pytest.raises(Exception, match=r"/v9/wlm/queues/\d+/workitems/list -> 404"):
        warehouse.load(source(running, versions={"wlm_work_items": "v9"}), "wlm_work_items")
