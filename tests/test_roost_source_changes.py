"""The Roost.ai source when rows change: while a list is read, and between two loads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tests.roost_loads import DETAILS, LISTS, PATHS, Start, files, instants, source, statuses
from tests.warehouse import Warehouse, keys, loaded, rows

from opssim import Churn, RoostQuirks

# Lists that move while they are read


@pytest.mark.parametrize(
    "quirks",
    [
        pytest.param(RoostQuirks(max_take=20), id="newest first"),
        pytest.param(RoostQuirks(max_take=20, order="oldest"), id="oldest first"),
    ],
)
def test_rows_that_come_and_change_while_lists_are_read_are_all_there_once(
    roost: Start, warehouse: Warehouse, quirks: RoostQuirks
) -> None:
    churn = Churn(every=2, insert=3, touch=2, times=2)
    running = roost(tests=110, events=90, quirks=quirks, churn=churn)

    warehouse.load(source(running))

    for name in LISTS:
        assert len(keys(running, name)) not in {110, 22, 90}
        assert warehouse.column(name) == keys(running, name)
        assert loaded(warehouse, name, LISTS[name]) == instants(running, name)


def test_what_changes_behind_the_reader_is_there_after_the_next_load(
    roost: Start, warehouse: Warehouse
) -> None:
    # in the present, as the watermark is held back by the real clock
    churn = Churn(every=3, insert=0, touch=80, times=1)
    quirks = RoostQuirks(max_take=40)
    running = roost(tests=100, quirks=quirks, now=datetime.now(UTC), churn=churn)
    warehouse.load(source(running), "tests")
    assert loaded(warehouse, "tests", "updated_on") != instants(running, "tests")

    warehouse.load(source(running), "tests")

    assert loaded(warehouse, "tests", "updated_on") == instants(running, "tests")


# The second load


def test_nothing_is_loaded_when_nothing_has_changed(roost: Start, warehouse: Warehouse) -> None:
    running = roost()
    everything = (*LISTS, *DETAILS)
    warehouse.load(source(running), *everything)
    running.simulator.requests.clear()

    assert warehouse.load(source(running), *everything) == {}
    # and nothing is fetched for tests and events that have not changed
    assert {seen.path for seen in running.simulator.requests.all()} == set(PATHS.values())


def test_only_new_and_changed_rows_are_loaded_again_and_replace_the_old_ones(
    roost: Start, warehouse: Warehouse
) -> None:
    running = roost()
    warehouse.load(source(running))
    running.simulator.clock.skip(timedelta(hours=1))
    changed: dict[str, int] = {}
    for name in LISTS:
        before = rows(running, name)
        running.simulator.insert(name, 2)
        running.simulator.touch(name, 3)
        after = rows(running, name)
        changed[name] = sum(before.get(key) != row for key, row in after.items())

    counts = warehouse.load(source(running))

    assert counts == changed
    for name in LISTS:
        assert warehouse.column(name) == keys(running, name)
        assert loaded(warehouse, name, LISTS[name]) == instants(running, name)


def test_details_are_fetched_again_for_events_that_changed(
    roost: Start, warehouse: Warehouse
) -> None:
    running = roost()
    warehouse.load(source(running), "events", "event_logs", "execution_status")
    running.simulator.clock.skip(timedelta(hours=1))
    before = rows(running, "events")
    running.simulator.touch("events", 3)
    after = rows(running, "events")
    changed = {key for key, row in after.items() if before[key] != row}
    running.simulator.requests.clear()

    warehouse.load(source(running), "events", "event_logs", "execution_status")

    asked = [seen.path for seen in running.simulator.requests.all() if seen.path.endswith("/logs")]
    assert sorted(asked) == sorted(f"/api/test/event/{key}/logs" for key in changed)
    assert statuses(warehouse) == files(running)
