"""Each platform, loaded through restarrow and through dlt's own path: the same, cell by cell."""

from __future__ import annotations

from collections.abc import Callable
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

PLATFORMS: dict[str, tuple[str, Callable[[], Simulator]]] = {
    "roost": ("roost_source", lambda: RoostSimulator(tests=40, events=60)),
    "roost, strict": (
        "roost_source",
        lambda: RoostSimulator(tests=40, events=60, quirks=RoostQuirks.strict()),
    ),
    "rootly": (
        "rootly_incident_management_source",
        lambda: RootlySimulator(incidents=150, alerts=150),
    ),
    "rootly, strict": (
        "rootly_incident_management_source",
        lambda: RootlySimulator(incidents=150, alerts=150, quirks=RootlyQuirks.strict()),
    ),
    "cloud-bot": ("cloud_bot_source", lambda: CloudBotSimulator(executions=150)),
    "cloud-bot, strict": (
        "cloud_bot_source",
        lambda: CloudBotSimulator(executions=150, quirks=CloudBotQuirks.strict()),
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

    def rows(self, table: str) -> list[tuple[Any, ...]]:
        """Return the rows of a table, sorted, without ids that are random."""
        columns = self.pipeline.default_schema.get_table_columns(table)
        kept = [name for name in columns if name == "_dlt_list_idx" or not name.startswith("_dlt")]
        chosen = ", ".join(f'"{name}"' for name in kept)
        with duckdb.connect(str(self.file), read_only=True) as connection:
            query = f"SELECT {chosen} FROM loaded.{table} ORDER BY ALL"
            return connection.sql(query).fetchall()

    def orphans(self, table: str) -> int:
        """Count the rows of a nested table without a row in their parent table."""
        parent = self.pipeline.default_schema.get_table(table).get("parent")
        if parent is None:
            return 0
        with duckdb.connect(str(self.file), read_only=True) as connection:
            found = connection.sql(
                f"SELECT count(*) FROM loaded.{table} WHERE _dlt_parent_id NOT IN"
                f" (SELECT _dlt_id FROM loaded.{parent})"
            ).fetchone()
        assert found is not None
        return int(found[0])


def unchanged(resource: Any) -> Any:
    return resource


def source_of(running: Running[Simulator], name: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    for variable, value in running.configuration.items():
        monkeypatch.setenv(variable, value)
    return getattr(sources, name)()


@pytest.mark.parametrize("platform", list(PLATFORMS))
def test_the_tables_of_a_platform_are_those_of_dlt(
    platform: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, make = PLATFORMS[platform]
    ours, theirs = Loaded(tmp_path, "ours"), Loaded(tmp_path, "theirs")
    with serve(make()) as running:
        running.simulator.clock.freeze()
        for load in range(2):
            ours.load(source_of(running, name, monkeypatch))
            with monkeypatch.context() as patch:
                patch.setattr(opsnest.sources.rest, "rest_api_resources", dlt_resources)
                patch.setattr(opsnest.reading.resources, "accelerate", unchanged)
                theirs.load(source_of(running, name, monkeypatch))
            assert ours.columns() == theirs.columns()
            for table in theirs.columns():
                assert ours.rows(table) == theirs.rows(table), table
                assert ours.orphans(table) == 0
            if load == 0:
                for table in ("incidents", "alerts", "events", "tests", "executions", "users"):
                    if table in running.simulator.tables:
                        running.simulator.insert(table, 3)
                        running.simulator.touch(table, 5)
    lanes = {
        table: set(lanes)
        for resource, told in report().items()
        if resource in theirs.columns()
        for table, lanes in told.lanes.items()
    }
    assert lanes
    assert not [table for table, taken in lanes.items() if any("dlt" in lane for lane in taken)]
