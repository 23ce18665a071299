"""A platform in what stands in for a service: load after load, what is gone is marked, too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dlt
import pytest
from dlt.extract import DltSource
from tests.destinations.servers.places import PLACES, Place
from tests.destinations.stand_ins.statements import Statements
from tests.destinations.story import Told

from opsnest import destinations
from opsnest.loading import load
from opsnest.sources import cloud_bot_source
from opssim import CloudBotSimulator, serve

pytestmark = [
    pytest.mark.destinations,
    pytest.mark.timeout(300),
    # by Google's clients, of what makes reading quicker
    pytest.mark.filterwarnings("ignore:Cannot create BigQuery Storage client:UserWarning"),
]

CHOSEN = {"redshift", "snowflake", "databricks", "bigquery", "s3-delta"}
#: Some with lists in them, one that changes.
LISTS = ("executions", "users", "roles")


class Loaded(Told):
    """A destination that is loaded into as the command line does it."""

    def load(self, source: DltSource) -> None:
        """Load a source, and mark what is gone."""
        self.pipeline.activate()
        load(self.pipeline, source)


@pytest.fixture
def statements(place: Place) -> Statements:
    """Keep what dlt hands to the driver."""
    return Statements(place.dialect, place.verbs)


@pytest.mark.parametrize(
    "place", [each for each in PLACES if each.name in CHOSEN], ids=lambda place: place.name
)
def test_a_platform_is_there_as_it_is_in_duckdb(
    place: Place,
    request: pytest.FixtureRequest,
    statements: Statements,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table_format: Any = place.hints.get("table_format")
    kind = "filesystem" if table_format else place.name
    ours = Loaded(
        f"bot_{place.dataset}",
        place.destination(request),
        tmp_path,
        epoch_for_null=place.epoch_for_null,
    )
    duckdb = dlt.destinations.duckdb(str(tmp_path / "theirs.duckdb"))
    theirs = Loaded("their_bot", duckdb, tmp_path)
    with serve(CloudBotSimulator(executions=30)) as running:
        for name, value in running.configuration.items():
            monkeypatch.setenv(name, value)
        for number in range(2):
            if number:
                running.simulator.insert("executions", 3)
                running.simulator.touch("executions", 4)
            source = cloud_bot_source().with_resources(*LISTS)
            ours.load(destinations.fit(source, kind, table_format=table_format))
            wanted = cloud_bot_source().with_resources(*LISTS)
            if table_format:
                for resource in wanted.selected_resources.values():
                    resource.add_map(destinations._with_lists_as_json)  # pyright: ignore[reportPrivateUsage]
            theirs.load(wanted)
            assert ours.cells() == theirs.cells()
    if place.dialect:
        statements.check()
