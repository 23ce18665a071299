"""A year of Rootly as Dagster does it: the daemon, a run for each month, and more than one process.

What comes of it are the tables of one plain load, cell by cell.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.events import DagsterEvent
from tests.dagster_runs import (
    BIN,
    MONTHLY,
    MONTHS,
    address_in,
    backfill,
    cells,
    code_location,
    environment,
    instance_home,
    made_in_a_year,
    process,
)
from tests.rootly_loads import Rootly
from tests.same_cells import Cells, live_cells
from tests.warehouse import Warehouse

from opsnest.sources import rootly_incident_management_source
from opssim import RootlySimulator, serve

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(600),
]


@dataclass(frozen=True)
class Year:
    """A Rootly with a year of data, and all that a plain load of it gives."""

    rootly: Rootly
    plain: Cells


@pytest.fixture(scope="module")
def year(shared_warehouse: Warehouse) -> Generator[Year]:
    simulator = RootlySimulator(incidents=300, alerts=150, alert_events=150, users=5, shifts=5)
    simulator.clock.freeze()
    made_in_a_year(simulator)
    with serve(simulator) as rootly:
        source = rootly_incident_management_source(simulator.token, f"{rootly.url}/v1")
        shared_warehouse.load(source, *MONTHLY)
        yield Year(rootly, live_cells(shared_warehouse))


@pytest.fixture
def instance(year: Year, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = instance_home(tmp_path)
    for name, value in environment(home, year.rootly.configuration).items():
        monkeypatch.setenv(name, value)
    with dg.DagsterInstance.get():  # two processes cannot make its database at once
        return home


def all_of(months: Mapping[str, str]) -> bool:
    return set(months) == set(MONTHS) and set(months.values()) == {"SUCCESS"}


@pytest.mark.usefixtures("instance")
def test_a_year_on_the_multiprocess_executor(
    year: Year, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPSNEST_EXECUTOR", "multiprocess")
    database = tmp_path / "loaded.duckdb"
    file = code_location(tmp_path, database)
    ended = backfill(tmp_path, file, "rootly_by_month", MONTHS)
    assert all_of(ended), said_by_runs()
    assert cells(database) == year.plain
    assert processes_of_steps() > 1


@pytest.mark.usefixtures("instance")
def test_a_year_on_a_dask_scheduler_with_two_workers(
    year: Year, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = tmp_path / "loaded.duckdb"
    file = code_location(tmp_path, database)
    here = ("--host", "127.0.0.1", "--no-dashboard")
    with ExitStack() as stack:
        log = tmp_path / "scheduler.log"
        command = [BIN / "dask", "scheduler", *here, "--port", "0"]
        stack.enter_context(process(command, log))
        address = address_in(log, "tcp://127.0.0.1:")
        for number in (1, 2):
            # Dagster wants one thread to a process
            command = [BIN / "dask", "worker", address, *here, "--nthreads", "1"]
            stack.enter_context(process(command, tmp_path / f"worker{number}.log"))
        monkeypatch.setenv("OPSNEST_EXECUTOR", "dask")
        monkeypatch.setenv("DASK_SCHEDULER_ADDRESS", address)
        ended = backfill(tmp_path, file, "rootly_by_month", MONTHS)
    assert all_of(ended), said_by_runs()
    # with dagster-dask alone, months that run at once are done once, and are all said to be done
    assert months_materialized() == set(MONTHS)
    assert cells(database) == year.plain
    assert processes_of_steps() == 2


def events(kind: dg.DagsterEventType) -> list[DagsterEvent]:
    """Return what has happened in all runs."""
    with dg.DagsterInstance.get() as instance:
        logs = [instance.all_logs(run.run_id, of_type=kind) for run in instance.get_runs()]
    return [record.dagster_event for log in logs for record in log if record.dagster_event]


def said_by_runs() -> list[str]:
    """Return what the failures of all runs say."""
    failures = (dg.DagsterEventType.STEP_FAILURE, dg.DagsterEventType.RUN_FAILURE)
    return [str(event.event_specific_data) for kind in failures for event in events(kind)]


def months_materialized() -> set[str]:
    with dg.DagsterInstance.get() as instance:
        key = dg.AssetKey(["rootly_incident_management_data", "by_month", "incidents"])
        return set(instance.get_materialized_partitions(key))


def processes_of_steps() -> int:
    """Return how many processes have done steps."""
    return len({event.pid for event in events(dg.DagsterEventType.STEP_SUCCESS)})
