"""Loads within bounds: what DuckDB may hold, and what happens where that is too little."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import dlt
import pytest
from dlt.pipeline.exceptions import PipelineStepFailed
from packages.restarrow.tests.dlt_comparison import config, lists

from restarrow.dlt import rest_api_source

ROOT = Path(__file__).parents[3]


def _bounds() -> str:
    """Return the settings of docs/drop-in.md."""
    found = re.search(
        r"```toml\n(\[load\].*?)```", (ROOT / "docs/drop-in.md").read_text(), re.DOTALL
    )
    assert found
    return found[1]


def test_the_bounds_that_were_measured_are_those_of_the_page() -> None:
    measured = (ROOT / "benchmarks/loads/bounded.toml").read_text()
    assert tomllib.loads(measured) == tomllib.loads(_bounds())


_SCRIPT = """
import json, sys
import dlt
from restarrow.dlt import rest_api_source

pipeline = dlt.pipeline("bounded", destination="duckdb", pipelines_dir="pipelines")
pipeline.run(rest_api_source(json.loads(sys.argv[1])))
with pipeline.sql_client() as client:
    print(client.execute_sql("SELECT current_setting('threads'), current_setting('memory_limit')"))
"""


def test_the_bounds_reach_duckdb(tmp_path: Path) -> None:
    settings = tmp_path / ".dlt" / "secrets.toml"
    settings.parent.mkdir()
    settings.write_text(_bounds())
    with lists({"things": [[{"id": 1, "items": [{"k": 1}]}]]}) as api:
        # in a process of its own, as dlt reads its files once
        command = [sys.executable, "-c", _SCRIPT, json.dumps(config(api, "things"))]
        told = subprocess.check_output(command, text=True, cwd=tmp_path)
    assert told.strip() == "[(1, '95.3 MiB')]"


def test_with_too_little_memory_nothing_is_lost(tmp_path: Path) -> None:
    rows = [{"id": row, **{f"c{n}": f"{row}-{n}" * 5 for n in range(200)}} for row in range(4000)]

    def pipeline(limit: str) -> dlt.Pipeline:
        return dlt.pipeline(
            "bounded",
            destination=dlt.destinations.duckdb(
                {"database": str(tmp_path / "b.duckdb"), "global_config": {"memory_limit": limit}}
            ),
            dataset_name="data",
            pipelines_dir=str(tmp_path / "p"),
        )

    with lists({"things": [rows]}) as api:
        every: Any = config(api, "things")
        source = rest_api_source(every)
        with pytest.raises(PipelineStepFailed, match="Out of Memory Error"):
            pipeline("20MB").run(source)
    more = pipeline("500MB")
    more.load()
    with more.sql_client() as client:
        told = client.execute_sql("SELECT count(*), count(DISTINCT id) FROM things")
    assert told == [(4000, 4000)]
