"""The Cloud bot source when rows or sessions change: within a load, and between two."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tests.cloud_bot_loads import (
    ALL,
    READ_AGAIN,
    Start,
    check_executions,
    check_lists,
    instants,
    source,
)
from tests.warehouse import Warehouse, keys, loaded, rows

from opsnest.loading import load
from opssim import Churn, CloudBotQuirks, Fault

# Sessions


def test_a_token_that_expires_within_a_load_is_renewed_once_for_all_resources(
    room: Start, warehouse: Warehouse
) -> None:
    running = room(executions=150, quirks=CloudBotQuirks(page_cap=5), token_seconds=0.25)
    running.simulator.latency = 0.01

    warehouse.load(source(running))

    check_lists(running, warehouse)
    refused = running.simulator.requests.statuses()[401]
    assert refused >= 1
    # one more login for each time that the token ran out, however many resources noticed
    assert 2 <= running.simulator.logins <= refused + 1


def test_resources_that_load_side_by_side_share_one_login(
    room: Start, warehouse: Warehouse
) -> None:
    running = room(quirks=CloudBotQuirks(page_cap=5))
    chosen = source(running)
    for name in ALL:
        chosen.resources[name].parallelize()

    warehouse.load(chosen)

    check_lists(running, warehouse)
    assert running.simulator.logins == 1


def test_resources_that_load_side_by_side_renew_an_expired_token_together(
    room: Start, warehouse: Warehouse
) -> None:
    running = room(executions=150, quirks=CloudBotQuirks(page_cap=5), token_seconds=0.3)
    running.simulator.latency = 0.01
    chosen = source(running)
    for name in ALL:
        chosen.resources[name].parallelize()

    warehouse.load(chosen)

    check_lists(running, warehouse)
    refused = running.simulator.requests.statuses()[401]
    assert refused >= 1
    assert 2 <= running.simulator.logins <= refused + 1


def test_a_session_that_somebody_ended_is_opened_again(room: Start, warehouse: Warehouse) -> None:
    running = room(quirks=CloudBotQuirks(single_session=True))
    chosen = source(running)
    warehouse.load(chosen, "users")
    running.simulator.expire_tokens()

    warehouse.load(chosen, "executions")  # with the token of the load before

    check_executions(running, warehouse)
    assert running.simulator.logins == 2


# Lists that move while they are read


@pytest.mark.parametrize("cap", [7, 25])
def test_rows_that_come_and_change_while_lists_are_read_are_all_there_once(
    room: Start, warehouse: Warehouse, cap: int
) -> None:
    churn = Churn(every=2, insert=2, touch=3, times=3)
    quirks = CloudBotQuirks(page_cap=cap, total_filter_zero=True)
    running = room(executions=60, users=60, bots=60, devices=60, quirks=quirks, churn=churn)

    warehouse.load(source(running))

    assert len(keys(running, "executions")) == 60 + 3 * 2
    check_executions(running, warehouse)
    for name in ("automations", "users", "robots"):
        assert len(keys(running, name)) > 60
        assert warehouse.column(name) == keys(running, name)
    assert warehouse.orphans() == {}


def test_what_changes_behind_the_reader_is_there_after_the_next_load(
    room: Start, warehouse: Warehouse
) -> None:
    # in the present, as the watermark of a list that is not sorted is held back by the real clock
    churn = Churn(every=3, insert=0, touch=60, times=1)
    quirks = CloudBotQuirks(page_cap=25)
    running = room(users=70, now=datetime.now(UTC), quirks=quirks, churn=churn)
    warehouse.load(source(running), "users")
    assert loaded(warehouse, "users", "updated_on") != instants(running, "users", "updatedOn")

    warehouse.load(source(running), "users")

    assert loaded(warehouse, "users", "updated_on") == instants(running, "users", "updatedOn")


# The second load


def test_a_run_that_was_under_way_is_loaded_again_when_it_has_ended(
    room: Start, warehouse: Warehouse
) -> None:
    running = room()
    warehouse.load(source(running), "executions")
    under_way = {
        key for key, end in loaded(warehouse, "executions", "end_date_time").items() if not end
    }
    assert under_way
    running.simulator.clock.skip(timedelta(minutes=5))
    while None in instants(running, "executions", "endDateTime").values():
        running.simulator.touch("executions", 1)

    counts = warehouse.load(source(running), "executions")

    assert len(under_way) <= counts["executions"] <= len(under_way) + READ_AGAIN
    check_executions(running, warehouse)
    ends = loaded(warehouse, "executions", "end_date_time")
    assert all(ends[key] for key in under_way)


def test_nothing_but_the_snapshot_of_the_robots_is_loaded_when_nothing_has_changed(
    room: Start, warehouse: Warehouse
) -> None:
    running = room()
    everything = (*ALL, "automation", "execution", "audit_messages")
    warehouse.load(source(running), *everything)

    assert warehouse.load(source(running), *everything) == {"robots": 5}


def test_only_new_and_changed_rows_are_loaded_again_and_replace_the_old_ones(
    room: Start, warehouse: Warehouse
) -> None:
    running = room()
    warehouse.load(source(running))
    running.simulator.clock.skip(timedelta(hours=1))
    changed: dict[str, int] = {}
    for name in ALL:
        before = rows(running, name)
        running.simulator.insert(name, 2)
        running.simulator.touch(name, 3)
        after = rows(running, name)
        changed[name] = sum(before.get(key) != row for key, row in after.items())

    counts = warehouse.load(source(running))

    again = counts.pop("executions") - changed.pop("executions")
    assert 0 <= again <= READ_AGAIN
    assert counts == {**changed, "robots": len(keys(running, "robots"))}
    check_lists(running, warehouse)


def test_robots_that_are_gone_are_gone_after_the_next_load(
    room: Start, warehouse: Warehouse
) -> None:
    running = room()
    warehouse.load(source(running), "robots")
    gone = keys(running, "robots")[0]
    running.simulator.tables["robots"].delete(gone)

    warehouse.load(source(running), "robots")

    assert warehouse.column("robots") == keys(running, "robots")
    assert gone not in keys(running, "robots")
    assert warehouse.orphans() == {}


# Numbers of rows


def test_runs_are_counted_by_their_metrics_where_the_list_says_that_there_are_none(
    room: Start, warehouse: Warehouse
) -> None:
    running = room(executions=40, quirks=CloudBotQuirks(activity_total_zero=True))
    simulator = running.simulator
    chosen = source(running).with_resources("executions")
    outcome = load(warehouse.pipeline, chosen)
    assert outcome.differences == []
    simulator.delete("executions", 2)
    simulator.requests.clear()
    warehouse.close()

    outcome = load(warehouse.pipeline, source(running).with_resources("executions"))

    assert outcome.deleted == {"executions": 2}
    assert outcome.differences == []
    assert simulator.requests.all("/v3/activity/metrics")


def test_a_key_that_may_not_ask_for_metrics_loads_what_it_may(
    room: Start, warehouse: Warehouse
) -> None:
    running = room(executions=12, quirks=CloudBotQuirks(activity_total_zero=True))
    running.simulator.faults.add(Fault("/v3/activity/metrics", status=403))

    outcome = load(warehouse.pipeline, source(running).with_resources("executions"))

    assert outcome.differences == []
    assert warehouse.column("executions") == keys(running, "executions")
