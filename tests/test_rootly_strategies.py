"""Rootly, load after load, while rows come, change and go: always what a full load gives.

The lists are read in pages of four, while rows are inserted, changed and deleted between the pages.
After each round the tables without the rows that are marked as deleted are those of a full load
into another database, cell by cell.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.rootly_loads import Rootly, Start, source
from tests.same_cells import live_cells
from tests.warehouse import Warehouse

from opsnest.catalogue.rootly import ROOTLY
from opsnest.loading import Outcome, load
from opssim import Churn, RootlyQuirks

ROUNDS = int(os.environ.get("OPSNEST_ROUNDS", "20"))
#: Resources by how they are asked for what changed, with the simulator's tables.
GROUPS: dict[str, dict[str, str]] = {
    "changed": {"incidents": "incidents", "alerts": "alerts"},
    "newest_first": {"users": "users", "workflows": "workflows"},
    "appended": {"audits": "audits", "pulses": "pulses", "alert_events": "alert_events"},
    "whole": {"services": "services", "playbooks": "playbooks", "alert_routes": "alert_routes"},
    "windows": {"shifts": "shifts", "oncalls": "oncalls"},
    "children": {
        "incident_events": "incidents_events",
        "incident_feedbacks": "incidents_feedbacks",
        "incident_status_page_events": "incidents_status_page_events",
        "dashboard_panels": "dashboards_panels",
    },
}
#: What is never deleted, as no list would tell of it.
FEEDS = {"audits", "pulses", "alert_events"}

pytestmark = pytest.mark.long


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let lists be read in pages of four, and long ones be sliced from nine rows on."""
    entries = tuple(replace(entry, page_size=4) for entry in ROOTLY.entries)
    monkeypatch.setattr("opsnest.sources.rootly.ROOTLY", replace(ROOTLY, entries=entries))
    monkeypatch.setattr("opsnest.reading.strategies.WORTH_SLICING", 9)


def change(running: Rootly, rng: random.Random, tables: Sequence[str]) -> None:
    """Let rows of each table come, change and go, some with one and the same time."""
    simulator = running.simulator
    simulator.clock.skip(timedelta(minutes=rng.randint(1, 90)))
    for table in tables:
        for _ in range(rng.randint(0, 3)):
            simulator.insert(table, rng.randint(0, 3))
            simulator.touch(table, rng.randint(0, 5))
            if table not in FEEDS and rng.random() < 0.5:
                simulator.delete(table, rng.randint(0, 2))
    for table in {"incidents", "alerts", "users"} & set(tables):
        share_a_time(running, table, rng)


def share_a_time(running: Rootly, table: str, rng: random.Random) -> None:
    """Change some rows at the same moment: more than a page of them."""
    rows = running.simulator.tables[table]
    at = running.simulator.clock.now().isoformat(timespec="milliseconds")
    for key in rng.sample(rows.keys(), min(7, len(rows))):
        rows.update(key, lambda row: row["attributes"].update(updated_at=at))


def settle(running: Rootly, warehouse: Warehouse, names: Sequence[str]) -> Iterator[Outcome]:
    """Load while rows change, and once more when they have stopped to."""
    simulator = running.simulator
    simulator.churn = Churn(every=2, insert=1, touch=2, delete=0, times=2)
    warehouse.close()
    yield load(warehouse.pipeline, source(running).with_resources(*names))
    simulator.churn = Churn()
    yield load(warehouse.pipeline, source(running).with_resources(*names))


def full_load(running: Rootly, folder: Path, names: Sequence[str]) -> Warehouse:
    folder.mkdir()
    fresh = Warehouse(folder)
    load(fresh.pipeline, source(running).with_resources(*names))
    return fresh


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.timeout(300)
def test_each_load_brings_what_a_full_load_would(
    group: str,
    rootly: Start,
    warehouse: Warehouse,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names, tables = list(GROUPS[group]), list(GROUPS[group].values())
    rng = random.Random(f"rootly-{group}")
    quirks = RootlyQuirks(utc_offset_hours=(5, 6), labels="mixed", nested="mixed", null_enums=True)
    sizes = {"incidents": 14, "alerts": 13, "users": 11, "alert_events": 15, "shifts": 40}
    running = rootly(quirks=quirks, **sizes)
    monkeypatch.setattr("opsnest.clock.now", running.simulator.clock.now)

    for round_ in range(ROUNDS):
        change(running, rng, tables)
        outcomes = list(settle(running, warehouse, names))
        fresh = full_load(running, tmp_path / f"round-{round_}", names)

        assert live_cells(warehouse) == live_cells(fresh), f"round {round_}"
        assert [outcome.differences for outcome in outcomes][-1:] == [[]]
        assert warehouse.orphans() == {}
        fresh.close()
    warehouse.pipeline.activate()
    for name, table in GROUPS[group].items():
        if table not in FEEDS and "deleted_at" in warehouse.types(name):
            marked = warehouse.query(f"SELECT count(*) FROM {name} WHERE deleted_at IS NOT NULL")
            assert marked[0][0] > 0, name
