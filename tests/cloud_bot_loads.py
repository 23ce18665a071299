"""How the tests load a Control Room, and what they look at."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from dlt.extract import DltSource
from tests.warehouse import Warehouse, keys, loaded, rows

from opsnest.sources import cloud_bot_source
from opssim import CloudBotSimulator, Running

ControlRoom = Running[CloudBotSimulator]
Start = Callable[..., ControlRoom]
Loaded = tuple[ControlRoom, Warehouse]

LISTS = {"automations": "lastModified", "executions": "modifiedOn", "users": "updatedOn"}
ALL = (*LISTS, "robots")
BY_NAME = (
    *("automation", "execution", "audit_messages", "roles", "device_pools", "run_as_users"),
    *("schedules", "wlm_queues", "wlm_work_items", "wlm_models", "license_products"),
    *("private_files", "bot_runs"),
)
EVERYTHING = {*ALL, *BY_NAME}
#: Each page of runs begins with the last row of the page before.
READ_AGAIN = 1
SIZES: dict[str, Any] = {
    "executions": 40,
    "bots": 8,
    "users": 6,
    "devices": 5,
    "audit_messages": 30,
}


def source(room: ControlRoom, **options: Any) -> DltSource:
    if "password" not in options:
        options = {"api_key": room.simulator.api_key, **options}
    return cloud_bot_source(room.url, room.simulator.username, **options)


def bots(room: ControlRoom) -> list[str]:
    """Return the ids of the bots: the list of files has folders too."""
    return sorted(key for key, row in rows(room, "automations").items() if not row["folder"])


def instants(room: ControlRoom, table: str, column: str) -> dict[str, datetime | None]:
    """Return a time of the simulated rows by id, to the microsecond; None where there is none."""
    texts = {key: row[column] for key, row in rows(room, table).items()}
    return {
        key: None if text in {"", "1970-01-01T00:00:00Z"} else datetime.fromisoformat(text)
        for key, text in texts.items()
    }


def check_lists(room: ControlRoom, warehouse: Warehouse) -> None:
    """Compare all lists with what the simulator holds, and when each row last changed."""
    for name, column in (("automations", "last_modified"), ("users", "updated_on")):
        assert warehouse.column(name) == keys(room, name)
        assert loaded(warehouse, name, column) == instants(room, name, LISTS[name])
    assert warehouse.column("robots") == keys(room, "robots")
    check_executions(room, warehouse)
    assert warehouse.orphans() == {}


def check_executions(room: ControlRoom, warehouse: Warehouse) -> None:
    assert warehouse.column("executions") == keys(room, "executions")
    changed = instants(room, "executions", "modifiedOn")
    assert loaded(warehouse, "executions", "modified_on") == changed
    statuses = {key: row["status"] for key, row in rows(room, "executions").items()}
    assert loaded(warehouse, "executions", "status") == statuses
