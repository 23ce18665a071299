"""Tables as frames: what is missing is empty, what is gone is left out, and why is told."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dlt
import duckdb
import polars as pl
import pytest

from opsnest.errors import ConfigurationError
from opsnest.looking.pipelines import attach, existing, folder_of, pipelines_in
from opsnest.looking.tables import Tables, flag, number, open_tables, text, time

NAME = "roost_pipeline"
MOMENT = datetime(2026, 7, 1, 12, 30, tzinfo=UTC)
COLUMNS = {
    "name": text("test_name"),
    "size": number("size"),
    "made": time("created_on"),
    "public": flag("public"),
    "note": text("never_seen"),
    "seen": time("never_seen_either"),
}


def load(folder: Path) -> Path:
    """Load three tests into a DuckDB file that is named here, and return dlt's folder."""
    pipeline = dlt.pipeline(
        NAME,
        pipelines_dir=str(folder / "pipelines"),
        destination=dlt.destinations.duckdb(str(folder / "elsewhere.duckdb")),
        dataset_name="roost_data",
    )
    common = {"created_on": MOMENT, "public": True}
    rows = [
        {"id": "a", "test_name": "smoke", "size": 3, **common},
        {"id": "b", "test_name": "gone", "size": 4, "deleted_at": MOMENT, **common},
        {"id": "c", "test_name": None, "size": 5, **common},
    ]
    pipeline.run(rows, table_name="tests", columns={"deleted_at": {"data_type": "timestamp"}})
    return folder / "pipelines"


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Load once, for tests that only read."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
        return load(tmp_path_factory.mktemp("loaded"))


def opened(folder: Path) -> Tables:
    return open_tables("roost", {"pipelines-dir": str(folder)})


def test_a_table_has_the_columns_that_are_asked_for_and_no_rows_that_are_gone(
    loaded: Path,
) -> None:
    tables = opened(loaded)
    frame = tables.read("tests", **COLUMNS)

    assert tables.problem == ""
    assert frame.schema == {alias: each.kind for alias, each in COLUMNS.items()}
    assert frame.sort("size").rows() == [
        ("smoke", 3.0, MOMENT, True, None, None),
        (None, 5.0, MOMENT, True, None, None),
    ]


def test_a_table_that_is_not_there_is_empty(loaded: Path) -> None:
    frame = opened(loaded).read("events", **COLUMNS)

    assert frame.is_empty()
    assert frame.schema == {alias: each.kind for alias, each in COLUMNS.items()}


def test_a_table_with_none_of_the_columns_has_its_rows_all_the_same(loaded: Path) -> None:
    assert opened(loaded).read("tests", x=text("nothing")).rows() == [(None,), (None,)]


def test_reading_leaves_the_file_to_others_and_makes_none(loaded: Path) -> None:
    before = sorted(loaded.parent.rglob("*.duckdb"))
    tables = opened(loaded)
    with duckdb.connect(str(before[0]), read_only=True):
        assert tables.read("tests", **COLUMNS).height == 2
    credentials: Any = attach(NAME, loaded).dataset().destination_client.config.credentials

    assert credentials.read_only
    assert sorted(loaded.parent.rglob("*.duckdb")) == before


def test_what_was_lost_since_is_told_or_empty_and_never_made_anew(tmp_path: Path) -> None:
    folder, file = load(tmp_path), tmp_path / "elsewhere.duckdb"
    tables = opened(folder)
    with duckdb.connect(str(file)) as connection:
        connection.execute("DROP TABLE roost_data.tests")
    assert tables.read("tests", **COLUMNS).is_empty()

    file.unlink()
    tables = opened(folder)
    assert tables.problem
    assert tables.read("tests", **COLUMNS).is_empty()
    assert not file.exists()

    (folder / NAME / "state.json").write_text("{broken\njson")
    problem = opened(folder).problem
    assert problem.startswith("the tables cannot be read: ")
    assert "\n" not in problem


def test_a_file_that_is_named_by_nobody_is_found_where_dlt_puts_it(tmp_path: Path) -> None:
    pipeline = dlt.pipeline(NAME, pipelines_dir=str(tmp_path / "dlt"), destination="duckdb")
    pipeline.run([{"id": 1}], table_name="tests")
    (tmp_path / "dlt" / NAME / "trace.pickle").unlink()

    assert opened(tmp_path / "dlt").read("tests", key=number("id")).rows() == [(1.0,)]


def test_other_destinations_are_read_as_dlt_reads_them(tmp_path: Path) -> None:
    pipeline = dlt.pipeline(
        NAME,
        pipelines_dir=str(tmp_path / "dlt"),
        destination=dlt.destinations.filesystem(str(tmp_path / "files")),
        dataset_name="roost_data",
    )
    pipeline.run([{"id": 1}, {"id": 2}], table_name="tests", loader_file_format="parquet")
    attached = dlt.attach(
        NAME,
        pipelines_dir=str(tmp_path / "dlt"),
        destination=dlt.destinations.filesystem(str(tmp_path / "files")),
    )

    frame = Tables(attached.dataset()).read("tests", key=number("id"))
    assert sorted(frame["key"]) == [1.0, 2.0]


@pytest.mark.parametrize("there", [(), ("roost_pipeline", "other")])
def test_a_pipeline_that_does_not_exist_is_told_with_those_that_do(
    tmp_path: Path, there: tuple[str, ...]
) -> None:
    for name in there:
        (tmp_path / name).mkdir()
        (tmp_path / name / "state.json").touch()
    (tmp_path / "no_pipeline").mkdir()

    assert pipelines_in(tmp_path) == sorted(there)
    with pytest.raises(ConfigurationError) as told:
        existing("../roost_pipeline", tmp_path)
    assert f"Known: {', '.join(sorted(there)) or 'none; a first load makes one'}." in str(
        told.value
    )
    for name in there:
        assert existing(name, tmp_path) == name


def test_a_notebook_without_data_is_told_how_to_load(tmp_path: Path) -> None:
    assert "opsnest load owlette" in open_tables("owlette", {}).problem
    assert "opsnest demo" in open_tables("owlette", {"demo": ""}).problem

    (tmp_path / ".opsnest_demo" / "opsnest_demo.duckdb").mkdir(parents=True)
    assert "--demo" in open_tables("owlette", {}).problem
    assert folder_of(demo=True) == tmp_path / ".opsnest_demo" / "opsnest_demo.duckdb"


def test_types_are_made_equal(loaded: Path) -> None:
    frame = opened(loaded).read("tests", size=text("size"), name=number("test_name"))

    assert frame.schema == {"size": pl.String(), "name": pl.Float64()}
    assert frame.sort("size").rows() == [("3", None), ("5", None)]
