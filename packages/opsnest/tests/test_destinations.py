"""Destinations by name: what they need, how resources are fitted to them, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dlt
import pytest

from opsnest import destinations
from opsnest.destinations import TableFormat, destination_of, fit, fitting, missing_packages
from opsnest.doctor import check_destination
from opsnest.errors import ConfigurationError
from opsnest.sources import rootly_incident_management_source
from opssim import RootlySimulator, serve

ROWS: list[dict[str, Any]] = [{"id": 1, "at": "2026-01-01T00:00:00Z", "tags": ["a", {"b": [1]}]}]


@dlt.source(name="probing", root_key=True)
def probing(disposition: Any = "merge") -> Iterator[Any]:
    def rows() -> Iterator[list[dict[str, Any]]]:
        fitted = fitting("things")
        yield [fitted(row) for row in ROWS] if fitted else ROWS

    columns: Any = {"at": {"dedup_sort": "desc"}} if disposition == "merge" else {}
    yield dlt.resource(
        rows, name="things", primary_key="id", write_disposition=disposition, columns=columns
    )


@pytest.fixture
def pipeline(tmp_path: Path) -> Iterator[dlt.Pipeline]:
    made = dlt.pipeline(
        "probing",
        destination=dlt.destinations.filesystem(str(tmp_path / "bucket")),
        dataset_name="data",
        pipelines_dir=str(tmp_path / "pipelines"),
    )
    yield made
    made.deactivate()


def test_what_is_missing_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing_is_there(module: str) -> bool:
        return not module

    monkeypatch.setattr(destinations, "_is_there", nothing_is_there)
    assert [each.extra for each in missing_packages("snowflake")] == ["snowflake"]
    assert [each.extra for each in missing_packages("filesystem", url="s3://b/f")] == ["s3"]
    assert [each.extra for each in missing_packages("filesystem", url="az://b")] == ["azure"]
    found = missing_packages("filesystem", url="gs://b", table_format="iceberg")
    assert [each.extra for each in found] == ["gcs", "iceberg"]
    with pytest.raises(ConfigurationError, match=r"pip install 'opsnest\[snowflake\]'"):
        destination_of("snowflake")
    with pytest.raises(ConfigurationError, match=r"opsnest\[delta\]"):
        destination_of("filesystem", table_format="delta")


def test_what_is_there_is_not_missed() -> None:
    assert not missing_packages("duckdb")
    assert not missing_packages("filesystem", url="file:///tmp")
    assert destination_of("duckdb").destination_name == "duckdb"


def test_an_unknown_destination_is_told_with_those_that_are_known() -> None:
    with pytest.raises(ConfigurationError, match="no destination 'nowhere'") as raised:
        destination_of("nowhere")
    assert "duckdb" in str(raised.value)


def test_a_table_format_is_for_files() -> None:
    with pytest.raises(ConfigurationError, match="duckdb has no delta tables"):
        fit(probing(), "duckdb", table_format="delta")


def test_files_are_parquet_and_written_as_said() -> None:
    fitted = fit(probing(), "filesystem", write="append").resources["things"]
    table: Any = fitted.compute_table_schema()
    assert (table["file_format"], table["write_disposition"]) == ("parquet", "append")
    # it tells which of two rows counts, and dlt would warn that there is no merge
    assert table["columns"]["at"].get("dedup_sort") is None


def test_tables_in_files_are_merged_by_upsert() -> None:
    table: Any = fit(probing(), "filesystem", table_format="delta").resources["things"]
    schema = table.compute_table_schema()
    assert schema["table_format"] == "delta"
    assert schema["x-merge-strategy"] == "upsert"


def test_what_is_not_merged_stays_as_it_is() -> None:
    fitted = fit(probing("replace"), "duckdb", write="append").resources["things"]
    assert fitted.write_disposition == "replace"


@pytest.mark.parametrize(
    ("table_format", "why"), [(None, "would be there twice"), ("iceberg", "have a new column")]
)
def test_a_merge_that_files_cannot_do_is_refused_with_what_to_do(
    pipeline: dlt.Pipeline, tmp_path: Path, table_format: TableFormat | None, why: str
) -> None:
    with pytest.raises(Exception, match="things is merged on its key") as raised:
        pipeline.extract(fit(probing(), "filesystem", table_format=table_format))
    assert why in str(raised.value.__cause__ or raised.value)
    for way in ("--table-format delta", "--write append", "--write replace"):
        assert way in str(raised.value.__cause__ or raised.value)
    assert not list(tmp_path.rglob("*.jsonl*")) + list(tmp_path.rglob("things*.parquet"))


def test_rows_of_rest_resources_are_refused_likewise(
    pipeline: dlt.Pipeline, tmp_path: Path
) -> None:
    with serve(RootlySimulator(incidents=10)) as rootly:
        key = next(iter(rootly.simulator.tables["incidents"])).key
        source = rootly_incident_management_source(
            rootly.simulator.token, f"{rootly.url}/v1", any_single_resource=[f"incidents/{key}"]
        ).with_resources("any-single-resource")
        with pytest.raises(Exception, match="any-single-resource is merged on its key"):
            pipeline.run(source)
    assert not list(tmp_path.rglob("any_single_resource*.jsonl*"))


def test_a_step_finds_out_once_what_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def fitting_of(name: str) -> None:
        asked.append(name)

    monkeypatch.setattr(destinations, "fitting", fitting_of)
    step = destinations.fitted("things")
    assert [step(row) for row in (*ROWS, *ROWS)] == [*ROWS, *ROWS]
    assert asked == ["things"]


def test_files_take_what_is_not_merged(pipeline: dlt.Pipeline) -> None:
    pipeline.run(fit(probing(), "filesystem", write="append"))
    assert pipeline.dataset().things.select("id").fetchall() == [(1,)]
    assert len(pipeline.dataset()["things__tags"].fetchall()) == 2


def test_lists_in_tables_that_are_merged_in_files_are_json(pipeline: dlt.Pipeline) -> None:
    pipeline.extract(fit(probing(), "filesystem", table_format="delta"))
    pipeline.normalize()
    tables = pipeline.default_schema.data_table_names()
    assert tables == ["things"]
    things: Any = pipeline.default_schema.get_table("things")
    assert things["columns"]["tags"]["data_type"] == "text"


def test_a_resource_that_is_just_iterated_is_left_alone() -> None:
    assert list(probing().resources["things"]) == ROWS


# ---- the doctor


@pytest.fixture
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DLT_DATA_DIR", str(tmp_path / "dlt"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_doctor_finds_duckdb_well_and_leaves_nothing(at_home: Path) -> None:
    checks = list(check_destination("duckdb"))
    assert [each.what for each in checks] == ["packages", "settings", "write", "merge", "read"]
    assert all(each.is_well for each in checks), checks
    assert "quick way" in checks[2].found
    assert not list(at_home.glob("*.duckdb*"))


def test_the_doctor_tells_of_files_that_they_are_not_merged(
    at_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESTINATION__FILESYSTEM__BUCKET_URL", (at_home / "bucket").as_uri())
    checks = {each.what: each for each in check_destination("filesystem")}
    assert all(each.is_well for each in checks.values()), checks
    assert "not into plain files" in checks["merge"].found
    assert "quick way" in checks["write"].found
    assert not list((at_home / "bucket").rglob("*.parquet"))


def test_the_doctor_stops_at_what_is_missing(at_home: Path) -> None:
    checks = list(check_destination("filesystem"))
    assert [each.is_well for each in checks] == [True, False]
    assert "bucket_url" in checks[-1].found
    assert "DESTINATION__FILESYSTEM__BUCKET_URL" in checks[-1].found
    assert at_home.exists()


def test_the_doctor_names_a_destination_that_there_is_not() -> None:
    (check,) = check_destination("nowhere")
    assert not check.is_well
    assert "no destination 'nowhere'" in check.found


def test_the_doctor_tells_of_a_folder_that_cannot_be_written(
    at_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (at_home / "file").write_text("")
    monkeypatch.setenv("DESTINATION__FILESYSTEM__BUCKET_URL", (at_home / "file").as_uri())
    checks = list(check_destination("filesystem"))
    assert not checks[-1].is_well
    assert checks[-1].what == "write"
