"""How the tests load Roost.ai, and what they look at."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from dlt.extract import DltSource
from tests.warehouse import Warehouse, rows

from opsnest.sources import roost_source
from opssim import RoostSimulator, Running

Roost = Running[RoostSimulator]
Start = Callable[..., Roost]
Loaded = tuple[Roost, Warehouse]

LISTS = {"tests": "updated_on", "test_plans": "updated_on", "events": "modification_time"}
DETAILS = ("test", "event_logs", "execution_report", "execution_status")
PATHS = {
    "tests": "/api/test",
    "test_plans": "/api/test/getAllTestPlan",
    "events": "/api/test/event",
}
SIZES: dict[str, Any] = {"tests": 12, "events": 24}


def source(roost: Roost, **options: Any) -> DltSource:
    return roost_source(roost.simulator.token, f"{roost.url}/api", **options)


def instants(roost: Roost, table: str) -> dict[str, datetime]:
    """Return the times of the last change of the simulated rows by id."""
    column = LISTS[table]
    return {key: datetime.fromisoformat(row[column]) for key, row in rows(roost, table).items()}


def files(roost: Roost, chosen: Sequence[str] | None = None) -> dict[tuple[str, str], str]:
    """Return the status of each test file that the reports of events name."""
    found: dict[tuple[str, str], str] = {}
    for key, event in rows(roost, "events").items():
        if event["test_report"] and (chosen is None or key in chosen):
            details = json.loads(event["test_report"])["advancedDetails"]
            methods = (
                m for file in details.values() for path in file.values() for m in path.values()
            )
            found |= {(key, method["testFilePath"]): method["status"] for method in methods}
    return found


def statuses(warehouse: Warehouse) -> dict[tuple[str, str], str]:
    found = warehouse.query("SELECT trigger_id, file_path, status FROM execution_status")
    assert len(found) == len({row[:2] for row in found})
    return {(trigger, path): status for trigger, path, status in found}
