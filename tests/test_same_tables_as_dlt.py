"""Each platform, loaded through restarrow and through dlt's own path: the same, cell by cell."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dlt
import duckdb
import pytest
from dlt.extract import DltSource
from dlt.sources.rest_api import rest_api_resources as dlt_resources

import opsnest.reading.resources
import opsnest.sources.rest
from opsnest import sources
from opssim import (
    CloudBotQuirks,
    CloudBotSimulator,
    RoostQuirks,
    RoostSimulator,
    RootlyQuirks,
    RootlySimulator,
    Running,
    Simulator,
    serve,
)
from restarrow.dlt import report


def small_rootly(quirks: RootlyQuirks) -> RootlySimulator:
    """Make a Rootly with two pages of incidents, and few rows where more would be alike."""
    return RootlySimulator(incidents=110, alerts=30, alert_events=30, shifts=30, quirks=quirks)


@dataclass(frozen=True)
class Platform:
    """What is loaded, of which lists."""

    source: str
    make: Callable[[], Simulator]
    #: These, or what is loaded by default.
    lists: tuple[str, ...] = ()


ROOTLY = "rootly_incident_management_source"
#: Each way in which lists are read, with secrets, columns of JSON and nested tables.
KINDS = (
    "incidents",
    "alerts",
    "users",
    "services",
    "heartbeats",
    "alert_events",
    "audits",
    "shifts",
    "workflows",
)
PLATFORMS = {
    "roost": Platform("roost_source", lambda: RoostSimulator(tests=40, events=60)),
    "roost, strict": Platform(
        "roost_source", lambda: RoostSimulator(tests=40, events=60, quirks=RoostQuirks.strict())
    ),
    "rootly": Platform(ROOTLY, lambda: small_rootly(RootlyQuirks()), KINDS),
    # what the quirks change is in these
    "rootly, strict": Platform(ROOTLY, lambda: small_rootly(RootlyQuirks.strict()), KINDS[:4]),
    "rootly, all lists": Platform(ROOTLY, lambda: RootlySimulator(incidents=150, alerts=150)),
    "rootly, all lists, strict": Platform(
        ROOTLY, lambda: RootlySimulator(incidents=150, alerts=150, quirks=RootlyQuirks.strict())
    ),
    "cloud-bot": Platform("cloud_bot_source", lambda: CloudBotSimulator(executions=110)),
    "cloud-bot, strict": Platform(
        "cloud_bot_source",
        lambda: CloudBotSimulator(executions=110, quirks=CloudBotQuirks.strict()),
    ),
}


class Loaded:
    """The tables that one way of loading made."""

    def __init__(self, folder: Path, name: str) -> None:
        self.file = folder / f"{name}.duckdb"
        self.pipeline = dlt.pipeline(
            name,
            destination=dlt.destinations.duckdb(str(self.file)),
            dataset_name="loaded",
            pipelines_dir=str(folder / "pipelines"),
        )
        self.pipeline.config.restore_from_destination = False  # it is here anyway

    def load(self, source: DltSource) -> None:
        # while it is open here, dlt's many connections do not open and close the file itself
        with duckdb.connect(str(self.file)):
            self.pipeline.run(source)

    def columns(self) -> dict[str, list[dict[str, Any]]]:
        """Return the columns of each table in order, with all their hints."""
        schema = self.pipeline.default_schema
        return {
            name: [
                # said or not, a column is nullable unless it says otherwise
                {"nullable": True, **column}
                for column in schema.get_table_columns(name).values()
            ]
            for name in sorted(schema.data_table_names())
        }

    def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return the rows of each table, sorted, without ids that are random."""
        schema = self.pipeline.default_schema
        found: dict[str, list[tuple[Any, ...]]] = {}
        with closing(duckdb.connect(str(self.file), read_only=True)) as connection:
            for table in schema.data_table_names():
                chosen = ", ".join(
                    f'"{name}"'
                    for name in schema.get_table_columns(table)
                    if name == "_dlt_list_idx" or not name.startswith("_dlt")
                )
                query = f"SELECT {chosen} FROM loaded.{table} ORDER BY ALL"
                found[table] = connection.execute(query).fetchall()
        return found

    def orphans(self) -> set[str]:
        """Return the nested tables with rows that have none in their parent table."""
        found: set[str] = set()
        with closing(duckdb.connect(str(self.file), read_only=True)) as connection:
            for table in self.pipeline.default_schema.data_tables():
                name, parent = table.get("name"), table.get("parent")
                if (
                    parent is not None
                    and connection.execute(
                        f"SELECT 1 FROM loaded.{name} WHERE _dlt_parent_id NOT IN"
                        f" (SELECT _dlt_id FROM loaded.{parent}) LIMIT 1"
                    ).fetchall()
                ):
                    found.add(str(name))
        return found


def unchanged(resource: Any) -> Any:
    return resource


def source_of(
    running: Running[Simulator], platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> Any:
    for variable, value in running.configuration.items():
        monkeypatch.setenv(variable, value)
    source = getattr(sources, platform.source)()
    return source.with_resources(*platform.lists) if platform.lists else source


def marked(name: str) -> Any:
    return pytest.param(name, marks=pytest.mark.long if "all lists" in name else ())


@pytest.mark.parametrize("name", [marked(name) for name in PLATFORMS])
def test_the_tables_of_a_platform_are_those_of_dlt(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform = PLATFORMS[name]
    ours, theirs = Loaded(tmp_path, "ours"), Loaded(tmp_path, "theirs")
    rows: dict[str, list[tuple[Any, ...]]] = {}
    with serve(platform.make()) as running:
        running.simulator.clock.freeze()
        for load in range(2):
            ours.load(source_of(running, platform, monkeypatch))
            with monkeypatch.context() as patch:
                patch.setattr(opsnest.sources.rest, "rest_api_resources", dlt_resources)
                patch.setattr(opsnest.reading.resources, "accelerate", unchanged)
                theirs.load(source_of(running, platform, monkeypatch))
            assert ours.columns() == theirs.columns()
            rows = theirs.rows()
            assert rows
            assert ours.rows() == rows
            assert ours.orphans() == set()
            if load == 0:
                for table in ("incidents", "alerts", "events", "tests", "executions", "users"):
                    if table in running.simulator.tables:
                        running.simulator.insert(table, 3)
                        running.simulator.touch(table, 5)
    assert set(platform.lists) <= rows.keys()
    lanes = {
        table: set(lanes)
        for resource, told in report().items()
        if resource in rows
        for table, lanes in told.lanes.items()
    }
    assert lanes
    assert not [table for table, taken in lanes.items() if any("dlt" in lane for lane in taken)]
