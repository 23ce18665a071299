"""The Rootly source when rows change: while a list is read, and between two loads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.rootly_loads import LISTS, Start, asked, attributes, check_services, instants, source
from tests.warehouse import Warehouse, keys, loaded

from opssim import Churn

# Lists that move while they are read


def test_rows_that_come_and_change_while_lists_are_read_are_all_there_once(
    rootly: Start, warehouse: Warehouse
) -> None:
    churn = Churn(every=2, insert=3, touch=5, times=2)
    running = rootly(**dict.fromkeys(LISTS, 110), churn=churn)

    warehouse.load(source(running), *LISTS)
    running.simulator.churn = Churn()
    warehouse.load(source(running), *LISTS)  # for what came behind the last page that was read

    for name in LISTS:
        assert len(keys(running, name)) > 110
        assert warehouse.column(name) == keys(running, name)
        assert loaded(warehouse, name, "attributes__updated_at") == instants(
            running, name, "updated_at"
        )
    assert warehouse.orphans() == {}


def test_what_changes_behind_the_reader_is_read_again_from_the_top(
    rootly: Start, warehouse: Warehouse
) -> None:
    churn = Churn(every=3, insert=0, touch=100, times=1)
    running = rootly(users=230, churn=churn)

    warehouse.load(source(running), "users")

    assert loaded(warehouse, "users", "attributes__updated_at") == instants(
        running, "users", "updated_at"
    )
    pages = [query["page[number]"] for query in asked(running, "users")]
    assert pages[:3] == ["1", "2", "3"]
    assert pages[3] == "1"


def test_changes_in_the_hour_that_comes_twice_are_loaded(
    rootly: Start, warehouse: Warehouse
) -> None:
    # 01:30 on the night on which the clocks go back an hour at 02:00, which is 09:00 in UTC
    running = rootly(now=datetime(2025, 11, 2, 8, 30, tzinfo=UTC))
    names = ("incidents", "alerts", "users")
    for name in names:
        running.simulator.touch(name, 1)
    warehouse.load(source(running), *names)
    running.simulator.clock.skip(timedelta(minutes=35))  # 01:05 on the clock
    for name in names:
        running.simulator.touch(name, 5)

    counts = warehouse.load(source(running), *names)

    assert counts == dict.fromkeys(names, 5)
    for name in names:
        assert loaded(warehouse, name, "attributes__updated_at") == instants(
            running, name, "updated_at"
        )


# The second load


def test_nothing_is_loaded_when_nothing_has_changed(rootly: Start, warehouse: Warehouse) -> None:
    running = rootly()
    warehouse.load(source(running))

    assert warehouse.load(source(running)) == {}


def test_only_new_and_changed_rows_are_loaded_again_and_replace_the_old_ones(
    rootly: Start, warehouse: Warehouse
) -> None:
    running = rootly(incidents=120, alerts=120)
    warehouse.load(source(running), *LISTS)
    running.simulator.clock.skip(timedelta(hours=1))
    changed: dict[str, int] = {}
    for name in LISTS:
        before = attributes(running, name)
        running.simulator.insert(name, 2)
        running.simulator.touch(name, 3)
        after = attributes(running, name)
        changed[name] = sum(before.get(key) != row for key, row in after.items())
    running.simulator.requests.clear()

    counts = warehouse.load(source(running), *LISTS)

    assert counts == changed
    for name in LISTS:
        assert warehouse.column(name) == keys(running, name)
        assert loaded(warehouse, name, "attributes__updated_at") == instants(
            running, name, "updated_at"
        )
    # these two can be asked for what changed, which is less than a page
    assert len(asked(running, "incidents")) == 1
    assert len(asked(running, "alerts")) == 1
    check_services(running, warehouse)


def test_a_snapshot_that_is_empty_now_empties_its_table(
    rootly: Start, warehouse: Warehouse
) -> None:
    running = rootly()
    warehouse.load(source(running), "oncalls")
    assert warehouse.column("oncalls") == keys(running, "oncalls") != []
    running.simulator.delete("oncalls", 1000)

    warehouse.load(source(running), "oncalls")

    assert warehouse.column("oncalls") == []
