"""Rootly by months under Dagster: in any order, again, at once, the tables of a plain load."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Generator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import dlt
import pytest
from tests.dagster_runs import DATASET, MONTHLY, MONTHS, Dataset, cells, made_in_a_year, rows_loaded
from tests.rootly_loads import Rootly
from tests.same_cells import Cells, live_cells
from tests.warehouse import Warehouse

from opsnest.dagster import definitions, loads
from opsnest.dagster.loads import load_changes, load_month
from opsnest.dagster.places import Place, adopt, is_at_odds, stored_schema, turn
from opsnest.sources import rootly_incident_management_source
from opssim import RootlySimulator, serve

SOURCE = "rootly_incident_management_source"

pytestmark = [
    pytest.mark.slow,
]


@dataclass(frozen=True)
class Loaded:
    """A Rootly, and all that a plain load of it gives."""

    rootly: Rootly
    plain: Cells


@pytest.fixture(scope="module")
def loaded(shared_warehouse: Warehouse) -> Generator[Loaded]:
    simulator = RootlySimulator(incidents=60, alerts=40, alert_events=40, users=5, shifts=5)
    simulator.clock.freeze()
    made_in_a_year(simulator)
    with serve(simulator) as rootly:
        source = rootly_incident_management_source(simulator.token, f"{rootly.url}/v1")
        shared_warehouse.load(source, *MONTHLY)
        yield Loaded(rootly, live_cells(shared_warehouse))


def place_of(rootly: Rootly, folder: Path) -> Place:
    return _place(rootly.simulator.token, f"{rootly.url}/v1", folder)


def _place(token: str, url: str, folder: Path) -> Place:
    def source(**options: object) -> object:
        return rootly_incident_management_source(token, url, **options)  # type: ignore[arg-type]

    return Place(
        platform="rootly",
        destination=dlt.destinations.duckdb(str(folder / "loaded.duckdb")),
        source=source,  # type: ignore[arg-type]
        folder=folder / "pipelines",
    )


def span_of(month: str) -> tuple[datetime, datetime]:
    start = datetime.fromisoformat(month).replace(tzinfo=UTC)
    years, months = divmod(start.month, 12)
    return start, start.replace(year=start.year + years, month=months + 1)


def test_a_year_of_months_is_what_a_plain_load_gives(loaded: Loaded, tmp_path: Path) -> None:
    place = place_of(loaded.rootly, tmp_path)
    loaded.rootly.simulator.requests.clear()
    # half a year at once does for this what a month does; the twelve are in test-long
    for first, last in ((6, 11), (0, 5)):
        span = (span_of(MONTHS[first])[0], span_of(MONTHS[last])[1])
        load_month(place, MONTHLY, MONTHS[first], span)
    assert cells(tmp_path / "loaded.duckdb") == loaded.plain
    asked = loaded.rootly.simulator.requests.all("/v1/incidents")
    assert all("filter[created_at][gte]" in seen.query for seen in asked)
    assert not list((tmp_path / "opsnest_by_month").glob("rootly*")), "nothing is kept of a month"


def test_a_month_twice_is_the_month_once(loaded: Loaded, tmp_path: Path) -> None:
    place = place_of(loaded.rootly, tmp_path)
    span = (span_of(MONTHS[0])[0], span_of(MONTHS[-1])[1])
    first = load_month(place, ("incidents",), MONTHS[0], span)
    again = load_month(place, ("incidents",), MONTHS[0], span)
    assert first.rows == again.rows == {"incidents": 60}
    found = cells(tmp_path / "loaded.duckdb")
    assert found == {
        name: rows for name, rows in loaded.plain.items() if name.split("__")[0] == "incidents"
    }


def test_months_leave_alone_how_far_the_lists_were_loaded(loaded: Loaded, tmp_path: Path) -> None:
    place = place_of(loaded.rootly, tmp_path)
    load_month(place, ("incidents",), MONTHS[3], span_of(MONTHS[3]))
    whole = load_changes(place, ("incidents",))
    assert whole.rows == {"incidents": 60}, "a month does not count as read"
    state = state_of(place)
    load_month(place, ("incidents",), MONTHS[5], span_of(MONTHS[5]))
    assert state_of(place) == state
    assert load_changes(place, ("incidents",)).rows.get("incidents", 0) == 0
    assert place.pipeline().pipeline_name in {
        folder.name for folder in (tmp_path / "pipelines").iterdir() if folder.is_dir()
    }


def state_of(place: Place) -> object:
    """Return what is remembered of how far the lists were loaded."""
    return place.pipeline().state.get("sources", {})[SOURCE]


def test_in_dagster_a_run_loads_its_month(
    loaded: Loaded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in loaded.rootly.configuration.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DAGSTER_DISABLE_TELEMETRY", "yes")
    defs = definitions(
        "rootly",
        destination=dlt.destinations.duckdb(str(tmp_path / "loaded.duckdb")),
        resources={"rootly": ("incidents", "alerts", "services")},
        months_from="2025-07",
        executor="in-process",
    )
    job = defs.resolve_job_def("rootly_by_month")
    result = job.execute_in_process(partition_key=MONTHS[2])
    assert result.success
    start, end = span_of(MONTHS[2])
    in_month = [
        row for row in loaded.plain["incidents"] if start <= row["attributes__created_at"] < end
    ]
    assert in_month
    assert rows_loaded(result) == {
        "incidents": len(in_month),
        "alerts": sum(
            start <= row["attributes__created_at"] < end for row in loaded.plain["alerts"]
        ),
    }
    assert cells(tmp_path / "loaded.duckdb")["incidents"] == in_month


def _month_in_a_process(token: str, url: str, folder: Path, month: str) -> int:
    return sum(load_month(_place(token, url, folder), MONTHLY, month, span_of(month)).rows.values())


@pytest.mark.long
def test_two_processes_at_once_do_not_mix_their_rows(loaded: Loaded, tmp_path: Path) -> None:
    token, url = loaded.rootly.simulator.token, f"{loaded.rootly.url}/v1"
    months = MONTHS[:4]
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        counts = pool.map(
            _month_in_a_process, [token] * 4, [url] * 4, [tmp_path] * 4, months, timeout=100
        )
        assert sum(counts) > 0
    _, end = span_of(months[-1])
    found = cells(tmp_path / "loaded.duckdb")
    for name in ("incidents", "alerts"):
        assert found[name] == [
            row for row in loaded.plain[name] if row["attributes__created_at"] < end
        ]


def test_a_month_that_takes_a_column_for_another_type_is_read_again(
    loaded: Loaded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = place_of(loaded.rootly, tmp_path)
    first, second = span_of(MONTHS[0]), span_of(MONTHS[1])
    looked: list[str] = []

    def meanwhile(pipeline: dlt.Pipeline, name: str) -> dlt.Schema | None:
        """Let another month be loaded between the reading of this one, and its turn."""
        looked.append(pipeline.pipeline_name)
        if len(looked) == 2:
            with pipeline.sql_client() as client:
                client.execute_sql(f"CREATE SCHEMA IF NOT EXISTS {DATASET}")
            other = stored_of_others(place, name)
            assert is_at_odds(pipeline, other)
            return other
        return stored_schema(pipeline, name)

    monkeypatch.setattr(loads, "stored_schema", meanwhile)
    loaded.rootly.simulator.requests.clear()
    load_month(place, ("incidents",), MONTHS[0], first)
    assert len(loaded.rootly.simulator.requests.all("/v1/incidents")) == 2
    # its numbers are texts now, as the other has them; the next one knows that from the start
    types = Dataset(tmp_path / "loaded.duckdb").types("incidents")
    assert types["attributes__sequential_id"] == "VARCHAR"
    monkeypatch.undo()
    load_month(place, ("incidents",), MONTHS[1], second)
    types = Dataset(tmp_path / "loaded.duckdb").types("incidents")
    assert types["attributes__sequential_id"] == "VARCHAR"
    assert not [name for name in types if "__v_" in name]


def stored_of_others(place: Place, name: str) -> dlt.Schema:
    """Return the schema of a month that has seen a text where all others have numbers."""
    del place
    schema = dlt.Schema(name)
    columns = {
        "attributes__sequential_id": {"name": "attributes__sequential_id", "data_type": "text"}
    }
    schema.update_table({"name": "incidents", "columns": columns, "resource": "incidents"})  # type: ignore[typeddict-item]
    return schema


def test_others_wait_for_their_turn(loaded: Loaded, tmp_path: Path) -> None:
    place = place_of(loaded.rootly, tmp_path)
    order: list[str] = []
    pipeline = place.pipeline()

    def other() -> None:
        with turn(pipeline):
            order.append("other")

    with turn(pipeline):
        waiting = threading.Thread(target=other)
        waiting.start()
        waiting.join(0.5)
        order.append("first")
    waiting.join(10)
    assert order == ["first", "other"]


def test_a_pipeline_adopts_what_others_have_made(loaded: Loaded, tmp_path: Path) -> None:
    pipeline = place_of(loaded.rootly, tmp_path).pipeline()
    adopt(pipeline, None)
    assert not is_at_odds(pipeline, None)
    schema = stored_of_others(place_of(loaded.rootly, tmp_path), SOURCE)
    assert not is_at_odds(pipeline, schema), "it knows no columns yet"
    adopt(pipeline, schema)
    assert "incidents" in pipeline.schemas[SOURCE].tables
    assert not is_at_odds(pipeline, schema)
