"""What a hostile or broken API sends: one message, no traceback, and memory that is bounded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dlt
import pytest

from opsnest.errors import DestinationError
from opsnest.explain import exit_on_error
from opsnest.rows import from_text
from restarrow.dlt import accelerate


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


@pytest.mark.parametrize("levels", [101, 100_000])
def test_json_in_a_text_that_is_nested_too_deeply_stays_a_text(levels: int) -> None:
    text = "[" * levels + "]" * levels
    assert from_text(text) == text
