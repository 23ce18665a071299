"""Cloud bot, load after load, while rows come, change and go: always what the API has.

After each load, the tables without the rows that are marked as deleted are those of a fresh load
of everything into another database, cell by cell.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.cloud_bot_loads import ControlRoom, Start, source
from tests.same_cells import live_cells
from tests.warehouse import Warehouse, keys

from opsnest.loading import load
from opssim import Churn, CloudBotQuirks

ROUNDS = int(os.environ.get("OPSNEST_ROUNDS", "20"))
#: Lists of all strategies, with the nested tables of users and queues.
LISTS = (
    *("executions", "users", "audit_messages", "robots"),
    *("wlm_queues", "wlm_work_items"),
)
#: The one whose rows neither change nor go.
FEED = "audit_messages"
QUIRKS = CloudBotQuirks(
    utc_offset_hours=5,
    stamp_grain_seconds=60,
    page_cap=4,
    activity_cap=4,
    audit_cap=3,
    total_filter_zero=True,
    nested_pool_list=True,
    epoch_end="mixed",
    old_devices=0.4,
)
SIZES: dict[str, Any] = {
    "executions": 14,
    "bots": 5,
    "users": 7,
    "devices": 5,
    "audit_messages": 8,
    "work_items": 14,
}


class Moving(Churn):
    """Lets rows come, change and go while they are read, bar those that never go."""

    def before_list(
        self,
        table: str,
        insert: Callable[[str, int], None],
        touch: Callable[[str, int], None],
        delete: Callable[[str, int], None] | None = None,
    ) -> None:
        super().before_list(table, insert, touch, None if table == FEED else delete)


def bump(rng: random.Random, room: ControlRoom) -> None:
    """Let rows come, change and go."""
    # not in each round, as a list of which a row is gone is read twice
    deletes = rng.random() < 0.3
    for name in LISTS:
        room.simulator.insert(name, rng.randrange(3))
        room.simulator.touch(name, rng.randrange(4))
        if deletes and name != FEED and len(keys(room, name)) > 4:
            room.simulator.delete(name, rng.randrange(1, 3))
    room.simulator.clock.skip(timedelta(seconds=rng.choice((0, 1, 30, 90, 600))))


def fresh(folder: Path, room: ControlRoom) -> Warehouse:
    """Load everything into a database of its own."""
    folder.mkdir()
    warehouse = Warehouse(folder)
    warehouse.load(source(room), *LISTS)
    return warehouse


@pytest.mark.long
@pytest.mark.timeout(300)
def test_tables_are_those_of_a_fresh_load_after_every_load(
    room: Start, warehouse: Warehouse, tmp_path: Path
) -> None:
    # all strategies at once: a load takes its time, however many lists it reads
    rng = random.Random(7)
    running = room(**SIZES, quirks=QUIRKS)
    for nth in range(ROUNDS):
        bump(rng, running)
        if nth % 5 == 4:
            # what goes or changes behind the reader is found when the list is next read
            running.simulator.churn = Moving(every=2, insert=1, touch=2, delete=1, times=2)
            load(warehouse.pipeline, source(running).with_resources(*LISTS))
            running.simulator.churn = Churn()
        outcome = load(warehouse.pipeline, source(running).with_resources(*LISTS))

        assert not outcome.differences
        whole = fresh(tmp_path / f"{nth}", running)
        ours, theirs = live_cells(warehouse), live_cells(whole)
        assert ours.keys() == theirs.keys()
        for table, rows in theirs.items():
            assert ours[table] == rows, f"{table}, in round {nth}"
        assert warehouse.orphans() == {}
        warehouse.close()
        whole.close()
        whole.pipeline.deactivate()
        warehouse.pipeline.activate()


def test_rows_that_are_gone_stay_with_a_mark(room: Start, warehouse: Warehouse) -> None:
    running = room(**SIZES)
    names = ("executions", "users", "wlm_work_items")
    load(warehouse.pipeline, source(running).with_resources(*names))
    before = {name: warehouse.column(name) for name in names}
    for name in names:
        running.simulator.delete(name, 2)

    outcome = load(warehouse.pipeline, source(running).with_resources(*names))

    assert outcome.deleted == dict.fromkeys(names, 2)
    for name in names:
        assert warehouse.column(name) == before[name]
        live = f"(SELECT id FROM {name} WHERE deleted_at IS NULL)"
        assert warehouse.column(live) == keys(running, name)
