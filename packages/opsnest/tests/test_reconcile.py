"""After a load: rows that are gone are marked, and tables have as many rows as the API says."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import dlt
import msgspec
import pytest
from dlt.extract import DltSource

from opsnest.catalogue.rootly import ROOTLY
from opsnest.destinations import fit
from opsnest.events import ListRead
from opsnest.loading import Outcome, load
from opsnest.reconcile import forget, mark_deleted, takes_marks, unequal
from opsnest.sources import rootly_incident_management_source
from opssim import Fault, RootlySimulator, Running
from opssim.pytest_plugin import Simulate

SOURCE = "rootly_incident_management_source"
SMALL: dict[str, Any] = {"incidents": 6, "alerts": 6, "users": 5, "alert_events": 4, "shifts": 20}


class Home:
    """A simulated Rootly, and the DuckDB file that it is loaded into."""

    def __init__(self, rootly: Running[RootlySimulator], pipeline: dlt.Pipeline) -> None:
        self.rootly, self.simulator, self.pipeline = rootly, rootly.simulator, pipeline

    def source(self, *names: str) -> DltSource:
        made = rootly_incident_management_source(self.simulator.token, f"{self.rootly.url}/v1")
        return made.with_resources(*names)

    def load(self, *names: str) -> Outcome:
        return load(self.pipeline, self.source(*names))

    def query(self, sql: str) -> list[Any]:
        with self.pipeline.sql_client() as client:
            return list(client.execute_sql(sql) or ())

    def live(self, table: str, column: str = "id") -> set[str]:
        where = "deleted_at IS NULL"
        return {row[0] for row in self.query(f"SELECT {column} FROM {table} WHERE {where}")}

    def marked(self, table: str) -> set[str]:
        return {
            row[0] for row in self.query(f"SELECT id FROM {table} WHERE deleted_at IS NOT NULL")
        }

    def held(self, table: str) -> set[str]:
        return set(self.simulator.tables[table].keys())

    def lie(self, table: str, total: int) -> None:
        """Answer with the rows that there are, and another number of them."""
        rows = [row.data() for row in self.simulator.tables[table]]
        meta = {"total_count": total, "next_page": None, "next_cursor": None}
        body = msgspec.json.encode({"data": rows, "meta": meta})
        self.simulator.faults.add(Fault(path=f"/v1/{table}$", status=200, body=body))


Start = Callable[..., Home]


def pipeline_in(folder: Path, destination: Any = None) -> dlt.Pipeline:
    made = dlt.pipeline(
        "reconciling",
        destination=destination or dlt.destinations.duckdb(str(folder / "reconciled.duckdb")),
        dataset_name="data",
        pipelines_dir=str(folder / "pipelines"),
    )
    made.config.restore_from_destination = False  # it is here anyway
    return made


@pytest.fixture
def start(simulate: Simulate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Start:
    def make(**sizes: Any) -> Home:
        rootly = simulate(RootlySimulator(**SMALL | sizes))
        monkeypatch.setattr("opsnest.clock.now", rootly.simulator.clock.now)
        return Home(rootly, pipeline_in(tmp_path))

    return make


# Rows that are gone


def test_rows_that_are_gone_are_marked_and_lose_the_mark_when_they_come_back(start: Start) -> None:
    names = ("environments", "alerts", "users")
    home = start()
    assert home.load(*names).deleted == {}
    gone = {name: list(home.simulator.tables[name])[:3] for name in names}
    for name, rows in gone.items():
        for row in rows:
            home.simulator.tables[name].delete(row.key)

    outcome = home.load(*names)

    assert outcome.deleted == dict.fromkeys(names, 3)
    (said,) = re.findall(r"Marked as deleted: (.*)\.", str(outcome))
    assert sorted(said.split(", ")) == ["alerts 3", "environments 3", "users 3"]
    assert outcome.differences == []
    for name, rows in gone.items():
        assert home.live(name) == home.held(name)
        assert home.marked(name) == {row.key for row in rows}

    for name, rows in gone.items():
        home.simulator.tables[name].insert(rows[0].data())
    outcome = home.load(*names)

    assert (outcome.deleted, outcome.differences) == ({}, [])
    for name, rows in gone.items():
        assert home.live(name) == home.held(name)
        assert home.marked(name) == {row.key for row in rows[1:]}


def test_a_mark_is_the_time_at_which_it_was_found(start: Start) -> None:
    home = start()
    home.load("environments")
    home.simulator.delete("environments", 2)
    home.load("environments")
    sql = "SELECT id, deleted_at FROM environments WHERE deleted_at IS NOT NULL ORDER BY id"
    times = home.query(sql)
    home.simulator.delete("environments", 1)
    home.load("environments")

    assert len(times) == 2
    assert set(times) < set(home.query(sql)), "marks do not move"


def test_rows_are_marked_by_all_columns_of_their_key(start: Start) -> None:
    home = start(dashboards=2, children=1)
    home.load("dashboard_panels")
    home.query("UPDATE dashboard_panels SET id = 'the same below both'")
    one, other = sorted(home.held("dashboards"))
    keys = frozenset({f"{one}\x1fthe same below both"})
    read = ListRead(source=SOURCE, resource="dashboard_panels", keys=keys, complete=True)

    assert mark_deleted(home.pipeline, ROOTLY.by_name, [read]) == {"dashboard_panels": 1}
    assert home.live("dashboard_panels", "dashboard_id") == {one}
    sql = "SELECT dashboard_id FROM dashboard_panels WHERE deleted_at IS NOT NULL"
    assert home.query(sql) == [(other,)]


def test_children_of_a_parent_that_is_gone_are_marked_with_it(start: Start) -> None:
    home = start(dashboards=4, children=2)
    home.load("dashboards", "dashboard_panels")
    home.simulator.delete("dashboards", 1)

    deleted = home.load("dashboards", "dashboard_panels").deleted

    assert deleted == {"dashboards": 1, "dashboard_panels": 2}
    assert home.live("dashboard_panels", "dashboard_id") == home.held("dashboards")


def test_more_rows_are_marked_than_one_statement_takes(start: Start) -> None:
    home = start(dashboards=20, children=25)
    home.load("dashboard_panels")
    home.simulator.delete("dashboards_panels", 450)

    deleted = home.load("dashboard_panels").deleted

    assert deleted == {"dashboard_panels": 450}
    assert home.live("dashboard_panels") == home.held("dashboards_panels")


# What is not known to be gone


def test_only_children_of_parents_that_were_asked_are_marked(start: Start) -> None:
    home = start(children=3)
    home.load("incident_events")
    kept = home.live("incident_events")
    home.simulator.clock.skip(timedelta(hours=1))
    for event in list(home.simulator.tables["incidents_events"]):
        home.simulator.tables["incidents_events"].delete(event.key)
    home.simulator.touch("incidents", 2)

    deleted = home.load("incident_events").deleted["incident_events"]

    # beside those that changed, incidents of the last minutes before are asked for again
    assert 0 < deleted < len(kept)
    assert len(home.live("incident_events")) == len(kept) - deleted


def test_only_rows_within_the_window_that_was_read_are_marked(start: Start) -> None:
    home = start(schedules=2, shifts=200)
    home.load("shifts")
    before = home.live("shifts")
    for shift in list(home.simulator.tables["shifts"]):
        home.simulator.tables["shifts"].delete(shift.key)

    home.load("shifts")

    ended = "attributes__ends_at <= TIMESTAMP '2026-06-17'"
    long_ago = {row[0] for row in home.query(f"SELECT id FROM shifts WHERE {ended}")}
    assert home.marked("shifts")
    assert long_ago
    assert home.live("shifts") == long_ago
    assert home.marked("shifts") == before - long_ago


def test_a_load_that_is_cut_short_marks_nothing(start: Start) -> None:
    home = start(users=300)
    home.load("users")
    home.simulator.delete("users", 2)
    home.simulator.insert("users", 4)

    outcome = load(home.pipeline, home.source("users").add_limit(1))

    assert outcome.deleted == {}
    assert home.marked("users") == set()


def test_feeds_keep_what_the_api_no_longer_shows(start: Start) -> None:
    home = start()
    home.load("audits")
    home.simulator.delete("audits", 2)

    outcome = home.load("audits")

    assert (outcome.deleted, list(outcome.differences)) == ({}, [])


def test_a_reading_that_is_not_complete_marks_nothing(start: Start) -> None:
    home = start()
    home.load("environments")
    part = ListRead(source=SOURCE, resource="environments", keys=frozenset(), complete=False)
    stranger = ListRead(source=SOURCE, resource="no_such", keys=frozenset(), complete=True)
    unseen = ListRead(source=SOURCE, resource="teams", keys=frozenset(), complete=True)

    assert mark_deleted(home.pipeline, ROOTLY.by_name, [part, stranger, unseen]) == {}
    assert home.marked("environments") == set()


# Rows that are missing


def test_rows_that_the_table_lost_are_loaded_again(start: Start) -> None:
    names = ("environments", "users")
    home = start()
    home.load(*names)
    for name in names:
        home.query(f"DELETE FROM {name} WHERE id IN (SELECT id FROM {name} LIMIT 3)")

    outcome = home.load(*names)

    assert outcome.differences == []
    assert outcome.info is not None
    for name in names:
        assert home.live(name) == home.held(name)
    assert home.load(*names).info is None


def test_a_difference_that_stays_is_reported_and_no_row_is_touched(start: Start) -> None:
    names = ("environments", "alerts")
    home = start()
    for name in names:
        home.lie(name, 99)

    outcome = home.load(*names)

    assert sorted(str(each) for each in outcome.differences) == [
        f"{name}: {len(home.held(name))} rows in the table, 99 at the API" for name in sorted(names)
    ]
    for difference in outcome.differences:
        assert str(difference) in str(outcome).partition("Not equal: ")[2]
    assert outcome.deleted == {}
    for name in names:
        assert home.live(name) == home.held(name)


def test_a_list_whose_rows_the_api_does_not_count_is_not_compared(start: Start) -> None:
    home = start()
    home.load("alert_events", "alert_groups")
    home.query("DELETE FROM alert_events")
    read = ListRead(source=SOURCE, resource="alert_events", keys=frozenset(), complete=False)

    assert unequal(home.pipeline, ROOTLY.by_name, [read]) == []


def test_what_is_forgotten_is_loaded_whole_and_the_rest_is_not(start: Start) -> None:
    home = start()
    home.load("environments", "users")

    forget(home.pipeline, SOURCE, ["users", "never loaded"])
    home.load("environments", "users")

    trace = home.pipeline.last_trace
    assert trace is not None
    assert trace.last_normalize_info is not None
    counts = trace.last_normalize_info.row_counts
    assert (counts.get("users"), counts.get("environments")) == (5, None)


# Loads that end too early, and places that cannot be marked


def test_a_load_that_was_killed_before_it_marked_is_made_good_by_the_next(start: Start) -> None:
    tables = {"alerts": "alerts", "dashboard_panels": "dashboards_panels"}
    home = start(dashboards=3)
    home.load(*tables)
    for table in tables.values():
        home.simulator.delete(table, 3)
        home.simulator.insert(table, 1)
    home.pipeline.run(home.source(*tables))  # which is all that a load does before it marks
    for name in tables:
        assert home.marked(name) == set()

    outcome = home.load(*tables)

    assert outcome.deleted == dict.fromkeys(tables, 3)
    for name, table in tables.items():
        assert home.live(name) == home.held(table)


def test_a_load_that_was_killed_before_it_loaded_is_made_good_by_the_next(start: Start) -> None:
    home = start()
    home.load("environments", "users")
    home.simulator.delete("environments", 2)
    home.simulator.delete("users", 2)
    home.simulator.insert("environments", 1)
    home.pipeline.extract(home.source("environments", "users"))

    outcome = home.load("environments", "users")

    assert outcome.deleted == {"environments": 2, "users": 2}
    for name in ("environments", "users"):
        assert home.live(name) == home.held(name)


def test_a_destination_without_sql_is_loaded_and_left_alone(
    simulate: Simulate, tmp_path: Path
) -> None:
    rootly = simulate(RootlySimulator(**SMALL))
    files = dlt.destinations.filesystem((tmp_path / "files").as_uri())
    home = Home(rootly, pipeline_in(tmp_path, files))
    assert not takes_marks(home.pipeline)

    def into_files() -> Outcome:
        source = fit(home.source("environments"), "filesystem", write="append")
        return load(home.pipeline, source)

    into_files()
    home.simulator.delete("environments", 2)

    outcome = into_files()

    assert (outcome.deleted, outcome.differences) == ({}, ())
    assert list((tmp_path / "files" / "data" / "environments").iterdir())
