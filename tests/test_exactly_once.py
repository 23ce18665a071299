"""No row is loaded twice, where a load dies between a commit and dlt's note of it."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any, Final

import dlt
import duckdb
import pytest
from tests.killing import CONTEXT
from tests.warehouse import Warehouse

from opsnest.begun_jobs import settle_begun_jobs
from opsnest.errors import DestinationError
from opsnest.loading import load, load_extracted

#: Texts that are awkward to write into SQL.
ROWS: Final = [
    {"id": number, "text": f"100 % 'of' {number};\n\"x\" \\ %s ? {{}}", "tags": ["a", "b,\n(c"]}
    for number in range(20)
]
JOINED: Final = (
    "SELECT id, value FROM things__tags AS tag "
    "JOIN things ON tag._dlt_parent_id = things._dlt_id ORDER BY ALL"
)
#: A load of them has three jobs: the rows, the rows in them, and dlt's state.
JOBS: Final = 3


@dlt.source(name="things")
def things(disposition: Any, file_format: Any) -> Any:
    rows = dlt.resource(ROWS, name="things", write_disposition=disposition, primary_key="id")
    return rows.apply_hints(file_format=file_format)


def die(*_: Any, **__: Any) -> None:
    os._exit(9)


def load_and_die(
    folder: str, disposition: str, file_format: str, at: int, *, files: bool = False
) -> None:
    """Load, and die where dlt would note that the n-th job is done, or the load after them."""
    from dlt.common.storages import LoadStorage  # noqa: PLC0415 - in a process of its own
    from dlt.common.storages.load_package import PackageStorage  # noqa: PLC0415

    os.environ["RUNTIME__LOG_LEVEL"] = "CRITICAL"
    note, notes = PackageStorage.save_pending_transition, iter(range(JOBS))

    def noting(*words: Any, **options: Any) -> None:
        die() if next(notes) == at else note(*words, **options)

    PackageStorage.save_pending_transition = noting  # type: ignore[method-assign]
    if at == JOBS:
        LoadStorage.complete_load_package = die  # type: ignore[method-assign]
    os.environ["LOAD__WORKERS"] = "1"  # one job after another
    pipeline = plain_files(folder) if files else with_state(Warehouse(Path(folder))).pipeline
    load(pipeline, things(disposition, file_format))


def plain_files(folder: str) -> dlt.Pipeline:
    return dlt.pipeline(
        "files",
        destination=dlt.destinations.filesystem(f"{folder}/lake"),
        dataset_name="data",
        pipelines_dir=folder,
    )


def with_state(warehouse: Warehouse) -> Warehouse:
    """Let dlt load its state as well, as it does by itself."""
    warehouse.pipeline.config.restore_from_destination = True
    return warehouse


@pytest.mark.parametrize(
    ("disposition", "file_format"),
    [
        pytest.param("append", "parquet", marks=pytest.mark.slow),
        pytest.param("merge", "insert_values", marks=pytest.mark.slow),
        pytest.param("append", "insert_values", marks=pytest.mark.long),
        pytest.param("merge", "parquet", marks=pytest.mark.long),
        pytest.param("replace", "parquet", marks=pytest.mark.long),
        pytest.param("replace", "insert_values", marks=pytest.mark.long),
    ],
)
def test_no_row_is_loaded_twice(
    disposition: str, file_format: str, warehouse: Warehouse, tmp_path: Path
) -> None:
    load(with_state(warehouse).pipeline, things(disposition, file_format))
    for at in range(JOBS + 1):
        folder = tmp_path / f"killed{at}"
        folder.mkdir()
        process = CONTEXT.Process(
            target=load_and_die, args=(str(folder), disposition, file_format, at)
        )
        process.start()
        process.join(60)
        assert process.exitcode == 9

        killed = with_state(Warehouse(folder))
        assert load_extracted(killed.pipeline) is not None
        for query in (
            "SELECT id, text FROM things ORDER BY ALL",
            JOINED,
            "SELECT count(*), count(DISTINCT _dlt_id) FROM things__tags",
            "SELECT count(*) FROM _dlt_pipeline_state",
            "SELECT schema_name, status FROM _dlt_loads",
        ):
            assert killed.query(query) == warehouse.query(query), (at, query)
        killed.close()
    warehouse.pipeline.activate()


@pytest.mark.slow
def test_a_file_is_written_again_under_its_name(tmp_path: Path) -> None:
    process = CONTEXT.Process(
        target=load_and_die,
        args=(str(tmp_path), "append", "parquet", 0),
        kwargs={"files": True},
    )
    process.start()
    process.join(60)
    assert process.exitcode == 9
    load_extracted(plain_files(str(tmp_path)))
    for table, rows in (("things", len(ROWS)), ("things__tags", 2 * len(ROWS))):
        files = tmp_path / "lake" / "data" / table / "*.parquet"
        assert duckdb.sql(f"SELECT count(*) FROM '{files}'").fetchone() == (rows,)


def test_a_destination_that_cannot_be_reached_is_told(tmp_path: Path) -> None:
    with socket.socket() as bound:  # and nobody listens
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        pipeline = dlt.pipeline(
            "away",
            destination=dlt.destinations.postgres(f"postgresql://me:pass-word@127.0.0.1:{port}/db"),
            pipelines_dir=str(tmp_path),
        )
        pipeline.extract(things("append", "insert_values"))
        pipeline.normalize()
        for job in Path(pipeline.working_dir).glob("load/normalized/*/new_jobs/things.*"):
            job.rename(job.parent.parent / "started_jobs" / job.name)
        with pytest.raises(
            DestinationError, match="away: the destination cannot be reached: "
        ) as no:
            load_extracted(pipeline)
        assert "pass-word" not in str(no.value)


def test_nothing_is_settled_where_nothing_had_begun(warehouse: Warehouse) -> None:
    warehouse.pipeline.extract(things("append", "parquet"))
    warehouse.pipeline.normalize()
    assert settle_begun_jobs(warehouse.pipeline) == 0
    assert warehouse.pipeline.list_normalized_load_packages()
