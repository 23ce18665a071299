"""How Roost.ai's lists are read for what changed: after any changes, the tables are what they are.

The stamps are in another zone and of whole minutes, and pages are small, so that rows on both sides
of a border between pages have the same one; and lists move while they are read.
"""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
import requests
from tests.roost_loads import PATHS, Roost, Start, files, instants, source
from tests.same_cells import live_cells
from tests.warehouse import Warehouse, keys, loaded, no_warnings

from opsnest.errors import ConfigurationError
from opsnest.loading import Outcome, load
from opssim import Churn, RoostQuirks

ROUNDS = int(os.environ.get("OPSNEST_ROUNDS", "20"))
Order = Literal["newest", "oldest"]


def awkward(*, max_take: int = 5, order: Order = "newest") -> RoostQuirks:
    return RoostQuirks(utc_offset_hours=5, stamp_grain_seconds=60, max_take=max_take, order=order)


def load_into(warehouse: Warehouse, roost: Roost, *names: str, **options: Any) -> Outcome:
    warehouse.close()
    with no_warnings():
        return load(warehouse.pipeline, source(roost, **options).with_resources(*names))


@dataclass
class Life:
    """What happens to a Roost.ai between two loads, and during one.

    Attributes:
        roost: the simulator.
        tables: the lists to change.
        chance: what decides.
        deletes: whether rows vanish in this round; in others they are only marked.
    """

    roost: Roost
    tables: Sequence[str]
    chance: random.Random = field(default_factory=lambda: random.Random(11))
    deletes: bool = False

    def go_on(self) -> None:
        """Change the lists at random."""
        simulator, chance = self.roost.simulator, self.chance
        simulator.churn = Churn()
        simulator.clock.skip(timedelta(seconds=chance.choice((1, 50, 400, 8000, 40000))))
        self.deletes = chance.random() < 0.4
        for table in self.tables:
            simulator.insert(table, chance.randrange(4))
            simulator.touch(table, chance.randrange(9))
            if chance.random() < 0.5:
                self.mark(table)
            if self.deletes:
                simulator.delete(table, chance.randrange(4))

    def mark(self, table: str) -> None:
        """Delete a row as Roost.ai does it: it stays in the list."""
        key = self.chance.choice(keys(self.roost, table))
        path = "test/event" if table == "events" else "test"
        token = {"Authorization": f"Bearer {self.roost.simulator.token}"}
        answer = requests.delete(f"{self.roost.url}/api/{path}/{key}", headers=token, timeout=10)
        assert answer.json()["deleted"] == 1

    def may_churn(self) -> bool:
        """Let the lists change during the next load, in some of the rounds."""
        every, churns = self.chance.choice((1, 2, 3)), self.chance.random() < 0.3
        if churns:
            self.roost.simulator.churn = Churn(
                every, insert=1, touch=2, times=2, delete=int(self.deletes)
            )
        return churns


def check_rounds(
    life: Life,
    folder: Path,
    warehouse: Warehouse,
    names: Sequence[str],
    *,
    rounds: int = ROUNDS,
    whole_events_after: float | None = None,
) -> None:
    """Load round after round, and compare the tables with those of a first load."""
    for number in range(rounds):
        if number:
            life.go_on()
        # rows of `events` that vanish are found when it is read whole
        after = 0 if life.deletes and whole_events_after is None else (whole_events_after or 1)
        options = {"whole_events_after": after}
        if life.may_churn():
            load_into(warehouse, life.roost, *names, **options)
            life.roost.simulator.churn = Churn()
        load_into(warehouse, life.roost, *names, **options)
        fresh = Warehouse(folder / f"fresh{number}")
        fresh.load(source(life.roost), *names)

        assert live_cells(warehouse) == live_cells(fresh), f"round {number}"

        fresh.close()
        fresh.pipeline.deactivate()
        warehouse.pipeline.activate()


def marked(warehouse: Warehouse, table: str) -> int:
    found = warehouse.query(f"SELECT count(*) FROM {table} WHERE deleted_at IS NOT NULL")
    return int(found[0][0])


@pytest.mark.long
@pytest.mark.timeout(300)
def test_tables_after_any_changes_are_what_a_first_load_would_make_of_them(
    roost: Start, warehouse: Warehouse, tmp_path: Path
) -> None:
    running = roost(tests=9, events=12, quirks=awkward())
    lists = ("tests", "events")
    # whole, newest first, within a parent's row, and asked for of each parent that changed
    names = (*lists, "event_methods", "event_logs")

    check_rounds(Life(running, lists), tmp_path, warehouse, names)

    for name in lists:
        assert marked(warehouse, name) >= ROUNDS // 4
        alive = len(warehouse.column(name)) - marked(warehouse, name)
        assert alive == len(keys(running, name))
    assert marked(warehouse, "event_methods") >= ROUNDS // 4
    assert marked(warehouse, "event_logs") >= ROUNDS // 4


@pytest.mark.long
@pytest.mark.timeout(300)
def test_more_of_a_row_and_of_its_files_is_what_a_first_load_would_make_of_it(
    roost: Start, warehouse: Warehouse, tmp_path: Path
) -> None:
    running = roost(tests=5, events=5, quirks=awkward(max_take=4))
    names = ("test_plans", "test", "execution_report", "execution_status")

    check_rounds(Life(running, ("tests", "events")), tmp_path, warehouse, names)

    alive = files(running)
    running.simulator.delete("tests", 2)
    running.simulator.delete("events", 3)
    outcome = load_into(warehouse, running, *names, whole_events_after=0)

    assert outcome.deleted["test"] == 2
    gone = len(alive) - len(files(running))
    assert outcome.deleted.get("execution_status", 0) == gone
    assert outcome.deleted.get("execution_report", 0) == gone
    assert gone > 0


def test_lists_of_a_row_or_of_none_are_read_once(
    roost: Start, warehouse: Warehouse, caplog: pytest.LogCaptureFixture
) -> None:
    running = roost(tests=1, events=0)

    load_into(warehouse, running, *PATHS)

    asked = running.simulator.requests
    assert [len(asked.all(path)) for path in PATHS.values()] == [2, 2, 1]
    assert not [each for each in caplog.records if "kept changing" in each.getMessage()]


def test_events_that_come_oldest_first_are_read_whole(
    roost: Start, warehouse: Warehouse, tmp_path: Path
) -> None:
    running = roost(tests=4, events=17, quirks=awkward(max_take=4, order="oldest"))
    life = Life(running, ("events",))

    check_rounds(life, tmp_path, warehouse, ("events",), rounds=3, whole_events_after=1)

    assert marked(warehouse, "events") >= 2


def test_events_are_read_as_far_as_the_last_load_and_a_page_more(
    roost: Start, warehouse: Warehouse
) -> None:
    running = roost(events=60, quirks=RoostQuirks(max_take=10))
    load_into(warehouse, running, "events")
    running.simulator.clock.skip(timedelta(hours=2))
    running.simulator.touch("events", 3)
    running.simulator.requests.clear()

    load_into(warehouse, running, "events")

    asked = [seen.query for seen in running.simulator.requests.all(PATHS["events"])]
    assert [query["skip"] for query in asked] == ["0", "9"]
    assert {query["order_by"] for query in asked} == {"modification_time"}
    # which would go by the time of creation
    assert not any("time_filter" in query for query in asked)
    assert loaded(warehouse, "events", "modification_time") == instants(running, "events")


def test_events_that_vanish_are_found_after_a_day_of_changes(
    roost: Start, warehouse: Warehouse
) -> None:
    running = roost(events=60, quirks=RoostQuirks(max_take=10))
    names = ("events", "event_methods")
    load_into(warehouse, running, *names)
    running.simulator.delete("events", 9)

    for hours, gone in ((6, 0), (12, 0), (12, 9)):
        running.simulator.clock.skip(timedelta(hours=hours))
        running.simulator.touch("events", 1)
        outcome = load_into(warehouse, running, *names)
        assert outcome.deleted.get("events", 0) == gone

    of_these = "SELECT count(*) FROM event_methods WHERE deleted_at IS NULL AND event_id IN "
    assert warehouse.query(f"{of_these} (SELECT id FROM events WHERE deleted_at IS NOT NULL)") == [
        (0,)
    ]
    assert marked(warehouse, "event_methods") > 0


def test_how_often_events_are_read_whole_is_a_number_of_days(roost: Start) -> None:
    with pytest.raises(ConfigurationError, match="whole_events_after=-1 is no number of days"):
        source(roost(), whole_events_after=-1)
