"""The platforms' data in PostgreSQL and files: what DuckDB has, cell by cell, load after load."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import dlt
import pytest
from dlt.extract import DltSource
from tests.destinations.story import Told

from opsnest import sources
from opsnest.destinations import Write, destination_of, fit
from opsnest.errors import ConfigurationError
from opsnest.explain import explain
from opsnest.loading import PLATFORMS, load
from opsnest.reconcile import forget
from opssim import CloudBotSimulator, RoostSimulator, RootlySimulator, Running, Simulator, serve
from restarrow.dlt import report

pytestmark = [pytest.mark.destinations, pytest.mark.timeout(300)]

SIMULATORS: dict[str, Callable[[], Simulator]] = {
    "roost": lambda: RoostSimulator(tests=8, events=12),
    "rootly": lambda: RootlySimulator(incidents=30, alerts=20, users=6, alert_events=20, shifts=10),
    "cloud-bot": lambda: CloudBotSimulator(executions=30),
}
#: What changes between two loads.
MOVING = {"roost": "events", "rootly": "incidents", "cloud-bot": "executions"}


class Place(Told):
    """A destination, with a pipeline of its own for each way of writing."""

    def __init__(self, kind: str, folder: Path, platform: str, write: Write) -> None:
        self.kind = kind
        self.write: Write = write
        self.source_name = PLATFORMS[platform][0]
        destination: Any = (
            dlt.destinations.duckdb(str(folder / f"{platform}_{write}.duckdb"))
            if kind == "duckdb"
            else destination_of(kind)
        )
        super().__init__(f"{kind}_{self.source_name}_{write}", destination, folder)

    def load_platform(self, *, grow: bool) -> None:
        """Load as the command line does."""
        source: DltSource = getattr(sources, self.source_name)()
        fit(source, self.kind, write=self.write)
        if grow:
            for resource in source.selected_resources.values():
                resource.add_map(_grown)
        self.pipeline.activate()
        if self.write == "replace":
            forget(self.pipeline, source.name, source.selected_resources)
        load(self.pipeline, source)

    def left_to_dlt(self) -> list[str]:
        """Return why rows of the last load took dlt's own path."""
        names = self.pipeline.default_schema.data_table_names(seen_data_only=True)
        lanes = [report()[name].lanes for name in names if name in report()]
        reasons = [reason for each in lanes for table in each.values() for reason in table]
        return [reason for reason in reasons if reason.startswith("dlt: ")]


def _grown(row: dict[str, Any]) -> dict[str, Any]:
    """Add a column, a nested table, and a column within it."""
    return {**row, "grown": "late", "grown_list": [{"at": "2026-11-01T00:00:00Z", "is": True}]}


#: Each platform is merged; one is enough for the other ways of writing.
WAYS = [(name, "merge") for name in SIMULATORS] + [
    ("cloud-bot", "append"),
    ("cloud-bot", "replace"),
]


@pytest.fixture
def platform(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Serve a platform, with the settings that point at it."""
    with ExitStack() as stack:
        running = stack.enter_context(serve(SIMULATORS[request.param]()))
        for name, value in running.configuration.items():
            monkeypatch.setenv(name, value)
        yield request.param, running


def go_on(platform: str, running: Running[Simulator]) -> None:
    simulator: Any = running.simulator
    simulator.insert(MOVING[platform], 3)
    simulator.touch(MOVING[platform], 4)
    simulator.delete(MOVING[platform], 2)


@pytest.mark.parametrize(("platform", "write"), WAYS, indirect=["platform"])
def test_postgres_has_what_duckdb_has(
    platform: tuple[str, Running[Simulator]],
    write: Write,
    postgres: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name, running = platform
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", postgres)
    ours = Place("postgres", tmp_path, name, write)
    theirs = Place("duckdb", tmp_path, name, write)

    for number in range(3):
        if number:
            go_on(name, running)
        theirs.load_platform(grow=number == 2)
        ours.load_platform(grow=number == 2)
        if number == 0:
            assert not ours.left_to_dlt()
        found, wanted = ours.cells(), theirs.cells()
        assert sorted(found) == sorted(wanted)
        for table, rows in wanted.items():
            assert found[table] == rows, (number, table)


@pytest.mark.parametrize(
    ("platform", "write"),
    [("cloud-bot", "append"), ("roost", "append"), ("cloud-bot", "replace")],
    indirect=["platform"],
)
def test_files_have_what_duckdb_has(
    platform: tuple[str, Running[Simulator]],
    write: Write,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name, running = platform
    monkeypatch.setenv("DESTINATION__FILESYSTEM__BUCKET_URL", (tmp_path / "bucket").as_uri())
    ours = Place("filesystem", tmp_path, name, write)
    theirs = Place("duckdb", tmp_path, name, write)

    for number in range(2):
        if number:
            go_on(name, running)
        theirs.load_platform(grow=number == 1)
        ours.load_platform(grow=number == 1)
        assert ours.cells() == theirs.cells()
    assert list((tmp_path / "bucket").rglob("*.parquet"))
    assert not list((tmp_path / "bucket" / ours.pipeline.dataset_name).glob("[a-z]*/*.jsonl*"))


@pytest.mark.parametrize("platform", SIMULATORS, indirect=True)
def test_plain_files_are_not_merged_into(
    platform: tuple[str, Running[Simulator]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, _ = platform
    monkeypatch.setenv("DESTINATION__FILESYSTEM__BUCKET_URL", (tmp_path / "bucket").as_uri())
    place = Place("filesystem", tmp_path, name, "merge")
    with pytest.raises(Exception, match="merged on its key") as raised:
        place.load_platform(grow=False)
    error = explain(raised.value)
    assert isinstance(error, ConfigurationError)
    assert "--table-format delta" in str(error)
    assert not list((tmp_path / "bucket").rglob("*.parquet"))
