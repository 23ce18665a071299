"""How the tests load Rootly, and what they look at."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, cast

from dlt.extract import DltSource
from tests.warehouse import Warehouse, rows

from opsnest.sources import rootly_incident_management_source
from opssim import RootlySimulator, Running

Rootly = Running[RootlySimulator]
Start = Callable[..., Rootly]

LISTS = (
    "incidents",
    "alerts",
    "users",
    "services",
    "schedules",
    "teams",
    "heartbeats",
    "dashboards",
    "authorizations",
)
SIZES: dict[str, Any] = {"incidents": 30, "alerts": 30, "users": 10, "alert_events": 0, "shifts": 0}


def source(rootly: Rootly, **options: Any) -> DltSource:
    return rootly_incident_management_source(rootly.simulator.token, f"{rootly.url}/v1", **options)


def attributes(rootly: Rootly, table: str) -> dict[str, Any]:
    """Return the attributes of the simulated rows by id."""
    return {key: row["attributes"] for key, row in rows(rootly, table).items()}


def instants(rootly: Rootly, table: str, name: str) -> dict[str, datetime | None]:
    """Return a time of the simulated rows by id."""
    texts = {key: row[name] for key, row in attributes(rootly, table).items()}
    return {key: text and datetime.fromisoformat(text) for key, text in texts.items()}


def asked(rootly: Rootly, table: str) -> list[dict[str, str]]:
    """Return the query of each request for a list."""
    return [dict(seen.query) for seen in rootly.simulator.requests.all(f"/v1/{table}")]


def check_labels(rootly: Rootly, warehouse: Warehouse) -> None:
    """Compare labels, which are one table of keys and values whichever form they came in."""
    expected: list[tuple[str, str, str]] = []
    for key, row in attributes(rootly, "incidents").items():
        expected += [(key, name, written(value)) for name, value in _pairs(row["labels"])]
    assert expected
    found = warehouse.query(
        "SELECT incidents.id, label.key, label.value FROM incidents "
        "JOIN incidents__attributes__labels AS label ON label._dlt_root_id = incidents._dlt_id"
    )
    assert sorted(found) == sorted(expected)
    assert not [name for name in warehouse.types("incidents") if "labels" in name]


def _pairs(labels: Any) -> list[tuple[str, Any]]:
    """Return labels as pairs, whether they are an object or a list with nulls in it."""
    if isinstance(labels, dict):
        return list(cast("dict[str, Any]", labels).items())
    return [(label["key"], label["value"]) for label in labels if label]


def written(value: Any) -> str:
    """Write a label as it is loaded."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def check_services(rootly: Rootly, warehouse: Warehouse) -> None:
    # they are linked in `relationships` whatever the form of the attribute, which becomes one
    links: list[tuple[Any, ...]] = [
        (key, service["id"])
        for key, row in rows(rootly, "incidents").items()
        for service in row["relationships"]["services"]["data"]
    ]
    assert links
    found = warehouse.query(
        "SELECT incidents.id, linked.id FROM incidents "
        "JOIN incidents__relationships__services__data AS linked "
        "ON linked._dlt_root_id = incidents._dlt_id"
    )
    assert sorted(found) == sorted(links)
    found = warehouse.query(
        "SELECT incidents.id, service.data__id FROM incidents "
        "JOIN incidents__attributes__services AS service "
        "ON service._dlt_root_id = incidents._dlt_id"
    )
    assert sorted(found) == sorted(links)
    assert warehouse.orphans() == {}
