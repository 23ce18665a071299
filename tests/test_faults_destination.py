"""A destination that goes away while a load is made: it is told, and all is read again."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dlt
import duckdb
import pytest
from tests.faulty_loads import AtFirstJob, at_page, refused, with_state
from tests.roost_loads import SIZES, Roost, source
from tests.roost_loads import Start as StartRoost
from tests.same_cells import Cells, live_cells
from tests.warehouse import Warehouse

from opsnest.begun_jobs import settle_begun_jobs
from opsnest.errors import DestinationError
from opsnest.loading import load, load_extracted
from opssim import RoostSimulator, serve

#: As many bytes as a database without any table has.
EMPTY = 12288

pytestmark = pytest.mark.xdist_group("faults of destinations")

Act = Callable[[Warehouse], object]
Moment = Callable[[Callable[[], object]], AbstractContextManager[None]]


@pytest.fixture
def roost(roost: StartRoost) -> Roost:
    """Serve a small Roost.ai, whose time stands still."""
    running = roost()
    running.simulator.clock.freeze()
    return running


@pytest.fixture
def warehouse(warehouse: Warehouse) -> Warehouse:
    """Make an empty DuckDB file, whose pipeline looks at what it says, as dlt does by itself."""
    return with_state(warehouse)


@dataclass(frozen=True)
class Before:
    """A Roost.ai, and what was loaded of it before its events changed again.

    Attributes:
        roost: the platform.
        folder: a file of two loads, and a backup of it after the first.
        expected: what a load leaves that nothing disturbs.
    """

    roost: Roost
    folder: Path
    expected: Cells


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Generator[Before]:
    """Load twice, and let events change before, in between and after."""
    with pytest.MonkeyPatch.context() as patch, serve(RoostSimulator(**SIZES)) as running:
        patch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
        running.simulator.clock.freeze()
        warehouse = with_state(Warehouse(tmp_path_factory.mktemp("before")))
        load_all(warehouse, running)
        shutil.copy(warehouse.file, warehouse.file.with_suffix(".backup"))
        running.simulator.touch("events", 3)
        load_all(warehouse, running)
        running.simulator.touch("events", 3)
        undisturbed = with_state(Warehouse(tmp_path_factory.mktemp("undisturbed")))
        load_all(undisturbed, running)
        expected = cells(undisturbed)
        undisturbed.close()
        undisturbed.pipeline.deactivate()
        yield Before(running, warehouse.file.parent, expected)


def load_all(warehouse: Warehouse, roost: Roost) -> None:
    warehouse.close()
    warehouse.pipeline.activate()
    load(warehouse.pipeline, source(roost))


def cells(warehouse: Warehouse) -> Cells:
    warehouse.close()
    return live_cells(warehouse)


def remove(warehouse: Warehouse) -> None:
    warehouse.file.unlink()
    warehouse.file.with_name(f"{warehouse.file.name}.wal").unlink(missing_ok=True)


def empty(warehouse: Warehouse) -> None:
    with duckdb.connect(str(warehouse.file)) as database:
        database.execute("DROP SCHEMA data CASCADE")


def put_back(warehouse: Warehouse) -> None:
    remove(warehouse)
    shutil.copy(warehouse.file.with_suffix(".backup"), warehouse.file)


def while_lists_are_read(act: Callable[[], object]) -> AbstractContextManager[None]:
    return at_page(1, act)


@pytest.mark.parametrize(
    ("act", "moment"),
    [
        pytest.param(remove, while_lists_are_read, id="removed-while-read"),
        pytest.param(empty, while_lists_are_read, id="emptied-while-read"),
        pytest.param(put_back, while_lists_are_read, id="backup-while-read"),
        pytest.param(remove, AtFirstJob, id="removed-while-loaded"),
        pytest.param(put_back, AtFirstJob, id="backup-while-loaded"),
    ],
)
def test_a_file_that_goes_away_is_told_and_all_is_read_again(
    act: Act, moment: Moment, before: Before, tmp_path: Path
) -> None:
    shutil.copytree(before.folder, tmp_path, dirs_exist_ok=True)
    warehouse = with_state(Warehouse(tmp_path))

    with moment(lambda: act(warehouse)):
        error = refused(lambda: load_all(warehouse, before.roost))

    assert error.exit_code == 7
    assert "is not there any more" in str(error)
    assert "Run it again: all lists are read whole." in str(error)
    load_all(warehouse, before.roost)
    assert cells(warehouse) == before.expected
    warehouse.close()
    warehouse.pipeline.deactivate()


def test_a_first_load_whose_file_is_removed_while_it_is_loaded(
    before: Before, warehouse: Warehouse
) -> None:
    with AtFirstJob(lambda: remove(warehouse)):
        error = refused(lambda: load_all(warehouse, before.roost))

    assert error.exit_code == 7
    load_all(warehouse, before.roost)
    assert cells(warehouse) == before.expected

    remove(warehouse)  # when nothing is being loaded
    load_all(warehouse, before.roost)
    assert cells(warehouse) == before.expected


def test_a_load_that_had_been_loaded_but_for_its_note_into_a_file_that_is_gone(
    roost: Roost, warehouse: Warehouse
) -> None:
    warehouse.pipeline.extract(source(roost))
    warehouse.pipeline.normalize()
    for job in Path(warehouse.pipeline.working_dir).glob("load/normalized/*/new_jobs/*"):
        job.rename(job.parent.parent / "completed_jobs" / job.name)
    assert settle_begun_jobs(warehouse.pipeline) == 0
    load_all(warehouse, roost)
    assert warehouse.column("events")


def test_files_that_are_removed_while_lists_are_read(roost: Roost, tmp_path: Path) -> None:
    def lake(name: str) -> dlt.Pipeline:
        return dlt.pipeline(
            "files",
            destination=dlt.destinations.filesystem(str(tmp_path / name)),
            dataset_name="data",
            pipelines_dir=str(tmp_path / f"{name}-pipelines"),
        )

    def appended() -> Any:
        made = source(roost)
        for resource in made.resources.values():
            resource.apply_hints(write_disposition="append", file_format="parquet")
        return made

    def ids(name: str) -> list[tuple[Any, ...]]:
        files = tmp_path / name / "data" / "events" / "*.parquet"
        return duckdb.sql(f"SELECT id FROM '{files}' ORDER BY 1").fetchall()

    first = lake("lake")
    load(first, appended())
    expected = ids("lake")
    roost.simulator.touch("events", 3)

    with at_page(1, lambda: shutil.rmtree(tmp_path / "lake")):
        error = refused(lambda: load(first, appended()))

    assert error.exit_code == 7
    assert "is not there any more" in str(error)
    load(lake("lake"), appended())
    assert ids("lake") == expected


@pytest.mark.parametrize("length", [0, 4096, 8192])
def test_a_file_that_was_cut_off_before_it_held_a_row_is_removed(
    length: int, roost: Roost, warehouse: Warehouse
) -> None:
    duckdb.connect(str(warehouse.file)).close()
    made = warehouse.file.read_bytes()
    assert len(made) == EMPTY
    warehouse.file.write_bytes(made[:length])

    error = refused(lambda: load_all(warehouse, roost))

    assert error.exit_code == 7
    assert "DuckDB cannot read its file" in str(error)
    assert not warehouse.file.exists()
    load_all(warehouse, roost)
    assert warehouse.column("events")


def test_a_file_that_may_hold_something_stays(roost: Roost, warehouse: Warehouse) -> None:
    duckdb.connect(str(warehouse.file)).close()
    made = warehouse.file.read_bytes()
    log = warehouse.file.with_name(f"{warehouse.file.name}.wal")
    for content, beside in (
        (b"a note of somebody\n", None),
        (b"\0" * EMPTY, None),
        (made[:4096], b"a log"),
    ):
        warehouse.file.write_bytes(content)
        if beside:
            log.write_bytes(beside)
        assert refused(lambda: load_all(warehouse, roost)).exit_code == 7
        assert warehouse.file.read_bytes() == content


@pytest.mark.parametrize("host", ["127.0.0.1", "db.invalid"])
def test_a_server_that_is_out_of_reach_from_the_beginning(
    host: str, roost: Roost, tmp_path: Path
) -> None:
    with socket.socket() as bound:  # and nobody listens
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        pipeline = dlt.pipeline(
            "away",
            destination=dlt.destinations.postgres(f"postgresql://me:pass-word@{host}:{port}/db"),
            pipelines_dir=str(tmp_path),
        )
        error = refused(lambda: load(pipeline, source(roost)))

    assert isinstance(error, DestinationError)
    assert str(error).startswith("away: the destination cannot be reached: ")
    assert host in str(error)
    assert "run it again once the destination works" in str(error)
    assert "pass-word" not in str(error)
    assert not roost.simulator.requests.all()


def test_what_dlt_says_itself_of_a_server_out_of_reach(tmp_path: Path) -> None:
    pipeline = dlt.pipeline(
        "away",
        destination=dlt.destinations.postgres("postgresql://me:pass-word@db.invalid/db"),
        pipelines_dir=str(tmp_path),
    )
    error = refused(lambda: pipeline.sync_destination())  # noqa: PLW0108 - it has types of dlt

    assert error.exit_code == 7
    assert "db.invalid" in str(error)
    assert "pass-word" not in str(error)


def test_nothing_is_asked_where_nothing_was_extracted(warehouse: Warehouse) -> None:
    assert load_extracted(warehouse.pipeline) is None
