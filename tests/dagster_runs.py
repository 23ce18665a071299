"""Dagster for tests: instances and code locations in a folder, and what came of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import dagster as dg
import duckdb
from tests.same_cells import Cells, live_cells
from tests.warehouse import Warehouse

from opssim import RootlySimulator

BIN = Path(sys.executable).parent
DATASET = "rootly_incident_management_data"
#: Lists that Rootly can be asked for by month.
MONTHLY = ("incidents", "alerts", "alert_events", "incident_events", "audits")
#: The year in which everything was made, by `made_in_a_year`.
MONTHS = [f"{2025 + month // 12}-{month % 12 + 1:02}-01" for month in range(6, 18)]
_FIRST = datetime(2025, 7, 1, tzinfo=UTC)

_INSTANCE = """\
telemetry:
  enabled: false
concurrency:
  runs:
    max_concurrent_runs: 3
"""
_LOCATION = """\
import dlt
from opsnest.dagster import definitions

defs = definitions(
    "rootly",
    destination=dlt.destinations.duckdb({database!r}),
    resources={{"rootly": {resources!r}}},
    months_from={first!r},
    retry_policy=None,
)
"""


def made_in_a_year(simulator: RootlySimulator) -> None:
    """Let all that was made before July 2025 have been made a year later."""
    for table in ("incidents", "alerts", "alert_events", "audits"):
        rows = simulator.tables[table]
        for key in rows.keys():  # noqa: SIM118 - a table, not a dict
            rows.update(key, lambda row: _later(row["attributes"]))


def _later(attributes: dict[str, Any]) -> None:
    made = datetime.fromisoformat(attributes["created_at"])
    if made < _FIRST:
        # the 29th of February is in none of these years
        attributes["created_at"] = made.replace(year=made.year + 1).isoformat("T", "milliseconds")


def code_location(folder: Path, database: Path, resources: Sequence[str] = MONTHLY) -> Path:
    """Write the definitions of Rootly into a file, and return it."""
    file = folder / "definitions.py"
    text = _LOCATION.format(
        database=str(database), resources=list(resources), first=MONTHS[0].removesuffix("-01")
    )
    file.write_text(text)
    return file


def instance_home(folder: Path) -> Path:
    """Make the home of an instance that tells nobody of itself."""
    home = folder / "home"
    home.mkdir()
    (home / "dagster.yaml").write_text(_INSTANCE)
    return home


@contextmanager
def process(command: Sequence[object], log: Path) -> Generator[subprocess.Popen[bytes]]:
    """Run a program until the block ends, its output in a file."""
    with log.open("wb") as output:
        running = subprocess.Popen(
            [str(part) for part in command], stdout=output, stderr=subprocess.STDOUT
        )
        try:
            yield running
        finally:
            running.send_signal(signal.SIGTERM)
            try:
                running.wait(30)
            except subprocess.TimeoutExpired:
                running.kill()
                running.wait()


def backfill(folder: Path, file: Path, job: str, months: Sequence[str]) -> Mapping[str, str]:
    """Have Dagster's daemon run a backfill; return how the run of each month ended.

    `DAGSTER_HOME` is that of the instance.
    """
    asked = [*(BIN / "dagster", "job", "backfill", "-f", file), *("-j", job, "--noprompt")]
    with process([BIN / "dagster-daemon", "run", "-f", file], folder / "daemon.log"):
        said = subprocess.run(
            [*map(str, asked), "--partitions", ",".join(months)],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert said.returncode == 0, said.stderr
        return _ended(len(months), deadline=time.monotonic() + 400)


def _ended(count: int, *, deadline: float) -> Mapping[str, str]:
    while True:
        with dg.DagsterInstance.get() as instance:
            runs = instance.get_runs()
        if len(runs) == count and all(run.is_finished for run in runs):
            return {run.tags["dagster/partition"]: run.status.value for run in runs}
        assert time.monotonic() < deadline, [(run.tags, run.status) for run in runs]
        time.sleep(1)


class Dataset(Warehouse):
    """A DuckDB file that Dagster has loaded into."""

    def __init__(self, file: Path, dataset: str = DATASET) -> None:
        self.file = file
        self._dataset = dataset
        self._open: duckdb.DuckDBPyConnection | None = None

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        if self._open is None:
            self._open = duckdb.connect(str(self.file), read_only=True)
            self._open.execute(f"SET schema = '{self._dataset}'; SET TimeZone = 'UTC'")
        return self._open.execute(sql).fetchall()

    def tables(self) -> set[str]:
        """Return the names of the tables, bar those of dlt."""
        found = self.query(
            "SELECT table_name FROM information_schema.tables "
            f"WHERE table_schema = '{self._dataset}'"
        )
        return {name for (name,) in found if not name.startswith("_dlt")}


def cells(file: Path) -> Cells:
    """Return all that is in a file that Dagster has loaded into."""
    dataset = Dataset(file)
    found = live_cells(dataset)
    assert dataset.orphans() == {}
    dataset.close()
    return found


def rows_loaded(result: dg.ExecuteInProcessResult) -> dict[str, int]:
    """Return how many rows a run says that it has loaded, by list."""
    found: dict[str, int] = {}
    for event in result.get_asset_materialization_events():
        made = event.step_materialization_data.materialization
        found[made.asset_key.path[-1]] = cast(int, made.metadata["rows loaded"].value)
    return found


def environment(home: Path, configuration: Mapping[str, str]) -> dict[str, str]:
    """Return what the processes of Dagster need to know."""
    return {**configuration, "DAGSTER_HOME": str(home), "DAGSTER_DISABLE_TELEMETRY": "yes"}


def address_in(log: Path, start: str, *, patience: float = 60) -> str:
    """Wait until a program has written an address into its log."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        for word in log.read_text().split():
            if word.startswith(start):
                return word.rstrip(",")
        time.sleep(0.2)
    raise AssertionError(log.read_text())


assert os.name == "posix", "locks of other systems are not tested here"
