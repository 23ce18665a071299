"""Loads of which `opsnest status` tells, and what it tells."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import dlt
from typer.testing import CliRunner, Result

from opsnest.cli import app
from opsnest.loading import PLATFORMS
from opsnest.sources import rootly_incident_management_source
from opssim import RootlySimulator, Running

SOURCE, NAME, DATASET = PLATFORMS["rootly"]
TWO_HOURS = timedelta(hours=2)
ISO = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"


def status(*arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(app, ["status", *arguments])
    assert result.exit_code == code, result.output
    return result


def told(*arguments: str, code: int = 0) -> dict[str, Any]:
    """Return the JSON of the only pipeline that is told of."""
    found = json.loads(status("--json", *arguments, code=code).stdout)
    assert found["healthy"] is (code == 0)
    (only,) = found["pipelines"]
    pipeline: dict[str, Any] = only
    return pipeline


def rootly_pipeline() -> dlt.Pipeline:
    return dlt.pipeline(NAME, destination="duckdb", dataset_name=DATASET)


def services(running: Running[RootlySimulator]) -> Any:
    source = rootly_incident_management_source(running.simulator.token, f"{running.url}/v1")
    return source.with_resources("services", "teams")


@dataclass
class Loaded:
    """A platform that was loaded, then again with nothing new, and then with a new row."""

    running: Running[RootlySimulator]
    folder: Path
    began: datetime
