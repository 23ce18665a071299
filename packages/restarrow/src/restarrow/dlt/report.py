"""Which way each resource took into the destination, and why not a quicker one."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field

from restarrow.paging import Drift

__all__ = ["ResourceReport", "note_drift", "note_lane", "note_reading", "report"]

log = logging.getLogger("restarrow.dlt")


@dataclass(slots=True)
class ResourceReport:
    """What happened to the rows of one resource in its last load.

    Attributes:
        rows: how many rows were read.
        reading: how its pages were read: `at once`, or `dlt's client` followed by the reason.
        drift: what was seen of changes to the list while it was read.
        lanes: how many batches of each table took which lane: `bytes`, `columns`, `rows`, or
            `dlt` for dlt's own path, followed by the reason where there is one.
    """

    rows: int = 0
    reading: str = ""
    drift: tuple[str, ...] = ()
    lanes: dict[str, dict[str, int]] = field(default_factory=dict[str, dict[str, int]])


_reports: dict[str, ResourceReport] = {}
_lock = threading.Lock()


def report() -> dict[str, ResourceReport]:
    """Return what happened to each resource that was loaded in this process last."""
    with _lock:
        return dict(_reports)


def begin(resource: str) -> None:
    """Forget the last load of a resource."""
    with _lock:
        _reports[resource] = ResourceReport()


def note_reading(resource: str, reading: str) -> None:
    """Take note of how the pages of a resource are read."""
    with _lock:
        _reports.setdefault(resource, ResourceReport()).reading = reading
    if reading != "at once":
        log.info("%s is read page after page, by %s", resource, reading)


def note_drift(resource: str, drift: Drift) -> None:
    """Say that a list moved while it was read, and what became of it."""
    with _lock:
        _reports.setdefault(resource, ResourceReport()).drift = drift.reasons
    log.warning(
        "%s moved while it was read: %s. %s",
        resource,
        "; ".join(drift.reasons),
        "Rows may be missing or double: load it again, merged on its primary key."
        if drift.torn
        else "What was torn was read again.",
    )


def note_lane(resource: str, table: str, lane: str, rows: int = 0) -> None:
    """Count one batch of a table."""
    with _lock:
        counted = _reports.setdefault(resource, ResourceReport())
        counted.rows += rows
        lanes = counted.lanes.setdefault(table, {})
        lanes[lane] = lanes.get(lane, 0) + 1
    if lane.startswith("dlt: ") and lanes[lane] == 1:
        log.info("%s takes dlt's own path: %s", resource, lane.removeprefix("dlt: "))
