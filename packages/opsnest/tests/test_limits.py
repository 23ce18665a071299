"""What a hostile or broken API sends: one message, no traceback, and memory that is bounded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dlt
import pytest
from dlt.pipeline.exceptions import PipelineStepFailed
from packages.restarrow.tests.scripted_server import queued, reply, scripted

from opsnest.errors import AnswerError, ConfigurationError, DestinationError
from opsnest.explain import exit_on_error, explain
from opsnest.mcp.freshness import freshness_of
from opsnest.mcp.pipelines import Pipelines
from opsnest.mcp.reading import Database
from opsnest.rows import from_text
from opsnest.sources import owlette_source
from restarrow.dlt import accelerate

SQL = "'); DROP TABLE x; --"


def deep(levels: int) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for _ in range(levels):
        row = {"a": row}
    return row


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"id": 1, "size": 2**64}, "size: an integer has 65 bits"),
        (deep(300), "a row is nested 301 levels deep"),
    ],
)
def test_rows_that_cannot_be_stored_end_with_one_message(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    row: dict[str, Any],
    said: str,
) -> None:
    monkeypatch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
    monkeypatch.chdir(tmp_path)

    def rows() -> Iterator[list[dict[str, Any]]]:
        yield [row]

    pipeline = dlt.pipeline("limits", destination="duckdb", pipelines_dir=str(tmp_path))
    with pytest.raises(SystemExit) as ended, exit_on_error():
        pipeline.run(accelerate(dlt.resource(rows, name="things")))

    assert ended.value.code == DestinationError.exit_code
    told = capsys.readouterr().err
    assert told.startswith(f"error: things: table things: {said}")
    assert "Traceback" not in told


def test_so_does_a_setting_that_makes_no_sense(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESTARROW__MAX_NEW_COLUMNS", "many")
    pipeline = dlt.pipeline("limits", destination="duckdb", pipelines_dir=str(tmp_path))
    with pytest.raises(PipelineStepFailed) as caught:
        pipeline.extract(accelerate(dlt.resource([{"id": 1}], name="things")))
    error = explain(caught.value)
    assert isinstance(error, ConfigurationError)
    assert str(error).startswith("restarrow.max_new_columns in dlt's configuration must be")


@pytest.mark.parametrize("levels", [101, 100_000])
def test_json_in_a_text_that_is_nested_too_deeply_stays_a_text(levels: int) -> None:
    text = "[" * levels + "]" * levels
    assert from_text(text) == text


def test_names_with_sql_in_them_are_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables of a pipeline whose naming convention leaves names as they are, bar the quotes."""
    monkeypatch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
    monkeypatch.setenv("SCHEMA__NAMING", "direct")
    monkeypatch.chdir(tmp_path)
    table, column = "t_; DROP TABLE x; --", "c_); DROP TABLE x; --"
    pipeline = dlt.pipeline("hostile", destination="duckdb", dataset_name="d", pipelines_dir="p")
    pipeline.run([{"id": 1}], table_name="x")
    pipeline.run([{"id": 1, column.replace("_", '"'): SQL}], table_name=table.replace("_", '"'))
    pipeline.deactivate()
    record = Pipelines(tmp_path / "p").record("hostile")
    database = Database(record, tmp_path / "hostile.duckdb")

    fresh = freshness_of(record, database)
    assert {each["table"]: each["rows"] for each in fresh["tables"]} == {"x": 1, table: 1}

    asked = database.query(f'SELECT "{column}" FROM "{table}"')
    assert (asked.columns, asked.rows) == ([column], [[SQL]])
    assert database.query("SELECT count(*) FROM x").rows == [[1]]


def test_a_row_of_an_sdk_that_is_nested_too_deeply_is_refused(tmp_path: Path) -> None:
    sites = {"sites": [{"id": "site-1", "name": "one", "more": deep(300)}]}
    with scripted(queued(reply(sites))) as server:
        source = owlette_source(token="owk_test_x", api_url=server.url).with_resources("sites")
        pipeline = dlt.pipeline("deep", destination="duckdb", pipelines_dir=str(tmp_path))
        with pytest.raises(PipelineStepFailed) as caught:
            pipeline.extract(source)
    error = explain(caught.value)
    assert isinstance(error, AnswerError)
    assert error.resource == "sites"
    assert error.problem.startswith("a row is nested 302 levels deep")
